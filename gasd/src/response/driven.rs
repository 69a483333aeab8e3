// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was held and told is of what drove the valve, whatever the valve is called now. Pure.
//!
//! A configuration may exchange two names, or the lines of two valves. A hold is of its valve's name, as anybody expects who
//! reads it, and of all that ever drove the valves that it held: each of those stays closed. Where one of these drives no
//! valve any more, nobody knows which valve it is now, and none is opened for as long as an application holds it. An order
//! is of what was driven alone: a valve on another line was never told to be anywhere.

use std::collections::BTreeMap;

use crate::response::known::Known;
use crate::response::unconfigured;
use crate::response::valves::{Valve, Valves};
use crate::state::{Hold, Position};
use crate::store::{Change, LastKnown, Loaded, StoredHold};

/// Holds as they are stored, by their cookies.
pub(super) type Placed = BTreeMap<u64, StoredHold>;

/// Under which key orders to a valve are stored: what drives it. One that is simulated has its name, which is not that of a
/// valve that drives something.
pub(super) fn key(id: &str, by: &str) -> String {
    if by.is_empty() { format!("simulated {id}") } else { by.to_owned() }
}

/// What holds a valve that `by` drives: what was placed under its id, and what was placed on the same under another one.
pub(super) fn holds(placed: &Placed, id: &str, by: &str) -> Vec<Hold> {
    let its =
        placed.values().filter(|held| held.valve == id || held.actuators.iter().any(|other| other == by));
    its.map(|held| held.hold.clone()).collect()
}

/// Where a valve was last told to be. An earlier gasd wrote that down under its id.
pub(super) fn commanded(loaded: &Loaded, id: &str, key: &str) -> Position {
    let of = |wanted: &str| loaded.commanded.iter().find(|(known, _)| known == wanted).map(|(_, to)| *to);
    of(key).or_else(|| of(id)).unwrap_or_default()
}

/// What is known of where it is. As [`commanded`].
pub(super) fn known(loaded: &Loaded, id: &str, key: &str, commanded: Position) -> Known {
    let of = |wanted: &str| loaded.known.iter().find(|(known, _)| known == wanted).map(|(_, last)| *last);
    Known::at_start(of(key).or_else(|| of(id)), commanded)
}

/// Whether a key is a valve's id, which has no space in it.
fn is_id(key: &str) -> bool {
    !key.contains(' ')
}

impl Valves {
    /// Holds are of what drives the valves of their names now, too. Returns what is to be written for that; and what an earlier
    /// gasd wrote down of orders is that of what drives the valves now, and of nothing that comes later.
    pub(super) fn settle(&mut self, loaded: &Loaded) -> Vec<Change> {
        let mut rows = Vec::new();
        for valve in self.valves.iter().filter(|valve| !valve.by.is_empty()) {
            for held in self.placed.values_mut().filter(|held| held.valve == valve.state.id) {
                if !held.actuators.contains(&valve.by) {
                    held.actuators.push(valve.by.clone());
                    rows.push(Change::PlaceHold(held.clone()));
                }
            }
        }
        let (told, seen) = (&loaded.commanded, &loaded.known);
        let is_of_before = |id: &str| {
            told.iter().any(|(known, to)| known == id && *to != Position::Unknown)
                || seen.iter().any(|(known, last)| known == id && *last != LastKnown::default())
        };
        for valve in self.valves.iter().filter(|valve| valve.state.is_configured()) {
            if is_of_before(&valve.state.id) {
                rows.extend(valve.rows_told(valve.commanded));
            }
        }
        for id in told.iter().map(|(id, _)| id).chain(seen.iter().map(|(id, _)| id)) {
            if is_id(id) && is_of_before(id) {
                rows.push(Change::Commanded { valve: id.clone(), to: Position::Unknown });
                rows.push(Change::Known { valve: id.clone(), last: LastKnown::default() });
            }
        }
        rows
    }

    /// A valve is held.
    pub(super) fn keep(&mut self, at: usize, hold: Hold) -> Change {
        let valve = &mut self.valves[at];
        valve.state.holds.push(hold.clone());
        let actuators = Some(valve.by.clone()).filter(|by| !by.is_empty()).into_iter().collect();
        let held = StoredHold { valve: valve.state.id.clone(), hold, actuators };
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
    }

    /// Whether a hold holds this valve and no other, under any name.
    pub(super) fn is_of_alone(&self, at: usize, cookie: u64) -> bool {
        let valve = &self.valves[at];
        let alone = |held: &StoredHold| {
            held.valve == valve.state.id && held.actuators.iter().all(|actuator| *actuator == valve.by)
        };
        self.placed.get(&cookie).is_none_or(alone)
    }

    /// Why a valve is held, where that was placed under another name.
    pub(super) fn reason(&self, at: usize, hold: &Hold) -> String {
        let placed = self.placed.get(&hold.cookie).map(|held| held.valve.as_str());
        match placed.filter(|placed| *placed != self.valves[at].state.id) {
            Some(placed) => {
                format!("{} (held as valve \"{placed}\", which was {} then)", hold.reason, self.valves[at].by)
            }
            None => hold.reason.clone(),
        }
    }

    /// What is held of valves that nobody knows any more: any valve may be one of them under another name. With the id of the
    /// valve and what became of it.
    pub(super) fn lost(&self) -> impl Iterator<Item = (&str, &Hold, String)> {
        self.placed.values().filter_map(|StoredHold { valve: id, hold, actuators }| {
            let drives = |actuator: &str| self.valves.iter().any(|valve| valve.by == actuator);
            let is_configured =
                self.valves.iter().any(|valve| valve.state.id == *id && valve.state.is_configured());
            let gone = match actuators.iter().find(|actuator| !drives(actuator)) {
                Some(actuator) if is_configured => {
                    format!("was {actuator} when that was held, which no valve is now")
                }
                Some(actuator) => {
                    format!("is not configured any more, and was {actuator}, which no valve is now")
                }
                None if actuators.is_empty() && !is_configured => "is not configured any more".to_owned(),
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
mod tests;
