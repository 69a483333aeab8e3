// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may happen to which valve. Pure: time and numbers are arguments, and what is to be done comes
//! back as [`Step`]s in their order.
//!
//! - Closing drives first and writes then: gas stops even if the disk does not answer.
//! - Opening writes first and drives then, and asks again in between: a hold that was placed while
//!   the disk was at work wins.
//! - Nothing opens a valve but [`Valves::confirm_open`] (see [`crate::response::opening`]). A start, an acknowledgement, a released
//!   hold or a position read back never do.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::config::{Actuator, Config};
use crate::response::actuator::Target;
use crate::response::audit::entry;
use crate::response::clock::Now;
use crate::response::driven::{self, Placed};
use crate::response::known::Known;
use crate::response::request::Before;
use crate::response::unconfigured;
use crate::state::{CommandError, Hold, METER_ACTUATOR, Position, ValveState, VerdictRecord};
pub use crate::store::records::GASD;
use crate::store::{Change, Loaded};

/// Owner of the holds that `gasctl close` places.
pub const OPERATOR: &str = "operator";

/// Who closes for a verdict.
const FOR_VERDICT: &str = "gasd, for a critical verdict";

/// Verdicts below critical that wait to be acknowledged at the most.
pub const LESSER_KEPT: usize = 200;
/// Critical ones; more than a gateway has meters, so that the newest of each meter always waits.
pub const CRITICAL_KEPT: usize = 500;

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Drive a valve, by index.
    Drive {
        /// Index of the valve.
        valve: usize,
        /// Where to.
        to: Target,
        /// Pulse a latching valve even if its feedback says it is there already: gas that flows is
        /// better evidence than a switch.
        force: bool,
    },
    /// Leave these to the writer, as one transaction.
    Persist(Vec<Change>),
}

pub(super) struct Valve {
    pub(super) state: ValveState,
    pub(super) cannot_open: Option<String>,
    /// Where it was last told to be before this start.
    pub(super) commanded: Position,
    /// Counts the reasons to close that ever came.
    pub(super) epoch: u64,
    /// The last order.
    pub(super) told: Option<Target>,
    /// Whose it was.
    pub(super) told_by: Cow<'static, str>,
    /// What the record says of where it is.
    pub(super) known: Known,
    /// What drives it; empty where nothing does.
    pub(super) drivers: Vec<String>,
    /// Under which key orders to it are stored.
    pub(super) key: String,
}

pub(super) struct Meter {
    pub(super) id: String,
    pub(super) valve: Option<usize>,
}

/// All valves and the verdicts that nobody acknowledged.
pub struct Valves {
    pub(super) valves: Vec<Valve>,
    pub(super) meters: Vec<Meter>,
    pub(super) unacknowledged: Vec<VerdictRecord>,
    /// Holds that were asked for again, and how often: what releases them meanwhile does not.
    pub(super) asked: BTreeMap<u64, u32>,
    /// All holds, as they are stored.
    pub(super) placed: Placed,
    /// To be written at this start, see [`Valves::settled`].
    pub(super) settled: Vec<Change>,
}

impl Valves {
    /// The valves of a configuration with the holds and verdicts that were stored. Behind them come those
    /// that are not configured any more and that something is held for (see
    /// [`crate::response::unconfigured`]).
    #[must_use]
    pub fn new(config: &Config, loaded: &Loaded) -> Valves {
        let placed: Placed = loaded.holds.iter().map(|held| (held.hold.cookie, held.clone())).collect();
        let configured = config.valves.iter().map(|valve| {
            let drivers = config.drivers(valve);
            let key = driven::key(valve, &drivers);
            let commanded = driven::commanded(loaded, &valve.id, &drivers, &key);
            Valve {
                state: ValveState {
                    id: valve.id.clone(),
                    position: Position::Unknown,
                    actuator: match valve.actuator {
                        Actuator::Simulated => "simulated",
                        Actuator::Gpio { .. } => "gpio",
                        Actuator::Meter { .. } => METER_ACTUATOR,
                    }
                    .into(),
                    // See `settle`.
                    holds: Vec::new(),
                    health: "ok".into(),
                },
                cannot_open: None,
                commanded,
                epoch: 0,
                told: None,
                told_by: Cow::Borrowed(GASD),
                known: driven::known(loaded, &valve.id, &drivers, &key, commanded),
                drivers,
                key,
            }
        });
        let left = unconfigured::ids(config, loaded).into_iter().map(|id| unconfigured::valve(id, loaded));
        let valves = configured.chain(left).collect();
        let meters = config.meters.iter().map(|meter| Meter { id: meter.id.clone(), valve: meter.valve });
        let mut valves = Valves {
            valves,
            meters: meters.collect(),
            unacknowledged: loaded.verdicts.clone(),
            asked: BTreeMap::new(),
            placed,
            settled: Vec::new(),
        };
        valves.settle(loaded);
        valves
    }

