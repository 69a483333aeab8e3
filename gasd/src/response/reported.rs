// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a valve's actuator reports: that it is there or not, how an order ended, what its feedback reads. Pure.

use crate::response::actuator::{Description, Target};
use crate::response::audit::entry;
use crate::response::clock::Now;
use crate::response::valves::{GASD, Step, Valve, Valves};
use crate::state::{METER_ACTUATOR, Position};
use crate::store::Change;

impl Valves {
    /// The actuator is there, and says what it is and where the valve is. A held one is closed.
    pub fn ready(
        &mut self,
        at: usize,
        description: Description,
        position: Result<Position, String>,
        now: Now,
    ) -> Vec<Step> {
        let Some(valve) = self.moving(at) else {
            return Vec::new();
        };
        let said = valve.known.seen(position.as_ref().copied().unwrap_or_default(), now.boottime_ns);
        valve.cannot_open = description.cannot_open;
        (valve.state.position, valve.state.health) = match position {
            Ok(Position::Closed)
                if valve.told.map_or(valve.commanded, Target::position) == Position::Open
                    && valve.state.holds.is_empty() =>
            {
                let id = &valve.state.id;
                let health = format!(
                    "was last told to be open and was found closed; `gasctl valve open {id}` opens it"
                );
                (Position::Closed, health)
            }
            Ok(position) => (position, "ok".into()),
            Err(text) => (Position::Unknown, text),
        };
        let mut steps = self.close_held(at, false);
        steps.extend(said.map(|detail| self.record_seen(at, &detail, now)));
        steps
    }

    /// The actuator is not there. A held valve is to be closed all the same: each order looks for the
    /// actuator again.
    pub fn unusable(&mut self, at: usize, text: String) -> Vec<Step> {
        let Some(valve) = self.moving(at) else {
            return Vec::new();
        };
        valve.known.lost();
        valve.state.position = Position::Unknown;
        valve.state.health = text;
        self.close_held(at, false)
    }

    /// An order ended, `latency_ns` after it was decided (absent if the line was not set).
    pub fn driven(
        &mut self,
        valve: usize,
        to: Target,
        latency_ns: Option<u64>,
        result: Result<Position, String>,
        now: Now,
    ) -> Vec<Step> {
        let Some(valve) = self.moving(valve) else {
            return Vec::new();
        };
        let took = match latency_ns {
            Some(ns) => format!("; the line was set after {}.{:03} ms", ns / 1_000_000, ns / 1000 % 1000),
            // A valve in a meter has none.
            None if valve.state.actuator == METER_ACTUATOR => String::new(),
            None => "; the line was not set".to_owned(),
        };
        let outcome = if result.is_ok() { "done" } else { "failed" };
        // An answer to an order that a newer one has overtaken says nothing about now.
        let current = valve.told == Some(to);
        let detail = match result {
            Ok(position) => {
                if current {
                    valve.known.arrived(position);
                    valve.state.position = position;
                    valve.state.health = "ok".into();
                }
                format!("{}{took}", to.name())
            }
            Err(text) => {
                if current {
                    // A meter does what it was told when it hears of it, and is read when it is time.
                    if valve.state.actuator != METER_ACTUATOR {
                        valve.known.failed(now.boottime_ns);
                    }
                    valve.state.position = Position::Unknown;
                    valve.state.health = format!("could not be driven {}: {text}", to.name());
                }
                format!("{}: {text}{took}", to.name())
            }
        };
        let id = &valve.state.id;
        let audit = entry(now, GASD, "drive", id, &detail, outcome);
        vec![Step::Persist(vec![valve.known.row(&valve.key), Change::Audit(audit)])]
    }

    /// The feedback reads something else than before, without an order that ended. A held valve that reads
    /// open is closed again, once for each time it changes.
    pub fn observed(&mut self, valve: usize, position: Position, now: Now) -> Vec<Step> {
        let Some(at) = self.moving(valve) else {
            return Vec::new();
        };
        if at.state.position == position {
            return Vec::new();
        }
        let told = at.told.map(Target::position);
        let disagrees = told.is_some_and(|told| told != position);
        at.state.position = if disagrees { Position::Unknown } else { position };
        at.state.health = match told {
            Some(told) if disagrees => {
                format!("was told to be {} and its feedback reads {}", told.name(), position.name())
            }
            _ => "ok".into(),
        };
        let said = at.known.seen(position, now.boottime_ns);
        let mut steps = Vec::new();
        if position != Position::Closed {
            steps = self.close_held(valve, true);
        }
        steps.extend(said.map(|detail| self.record_seen(valve, &detail, now)));
        steps
    }

    /// A held valve is closed, which is the last order to what drives it: the next start is not to go by an older one.
    fn close_held(&mut self, at: usize, force: bool) -> Vec<Step> {
        if !self.is_held(at) {
            return Vec::new();
        }
        let drive = self.drive(at, Target::Closed, force, GASD);
        vec![drive, Step::Persist(self.valves[at].rows_told(Position::Closed).into())]
    }

    /// What was seen of a valve, with what the next start is to know.
    fn record_seen(&self, valve: usize, detail: &str, now: Now) -> Step {
        let Valve { state, known, key, .. } = &self.valves[valve];
        let audit = entry(now, GASD, "feedback", &state.id, detail, "seen");
        Step::Persist(vec![known.row(key), Change::Audit(audit)])
    }
}
