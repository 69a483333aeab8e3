// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two names exchanged, two lines exchanged, a line that is gone.

use super::*;
use crate::config::{self, ClosedLevel, Config, GpioLine};
use crate::response::actuator::{Description, Target};
use crate::response::holds::Wanted;
use crate::response::valves::tests::{NOW, acknowledge, config, drives, verdict};
use crate::response::valves::{GASD, OPERATOR, Step};
use crate::state::{CommandError, Release};

/// The house's valve on one line, the outside's on the other.
pub(in crate::response) fn on_lines(house: u32, outside: u32) -> Config {
    let mut config = config();
    for (valve, line) in config.valves.iter_mut().zip([house, outside]) {
        let line = GpioLine { chip: Some("valves".into()), line, active_low: false, bias: None };
        valve.actuator = config::Actuator::Gpio {
            line,
            closed: ClosedLevel::High,
            pulse_ns: None,
            open_line: None,
            feedback: None,
        };
    }
    config
}

/// A latching valve with one line that closes it and one that opens it.
pub(in crate::response) fn latching(close: u32, open: u32) -> config::Actuator {
    let line = |line| GpioLine { chip: Some("valves".into()), line, active_low: false, bias: None };
    config::Actuator::Gpio {
        line: line(close),
        closed: ClosedLevel::High,
        pulse_ns: Some(1),
        open_line: Some(line(open)),
        feedback: None,
    }
}

/// The store, as far as these rows make it.
pub(in crate::response) fn store(loaded: &mut Loaded, steps: &[Step]) {
    for row in
        steps.iter().flat_map(|step| if let Step::Persist(rows) = step { rows.clone() } else { Vec::new() })
    {
        write(loaded, row);
    }
}

pub(in crate::response) fn write(loaded: &mut Loaded, row: Change) {
    match row {
        Change::PlaceHold(hold) => {
            loaded.holds.retain(|known| known.hold.cookie != hold.hold.cookie);
            loaded.holds.push(hold);
        }
        Change::ReleaseHold(cookie) => loaded.holds.retain(|known| known.hold.cookie != cookie),
        Change::Commanded { valve, to } => {
            loaded.commanded.retain(|(known, _)| *known != valve);
            loaded.commanded.push((valve, to));
        }
        Change::Known { valve, last } => {
            loaded.known.retain(|(known, _)| *known != valve);
            loaded.known.push((valve, last));
        }
        Change::Verdict(verdict) => loaded.verdicts.push(verdict),
        _ => {}
    }
}

pub(in crate::response) fn written(loaded: &mut Loaded, rows: Vec<Change>) {
    rows.into_iter().for_each(|row| write(loaded, row));
}

/// One start with this configuration, with what a start writes.
pub(in crate::response) fn started(config: &Config, loaded: &mut Loaded) -> Valves {
    let mut valves = Valves::new(config, loaded);
    let rows = valves.settled();
    written(loaded, rows);
    assert_eq!(Valves::new(config, loaded).settled(), [], "it is written once");
    valves
}

pub(in crate::response) const VENDOR: Wanted<'_> =
    Wanted { valve: "house", app: "vendor", reason: "unpaid", uid: 33, caller: "uid 33" };

/// The house's valve on line 1 is held by an application; the outside's, on line 2, was opened.
pub(in crate::response) fn held() -> Loaded {
    let mut loaded = Loaded::default();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    store(&mut loaded, &valves.place(VENDOR, 7, NOW).unwrap().1);
    let plan = valves.plan_open("outside", "uid 0", NOW).unwrap();
    written(&mut loaded, plan.record);
    loaded
}

pub(in crate::response) fn open(valves: &Valves, valve: &str) -> Result<(), CommandError> {
    valves.plan_open(valve, "uid 0", NOW).map(drop)
}

#[test]
fn lines_exchanged_are_both_held_and_the_one_that_was_is_closed_at_the_start() {
    let mut valves = Valves::new(&on_lines(2, 1), &held());
    let held = open(&valves, "outside").unwrap_err();
    assert!(matches!(held, CommandError::Held { cookie: 7, .. }), "{held}");
    assert!(held.to_string().contains("held as valve \"house\""), "{held}");
    assert!(matches!(open(&valves, "house").unwrap_err(), CommandError::Held { cookie: 7, .. }));
    for at in [0, 1] {
        assert!(valves.before(at).held);
        let first = valves.ready(at, Description::default(), Ok(Position::Open), NOW);
        assert_eq!(drives(&first), [(at, Target::Closed)]);
    }
    // Released by either name it is gone from both.
    let plan = valves.plan_release("outside", 7, Release::Own(33), "uid 33", NOW).unwrap();
    assert!(
        matches!(&valves.undo_release(&plan, NOW)[0], Change::PlaceHold(hold) if hold.valve == "house" && hold.hold.reason == "unpaid")
    );
    valves.confirm_release(&plan);
    open(&valves, "house").unwrap();
    open(&valves, "outside").unwrap();
}

