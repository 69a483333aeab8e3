// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::response::actuator::{Description, Target};
use crate::response::holds::Wanted;
use crate::response::valves::tests::{NOW, acknowledge, config, drives, valves, verdict};
use crate::response::valves::{GASD, OPERATOR, Step, Valves};
use crate::state::Release;
use crate::store::Change;

const OLD: usize = 2;

fn hold(cookie: u64, owner: &str, uid: Option<u32>, verdict: Option<u64>) -> StoredHold {
    let hold = Hold { cookie, owner: owner.into(), reason: "because".into(), verdict, uid, since_unix_us: 0 };
    StoredHold { valve: "old".into(), hold, marks: Vec::new() }
}

fn loaded() -> Loaded {
    Loaded {
        holds: vec![
            hold(1, "vendor", Some(33), None),
            hold(2, OPERATOR, None, None),
            hold(3, GASD, None, Some(9)),
        ],
        verdicts: vec![verdict(9, "old-meter", "critical")],
        commanded: vec![("old".into(), Position::Open)],
        ..Loaded::default()
    }
}

fn release(valves: &mut Valves, cookie: u64, of: Release) -> Result<Vec<Change>, CommandError> {
    let plan = valves.plan_release("old", cookie, of, "uid 0", NOW)?;
    valves.confirm_release(&plan);
    Ok(plan.record)
}

#[test]
fn it_comes_after_the_configured_ones_which_keep_their_places() {
    let mut loaded = loaded();
    loaded.holds.push(StoredHold { valve: "older".into(), ..hold(4, OPERATOR, None, None) });
    loaded.holds.push(StoredHold { valve: "outside".into(), ..hold(5, OPERATOR, None, None) });
    assert_eq!(ids(&config(), &loaded), ["old", "older"]);
    let states = valves(&loaded).states();
    let seen: Vec<_> = states.iter().map(|valve| (valve.id.as_str(), valve.is_configured())).collect();
    assert_eq!(seen, [("house", true), ("outside", true), ("old", false), ("older", false)]);
    assert_eq!((states[OLD].position, states[OLD].holds.len()), (Position::Unknown, 3));
    assert!(states[OLD].health.contains("gasctl valve release old COOKIE"), "{}", states[OLD].health);
    let problem = problem(&states[OLD]).unwrap();
    assert!(problem.starts_with("valve \"old\" is not configured any more"), "{problem}");
    assert_eq!(super::problem(&states[1]), None);
}

#[test]
fn nothing_moves_or_holds_it() {
    let mut valves = valves(&loaded());
    let refused = || CommandError::NotConfigured("old".into());
    assert_eq!(valves.close("old", "", "uid 0", 7, NOW), Err(refused()));
    assert_eq!(valves.plan_open("old", "uid 0", NOW).unwrap_err(), refused());
    let wanted = Wanted { valve: "old", app: "vendor", reason: "because", uid: 33, caller: "uid 33" };
    assert_eq!(valves.place(wanted, 7, NOW).unwrap_err(), refused());
    let before = valves.state(OLD).unwrap().clone();
    // Whatever a runner might say that it cannot have, and a meter that names it.
    assert_eq!(valves.ready(OLD, Description::default(), Ok(Position::Open), NOW), []);
    assert_eq!(valves.unusable(OLD, "gone".into()), []);
    assert_eq!(valves.observed(OLD, Position::Open, NOW), []);
    assert_eq!(valves.driven(OLD, Target::Open, None, Ok(Position::Open), NOW), []);
    valves.set_meters(vec![("kitchen".into(), "old".into())]);
    let steps = valves.on_verdict(0, &verdict(10, "kitchen", "critical"), 8, NOW);
    assert!(drives(&steps).is_empty() && matches!(steps[..], [Step::Persist(_)]), "{steps:?}");
    assert_eq!(*valves.state(OLD).unwrap(), before);
}

#[test]
fn each_hold_is_released_by_who_may_and_then_nothing_is_left_to_say() {
    let mut valves = valves(&loaded());
    let unknown = |cookie| CommandError::NoSuchHold { valve: "old".into(), cookie };
    assert_eq!(release(&mut valves, 1, Release::Own(34)).unwrap_err(), unknown(1));
    assert_eq!(release(&mut valves, 2, Release::Own(33)).unwrap_err(), unknown(2), "not an application's");
    let record = release(&mut valves, 1, Release::Own(33)).unwrap();
    assert_eq!(record[0], Change::ReleaseHold(1));
    assert!(matches!(&record[1], Change::Audit(e) if e.action == "release" && e.outcome == "done"));
    release(&mut valves, 2, Release::Any).unwrap();
    let waits = CommandError::VerdictWaits { cookie: 3, verdict: 9 };
    assert_eq!(release(&mut valves, 3, Release::Any).unwrap_err(), waits, "nobody has seen its verdict");
    acknowledge(&mut valves, 9);
    release(&mut valves, 3, Release::Any).unwrap();
    let state = valves.state(OLD).unwrap();
    assert!(state.health.contains("nothing is held"), "{}", state.health);
    assert_eq!((problem(state), state.position), (None, Position::Unknown));
    assert_eq!(release(&mut valves, 3, Release::Any).unwrap_err(), unknown(3));
}

#[test]
fn a_configured_valve_keeps_the_holds_of_gasd_and_the_operator_until_it_is_opened() {
    let mut valves = valves(&Loaded::default());
    valves.close("house", "inspection", "uid 0", 3, NOW).unwrap();
    let refused = valves.plan_release("house", 3, Release::Any, "uid 0", NOW).unwrap_err();
    assert!(matches!(refused, CommandError::NotReleasable { .. }), "{refused}");
}

#[test]
fn what_is_held_under_a_name_that_is_gone_keeps_every_valve_from_being_opened() {
    let mut valves = valves(&loaded());
    let open = |valves: &Valves| valves.plan_open("house", "uid 0", NOW);
    let waits = open(&valves).unwrap_err();
    assert!(matches!(waits, CommandError::Unacknowledged { verdict: 9, .. }), "{waits}");
    // Its meter is there again, and has another valve.
    valves.set_meters(vec![("old-meter".into(), "outside".into())]);
    let waits = open(&valves).unwrap_err();
    assert!(matches!(waits, CommandError::Unacknowledged { verdict: 9, .. }), "its hold is left: {waits}");
    acknowledge(&mut valves, 9);
    let held = open(&valves).unwrap_err();
    assert!(matches!(held, CommandError::HeldAsAnother { cookie: 1, .. }), "{held}");
    assert!(held.to_string().contains("gasctl valve release old 1"), "{held}");
    release(&mut valves, 1, Release::Own(33)).unwrap();
    // Those of gasd and the operator go with an opening, whatever the valve is called.
    open(&valves).unwrap();
}
