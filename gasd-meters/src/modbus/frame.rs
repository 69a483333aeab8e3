// SPDX-License-Identifier: MIT OR Apache-2.0
//! One frame: found, checked, taken apart.

use alloc::vec::Vec;

use super::length::{self, Length};
use crate::crc;
use crate::error::Error;
use crate::scan::{self, Probe};

/// Most bytes of a frame.
pub const MAX_FRAME: usize = 256;

/// Highest address of a unit; those above are reserved.
pub(super) const MAX_UNIT: u8 = 247;

/// Whether a request begins with the first byte. Unit 0 is everyone.
#[must_use]
pub fn probe_request(bytes: &[u8]) -> Probe {
    judge(bytes, 0, length::request)
}

/// Whether an answer begins with the first byte.
#[must_use]
pub fn probe_answer(bytes: &[u8]) -> Probe {
    judge(bytes, 1, length::answer)
}

/// Whether a frame of either direction begins with the first byte.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    probe_request(bytes).or(probe_answer(bytes))
}

fn judge(bytes: &[u8], lowest: u8, length: impl Fn(&[u8]) -> Length) -> Probe {
    match bytes.first() {
        Some(unit) if (lowest..=MAX_UNIT).contains(unit) => {}
        _ => return Probe::No,
    }
    let len = match length(bytes) {
        Length::No => return Probe::No,
        Length::Need(n) => return Probe::Need(n),
        Length::Is(len) => len,
    };
    match bytes.get(..len) {
        None => Probe::Need(len),
        Some(frame) => match check(frame) {
            Ok(()) => Probe::Frame(len),
            Err(error) => Probe::Bad { len, error },
        },
    }
}

fn check(frame: &[u8]) -> Result<(), Error> {
    let Some((head, sum)) = frame.split_last_chunk::<2>() else {
        return Err(Error::Truncated { need: 2 });
    };
    let (got, want) = (u16::from_le_bytes(*sum), crc::modbus(head));
    if got == want { Ok(()) } else { Err(Error::Checksum { got, want }) }
}

/// The first frame in bytes after which nothing more comes.
///
/// # Errors
///
/// As [`scan::first`].
pub fn find(bytes: &[u8]) -> Result<&[u8], Error> {
    scan::first_frame(bytes, probe)
}

/// A frame whose CRC fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The frame as on the wire.
    pub bytes: &'a [u8],
    /// The unit that is asked or answers; 0 is everyone.
    pub unit: u8,
    /// The function; 80H in it marks an exception.
    pub function: u8,
    /// What lies between the function and the CRC.
    pub data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame that `bytes` are, all of them. Its function may be one that the probes do not know.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], [`Error::Checksum`]; [`Error::Malformed`] where the CRC fits and the length is
    /// none that the function has.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let &[unit, function, ref data @ .., _, _] = bytes else {
            return Err(Error::Truncated { need: 4 - bytes.len() });
        };
        let lengths = [length::request(bytes), length::answer(bytes)];
        if let Err(error) = check(bytes) {
            let longer = |length: &Length| match *length {
                Length::Is(n) | Length::Need(n) if n > bytes.len() => Some(n - bytes.len()),
                _ => None,
            };
            let whole = lengths.contains(&Length::Is(bytes.len()));
            return match lengths.iter().filter_map(longer).min() {
                Some(need) if !whole => Err(Error::Truncated { need }),
                _ => Err(error),
            };
        }
        let known = lengths.iter().any(|length| *length != Length::No);
        if bytes.len() > MAX_FRAME || (known && !lengths.contains(&Length::Is(bytes.len()))) {
            return Err(Error::Malformed { what: "the length is not that of the function" });
        }
        Ok(Self { bytes, unit, function, data })
    }

    /// The exception's code, where this is one.
    #[must_use]
    pub const fn exception(&self) -> Option<u8> {
        match self.data {
            [code] if self.function & 0x80 != 0 => Some(*code),
            _ => None,
        }
    }
}

/// A frame of these parts.
pub(super) fn build(unit: u8, function: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len() + 4);
    bytes.extend([unit, function]);
    bytes.extend(data);
    bytes.extend(crc::modbus(&bytes).to_le_bytes());
    bytes
}