#[test]
fn where_a_valve_was_told_to_be_goes_with_its_line() {
    let mut loaded = held();
    let mut commanded = |config: &Config| {
        let valves = started(config, &mut loaded);
        [0, 1].map(|at| valves.before(at).commanded)
    };
    assert_eq!(commanded(&on_lines(1, 2)), [Position::Closed, Position::Open]);
    assert_eq!(commanded(&on_lines(2, 1)), [Position::Open, Position::Closed]);
    assert_eq!(
        commanded(&on_lines(3, 1)),
        [Position::Unknown, Position::Closed],
        "a line that was never told anything"
    );
    assert_eq!(commanded(&on_lines(1, 2)), [Position::Closed, Position::Open]);
}

#[test]
fn a_valve_that_is_only_renamed_takes_its_hold_along_and_others_are_free() {
    let mut renamed = on_lines(1, 2);
    renamed.valves[0].id = "front".into();
    let valves = Valves::new(&renamed, &held());
    assert!(matches!(open(&valves, "front").unwrap_err(), CommandError::Held { cookie: 7, .. }));
    open(&valves, "outside").unwrap();
}

#[test]
fn where_nobody_knows_which_valve_is_held_none_is_opened() {
    for (config, why) in [
        (on_lines(3, 2), "was line 1 of chip valves when that was held, which no valve is now"),
        (
            Config { valves: on_lines(3, 2).valves.split_off(1), ..on_lines(3, 2) },
            "is not configured any more, and was line 1 of chip valves, which no valve is now",
        ),
    ] {
        let mut valves = Valves::new(&config, &held());
        let held = open(&valves, "outside").unwrap_err();
        assert!(matches!(held, CommandError::HeldAsAnother { cookie: 7, .. }), "{held}");
        assert!(held.to_string().contains(why), "{held}");
        let plan = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
        valves.confirm_release(&plan);
        open(&valves, "outside").unwrap();
    }
}

#[test]
fn holds_and_orders_of_an_earlier_gasd_are_of_the_lines_of_the_first_start() {
    let mut loaded = held();
    loaded.holds[0].marks.clear();
    loaded.commanded = vec![("house".into(), Position::Closed), ("outside".into(), Position::Open)];
    loaded.known = vec![("outside".into(), LastKnown { at: Position::Open, ordered: Position::Unknown })];
    let first = started(&on_lines(1, 2), &mut loaded);
    assert_eq!((first.before(0).held, first.before(1).commanded), (true, Position::Open));
    let valves = started(&on_lines(2, 1), &mut loaded);
    assert_eq!([0, 1].map(|at| valves.before(at).commanded), [Position::Open, Position::Closed]);
    assert!(matches!(open(&valves, "outside").unwrap_err(), CommandError::Held { .. }));
    // On a line that is new nothing of the names counts any more.
    assert_eq!(started(&on_lines(1, 3), &mut loaded).before(1).commanded, Position::Unknown);
}

#[test]
fn an_opening_lets_go_of_what_gasd_and_the_operator_held_under_another_name() {
    let mut loaded = Loaded::default();
    let mut valves = Valves::new(&on_lines(1, 2), &loaded);
    store(&mut loaded, &valves.close("house", "inspection", "uid 0", 3, NOW).unwrap());
    store(&mut loaded, &valves.on_verdict(0, &verdict(9, "kitchen", "critical"), 4, NOW));
    let owners = |valves: &Valves, at: usize| -> Vec<String> {
        valves.state(at).unwrap().holds.iter().map(|hold| hold.owner.clone()).collect()
    };
    let mut valves = started(&on_lines(2, 1), &mut loaded);
    assert_eq!(owners(&valves, 0), [OPERATOR, GASD]);
    assert_eq!(owners(&valves, 1), [OPERATOR, GASD]);
    let waits = open(&valves, "outside").unwrap_err();
    assert!(matches!(waits, CommandError::Unacknowledged { verdict: 9, .. }), "{waits}");
    acknowledge(&mut valves, 9);
    let plan = valves.plan_open("outside", "uid 0", NOW).unwrap();
    // What does not come about is placed again as it was.
    let undo = valves.undo_open(&plan, NOW);
    let again: Vec<_> = undo
        .iter()
        .filter_map(|row| match row {
            Change::PlaceHold(held) => Some((held.valve.as_str(), held.hold.cookie, held.marks.join(", "))),
            _ => None,
        })
        .collect();
    let both = "line 1 of chip valves, house, line 2 of chip valves, outside";
    assert_eq!(again, [("house", 3, both.into()), ("house", 4, both.into())]);
    let steps = valves.confirm_open(&plan, NOW).unwrap();
    assert_eq!(drives(&steps), [(1, Target::Open)]);
    assert!(owners(&valves, 0).is_empty() && owners(&valves, 1).is_empty());
}
