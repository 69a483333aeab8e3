// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::response::actuator::Description;
use crate::response::clock::Now;
use crate::response::valves::tests::{NOW, config, drives};
use crate::response::valves::{Step, Valves};
use crate::state::Hold;
use crate::store::Loaded;
use crate::store::StoredHold;
use Position::{Closed, Open, Unknown};

const S: u64 = 1_000_000_000;

/// The valves of a gasd that stopped when `house` was so.
fn after(at: Position, ordered: Position, held: bool) -> Valves {
    let (owner, reason) = ("operator".into(), String::new());
    let hold = Hold { cookie: 1, owner, reason, verdict: None, uid: None, since_unix_us: 0 };
    let holds =
        if held { vec![StoredHold { valve: "house".into(), hold, marks: Vec::new() }] } else { Vec::new() };
    let commanded = if held { Closed } else { Open };
    let known = vec![("house".into(), LastKnown { at, ordered })];
    let loaded = Loaded { holds, known, commanded: vec![("house".into(), commanded)], ..Loaded::default() };
    Valves::new(&config(), &loaded)
}

/// What the record says of the feedback.
fn said(steps: &[Step]) -> Vec<String> {
    let rows = steps.iter().filter_map(|step| match step {
        Step::Persist(rows) => Some(rows),
        Step::Drive { .. } => None,
    });
    let entries = rows.flatten().filter_map(|row| match row {
        Change::Audit(entry) if entry.action == "feedback" => Some(entry.detail.clone()),
        _ => None,
    });
    entries.collect()
}

/// What the next start will know.
fn kept(steps: &[Step]) -> LastKnown {
    let row = steps.iter().rev().find_map(|step| match step {
        Step::Persist(rows) => rows.iter().rev().find_map(|row| match row {
            Change::Known { last, .. } => Some(*last),
            _ => None,
        }),
        Step::Drive { .. } => None,
    });
    row.unwrap()
}

fn ready(valves: &mut Valves, position: Position) -> Vec<Step> {
    valves.ready(0, Description::default(), Ok(position), NOW)
}

fn at(s: u64) -> Now {
    Now { boottime_ns: NOW.boottime_ns + s * S, ..NOW }
}

#[test]
fn a_valve_that_is_where_it_was_says_nothing_at_a_start() {
    for position in [Open, Closed] {
        // On a line, which is read at once.
        let mut valves = after(position, Unknown, false);
        assert_eq!(said(&ready(&mut valves, position)), [""; 0]);
        // In a meter, which is read when it is time.
        let mut valves = after(position, Unknown, false);
        assert_eq!(ready(&mut valves, Unknown), []);
        assert_eq!(valves.observed(0, position, at(60)), []);
        assert_eq!(valves.state(0).unwrap().position, position);
    }
}

#[test]
fn a_move_that_was_ordered_before_the_start_is_none_of_the_valves_own() {
    for (was, to) in [(Closed, Open), (Open, Closed)] {
        let now = format!("is {} now, as was ordered before gasd stopped", to.name());
        let mut valves = after(was, to, false);
        let steps = ready(&mut valves, to);
        assert_eq!(said(&steps), [now.as_str()]);
        assert_eq!(kept(&steps), LastKnown { at: to, ordered: Unknown });
        let mut valves = after(was, to, false);
        ready(&mut valves, Unknown);
        assert_eq!(said(&valves.observed(0, to, at(3600))), [now.as_str()]);
        // It is on its way still when gasd is back.
        let mut valves = after(was, to, false);
        assert_eq!(said(&ready(&mut valves, was)), [""; 0]);
        assert_eq!(said(&valves.observed(0, to, at(8))), [now.as_str()]);
        // And back, which nobody ordered.
        let back = format!("the feedback changed to {} by itself", was.name());
        assert_eq!(said(&valves.observed(0, was, at(9))), [back.as_str()]);
    }
}

#[test]
fn a_valve_that_stayed_and_moved_long_after_the_start_moved_by_itself() {
    let mut valves = after(Closed, Open, false);
    ready(&mut valves, Closed);
    assert_eq!(said(&valves.observed(0, Open, at(3600))), ["the feedback changed to open by itself"]);
}

#[test]
fn a_valve_that_is_elsewhere_was_moved_while_gasd_did_not_run() {
    for (was, is) in [(Closed, Open), (Open, Closed)] {
        let words = format!("was {} when gasd stopped and is {} now: moved meanwhile", was.name(), is.name());
        let mut valves = after(was, Unknown, false);
        assert_eq!(said(&ready(&mut valves, is)), [words.as_str()]);
        let mut valves = after(was, Unknown, false);
        ready(&mut valves, Unknown);
        let steps = valves.observed(0, is, at(60));
        assert_eq!(said(&steps), [words.as_str()]);
        assert_eq!(kept(&steps), LastKnown { at: is, ordered: Unknown });
        assert_eq!(drives(&steps), []);
    }
}

