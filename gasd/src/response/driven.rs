// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was held and told is of what drove the valve, whatever the valve is called now. Pure.
//!
//! A configuration may exchange two names, or the lines of two valves. A hold is of its valve's name, as anybody expects who
//! reads it, and of all that ever drove the valves that it held: each of those stays closed. Where one of these drives no
//! valve any more, nobody knows which valve it is now, and none is opened for as long as an application holds it. An order
//! is of what was driven alone: a valve on another line was never told to be anywhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Actuator, ValveConfig};
use crate::response::known::Known;
use crate::response::unconfigured;
use crate::response::valves::{Valve, Valves};
use crate::state::{Hold, Position};
use crate::store::{Change, LastKnown, Loaded, StoredHold};

/// Holds as they are stored, by their cookies.
pub(super) type Placed = BTreeMap<u64, StoredHold>;

/// Under which key orders to a valve are stored: what drives it. One that is simulated has its name, which is not that of a valve
/// that drives something. A latching valve has a key of its own: its closing line carries no order to be open, and a valve
/// with a level on that line later was never told to be.
pub(super) fn key(valve: &ValveConfig, drivers: &[String]) -> String {
    match (drivers, &valve.actuator) {
        ([], _) => format!("simulated {}", valve.id),
        (_, Actuator::Gpio { pulse_ns: Some(_), .. }) => format!("latching {}", drivers.join(" and ")),
        ([first, ..], _) => first.clone(),
    }
}

/// Under which keys an earlier gasd stored orders to a valve, the newest first: under its id, and later under its first driver. Both
/// are gone since the start of this one, so that what is there was told later. Of a latching valve the order may have been
/// to another one with a level on that line: it moves no latching valve at a start, and one to be open is only words.
fn earlier<'a>(id: &'a str, drivers: &'a [String], key: &str) -> impl Iterator<Item = &'a str> {
    let first = drivers.first().map(String::as_str).filter(|first| *first != key);
    [Some(id), first].into_iter().flatten()
}

/// Whether it holds a valve: it was placed under its id, or has held a valve of that id or with one of its drivers.
fn is_held(held: &StoredHold, id: &str, drivers: &[String]) -> bool {
    held.valve == id || held.marks.iter().any(|mark| mark == id || drivers.contains(mark))
}

/// Where a valve was last told to be.
pub(super) fn commanded(loaded: &Loaded, id: &str, drivers: &[String], key: &str) -> Position {
    let of = |wanted: &str| loaded.commanded.iter().find(|(known, _)| known == wanted).map(|(_, to)| *to);
    let before = earlier(id, drivers, key).filter_map(of).find(|to| *to != Position::Unknown);
    before.or_else(|| of(key)).unwrap_or_default()
}

/// What is known of where it is.
pub(super) fn known(loaded: &Loaded, id: &str, drivers: &[String], key: &str, commanded: Position) -> Known {
    let of = |wanted: &str| loaded.known.iter().find(|(known, _)| known == wanted).map(|(_, last)| *last);
    let before = earlier(id, drivers, key).filter_map(of).find(|last| *last != LastKnown::default());
    Known::at_start(before.or_else(|| of(key)), commanded)
}

/// A hold is of all that it holds, and of what that holds in turn. Whether that is more than before.
fn spread(held: &mut StoredHold, valves: &[Valve]) -> bool {
    let mut is_more = false;
    loop {
        let its = valves.iter().filter(|valve| valve.state.is_configured());
        let its = its.filter(|valve| is_held(held, &valve.state.id, &valve.drivers));
        let marks = its.flat_map(|valve| valve.drivers.iter().chain([&valve.state.id]));
        let Some(new) = marks.filter(|mark| !held.marks.contains(mark)).map(Clone::clone).next() else {
            return is_more;
        };
        held.marks.push(new);
        is_more = true;
    }
}

/// Whether a key is a valve's id, which has no space in it.
fn is_id(key: &str) -> bool {
    !key.contains(' ')
}

