// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the service knows, as others may see it, and what others may ask of it.
//!
//! The pipeline owns the truth and writes it here; the bus reads it and never the other way round.

mod command;
mod port;
mod report;
mod service;
mod simulation;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use gasd_abi::Totals;

pub use command::{Answer, Command, CommandError, Feedback, Release};
pub use port::{OnPortState, PortState};
pub use report::{PRESSURE_KPA, Report, SEISMIC_GAL};
pub use service::{ConfigurationState, Mode, ServiceState, StoreState};
pub use simulation::{Phase, SimulatedVerdict, SimulationState};

/// One meter, now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeterState {
    /// Its id.
    pub id: String,
    /// Total volume since the meter was first seen, µL.
    pub volume_ul: u64,
    /// Total pulses since the meter was first seen.
    pub pulses: u64,
    /// Flow, m³/h; `None` before the second pulse.
    pub flow_m3_per_h: Option<f64>,
    /// The three slopes, m³/h.
    pub slopes_m3_per_h: [f64; 3],
    /// The flows over the same windows at which the rules speak, m³/h.
    pub thresholds_m3_per_h: [f64; 3],
    /// Leading edge of the last pulse, or time of the last reading, CLOCK_BOOTTIME ns; 0 before the first.
    pub last_pulse_ns: u64,
    /// Interval between the last two pulses, ns.
    pub last_interval_ns: u64,
    /// The filter's counters.
    pub totals: Totals,
    /// Whether volume and pulses are those since the meter was first seen. If not, the store was lost
    /// with what was before.
    pub total_known: bool,
    /// `ok`, or in words what is wrong.
    pub health: String,
    /// Id of its valve, empty for none.
    pub valve: String,
    /// [`gasd_detect::Phase::name`]; empty where it is not known yet.
    pub phase: String,
    /// Days that were learned of the home.
    pub days_learned: f64,
    /// What the home takes at the most, m³/h, with a margin; before that is known what its meter may.
    pub envelope_m3_per_h: f64,
    /// What people said of its verdicts, and what became of the thresholds.
    pub heard: Vec<gasd_detect::Heard>,
    /// How its total follows from the filter's counter; `None` while the disk has not what a pulse is worth, and for
    /// a register that is read.
    pub reckoning: Option<Reckoning>,
    /// How often its register is read, ns; 0 for a meter whose pulses are counted.
    pub read_every_ns: u64,
    /// What became of the readings of its register; `None` for a meter whose pulses are counted.
    pub readings: Option<gasd_detect::Counts>,
    /// What its source can and cannot show, in words; empty where it is not known yet.
    pub sight: String,
}

/// How a meter's total is reckoned from its line's counter of accepted pulses, in arithmetic that wraps: a base may
/// be below zero, because the line counted before the meter was known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reckoning {
    /// Index of its line in the filter.
    pub line: u32,
    /// The total in pulses, less the counter.
    pub pulses: u64,
    /// The total in µL, less what the counter is worth.
    pub volume_ul: u64,
    /// What a pulse is worth, µL.
    pub pulse_volume_ul: u64,
    /// Its pulses come from a player.
    pub simulated: bool,
}

/// A valve's position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// Not known, or feedback and command disagree.
    #[default]
    Unknown,
    /// Open.
    Open,
    /// Closed.
    Closed,
}

impl Position {
    /// The name used in JSON and on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Position::Unknown => "unknown",
            Position::Open => "open",
            Position::Closed => "closed",
        }
    }

    /// Whether it is open; `None` where that is not known.
    #[must_use]
    pub const fn is_open(self) -> Option<bool> {
        match self {
            Position::Unknown => None,
            Position::Open => Some(true),
            Position::Closed => Some(false),
        }
    }
}

