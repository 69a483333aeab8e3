// SPDX-License-Identifier: MIT OR Apache-2.0
//! Courses of several starts, with names and lines that come, go and are exchanged.

use crate::config;
use crate::response::actuator::{Description, Target};
use crate::response::driven::tests::{VENDOR, held, on_lines, open, started, store, written};
use crate::response::holds::Wanted;
use crate::response::valves::Step;
use crate::response::valves::Valves;
use crate::response::valves::tests::{NOW, config, drives};
use crate::state::{Position, Release};
use crate::store::{Change, Loaded};

#[test]
fn a_name_that_comes_back_does_not_open_what_was_closed_since_under_another() {
    let mut loaded = held();
    let mut renamed = on_lines(1, 2);
    renamed.valves[1].id = "garden".into();
    let mut valves = started(&renamed, &mut loaded);
    store(&mut loaded, &valves.place(Wanted { valve: "garden", ..VENDOR }, 8, NOW).unwrap().1);
    let plan = valves.plan_release("garden", 8, Release::Own(33), "uid 33", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    assert_eq!(started(&renamed, &mut loaded).before(1).commanded, Position::Closed);
    // Renamed back.
    let before = started(&on_lines(1, 2), &mut loaded).before(1);
    assert!(
        before.held || before.commanded != Position::Open,
        "the last order to line 2 was to close: {before:?}"
    );
}

#[test]
fn what_a_simulated_valve_was_told_is_nothing_of_a_line() {
    let mut loaded = Loaded::default();
    let lines = on_lines(1, 2);
    let mut valves = started(&lines, &mut loaded);
    store(&mut loaded, &valves.place(VENDOR, 7, NOW).unwrap().1);
    let plan = valves.plan_release("house", 7, Release::Own(33), "uid 33", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    assert_eq!(started(&lines, &mut loaded).before(0).commanded, Position::Closed);
    let simulated = config();
    let valves = started(&simulated, &mut loaded);
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    let before = started(&lines, &mut loaded).before(0);
    assert_ne!(before.commanded, Position::Open, "line 1 was told to close and never to open");
}

#[test]
fn closing_one_name_again_for_the_same_reason_takes_no_hold_of_the_other() {
    let mut loaded = Loaded::default();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    store(&mut loaded, &valves.close("house", "inspection", "uid 0", 3, NOW).unwrap());
    let mut valves = started(&on_lines(2, 1), &mut loaded);
    assert!(valves.is_held(0) && valves.is_held(1));
    store(&mut loaded, &valves.close("house", "inspection", "uid 0", 4, NOW).unwrap());
    assert!(valves.is_held(1), "in memory the one on line 1 is held");
    assert!(started(&on_lines(2, 1), &mut loaded).is_held(1), "and after a restart it is, too");
}

#[test]
fn an_application_that_asks_again_after_an_exchange_holds_what_its_name_is_now() {
    let mut loaded = held();
    let mut valves = started(&on_lines(2, 1), &mut loaded);
    // The vendor's program starts anew and asks for what it wants: told "held", by the cookie that it has.
    let (cookie, steps) = valves.place(VENDOR, 9, NOW).unwrap();
    store(&mut loaded, &steps);
    assert_eq!(cookie, 7);
    assert!(open(&valves, "house").is_err());
    // "A valve that was only renamed takes its hold along."
    let mut renamed = on_lines(2, 1);
    renamed.valves[0].id = "front".into();
    let valves = started(&renamed, &mut loaded);
    open(&valves, "outside").unwrap_err();
    open(&valves, "front").expect_err("line 2 was held as \"house\" and was only renamed");
}

#[test]
fn what_is_said_of_a_name_that_is_gone_is_true_after_a_release_by_the_other() {
    let mut renamed = on_lines(1, 2);
    renamed.valves[0].id = "front".into();
    let mut valves = Valves::new(&renamed, &held());
    let plan = valves.plan_release("front", 7, Release::Own(33), "uid 33", NOW).unwrap();
    valves.confirm_release(&plan);
    let gone = valves.states().into_iter().find(|valve| valve.id == "house").unwrap();
    assert!(gone.holds.is_empty());
    assert!(gone.health.contains("nothing is held"), "{}", gone.health);
}

#[test]
fn a_full_disk_and_openings_that_fail_push_no_hold_out_of_memory() {
    use crate::store::pending::{LIMIT, Pending};
    let mut pending = Pending::default();
    let mut valves = Valves::new(&on_lines(1, 2), &Loaded::default());
    let (_, steps) = valves.place(VENDOR, 7, NOW).unwrap();
    for step in steps {
        if let Step::Persist(rows) = step {
            pending.push(rows);
        }
    }
    // The disk is full: each try to open the other valve is taken back.
    for _ in 0..=LIMIT {
        let plan = valves.plan_open("outside", "uid 0", NOW).unwrap();
        pending.push(valves.undo_open(&plan, NOW));
    }
    let rows = pending.take();
    assert!(
        rows.iter().any(|row| matches!(row, Change::PlaceHold(hold) if hold.hold.cookie == 7)),
        "the hold is lost"
    );
}

#[test]
fn a_full_queue_leaves_no_line_with_the_order_of_another() {
    use crate::store::pending::{LIMIT, Pending};
    let mut loaded = held();
    let exchanged = on_lines(2, 1);
    let mut valves = Valves::new(&exchanged, &loaded);
    let plan = valves.plan_release("house", 7, Release::Own(33), "uid 33", NOW).unwrap();
    let mut pending = Pending::default();
    pending.push(valves.settled());
    // The disk is full, and a program tries to release its hold again and again.
    for _ in 0..LIMIT / 2 - 1 {
        pending.push(valves.undo_release(&plan, NOW));
    }
    written(&mut loaded, pending.take());
    // It can be written again: released, and after a power cut the lines read open.
    written(&mut loaded, plan.record.clone());
    valves.confirm_release(&plan);
    let before = Valves::new(&exchanged, &loaded).before(1);
    assert!(before.commanded != Position::Open, "line 1 was told to close and never to open: {before:?}");
}

#[test]
fn a_valve_that_was_only_renamed_is_where_it_was_told_to_be() {
    let mut loaded = held();
    let mut renamed = on_lines(1, 2);
    renamed.valves[1].id = "garden".into();
    let before = started(&renamed, &mut loaded).before(1);
    assert_eq!(before.commanded, Position::Open, "line 2 was told to open, and goes on under the new name");
}

/// The chip is the same, and called by its number now, not by its label: nobody can know that from the configuration.
#[test]
fn where_nobody_knows_which_valve_is_held_none_is_left_open_by_its_name_alone() {
    let mut loaded = held();
    let mut exchanged = on_lines(2, 1);
    for valve in &mut exchanged.valves {
        if let config::Actuator::Gpio { line, .. } = &mut valve.actuator {
            line.chip = Some("gpiochip0".into());
        }
    }
    let valves = started(&exchanged, &mut loaded);
    open(&valves, "outside").unwrap_err();
    let before = valves.before(1);
    assert!(
        before.held || before.commanded != Position::Open,
        "line 1 is held, and was never told to open: {before:?}"
    );
}

/// Gone back to an earlier gasd for a while, which closed the valve and wrote that under its id.
#[test]
fn what_an_earlier_gasd_told_since_counts() {
    let mut loaded = held();
    let _ = started(&on_lines(1, 2), &mut loaded);
    // An earlier gasd: a hold placed and released of "outside": last told to close, under its id.
    loaded.commanded.retain(|(k, _)| k != "outside");
    loaded.commanded.push(("outside".into(), Position::Closed));
    let before = started(&on_lines(1, 2), &mut loaded).before(1);
    assert_ne!(before.commanded, Position::Open, "it was last told to close");
}

/// A held valve is closed by the start, on a line that was told to open before; the hold is released; a power cut.
#[test]
fn a_closing_of_a_start_is_the_last_order_of_its_line() {
    let mut loaded = held();
    let exchanged = on_lines(2, 1);
    let mut valves = started(&exchanged, &mut loaded);
    for at in [0, 1] {
        let steps = valves.ready(at, Description::default(), Ok(Position::Open), NOW);
        assert_eq!(drives(&steps), [(at, Target::Closed)]);
        store(&mut loaded, &steps);
        let steps = valves.driven(at, Target::Closed, Some(1), Ok(Position::Closed), NOW);
        store(&mut loaded, &steps);
    }
    let plan = valves.plan_release("house", 7, Release::Own(33), "uid 33", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    valves.confirm_release(&plan);
    assert_eq!(valves.before(0).commanded, Position::Closed, "in memory");
    let before = started(&exchanged, &mut loaded).before(0);
    assert!(before.held || before.commanded != Position::Open, "line 2 was last told to close: {before:?}");
}

/// The operator's hold goes with the opening of the other valve.
#[test]
fn opening_one_leaves_the_other_closed_after_a_power_cut() {
    let mut loaded = Loaded::default();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    store(&mut loaded, &valves.close("house", "inspection", "uid 0", 3, NOW).unwrap());
    let plan = valves.plan_open("outside", "uid 0", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    let exchanged = on_lines(2, 1);
    let mut valves = started(&exchanged, &mut loaded);
    for at in [0, 1] {
        let steps = valves.ready(at, Description::default(), Ok(Position::Open), NOW);
        store(&mut loaded, &steps);
        let steps = valves.driven(at, Target::Closed, Some(1), Ok(Position::Closed), NOW);
        store(&mut loaded, &steps);
    }
    let plan = valves.plan_open("outside", "uid 0", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    store(&mut loaded, &valves.confirm_open(&plan, NOW).unwrap());
    let before = started(&exchanged, &mut loaded).before(0);
    assert!(
        before.held || before.commanded != Position::Open,
        "line 2 was last told to close, nobody opened house: {before:?}"
    );
}

/// Renamed at one start, lines exchanged at the next.
#[test]
fn a_rename_and_then_an_exchange_pass_no_hold() {
    let mut loaded = held();
    let mut renamed = on_lines(1, 2);
    renamed.valves[0].id = "front".into();
    let valves = started(&renamed, &mut loaded);
    open(&valves, "front").unwrap_err();
    let mut exchanged = on_lines(2, 1);
    exchanged.valves[0].id = "front".into();
    let valves = started(&exchanged, &mut loaded);
    open(&valves, "outside").unwrap_err();
    open(&valves, "front").expect_err("front was seen as held, and lines were exchanged");
}

/// An application asks for both names after an exchange, and lets go of one.
#[test]
fn what_an_application_holds_by_two_names_is_not_let_go_by_one() {
    let mut loaded = held();
    let mut valves = started(&on_lines(2, 1), &mut loaded);
    let (a, steps) = valves.place(VENDOR, 8, NOW).unwrap();
    store(&mut loaded, &steps);
    let (_, steps) = valves.place(Wanted { valve: "outside", ..VENDOR }, 9, NOW).unwrap();
    store(&mut loaded, &steps);
    let plan = valves.plan_release("house", a, Release::Own(33), "uid 33", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    valves.confirm_release(&plan);
    open(&valves, "outside")
        .expect_err("the application was told that it holds outside, and did not release that");
}

/// A release is being written while the application asks anew.
#[test]
fn a_hold_that_was_confirmed_while_its_release_is_written_stays() {
    let mut loaded = held();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    let plan = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    let (cookie, steps) = valves.place(VENDOR, 8, NOW).unwrap();
    store(&mut loaded, &steps);
    written(&mut loaded, valves.confirm_release(&plan));
    assert!(valves.is_held(0), "told it holds by {cookie}");
    assert!(started(&on_lines(1, 2), &mut loaded).is_held(0));
}

#[test]
fn undo_of_release_does_not_come_after_another_release() {
    let mut loaded = held();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    let one = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
    let two = valves.plan_release("house", 7, Release::Own(33), "uid 33", NOW).unwrap();
    written(&mut loaded, one.record.clone());
    valves.confirm_release(&one);
    // The second's write fails.
    written(&mut loaded, valves.undo_release(&two, NOW));
    assert_eq!(valves.is_held(0), started(&on_lines(1, 2), &mut loaded).is_held(0), "memory and store");
}

/// A release is on the disk and not confirmed yet; the application asks anew, is told its cookie once all that was
/// pushed is on the disk, and gasd is killed.
#[test]
fn a_hold_that_an_application_was_told_it_has_is_on_the_disk() {
    let mut loaded = held();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    let plan = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    let (cookie, steps) = valves.place(VENDOR, 8, NOW).unwrap();
    store(&mut loaded, &steps);
    // `Response::hold` returns the cookie here.
    assert!(started(&on_lines(1, 2), &mut loaded).is_held(0), "told that it holds by {cookie}");
}

/// A release is begun, and comes to the disk only after what was pushed when the application asked anew.
#[test]
fn a_hold_that_is_told_once_more_outlives_a_release_that_was_slow() {
    let mut loaded = held();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    let plan = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
    let (cookie, steps) = valves.place(VENDOR, 8, NOW).unwrap();
    store(&mut loaded, &steps);
    written(&mut loaded, plan.record.clone());
    // Another one that is asked for only now ends before the application is told.
    let late = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
    written(&mut loaded, valves.told_again(cookie));
    assert!(started(&on_lines(1, 2), &mut loaded).is_held(0), "told that it holds by {cookie}");
    for plan in [plan, late] {
        written(&mut loaded, valves.confirm_release(&plan));
        assert!(valves.is_held(0) && started(&on_lines(1, 2), &mut loaded).is_held(0));
    }
    // And one that is asked for after that is done.
    let plan = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
    written(&mut loaded, plan.record.clone());
    assert_eq!((valves.confirm_release(&plan), valves.told_again(cookie)), (vec![], vec![]));
    assert!(!valves.is_held(0) && !started(&on_lines(1, 2), &mut loaded).is_held(0));
}

/// The closing of a start is an order, also where the disk is full for an hour and a program tries each second to
/// release its hold.
#[test]
fn the_closing_of_a_start_outlives_a_full_queue() {
    use crate::store::pending::{LIMIT, Pending};
    let mut loaded = held();
    // Line 2, which was told to open, is the house's now, and the house is held.
    let exchanged = on_lines(2, 1);
    let mut valves = Valves::new(&exchanged, &loaded);
    let mut pending = Pending::default();
    pending.push(valves.settled());
    for at in [0, 1] {
        for step in valves.ready(at, Description::default(), Ok(Position::Open), NOW) {
            if let Step::Persist(rows) = step {
                pending.push(rows);
            }
        }
    }
    let plan = valves.plan_release("house", 7, Release::Own(33), "uid 33", NOW).unwrap();
    for _ in 0..LIMIT {
        pending.push(valves.undo_release(&plan, NOW));
    }
    // There is room again: it is released, and then the power is cut; nobody has opened anything.
    written(&mut loaded, pending.take());
    written(&mut loaded, plan.record.clone());
    valves.confirm_release(&plan);
    for at in [0, 1] {
        let before = Valves::new(&exchanged, &loaded).before(at);
        assert!(
            before.held || before.commanded != Position::Open,
            "valve {at} was last told to close: {before:?}"
        );
    }
}
