// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose a telegram is, before it is opened: a radio may speak for several meters, and its header says for which.

use gasd_meters::mbus::Address;
use gasd_meters::wmbus::Telegram;

use super::memory::address;

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The sender's, as far as can be seen.
    Sender,
    /// This meter's, of a message in one piece or its first fragment.
    Meter(Address),
    /// A fragment behind the first one: that one said it.
    Continues,
}

/// Looks at the layers that are not encrypted.
pub(super) fn whose(telegram: &Telegram) -> Whose {
    let body = telegram.body();
    let mut rest = body.rest();
    // The extended link layer comes first, then the one with the fragments, each once.
    for _ in 0..3 {
        let skip = match *rest {
            [0x8C, ..] => 3,
            [0x8E, ..] => 11,
            // With a session and the CRC of the payload: behind that it is plain in mode 0 only.
            [0x8D, _, _, _, _, _, session, ..] if session >> 5 == 0 => 9,
            [0x8F, _, _, _, _, _, _, _, _, _, _, _, _, _, session, ..] if session >> 5 == 0 => 17,
            [0x90, _, fragment, ..] if fragment > 1 => return Whose::Continues,
            [0x90, len, ..] => 2 + usize::from(len),
            [ci, a, b, c, d, m0, m1, version, medium, ..] if has_long_header(ci) => {
                return Whose::Meter(address([a, b, c, d, m0, m1, version, medium]));
            }
            _ => return Whose::Sender,
        };
        rest = rest.get(skip..).unwrap_or_default();
    }
    Whose::Sender
}

/// CI fields behind which the meter's address stands.
const fn has_long_header(ci: u8) -> bool {
    matches!(ci, 0x53 | 0x5B | 0x5F | 0x60 | 0x64 | 0x68 | 0x6C | 0x6F | 0x72 | 0x73 | 0x75 | 0x7C)
}