/// A reason to keep a valve closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Names the hold; never used twice.
    pub cookie: u64,
    /// `gasd` for a verdict's hold, `operator` or an application's id.
    pub owner: String,
    /// In words.
    pub reason: String,
    /// The verdict that placed it.
    pub verdict: Option<u64>,
    /// The user whose application placed it; `None` for gasd's and the operator's own.
    pub uid: Option<u32>,
    /// When, Unix time in µs.
    pub since_unix_us: u64,
}

/// One valve, now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValveState {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub position: Position,
    /// `simulated`, `gpio`, or [`NO_ACTUATOR`] if it is not configured any more.
    pub actuator: String,
    /// Reasons to keep it closed.
    pub holds: Vec<Hold>,
    /// `ok`, or in words what is wrong.
    pub health: String,
}

/// Actuator of a valve that is not configured any more and that something was held for at the start.
pub const NO_ACTUATOR: &str = "none";
/// The actuator of a valve in a meter.
pub const METER_ACTUATOR: &str = "meter";

impl ValveState {
    /// Whether it is in the configuration. If not, nothing moves it; its holds can be released.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.actuator != NO_ACTUATOR
    }
}

/// A verdict as it is kept until somebody acknowledges it.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictRecord {
    /// Names the verdict; never used twice.
    pub id: u64,
    /// The meter's id.
    pub meter: String,
    /// [`gasd_detect::Kind::name`].
    pub kind: String,
    /// [`gasd_detect::Severity::name`].
    pub severity: String,
    /// When it began, CLOCK_BOOTTIME ns.
    pub t_ns: u64,
    /// When it was decided, CLOCK_BOOTTIME ns.
    pub decided_ns: u64,
    /// When it was decided, Unix time in µs.
    pub unix_us: u64,
    /// The evidence as one JSON object.
    pub evidence_json: String,
    /// One sentence for a person.
    pub text: String,
    /// Who acknowledged it.
    pub acknowledged_by: Option<String>,
}

impl VerdictRecord {
    /// Whether a simulation made it. The evidence says so, and it stays with the verdict in the store.
    #[must_use]
    pub fn simulated(&self) -> bool {
        self.evidence()["simulated"] == true
    }

    /// Name of the rule that decided ([`gasd_detect::Rule::name`]), if the evidence has one.
    #[must_use]
    pub fn rule(&self) -> Option<String> {
        self.evidence()["rule"].as_str().map(str::to_owned)
    }

    fn evidence(&self) -> serde_json::Value {
        serde_json::from_str(&self.evidence_json).unwrap_or_default()
    }
}

/// Everything that can be seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The service.
    pub service: ServiceState,
    /// The meters, in the order of the configuration.
    pub meters: Vec<MeterState>,
    /// The valves, in the order of the configuration; then those that are not configured any more and
    /// that something is held for.
    pub valves: Vec<ValveState>,
    /// Verdicts that nobody acknowledged, oldest first.
    pub verdicts: Vec<VerdictRecord>,
    /// The ports, in the order of the configuration.
    pub ports: Vec<PortState>,
    /// What is known of meters on ports, by their id.
    pub on_ports: std::collections::BTreeMap<String, OnPortState>,
    /// The simulation that runs, or the last one.
    pub simulation: SimulationState,
}

/// The snapshot as it is shared.
pub type Shared = Arc<RwLock<Snapshot>>;

/// The snapshot. A writer that panicked left whole values behind, so they are still shown.
pub fn look(shared: &Shared) -> RwLockReadGuard<'_, Snapshot> {
    shared.read().unwrap_or_else(PoisonError::into_inner)
}

/// Something changed that is worth a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The service's own state.
    Service,
    /// The simulation, or that it has ended.
    Simulation,
    /// A meter, by index.
    Meter(usize),
    /// The meters are others: an index means another one from now on, an id does not.
    Meters,
    /// A port, by index.
    Port(usize),
    /// A valve, by index.
    Valve(usize),
    /// A verdict was made.
    VerdictAdded(u64),
    /// A verdict was acknowledged.
    VerdictRemoved(u64),
}