#[test]
fn a_held_valve_that_was_opened_while_gasd_did_not_run_is_closed_and_said_to_have_been_moved() {
    let mut valves = after(Closed, Unknown, true);
    let steps = ready(&mut valves, Open);
    assert_eq!(drives(&steps), [(0, Target::Closed)], "at once");
    assert_eq!(said(&steps), ["was closed when gasd stopped and is open now: moved meanwhile"]);
    assert_eq!(kept(&steps), LastKnown { at: Open, ordered: Closed });
    let steps = valves.driven(0, Target::Closed, Some(1), Ok(Closed), at(1));
    assert_eq!(kept(&steps), LastKnown { at: Closed, ordered: Unknown });
    assert_eq!(said(&valves.observed(0, Open, at(9))), ["the feedback changed to open by itself"]);
}

#[test]
fn a_held_valve_in_a_meter_is_closed_again_for_each_reading_of_open() {
    let mut valves = after(Closed, Unknown, true);
    assert_eq!(drives(&ready(&mut valves, Unknown)), [(0, Target::Closed)]);
    valves.driven(0, Target::Closed, None, Err("its port is not there yet".into()), NOW);
    let steps = valves.observed(0, Open, at(60));
    assert_eq!(drives(&steps), [(0, Target::Closed)]);
    assert_eq!(said(&steps), ["was closed when gasd stopped and is open now: moved meanwhile"]);
    // It failed again, and nothing moved since.
    valves.driven(0, Target::Closed, None, Err("no answer".into()), at(70));
    let steps = valves.observed(0, Open, at(130));
    assert_eq!(drives(&steps), [(0, Target::Closed)]);
    assert_eq!(said(&steps), ["is still open, and was told to be closed"]);
    assert!(valves.is_held(0));
}

#[test]
fn an_order_that_is_slower_than_its_outcome_is_no_move_of_the_valves_own() {
    let mut valves = after(Closed, Unknown, false);
    ready(&mut valves, Closed);
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    let told = kept(&[Step::Persist(plan.record.clone())]);
    assert_eq!(told, LastKnown { at: Closed, ordered: Open }, "durable before it is driven");
    valves.confirm_open(&plan, NOW).unwrap();
    let steps = valves.driven(0, Target::Open, Some(1), Err("the feedback reads closed".into()), at(6));
    assert_eq!(kept(&steps), told);
    assert_eq!(said(&valves.observed(0, Open, at(10))), ["is open now, as it was told"]);
}

#[test]
fn a_valve_that_could_not_be_asked_for_a_while_did_not_move_by_itself() {
    let mut valves = after(Open, Unknown, false);
    ready(&mut valves, Open);
    let lost = ["its feedback does not say any more where it is"];
    assert_eq!(said(&valves.observed(0, Unknown, at(1))), lost);
    assert_eq!(said(&valves.observed(0, Open, at(2))), ["is open, as it was when that was last known"]);
    assert_eq!(said(&valves.observed(0, Unknown, at(3))), lost);
    let moved = ["was open when that was last known and is closed now: moved meanwhile"];
    assert_eq!(said(&valves.observed(0, Closed, at(4))), moved);
    valves.unusable(0, "its chip is gone".into());
    assert_eq!(
        said(&ready(&mut valves, Open)),
        [moved[0].replace("open when", "closed when").replace("is closed", "is open")]
    );
}

#[test]
fn a_valve_of_which_nothing_was_written_down_is_said_to_be_where_it_is() {
    let mut valves = Valves::new(&config(), &Loaded::default());
    assert_eq!(said(&ready(&mut valves, Open)), ["is open; where it was before is not known"]);
    // A store of before that was kept has the last order.
    let old = |to| Loaded { commanded: vec![("house".into(), to)], ..Loaded::default() };
    let mut valves = Valves::new(&config(), &old(Open));
    assert_eq!(said(&ready(&mut valves, Open)), ["is open now, as was ordered before gasd stopped"]);
    let mut valves = Valves::new(&config(), &old(Open));
    let words = ["is closed; where it was before is not known; it was last told to be open"];
    assert_eq!(said(&ready(&mut valves, Closed)), words);
}

#[test]
fn a_closing_is_on_record_as_ordered_with_its_hold() {
    let mut valves = after(Open, Unknown, false);
    ready(&mut valves, Open);
    let steps = valves.close("house", "inspection", "uid 0", 2, NOW).unwrap();
    assert_eq!(kept(&steps), LastKnown { at: Open, ordered: Closed });
    // An opening that does not come about leaves what is true.
    valves.driven(0, Target::Closed, Some(1), Ok(Closed), NOW);
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    let undo = valves.undo_open(&plan, NOW);
    assert_eq!(kept(&[Step::Persist(undo)]), LastKnown { at: Closed, ordered: Unknown });
}
