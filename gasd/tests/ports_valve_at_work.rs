// SPDX-License-Identifier: MIT OR Apache-2.0
//! An opening that a meter has taken and has not carried out yet, while gasd starts anew or reloads: until it is over the
//! meter's word that the valve is closed is none, and who closes it is heard by the meter.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

#[path = "ports_house/flat.rs"]
mod flat;
mod ports_house;

use std::thread;
use std::time::{Duration, Instant};

use flat::{FLAT, close, commands, open, plug};
use gasd_lab::Shared;
use gasd_lab::truth::{Motor, look};
use gasd_meters::Valve;
use ports_house::{House, M3_PER_H, Plugged, SECOND, truth};

/// A valve that has taken its command and has not begun to move: its meter says where it was.
const MOTOR: Motor = Motor { time_ns: 600 * SECOND, stuck: true, refuses: false };

fn config() -> String {
    FLAT.replace("every = \"1 s\"", "every = \"1 h\"")
}

fn is_at(house: &House, position: &str) {
    house
        .wait(position, 30, |state| state.valves.get("flat").is_some_and(|valve| valve.position == position));
}

/// The valve is closed at rest; a person opens it, and the meter has just heard of it.
fn opening_at_work() -> (House, Plugged, Shared) {
    let house = House::start(&config());
    let gas = truth(5_000_000_000, M3_PER_H);
    let line = plug(&house, &gas);
    is_at(&house, "open");
    close(&house.bus.address()).unwrap();
    is_at(&house, "closed");
    look(&gas).set_motor(Some(MOTOR));
    let address = house.bus.address();
    // It is cut off.
    thread::spawn(move || open(&address));
    let start = Instant::now();
    while commands(&gas).len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(20), "{}", house.said());
        thread::sleep(Duration::from_millis(10));
    }
    (house, line, gas)
}

/// A person closes it after that: the meter must hear of it, or the opening that it has taken opens it in the end.
fn closes(house: &House, gas: &Shared) {
    let address = house.bus.address();
    let order = thread::spawn(move || close(&address));
    let start = Instant::now();
    while commands(gas).len() < 3 {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}\n{}", commands(gas), house.said());
        if order.is_finished() {
            assert_eq!(commands(gas).len(), 3, "done without the meter: {}", house.said());
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(commands(gas), [Valve::Closed, Valve::Open, Valve::Closed]);
}

fn end(house: &mut House, signal: i32) {
    let pid = house.pid();
    // SAFETY: our own child, not waited for yet.
    assert_eq!(unsafe { libc::kill(pid as i32, signal) }, 0);
    let start = Instant::now();
    let is_over =
        || std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "));
    while !is_over() {
        assert!(start.elapsed() < Duration::from_secs(20), "{}", house.said());
        thread::sleep(Duration::from_millis(10));
    }
    house.kill();
}

fn restarted(signal: i32) {
    let (mut house, line, gas) = opening_at_work();
    end(&mut house, signal);
    drop(line);
    let _line = plug(&house, &gas);
    house.up();
    is_at(&house, "closed");
    closes(&house, &gas);
}

#[test]
fn a_closing_after_a_kill_knows_of_the_opening_at_work() {
    restarted(libc::SIGKILL);
}

#[test]
fn a_closing_after_a_restart_in_order_knows_of_the_opening_at_work() {
    restarted(libc::SIGTERM);
}

#[test]
fn a_closing_after_a_kill_and_a_rename_of_the_meter_knows_of_the_opening_at_work() {
    let (mut house, line, gas) = opening_at_work();
    end(&mut house, libc::SIGKILL);
    drop(line);
    let line = plug(&house, &gas);
    let renamed = config().replace("[[meter]]\nid = \"flat\"", "[[meter]]\nid = \"cellar\"");
    house.configure(&renamed.replace("meter = \"flat\"", "meter = \"cellar\""));
    house.up();
    is_at(&house, "closed");
    // And once more, before anything was ordered.
    end(&mut house, libc::SIGKILL);
    drop(line);
    let _line = plug(&house, &gas);
    house.up();
    is_at(&house, "closed");
    closes(&house, &gas);
}

#[test]
fn a_closing_after_a_reload_that_opens_the_port_anew_knows_of_the_opening_at_work() {
    let (house, _line, gas) = opening_at_work();
    house.configure(&config().replace("baud = 9600 }", "baud = 9600 }\nbreaker = { failures = 9 }"));
    house.reload();
    house.wait("the end of the opening, in words", 20, |_| house.said().contains("when the command was out"));
    closes(&house, &gas);
}
