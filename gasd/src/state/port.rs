// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports, and the meters that are read through them.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One port, now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortState {
    /// Its id.
    pub id: String,
    /// `serial`, `tcp`, `wmbus`, `lorawan` or `lwm2m`.
    pub kind: String,
    /// Device or address and settings, in words.
    pub place: String,
    /// `ok`, or in words what is wrong.
    pub health: String,
    /// How its supply is: `good`, `low`, `unknown`; empty where no line says it.
    pub supply: &'static str,
    /// Why that is not known.
    pub supply_reason: String,
    /// Ids of the meters on it.
    pub meters: Vec<String>,
    /// What it has seen, by name, since the service started: requests, answers, timeouts, and so on.
    pub counts: BTreeMap<&'static str, u64>,
    /// Whether the adapter hears what it sends: `yes`, `no`, or `unknown`.
    pub echo: &'static str,
    /// Meters that were heard and are not configured: as a configuration would name them, and in words.
    pub strangers: Vec<(String, String)>,
}

/// A meter on a port, now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnPortState {
    /// Id of the port.
    pub port: String,
    /// Its protocol, as the configuration has it.
    pub protocol: String,
    /// Where its breaker stands: `closed`, `open` or `half-open`; empty for one that speaks by itself.
    pub breaker: &'static str,
    /// Failures in a row.
    pub failures: u32,
    /// The last failure since the last answer, in words; empty for none.
    pub last_error: String,
    /// The stable name of its kind ([`gasd_meters::Error::kind`]); empty for none.
    pub last_error_kind: &'static str,
    /// When the next probe is due, `CLOCK_BOOTTIME` ns; 0 while the breaker is closed.
    pub next_probe_ns: u64,
    /// When it was read last, `CLOCK_BOOTTIME` ns; 0 for never.
    pub read_ns: u64,
    /// What it said then: names and values with their units, in the order of its answer.
    pub fields: Vec<(String, String)>,
    /// How often it was read since the service started.
    pub answers: u64,
    /// How often it was not.
    pub errors: u64,
    /// Answers with something unusual that was let pass, by what.
    pub oddities: BTreeMap<&'static str, u64>,
    /// What was heard instead of answers: when, the kind of error, and the bytes in hex. The last few.
    pub rejected: Arc<Vec<(u64, &'static str, String)>>,
    /// Times and registers of the last readings, µL, oldest first.
    pub latest: Arc<[(u64, u64)]>,
}
