// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was held and told is of what drove the valve, too, whatever the valve is called now. Pure.
//!
//! A configuration may exchange two names, or the lines of two valves: then a hold keeps the valve of its name closed, as
//! anybody would expect who reads it, and also the one that gas was kept from when it was placed. Where nobody knows any
//! more which one that was, none is opened for as long as an application holds it.

use std::collections::HashMap;

use crate::response::valves::{Valve, Valves};
use crate::state::{Hold, Position};
use crate::store::records::{of_hold, of_valve};
use crate::store::{Change, Loaded, StoredHold};

/// A hold as it was stored.
pub(super) struct Placed {
    stored: StoredHold,
    /// What drove the valve; empty where that is not known.
    actuator: String,
}

/// Holds as they were stored, by their cookies.
pub(super) fn placed(loaded: &Loaded) -> HashMap<u64, Placed> {
    let actuators: HashMap<&str, &str> =
        loaded.actuators.iter().map(|(key, actuator)| (key.as_str(), actuator.as_str())).collect();
    let placed = loaded.holds.iter().map(|stored| {
        let actuator = actuators.get(of_hold(stored.hold.cookie).as_str()).copied().unwrap_or_default();
        (stored.hold.cookie, Placed { stored: stored.clone(), actuator: actuator.to_owned() })
    });
    placed.collect()
}

/// What holds a valve that `by` drives: what was stored under its id, and what was placed on the same under another one.
pub(super) fn holds(placed: &HashMap<u64, Placed>, id: &str, by: &str) -> Vec<Hold> {
    let mut holds: Vec<Hold> = placed
        .values()
        .filter_map(|Placed { stored, actuator }| {
            let mut hold = stored.hold.clone();
            if stored.valve != id {
                if by.is_empty() || actuator != by {
                    return None;
                }
                hold.reason =
                    format!("{} (held as valve \"{}\", which was {by} then)", hold.reason, stored.valve);
            }
            Some(hold)
        })
        .collect();
    holds.sort_by_key(|hold| hold.cookie);
    holds
}

/// What drove a valve of this id when it was last told where to be; `None` where that was not written down.
fn told<'a>(loaded: &'a Loaded, id: &str) -> Option<&'a str> {
    let key = of_valve(id);
    loaded.actuators.iter().find(|(known, _)| *known == key).map(|(_, actuator)| actuator.as_str())
}

/// Under which ids the store knows what drives a valve now: mostly its own. `None`: it was driven otherwise, and nothing is
/// known of what drives it now.
pub(super) fn known_as<'a>(loaded: &'a Loaded, id: &'a str, by: &str) -> Option<Vec<&'a str>> {
    if by.is_empty() || told(loaded, id).is_none_or(|told| told == by) {
        return Some(vec![id]);
    }
    let prefix = of_valve("");
    let its = loaded.actuators.iter().filter(|(_, actuator)| actuator == by);
    let others: Vec<_> = its.filter_map(|(key, _)| key.strip_prefix(&prefix)).collect();
    (!others.is_empty()).then_some(others)
}

/// Where what drives a valve was last told to be. Where it is new its name decides, as a start opens nothing: it leaves open
/// what is open, or closes it.
pub(super) fn commanded(loaded: &Loaded, id: &str, by: &str) -> Position {
    let names = known_as(loaded, id, by).unwrap_or_else(|| vec![id]);
    let of = |name: &str| {
        loaded.commanded.iter().find(|(known, _)| known == name).map_or(Position::Unknown, |(_, to)| *to)
    };
    let first = names.first().map_or(Position::Unknown, |name| of(name));
    // Of several names one may be older than the other.
    if names.iter().all(|name| of(name) == first) { first } else { Position::Unknown }
}

impl Valve {
    /// To be written when it is told to go somewhere.
    pub(super) fn rows_commanded(&self, to: Position) -> Vec<Change> {
        let id = &self.state.id;
        let told = Change::Commanded { valve: id.clone(), to };
        let by = Change::Actuator { key: of_valve(id), actuator: self.by.clone() };
        if self.by.is_empty() { vec![told] } else { vec![told, by] }
    }
}

impl Valves {
    /// To be written at a start at which a valve is driven by something else than before: what was known of that is known of
    /// this valve from now on, for good.
    pub(super) fn settle(&self, loaded: &Loaded) -> Vec<Change> {
        let configured = self.valves.iter().filter(|valve| !valve.by.is_empty());
        let other =
            configured.filter(|valve| told(loaded, &valve.state.id).is_some_and(|told| told != valve.by));
        let rows = |valve: &Valve| {
            let mut rows = valve.rows_commanded(valve.commanded);
            rows.push(valve.known.row(&valve.state.id));
            rows
        };
        other.flat_map(rows).collect()
    }

    /// To be written so that a hold on a valve is there.
    pub(super) fn rows_held(&self, at: &Valve, hold: &Hold) -> Vec<Change> {
        let placed = self.placed.get(&hold.cookie);
        let stored = placed.map_or_else(
            || StoredHold { valve: at.state.id.clone(), hold: hold.clone() },
            |placed| placed.stored.clone(),
        );
        let actuator = placed.map_or(&at.by, |placed| &placed.actuator).clone();
        let key = of_hold(hold.cookie);
        let mut rows = vec![Change::PlaceHold(stored)];
        if !actuator.is_empty() {
            rows.push(Change::Actuator { key, actuator });
        }
        rows
    }

    /// Holds are gone, under whatever name their valves are seen.
    pub(super) fn let_go(&mut self, cookies: &[u64]) {
        for valve in &mut self.valves {
            valve.state.holds.retain(|hold| !cookies.contains(&hold.cookie));
        }
    }

    /// What is held of valves that nobody knows any more: any valve may be one of them under another name. With the id of the
    /// valve and what became of it.
    pub(super) fn lost(&self) -> impl Iterator<Item = (&str, &Hold, String)> {
        let all =
            self.valves.iter().flat_map(|valve| valve.state.holds.iter().map(move |hold| (valve, hold)));
        all.filter_map(|(valve, hold)| {
            let Placed { stored, actuator } = self.placed.get(&hold.cookie)?;
            let id = valve.state.id.as_str();
            let is_configured = valve.state.is_configured();
            if stored.valve != id {
                return None;
            }
            if actuator.is_empty() {
                return (!is_configured).then(|| (id, hold, "is not configured any more".to_owned()));
            }
            let is_there = self.valves.iter().any(|valve| valve.by == *actuator);
            let gone = || match is_configured {
                true => format!("was {actuator} when that was held, which no valve is now"),
                false => format!("is not configured any more, and was {actuator}, which no valve is now"),
            };
            (!is_there).then(|| (id, hold, gone()))
        })
    }
}

#[cfg(test)]
#[path = "driven_tests.rs"]
mod tests;
