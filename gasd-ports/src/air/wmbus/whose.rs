// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose a telegram is, before it is opened: a radio may speak for several meters, and its header says for which. And
//! whether there is anything in it: meters also say that they can be asked now, or want to be installed.

use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Telegram, link_layer_length};

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
            [0x8C..=0x8F, ..] => match link(rest) {
                Some(skip) => skip,
                None => return Whose::Sender,
            },
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

/// How long the extended link layer is that `rest` begins with, where what is behind it can be seen.
fn link(rest: &[u8]) -> Option<usize> {
    let ci = *rest.first()?;
    let skip = link_layer_length(ci)?;
    // With a session, whose last byte is in front of the CRC of the payload: behind that it is plain in mode 0 only.
    let is_plain = !matches!(ci, 0x8D | 0x8F) || rest.get(skip - 3)? >> 5 == 0;
    is_plain.then_some(skip)
}

/// What is in a telegram, as far as can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing: the link is managed.
    Nothing,
    /// A header with the state of the meter, in the clear.
    State,
    /// Data, or what may be data.
    Data,
}

/// Looks for data.
pub(super) fn says(telegram: &Telegram) -> Says {
    let body = telegram.body();
    let rest = body.rest();
    let rest = link(rest).map_or(rest, |skip| rest.get(skip..).unwrap_or_default());
    match *rest {
        // A transport layer of its own has no data.
        [] | [0x80 | 0x8A | 0x8B, ..] => Says::Nothing,
        [0x7A, _, _, _, _] | [0x72, _, _, _, _, _, _, _, _, _, _, _, _] => Says::State,
        _ => Says::Data,
    }
}

/// CI fields behind which the meter's address stands.
const fn has_long_header(ci: u8) -> bool {
    matches!(ci, 0x53 | 0x5B | 0x5F | 0x60 | 0x64 | 0x68 | 0x6C | 0x6F | 0x72 | 0x73 | 0x75 | 0x7C)
}
