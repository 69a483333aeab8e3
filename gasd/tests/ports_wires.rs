// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters on serial lines, as a person would have them: read, judged, their valves closed by their own command, left
//! alone while they are dead, and gone on with after a crash.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "bus_support.rs"]
mod support;

mod ports_house;

use std::collections::HashMap;

use gasd_lab::clock::now_ns;
use gasd_lab::truth::look;
use gasd_lab::{Habits, Line, cjt188, mbus};
use gasd_meters::Valve;
use gasd_proxy::Client;
use ports_house::{House, M3_PER_H, SECOND, answers, field, litres, truth};
use support::run;

const FLATS: &str = r#"
[[port]]
id = "rs485"
serial = { device = "DIR/tty0", baud = 9600 }
breaker = { failures = 2, open = "3 s" }
answer = "300 ms"

[[meter]]
id = "flat-1"
port = "rs485"
device = { protocol = "cjt188", address = "33780000000001" }
readings = { every = "1 s", resolution = "10 L" }
valve = "flat-1"

[[valve]]
id = "flat-1"
actuator = { meter = "flat-1" }

[[meter]]
id = "flat-2"
port = "rs485"
device = { protocol = "cjt188", address = "33780000000002" }
readings = { every = "1 s", resolution = "10 L" }
"#;

fn gas(n: u8, habits: Habits, truth: &gasd_lab::Shared) -> Box<dyn gasd_lab::Meter> {
    let settings = cjt188::Settings::new(gasd_meters::cjt188::Address([n, 0, 0, 0, 0, 0x78, 0x33]));
    Box::new(cjt188::GasMeter::new(settings, habits, truth.clone()))
}

#[test]
fn meters_are_read_commanded_left_alone_and_gone_on_with() {
    let mut house = House::start(FLATS);
    // There is no such device yet: gasd runs, and says so.
    house.wait("the port's health", 20, |state| {
        state.ports.get("rs485").is_some_and(|port| port.health.contains("no device"))
            && state.meters["flat-1"].health.contains("its port \"rs485\" is not there")
    });
    run(async {
        let client = Client::connect(Some(&house.bus.address())).await.unwrap();
        let refused = client.scan("rs485", &[]).await.unwrap_err().to_string();
        assert!(refused.contains("it has no line at present") && refused.contains("no device"), "{refused}");
    });
    let (one, two) = (truth(5_000_000_000, 3 * M3_PER_H), truth(7_000_000_000, 0));
    let dead = Habits {
        dead: std::iter::once(now_ns() + 4 * SECOND..now_ns() + 14 * SECOND).collect(),
        ..Habits::default()
    };
    let meters = || vec![gas(1, Habits::default(), &one), gas(2, dead.clone(), &two)];
    let line = house.line("tty0", Line { echo: true, ..Line::new(9_600) }, meters());
    let state = house.wait("two meters that answer", 20, |state| {
        answers(state, "flat-1") > 1 && answers(state, "flat-2") > 0 && state.ports["rs485"].echo == "yes"
    });
    assert_eq!(state.ports["rs485"].health, "ok");
    assert_eq!(field(&state, "flat-2", "volume"), Some("7.00 m³"));
    assert_eq!(field(&state, "flat-1", "valve"), Some("open"));

    // Dead, and left alone; back, and read at once.
    let state = house.wait("a breaker that opens", 20, |state| {
        let meter = &state.meters["flat-2"];
        meter.on_port.as_ref().is_some_and(|on| on.breaker == "open")
            && meter.health.contains("has not answered")
    });
    let on = state.meters["flat-2"].on_port.as_ref().unwrap();
    assert!(on.next_probe_ns > 0 && on.last_error_kind == "timeout", "{on:?}");
    house.wait("a breaker that closes", 30, |state| {
        let meter = &state.meters["flat-2"];
        meter.on_port.as_ref().is_some_and(|on| on.breaker == "closed" && on.last_error.is_empty())
            && meter.health == "ok"
    });

    // Its valve, by its own command, once.
    run(async {
        let client = Client::connect(Some(&house.bus.address())).await.unwrap();
        client.valve("flat-1").await.unwrap().close("a test", HashMap::new()).await.unwrap();
        let latest = client.meter("flat-1").await.unwrap().latest(HashMap::new()).await.unwrap();
        assert!(latest.len() > 2 && latest.is_sorted(), "{latest:?}");
    });
    let state = house.wait("a closed valve", 10, |state| state.valves["flat-1"].position == "closed");
    assert_eq!(state.valves["flat-1"].actuator, "meter");
    assert_eq!(look(&one).executed().map(|(_, to)| to).collect::<Vec<_>>(), [Valve::Closed]);

    // A crash: the total goes on, and each litre is counted once.
    let before = house.wait("a total", 20, |state| state.meters["flat-1"].volume_ul > 0);
    house.kill();
    house.up();
    let after = house.wait("the total again", 20, |state| answers(state, "flat-1") > 0);
    let (before, after) = (before.meters["flat-1"].volume_ul, after.meters["flat-1"].volume_ul);
    let passed_ul = look(&one).register_ul(now_ns()) - 5_000_000_000;
    assert!(after <= passed_ul, "{after} µL of {passed_ul}, {before} before");
    assert_eq!(look(&one).commands().len(), 1, "held closed, and found closed: nothing is sent");

    // The adapter is pulled out and put in again.
    drop(line);
    house.wait("a port that is gone", 20, |state| state.ports["rs485"].health != "ok");
    let _line = house.line("tty0", Line::new(9_600), meters());
    house.wait("a port that is back", 30, |state| {
        state.ports["rs485"].health == "ok" && state.meters["flat-1"].health == "ok"
    });

    // Another configuration, live: one meter fewer, another interval.
    let gone = FLATS.find("[[meter]]\nid = \"flat-2\"").unwrap();
    house.configure(&FLATS[..gone].replace("every = \"1 s\"", "every = \"2 s\""));
    house.reload();
    house.wait("one meter", 20, |state| state.meters.len() == 1 && state.ports["rs485"].meters == ["flat-1"]);
    let said = house.said();
    assert!(said.contains("flat-2\" removed"), "{said}");
}