impl Valves {
    /// What is to be written at a start, once.
    pub(super) fn settled(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.settled)
    }

    /// Holds are of what drives the valves of their names now, too, and hold all of them; and what an earlier gasd wrote down
    /// of orders is that of what drives the valves now, and of nothing that comes later.
    pub(super) fn settle(&mut self, loaded: &Loaded) {
        let mut rows = Vec::new();
        for held in self.placed.values_mut() {
            if spread(held, &self.valves) {
                rows.push(Change::PlaceHold(held.clone()));
            }
        }
        for valve in &mut self.valves {
            if valve.state.is_configured() {
                let its = |held: &&StoredHold| is_held(held, &valve.state.id, &valve.drivers);
                valve.state.holds = self.placed.values().filter(its).map(|held| held.hold.clone()).collect();
            }
        }
        let (told, seen) = (&loaded.commanded, &loaded.known);
        let is_of_before = |key: &str| {
            told.iter().any(|(known, to)| known == key && *to != Position::Unknown)
                || seen.iter().any(|(known, last)| known == key && *last != LastKnown::default())
        };
        let configured = || self.valves.iter().filter(|valve| valve.state.is_configured());
        for valve in configured() {
            if earlier(&valve.state.id, &valve.drivers, &valve.key).any(is_of_before) {
                rows.extend(valve.rows_told(valve.commanded));
            }
        }
        // A level that a line carried is over once a latching valve has it, be it the one that opens.
        let is_pulsed =
            |key: &String| configured().any(|valve| valve.key != *key && valve.drivers.contains(key));
        let keys: BTreeSet<&String> =
            told.iter().map(|(key, _)| key).chain(seen.iter().map(|(key, _)| key)).collect();
        for key in keys.into_iter().filter(|key| is_of_before(key) && (is_id(key) || is_pulsed(key))) {
            rows.push(Change::Commanded { valve: key.clone(), to: Position::Unknown });
            rows.push(Change::Known { valve: key.clone(), last: LastKnown::default() });
        }
        self.settled = rows;
    }

    /// A valve is held.
    pub(super) fn keep(&mut self, at: usize, hold: Hold) -> Change {
        let valve = &mut self.valves[at];
        valve.state.holds.push(hold.clone());
        let marks = valve.drivers.iter().chain([&valve.state.id]).cloned().collect();
        let held = StoredHold { valve: valve.state.id.clone(), hold, marks };
        self.placed.insert(held.hold.cookie, held.clone());
        Change::PlaceHold(held)
    }

    /// To be written so that a hold is there as it was.
    pub(super) fn again(&self, cookie: u64) -> Option<Change> {
        self.placed.get(&cookie).cloned().map(Change::PlaceHold)
    }

    /// Holds are gone, under whatever name their valves are seen.
    pub(super) fn let_go(&mut self, cookies: &[u64]) {
        for valve in &mut self.valves {
            valve.state.holds.retain(|hold| !cookies.contains(&hold.cookie));
            if !valve.state.is_configured() {
                valve.state.health = unconfigured::health(&valve.state);
            }
        }
        self.placed.retain(|cookie, _| !cookies.contains(cookie));
        self.asked.retain(|cookie, _| !cookies.contains(cookie));
    }

    /// Whether a hold was placed on this valve, or holds no other one that there is.
    pub(super) fn is_its_own(&self, at: usize, cookie: u64) -> bool {
        self.is_placed_on(at, cookie) || self.is_of_alone(at, cookie)
    }

    /// Whether a hold holds this valve and no other one that there is.
    pub(super) fn is_of_alone(&self, at: usize, cookie: u64) -> bool {
        let holds = |valve: &Valve| valve.state.holds.iter().any(|hold| hold.cookie == cookie);
        let others = self.valves.iter().enumerate().filter(|(other, _)| *other != at);
        !others.filter(|(_, valve)| valve.state.is_configured()).any(|(_, valve)| holds(valve))
            && self.lost().all(|(_, lost, _)| lost.cookie != cookie)
    }

    fn is_placed_on(&self, at: usize, cookie: u64) -> bool {
        self.placed.get(&cookie).is_some_and(|held| held.valve == self.valves[at].state.id)
    }

    /// Why a valve is held, where that was placed under another name.
    pub(super) fn reason(&self, at: usize, hold: &Hold) -> String {
        match self.placed.get(&hold.cookie).map(|held| held.valve.as_str()) {
            Some(placed) if !self.is_placed_on(at, hold.cookie) => {
                let drivers = self.valves[at].drivers.join(" and ");
                let by = if drivers.is_empty() { "simulated" } else { &drivers };
                format!(
                    "{} (held as valve \"{placed}\", before names or lines of valves were changed; this one is {by})",
                    hold.reason
                )
            }
            _ => hold.reason.clone(),
        }
    }

    /// What is held of valves that nobody knows any more: any valve may be one of them under another name. With the id of the
    /// valve and what became of it.
    pub(super) fn lost(&self) -> impl Iterator<Item = (&str, &Hold, String)> {
        self.placed.values().filter_map(|StoredHold { valve: id, hold, marks }| {
            let drives = |driver: &String| self.valves.iter().any(|valve| valve.drivers.contains(driver));
            let is_configured =
                self.valves.iter().any(|valve| valve.state.id == *id && valve.state.is_configured());
            let mut drivers = marks.iter().filter(|mark| !is_id(mark)).peekable();
            let is_of_names = drivers.peek().is_none();
            let gone = match drivers.find(|driver| !drives(driver)) {
                Some(driver) if is_configured => {
                    format!("was {driver} when that was held, which no valve is now")
                }
                Some(driver) => {
                    format!("is not configured any more, and was {driver}, which no valve is now")
                }
                None if is_of_names && !is_configured => "is not configured any more".to_owned(),
                None => return None,
            };
            Some((id.as_str(), hold, gone))
        })
    }
}

impl Valve {
    /// To be written of where it was told to be, with what is known of where it is.
    pub(super) fn rows_told(&self, to: Position) -> [Change; 2] {
        [self.known.row(&self.key), Change::Commanded { valve: self.key.clone(), to }]
    }
}

#[cfg(test)]
#[path = "driven_tests.rs"]
pub(super) mod tests;
