// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl simulate` against the real bus service with a pretended pipeline behind it.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gasd::simulation::Trace;
use gasd::state::{Command as Asked, Phase, SimulatedVerdict};
use support::{PrivateBus, SOON, Service};

/// Only root may simulate, also on a private bus.
fn root() -> bool {
    // SAFETY: geteuid has no preconditions.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        let _ = writeln!(std::io::stderr(), "SKIPPED gasctl simulate: not root");
    }
    root
}

fn simulate(bus: &PrivateBus, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_gasctl"))
        .args(["--bus", &bus.address(), "simulate", "kitchen"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn begun(service: &Service) {
    let start = Instant::now();
    while !service.shared.read().unwrap().simulation.is_running() {
        assert!(start.elapsed() < SOON, "no simulation begins");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the pipeline would do at the end of a hose.
fn end(service: &Service, severity: Option<&str>) {
    let mut snapshot = service.shared.write().unwrap();
    let verdict = |severity: &str| SimulatedVerdict {
        kind: "surge".into(),
        severity: severity.into(),
        after_ns: 2_600_000_000,
        text: "SIMULATION, no gas flowed: gas flow rose".into(),
        ..SimulatedVerdict::default()
    };
    let shown = &mut snapshot.simulation;
    shown.pulses = 42;
    shown.verdicts = severity.map(verdict).into_iter().collect();
    shown.latency_ns = [40_000, 90_000, 120_000];
    shown.phase = Phase::Ended;
    shown.outcome = "ended".into();
}

/// Exit status and standard output.
fn told(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_hose_that_is_noticed_passes_and_one_that_is_not_fails() {
    if !root() {
        return;
    }
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let child = simulate(&bus, &["--speed", "2.5"]);
    begun(&service);
    let commands = service.commands.lock().unwrap().clone();
    let Some(Asked::Simulate { order, caller }) = commands.first() else { panic!("{commands:?}") };
    assert_eq!((order.trace.clone(), order.speed_thousandths, order.valve), (Trace::Hose, 2_500, false));
    assert!(caller.starts_with("uid 0 (:"), "{caller}");
    end(&service, Some("critical"));
    let (code, out) = told(child);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("passed: the hose was detected after 2.6 s (surge), valve not moved"), "{out}");
    assert!(out.contains("42 simulated pulses, in no total") && out.contains("median 40 µs"), "{out}");

    let child = simulate(&bus, &[]);
    begun(&service);
    end(&service, None);
    let (code, out) = told(child);
    assert_eq!(code, 1);
    assert!(out.contains("FAILED: the hose was NOT detected"), "{out}");
}

#[test]
fn a_recording_goes_by_its_descriptor_also_out_of_a_pipe() {
    if !root() {
        return;
    }
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let mut child = simulate(&bus, &["--trace", "-", "--expect", "silence"]);
    child.stdin.take().unwrap().write_all(b"t_ns,line,level\n1,4,1\n").unwrap();
    begun(&service);
    let commands = service.commands.lock().unwrap().clone();
    let Some(Asked::Simulate { order, .. }) = commands.first() else { panic!("{commands:?}") };
    let Trace::File(fd) = &order.trace else { panic!("{order:?}") };
    let file = std::fs::File::from(fd.try_clone().unwrap());
    assert_eq!(std::io::read_to_string(file).unwrap(), "t_ns,line,level\n1,4,1\n");
    end(&service, None);
    assert_eq!(told(child).0, 0);
}

#[test]
fn an_interrupt_stops_it() {
    if !root() {
        return;
    }
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let child = simulate(&bus, &[]);
    begun(&service);
    // SAFETY: our own child, not waited for yet.
    unsafe { libc::kill(child.id().try_into().unwrap(), libc::SIGINT) };
    let (code, out) = told(child);
    assert_eq!(code, 1);
    assert!(out.contains("did not reach its end (stopped)"), "{out}");
}

#[test]
fn json_is_an_object_a_line() {
    if !root() {
        return;
    }
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let child = simulate(&bus, &["--json"]);
    begun(&service);
    end(&service, Some("critical"));
    let (code, out) = told(child);
    assert_eq!(code, 0);
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["passed"]), (&"summary".into(), &true.into()));
    assert_eq!(last["simulation"]["verdicts"][0]["simulated"], true);
    assert!(out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{out}");
}
