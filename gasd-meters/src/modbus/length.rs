// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a frame is, from its function and the counts inside it.

/// What the first bytes of a frame say of its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes, with the CRC.
    Is(usize),
    /// So many bytes are needed to say.
    Need(usize),
    /// No frame begins so.
    No,
}

use Length::{Is, Need, No};

/// Most registers that are read with one request.
pub(super) const MAX_READ: u16 = 125;
/// Most registers that are written with one request.
pub(super) const MAX_WRITE: u16 = 123;
/// Most bits that are read with one request.
pub(super) const MAX_READ_BITS: u16 = 2000;
/// Most bits that are written with one request.
pub(super) const MAX_WRITE_BITS: u16 = 1968;

/// A count that stands at `at`, in a frame that has `rest` bytes besides what is counted.
fn counted(bytes: &[u8], at: usize, rest: usize, fits: impl Fn(u8) -> bool) -> Length {
    match bytes.get(at) {
        None => Need(at + 1),
        Some(&count) if fits(count) => Is(rest + usize::from(count)),
        Some(_) => No,
    }
}

/// 16 bits at `at`; `None` while they are not there.
fn word(bytes: &[u8], at: usize) -> Option<u16> {
    match bytes.get(at..)? {
        [high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// Of a request.
pub(super) fn request(bytes: &[u8]) -> Length {
    let Some(&function) = bytes.get(1) else { return Need(2) };
    // Whether the count at 4 is one that a request may have, once it is there.
    let count = |most: u16| word(bytes, 4).is_none_or(|count| (1..=most).contains(&count));
    match function {
        0x01 | 0x02 if count(MAX_READ_BITS) => Is(8),
        0x03 | 0x04 if count(MAX_READ) => Is(8),
        0x05 if word(bytes, 4).is_none_or(|value| matches!(value, 0x0000 | 0xFF00)) => Is(8),
        0x06 | 0x08 => Is(8),
        0x07 | 0x0B | 0x0C | 0x11 => Is(4),
        0x0F => match word(bytes, 4) {
            None => Need(7),
            Some(bits @ 1..=MAX_WRITE_BITS) => counted(bytes, 6, 9, |n| u16::from(n) == bits.div_ceil(8)),
            Some(_) => No,
        },
        0x10 => match word(bytes, 4) {
            None => Need(7),
            Some(words @ 1..=MAX_WRITE) => counted(bytes, 6, 9, |n| u16::from(n) == 2 * words),
            Some(_) => No,
        },
        0x16 => Is(10),
        0x17 => match word(bytes, 8) {
            None => Need(11),
            Some(words @ 1..=121) => counted(bytes, 10, 13, |n| u16::from(n) == 2 * words),
            Some(_) => No,
        },
        0x2B => match bytes.get(2..4) {
            None => Need(4),
            Some([0x0E, 1..=4]) => Is(7),
            Some(_) => No,
        },
        _ => No,
    }
}

/// Of an answer.
pub(super) fn answer(bytes: &[u8]) -> Length {
    let Some(&function) = bytes.get(1) else { return Need(2) };
    let even = |n: u8| n >= 2 && n.is_multiple_of(2) && n <= 2 * MAX_READ as u8;
    match function {
        0x01 | 0x02 => counted(bytes, 2, 5, |n| (1..=250).contains(&n)),
        0x03 | 0x04 | 0x17 => counted(bytes, 2, 5, even),
        0x05 if word(bytes, 4).is_none_or(|value| matches!(value, 0x0000 | 0xFF00)) => Is(8),
        0x06 | 0x08 | 0x0B => Is(8),
        0x07 => Is(5),
        0x0F if word(bytes, 4).is_none_or(|bits| (1..=MAX_WRITE_BITS).contains(&bits)) => Is(8),
        0x10 if word(bytes, 4).is_none_or(|words| (1..=MAX_WRITE).contains(&words)) => Is(8),
        0x0C | 0x11 => counted(bytes, 2, 5, |n| (1..=250).contains(&n)),
        0x16 => Is(10),
        0x2B => identification(bytes),
        0x81..=0x8F | 0x90 | 0x91 | 0x96 | 0x97 | 0xAB => match bytes.get(2) {
            None => Need(3),
            // The standard has 1 to 11; makers go on after that.
            Some(1..=0x7F) => Is(5),
            Some(_) => No,
        },
        _ => No,
    }
}

/// unit 2B 0E code conformity more next number, then number times: id length bytes.
fn identification(bytes: &[u8]) -> Length {
    let Some(&[kind, code, _, more, _, number]) = bytes.get(2..8).and_then(|head| head.first_chunk()) else {
        return if bytes.get(2).is_some_and(|&kind| kind != 0x0E) { No } else { Need(8) };
    };
    if kind != 0x0E || !(1..=4).contains(&code) || !matches!(more, 0x00 | 0xFF) {
        return No;
    }
    let mut at = 8;
    for _ in 0..number {
        let Some(&len) = bytes.get(at + 1) else { return Need(at + 2) };
        at += 2 + usize::from(len);
        if at + 2 > super::frame::MAX_FRAME {
            return No;
        }
    }
    Is(at + 2)
}
