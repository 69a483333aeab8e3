// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lines of two valves are exchanged between two starts, over a real store.

#![allow(clippy::unwrap_used, reason = "test code")]

mod response_house;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gasd::config::{Actuator, ClosedLevel, Config, GpioLine, ValveConfig};
use gasd::response::request::simulated_start;
use gasd::response::{Maker, Response, Simulated, SimulatedHand};
use gasd::state::{Command, CommandError, Position};
use gasd::store::{Store, Writer};

/// Valves on lines, as far as gasd knows; what moves is in memory.
fn on_lines(lines: [(&str, u32); 2]) -> Config {
    let valves = lines.map(|(id, line)| {
        let line = GpioLine { chip: Some("valves".into()), line, active_low: false, bias: None };
        let closed = ClosedLevel::High;
        let actuator = Actuator::Gpio { line, closed, pulse_ns: None, open_line: None, feedback: None };
        ValveConfig { id: id.into(), actuator }
    });
    Config { valves: valves.into(), ..response_house::config(Actuator::Simulated) }
}

struct Run {
    response: Response,
    hands: Arc<Mutex<Vec<SimulatedHand>>>,
    writer: Writer,
}

impl Run {
    fn start(path: &Path, config: &Config) -> Run {
        let store = Store::open(path).unwrap();
        let loaded = store.load().unwrap();
        let writer = Writer::start(store).unwrap();
        let hands: Arc<Mutex<Vec<SimulatedHand>>> = Arc::default();
        let made = Arc::clone(&hands);
        let make: Maker = Arc::new(move |_, before, _| {
            let valve = Simulated::new(simulated_start(before));
            made.lock().unwrap().push(valve.hand());
            Ok(Box::new(valve))
        });
        let hook = Box::new(|_: gasd::response::Update<'_>| {});
        let response = Response::start_with(config, &loaded, writer.handle(), HashMap::new(), hook, &make);
        Run { response, hands, writer }
    }

    fn open(&self, valve: &str) -> Result<(), CommandError> {
        let (valve, caller) = (valve.into(), "uid 0".into());
        self.response.command(&Command::Open { valve, reason: String::new(), caller }).map(drop)
    }

    fn wait_for(&self, at: usize, position: Position) {
        let start = Instant::now();
        while self.response.valve_states()[at].position != position {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", self.response.valve_states());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn stop(self) {
        self.response.stop();
        self.writer.stop().unwrap();
    }
}

#[test]
fn a_hold_follows_its_line_to_another_name_and_stays_on_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.redb");
    let run = Run::start(&path, &on_lines([("front", 1), ("back", 2)]));
    run.open("front").unwrap();
    run.open("back").unwrap();
    let hold = Command::Hold {
        valve: "front".into(),
        app: "vendor".into(),
        reason: "unpaid".into(),
        uid: 33,
        caller: "uid 33".into(),
    };
    run.response.command(&hold).unwrap();
    run.stop();

    let exchanged = on_lines([("front", 2), ("back", 1)]);
    let run = Run::start(&path, &exchanged);
    for (at, valve) in ["front", "back"].into_iter().enumerate() {
        run.wait_for(at, Position::Closed);
        let held = run.open(valve).unwrap_err();
        assert!(matches!(held, CommandError::Held { .. }), "{held}");
    }
    assert!(run.hands.lock().unwrap().iter().all(|hand| hand.state().position == Position::Closed));
    let cookie = run.response.valve_states()[0].holds[0].cookie;
    let release = Command::Release {
        valve: "front".into(),
        cookie,
        of: gasd::state::Release::Own(33),
        caller: "uid 33".into(),
    };
    run.response.command(&release).unwrap();
    run.open("back").unwrap();
    run.stop();

    // Front was closed on its new line by the start, and nobody has opened it.
    let run = Run::start(&path, &exchanged);
    run.wait_for(1, Position::Open);
    run.wait_for(0, Position::Closed);
    assert!(run.response.valve_states().iter().all(|valve| valve.holds.is_empty()));
    run.stop();
    let store = Store::open(&path).unwrap();
    let of = |line: u32, to| (format!("line {line} of chip valves"), to);
    assert_eq!(store.commanded().unwrap(), [of(1, Position::Open), of(2, Position::Closed)]);
    assert_eq!(store.holds().unwrap(), []);
}
