// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must be remembered of a meter from one dialogue to the next, and over a restart.

use alloc::string::String;
use alloc::vec::Vec;

use super::hart::HartSelect;
use super::secure::KEYS;
use crate::bytes::Cursor;
use crate::cjt188::Order;
use crate::crc;
use crate::detect::Protocol;
use crate::error::Error;
use crate::hart::Address;
use crate::mbus::FrameCount;
use crate::modbus;

/// Of the layout of the bytes.
const VERSION: u8 = 1;

/// In place of the length of a part that there is none of.
const NO_PART: u16 = 0xFFFF;

/// What is remembered of one meter. What was remembered of a meter of another protocol counts as nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(pub(super) Kept);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Kept {
    /// Nothing. DL/T 645 needs no more.
    #[default]
    Nothing,
    /// Which byte of an identifier comes first, where the meter has shown it; the next sequence number.
    Cjt188 { order: Option<Order>, ser: u8 },
    /// The frame count bit of the meter at this primary address, while both sides are known to agree; whether its last
    /// reset stayed unanswered; the last message counters that a code vouched for, that of the last key first.
    Mbus { link: Option<(u8, FrameCount)>, silent: bool, counters: Vec<Counted> },
    /// Totals as they were read last.
    Modbus(modbus::Memory),
    /// Who was found so, and how many preambles it wants.
    Hart { select: HartSelect, address: Address, preambles: u8 },
}

/// A message counter, and four bytes that tell the key that it belongs to from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub check: [u8; 4],
    pub counter: u32,
}

impl Memory {
    /// What of it holds after a restart: all but the frame count bit of M-Bus, as nobody knows what went over the line
    /// meanwhile; the link is reset anew then, so that nothing old is read as new. And all but the lowest registers of totals.
    #[must_use]
    pub fn lasting(&self) -> Self {
        match self.0 {
            Kept::Mbus { silent, ref counters, .. } => {
                Self(Kept::Mbus { link: None, silent, counters: counters.clone() })
            }
            Kept::Modbus(ref memory) => Self(Kept::Modbus(memory.lasting())),
            _ => self.clone(),
        }
    }

    /// The protocol of the meter that it is of; `None` where nothing is remembered. (Of DL/T 645 never is.)
    #[must_use]
    pub const fn protocol(&self) -> Option<Protocol> {
        match self.0 {
            Kept::Nothing => None,
            Kept::Cjt188 { .. } => Some(Protocol::Cjt188),
            Kept::Mbus { .. } => Some(Protocol::Mbus),
            Kept::Modbus(_) => Some(Protocol::Modbus),
            Kept::Hart { .. } => Some(Protocol::Hart),
        }
    }

    /// What [`Memory::lasting`] has, as bytes to be kept: a version, what it is, and a CRC.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = [VERSION].into();
        match &self.0 {
            Kept::Nothing => bytes.push(0),
            Kept::Cjt188 { order, ser } => bytes.extend([1, order_code(*order), *ser]),
            Kept::Mbus { silent, counters, .. } => {
                bytes.extend([2, u8::from(*silent)]);
                for Counted { check, counter } in counters {
                    bytes.extend(check);
                    bytes.extend(counter.to_le_bytes());
                }
            }
            Kept::Modbus(memory) => {
                bytes.push(3);
                for part in memory.lasting().parts() {
                    // One that is longer than any is not kept: it costs a request.
                    let part = part.as_deref().filter(|part| part.len() < NO_PART.into());
                    let len = part.map_or(NO_PART, |part| part.len() as u16);
                    bytes.extend(len.to_le_bytes());
                    bytes.extend(part.unwrap_or_default());
                }
            }
            Kept::Hart { select, address, preambles } => {
                bytes.extend([4, *preambles]);
                put_address(*address, &mut bytes);
                match select {
                    HartSelect::Poll(poll) => bytes.extend([0, *poll]),
                    HartSelect::Tag(tag) => {
                        bytes.push(1);
                        bytes.extend(tag.as_bytes());
                    }
                    HartSelect::Long(address) => {
                        bytes.push(2);
                        put_address(*address, &mut bytes);
                    }
                }
            }
        }
        bytes.extend(crc::en13757(&bytes).to_le_bytes());
        bytes
    }

    /// What the bytes say; `None` where they are damaged, or of a version that is not known: then begin with nothing.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<2>()?;
        let mut cursor = Cursor::new(body);
        if crc::en13757(body) != u16::from_le_bytes(*sum) || cursor.u8().ok()? != VERSION {
            return None;
        }
        let kept = take(&mut cursor).ok()??;
        cursor.is_empty().then_some(Self(kept))
    }
}

/// `None`: of something that is not known.
fn take(cursor: &mut Cursor<'_>) -> Result<Option<Kept>, Error> {
    Ok(Some(match cursor.u8()? {
        0 => Kept::Nothing,
        1 => match (order(cursor.u8()?), cursor.u8()?) {
            (Some(order), ser) => Kept::Cjt188 { order, ser },
            (None, _) => return Ok(None),
        },
        2 => match cursor.u8()? {
            silent @ (0 | 1) => {
                let mut counters = Vec::new();
                while !cursor.is_empty() && counters.len() < KEYS {
                    counters.push(Counted { check: cursor.array()?, counter: cursor.u32_le()? });
                }
                Kept::Mbus { link: None, silent: silent == 1, counters }
            }
            _ => return Ok(None),
        },
        3 => {
            let mut parts = Vec::new();
            while !cursor.is_empty() {
                parts.push(match cursor.u16_le()? {
                    NO_PART => None,
                    len => Some(cursor.take(len.into())?.to_vec()),
                });
            }
            Kept::Modbus(modbus::Memory::from_parts(parts).lasting())
        }
        4 => {
            let preambles = cursor.u8()?;
            let Some(address) = take_address(cursor)? else { return Ok(None) };
            let select = match cursor.u8()? {
                0 => HartSelect::Poll(cursor.u8()?),
                1 => match core::str::from_utf8(cursor.take_rest()) {
                    Ok(tag) => HartSelect::Tag(String::from(tag)),
                    Err(_) => return Ok(None),
                },
                2 => match take_address(cursor)? {
                    Some(address) => HartSelect::Long(address),
                    None => return Ok(None),
                },
                _ => return Ok(None),
            };
            Kept::Hart { select, address, preambles }
        }
        _ => return Ok(None),
    }))
}

fn put_address(address: Address, bytes: &mut Vec<u8>) {
    match address {
        Address::Polling(poll) => bytes.extend([0, poll]),
        Address::Unique { kind, id } => {
            bytes.push(1);
            bytes.extend(kind.to_le_bytes());
            bytes.extend(id);
        }
    }
}

fn take_address(cursor: &mut Cursor<'_>) -> Result<Option<Address>, Error> {
    Ok(Some(match cursor.u8()? {
        0 => Address::Polling(cursor.u8()?),
        1 => Address::Unique { kind: cursor.u16_le()?, id: cursor.array()? },
        _ => return Ok(None),
    }))
}

const fn order_code(order: Option<Order>) -> u8 {
    match order {
        None => 0,
        Some(Order::HighFirst) => 1,
        Some(Order::LowFirst) => 2,
    }
}

const fn order(code: u8) -> Option<Option<Order>> {
    match code {
        0 => Some(None),
        1 => Some(Some(Order::HighFirst)),
        2 => Some(Some(Order::LowFirst)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
