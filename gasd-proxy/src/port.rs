// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports and what is known of the meters on them, as plain values.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::properties::{Properties, set, set_name, value};

/// A port that meters are read through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its id.
    pub id: String,
    /// `serial`, `tcp`, `wmbus`, `lorawan`, `lwm2m`, or `unknown`.
    pub kind: String,
    /// Device or address with its settings, in words.
    pub place: String,
    /// `ok`, or in words what is wrong.
    pub health: String,
    /// How its supply is: `good`, `low`, `unknown`; empty where no line says it.
    pub supply: String,
    /// Ids of the meters on it.
    pub meters: Vec<String>,
    /// What it has seen since the service started, by name.
    pub counts: BTreeMap<String, u64>,
    /// Whether the adapter hears what it sends: `yes`, `no` or `unknown`.
    pub echo: String,
    /// Meters that were heard and are not configured: as a configuration would name them, and in words.
    pub strangers: Vec<(String, String)>,
}

impl Port {
    pub(crate) fn update(&mut self, p: &Properties) {
        set(&mut self.id, p, "Id");
        set_name(&mut self.kind, p, "Kind", &["serial", "tcp", "wmbus", "lorawan", "lwm2m"]);
        set(&mut self.place, p, "Place");
        set(&mut self.health, p, "Health");
        set(&mut self.supply, p, "Supply");
        set(&mut self.meters, p, "Meters");
        set(&mut self.counts, p, "Counts");
        set_name(&mut self.echo, p, "Echo", &["yes", "no"]);
        set(&mut self.strangers, p, "Strangers");
    }
}

/// What is known of a meter on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OnPort {
    /// Id of the port.
    pub port: String,
    /// Its protocol.
    pub protocol: String,
    /// `closed`, `open` or `half-open`; empty for one that speaks by itself.
    pub breaker: String,
    /// Failures in a row.
    pub failures: u32,
    /// The last failure since the last answer, in words; empty for none.
    pub last_error: String,
    /// The stable name of its kind; empty for none.
    pub last_error_kind: String,
    /// When it is looked for next, CLOCK_BOOTTIME ns; 0 while its breaker is closed.
    pub next_probe_ns: u64,
    /// What it said last: names and values.
    pub fields: Vec<(String, String)>,
    /// How often it answered, how often not, and what was unusual, by name.
    pub answers: BTreeMap<String, u64>,
}

impl OnPort {
    /// Takes in what changed; a meter on no port says so with an empty port.
    pub(crate) fn update(on: &mut Option<Self>, p: &Properties) {
        match value::<String>(p, "Port") {
            Some(port) if port.is_empty() => *on = None,
            Some(port) => on.get_or_insert_default().port = port,
            None => {}
        }
        let Some(on) = on else { return };
        set(&mut on.protocol, p, "Protocol");
        set(&mut on.breaker, p, "Breaker");
        set(&mut on.failures, p, "Failures");
        set(&mut on.last_error, p, "LastError");
        set(&mut on.last_error_kind, p, "LastErrorKind");
        set(&mut on.next_probe_ns, p, "NextProbe");
        set(&mut on.fields, p, "Fields");
        set(&mut on.answers, p, "Answers");
    }
}
