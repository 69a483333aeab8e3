// SPDX-License-Identifier: MIT OR Apache-2.0
//! A port, a meter on it and a verdict, as the bus may show them.

use gasd::state::{OnPortState, PortState, VerdictRecord};

/// A serial line with one meter.
pub fn port() -> PortState {
    PortState {
        id: "rs485".into(),
        kind: "serial".into(),
        place: "/dev/ttyUSB0, 2400 baud 8E1".into(),
        health: "ok".into(),
        supply: "good",
        supply_reason: String::new(),
        meters: vec!["boiler-1".into()],
        counts: [("requests", 12), ("answers", 9)].into(),
        echo: "no",
        strangers: vec![("cjt188 33780012345678".into(), "answered a wildcard".into())],
    }
}

/// A meter on it that does not answer.
pub fn on_port() -> OnPortState {
    OnPortState {
        port: "rs485".into(),
        protocol: "cjt188".into(),
        breaker: "open",
        failures: 3,
        last_error: "nothing came in time".into(),
        last_error_kind: "timeout",
        next_probe_ns: 7_000_000_000,
        read_ns: 4_000_000_000,
        fields: vec![("volume".into(), "12.34 m³".into())],
        answers: 9,
        errors: 3,
        latest: [(4_000_000_000, 12_340_000_000)].into(),
        rejected: vec![(5_000_000_000, "checksum", "68 30".into())].into(),
        ..OnPortState::default()
    }
}

/// A verdict on the meter kitchen.
pub fn verdict(id: u64, severity: &str) -> VerdictRecord {
    VerdictRecord {
        id,
        meter: "kitchen".into(),
        kind: "surge".into(),
        severity: severity.into(),
        t_ns: 4_000_000_000,
        decided_ns: 9_000_000_000,
        unix_us: 1_700_000_000_000_000,
        evidence_json: "{\"rule\":\"suspected-1s-confirmed-5s\"}".into(),
        text: "flow of 6.1 m³/h confirmed over 5 s".into(),
        acknowledged_by: None,
    }
}
