// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running daemon, as far as it is the response's, with a simulated valve.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use gasd::config::{
    Actuator, Config, FilterSettings, GpioLine, MeterConfig, MeterSource, Thresholds, ValveConfig,
};
use gasd::response::actuator::{Actuator as Driving, ActuatorError, Description, Driven};
use gasd::response::clock::boottime_ns;
use gasd::response::request::simulated_start;
use gasd::response::{Maker, Response, Simulated, SimulatedHand, Target, publish};
use gasd::state::{Change, Command, CommandError, Position, Shared, VerdictRecord};
use gasd::store::{Store, Writer};

/// See the tests.
pub fn config(actuator: Actuator) -> Config {
    Config {
        warnings: Vec::new(),
        files: Vec::new(),
        meters: vec![MeterConfig {
            readings: None,
            id: "kitchen".into(),
            source: MeterSource::Trace(GpioLine { chip: None, line: 0, active_low: false, bias: None }),
            pulse_volume_ul: 10_000,
            max_flow_ul_per_h: 6_000_000_000,
            filter: FilterSettings { abi: gasd_abi::FilterConfig::default(), poll_ns: 50_000_000 },
            thresholds: Thresholds { suspect_m3_per_h: 5.0, confirm_m3_per_h: 3.2, sustain_m3_per_h: 1.8 },
            profile: gasd_detect::Profile::default(),
            rules: gasd_detect::Profile::default().rules(),
            valve: Some(0),
            alarm: None,
        }],
        ports: Vec::new(),
        valves: vec![ValveConfig { id: "house".into(), actuator }],
        store: PathBuf::new(),
        persist_ns: 10_000_000_000,
        pins: PathBuf::new(),
    }
}

/// See the tests.
pub fn verdict(severity: &str) -> VerdictRecord {
    VerdictRecord {
        id: 0,
        meter: "kitchen".into(),
        kind: "surge".into(),
        severity: severity.into(),
        t_ns: 1,
        decided_ns: boottime_ns(),
        unix_us: 3,
        evidence_json: "{}".into(),
        text: "5.2 m³/h over 5 s".into(),
        acknowledged_by: None,
    }
}

/// A simulated valve of which is known when its thread waits for whoever has its state in hand.
struct Watched {
    valve: Simulated,
    hand: SimulatedHand,
    waits: Arc<AtomicBool>,
}

impl Driving for Watched {
    fn drive(&mut self, to: Target) -> Result<Driven, ActuatorError> {
        self.valve.drive(to)
    }

    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError> {
        self.waits.store(true, Ordering::SeqCst);
        let state = self.hand.state();
        // Before it is let go of, so that whoever has it in hand sees the truth.
        self.waits.store(false, Ordering::SeqCst);
        Ok(Some(state.position))
    }

    fn describe(&self) -> Description {
        self.valve.describe()
    }
}

/// A running daemon, as far as it is this room's.
pub struct House {
    pub response: Response,
    pub hand: SimulatedHand,
    /// The valve's thread waits for the hand.
    pub waits: Arc<AtomicBool>,
    pub shared: Shared,
    pub signals: Arc<Mutex<Vec<Change>>>,
    pub writer: Option<Writer>,
}

impl House {
    pub fn start(store: Store, reopen: Option<gasd::store::Opener>) -> House {
        let loaded = store.load().unwrap();
        let writer = match reopen {
            Some(reopen) => Writer::start_with(store, reopen).unwrap(),
            None => Writer::start(store).unwrap(),
        };
        let hands: Arc<Mutex<Vec<SimulatedHand>>> = Arc::default();
        let made = Arc::clone(&hands);
        let waits: Arc<AtomicBool> = Arc::default();
        let waiting = Arc::clone(&waits);
        let make: Maker = Arc::new(move |_, before, _| {
            let valve = Simulated::new(simulated_start(before));
            let hand = valve.hand();
            made.lock().unwrap().push(hand.clone());
            Ok(Box::new(Watched { valve, hand, waits: Arc::clone(&waiting) }))
        });
        let shared = Shared::new(RwLock::default());
        let signals: Arc<Mutex<Vec<Change>>> = Arc::default();
        let told = Arc::clone(&signals);
        let hook = publish(Arc::clone(&shared), move |change| told.lock().unwrap().push(change));
        let config = config(Actuator::Simulated);
        let response = Response::start_with(&config, &loaded, writer.handle(), HashMap::new(), hook, &make);
        let hand = hands.lock().unwrap()[0].clone();
        House { response, hand, waits, shared, signals, writer: Some(writer) }
    }

    pub fn at(path: &Path) -> House {
        House::start(Store::open(path).unwrap(), None)
    }

    pub fn open(&self) -> Result<(), CommandError> {
        self.response
            .command(&Command::Open {
                valve: "house".into(),
                reason: String::new(),
                caller: "uid 1000".into(),
            })
            .map(drop)
    }

    pub fn close(&self) -> Result<(), CommandError> {
        let reason = "inspection".into();
        self.response
            .command(&Command::Close { valve: "house".into(), reason, caller: "uid 1000".into() })
            .map(drop)
    }

    pub fn acknowledge(&self, verdict: u64) -> Result<(), CommandError> {
        let caller = "uid 1000".into();
        self.response.command(&Command::Acknowledge { verdict, feedback: None, caller }).map(drop)
    }

    pub fn position(&self) -> Position {
        self.shared.read().unwrap().valves[0].position
    }

    pub fn moves(&self) -> Vec<Target> {
        self.hand.state().moves.clone()
    }

    pub fn wait_for_signal(&self, signal: &Change) {
        let start = Instant::now();
        while !self.signals.lock().unwrap().contains(signal) {
            assert!(start.elapsed() < Duration::from_secs(20), "{signal:?} was not sent");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn wait_for(&self, position: Position) {
        let start = Instant::now();
        while self.position() != position {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", self.response.valve_states());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn wait_for_moves(&self, n: usize) {
        let start = Instant::now();
        while self.moves().len() < n {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", self.moves());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// An order to close places its hold, and one to open releases it, in the moment it is given to the valve.
    pub fn wait_for_holds(&self, n: usize) {
        let start = Instant::now();
        while self.response.valve_states()[0].holds.len() != n {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", self.response.valve_states());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn stop(mut self) {
        self.response.stop();
        self.writer.take().unwrap().stop().unwrap();
    }
}
