// SPDX-License-Identifier: MIT OR Apache-2.0
//! From states to notes: a fault is said once when it begins, in the words of the state, and once when
//! it is over. Pure, except that notes are returned for [`super::tell`].

use std::collections::HashMap;

use crate::{
    response::actuator::Target,
    state::{Position, ServiceState, ValveState, VerdictRecord},
    store::StoreError,
};

use super::{Note, what::Priority, what::What};

/// Health of something that works.
const OK: &str = "ok";

/// What was said of a verdict.
#[must_use]
pub fn verdict(record: &VerdictRecord) -> Note {
    let what = What::verdict(&record.kind);
    Note {
        priority: Priority::of_severity(&record.severity),
        verdict: Some(record.id.to_string()),
        kind: Some(record.kind.clone()),
        severity: Some(record.severity.clone()),
        ..Note::new(what, format!("verdict {}, {}: {}", record.id, record.severity, record.text))
            .meter(&record.meter)
    }
}

/// What was said of valves.
#[derive(Debug, Default)]
pub struct Valves(HashMap<String, (Position, String)>);

impl Valves {
    /// What there is to say now that a valve is so.
    pub fn now(&mut self, valve: &ValveState) -> Vec<Note> {
        let now = (valve.position, valve.health.clone());
        let before = self.0.insert(valve.id.clone(), now);
        let (position, health) =
            before.as_ref().map_or((Position::Unknown, OK), |(position, health)| (*position, health));
        let note =
            |what, text: String| Note::new(what, format!("valve \"{}\" {text}", valve.id)).valve(&valve.id);
        let mut notes = Vec::new();
        if valve.health != health {
            if !valve.is_configured() {
                // Nothing is held any more: that is in the record.
                if !valve.holds.is_empty() {
                    notes.push(note(What::ValveUnconfigured, valve.health.clone()));
                }
            } else if valve.health == OK {
                notes.push(note(What::ValveWell, "works".to_owned()));
            } else if ![Target::Open, Target::Closed].map(Target::under_way).contains(&valve.health.as_str())
            {
                let fault = note(What::ValveFault, valve.health.clone());
                // A valve that is where it is held, or that nothing holds, closes no gas in or out.
                let held_open = !valve.holds.is_empty() && valve.position != Position::Closed;
                let priority = if held_open { Priority::Critical } else { Priority::Warning };
                notes.push(Note { priority, ..fault });
            }
        }
        if valve.position != position {
            let why = valve.holds.last().map_or(String::new(), |hold| format!(": {}", hold.reason));
            match valve.position {
                Position::Closed => notes.push(note(What::ValveClosed, format!("is closed{why}"))),
                Position::Open => notes.push(note(What::ValveOpened, "is open".to_owned())),
                Position::Unknown => {}
            }
        }
        notes
    }
}

/// What was said of a meter's line, by the line's health; `None` is well.
#[must_use]
pub fn line(meter: &str, before: Option<&str>, now: Option<&str>) -> Option<Note> {
    match now {
        Some(why) if before != now => {
            Some(Note::new(What::LineLost, format!("meter \"{meter}\": {why}")).meter(meter))
        }
        None if before.is_some() => {
            let fed = before.is_some_and(|why| why.starts_with("nobody feeds it"));
            let what = if fed { "a program feeds it" } else { "its line works" };
            Some(Note::new(What::LineBack, format!("meter \"{meter}\": {what}")).meter(meter))
        }
        _ => None,
    }
}

/// What was said of the service.
#[derive(Debug, Default)]
pub struct Service {
    store: Option<What>,
    slot_empty: bool,
    missed: u64,
}

/// So many events more that did not arrive are worth saying.
const MISSED_STEP: u64 = 1000;