    /// Other meters from now on, with the id of the valve of each, empty for none.
    pub fn set_meters(&mut self, meters: Vec<(String, String)>) {
        let valve = |id: &str| self.configured(id).ok();
        let meters = meters.into_iter().map(|(id, of)| Meter { valve: valve(&of), id });
        self.meters = meters.collect();
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.valves.len()
    }

    /// Whether anything keeps the valve closed.
    #[must_use]
    pub fn is_held(&self, valve: usize) -> bool {
        self.valves.get(valve).is_some_and(|valve| !valve.state.holds.is_empty())
    }

    /// What is known of a valve before its lines are requested.
    #[must_use]
    pub fn before(&self, at: usize) -> Before {
        let commanded = |valve: &Valve| valve.told.map_or(valve.commanded, Target::position);
        Before { held: self.is_held(at), commanded: self.valves.get(at).map(commanded).unwrap_or_default() }
    }

    /// The valve's state.
    #[must_use]
    pub fn state(&self, valve: usize) -> Option<&ValveState> {
        self.valves.get(valve).map(|valve| &valve.state)
    }

    /// All valves' states, in the order of the configuration, then those that are not configured any more.
    #[must_use]
    pub fn states(&self) -> Vec<ValveState> {
        self.valves.iter().map(|valve| valve.state.clone()).collect()
    }

    /// Verdicts that nobody acknowledged, oldest first.
    #[must_use]
    pub fn unacknowledged(&self) -> &[VerdictRecord] {
        &self.unacknowledged
    }

    /// A critical verdict on a meter, by index, is on its way: closes the meter's valve. What is kept of it
    /// follows with [`Valves::keep_verdict`], under the same lock; gas does not wait for words.
    pub fn close_for(&mut self, meter: usize) -> Vec<Step> {
        let valve = self.valve_of(meter);
        valve.map(|valve| self.drive(valve, Target::Closed, true, FOR_VERDICT)).into_iter().collect()
    }

    fn valve_of(&self, meter: usize) -> Option<usize> {
        self.meters.get(meter).and_then(|meter| meter.valve).filter(|valve| self.can_move(*valve))
    }

    /// A verdict on a meter, by index, is kept; a critical one holds the meter's valve under `cookie`.
    pub fn keep_verdict(
        &mut self,
        meter: usize,
        verdict: &VerdictRecord,
        cookie: u64,
        now: Now,
    ) -> Vec<Step> {
        self.unacknowledged.push(verdict.clone());
        let mut rows = vec![Change::Verdict(verdict.clone())];
        if verdict.severity != "critical" {
            return vec![Step::Persist(rows)];
        }
        let mut audit = entry(now, GASD, "verdict", &verdict.meter, &verdict.text, "no valve is configured");
        if let Some(valve) = self.valve_of(meter) {
            let hold = Hold {
                cookie,
                owner: GASD.into(),
                reason: verdict.text.clone(),
                verdict: Some(verdict.id),
                uid: None,
                since_unix_us: now.unix_us,
            };
            audit.outcome = format!("closing {}", self.valves[valve].state.id);
            rows.extend(self.hold(valve, hold));
        }
        rows.push(Change::Audit(audit));
        vec![Step::Persist(rows)]
    }

