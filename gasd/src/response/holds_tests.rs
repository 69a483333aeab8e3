// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::response::valves::tests::{NOW, drives, valves};
use crate::store::Loaded;

fn wanted(app: &'static str, reason: &'static str, uid: u32) -> Wanted<'static> {
    Wanted { valve: "house", app, reason, uid, caller: "uid 33 (:1.5)" }
}

fn cookies(valves: &Valves) -> Vec<u64> {
    valves.state(0).unwrap().holds.iter().map(|hold| hold.cookie).collect()
}

#[test]
fn a_hold_closes_first_and_is_kept() {
    let mut valves = valves(&Loaded::default());
    let (cookie, steps) = valves.place(wanted("vendor", "leak test", 33), 7, NOW).unwrap();
    assert_eq!((cookie, drives(&steps)), (7, vec![(0, Target::Closed)]));
    assert!(matches!(steps[0], Step::Drive { .. }), "driven before it is written");
    let Step::Persist(rows) = &steps[1] else { panic!("{steps:?}") };
    let Change::PlaceHold(stored) = &rows[0] else { panic!("{rows:?}") };
    assert_eq!((stored.hold.uid, stored.hold.owner.as_str()), (Some(33), "vendor"));
    let after = Loaded { holds: vec![stored.clone()], ..Loaded::default() };
    assert!(self::valves(&after).is_held(0), "it outlives the daemon");
}

#[test]
fn an_operator_cannot_open_what_an_application_holds_and_is_told_how() {
    let mut valves = valves(&Loaded::default());
    valves.place(wanted("vendor", "leak test", 33), 7, NOW).unwrap();
    let refused = valves.plan_open("house", "uid 0", NOW).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("vendor holds it: leak test") && text.contains("valve release house 7"), "{text}");
    let plan = valves.plan_release("house", 7, Release::Any, "uid 0", NOW).unwrap();
    valves.confirm_release(&plan);
    assert!(valves.plan_open("house", "uid 0", NOW).is_ok());
}

#[test]
fn a_hold_that_comes_while_an_opening_is_written_wins() {
    let mut valves = valves(&Loaded::default());
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    valves.place(wanted("vendor", "leak test", 33), 7, NOW).unwrap();
    assert!(matches!(valves.confirm_open(&plan, NOW), Err(CommandError::Held { cookie: 7, .. })));
}

#[test]
fn the_same_hold_twice_is_one_hold_and_closes_again() {
    let mut valves = valves(&Loaded::default());
    valves.place(wanted("vendor", "leak test", 33), 7, NOW).unwrap();
    let (cookie, steps) = valves.place(wanted("vendor", "leak test", 33), 8, NOW).unwrap();
    assert_eq!((cookie, drives(&steps)), (7, vec![(0, Target::Closed)]));
    // Another user's, another reason's and another application's are their own.
    for (at, other) in
        [wanted("vendor", "leak test", 34), wanted("vendor", "holiday", 33), wanted("app", "leak test", 33)]
            .into_iter()
            .enumerate()
    {
        let cookie = 10 + at as u64;
        assert_eq!(valves.place(other, cookie, NOW).unwrap().0, cookie);
    }
    assert_eq!(cookies(&valves), [7, 10, 11, 12]);
}

#[test]
fn only_who_placed_it_releases_it_and_no_valve_moves() {
    let mut valves = valves(&Loaded::default());
    valves.place(wanted("vendor", "leak test", 33), 7, NOW).unwrap();
    let release = |valves: &Valves, of| valves.plan_release("house", 7, of, "uid 34", NOW);
    let stranger = release(&valves, Release::Own(34)).unwrap_err();
    assert_eq!(stranger, CommandError::NoSuchHold { valve: "house".into(), cookie: 7 });
    assert!(valves.plan_release("outside", 7, Release::Any, "uid 0", NOW).is_err(), "another valve's");
    let plan = release(&valves, Release::Own(33)).unwrap();
    assert!(matches!(plan.record[0], Change::ReleaseHold(7)));
    assert!(valves.is_held(0), "not before it is durable");
    valves.confirm_release(&plan);
    assert!(!valves.is_held(0));
    assert_eq!(valves.before(0).commanded, Target::Closed.position(), "and still told to be closed");
}

#[test]
fn holds_of_gasd_and_the_operator_go_with_an_opening_only() {
    let mut valves = valves(&Loaded::default());
    valves.close("house", "inspection", "uid 0", 3, NOW).unwrap();
    let error = valves.plan_release("house", 3, Release::Any, "uid 0", NOW).unwrap_err();
    assert!(matches!(error, CommandError::NotReleasable { cookie: 3, .. }), "{error}");
}

#[test]
fn one_user_cannot_fill_the_list() {
    const REASONS: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let mut valves = valves(&Loaded::default());
    for (at, reason) in REASONS.into_iter().enumerate() {
        let placed = valves.place(wanted("vendor", reason, 33), at as u64, NOW);
        assert_eq!(placed.is_ok(), at < MOST_OF_USER, "{at}");
    }
    assert_eq!(valves.state(0).unwrap().holds.len(), MOST_OF_USER);
    // What is there can still be asked for again, and others have room until all is full.
    assert_eq!(valves.place(wanted("vendor", "1", 33), 99, NOW).unwrap().0, 0);
    let mut uid = 34;
    while let Ok((_, steps)) = valves.place(wanted("other", "x", uid), 100 + u64::from(uid), NOW) {
        assert_eq!(drives(&steps).len(), 1);
        uid += 1;
    }
    assert_eq!(valves.state(0).unwrap().holds.len(), MOST);
}

#[test]
fn closing_again_for_the_same_reason_is_one_hold_and_drives_again() {
    let mut valves = valves(&Loaded::default());
    valves.close("house", "smell of gas", "uid 33", 3, NOW).unwrap();
    let steps = valves.close("house", "smell of gas", "uid 33", 4, NOW).unwrap();
    assert_eq!(drives(&steps), [(0, Target::Closed)]);
    let Step::Persist(rows) = &steps[1] else { panic!("{steps:?}") };
    // The new one is written before the old one goes.
    assert!(matches!(&rows[0], Change::PlaceHold(stored) if stored.hold.cookie == 4), "{rows:?}");
    assert!(rows.contains(&Change::ReleaseHold(3)), "{rows:?}");
    assert_eq!(cookies(&valves), [4]);
    // Another reason, and an application's hold for the same one, are their own.
    valves.close("house", "inspection", "uid 33", 5, NOW).unwrap();
    valves.place(wanted("vendor", "smell of gas", 33), 6, NOW).unwrap();
    valves.close("house", "smell of gas", "uid 34", 7, NOW).unwrap();
    assert_eq!(cookies(&valves), [5, 6, 7]);
}

#[test]
fn closing_again_while_an_opening_is_written_wins_and_stays_on_the_disk() {
    let mut valves = valves(&Loaded::default());
    valves.close("house", "smell of gas", "uid 33", 3, NOW).unwrap();
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    valves.close("house", "smell of gas", "uid 33", 4, NOW).unwrap();
    assert!(matches!(valves.confirm_open(&plan, NOW), Err(CommandError::Held { cookie: 4, .. })));
    // Even if the power fails before the opening is taken back: its record does not name the new hold.
    assert!(!plan.record.contains(&Change::ReleaseHold(4)));
    let undo = valves.undo_open(&plan, NOW);
    assert!(undo.iter().any(|row| matches!(row, Change::PlaceHold(stored) if stored.hold.cookie == 4)));
}
