// SPDX-License-Identifier: MIT OR Apache-2.0
//! The extended link layer (EN 13757-4): access number, and encryption of some meters.

use alloc::vec::Vec;

use super::Access;
use super::key::BLOCK;
use crate::bytes::Cursor;
use crate::crc;
use crate::error::Error;
use crate::mbus::Address;
use crate::trace::Trace;

/// Bits of the communication control that a repeater sets on the way (hop count, repeated access): they
/// are 0 in what the meter enciphered with. The first alone, and both.
const MASKS: [u8; 2] = [0x10, 0x12];

/// What the layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ell {
    /// Counts the transmissions, modulo 256.
    pub access: u8,
    /// Whether the rest was encrypted here.
    pub encrypted: bool,
}

/// Whether this CI field begins such a layer.
pub(super) const fn is(ci: u8) -> bool {
    matches!(ci, 0x8C..=0x8F)
}

/// How many bytes an extended link layer takes that begins with this CI field, with the CRC of what is behind it where it has a
/// session; `None` where none begins.
#[must_use]
pub const fn link_layer_length(ci: u8) -> Option<usize> {
    match ci {
        0x8C => Some(3),
        0x8D => Some(9),
        0x8E => Some(11),
        0x8F => Some(17),
        _ => None,
    }
}

/// Takes the layer; the bytes behind it, which are deciphered where they were not plain.
///
/// `sender` is the address of the link layer, which the initial counter is made of.
pub(super) fn take(
    cursor: &mut Cursor<'_>,
    sender: &Address,
    access: &Access<'_>,
    trace: &mut impl Trace,
) -> Result<(Ell, usize, Vec<u8>), Error> {
    let at = cursor.at();
    let ci = cursor.u8()?;
    trace.field(at, &[ci], format_args!("CI"), format_args!("extended link layer"));
    let [control, number] = cursor.array()?;
    trace.field(at + 1, &[control], format_args!("communication"), format_args!("{control:02X}"));
    trace.field(at + 2, &[number], format_args!("access number"), format_args!("{number}"));
    if matches!(ci, 0x8E | 0x8F) {
        let at = cursor.at();
        let address = Address::take_radio(cursor)?;
        trace.field(at, &address.to_radio(), format_args!("to"), format_args!("{address}"));
    }
    if matches!(ci, 0x8C | 0x8E) {
        let (at, rest) = (cursor.at(), cursor.take_rest());
        return Ok((Ell { access: number, encrypted: false }, at, rest.into()));
    }
    let at = cursor.at();
    let session: [u8; 4] = cursor.array()?;
    let mode = session[3] >> 5;
    trace.field(at, &session, format_args!("session"), format_args!("mode {mode}"));
    let at = cursor.at();
    let mut rest: Vec<u8> = cursor.take_rest().into();
    let encrypted = match mode {
        0 => false,
        1 if access.plain && checked(&rest).is_ok() => false,
        1 => {
            let key = access.key.ok_or(Error::KeyMissing)?;
            let masked = MASKS.map(|mask| control & !mask);
            let opens = |control: u8| {
                let mut rest = rest.clone();
                key.ctr(initial(sender, control, session), &mut rest);
                checked(&rest).is_ok().then_some(rest)
            };
            // The CRCs of the frame are right: what is wrong is what it was deciphered with.
            rest = masked.into_iter().find_map(opens).ok_or(Error::WrongKey)?;
            true
        }
        mode => return Err(Error::UnsupportedMode { mode }),
    };
    match checked(&rest) {
        Ok(crc) => {
            trace.field(at, &crc, format_args!("CRC of the payload"), format_args!("right"));
            rest.drain(..2);
            Ok((Ell { access: number, encrypted }, at + 2, rest))
        }
        Err(error) => Err(error),
    }
}

/// The CRC in front of the payload, where it fits.
fn checked(rest: &[u8]) -> Result<[u8; 2], Error> {
    let (crc, payload) = rest.split_first_chunk().ok_or(Error::Truncated { need: 2 })?;
    let (got, want) = (u16::from_le_bytes(*crc), crc::en13757(payload));
    if got == want { Ok(*crc) } else { Err(Error::Checksum { got, want }) }
}

/// The initial counter: address, communication control, session number, number of the frame (0) and of
/// the block (0).
pub(super) fn initial(sender: &Address, control: u8, session: [u8; 4]) -> [u8; BLOCK] {
    let ([a, b, c, d, e, f, g, h], [s0, s1, s2, s3]) = (sender.to_radio(), session);
    [a, b, c, d, e, f, g, h, control, s0, s1, s2, s3, 0, 0, 0]
}
