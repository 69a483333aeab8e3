// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame of gas meters that looks like DL/T 645 and is neither that nor CJ/T 188.
//!
//! ```text
//! 68 A0..A5 68 C L0 L1 time(6) type DI0 DI1 seq data.. CS 16      L = bytes from time to data
//! ```
//!
//! A length of two bytes, no 33H added. Only for a meter whose profile names it: on a line of unknown
//! meters its header is taken for DL/T 645's. Known from descriptions, not checked against a capture.

use crate::bytes::Cursor;
use crate::error::Error;
use crate::frame68;
use crate::scan::Probe;

/// The name a profile has for it.
pub const NAME: &str = "shenran-gas";

/// Bytes before the time.
const HEADER: usize = 11;
/// Bytes from the time to the sequence number.
const FIXED: usize = 10;
/// Most bytes of `L` that are taken.
const MAX_LEN: usize = 400;

/// One frame, taken apart; what its data say is the maker's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAlike<'a> {
    /// The address as on the wire.
    pub address: [u8; 6],
    /// The control byte: 01, 04 or 05, with 80H from the meter.
    pub control: u8,
    /// The time as on the wire.
    pub time: [u8; 6],
    /// The type of the meter.
    pub kind: u8,
    /// The data identifier as on the wire.
    pub di: [u8; 2],
    /// The sequence number.
    pub seq: u8,
    /// The data.
    pub data: &'a [u8],
}

/// Whether a frame begins with the first byte.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [0xFE, ..] => return Probe::Wake,
        [0x68, ..] => {}
        _ => return Probe::No,
    }
    if bytes.get(7).is_some_and(|&byte| byte != 0x68) {
        return Probe::No;
    }
    if bytes.get(8).is_some_and(|control| !matches!(control & 0x7F, 0x01 | 0x04 | 0x05)) {
        return Probe::No;
    }
    let Some(&[low, high]) = bytes.get(9..HEADER) else { return Probe::Need(HEADER) };
    let len = usize::from(u16::from_le_bytes([low, high]));
    if !(FIXED..=MAX_LEN).contains(&len) {
        return Probe::No;
    }
    frame68::checked(bytes, 0, HEADER + len + 2)
}

impl<'a> LookAlike<'a> {
    /// The frame that `bytes` are, all of them and no wake-up bytes.
    ///
    /// # Errors
    ///
    /// What [`probe`] says is wrong; [`Error::Malformed`] where bytes follow; [`Error::NoFrame`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        probe(bytes).whole(bytes.len())?;
        let mut cursor = Cursor::new(bytes);
        cursor.take(1)?;
        let address = cursor.array()?;
        cursor.take(1)?;
        let control = cursor.u8()?;
        cursor.take(2)?;
        let (time, kind, di, seq) = (cursor.array()?, cursor.u8()?, cursor.array()?, cursor.u8()?);
        let data = cursor.take(cursor.len().saturating_sub(2))?;
        Ok(Self { address, control, time, kind, di, seq, data })
    }
}