impl Service {
    /// What there is to say now that the service, and the store, are so.
    pub fn now(
        &mut self,
        service: &ServiceState,
        store: Option<&StoreError>,
        problem: Option<&str>,
    ) -> Vec<Note> {
        let mut notes = Vec::new();
        let what = store.map(|error| match error {
            StoreError::DiskFull { .. } => What::StoreFull,
            StoreError::ReadOnly { .. } => What::StoreReadOnly,
            _ => What::StoreFault,
        });
        if what != self.store {
            match what {
                Some(what) => {
                    let text =
                        problem.map_or_else(|| store.map(ToString::to_string), |text| Some(text.to_owned()));
                    notes.push(Note::new(what, text.unwrap_or_default()));
                }
                None => notes.push(Note::new(What::StoreWell, "the store is written again")),
            }
            self.store = what;
        }
        if service.fall_through > 0 && !self.slot_empty {
            let text = format!(
                "{} interrupts found no pulse program and were not counted; `systemctl restart gasd-load`",
                service.fall_through
            );
            notes.push(Note::new(What::SlotEmpty, text));
        }
        self.slot_empty = service.fall_through > 0;
        let missed = service.events_missed + service.queue_full + service.ring_overrun;
        if missed > 0 && (self.missed == 0 || missed >= self.missed + MISSED_STEP) {
            let text = format!("{missed} events came too late to be judged; their pulses are counted");
            notes.push(Note::new(What::EventsMissed, text));
            self.missed = missed;
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Hold;

    fn whats(notes: &[Note]) -> Vec<What> {
        notes.iter().map(|note| note.what).collect()
    }

    #[test]
    fn a_valve_is_told_of_when_it_moves_and_when_it_does_not() {
        let mut valves = Valves::default();
        let mut valve = ValveState { id: "main".into(), health: OK.into(), ..ValveState::default() };
        assert_eq!(valves.now(&valve), []);
        valve.position = Position::Open;
        assert_eq!(whats(&valves.now(&valve)), [What::ValveOpened]);
        assert_eq!(valves.now(&valve), [], "once");
        let hold = Hold {
            cookie: 1,
            owner: "gasd".into(),
            reason: "a surge".into(),
            verdict: None,
            uid: None,
            since_unix_us: 0,
        };
        valve.holds.push(hold);
        valve.position = Position::Unknown;
        valve.health = "could not be driven closed: jammed; trying again".into();
        let notes = valves.now(&valve);
        assert_eq!((notes[0].what, notes[0].priority), (What::ValveFault, Priority::Critical));
        assert_eq!(notes[0].valve.as_deref(), Some("main"));
        valve.position = Position::Closed;
        valve.health = OK.into();
        let notes = valves.now(&valve);
        assert_eq!(whats(&notes), [What::ValveWell, What::ValveClosed]);
        assert_eq!(notes[1].text, "valve \"main\" is closed: a surge");
    }

    #[test]
    fn a_valve_that_is_not_configured_any_more_is_told_of_once_and_is_no_emergency() {
        let mut valves = Valves::default();
        let hold = Hold {
            cookie: 1,
            owner: "operator".into(),
            reason: "inspection".into(),
            verdict: None,
            uid: None,
            since_unix_us: 0,
        };
        let mut valve = ValveState {
            id: "old".into(),
            actuator: crate::state::NO_ACTUATOR.into(),
            health: "is not configured any more".into(),
            holds: vec![hold],
            ..ValveState::default()
        };
        let notes = valves.now(&valve);
        assert_eq!((notes[0].what, notes[0].priority), (What::ValveUnconfigured, Priority::Warning));
        valve.holds.clear();
        valve.health = "is not configured any more, and nothing is held".into();
        assert_eq!(valves.now(&valve), []);
    }

    #[test]
    fn a_full_disk_is_told_of_once_and_its_end_too() {
        let mut said = Service::default();
        let full = StoreError::DiskFull { dir: "/var/lib/gasd".into() };
        let state = ServiceState::default();
        assert_eq!(whats(&said.now(&state, Some(&full), Some("no space"))), [What::StoreFull]);
        assert_eq!(said.now(&state, Some(&full), Some("no space, 2 wait")), []);
        assert_eq!(whats(&said.now(&state, None, None)), [What::StoreWell]);
        assert_eq!(said.now(&state, None, None), []);
    }

    #[test]
    fn lost_events_are_not_told_of_one_by_one() {
        let mut said = Service::default();
        let mut state = ServiceState { events_missed: 1, ..ServiceState::default() };
        assert_eq!(whats(&said.now(&state, None, None)), [What::EventsMissed]);
        state.events_missed = 1000;
        assert_eq!(said.now(&state, None, None), []);
        state.events_missed = 1001;
        assert_eq!(whats(&said.now(&state, None, None)), [What::EventsMissed]);
    }

    #[test]
    fn a_line_is_told_of_when_it_goes_and_when_it_is_back() {
        assert_eq!(line("m", None, None), None);
        assert_eq!(line("m", None, Some("gone")).map(|note| note.what), Some(What::LineLost));
        assert_eq!(line("m", Some("gone"), Some("gone")), None);
        assert_eq!(line("m", Some("gone"), None).map(|note| note.what), Some(What::LineBack));
    }
}
