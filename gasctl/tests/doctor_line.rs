// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl doctor PORT` on simulated lines, and on a port of gasd's.
#![allow(clippy::unwrap_used, reason = "test code")]

mod lines;
#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::io::{Read, Write as _};

use gasd_lab::pty::Pty;
use gasd_lab::{Habits, Noise};
use lines::{alone, held, line, meter, quiet, told};
use serde_json::Value;
use support::{PrivateBus, Service};

/// Exit status and findings.
fn doctor(pty: &Pty, args: &[&str]) -> (i32, Value) {
    let device = pty.path().to_str().unwrap();
    let args = [&["--json", "doctor", device, "--baud", "38400", "--listen", "2"][..], args].concat();
    let (code, out, err) = told(&alone(&args).output().unwrap());
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

fn verdict<'a>(report: &'a Value, name: &str) -> Option<&'a str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["name"] == name)?["verdict"].as_str()
}

#[test]
fn a_good_line_is_good_and_whether_the_adapter_hears_itself_is_said() {
    for (echo, words) in [(false, "does not hear"), (true, "hears what it sends")] {
        let pty = line(Noise::NONE, echo, vec![meter("cjt188", Habits::default()).0]);
        let (code, report) = doctor(&pty, &[]);
        assert_eq!((code, &report["wrong"], &report["suspicious"]), (0, &0.into(), &0.into()), "{report}");
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["name"] == "echo").unwrap();
        assert!(found["words"].as_str().unwrap().contains(words), "{report}");
        assert_eq!(verdict(&report, "answers"), Some("good"), "{report}");
    }
}

#[test]
fn noise_is_wrong_although_somebody_answers() {
    let noise = Noise { stray_ppm: 20_000, ..Noise::NONE };
    let pty = line(noise, false, vec![meter("cjt188", Habits::default()).0]);
    // A simulated line lives from its first byte on.
    std::fs::OpenOptions::new().write(true).open(pty.path()).unwrap().write_all(&[0xFE]).unwrap();
    // It must have been taken before the doctor empties the line.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let (code, report) = doctor(&pty, &["--quick"]);
    assert_eq!((code, verdict(&report, "noise")), (1, Some("wrong")), "{report}");
}

#[test]
fn requests_that_come_back_changed_are_a_collision() {
    let noise = Noise { corrupt_ppm: 150_000, ..Noise::NONE };
    let (code, report) = doctor(&line(noise, true, Vec::new()), &["--quick"]);
    assert_eq!((code, verdict(&report, "collision")), (1, Some("wrong")), "{report}");
}

#[test]
fn a_line_on_which_nobody_answers_is_wrong_and_says_what_to_check() {
    let pty = line(Noise::NONE, false, Vec::new());
    let device = pty.path().to_str().unwrap();
    let args = ["doctor", device, "--baud", "38400", "--listen", "1", "--quick"];
    let (code, out, err) = told(&alone(&args).output().unwrap());
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("wrong       answers") && out.contains("→ check the cable"), "{out}");
    assert!(out.starts_with(&format!("{device}, 38400 baud 8E1\n")), "{out}");
    assert!(out.ends_with("1 wrong\n"), "{out}");
}

#[test]
fn a_line_in_use_is_left_alone() {
    let pty = quiet("cjt188");
    let _first = held(&pty);
    let (code, out, err) = told(&alone(&["doctor", pty.path().to_str().unwrap()]).output().unwrap());
    assert_eq!((code, out.as_str()), (6, ""), "{err}");
    assert!(err.contains("in use"), "{err}");
}

#[test]
fn interrupted_it_says_what_was_seen_until_then() {
    let pty = line(Noise::NONE, false, Vec::new());
    let mut child = alone(&["doctor", pty.path().to_str().unwrap(), "--listen", "600"]).spawn().unwrap();
    lines::wait_until_held(&pty);
    // SAFETY: kill has no memory to spoil; the child is ours and not yet waited for.
    unsafe { libc::kill(child.id().try_into().unwrap(), libc::SIGINT) };
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{out}");
    assert!(out.contains("interrupted"), "{out}");
    drop(held(&pty));
}

#[test]
fn options_of_a_line_want_a_port() {
    for args in [
        &["doctor", "--quick"][..],
        &["doctor", "--baud", "2400"],
        &["doctor", "/dev/null", "--parity", "auto"],
    ] {
        assert_eq!(told(&alone(args).output().unwrap()).0, 2, "{args:?}");
    }
}

#[test]
fn a_port_of_gasds_is_judged_by_what_gasd_has_seen() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gasctl"));
        told(&command.args(["--bus", &bus.address()]).args(args).output().unwrap())
    };
    let (code, out, err) = run(&["--json", "doctor", "rs485"]);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    // The breaker of its meter is open.
    assert_eq!((code, verdict(&report, "meter"), verdict(&report, "port")), (1, Some("wrong"), Some("good")));
    let words =
        report["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == "meter").unwrap();
    assert!(words["words"].as_str().unwrap().contains("(checksum): 68 30"), "{report}");
    assert!(report["note"].as_str().unwrap().contains("systemctl stop gasd"), "{report}");
    assert_eq!(run(&["doctor", "rs485", "--quick"]).0, 2);
    assert_eq!(run(&["doctor", "attic"]).0, 1);
}
