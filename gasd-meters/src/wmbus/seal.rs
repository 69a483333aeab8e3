// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes telegrams as meters send them: for tests, for simulated meters, and for whoever wants to see
//! what a key does.

use alloc::vec::Vec;

use super::afl;
use super::compact;
use super::ell;
use super::key::{BLOCK, Key, Purpose};
use super::open::initial;
use super::telegram::{Format, Telegram};
use crate::crc;
use crate::error::EncodeError;
use crate::mbus::Address;

/// How a telegram is protected.
#[derive(Clone, Copy)]
pub enum Lock<'a> {
    /// Not at all.
    Open,
    /// By the extended link layer, with this session number (29 bits).
    LinkLayer(&'a Key, u32),
    /// Mode 5.
    Mode5(&'a Key),
    /// Mode 7 with a MAC; the message counter has to rise.
    Mode7(&'a Key, u32),
}

/// A telegram to be made.
#[derive(Clone, Copy)]
pub struct Seal<'a> {
    /// The meter.
    pub meter: Address,
    /// The radio that speaks for it, where that is another one.
    pub sender: Option<Address>,
    /// Access number.
    pub access: u8,
    /// Status.
    pub status: u8,
    /// How it is protected.
    pub lock: Lock<'a>,
    /// The records; the last `clear` bytes of them stay plain (modes 5 and 7).
    pub records: &'a [u8],
    /// See `records`.
    pub clear: usize,
}

/// The CI fields of a kind of telegram: with a long header, a short one and none.
#[derive(Clone, Copy)]
struct Kind {
    long: u8,
    short: u8,
    none: u8,
}

const FULL: Kind = Kind { long: 0x72, short: 0x7A, none: 0x78 };
const COMPACT: Kind = Kind { long: 0x73, short: 0x7B, none: 0x79 };

impl Seal<'_> {
    /// The telegram.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] of more than 15 blocks or 255 bytes.
    pub fn telegram(&self) -> Result<Telegram, EncodeError> {
        self.seal(FULL)
    }

    /// The compact telegram of these records: it is understood after a full one.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`]; [`EncodeError::OutOfRange`] of what are no records, and of modes 5 and 7, whose fillers
    /// have no place in a compact frame.
    pub fn compact(&self) -> Result<Telegram, EncodeError> {
        if matches!(self.lock, Lock::Mode5(_) | Lock::Mode7(..)) {
            return Err(EncodeError::OutOfRange { what: "security mode of a compact frame" });
        }
        let records = compact::shorten(self.records).ok_or(EncodeError::OutOfRange { what: "record" })?;
        Seal { records: &records, ..*self }.seal(COMPACT)
    }

    fn seal(&self, kind: Kind) -> Result<Telegram, EncodeError> {
        let sender = self.sender.unwrap_or(self.meter);
        let mut bytes = Vec::from([0, 0x44]);
        bytes.extend(sender.to_radio());
        bytes.extend(self.body(&sender, kind)?);
        let length = u8::try_from(bytes.len() - 1).map_err(|_| EncodeError::TooLong { most: 255 })?;
        if let Some(first) = bytes.first_mut() {
            *first = length;
        }
        Ok(Telegram { format: Format::Plain, control: 0x44, sender, bytes })
    }

    fn body(&self, sender: &Address, kind: Kind) -> Result<Vec<u8>, EncodeError> {
        match self.lock {
            Lock::Open => {
                let mut out = self.header(kind, 0, 0);
                out.extend(self.records);
                Ok(out)
            }
            Lock::LinkLayer(key, session) => {
                let control = 0x20;
                let session = (session & 0x1FFF_FFFF | 1 << 29).to_le_bytes();
                let mut inner = Vec::from([kind.none]);
                inner.extend(self.records);
                let mut payload = Vec::from(crc::en13757(&inner).to_le_bytes());
                payload.extend(inner);
                key.ctr(ell::initial(sender, control, session), &mut payload);
                let mut out = Vec::from([0x8D, control, self.access]);
                out.extend(session);
                out.extend(payload);
                Ok(out)
            }
            Lock::Mode5(key) => {
                let (mut payload, blocks) = self.padded()?;
                let encrypted = payload.get_mut(..blocks * BLOCK).unwrap_or_default();
                key.cbc_encrypt(initial(&self.meter, self.access), encrypted);
                let mut out = self.header(kind, 5, blocks);
                out.extend(payload);
                Ok(out)
            }
            Lock::Mode7(key, counter) => {
                let (mut payload, blocks) = self.padded()?;
                let encrypted = payload.get_mut(..blocks * BLOCK).unwrap_or_default();
                key.derive(Purpose::Encryption, counter, self.meter.id).cbc_encrypt([0; BLOCK], encrypted);
                let mut message = self.header(kind, 7, blocks);
                // Key derivation function A, the key with number 0.
                message.push(0x10);
                message.extend(payload);
                let mut out = afl::seal(key, self.meter.id, counter, &message);
                out.extend(message);
                Ok(out)
            }
        }
    }

    /// The header: a long one where the sender is not the meter.
    fn header(&self, kind: Kind, mode: u16, blocks: usize) -> Vec<u8> {
        let mut out = Vec::new();
        match self.sender {
            Some(_) => {
                out.push(kind.long);
                out.extend(self.meter.to_wire());
            }
            None => out.push(kind.short),
        }
        out.extend([self.access, self.status]);
        out.extend((mode << 8 | (blocks as u16) << 4).to_le_bytes());
        out
    }

    /// The check bytes, the records, fillers up to a whole block, what stays plain; and how many blocks.
    fn padded(&self) -> Result<(Vec<u8>, usize), EncodeError> {
        let (secret, clear) = self.records.split_at(self.records.len() - self.clear.min(self.records.len()));
        let mut out = Vec::from([0x2F, 0x2F]);
        out.extend(secret);
        let blocks = out.len().div_ceil(BLOCK);
        if blocks > 15 {
            return Err(EncodeError::TooLong { most: 15 * BLOCK - 2 });
        }
        out.resize(blocks * BLOCK, 0x2F);
        out.extend(clear);
        Ok((out, blocks))
    }
}
