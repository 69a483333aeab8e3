// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command that is at work at a meter's valve, kept over a restart.
//!
//! | key | row |
//! |---|---|
//! | `moving:ID` | where to (1 open, 2 closed; 0: nothing is at work), then what moves, in words |
//! | `moving:ID/until` | the same with a zero, the boot and until when (`CLOCK_BOOTTIME`, ns) before the words |
//!
//! The second one is written by the first start that finds the command. It begins as the first, and no words begin with a
//! zero: a version that does not know it takes it for a command to a valve that is gone, and ends it.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use gasd_meters::Valve;
use gasd_meters::drive::{Earlier, ProcedureSettings};
use gasd_ports::Kept;
use gasd_ports::bus::{Event, NotMoved};

use super::MOVING;
use super::desk::{Desk, Place};
use crate::response::clock;
use crate::store;

/// Behind a meter's id.
const UNTIL: &str = "/until";

/// How long a command to a valve waits to be written down.
const KEPT_WITHIN: Duration = Duration::from_millis(300);

impl Desk {
    /// The command that a meter's valve was given and that may be at work still, as it was written down. What another valve was
    /// given, which had this meter's id then, holds nothing up; what this one was given under another id does.
    ///
    /// It had its time when gasd was killed, or has it from the first look after that on:
    /// nobody knows how long that took. Later starts of one boot go by the first, or a valve that did not close would wait
    /// for as long as gasd starts over and over.
    #[must_use]
    pub fn at_work(&self, id: &str, driven: &str) -> Option<Earlier> {
        let (now_ns, boot) = (clock::boottime_ns(), clock::boot());
        let most_ns = now_ns.saturating_add(ProcedureSettings::default().settle_ns);
        let mut memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, row) = moving_row(&memories, id, driven)?;
        let (to, key) = (moving_to(row)?, format!("{key}{UNTIL}"));
        if let Some(until_ns) = memories.get(&key).and_then(|until| until_of(until, row, boot)) {
            let until_ns = until_ns.min(most_ns);
            return (now_ns < until_ns).then_some(Earlier { to, until_ns });
        }
        let until = until_row(row, boot, most_ns);
        memories.insert(key.clone(), until.clone());
        drop(memories);
        self.0.writer.push(vec![store::Change::Remembered { key, bytes: until }]);
        Some(Earlier { to, until_ns: most_ns })
    }

    /// Meters have other ids: the command that is at work at the valve of each is written down under the id that it has
    /// now, all of them at once, as names may have been exchanged. One of a valve that no meter has any more is over.
    pub(super) fn rename_moving(&self, places: &[Place]) {
        let mut memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = HashMap::new();
        // Each that says of what it is, and is not over, is so where nothing else is found.
        for (key, row) in memories.iter().filter(|(key, _)| key.starts_with(MOVING)) {
            if moving_to(row).is_some() && row.len() > 1 {
                rows.insert(key.clone(), over());
            }
        }
        for place in places {
            if let Some((key, row)) = moving_row(&memories, &place.id, &place.driven) {
                rows.insert(format!("{MOVING}{}", place.id), row.clone());
                if let Some(until) = memories.get(&format!("{key}{UNTIL}")) {
                    rows.insert(format!("{MOVING}{}{UNTIL}", place.id), until.clone());
                }
            }
        }
        rows.retain(|key, row| memories.get(key) != Some(&*row));
        if rows.is_empty() {
            return;
        }
        memories.extend(rows.clone());
        drop(memories);
        let change = |(key, bytes)| store::Change::Remembered { key, bytes };
        self.0.writer.push(rows.into_iter().map(change).collect());
    }

    /// A command goes out, and is on the disk before that, so that it is not sent again after a crash; but a closing does not
    /// wait long for a disk that does not answer. An opening that may be at work stays written down when a closing follows it:
    /// whether that went out nobody knows after a crash, and to close twice is better than not at all.
    pub(super) fn moving(&self, key: u64, to: Valve) {
        let on = self.meters().get(&key).map(|on| (on.id.clone(), on.driven.clone()));
        let earlier = || on.and_then(|(id, driven)| self.at_work(&id, &driven)).map(|earlier| earlier.to);
        if to == Valve::Closed && earlier() == Some(Valve::Open) {
            return;
        }
        let Some(ticket) = self.keep_moving(key, Some(to)) else { return };
        let until = Instant::now() + KEPT_WITHIN;
        while self.0.writer.written() < ticket && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// An order has ended, or nobody knows any more what becomes of it, and this may be at work still: until when is known
    /// where it is what was written down.
    pub(super) fn still_moving(&self, key: u64, to: Option<Valve>) {
        let id = self.meters().get(&key).map(|on| on.id.clone());
        let kept = id.and_then(|id| self.row(MOVING, &id)).as_ref().and_then(moving_to);
        if kept != to {
            self.keep_moving(key, to);
        }
    }

    /// An order has ended.
    pub(super) fn moved(&self, key: u64, to: Valve, result: Result<Valve, NotMoved>, at_work: Option<Valve>) {
        let id = self.meters().get(&key).map(|on| on.id.clone());
        let Some(id) = id else { return };
        // A port that never had the meter does not know.
        if result != Err(NotMoved::NoMeter) {
            self.still_moving(key, at_work);
        }
        self.0.valves.moved(&id, to, result);
    }

    /// Whether it is told of an order by a port that its meter has left: of the one that is under way where the meter is now
    /// that says nothing. But an opening that goes out there all the same may be at work.
    pub(super) fn is_left(&self, port: &str, event: &Event) -> bool {
        let (Event::Moved { key, .. }
        | Event::NotCommanded { key, .. }
        | Event::Commanded { key, to: Valve::Closed }) = event
        else {
            return false;
        };
        self.meters().get(key).is_some_and(|on| on.port != port)
    }

    /// Each meter's key, id and port.
    pub(super) fn on_ports(&self) -> Vec<(u64, String, String)> {
        self.meters().iter().map(|(key, on)| (*key, on.id.clone(), on.port.clone())).collect()
    }

    /// What is at work. Returns the number that the writer reaches once it is on the disk.
    pub(super) fn keep_moving(&self, key: u64, to: Option<Valve>) -> Option<u64> {
        let (id, driven) = self.meters().get(&key).map(|on| (on.id.clone(), on.driven.clone()))?;
        let key = format!("{MOVING}{id}");
        let until = format!("{key}{UNTIL}");
        let is_kept = |row: &Kept| row.first().is_some_and(|code| *code != 0);
        let mut memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
        if to.is_none() && !memories.get(&key).is_some_and(is_kept) {
            return None;
        }
        let row = match to {
            Some(Valve::Open) => [&[1u8][..], driven.as_bytes()].concat().into(),
            Some(Valve::Closed) => [&[2u8][..], driven.as_bytes()].concat().into(),
            Some(Valve::Abnormal) | None => over(),
        };
        // Of the one before.
        let stale = memories.get(&until).is_some_and(is_kept).then(|| (until, over()));
        let rows: Vec<(String, Kept)> = std::iter::once((key, row)).chain(stale).collect();
        memories.extend(rows.iter().cloned());
        drop(memories);
        let change = |(key, bytes)| store::Change::Remembered { key, bytes };
        Some(self.0.writer.push_ticket(rows.into_iter().map(change).collect()))
    }
}

