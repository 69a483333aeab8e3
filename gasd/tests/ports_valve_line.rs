// SPDX-License-Identifier: MIT OR Apache-2.0
//! A closing that finds no line to its meter: it goes out as soon as there is one.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

#[path = "ports_house/flat.rs"]
mod flat;
mod ports_house;

use std::thread;

use flat::{FLAT, close, commands, meter, plug};
use gasd_lab::Line;
use gasd_lab::truth::{Motor, look};
use gasd_meters::Valve;
use ports_house::{House, M3_PER_H, SECOND, truth};

/// Its meter is read so seldom that nothing here waits for that.
fn config() -> String {
    FLAT.replace("every = \"1 s\"", "every = \"1 h\"")
}

#[test]
fn a_closing_that_no_line_took_goes_out_as_soon_as_the_line_is_back() {
    let house = House::start(&config());
    let gas = truth(5_000_000_000, M3_PER_H);
    look(&gas).set_motor(Some(Motor { time_ns: SECOND, stuck: false, refuses: false }));
    let line = plug(&house, &gas);
    let is_at = |position| {
        house.wait(position, 60, |state| {
            state.valves.get("flat").is_some_and(|valve| valve.position == position)
        })
    };
    is_at("open");
    // The adapter is pulled, and the valve told to close: each try of that fails. The first and the last say so.
    drop(line);
    house.wait("a port without a line", 20, |state| state.ports["rs485"].health != "ok");
    let address = house.bus.address();
    close(&address).unwrap_err();
    house.wait("the end of all tries", 60, |_| house.said().matches("could not be driven").count() == 2);
    assert_eq!(commands(&gas), []);
    let _line = plug(&house, &gas);
    let state = is_at("closed");
    assert_eq!(commands(&gas), [Valve::Closed]);
    assert_eq!(state.valves["flat"].holds.len(), 1);
}

#[test]
fn a_closing_under_way_follows_its_meter_to_another_port() {
    let config = |port: &str| {
        let b = "[[port]]\nid = \"b\"\nserial = { device = \"DIR/tty1\", baud = 9600 }\n\n[[meter]]";
        config().replacen("[[meter]]", b, 1).replace("port = \"rs485\"", &format!("port = \"{port}\""))
    };
    let mut house = House::prepare(&config("rs485"));
    let gas = truth(5_000_000_000, M3_PER_H);
    // It was wired to the other port, and the configuration does not say so yet.
    let _b = house.line("tty1", Line::new(9_600), vec![meter(&gas)]);
    let _a = house.line("tty0", Line::new(9_600), Vec::new());
    house.up();
    house.wait("a port", 20, |state| state.ports.get("rs485").is_some_and(|port| port.health == "ok"));
    let address = house.bus.address();
    let order = thread::spawn(move || close(&address));
    house.wait("a closing under way", 20, |state| state.valves["flat"].holds.len() == 1);
    house.configure(&config("b"));
    house.reload();
    house.wait("a closed valve", 45, |state| state.valves["flat"].position == "closed");
    assert_eq!(commands(&gas), [Valve::Closed]);
    order.join().unwrap().unwrap();
}
