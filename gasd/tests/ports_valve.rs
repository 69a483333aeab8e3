// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's valve that does not close the first time: gasd says so, tries again, and closes it once it can be closed.
//! Long, so it is left out unless asked for:
//!
//! ```sh
//! cargo test -p gasd --test ports_valve -- --ignored
//! ```
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

#[path = "ports_house/flat.rs"]
mod flat;
mod ports_house;

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use flat::{FLAT, plug};
use gasd_lab::Shared;
use gasd_lab::truth::{Fate, Motor, look};
use gasd_meters::Valve;
use gasd_proxy::Client;
use ports_house::{House, M3_PER_H, Plugged, SECOND, answers, truth};
use support::run;

/// A meter that is read every second, with a valve that behaves like this.
fn flat(motor: Motor) -> (House, Plugged, Shared) {
    let house = House::start(FLAT);
    let gas = truth(5_000_000_000, M3_PER_H);
    look(&gas).set_motor(Some(motor));
    let line = plug(&house, &gas);
    house.wait("a meter whose valve is open", 20, |state| {
        answers(state, "flat") > 1 && state.valves["flat"].position == "open"
    });
    (house, line, gas)
}

/// Orders it to be closed; what came of the first try.
fn close(house: &House) -> Result<(), String> {
    run(async {
        let client = Client::connect(Some(&house.bus.address())).await.unwrap();
        let valve = client.valve("flat").await.unwrap();
        valve.close("a test", HashMap::new()).await.map(drop).map_err(|error| error.to_string())
    })
}

fn fates(gas: &Shared) -> Vec<Fate> {
    look(gas).commands().iter().map(|command| command.fate).collect()
}

const MOTOR: Motor = Motor { time_ns: 4 * SECOND, stuck: false, refuses: false };

#[test]
#[ignore = "takes 40 s"]
fn a_valve_that_is_stuck_is_told_and_closed_when_it_is_free() {
    let (house, _line, gas) = flat(Motor { stuck: true, ..MOTOR });
    // It is free again while gasd still looks whether the first command has moved it. That one was lost all the same.
    let freed = gas.clone();
    let helper = thread::spawn(move || {
        while look(&freed).commands().is_empty() {
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(Duration::from_secs(5));
        look(&freed).set_motor(None);
    });
    let first = close(&house);
    helper.join().unwrap();
    let state = house.wait("the failure, in words", 60, |state| {
        let valve = &state.valves["flat"];
        valve.position != "closed" && valve.health != "ok"
    });
    println!("first try: {first:?}; health: {}", state.valves["flat"].health);
    assert!(!state.valves["flat"].holds.is_empty(), "it is still to be closed");
    let state = house.wait("a closed valve", 60, |state| state.valves["flat"].position == "closed");
    assert_eq!(state.valves["flat"].health, "ok");
    assert_eq!(fates(&gas), [Fate::Stuck, Fate::Executed], "one command for each try");
    assert!(look(&gas).commands().iter().all(|command| command.to == Valve::Closed));
    assert_eq!(state.valves["flat"].holds.len(), 1);
}

#[test]
#[ignore = "takes 80 s"]
fn a_meter_that_refused_every_try_is_told_to_close_again_a_minute_later() {
    let (house, _line, gas) = flat(Motor { refuses: true, ..MOTOR });
    let first = close(&house);
    house.wait("five tries", 60, |_| fates(&gas).len() == 5);
    let state = house.wait("the refusal, in words", 20, |state| {
        let valve = &state.valves["flat"];
        valve.position == "unknown" && valve.health.contains("refused")
    });
    println!("first try: {first:?}; health: {}", state.valves["flat"].health);
    look(&gas).set_motor(None);
    let refused_ns = look(&gas).commands().last().unwrap().at_ns;
    // It is read as open each second all the while, and that is no news: gasd has just failed to close it.
    let state = house.wait("a closed valve", 90, |state| {
        assert_ne!(state.valves["flat"].position, "open", "doubt is not shown as knowledge");
        state.valves["flat"].position == "closed"
    });
    assert_eq!(state.valves["flat"].health, "ok");
    let fates = fates(&gas);
    assert_eq!(fates, [[Fate::Refused; 5].as_slice(), &[Fate::Executed]].concat());
    let (closed_ns, to) = look(&gas).executed().next().unwrap();
    let after_s = (closed_ns - refused_ns) / SECOND;
    assert!(to == Valve::Closed && (59..70).contains(&after_s), "after {after_s} s");
}
