// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is kept of a meter over a restart: what its codec remembers, its last readings.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gasd_ports::Kept;

use super::desk::Desk;
use super::show;
use crate::pipeline::hurry::Slip;
use crate::response::clock;
use crate::store;

/// How often the last readings of all meters are written down while nothing is wrong, ns: 6 h.
const LATEST_NS: u64 = 6 * 3_600_000_000_000;
/// How long a reading waits for the counter that it came with to be written down.
const KEPT_WITHIN: Duration = Duration::from_millis(300);

/// What a meter's health says while it cannot be answered.
const UNANSWERED: &str = "was heard and is not answered: what must be known of it after a restart is not on the disk; it asks \
     again, and is answered when the disk takes it";

/// What waits for the disk.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// Of each meter: the number that the writer reaches once all that is remembered of it is on the disk.
    last: HashMap<u64, u64>,
    /// Of each meter that is answered: where the number comes that is reached once its last reading is on the disk.
    readings: HashMap<u64, Slip>,
    /// One that was waited for in vain. Until the writer reaches it nobody waits: a disk that is full or stuck is so for
    /// all of them.
    given_up: u64,
}

impl Desk {
    /// What is remembered of a meter.
    #[must_use]
    pub fn memory(&self, id: &str) -> Option<Kept> {
        self.row(super::MEMORY, id)
    }

    pub(super) fn row(&self, kind: &str, id: &str) -> Option<Kept> {
        let memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.get(&format!("{kind}{id}")).cloned()
    }

    /// What is remembered of a meter is another now.
    pub fn remember(&self, key: u64, bytes: Kept) {
        let id = self.meters().get(&key).map(|on| on.id.clone());
        if let Some(id) = id {
            let ticket = self.keep(format!("{}{id}", super::MEMORY), bytes);
            self.tickets().last.insert(key, ticket);
        }
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.0.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before this meter is answered its reading is to be on the disk.
    pub(super) fn await_reading(&self, key: u64, slip: Slip) {
        self.tickets().readings.insert(key, slip);
    }

    /// Whether all that is remembered of a meter is on the disk, now or in this time; with `reading`, its last reading, too.
    fn is_kept(&self, key: u64, within: Duration, reading: bool) -> bool {
        let (remembered, slip, given_up) = {
            let tickets = self.tickets();
            let slip = tickets.readings.get(&key).filter(|_| reading).cloned();
            (tickets.last.get(&key).copied().unwrap_or(0), slip, tickets.given_up)
        };
        let until = Instant::now() + within;
        loop {
            let written = self.0.writer.written();
            // One that the engine has not given to the writer yet is behind all that was.
            let read = slip.as_ref().map_or(Some(0), Slip::ticket);
            let ticket = remembered.max(read.unwrap_or(0));
            if read.is_some() && written >= ticket {
                return true;
            }
            if written < given_up {
                return false;
            }
            if Instant::now() >= until {
                let mut tickets = self.tickets();
                tickets.given_up = tickets.given_up.max(ticket);
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A meter is about to be answered. What it is told binds it: a session that it counts on, a number that it does not
    /// use again, a reading that it forgets. So that must be on the disk first, by `until_ns`; else it is not answered, and that is told.
    pub(super) fn may_answer(&self, key: u64, until_ns: u64) -> bool {
        let within = Duration::from_nanos(until_ns.saturating_sub(clock::boottime_ns()));
        let is_kept = self.is_kept(key, within, true);
        self.change(key, |on| match (is_kept, on.health.as_deref()) {
            (false, _) => on.health = Some(UNANSWERED.to_owned()),
            (true, Some(UNANSWERED)) => on.health = None,
            (true, _) => {}
        });
        is_kept
    }

    /// Before a reading counts the counter that it came with is on the disk, so that its telegram is not new after a
    /// crash. But a disk that does not answer keeps no reading back: a leak is more than a telegram that is taken twice.
    pub(super) fn settle(&self, key: u64) {
        self.is_kept(key, KEPT_WITHIN, false);
    }

    /// Keeps a row, here and on the disk. Returns the number that the writer reaches once it is there.
    pub(super) fn keep(&self, key: String, bytes: Kept) -> u64 {
        let mut memories = self.0.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.insert(key.clone(), bytes.clone());
        drop(memories);
        self.0.writer.push_ticket(vec![store::Change::Remembered { key, bytes }])
    }

    /// Writes the last readings of a meter down, now or if it is long since.
    pub(super) fn write_latest(&self, key: u64, now_ns: u64, now: bool) {
        let mut meters = self.meters();
        let Some(on) = meters.get_mut(&key) else { return };
        if on.latest.is_empty() || !now && now_ns.saturating_sub(on.written_ns) < LATEST_NS {
            return;
        }
        on.written_ns = on.written_ns.max(now_ns);
        let row = show::latest_row(&on.id, &on.latest, clock::now());
        drop(meters);
        self.0.writer.push(vec![row]);
    }

    /// The last readings of all meters, to be written down at the end.
    #[must_use]
    pub fn last_rows(&self) -> Vec<store::Change> {
        let meters = self.meters();
        let some = meters.values().filter(|on| !on.latest.is_empty());
        some.map(|on| show::latest_row(&on.id, &on.latest, clock::now())).collect()
    }
}
