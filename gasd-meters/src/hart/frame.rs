// SPDX-License-Identifier: MIT OR Apache-2.0
//! One frame: found, checked, taken apart.

use alloc::vec::Vec;

use super::address::{Address, Master};
use super::status::Status;
use crate::crc;
use crate::error::Error;
use crate::scan::{self, Probe};

/// Bytes FF that [`probe_after_preamble`] wants: a device sends 5 at least, a modem may lose the first ones.
pub const MIN_PREAMBLE: usize = 3;

/// More are no preamble, but an idle or broken line.
const MAX_PREAMBLE: usize = 40;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// From a device in burst mode, which was not asked (BACK).
    Burst,
    /// To a device (STX).
    Request,
    /// From a device, which was asked (ACK).
    Answer,
}

/// What the delimiter says: type, bytes of the address, bytes of expansion.
fn delimiter(byte: u8) -> Option<(Type, usize, usize)> {
    let kind = match byte & 0x07 {
        1 => Type::Burst,
        2 => Type::Request,
        6 => Type::Answer,
        _ => return None,
    };
    // FSK or PSK; the other two are no physical layer.
    if byte & 0x18 > 0x08 {
        return None;
    }
    Some((kind, if byte & 0x80 != 0 { 5 } else { 1 }, usize::from(byte >> 5 & 0x03)))
}

/// Whether a frame begins with the first byte. A byte FF is one of a preamble.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    let Some(&first) = bytes.first() else { return Probe::No };
    if first == 0xFF {
        return Probe::Wake;
    }
    let Some((kind, address, expansion)) = delimiter(first) else { return Probe::No };
    // A request is not from a device in burst mode.
    if kind == Type::Request && bytes.get(1).is_some_and(|byte| byte & 0x40 != 0) {
        return Probe::No;
    }
    let head = 1 + address + expansion + 2;
    let Some(&count) = bytes.get(head - 1) else { return Probe::Need(head) };
    if kind != Type::Request && count < 2 {
        return Probe::No;
    }
    let len = head + usize::from(count) + 1;
    match bytes.get(..len) {
        None => Probe::Need(len),
        Some([body @ .., got]) if *got != crc::xor(body) => {
            let (got, want) = (u16::from(*got), u16::from(crc::xor(body)));
            Probe::Bad { len, error: Error::Checksum { got, want } }
        }
        Some(_) => Probe::Frame(len),
    }
}

/// Whether a preamble and a frame begin with the first byte; the length is of both.
///
/// For a line on which others may speak: a check of eight bits alone takes one in 256 of their bytes for a
/// frame.
#[must_use]
pub fn probe_after_preamble(bytes: &[u8]) -> Probe {
    let preamble = bytes.iter().take_while(|&&byte| byte == 0xFF).count();
    match bytes.get(preamble..) {
        _ if preamble == 0 => Probe::No,
        _ if preamble > MAX_PREAMBLE => Probe::Wake,
        None | Some([]) => Probe::Need(bytes.len().max(MIN_PREAMBLE) + 1),
        Some(_) if preamble < MIN_PREAMBLE => Probe::Wake,
        Some(frame) => match probe(frame) {
            Probe::Frame(len) => Probe::Frame(preamble + len),
            Probe::Need(n) => Probe::Need(preamble + n),
            Probe::Bad { len, error } => Probe::Bad { len: preamble + len, error },
            Probe::Wake | Probe::No => Probe::Wake,
        },
    }
}

/// The first frame in bytes after which nothing more comes, without its preamble.
///
/// # Errors
///
/// As [`scan::first`].
pub fn find(bytes: &[u8]) -> Result<&[u8], Error> {
    scan::first_frame(bytes, probe)
}

/// A frame whose check byte fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The frame as on the wire, without preamble.
    pub bytes: &'a [u8],
    /// Which way it goes.
    pub kind: Type,
    /// The device.
    pub address: Address,
    /// The master that asks or is answered.
    pub master: Master,
    /// Whether the device is in burst mode.
    pub burst: bool,
    /// Bytes of expansion, which no revision up to 7 gives a meaning.
    pub expansion: &'a [u8],
    /// The command.
    pub command: u8,
    /// What a device says of the command and of itself.
    pub status: Option<Status>,
    /// The data, without the status.
    pub data: &'a [u8],
    /// Where the data begin.
    pub(super) data_at: usize,
}

impl<'a> Frame<'a> {
    /// The frame that `bytes` are, all of them and no preamble.
    ///
    /// # Errors
    ///
    /// What [`probe`] says is wrong; [`Error::Malformed`] where bytes follow the frame;
    /// [`Error::NoFrame`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        probe(bytes).whole(bytes.len())?;
        Self::take_apart(bytes).ok_or(Error::NoFrame { garbage: bytes.len() })
    }

    fn take_apart(bytes: &'a [u8]) -> Option<Self> {
        let (kind, address_len, expansion_len) = delimiter(*bytes.first()?)?;
        let (address, rest) = bytes.get(1..)?.split_at_checked(address_len)?;
        let (address, master, burst) = Address::from_wire(address)?;
        let (expansion, rest) = rest.split_at_checked(expansion_len)?;
        let [command, _, data @ .., _] = rest else { return None };
        let head = 1 + address_len + expansion_len + 2;
        let (status, data, data_at) = match data {
            [response, device, data @ ..] if kind != Type::Request => {
                (Some(Status { response: *response, device: *device }), data, head + 2)
            }
            _ => (None, data, head),
        };
        Some(Self {
            bytes,
            kind,
            address,
            master,
            burst,
            expansion,
            command: *command,
            status,
            data,
            data_at,
        })
    }
}

/// A request of these parts, after `preamble` bytes FF.
pub(super) fn build(master: Master, address: Address, command: u8, data: &[u8], preamble: usize) -> Vec<u8> {
    let (wire, len) = address.to_wire(master, false);
    let mut bytes = Vec::with_capacity(preamble + 9 + data.len());
    bytes.resize(preamble, 0xFF);
    bytes.push(if len == 5 { 0x82 } else { 0x02 });
    bytes.extend(wire.iter().take(len));
    bytes.extend([command, data.len() as u8]);
    bytes.extend(data);
    bytes.push(crc::xor(bytes.get(preamble..).unwrap_or_default()));
    bytes
}
