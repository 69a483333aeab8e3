// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a device must survive a restart: counters, the numbers that it has joined with, the keys of its session.
//!
//! ```text
//! version | kind | check 8 | ABP:  address 4, up, down 4
//!                          | OTAA: join nonce 4, count 4, nonces 2 each, session, session
//! session: 0, or 1, address 4, LoRaWAN 1.x, keys 16 each, up, down 4
//! ```

use gasd_meters::bytes::Cursor;
use gasd_meters::lorawan::{Counter, Key, Keys};

use super::super::blob::{self, NotRestored};
use super::device::{Live, Member, Way};
use crate::Kept;

const VERSION: u8 = 1;
const PERSONAL: u8 = 0;
const OVER_THE_AIR: u8 = 1;

/// What is to be kept. It holds keys of the session where the device has joined.
pub(super) fn write(member: &Member) -> Kept {
    // With room for all of it, so that no half of a key is left where it was moved from.
    let room = 256 + 2 * member.dev_nonces.len();
    let mut out = Vec::with_capacity(room);
    out.push(VERSION);
    match (&member.way, &member.live) {
        (Way::Personal, Some(live)) => {
            out.push(PERSONAL);
            out.extend(member.check);
            out.extend(live.session.dev_addr.to_le_bytes());
            blob::put_option(&mut out, live.session.up.last());
            out.extend(live.down.to_le_bytes());
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
}

fn put_key(out: &mut Vec<u8>, key: Option<&Key>) {
    out.push(key.is_some().into());
    if let Some(key) = key {
        out.extend(key.expose());
    }
}

/// Takes back what [`write`] wrote. Of bytes that are refused nothing is taken.
pub(super) fn read(member: &mut Member, bytes: &[u8]) -> Result<(), NotRestored> {
    let Some(mut cursor) = blob::open(bytes, VERSION)? else { return Ok(()) };
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
        blob::close(&cursor)?;
        let Some(live) = &mut member.live else { return Err(NotRestored::OtherMeter) };
        if live.session.dev_addr != dev_addr {
            return Err(NotRestored::OtherMeter);
        }
        (live.session.up, live.down, live.last) = (up.without_joins(), down, None);
        return Ok(());
    }
    let join_nonce = cursor.u32_le()?;
    let count = cursor.u32_le()? as usize;
    let nonces = count.checked_mul(2).ok_or(NotRestored::Damaged)?;
    let nonces = cursor.take(nonces)?;
    let (live, next) = (session(&mut cursor)?, session(&mut cursor)?);
    blob::close(&cursor)?;
    let (nonces, _) = nonces.as_chunks::<2>();
    member.dev_nonces = nonces.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
    (member.join_nonce, member.live, member.next) = (join_nonce, live, next);
    Ok(())
}

fn session(cursor: &mut Cursor<'_>) -> Result<Option<Live>, NotRestored> {
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
    Ok(Some(live))
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
