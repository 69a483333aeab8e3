// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a device must survive a restart: counters, the numbers that it has joined with, the keys of its session.
//!
//! ```text
//! version | kind | check 8 | ABP:  address 4, up, down 4, last
//!                          | OTAA: join nonce 4, count 4, nonces 2 each, session, session
//! session: 0, or 1, address 4, LoRaWAN 1.x, keys 16 each, up, down 4, last
//! last: 0, or 1, answers 1, gateway 8, its clock, count 1, commands, count 2, the frame that wants an answer as it came
//! ```
//!
//! Version 1 has no `last`.

use gasd_meters::bytes::Cursor;
use gasd_meters::lorawan::{Counter, Key, Keys};

use super::super::blob::{self, NotRestored};
use super::device::{Last, Live, Member, Way};
use crate::Kept;

const VERSION: u8 = 2;
/// What is read, too.
const WITHOUT_LAST: u8 = 1;
/// No frame is longer.
const MOST: usize = 255;

const PERSONAL: u8 = 0;
const OVER_THE_AIR: u8 = 1;

/// What is to be kept. It holds keys of the session where the device has joined.
pub(super) fn write(member: &Member) -> Kept {
    // With room for all of it, so that no half of a key is left where it was moved from.
    let last: usize =
        member.sessions().filter_map(wants).map(|last| last.frame.len() + last.options.len()).sum();
    let room = 320 + 2 * member.dev_nonces.len() + last;
    let mut out = Vec::with_capacity(room);
    out.push(VERSION);
    match (&member.way, &member.live) {
        (Way::Personal, Some(live)) => {
            out.push(PERSONAL);
            out.extend(member.check);
            out.extend(live.session.dev_addr.to_le_bytes());
            blob::put_option(&mut out, live.session.up.last());
            out.extend(live.down.to_le_bytes());
            put_last(&mut out, wants(live));
        }
        (Way::Personal, None) => return Kept::default(),
        (Way::OverTheAir { .. }, _) => {
            out.push(OVER_THE_AIR);
            out.extend(member.check);
            out.extend(member.join_nonce.to_le_bytes());
            // There are 65536 of them at most.
            out.extend((member.dev_nonces.len() as u32).to_le_bytes());
            for nonce in &member.dev_nonces {
                out.extend(nonce.to_le_bytes());
            }
            put_session(&mut out, member.live.as_ref());
            put_session(&mut out, member.next.as_ref());
        }
    }
    debug_assert!(out.len() <= room, "it was moved");
    out.into()
}

fn put_session(out: &mut Vec<u8>, live: Option<&Live>) {
    out.push(live.is_some().into());
    let Some(live) = live else { return };
    out.extend(live.session.dev_addr.to_le_bytes());
    match &live.session.keys {
        Keys::V1_0 { network, application } => {
            out.push(0);
            out.extend(network.expose());
            put_key(out, application.as_ref());
        }
        Keys::V1_1 { forwarding, serving, encryption, application } => {
            out.push(1);
            for key in [forwarding, serving, encryption] {
                out.extend(key.expose());
            }
            put_key(out, application.as_ref());
        }
    }
    blob::put_option(out, live.session.up.last());
    out.extend(live.down.to_le_bytes());
    put_last(out, wants(live));
}

/// The last frame, where the device may send it again for an answer.
fn wants(live: &Live) -> Option<&Last> {
    live.last
        .as_ref()
        .filter(|last| last.wants_answer && last.frame.len() <= MOST && last.options.len() <= MOST)
}

fn put_last(out: &mut Vec<u8>, last: Option<&Last>) {
    out.push(last.is_some().into());
    let Some(last) = last else { return };
    out.push(last.answered);
    out.extend(last.gateway.to_le_bytes());
    blob::put_option(out, last.timestamp_us);
    for bytes in [&last.options, &last.frame] {
        out.push(bytes.len() as u8);
        out.extend(bytes);
    }
}

fn put_key(out: &mut Vec<u8>, key: Option<&Key>) {
    out.push(key.is_some().into());
    if let Some(key) = key {
        out.extend(key.expose());
    }
}

