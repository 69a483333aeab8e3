// SPDX-License-Identifier: MIT OR Apache-2.0

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use super::*;
use crate::response::actuator::{Driven, Simulated, SimulatedHand};
use crate::response::clock::boottime_ns;

/// A latching valve in memory that notes when it was pulsed and rested.
#[derive(Clone, Default)]
struct Coils(Arc<Mutex<CoilState>>);

#[derive(Default)]
struct CoilState {
    log: Vec<&'static str>,
    feedback: Option<Position>,
    pulse: Duration,
}

impl Coils {
    fn new(pulse_ms: u64, feedback: Option<Position>) -> Coils {
        let state = CoilState { log: Vec::new(), feedback, pulse: Duration::from_millis(pulse_ms) };
        Coils(Arc::new(Mutex::new(state)))
    }

    fn log(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().log.clone()
    }
}

impl Actuator for Coils {
    fn drive(&mut self, to: Target) -> Result<Driven, ActuatorError> {
        let mut state = self.0.lock().unwrap();
        state.log.push(to.name());
        Ok(Driven { line_set_ns: Some(boottime_ns()), pulse: Some(state.pulse) })
    }

    fn rest(&mut self) -> Result<(), ActuatorError> {
        self.0.lock().unwrap().log.push("rest");
        Ok(())
    }

    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError> {
        Ok(self.0.lock().unwrap().feedback)
    }

    fn describe(&self) -> Description {
        let has_feedback = self.0.lock().unwrap().feedback.is_some();
        Description { latching: true, has_feedback, ..Description::default() }
    }
}

struct Bench {
    runner: Runner,
    reports: mpsc::Receiver<Report>,
}

impl Bench {
    fn new(actuator: Option<Box<dyn Actuator>>, factory: Factory) -> Bench {
        let (tell, reports) = channel();
        let report = Box::new(move |report| drop(tell.send(report)));
        Bench { runner: Runner::start("test", actuator, factory, report).unwrap(), reports }
    }

    fn with(actuator: impl Actuator + 'static) -> Bench {
        Bench::new(Some(Box::new(actuator)), Box::new(|| unreachable!("it is there")))
    }

    fn simulated() -> (Bench, SimulatedHand) {
        let valve = Simulated::new(Position::Open);
        let hand = valve.hand();
        (Bench::with(valve), hand)
    }

    fn order(&self, to: Target, force: bool) -> mpsc::Receiver<Outcome> {
        let (reply, answer) = channel();
        self.runner.order(Order { to, force, decided_ns: boottime_ns(), reply: Some(reply) });
        answer
    }

    fn next(&self) -> Outcome {
        loop {
            match self.reports.recv_timeout(Duration::from_secs(10)).unwrap() {
                Report::Driven(outcome) => return outcome,
                _ => continue,
            }
        }
    }
}

fn answer(answer: &mpsc::Receiver<Outcome>) -> Outcome {
    answer.recv_timeout(Duration::from_secs(10)).unwrap()
}

#[test]
fn an_order_is_carried_out_and_its_latency_measured() {
    let (bench, hand) = Bench::simulated();
    let outcome = answer(&bench.order(Target::Closed, true));
    assert_eq!((outcome.result, outcome.will_retry), (Ok(Position::Closed), false));
    let latency = outcome.latency_ns.unwrap();
    assert!(latency > 0 && latency < 1_000_000_000, "{latency}");
    println!("decision to line: {} µs", latency / 1000);
    assert_eq!(hand.state().moves, [Target::Closed]);
}

#[test]
fn a_closing_that_fails_is_reported_at_once_and_tried_again_a_few_times() {
    let (bench, hand) = Bench::simulated();
    hand.state().fail = Some("no current".into());
    let outcome = answer(&bench.order(Target::Closed, true));
    assert!(outcome.result.is_err() && outcome.will_retry);
    assert!(bench.next().will_retry);
    assert!(bench.next().will_retry);
    hand.state().fail = None;
    assert_eq!(bench.next().result, Ok(Position::Closed));
}

#[test]
fn an_opening_that_fails_is_not_tried_again() {
    let (bench, hand) = Bench::simulated();
    hand.state().fail = Some("no current".into());
    let outcome = answer(&bench.order(Target::Open, true));
    assert!(outcome.result.is_err() && !outcome.will_retry);
    hand.state().fail = None;
    drop(bench);
    assert_eq!(hand.state().moves, []);
}

#[test]
fn feedback_that_disagrees_is_an_error_that_names_both() {
    let (bench, hand) = Bench::simulated();
    hand.state().stuck = true;
    let outcome = answer(&bench.order(Target::Closed, true));
    let error = outcome.result.unwrap_err();
    assert_eq!(error, ActuatorError::Mismatch { wanted: "closed", read: "open" });
    hand.state().position = Position::Closed;
    drop(bench);
}

#[test]
fn a_pulse_lasts_and_then_rests() {
    let coils = Coils::new(60, None);
    let bench = Bench::with(coils.clone());
    let start = Instant::now();
    let outcome = answer(&bench.order(Target::Closed, true));
    let set = Duration::from_nanos(outcome.latency_ns.unwrap());
    assert!(start.elapsed() >= set + Duration::from_millis(60), "the line is set at the begin of the pulse");
    assert_eq!((outcome.result, coils.log()), (Ok(Position::Closed), vec!["closed", "rest"]));
}

