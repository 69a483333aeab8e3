// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of options. An odd number is critical: who does not know it must not act.

use core::fmt;

use super::block::Block;
use crate::hex::Hex;

/// Says that changes are to be told, or which telling this is.
pub const OBSERVE: u16 = 6;
/// A part of where something was put.
pub const LOCATION_PATH: u16 = 8;
/// A part of a path.
pub const URI_PATH: u16 = 11;
/// How the payload is written.
pub const CONTENT_FORMAT: u16 = 12;
/// A part of a query.
pub const URI_QUERY: u16 = 15;
/// How the answer is to be written.
pub const ACCEPT: u16 = 17;
/// A part of an answer.
pub const BLOCK2: u16 = 23;
/// A part of a request.
pub const BLOCK1: u16 = 27;
/// Of a host.
pub const URI_HOST: u16 = 3;
/// Of a version of something.
pub const ETAG: u16 = 4;
/// Of a port.
pub const URI_PORT: u16 = 7;

/// The name that the registry of IANA has for a number, of those that meters and servers send.
#[must_use]
pub const fn name(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "If-Match",
        URI_HOST => "Uri-Host",
        ETAG => "ETag",
        5 => "If-None-Match",
        OBSERVE => "Observe",
        URI_PORT => "Uri-Port",
        LOCATION_PATH => "Location-Path",
        URI_PATH => "Uri-Path",
        CONTENT_FORMAT => "Content-Format",
        14 => "Max-Age",
        URI_QUERY => "Uri-Query",
        ACCEPT => "Accept",
        20 => "Location-Query",
        BLOCK2 => "Block2",
        BLOCK1 => "Block1",
        28 => "Size2",
        35 => "Proxy-Uri",
        39 => "Proxy-Scheme",
        60 => "Size1",
        _ => return None,
    })
}

/// What a number in Content-Format and Accept means.
const FORMATS: [(u64, &str); 10] = [
    (0, "text"),
    (40, "links"),
    (42, "bytes"),
    (50, "JSON"),
    (60, "CBOR"),
    (110, "SenML JSON"),
    (112, "SenML CBOR"),
    (1_542, "LwM2M TLV, its old number"),
    (11_542, "LwM2M TLV"),
    (11_543, "LwM2M JSON"),
];

/// The value of an option: as a number where it is one, as text where it is readable, else its bytes.
pub(super) struct Shown<'a>(pub u16, pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = || self.1.iter().fold(0, |n: u64, &byte| n << 8 | u64::from(byte));
        match self.0 {
            CONTENT_FORMAT | ACCEPT if self.1.len() <= 2 => {
                let number = number();
                match FORMATS.iter().find(|(format, _)| *format == number) {
                    Some((_, name)) => write!(f, "{number}, {name}"),
                    None => write!(f, "{number}"),
                }
            }
            BLOCK1 | BLOCK2 if self.1.len() <= 3 => match Block::from_option(number() as u32) {
                Some(block) => {
                    let more = if block.more { "more follow" } else { "the last" };
                    write!(f, "number {}, {more}, {} bytes", block.number, block.bytes())
                }
                None => write!(f, "{}", Hex(self.1)),
            },
            OBSERVE | URI_PORT | 14 | 28 | 60 if self.1.len() <= 4 => write!(f, "{}", number()),
            _ => write!(f, "{}", Text(self.1)),
        }
    }
}

/// Text as text, anything else as digits.
pub(super) struct Text<'a>(pub &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printable = !self.0.is_empty() && self.0.iter().all(|byte| matches!(byte, 0x20..=0x7E));
        match core::str::from_utf8(self.0) {
            Ok(text) if printable => write!(f, "{text:?}"),
            _ => write!(f, "{}", Hex(self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn values_are_shown_as_what_they_are() {
        for (number, value, shown) in [
            (URI_PATH, &b"rd"[..], "\"rd\""),
            (URI_PATH, &[0x00, 0x7F], "007F"),
            (CONTENT_FORMAT, &[], "0, text"),
            (CONTENT_FORMAT, &[0x2D, 0x16], "11542, LwM2M TLV"),
            (ACCEPT, &[0x27, 0x0F], "9999"),
            (OBSERVE, &[0x01, 0x02], "258"),
            (BLOCK2, &[0x1E], "number 1, more follow, 1024 bytes"),
            (BLOCK1, &[0x07], "07"),
            (OBSERVE, &[1, 2, 3, 4, 5], "0102030405"),
        ] {
            assert_eq!(Shown(number, value).to_string(), shown);
        }
        assert_eq!((name(11), name(60_000)), (Some("Uri-Path"), None));
    }
}
