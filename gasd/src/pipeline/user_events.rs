// SPDX-License-Identifier: MIT OR Apache-2.0
//! Edges from the chip's own event queue, for the filter in user space.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

/// An edge as the GPIO character device reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipEdge {
    /// `CLOCK_MONOTONIC` nanoseconds.
    pub monotonic_ns: u64,
    /// The line's level after it.
    pub active: bool,
    /// Number of the edge on this line; a gap is a loss.
    pub number: u32,
}

/// Bytes of `struct gpio_v2_line_event`.
const RECORD: usize = 48;
/// `GPIO_V2_LINE_EVENT_RISING_EDGE`.
const RISING: u32 = 1;

/// Decodes one record; `None` if it is too short.
#[must_use]
pub fn decode(record: &[u8]) -> Option<ChipEdge> {
    let u32_at = |at: usize| Some(u32::from_ne_bytes(record.get(at..at + 4)?.try_into().ok()?));
    Some(ChipEdge {
        monotonic_ns: u64::from_ne_bytes(record.get(..8)?.try_into().ok()?),
        active: u32_at(8)? == RISING,
        number: u32_at(20)?,
    })
}

/// Reads what is queued, up to 16 edges. Call only when the descriptor is readable.
pub fn read(fd: BorrowedFd<'_>) -> io::Result<Vec<ChipEdge>> {
    let mut buffer = [0u8; RECORD * 16];
    // SAFETY: the buffer is live and of the length given.
    let n = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    if n < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(buffer[..n as usize].chunks_exact(RECORD).filter_map(decode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_decoded_and_a_short_one_refused() {
        let mut record = [0u8; RECORD];
        record[..8].copy_from_slice(&123_456u64.to_ne_bytes());
        record[8..12].copy_from_slice(&2u32.to_ne_bytes());
        record[20..24].copy_from_slice(&9u32.to_ne_bytes());
        let edge = ChipEdge { monotonic_ns: 123_456, active: false, number: 9 };
        assert_eq!(decode(&record), Some(edge));
        assert_eq!(decode(&record[..12]), None);
    }
}