#[test]
fn a_closing_order_cuts_an_opening_pulse_short() {
    let coils = Coils::new(2000, None);
    let bench = Bench::with(coils.clone());
    let opening = bench.order(Target::Open, true);
    while coils.log().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    let start = Instant::now();
    let closing = bench.order(Target::Closed, true);
    while coils.log().len() < 3 {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(start.elapsed() < Duration::from_millis(1000));
    assert_eq!(coils.log(), ["open", "rest", "closed"]);
    assert_eq!(opening.recv_timeout(Duration::from_secs(5)), Err(RecvTimeoutError::Disconnected));
    assert_eq!(answer(&closing).result, Ok(Position::Closed));
}

#[test]
fn an_opening_order_waits_for_the_end_of_a_closing_pulse() {
    let coils = Coils::new(100, None);
    let bench = Bench::with(coils.clone());
    let start = Instant::now();
    let _closing = bench.order(Target::Closed, true);
    while coils.log().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    let opening = bench.order(Target::Open, true);
    assert_eq!(answer(&opening).result, Ok(Position::Open));
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(coils.log(), ["closed", "rest", "open", "rest"]);
}

#[test]
fn a_latching_valve_that_reads_closed_is_pulsed_again_only_for_a_verdict() {
    let coils = Coils::new(1, Some(Position::Closed));
    let bench = Bench::with(coils.clone());
    let outcome = answer(&bench.order(Target::Closed, false));
    assert_eq!((outcome.result, outcome.latency_ns), (Ok(Position::Closed), None));
    assert_eq!(coils.log(), [""; 0]);
    answer(&bench.order(Target::Closed, true));
    assert_eq!(coils.log(), ["closed", "rest"]);
}

#[test]
fn orders_in_quick_succession_do_not_burn_the_coil() {
    let coils = Coils::new(100, None);
    let bench = Bench::with(coils.clone());
    let answers: Vec<_> = (0..20).map(|_| bench.order(Target::Closed, true)).collect();
    for one in &answers {
        assert_eq!(answer(one).result, Ok(Position::Closed));
    }
    answer(&bench.order(Target::Closed, true));
    assert_eq!(coils.log(), ["closed", "rest"]);
}

#[test]
fn an_actuator_that_was_not_there_is_made_when_it_is_needed() {
    let there = Arc::new(Mutex::new(false));
    let is_there = Arc::clone(&there);
    let factory: Factory = Box::new(move || {
        if !*is_there.lock().unwrap() {
            return Err(ActuatorError::NoChip { wanted: "gpiochip9".into(), existing: "none".into() });
        }
        Ok(Box::new(Simulated::new(Position::Open)))
    });
    let bench = Bench::new(None, factory);
    assert!(answer(&bench.order(Target::Closed, true)).result.is_err());
    *there.lock().unwrap() = true;
    assert_eq!(
        bench.next().result.map_err(|error| error.to_string()).err().as_deref(),
        Some("there is no GPIO chip \"gpiochip9\"; this machine has none")
    );
    while bench.next().result != Ok(Position::Closed) {}
}

#[test]
fn a_valve_that_is_turned_by_hand_is_noticed() {
    let (bench, hand) = Bench::simulated();
    answer(&bench.order(Target::Closed, true));
    hand.state().position = Position::Open;
    loop {
        if let Report::Observed(position) = bench.reports.recv_timeout(Duration::from_secs(5)).unwrap() {
            assert_eq!(position, Position::Open);
            break;
        }
    }
}

#[test]
fn stopping_in_the_middle_of_a_pulse_ends_the_pulse() {
    let coils = Coils::new(100, None);
    let bench = Bench::with(coils.clone());
    let _answer = bench.order(Target::Closed, true);
    while coils.log().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    drop(bench);
    assert_eq!(coils.log(), ["closed", "rest"]);
}

/// A valve whose chip is pulled out.
struct OnChip(Simulated, Arc<Mutex<bool>>);

impl OnChip {
    fn there(&self) -> Result<(), ActuatorError> {
        if *self.1.lock().unwrap() { Ok(()) } else { Err(ActuatorError::Gone { name: "line 0".into() }) }
    }
}

impl Actuator for OnChip {
    fn drive(&mut self, to: Target) -> Result<Driven, ActuatorError> {
        self.there()?;
        self.0.drive(to)
    }

    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError> {
        Ok(None)
    }

    fn check(&mut self) -> Result<(), ActuatorError> {
        self.there()
    }

    fn describe(&self) -> Description {
        Description { can_vanish: true, ..Description::default() }
    }
}

#[test]
fn a_valve_whose_chip_went_away_is_missed_without_an_order_and_made_anew() {
    let chip = Arc::new(Mutex::new(true));
    let again = Arc::clone(&chip);
    let make = move || -> Result<Box<dyn Actuator>, ActuatorError> {
        let valve = OnChip(Simulated::new(Position::Closed), Arc::clone(&again));
        valve.there().map(|()| Box::new(valve) as Box<dyn Actuator>)
    };
    let bench = Bench::new(Some(make().unwrap()), Box::new(make));
    let report = || bench.reports.recv_timeout(Duration::from_secs(10)).unwrap();
    *chip.lock().unwrap() = false;
    assert!(matches!(report(), Report::Gone(_)));
    assert!(answer(&bench.order(Target::Open, false)).result.is_err());
    *chip.lock().unwrap() = true;
    while !matches!(report(), Report::Ready(..)) {}
    assert_eq!(answer(&bench.order(Target::Open, false)).result, Ok(Position::Open));
}
