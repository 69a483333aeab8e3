// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the frames end that begin with 68H (M-Bus, DL/T 645, CJ/T 188): a sum of eight bits, then 16H.

use crate::crc;
use crate::error::Error;
use crate::scan::Probe;

/// The byte that ends a frame.
const END: u8 = 0x16;

/// What a probe says of a frame of `len` bytes whose header is right; its sum is of the bytes from `from` on.
pub fn checked(bytes: &[u8], from: usize, len: usize) -> Probe {
    let Some([head @ .., got, end]) = bytes.get(..len) else { return Probe::Need(len) };
    let want = crc::sum(head.get(from..).unwrap_or_default());
    if *end != END {
        Probe::Bad { len, error: Error::BadEnd { got: *end } }
    } else if *got != want {
        Probe::Bad { len, error: Error::Checksum { got: u16::from(*got), want: u16::from(want) } }
    } else {
        Probe::Frame(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_looked_at_before_the_sum() {
        let frame = [0x68, 0x01, 0x02, 0x6B, 0x16, 0xFF];
        assert_eq!(checked(&frame, 0, 5), Probe::Frame(5));
        assert_eq!(checked(&frame, 0, 7), Probe::Need(7));
        let error = Error::Checksum { got: 0x6B, want: 0x03 };
        assert_eq!(checked(&frame, 1, 5), Probe::Bad { len: 5, error });
        assert_eq!(checked(&frame, 0, 6), Probe::Bad { len: 6, error: Error::BadEnd { got: 0xFF } });
    }
}
