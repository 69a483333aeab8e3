// SPDX-License-Identifier: MIT OR Apache-2.0
//! 32 meters in five protocols on four disturbed lines, ten minutes of their schedule, in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use std::collections::BTreeMap;

use gasd_lab::{Habits, Line, Noise};
use gasd_meters::poll::State;
use gasd_ports::bus::Event;
use house::{MINUTE, SECOND, START, Wire, cjt188, dlt645, hart, mbus, modbus};

/// Bytes in twenty arrive as others, in bursts as on real lines.
const NOISE: Noise = Noise { corrupt_ppm: 50_000, burst: 40, stray_ppm: 0 };

fn habits(seed: u64) -> Habits {
    Habits { seed, ..Habits::default() }
}

fn dead(seed: u64, from_ns: u64, until_ns: u64) -> Habits {
    Habits { dead: std::iter::once(from_ns..until_ns).collect(), ..habits(seed) }
}

/// The lines, and which meters are silent from when to when.
fn lines(noise: Noise) -> (Vec<Wire>, BTreeMap<u64, (u64, u64)>) {
    let silent: BTreeMap<u64, (u64, u64)> = [
        (3, (START, u64::MAX)),
        (9, (START + 2 * MINUTE, START + 5 * MINUTE)),
        (17, (START + 3 * MINUTE, START + 6 * MINUTE)),
        (25, (START, u64::MAX)),
        (30, (START + MINUTE, START + 4 * MINUTE)),
    ]
    .into();
    let habits =
        |key: u64| silent.get(&key).map_or_else(|| habits(key), |&(from, until)| dead(key, from, until));
    let line = |baud, echo, seed| Line { echo, noise, seed, ..Line::new(baud) };
    let rs485 =
        (1..=6).map(|key| cjt188(key, habits(key))).chain((7..=12).map(|key| dlt645(key, habits(key))));
    let mbus = (13..=17)
        .map(|key| mbus(key, false, habits(key)))
        .chain((18..=22).map(|key| mbus(key, true, habits(key))));
    let modbus = (23..=28).map(|key| modbus(key, habits(key)));
    let hart = (29..=32).map(|key| hart(key, habits(key)));
    let wires = vec![
        Wire::new(line(2_400, true, 11), rs485.collect()),
        Wire::new(line(2_400, false, 12), mbus.collect()),
        Wire::new(line(9_600, true, 13), modbus.collect()),
        Wire::new(line(1_200, true, 14), hart.collect()),
    ];
    (wires, silent)
}

#[test]
fn ten_minutes_of_a_noisy_house_publish_what_the_meters_said_and_nothing_else() {
    let (wires, silent) = lines(NOISE);
    let until_ns = START + 10 * MINUTE;
    let (mut changed, mut all) = (0, 0);
    let mut read: BTreeMap<u64, u32> = BTreeMap::new();
    for mut wire in wires {
        let events = wire.run(until_ns);
        let mut states: BTreeMap<u64, Vec<State>> = BTreeMap::new();
        for event in &events {
            if let Some(age_ns) = wire.check(event) {
                assert!(age_ns < 5 * SECOND, "{event:?} is {age_ns} ns old");
            }
            match event {
                Event::Read { key, .. } => *read.entry(*key).or_default() += 1,
                Event::Breaker { key, standing } => states.entry(*key).or_default().push(standing.state),
                _ => {}
            }
        }
        for one in &wire.meters {
            let seen = states.remove(&one.key).unwrap_or_default();
            let Some((_, back_ns)) = silent.get(&one.key) else { continue };
            assert!(seen.contains(&State::Open), "meter {} is silent: {seen:?}", one.key);
            if *back_ns < until_ns {
                assert_eq!(seen.last(), Some(&State::Closed), "meter {} is back: {seen:?}", one.key);
            } else {
                assert!(!read.contains_key(&one.key) && seen.last() != Some(&State::Closed));
            }
        }
        let (its, of) = wire.lab.corrupted();
        (changed, all) = (changed + its, all + of);
    }
    let share = changed as f64 / all as f64;
    assert!((0.03..0.07).contains(&share), "{share} of {all} bytes were changed");
    // A meter that lives is read most of the times that it is due, on the worst of lines.
    for key in (1..=32).filter(|key| !silent.contains_key(key)) {
        let due = if key < 23 {
            10
        } else if key < 29 {
            40
        } else {
            20
        };
        let read = read.get(&key).copied().unwrap_or(0);
        assert!(read * 2 >= due, "meter {key} was read {read} times of {due}");
    }
}

#[test]
fn a_quiet_house_is_read_on_time_and_nobody_is_left_alone() {
    let (wires, silent) = lines(Noise::NONE);
    for mut wire in wires {
        let events = wire.run(START + 10 * MINUTE);
        for one in wire.meters.iter().filter(|one| !silent.contains_key(&one.key)) {
            let read =
                events.iter().filter(|event| matches!(event, Event::Read { key, .. } if *key == one.key));
            let due = (10 * MINUTE / one.every_ns) as usize;
            assert!((due..=due + 1).contains(&read.count()), "meter {}", one.key);
            let left = |event: &Event| matches!(event, Event::Breaker { key, .. } if *key == one.key);
            assert!(!events.iter().any(left), "meter {}", one.key);
        }
        for event in &events {
            wire.check(event);
        }
    }
}
