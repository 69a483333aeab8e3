// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a meter must survive a restart: the formats of its compact frames, and its message counter.
//!
//! Of each key by itself, that of now first: a key file that is wrong for a while must not make old telegrams new.
//!
//! ```text
//! version | sections
//! section: check 4 | count 2, formats | count 2, seen
//! format: manufacturer 2, version, medium, signature 2, length 2, heads
//! seen: address 8, access, hash 8, time 8, counter
//! ```

use gasd_meters::bytes::Cursor;
use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{CompactFormat, Key, Lock, Receiver, Seal, Seen};

use super::super::blob::{self, NotRestored};

const VERSION: u8 = 1;

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

/// What is known with one key.
pub(super) struct Section {
    /// Which key: [`check`].
    pub check: [u8; 4],
    pub formats: Vec<CompactFormat>,
    pub seen: Vec<Seen>,
}

impl Section {
    /// Into what is known with the same key.
    pub fn give(self, receiver: &mut Receiver, now_s: u64) {
        receiver.formats.take_in(self.formats);
        receiver.replay.take_in(now_s, self.seen);
    }
}

/// What is to be kept, of the key of now and of others; nothing while there is nothing.
pub(super) fn write<'a>(known: impl IntoIterator<Item = ([u8; 4], &'a Receiver)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (check, receiver) in known {
        if receiver.formats.all().is_empty() && receiver.replay.all().is_empty() {
            continue;
        }
        if out.is_empty() {
            out.push(VERSION);
        }
        put(&mut out, check, receiver);
    }
    out
}

fn put(out: &mut Vec<u8>, check: [u8; 4], receiver: &Receiver) {
    let (formats, seen) = (receiver.formats.all(), receiver.replay.all());
    out.extend(check);
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

/// Reads what [`write`] wrote.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Section>, NotRestored> {
    let Some(mut cursor) = blob::open(bytes, VERSION)? else { return Ok(Vec::new()) };
    let mut sections = vec![section(&mut cursor)?];
    while !cursor.is_empty() {
        sections.push(section(&mut cursor)?);
    }
    Ok(sections)
}

fn section(cursor: &mut Cursor<'_>) -> Result<Section, NotRestored> {
    let check = cursor.array()?;
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
    Ok(Section { check, formats, seen: all })
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