#[test]
fn a_closing_is_carried_out_once_through_a_crash_and_a_line_that_is_away() {
    let flat = &FLATS[..FLATS.find("[[meter]]\nid = \"flat-2\"").unwrap()];
    let mut house = House::start(flat);
    let one = truth(5_000_000_000, 0);
    let line = house.line("tty0", Line::new(9_600), vec![gas(1, Habits::default(), &one)]);
    house.wait("a meter that answers", 20, |state| answers(state, "flat-1") > 1);
    let address = house.bus.address();
    let order = move |open: bool| {
        let address = address.clone();
        std::thread::spawn(move || {
            run(async {
                let client = Client::connect(Some(&address)).await.unwrap();
                let valve = client.valve("flat-1").await.unwrap();
                // It is told that gasd was killed, or that the valve takes longer.
                let _ = if open {
                    valve.open(HashMap::new()).await
                } else {
                    valve.close("a test", HashMap::new()).await
                };
            });
        })
    };
    let executed = || look(&one).executed().map(|(_, to)| to).collect::<Vec<_>>();
    // Killed while the valve moves, and it is not told again what it was told.
    let closing = order(false);
    let started = now_ns();
    while look(&one).commands().is_empty() {
        assert!(now_ns() < started + 10 * SECOND, "no command");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    house.kill();
    let _ = closing.join();
    house.up();
    house.wait("a closed valve", 40, |state| state.valves["flat-1"].position == "closed");
    assert_eq!(look(&one).commands().len(), 1, "{:?}", look(&one).commands());

    // Opened, and closed before it has left: the meter still says closed, and is told all the same.
    let opening = order(true);
    while look(&one).commands().len() < 2 {
        assert!(now_ns() < started + 120 * SECOND, "no command to open");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let closing = order(false);
    let (_, _) = (opening.join(), closing.join());
    house.wait("a valve that is closed again", 40, |state| state.valves["flat-1"].position == "closed");
    assert_eq!(executed(), [Valve::Closed, Valve::Open, Valve::Closed]);
    assert_eq!(look(&one).valve(now_ns() + 10 * SECOND), Valve::Closed);

    // Told to close while its line is away for longer than it is tried.
    let _ = order(true).join();
    house.wait("an open valve", 40, |state| state.valves["flat-1"].position == "open");
    drop(line);
    house.wait("a port that is gone", 20, |state| state.ports["rs485"].health != "ok");
    let _ = order(false).join();
    house.wait("what is wrong", 30, |state| state.valves["flat-1"].health.contains("no line"));
    std::thread::sleep(std::time::Duration::from_secs(8));
    let _line = house.line("tty0", Line::new(9_600), vec![gas(1, Habits::default(), &one)]);
    house.wait("a valve that is closed when its line is back", 40, |state| {
        let valve = &state.valves["flat-1"];
        valve.position == "closed" && valve.health == "ok"
    });
    assert_eq!(executed()[3..], [Valve::Open, Valve::Closed]);
}

#[test]
fn what_a_meter_speaks_is_found_out_and_told() {
    let auto = r#"
[[port]]
id = "line"
serial = { device = "DIR/tty0", baud = 9600 }
breaker = { failures = 2, open = "2 s" }
answer = "300 ms"

[[meter]]
id = "cellar"
port = "line"
device = { protocol = "auto", address = "any", quantity = "volume" }
readings = { every = "1 s", resolution = "1 L" }
"#;
    let house = House::start(auto);
    let protocol = |state: &gasd_proxy::State| {
        state.meters["cellar"].on_port.as_ref().map(|on| on.protocol.clone()).unwrap_or_default()
    };
    house.wait("a meter of an unknown protocol", 20, |state| protocol(state) == "auto");
    let cubic = litres(12_345_000_000);
    let settings = mbus::Settings::new(7, [7, 0, 0, 0x10]);
    let meter = mbus::GasMeter::new(settings, Habits::default(), cubic);
    let line = house.line("tty0", Line::new(9_600), vec![Box::new(meter)]);
    let state = house.wait("a meter that was found", 40, |state| answers(state, "cellar") > 1);
    assert_eq!((protocol(&state).as_str(), field(&state, "cellar", "volume")), ("mbus", Some("12.345 m³")));
    house.wait("what is said", 10, |_| house.said().contains("speaks mbus, as was found out"));

    // A reload changes nothing of that.
    house.reload();
    let state = house.wait("more answers", 20, |state| answers(state, "cellar") > 4);
    assert_eq!(protocol(&state), "mbus");

    // Another meter hangs there, which speaks another protocol.
    drop(line);
    house.wait("a port that is gone", 20, |state| state.ports["line"].health != "ok");
    let other = truth(13_000_000_000, 0);
    let _line = house.line("tty0", Line::new(9_600), vec![gas(9, Habits::default(), &other)]);
    house.wait("the other meter", 60, |state| protocol(state) == "cjt188");
}

#[test]
fn a_hose_that_comes_off_is_closed_by_the_meters_own_valve() {
    let house = House::start(
        r#"
[[port]]
id = "mbus"
serial = { device = "DIR/tty0", baud = 9600 }

[[meter]]
id = "kitchen"
port = "mbus"
device = { protocol = "mbus", address = 7, quantity = "volume", valve = { mask = 1, open = 0, closed = 1 } }
readings = { every = "1 s", resolution = "1 L" }
valve = "kitchen"

[[valve]]
id = "kitchen"
actuator = { meter = "kitchen" }
"#,
    );
    let gas = litres(90_000_000_000);
    let settings = mbus::Settings::new(7, [7, 0, 0, 0x10]);
    let meter = mbus::GasMeter::new(settings, Habits::default(), gas.clone());
    let _line = house.line("tty0", Line::new(9_600), vec![Box::new(meter)]);
    house.wait("a meter that answers", 20, |state| answers(state, "kitchen") > 3);
    look(&gas).set_flow(now_ns(), 11 * M3_PER_H);
    let began_ns = now_ns();
    let state = house.wait("a critical verdict and a closed valve", 60, |state| {
        state.valves["kitchen"].position == "closed"
            && state.verdicts.values().any(|verdict| verdict.severity == "critical")
    });
    let (closed_ns, _) = look(&gas).executed().next().unwrap();
    assert_eq!(look(&gas).executed().count(), 1);
    let verdict = state.verdicts.values().find(|verdict| verdict.severity == "critical").unwrap();
    assert!(verdict.decided_ns < closed_ns && closed_ns < began_ns + 30 * SECOND, "{verdict:?}");
}

const SLOW: &str = r#"
[[port]]
id = "slow"
serial = { device = "DIR/tty0", baud = 9600 }
answer = "300 ms"

[[port]]
id = "double"
serial = { device = "DIR/tty1", baud = 9600 }
answer = "300 ms"

[[meter]]
id = "flat-1"
port = "slow"
device = { protocol = "cjt188", address = "33780000000001" }
readings = { every = "2 s", resolution = "10 L" }

[[meter]]
id = "flat-2"
port = "double"
device = { protocol = "cjt188", address = "33780000000002" }
readings = { every = "2 s", resolution = "10 L" }
"#;

#[test]
fn answers_that_are_late_and_answers_of_two_are_counted_of_their_meters_and_are_no_noise() {
    let thinks = |ms: u64| Habits { think_ns: (ms * 1_000_000, ms * 1_000_000), ..Habits::default() };
    let house = House::prepare(SLOW);
    let (one, two) = (truth(5_000_000_000, 0), truth(7_000_000_000, 0));
    let _slow = house.line("tty0", Line::new(9_600), vec![gas(1, thinks(450), &one)]);
    let both = vec![gas(2, thinks(20), &one), gas(2, thinks(250), &two)];
    let _double = house.line("tty1", Line::new(9_600), both);
    let mut house = house;
    house.up();
    let count = |state: &gasd_proxy::State, meter: &str, name: &str| {
        let on = state.meters.get(meter).and_then(|meter| meter.on_port.as_ref());
        on.and_then(|on| on.answers.get(name).copied()).unwrap_or(0)
    };
    let state = house.wait("late and second answers", 40, |state| {
        count(state, "flat-1", "late") > 2 && count(state, "flat-2", "twice") > 2
    });
    for (port, counter) in [("slow", "late_answers"), ("double", "other_answers")] {
        let counts = &state.ports[port].counts;
        assert!(counts["garbage_bytes"] == 0 && counts[counter] > 0, "{port}: {counts:?}");
    }
    assert_eq!((count(&state, "flat-1", "twice"), count(&state, "flat-2", "late")), (0, 0));
    let said = house.said();
    assert!(said.contains("\"flat-1\" on port \"slow\" answered up to 0."), "{said}");
}
