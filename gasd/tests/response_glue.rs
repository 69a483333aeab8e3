// SPDX-License-Identifier: MIT OR Apache-2.0
//! Verdicts and commands with a real store and simulated valves.

#![allow(clippy::unwrap_used, reason = "test code")]

mod response_house;

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use gasd::config::{Actuator, ClosedLevel, GpioLine};
use gasd::response::{Response, Target};
use gasd::state::{Change, Command, CommandError, Position};
use gasd::store::{Store, Writer};
use response_house::{House, config, verdict};

#[test]
fn a_critical_verdict_closes_at_once_and_holds_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.redb");
    let house = House::at(&path);
    assert_eq!(house.position(), Position::Closed, "nobody ever said open");
    house.open().unwrap();
    assert_eq!(house.position(), Position::Open);
    let id = house.response.on_verdict(0, verdict("critical"));
    house.wait_for(Position::Closed);
    assert!(matches!(house.open(), Err(CommandError::Unacknowledged { verdict, .. }) if verdict == id));
    assert_eq!(house.moves(), [Target::Open, Target::Closed]);
    // It is announced when its record is on the disk.
    house.wait_for_signal(&Change::VerdictAdded(id));
    house.stop();

    let house = House::at(&path);
    assert_eq!(house.response.valve_states()[0].holds.len(), 1);
    house.wait_for_moves(1);
    house.wait_for(Position::Closed);
    assert_eq!(house.moves(), [Target::Closed], "a held valve is closed again at the start");
    assert!(matches!(house.open(), Err(CommandError::Unacknowledged { .. })));
    house.acknowledge(id).unwrap();
    assert_eq!(house.acknowledge(id), Err(CommandError::NoSuchVerdict(id)));
    assert_eq!((house.position(), house.moves().len()), (Position::Closed, 1), "acknowledging opens nothing");
    house.open().unwrap();
    assert_eq!(house.position(), Position::Open);
    assert!(house.shared.read().unwrap().verdicts.is_empty());
    house.stop();

    let house = House::at(&path);
    assert_eq!((house.position(), house.moves().len()), (Position::Open, 0), "a start moves nothing");
    house.stop();
    let store = Store::open(&path).unwrap();
    let told: Vec<_> = store.audit_tail(99).unwrap();
    for (action, outcome) in [
        ("open", "asked"),
        ("verdict", "closing house"),
        ("open", "refused"),
        ("acknowledge", "done"),
        ("drive", "done"),
    ] {
        assert!(
            told.iter().any(|(_, entry)| entry.action == action && entry.outcome == outcome),
            "{action} {outcome}: {told:#?}"
        );
    }
    // Three starts, and the valve was where it had been told to be at each.
    let seen: Vec<_> = told.iter().filter(|(_, entry)| entry.action == "feedback").collect();
    assert!(matches!(&seen[..], [(_, first)] if first.detail.contains("is not known")), "{seen:#?}");
}

#[test]
fn a_closed_valve_stays_closed_over_a_restart_and_a_person_may_open_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.redb");
    let house = House::at(&path);
    house.open().unwrap();
    house.close().unwrap();
    assert_eq!(house.position(), Position::Closed);
    house.stop();
    let house = House::at(&path);
    house.wait_for(Position::Closed);
    house.open().unwrap();
    assert_eq!(house.position(), Position::Open);
    house.stop();
}

#[test]
fn a_valve_that_does_not_close_is_an_error_and_stays_held() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::at(&dir.path().join("state.redb"));
    house.open().unwrap();
    house.hand.state().fail = Some("no current".into());
    let error = house.close().unwrap_err();
    assert!(error.to_string().contains("no current; trying again"), "{error}");
    let state = house.response.valve_states().remove(0);
    assert_eq!((state.position, state.holds.len()), (Position::Unknown, 1));
    house.hand.state().fail = None;
    house.wait_for(Position::Closed);
    house.stop();
}

#[test]
fn a_lesser_verdict_moves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::at(&dir.path().join("state.redb"));
    house.open().unwrap();
    let id = house.response.on_verdict(0, verdict("notice"));
    assert_eq!(house.response.unacknowledged()[0].id, id);
    house.open().unwrap();
    assert_eq!(house.position(), Position::Open);
    house.stop();
}

