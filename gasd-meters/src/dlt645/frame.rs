// SPDX-License-Identifier: MIT OR Apache-2.0
//! One frame: found, checked, taken apart.

use alloc::vec::Vec;

use super::address::Address;
use crate::crc;
use crate::error::Error;
use crate::frame68;
use crate::scan::{self, Probe};

/// Most data bytes of a frame (2007; 1997 the same).
pub const MAX_DATA: usize = 200;

/// What is added to each data byte on the wire.
pub(super) const OFFSET: u8 = 0x33;

/// Bytes before the data.
pub(super) const HEADER: usize = 10;

/// Which edition of the standard a meter speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standard {
    /// DL/T 645-1997: two-byte data identifiers.
    V1997,
    /// DL/T 645-2007: four-byte data identifiers.
    V2007,
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
    let Some(&data) = bytes.get(9) else { return Probe::Need(HEADER) };
    if usize::from(data) > MAX_DATA {
        return Probe::No;
    }
    frame68::checked(bytes, 0, HEADER + usize::from(data) + 2)
}

/// The first frame in bytes after which nothing more comes.
///
/// # Errors
///
/// As [`scan::first`].
pub fn find(bytes: &[u8]) -> Result<&[u8], Error> {
    scan::first_frame(bytes, probe)
}

/// A frame whose checksum fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The frame as on the wire.
    pub bytes: &'a [u8],
    /// Whose it is.
    pub address: Address,
    /// The control byte.
    pub control: u8,
    /// The data without the 33H that is added on the wire.
    pub data: Vec<u8>,
}

impl<'a> Frame<'a> {
    /// The frame that `bytes` are, all of them and no wake-up bytes.
    ///
    /// # Errors
    ///
    /// What [`probe`] says is wrong; [`Error::Malformed`] where bytes follow the frame;
    /// [`Error::NoFrame`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        probe(bytes).whole(bytes.len())?;
        match bytes {
            [0x68, a0, a1, a2, a3, a4, a5, 0x68, control, _, data @ .., _, 0x16] => Ok(Self {
                bytes,
                address: Address([*a0, *a1, *a2, *a3, *a4, *a5]),
                control: *control,
                data: data.iter().map(|byte| byte.wrapping_sub(OFFSET)).collect(),
            }),
            _ => Err(Error::NoFrame { garbage: bytes.len() }),
        }
    }

    /// Whether a meter sent it.
    #[must_use]
    pub const fn from_meter(&self) -> bool {
        self.control & 0x80 != 0
    }

    /// Whether it is a refusal.
    #[must_use]
    pub const fn abnormal(&self) -> bool {
        self.control & 0x40 != 0
    }

    /// Whether more data follow in another frame.
    #[must_use]
    pub const fn more(&self) -> bool {
        self.control & 0x20 != 0
    }

    /// The function, 00–1FH.
    #[must_use]
    pub const fn function(&self) -> u8 {
        self.control & 0x1F
    }

    /// The edition that has this function; `None` where both have, or none.
    #[must_use]
    pub const fn standard(&self) -> Option<Standard> {
        match self.function() {
            0x01 | 0x02 | 0x04 | 0x0A | 0x0C | 0x0F | 0x10 => Some(Standard::V1997),
            0x11..=0x1D => Some(Standard::V2007),
            _ => None,
        }
    }
}

/// A frame of these parts, after `wake` bytes FE.
pub(super) fn build(address: Address, control: u8, data: &[u8], wake: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(wake + HEADER + data.len() + 2);
    bytes.resize(wake, 0xFE);
    bytes.push(0x68);
    bytes.extend(address.0);
    bytes.extend([0x68, control, data.len() as u8]);
    bytes.extend(data.iter().map(|byte| byte.wrapping_add(OFFSET)));
    bytes.push(crc::sum(bytes.get(wake..).unwrap_or_default()));
    bytes.push(0x16);
    bytes
}