    /// Acknowledges an old verdict once more than [`LESSER_KEPT`] below critical or [`CRITICAL_KEPT`]
    /// critical ones wait, so that years of unread ones fill neither memory nor disk. Returns its number
    /// and the record.
    ///
    /// A critical one goes only if a later one of its meter waits: what keeps a valve from being opened
    /// stays, and so do the holds. The audit record keeps all.
    pub fn make_room(&mut self, now: Now) -> Option<(u64, Vec<Change>)> {
        let all = &self.unacknowledged;
        let critical = all.iter().filter(|verdict| verdict.severity == "critical").count();
        let at = if all.len() - critical > LESSER_KEPT {
            all.iter().position(|verdict| verdict.severity != "critical")
        } else if critical > CRITICAL_KEPT {
            let again = |at: usize, old: &VerdictRecord| {
                all[at + 1..].iter().any(|later| later.severity == "critical" && later.meter == old.meter)
            };
            all.iter()
                .enumerate()
                .find(|(at, verdict)| verdict.severity == "critical" && again(*at, verdict))
                .map(|(at, _)| at)
        } else {
            None
        }?;
        let old = self.unacknowledged.remove(at);
        let by = "gasd, to make room";
        let audit = entry(now, GASD, "acknowledge", &old.id.to_string(), &old.text, "made room");
        Some((old.id, vec![Change::Acknowledge { verdict: old.id, by: by.into() }, Change::Audit(audit)]))
    }

    /// Somebody closes a valve and holds it under `cookie`. A hold that a person placed for the same reason
    /// goes then: opening ends them all at once, so two would say nothing that one does not. The new one
    /// takes its place, and not the other way round, because an opening that is being written names the old
    /// one: whoever closes now must stay held, whatever becomes of that record.
    ///
    /// # Errors
    /// [`CommandError::NoSuchValve`], [`CommandError::NotConfigured`].
    pub fn close(
        &mut self,
        valve: &str,
        reason: &str,
        caller: &str,
        cookie: u64,
        now: Now,
    ) -> Result<Vec<Step>, CommandError> {
        let at = self.configured(valve)?;
        let hold = Hold {
            cookie,
            owner: OPERATOR.into(),
            reason: reason.into(),
            verdict: None,
            uid: None,
            since_unix_us: now.unix_us,
        };
        let drive = self.drive(at, Target::Closed, false, caller.to_owned());
        // What holds another valve, too, goes with no closing of this one.
        let same =
            |old: &&Hold| old.owner == OPERATOR && old.reason == reason && self.is_of_alone(at, old.cookie);
        let before: Vec<u64> =
            self.valves[at].state.holds.iter().filter(same).map(|old| old.cookie).collect();
        self.let_go(&before);
        let mut rows = self.hold(at, hold);
        let outcome = if before.is_empty() { "asked" } else { "held already" };
        rows.extend(before.into_iter().map(Change::ReleaseHold));
        rows.push(Change::Audit(entry(now, caller, "close", valve, reason, outcome)));
        Ok(vec![drive, Step::Persist(rows)])
    }

    pub(super) fn find(&self, id: &str) -> Result<usize, CommandError> {
        let at = self.valves.iter().position(|valve| valve.state.id == id);
        at.ok_or_else(|| CommandError::NoSuchValve(id.into()))
    }

    /// As [`Valves::find`], of those that can move.
    pub(super) fn configured(&self, id: &str) -> Result<usize, CommandError> {
        let at = self.find(id)?;
        if self.can_move(at) { Ok(at) } else { Err(CommandError::NotConfigured(id.into())) }
    }

    fn can_move(&self, at: usize) -> bool {
        self.valves.get(at).is_some_and(|valve| valve.state.is_configured())
    }

    pub(super) fn moving(&mut self, at: usize) -> Option<&mut Valve> {
        self.valves.get_mut(at).filter(|valve| valve.state.is_configured())
    }
}

#[cfg(test)]
#[path = "valves_tests.rs"]
pub(super) mod tests;
