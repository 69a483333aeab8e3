// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl doctor` on whatever machine this is.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::process::Command;

use support::{PrivateBus, Service};

#[test]
fn it_sees_the_service_and_changes_nothing() {
    let bus = PrivateBus::start();
    let service = Service::start(&bus);
    let doctor = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_gasctl"))
            .args(["--bus", &bus.address()])
            .args(args)
            .output()
            .unwrap()
    };
    let output = doctor(&["--json", "doctor"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = object["findings"].as_array().unwrap();
    let of = |check: &str| findings.iter().find(|f| f["check"] == check).unwrap();
    assert_eq!(of("filter")["level"], "ok");
    assert_eq!(of("edges")["level"], "ok");
    assert!(findings.iter().any(|f| f["text"].as_str().unwrap().contains("no pulse for 3 days")));
    // The meter that is not well fails the whole, wherever this runs.
    assert_eq!(output.status.code(), Some(1));
    assert!(object["fail"].as_u64().unwrap() > 0);
    assert!(service.commands.lock().unwrap().is_empty());

    let text = String::from_utf8(doctor(&["doctor", "--quiet"]).stdout).unwrap();
    assert!(text.contains("fail") && text.contains("→") && !text.contains("\nok "), "{text}");
}

#[test]
fn a_bus_without_gasd_is_a_finding_and_no_crash() {
    let bus = PrivateBus::start();
    let args = ["--bus", &bus.address(), "--json", "doctor"];
    let output = Command::new(env!("CARGO_BIN_EXE_gasctl")).args(args).output().unwrap();
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = object["findings"].as_array().unwrap();
    let bus = findings.iter().find(|f| f["check"] == "bus").unwrap();
    assert!(bus["text"].as_str().unwrap().contains("not running"), "{bus}");
    assert_eq!(output.status.code(), Some(1));
}
