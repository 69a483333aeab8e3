// SPDX-License-Identifier: MIT OR Apache-2.0
//! Courses of several starts with valves of one line and of two.

use crate::config::Config;
use crate::response::driven::tests::{latching, on_lines, started, store, written};
use crate::response::valves::tests::{NOW, verdict};
use crate::state::Position;
use crate::store::{Change, LastKnown, Loaded};

/// The house's valve is closed by line 1 and opened by line 5.
fn house_latching() -> Config {
    let mut config = on_lines(1, 2);
    config.valves[0].actuator = latching(1, 5);
    config
}

/// The house's valve has a level on this line.
fn house_level(line: u32) -> Config {
    on_lines(line, 2)
}

/// Somebody opens the house's valve.
fn opened(config: &Config, loaded: &mut Loaded) {
    let mut valves = started(config, loaded);
    let plan = valves.plan_open("house", "uid 0", NOW).unwrap();
    written(loaded, plan.record.clone());
    store(loaded, &valves.confirm_open(&plan, NOW).unwrap());
}

/// Where the house's valve was last told to be.
fn told(config: &Config, loaded: &mut Loaded) -> Position {
    let before = started(config, loaded).before(0);
    assert!(!before.held);
    before.commanded
}

/// One of its lines changes, and its name, too.
#[test]
fn a_line_added_to_a_valve_leaves_it_held() {
    let mut loaded = Loaded::default();
    let mut valves = started(&on_lines(1, 2), &mut loaded);
    store(&mut loaded, &valves.on_verdict(0, &verdict(9, "kitchen", "critical"), 4, NOW));
    let mut renamed = house_latching();
    renamed.valves[0].id = "front".into();
    let valves = started(&renamed, &mut loaded);
    assert!(valves.is_held(0), "the closing line is the same: a held valve is closed at the start");
}

/// It is opened by its second line.
#[test]
fn the_order_of_a_latching_valve_is_none_of_a_level_valve_on_either_of_its_lines() {
    for line in [1, 5] {
        let mut loaded = Loaded::default();
        opened(&house_latching(), &mut loaded);
        let mut level = house_level(line);
        level.valves[0].id = "garden".into();
        assert_ne!(told(&level, &mut loaded), Position::Open, "line {line} was never told to be open");
        assert_eq!(told(&house_latching(), &mut loaded), Position::Open, "the latching valve was");
    }
}

/// Since then a latching valve may have been closed by that very line.
#[test]
fn the_order_of_a_level_valve_is_over_once_a_latching_one_has_its_line() {
    for line in [1, 5] {
        let mut loaded = Loaded::default();
        opened(&house_level(line), &mut loaded);
        assert_eq!(told(&house_level(line), &mut loaded), Position::Open);
        let mut valves = started(&house_latching(), &mut loaded);
        store(&mut loaded, &valves.close("house", "inspection", "uid 0", 3, NOW).unwrap());
        written(&mut loaded, vec![Change::ReleaseHold(3)]);
        assert_ne!(told(&house_level(line), &mut loaded), Position::Open, "line {line}");
    }
}

#[test]
fn what_an_earlier_gasd_told_a_latching_valve_is_still_known_of_it_and_of_no_level_valve() {
    let first = "line 1 of chip valves".to_owned();
    let last = LastKnown { at: Position::Closed, ordered: Position::Open };
    let mut loaded = Loaded {
        commanded: vec![(first.clone(), Position::Open)],
        known: vec![(first.clone(), last)],
        ..Loaded::default()
    };
    assert_eq!(told(&house_latching(), &mut loaded), Position::Open);
    assert!(loaded.known.iter().any(|(key, known)| *key != first && *known == last), "{:?}", loaded.known);
    assert_eq!(told(&house_level(1), &mut loaded), Position::Unknown);
    // Gone back to the earlier one for a while, which closed it.
    loaded.commanded.retain(|(key, _)| *key != first);
    loaded.commanded.push((first, Position::Closed));
    assert_eq!(told(&house_latching(), &mut loaded), Position::Closed);
}