/// The row of a command that is over.
fn over() -> Kept {
    vec![0].into()
}

/// The row of the command that is at work at what this meter's valve drives, and its key. One that does not say of what it
/// is, as it was written once, is of the meter of its id.
fn moving_row<'a>(rows: &'a HashMap<String, Kept>, id: &str, driven: &str) -> Option<(&'a str, &'a Kept)> {
    let is_of = |(key, row): &(&'a String, &'a Kept)| {
        let Some(of) = key.strip_prefix(MOVING).filter(|of| !of.ends_with(UNTIL)) else { return false };
        let words = row.get(1..).unwrap_or_default();
        let fits = if words.is_empty() { of == id } else { words == driven.as_bytes() };
        fits && moving_to(row).is_some()
    };
    // Of several the one under its own id was written last.
    let fitting = rows.iter().filter(is_of).max_by_key(|(key, _)| key.strip_prefix(MOVING) == Some(id));
    fitting.map(|(key, row)| (key.as_str(), row))
}

/// Where a row says that a valve was sent; `None` where that is over.
fn moving_to(row: &Kept) -> Option<Valve> {
    match row.first() {
        Some(1) => Some(Valve::Open),
        Some(2) => Some(Valve::Closed),
        _ => None,
    }
}

/// The row of until when the command of a row is at work.
fn until_row(row: &Kept, boot: u128, until_ns: u64) -> Kept {
    let (code, words) = row.split_at(row.len().min(1));
    [code, &[0], &boot.to_be_bytes(), &until_ns.to_be_bytes(), words].concat().into()
}

/// Until when the command of a row is at work, ns; `None` where that was written in another boot, or of another command.
fn until_of(until: &Kept, row: &Kept, boot: u128) -> Option<u64> {
    let until_ns = u64::from_be_bytes(until.get(18..26)?.try_into().ok()?);
    (*until == until_row(row, boot, until_ns)).then_some(until_ns)
}

#[cfg(test)]
#[path = "moving_tests.rs"]
mod tests;
