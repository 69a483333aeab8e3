// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a meter must survive a restart: the formats of its compact frames, its message counter, and which meter it
//! is where only its number is configured.
//!
//! Of each key by itself, that of now first: a key file that is wrong for a while must not make old telegrams new.
//!
//! ```text
//! version | sections
//! section: check 4 | 0, or 1, selection 8, address 8 | count 2, formats | count 2, seen
//! format: manufacturer 2, version, medium, signature 2, length 2, heads
//! seen: address 8, access, hash 8, time 8, counter
//! ```
//!
//! Version 1 has no address of its own in a section.

use gasd_meters::bytes::Cursor;
use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{CompactFormat, Key, Lock, Receiver, Seal, Seen};

use super::super::blob::{self, NotRestored};

const VERSION: u8 = 2;
/// Before a meter's address was kept.
const WITHOUT_ADDRESS: u8 = 1;

/// What is known of a meter with one key.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub receiver: Receiver,
    pub pinned: Option<Pin>,
}

/// Which meter it is, where what is configured stands for several.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Pin {
    /// What was configured: for anything else this says nothing.
    pub selection: Address,
    /// The address that was read first.
    pub meter: Address,
}

/// Four bytes by which a key is told from another, and from which it cannot be found: the end of a telegram that no
/// meter sends.
pub(super) fn check(key: Option<&Key>) -> [u8; 4] {
    let seal = |key| Seal {
        meter: Address::ANY,
        sender: None,
        access: 0,
        status: 0,
        lock: Lock::Mode5(key),
        records: &[],
        clear: 0,
    };
    let telegram = key.and_then(|key| seal(key).telegram().ok());
    telegram.and_then(|telegram| telegram.bytes.last_chunk().copied()).unwrap_or_default()
}

/// What was kept with one key.
pub(super) struct Section {
    /// Which key: [`check`].
    pub check: [u8; 4],
    pub pinned: Option<Pin>,
    pub formats: Vec<CompactFormat>,
    pub seen: Vec<Seen>,
}

impl Section {
    /// Into what is known with the same key of the meter that is configured as `selection`.
    pub fn give(self, known: &mut Known, selection: &Address, now_s: u64) {
        known.receiver.formats.take_in(self.formats);
        known.receiver.replay.take_in(now_s, self.seen);
        if known.pinned.is_none_or(|pin| pin.selection != *selection) {
            known.pinned = self.pinned.or(known.pinned);
        }
    }
}

/// What is to be kept, of the key of now and of others; nothing while there is nothing.
pub(super) fn write<'a>(all: impl IntoIterator<Item = ([u8; 4], &'a Known)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (check, known) in all {
        let (formats, seen) = (known.receiver.formats.all(), known.receiver.replay.all());
        if formats.is_empty() && seen.is_empty() && known.pinned.is_none() {
            continue;
        }
        if out.is_empty() {
            out.push(VERSION);
        }
        put(&mut out, check, known);
    }
    out
}

fn put(out: &mut Vec<u8>, check: [u8; 4], known: &Known) {
    let (formats, seen) = (known.receiver.formats.all(), known.receiver.replay.all());
    out.extend(check);
    out.push(known.pinned.is_some().into());
    out.extend(known.pinned.iter().flat_map(|pin| [pin.selection.to_wire(), pin.meter.to_wire()]).flatten());
    // There are 64 and 1024 at most.
    out.extend((formats.len() as u16).to_le_bytes());
    for format in formats {
        out.extend(format.manufacturer.to_le_bytes());
        out.extend([format.version, format.medium]);
        out.extend(format.signature.to_le_bytes());
        // A telegram has 255 bytes, a message of several 4096.
        out.extend((format.heads.len() as u16).to_le_bytes());
        out.extend(&format.heads);
    }
    out.extend((seen.len() as u16).to_le_bytes());
    for seen in seen {
        out.extend(seen.meter.to_wire());
        out.push(seen.access);
        out.extend(seen.hash.to_le_bytes());
        out.extend(seen.at_s.to_le_bytes());
        blob::put_option(out, seen.counter);
    }
}

/// Reads what [`write`] wrote, in this version or the one before.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Section>, NotRestored> {
    let version = if bytes.first() == Some(&WITHOUT_ADDRESS) { WITHOUT_ADDRESS } else { VERSION };
    let Some(mut cursor) = blob::open(bytes, version)? else { return Ok(Vec::new()) };
    let mut sections = vec![section(&mut cursor, version)?];
    while !cursor.is_empty() {
        sections.push(section(&mut cursor, version)?);
    }
    Ok(sections)
}

fn section(cursor: &mut Cursor<'_>, version: u8) -> Result<Section, NotRestored> {
    let check = cursor.array()?;
    let pinned = match version {
        WITHOUT_ADDRESS => None,
        _ => match cursor.u8()? {
            0 => None,
            1 => Some(Pin { selection: address(cursor.array()?), meter: address(cursor.array()?) }),
            _ => return Err(NotRestored::Damaged),
        },
    };
    let (mut formats, mut all) = (Vec::new(), Vec::new());
    for _ in 0..cursor.u16_le()? {
        let manufacturer = cursor.u16_le()?;
        let (version, medium) = (cursor.u8()?, cursor.u8()?);
        let (signature, len) = (cursor.u16_le()?, cursor.u16_le()?);
        let heads = cursor.take(len.into())?.to_vec();
        formats.push(CompactFormat { manufacturer, version, medium, signature, heads });
    }
    for _ in 0..cursor.u16_le()? {
        all.push(seen(cursor)?);
    }
    Ok(Section { check, pinned, formats, seen: all })
}

fn seen(cursor: &mut Cursor<'_>) -> Result<Seen, NotRestored> {
    let meter = address(cursor.array()?);
    let access = cursor.u8()?;
    let (hash, at_s) = (u64::from_le_bytes(cursor.array()?), u64::from_le_bytes(cursor.array()?));
    Ok(Seen { meter, access, hash, at_s, counter: blob::take_option(cursor)? })
}

/// In the order of the wire: number, manufacturer, version, medium.
pub(super) const fn address([a, b, c, d, m0, m1, version, medium]: [u8; 8]) -> Address {
    Address { id: [a, b, c, d], manufacturer: u16::from_le_bytes([m0, m1]), version, medium }
}
