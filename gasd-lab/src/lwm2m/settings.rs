// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client is, where it stands, and what it counts.

pub(super) const SECOND_NS: u64 = 1_000_000_000;

/// What a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What it calls itself.
    pub endpoint: String,
    /// How long its registration lasts, s.
    pub lifetime_s: u32,
    /// How often it tells its data, ns.
    pub report_ns: u64,
    /// Whether what it tells is to be acknowledged.
    pub confirmable: bool,
    /// Readings in one report: those before the newest are told again.
    pub readings: usize,
    /// Bodies beyond 2^(4 + this) bytes go in blocks, 0 to 6.
    pub block: u8,
    /// How long an acknowledgement may take before a message is sent again, ns (ACK_TIMEOUT).
    pub ack_ns: u64,
    /// It sleeps, and hears only for so long after it has sent something, ns; `None` where it always hears.
    pub awake_ns: Option<u64>,
    /// What is drawn is drawn from this.
    pub seed: u64,
}

impl Settings {
    /// A client as most are: an hour of lifetime, a report a minute, blocks of 512 bytes.
    #[must_use]
    pub fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.into(),
            lifetime_s: 3_600,
            report_ns: 60 * SECOND_NS,
            confirmable: true,
            readings: 1,
            block: 5,
            ack_ns: 2 * SECOND_NS,
            awake_ns: None,
            seed: 1,
        }
    }
}

/// Where a client stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not registered, and tries.
    Registering,
    /// It is, in this place of the server.
    Registered(String),
    /// It has left.
    Left,
}

/// What a client has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Registrations that were taken.
    pub registered: u64,
    /// Updates that were taken.
    pub updated: u64,
    /// Reports that were sent.
    pub told: u64,
    /// Reports that were acknowledged.
    pub acknowledged: u64,
    /// Messages that were sent again.
    pub again: u64,
    /// Messages that nobody acknowledged however often they were sent.
    pub given_up: u64,
    /// Frames that were written to the meter.
    pub written: u64,
    /// Datagrams that came while it slept.
    pub slept_through: u64,
}
