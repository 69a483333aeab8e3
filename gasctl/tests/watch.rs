// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl watch` as a person and as a script see it.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gasd::state::Change;
use support::{PrivateBus, SOON, Service, verdict};

struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn spawn(bus: &PrivateBus, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gasctl"))
            .args(["--bus", &bus.address(), "watch"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        (child, stdout)
    }

    fn start(bus: &PrivateBus, args: &[&str]) -> Watch {
        let (child, stdout) = Watch::spawn(bus, args);
        let (tell, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Watch { child, lines }
    }

    /// The next line that contains `word`.
    fn line(&self, word: &str) -> String {
        let end = Instant::now() + SOON;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no line with {word}"));
            if line.contains(word) {
                return line;
            }
        }
    }

    fn object(&self, event: &str) -> serde_json::Value {
        serde_json::from_str(&self.line(&format!("\"event\":\"{event}\""))).unwrap()
    }

    /// Sends a signal and returns the exit status.
    fn end(mut self, signal: i32) -> Option<i32> {
        // SAFETY: kill has no memory to spoil; the child is ours and not yet waited for.
        unsafe { libc::kill(self.child.id().try_into().unwrap(), signal) };
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_line_a_change() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let watch = Watch::start(&bus, &[]);
    assert!(watch.line("gasd ").contains("counting in the kernel"));
    watch.line("meter boiler-1");
    watch.line("valve out_side  open");
    service.change(Change::Meter(0), |snapshot| {
        snapshot.meters[0].volume_ul = 2_000_000_000;
        snapshot.meters[0].flow_m3_per_h = Some(6.5);
    });
    let line = watch.line("meter kitchen");
    assert!(line.contains("2.000 m³") && line.contains("6.500 m³/h"), "{line}");
    service.add_verdict(verdict(8, "critical"));
    let line = watch.line("verdict 8");
    assert!(line.contains("critical  surge on meter kitchen: flow of 6.1 m³/h"), "{line}");
    let close = Command::new(env!("CARGO_BIN_EXE_gasctl"))
        .args(["--bus", &bus.address(), "valve", "close", "main", "--reason", "smell of gas"])
        .status()
        .unwrap();
    assert!(close.success());
    let line = watch.line("valve main  closed");
    assert!(line.contains("held by operator: smell of gas"), "{line}");
    let ack = Command::new(env!("CARGO_BIN_EXE_gasctl"))
        .args(["--bus", &bus.address(), "ack", "8"])
        .status()
        .unwrap();
    assert!(ack.success());
    watch.line("verdict 8  acknowledged");
    assert_eq!(watch.end(libc::SIGINT), Some(0));
}

#[test]
fn json_is_an_object_a_line() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let watch = Watch::start(&bus, &["--json"]);
    let state = watch.object("state");
    assert_eq!(state["meters"][1]["pulses"], 123_456);
    service.change(Change::Meter(0), |snapshot| snapshot.meters[0].pulses += 1);
    let meter = watch.object("meter");
    assert_eq!(meter["meter"]["pulses"], 123_457);
    assert_eq!(meter["changed"], serde_json::json!(["Pulses"]));
    service.add_verdict(verdict(8, "critical"));
    assert_eq!(watch.object("verdict-added")["verdict"]["id"], 8);
    service.change(Change::VerdictRemoved(8), |snapshot| snapshot.verdicts.clear());
    assert_eq!(watch.object("verdict-removed")["verdict"]["id"], 8);
    service.change(Change::Service, |snapshot| snapshot.service.problems.push("the ring is small".into()));
    assert_eq!(watch.object("service")["service"]["problems"][0], "the ring is small");
    assert_eq!(watch.end(libc::SIGTERM), Some(0));
}

#[test]
fn a_service_that_restarts_is_followed() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let watch = Watch::start(&bus, &["--json"]);
    watch.object("state");
    drop(service);
    watch.object("gone");
    let service = Service::start(&bus);
    assert_eq!(watch.object("back")["meters"][1]["pulses"], 123_456);
    service.change(Change::Meter(0), |snapshot| snapshot.meters[0].pulses = 5);
    assert_eq!(watch.object("meter")["meter"]["pulses"], 5);
}

#[test]
fn a_bus_that_dies_ends_the_watch_with_three() {
    let mut bus = PrivateBus::start();
    let _service = Service::start(&bus);
    let mut watch = Watch::start(&bus, &[]);
    watch.line("valve out_side");
    bus.kill();
    assert_eq!(watch.child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let (mut child, mut stdout) = Watch::spawn(&bus, &[]);
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let end = Instant::now() + SOON;
    let code = loop {
        service.change(Change::Meter(0), |snapshot| snapshot.meters[0].pulses += 1);
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        assert!(Instant::now() < end, "gasctl watch goes on without a reader");
        std::thread::sleep(Duration::from_millis(50));
    };
    let mut err = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut err).unwrap();
    assert_eq!((code, err.as_str()), (Some(0), ""));
}
