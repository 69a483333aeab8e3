// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl explain`, against the real bus service with a pretended pipeline behind it.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::process::{Command, Output};

use support::{PrivateBus, Service, verdict};

fn gasctl(bus: &PrivateBus, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gasctl"))
        .args(["--bus", &bus.address()])
        .args(args)
        .env("TZ", "UTC")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Exit status, standard output, standard error.
fn told(output: &Output) -> (i32, String, String) {
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Waits until gasctl shows the verdict.
fn shown(bus: &PrivateBus, id: u64) {
    for _ in 0..100 {
        let (_, status, _) = told(&gasctl(bus, &["--json", "status"]));
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        if status["verdicts"].as_array().unwrap().iter().any(|v| v["id"] == id) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("verdict {id} was never shown");
}

/// A verdict with a flow: two litres a minute, then a hose.
fn with_flow(id: u64) -> gasd::state::VerdictRecord {
    const S: u64 = 1_000_000_000;
    let mut flow: Vec<(u64, f64)> = (0..20).map(|i| (1_000 * S + i * 30 * S, 0.12)).collect();
    flow.extend((1..=20).map(|i| (1_570 * S + i * S, 3.6)));
    let evidence = serde_json::json!({
        "rule": "total-flow", "pulse_volume_ul": 1_000_000, "released_ul": 19_333_333, "flow": flow,
        "after_m3_per_h": { "low": 3.42, "mid": 3.6, "high": 3.78 },
        "process": { "value": 9.0e8, "threshold": 3.15576e8, "unit": "s" },
    });
    gasd::state::VerdictRecord {
        kind: "overload".into(),
        t_ns: 1_570 * S,
        decided_ns: 1_590 * S,
        evidence_json: evidence.to_string(),
        text: "Meter kitchen: too much; keep the valve closed.".into(),
        ..verdict(id, "critical")
    }
}

#[test]
fn a_verdict_is_explained_in_words_and_in_a_picture() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(with_flow(8));
    shown(&bus, 8);
    let (code, out, err) = told(&gasctl(&bus, &["explain", "8"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!out.contains('\x1b'), "no colour into a pipe");
    assert!(out.starts_with("Verdict 8 on meter kitchen: more gas than this home uses, critical\n"), "{out}");
    assert!(out.contains("  released    19.333 L beyond what flowed before\n"), "{out}");
    assert!(out.contains("2023-11-14 22:13:00, decided 20 s later at 22:13:20"), "{out}");
    assert!(out.contains('█') && out.contains("m³/h ┼") && out.contains("began 20 s before"), "{out}");
    assert!(out.contains("What to do: keep the valve closed."), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("8.svg");
    let (code, out, _) = told(&gasctl(&bus, &["--json", "explain", "8", "--svg", file.to_str().unwrap()]));
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &out["verdict"]["id"]), (0, &8.into()));
    assert_eq!(out["began_unix_us"], 1_699_999_980_000_000_u64);
    let svg = std::fs::read_to_string(&file).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("class=\"hot\""), "{svg}");
    let (_, alone, _) = told(&gasctl(&bus, &["explain", "8", "--svg", "-"]));
    assert_eq!(alone, svg);

    let (code, _, err) = told(&gasctl(&bus, &["explain", "8", "--svg", "/nowhere/8.svg"]));
    assert!(code == 1 && err.contains("/nowhere/8.svg cannot be written"), "{err}");
    let (code, _, err) = told(&gasctl(&bus, &["explain", "9"]));
    assert!(code == 1 && err.contains("no verdict has the number 9"), "{err}");
}

#[test]
fn a_verdict_that_was_acknowledged_is_explained_from_the_record() {
    let bus = PrivateBus::start();
    let _service = Service::start(&bus);
    let (code, out, err) = told(&gasctl(&bus, &["explain", "77"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("Verdict 77 on meter kitchen: the gas flow rose suddenly, warning\n"), "{out}");
    assert!(out.contains("  seen by     uid 1000 (:1.42) as false-alarm\n"), "{out}");
    assert!(!out.contains("gasctl ack"), "{out}");
    let (_, out, _) = told(&gasctl(&bus, &["--json", "explain", "77"]));
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["verdict"]["acknowledged_by"], "uid 1000 (:1.42) as false-alarm");
}

#[test]
fn what_people_said_of_alarms_is_told_with_the_meter_and_with_the_verdict() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.shared.write().unwrap().meters[0].heard = vec![gasd_detect::Heard {
        topic: gasd_detect::Topic::Overload,
        false_alarms: 2,
        real_leaks: 0,
        times: 4.0,
    }];
    service.add_verdict(with_flow(8));
    shown(&bus, 8);
    let words = "its alarms about more flow than the home takes were called false 2 times: threshold x4";
    let (_, out, _) = told(&gasctl(&bus, &["status"]));
    assert!(out.contains(&format!("  kitchen: {words}\n")), "{out}");
    let (_, out, _) = told(&gasctl(&bus, &["--json", "explain", "8"]));
    let out: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&out["sensitivity"]["text"], &out["sensitivity"]["times"]), (&words.into(), &4.0.into()));
    let (_, out, _) = told(&gasctl(&bus, &["explain", "8"]));
    assert!(out.contains("  meter now   its alarms about"), "{out}");
}

#[test]
fn a_verdict_without_a_flow_is_told_without_a_picture() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    service.add_verdict(verdict(8, "critical"));
    shown(&bus, 8);
    let (code, out, _) = told(&gasctl(&bus, &["explain", "8"]));
    assert_eq!(code, 0);
    assert!(out.contains("suspected-1s-confirmed-5s, the flow over 1 s") && !out.contains('┼'), "{out}");
    let (code, _, err) = told(&gasctl(&bus, &["explain", "8", "--svg", "-"]));
    assert!(code != 0 && err.contains("without a flow"), "{err}");
}