/// Takes back what [`write`] wrote. Of bytes that are refused nothing is taken.
pub(super) fn read(member: &mut Member, bytes: &[u8], now_ns: u64) -> Result<(), NotRestored> {
    let has_last = bytes.first() != Some(&WITHOUT_LAST);
    let version = if has_last { VERSION } else { WITHOUT_LAST };
    let Some(mut cursor) = blob::open(bytes, version)? else { return Ok(()) };
    let at_ns = has_last.then_some(now_ns);
    let (kind, check) = (cursor.u8()?, cursor.array::<8>()?);
    match (kind, &member.way) {
        (PERSONAL, Way::Personal) | (OVER_THE_AIR, Way::OverTheAir { .. }) if check == member.check => {}
        (PERSONAL, Way::Personal) | (OVER_THE_AIR, Way::OverTheAir { .. }) => {
            return Err(NotRestored::OtherKey);
        }
        (PERSONAL | OVER_THE_AIR, _) => return Err(NotRestored::OtherMeter),
        _ => return Err(NotRestored::Damaged),
    }
    if kind == PERSONAL {
        let dev_addr = cursor.u32_le()?;
        let (up, down) = (counter(&mut cursor)?, cursor.u32_le()?);
        let last = last(&mut cursor, at_ns)?;
        blob::close(&cursor)?;
        let Some(live) = &mut member.live else { return Err(NotRestored::OtherMeter) };
        if live.session.dev_addr != dev_addr {
            return Err(NotRestored::OtherMeter);
        }
        (live.session.up, live.down, live.last) = (up.without_joins(), down, last);
        return Ok(());
    }
    let join_nonce = cursor.u32_le()?;
    let count = cursor.u32_le()? as usize;
    let nonces = count.checked_mul(2).ok_or(NotRestored::Damaged)?;
    let nonces = cursor.take(nonces)?;
    let (live, next) = (session(&mut cursor, at_ns)?, session(&mut cursor, at_ns)?);
    blob::close(&cursor)?;
    let (nonces, _) = nonces.as_chunks::<2>();
    member.dev_nonces = nonces.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
    (member.join_nonce, member.live, member.next) = (join_nonce, live, next);
    Ok(())
}

fn session(cursor: &mut Cursor<'_>, at_ns: Option<u64>) -> Result<Option<Live>, NotRestored> {
    match cursor.u8()? {
        0 => return Ok(None),
        1 => {}
        _ => return Err(NotRestored::Damaged),
    }
    let dev_addr = cursor.u32_le()?;
    let keys = match cursor.u8()? {
        0 => Keys::V1_0 { network: key(cursor)?, application: some_key(cursor)? },
        1 => Keys::V1_1 {
            forwarding: key(cursor)?,
            serving: key(cursor)?,
            encryption: key(cursor)?,
            application: some_key(cursor)?,
        },
        _ => return Err(NotRestored::Damaged),
    };
    let mut live = Live::new(dev_addr, keys);
    (live.session.up, live.down) = (counter(cursor)?, cursor.u32_le()?);
    live.last = last(cursor, at_ns)?;
    Ok(Some(live))
}

/// The last frame, where it was kept: as if it had come `at_ns`.
fn last(cursor: &mut Cursor<'_>, at_ns: Option<u64>) -> Result<Option<Last>, NotRestored> {
    let Some(at_ns) = at_ns else { return Ok(None) };
    match cursor.u8()? {
        0 => return Ok(None),
        1 => {}
        _ => return Err(NotRestored::Damaged),
    }
    let answered = cursor.u8()?;
    let (gateway, timestamp_us) = (u64::from_le_bytes(cursor.array()?), blob::take_option(cursor)?);
    let [options, frame] = [some_bytes(cursor)?, some_bytes(cursor)?];
    Ok(Some(Last {
        frame,
        at_ns,
        is_told: false,
        gateway,
        timestamp_us,
        wants_answer: true,
        answered,
        options,
    }))
}

fn some_bytes(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, NotRestored> {
    let count = cursor.u8()?;
    Ok(cursor.take(count.into())?.to_vec())
}

fn key(cursor: &mut Cursor<'_>) -> Result<Key, NotRestored> {
    Key::from_slice(cursor.take(16)?).ok_or(NotRestored::Damaged)
}

fn some_key(cursor: &mut Cursor<'_>) -> Result<Option<Key>, NotRestored> {
    match cursor.u8()? {
        0 => Ok(None),
        1 => key(cursor).map(Some),
        _ => Err(NotRestored::Damaged),
    }
}

fn counter(cursor: &mut Cursor<'_>) -> Result<Counter, NotRestored> {
    Ok(blob::take_option(cursor)?.map_or(Counter::new(), Counter::after))
}