#[test]
fn a_chip_that_is_missing_is_the_valves_health_and_not_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::start(Store::open(&dir.path().join("state.redb")).unwrap()).unwrap();
    let line = GpioLine { chip: Some("no-such-chip".into()), line: 3, active_low: false, bias: None };
    let actuator =
        Actuator::Gpio { line, closed: ClosedLevel::Low, pulse_ns: None, open_line: None, feedback: None };
    let hook = Box::new(|_: gasd::response::Update<'_>| {});
    let response = Response::start(
        &config(actuator),
        &Default::default(),
        writer.handle(),
        HashMap::new(),
        hook,
        &Default::default(),
    );
    let state = response.valve_states().remove(0);
    assert_eq!((state.position, state.actuator.as_str()), (Position::Unknown, "gpio"));
    assert!(state.health.contains("no-such-chip"), "{}", state.health);
    let close = Command::Close { valve: "house".into(), reason: "test".into(), caller: "uid 0".into() };
    assert!(matches!(response.command(&close), Err(CommandError::Actuator { .. })));
    assert_eq!(response.valve_states()[0].holds.len(), 1);
    response.stop();
    assert_eq!(response.command(&close), Err(CommandError::Stopping));
}

#[test]
fn an_opening_that_a_crash_cut_off_is_ended_by_the_next_start_and_said_to_have_been_ordered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.redb");
    let house = House::at(&path);
    house.hand.state().stuck = true;
    let crashed = dir.path().join("crashed.redb");
    std::thread::scope(|threads| {
        let opening = threads.spawn(|| house.open());
        house.wait_for_moves(1);
        // What is on the disk by now is all that a crash leaves. The rows of the order were written before it was driven.
        std::thread::sleep(std::time::Duration::from_millis(300));
        std::fs::copy(&path, &crashed).unwrap();
        house.hand.state().stuck = false;
        house.hand.state().position = Position::Open;
        opening.join().unwrap().unwrap();
    });
    house.stop();

    let house = House::at(&crashed);
    assert_eq!((house.position(), house.moves().len()), (Position::Open, 0));
    house.stop();
    let said = |path| {
        let told = Store::open(path).unwrap().audit_tail(99).unwrap();
        let last = told.into_iter().rfind(|(_, entry)| entry.action == "feedback");
        last.unwrap().1.detail
    };
    assert_eq!(said(&crashed), "is open now, as was ordered before gasd stopped");
    assert!(said(&path).contains("is closed; where it was before is not known"), "{}", said(&path));
}

/// Gives up the order when the other one comes, as a valve does that takes its time.
fn overtake(house: &House, first: fn(&House) -> Result<(), CommandError>, then: fn(&House)) -> CommandError {
    std::thread::scope(|threads| {
        house.hand.state().stuck = true;
        let moves = house.moves().len();
        let first = threads.spawn(move || first(house));
        house.wait_for_moves(moves + 1);
        house.hand.state().stuck = false;
        then(house);
        first.join().unwrap().unwrap_err()
    })
}

#[test]
fn a_closing_that_an_opening_overtakes_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::at(&dir.path().join("state.redb"));
    house.open().unwrap();
    let error = overtake(&house, House::close, |house| house.open().unwrap());
    let (asked, told) = ("closed", "open");
    let by = "uid 1000".to_owned();
    assert_eq!(error, CommandError::Overtaken { valve: "house".into(), asked, told, by });
    assert_eq!(house.position(), Position::Open);
    let text = error.to_string();
    assert!(text.contains("is not closed") && text.contains("uid 1000"), "{text}");
    house.stop();
}

#[test]
fn an_opening_that_a_verdict_overtakes_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::at(&dir.path().join("state.redb"));
    let error = overtake(&house, House::open, |house| {
        house.response.on_verdict(0, verdict("critical"));
    });
    assert!(error.to_string().contains("gasd, for a critical verdict"), "{error}");
    assert!(matches!(error, CommandError::Overtaken { asked: "open", told: "closed", .. }), "{error:?}");
    house.wait_for(Position::Closed);
    house.stop();
}

#[test]
fn a_closing_whose_overtaker_is_overtaken_ends_with_the_last_order() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::at(&dir.path().join("state.redb"));
    house.open().unwrap();
    let moves = house.moves().len();
    std::thread::scope(|threads| {
        house.hand.state().stuck = true;
        let first = threads.spawn(|| house.close());
        house.wait_for_moves(moves + 1);
        // The lock on the valve keeps its thread where it is until all three are in line: at the valve, and not at
        // its orders, of which it would take the second before there is a third.
        let mut valve = house.hand.state();
        while !house.waits.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let second = threads.spawn(|| house.open());
        // Its record is on the disk, however long that takes, and its order behind the first.
        house.wait_for_holds(0);
        let third = threads.spawn(|| house.close());
        house.wait_for_holds(1);
        valve.stuck = false;
        drop(valve);
        assert_eq!((first.join().unwrap(), third.join().unwrap()), (Ok(()), Ok(())));
        assert!(matches!(second.join().unwrap(), Err(CommandError::Overtaken { told: "closed", .. })));
    });
    assert_eq!(house.position(), Position::Closed);
    house.stop();
}
