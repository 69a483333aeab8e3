// SPDX-License-Identifier: MIT OR Apache-2.0
//! One frame: found, checked, taken apart.

use alloc::vec::Vec;

use super::address::Address;
use crate::crc;
use crate::error::Error;
use crate::frame68;
use crate::medium::Medium;
use crate::scan::{self, Probe};

/// Most data bytes of a frame that is taken. The standard has 100; more than twice that is noise.
pub const MAX_DATA: usize = 200;

/// Bytes before the data.
pub(super) const HEADER: usize = 11;

/// The type that stands for any.
pub(super) const ANY_TYPE: u8 = 0xAA;

/// Whether a frame begins with the first byte.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [0xFE, ..] => return Probe::Wake,
        [0x68] => return Probe::Need(HEADER),
        [0x68, 0x10..=0x49 | ANY_TYPE, ..] => {}
        _ => return Probe::No,
    }
    // Read, write and key version; addresses and the base reading; makers' own for valves (2A).
    if bytes
        .get(9)
        .is_some_and(|control| !matches!(control & 0x1F, 0x01 | 0x03 | 0x04 | 0x09 | 0x0A | 0x15 | 0x16))
    {
        return Probe::No;
    }
    let Some(&data) = bytes.get(10) else { return Probe::Need(HEADER) };
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The frame as on the wire.
    pub bytes: &'a [u8],
    /// The type of the meter, `T`.
    pub kind: u8,
    /// Whose it is.
    pub address: Address,
    /// The control byte.
    pub control: u8,
    /// The data, from the data identifier on.
    pub data: &'a [u8],
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
            [0x68, kind, a0, a1, a2, a3, a4, a5, a6, control, _, data @ .., _, 0x16] => Ok(Self {
                bytes,
                kind: *kind,
                address: Address([*a0, *a1, *a2, *a3, *a4, *a5, *a6]),
                control: *control,
                data,
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

    /// The function, 00–3FH; makers' own have 20H in it, but in an answer with data it is [`Frame::follows`].
    #[must_use]
    pub const fn function(&self) -> u8 {
        match self.control & 0x3F {
            function @ (0x21 | 0x23 | 0x29) if self.from_meter() => function & 0x1F,
            function => function,
        }
    }

    /// Whether a meter's answer with data has the bit (D5) with which some makers say that more follows. The standard
    /// leaves it to them, and has no request for what follows.
    #[must_use]
    pub const fn follows(&self) -> bool {
        self.from_meter() && !self.abnormal() && matches!(self.control & 0x3F, 0x21 | 0x23 | 0x29)
    }
}

/// What a meter of type `kind` meters.
#[must_use]
pub const fn medium(kind: u8) -> Medium {
    match kind {
        0x11 => Medium::HotWater,
        0x12 => Medium::DrinkingWater,
        0x13 => Medium::ReclaimedWater,
        0x10..=0x19 => Medium::Water,
        0x21 => Medium::Cooling,
        0x22 => Medium::HeatCooling,
        0x20..=0x29 => Medium::Heat,
        0x30..=0x39 => Medium::Gas,
        ANY_TYPE => Medium::Unknown,
        other => Medium::Other(other),
    }
}

/// A frame of these parts, after `wake` bytes FE.
pub(super) fn build(kind: u8, address: Address, control: u8, data: &[u8], wake: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(wake + HEADER + data.len() + 2);
    bytes.resize(wake, 0xFE);
    bytes.extend([0x68, kind]);
    bytes.extend(address.0);
    bytes.extend([control, data.len() as u8]);
    bytes.extend(data);
    bytes.push(crc::sum(bytes.get(wake..).unwrap_or_default()));
    bytes.push(0x16);
    bytes
}
