// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the audit record says of a meter's valve over starts of gasd, which is killed while the valve moves, and of
//! one that was moved meanwhile.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

#[path = "ports_house/flat.rs"]
mod flat;
mod ports_house;

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use flat::{FLAT, plug};
use gasd_lab::Shared;
use gasd_lab::clock::now_ns;
use gasd_lab::truth::{Motor, look};
use gasd_meters::Valve;
use gasd_proxy::Client;
use ports_house::{House, Plugged, SECOND, truth};
use support::run;

const MOTOR: Motor = Motor { time_ns: 3 * SECOND, stuck: false, refuses: false };

/// A gateway with one meter that has a valve.
struct Flat {
    house: House,
    gas: Shared,
    line: Option<Plugged>,
}

impl Flat {
    fn new() -> Self {
        let (house, gas) = (House::prepare(FLAT), truth(5_000_000_000, 0));
        look(&gas).set_motor(Some(MOTOR));
        Self { house, gas, line: None }
    }

    /// What the record says of the feedback, oldest first.
    fn said(&self) -> Vec<String> {
        run(async {
            let client = Client::connect(Some(&self.house.bus.address())).await.unwrap();
            let entries = client.audit(200, None).await.unwrap();
            entries.into_iter().filter(|entry| entry.action == "feedback").map(|entry| entry.detail).collect()
        })
    }

    /// What it says of orders that failed.
    fn failures(&self) -> Vec<String> {
        run(async {
            let client = Client::connect(Some(&self.house.bus.address())).await.unwrap();
            let entries = client.audit(200, None).await.unwrap();
            let failed =
                entries.into_iter().filter(|entry| entry.action == "drive" && entry.outcome == "failed");
            failed.map(|entry| entry.detail).collect()
        })
    }

    /// What it says more than `before` entries, once the valve is seen to be there after a start. The runner looks every two
    /// seconds, and the record is written right after.
    fn start(&mut self, position: &str, before: usize) -> Vec<String> {
        // Whoever is killed leaves a pseudo-terminal taken, and a real line free.
        self.line = None;
        self.line = Some(plug(&self.house, &self.gas));
        self.house.up();
        self.house.wait(position, 30, |state| {
            state.valves.get("flat").is_some_and(|valve| valve.position == position)
        });
        thread::sleep(Duration::from_secs(3));
        self.said().split_off(before)
    }

    /// Orders it, and kills gasd when the meter has heard of it.
    fn order_and_kill(&mut self, to: Valve) {
        let (address, heard) = (self.house.bus.address(), look(&self.gas).commands().len());
        let order = thread::spawn(move || {
            run(async {
                let client = Client::connect(Some(&address)).await.unwrap();
                let valve = client.valve("flat").await.unwrap();
                let cut_off = match to {
                    Valve::Open => valve.open(HashMap::new()).await.map(drop),
                    _ => valve.close("a test", HashMap::new()).await.map(drop),
                };
                cut_off.unwrap_err();
            });
        });
        let start = Instant::now();
        while look(&self.gas).commands().len() == heard {
            assert!(start.elapsed() < Duration::from_secs(20), "{}", self.house.said());
            thread::sleep(Duration::from_millis(10));
        }
        self.house.kill();
        order.join().unwrap();
    }
}

#[test]
fn the_record_blames_no_valve_for_what_was_ordered_or_for_what_did_not_change() {
    let mut flat = Flat::new();
    assert_eq!(flat.start("open", 0), ["is open; where it was before is not known"]);
    flat.house.kill();
    assert_eq!(flat.start("open", 1), [""; 0], "it was open all along");

    // Held, so it is told once more at the start, and the order's own entry says that it is closed.
    flat.order_and_kill(Valve::Closed);
    let closed = flat.start("closed", 1);
    assert!(
        closed.iter().all(|words| words == "is closed now, as was ordered before gasd stopped"),
        "{closed:?}"
    );
    let state = flat.house.wait("its hold", 5, |state| state.valves["flat"].holds.len() == 1);
    assert_eq!(state.valves["flat"].health, "ok");
    assert_eq!(flat.failures(), [""; 0], "that a start orders before ports are open is no failure");
    assert!(!flat.house.said().contains("could not be driven"), "{}", flat.house.said());

    let before = flat.said().len();
    flat.order_and_kill(Valve::Open);
    assert_eq!(flat.start("open", before), ["is open now, as was ordered before gasd stopped"]);

    flat.house.kill();
    let ordered = look(&flat.gas).commands().len();
    look(&flat.gas).command(now_ns(), Valve::Closed, MOTOR);
    thread::sleep(Duration::from_secs(4));
    let moved = flat.start("closed", before + 1);
    assert_eq!(moved, ["was open when gasd stopped and is closed now: moved meanwhile"]);
    assert_eq!(look(&flat.gas).commands().len(), ordered + 1, "it is not held, and gasd moves nothing");
}

#[test]
fn a_start_with_a_held_valve_waits_for_a_port_that_comes_up_late() {
    let mut flat = Flat::new();
    flat.start("open", 0);
    let address = flat.house.bus.address();
    run(async {
        let client = Client::connect(Some(&address)).await.unwrap();
        let valve = client.valve("flat").await.unwrap();
        let _ = valve.close("a test", HashMap::new()).await;
    });
    flat.house.wait("closed", 30, |state| state.valves["flat"].position == "closed");
    flat.house.kill();
    flat.line = None;
    // Somebody opens it at the meter, and the adapter is not plugged in when gasd starts.
    look(&flat.gas).command(now_ns(), Valve::Open, MOTOR);
    let ordered = look(&flat.gas).commands().len();
    thread::sleep(Duration::from_secs(4));
    flat.house.up();
    thread::sleep(Duration::from_secs(4));
    let state = flat.house.wait("its hold", 5, |state| state.valves["flat"].holds.len() == 1);
    assert_eq!(state.valves["flat"].position, "unknown");
    assert_eq!(flat.failures(), [""; 0]);
    flat.line = Some(plug(&flat.house, &flat.gas));
    flat.house.wait("closed", 60, |state| state.valves["flat"].position == "closed");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(flat.failures(), [""; 0]);
    assert!(!flat.house.said().contains("could not be driven"), "{}", flat.house.said());
    let commands: Vec<_> = look(&flat.gas).commands()[ordered..].to_vec();
    assert_eq!(commands.len(), 1, "closed once: {commands:?}");
}
