// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the service knows, as others may see it, and what others may ask of it.
//!
//! The pipeline owns the truth and writes it here; the bus reads it and never the other way round.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use gasd_abi::Totals;

/// Where the filter runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Not settled yet.
    #[default]
    Unknown,
    /// In the kernel.
    Kernel,
    /// In user space, because the kernel's programs cannot be used.
    Userspace,
}

impl Mode {
    /// The name used in JSON and on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Unknown => "unknown",
            Mode::Kernel => "kernel",
            Mode::Userspace => "userspace",
        }
    }
}

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
    /// Leading edge of the last pulse, CLOCK_BOOTTIME ns; 0 before the first.
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
    /// `simulated` or `gpio`.
    pub actuator: String,
    /// Reasons to keep it closed.
    pub holds: Vec<Hold>,
    /// `ok`, or in words what is wrong.
    pub health: String,
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
        serde_json::from_str::<serde_json::Value>(&self.evidence_json)
            .is_ok_and(|evidence| evidence["simulated"] == true)
    }
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// There was none.
    #[default]
    Idle,
    /// It is played.
    Running,
    /// It is over.
    Ended,
}

impl Phase {
    /// The name used in JSON and on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Running => "running",
            Phase::Ended => "ended",
        }
    }
}

/// A verdict of a simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulatedVerdict {
    /// The number of the verdict that waits to be acknowledged, where the valve took part.
    pub id: Option<u64>,
    /// [`gasd_detect::Kind::name`].
    pub kind: String,
    /// [`gasd_detect::Severity::name`].
    pub severity: String,
    /// From the moment that the trace means to be noticed, or else its beginning, ns.
    pub after_ns: u64,
    /// The evidence as one JSON object.
    pub evidence_json: String,
    /// One sentence for a person.
    pub text: String,
}

/// The simulation that runs, or the last one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulationState {
    /// Counts simulations since the start: another number is another simulation.
    pub number: u64,
    /// How far it is.
    pub phase: Phase,
    /// Id of the meter whose settings are used.
    pub meter: String,
    /// What is played.
    pub trace: String,
    /// How many times faster than it happened.
    pub speed: f64,
    /// Whether the valve takes part.
    pub valve: bool,
    /// Id of the meter's valve, empty for none.
    pub valve_id: String,
    /// Pulses accepted. They are in no total.
    pub pulses: u64,
    /// Their volume, µL.
    pub volume_ul: u64,
    /// Flow, m³/h; `None` before the second pulse.
    pub flow_m3_per_h: Option<f64>,
    /// Its verdicts.
    pub verdicts: Vec<SimulatedVerdict>,
    /// From the step that decided a pulse to the engine: median, 99th percentile, longest, ns.
    pub latency_ns: [u64; 3],
    /// From the first critical verdict to the valve being driven, ns; 0 if it was not.
    pub valve_latency_ns: u64,
    /// How it ended; empty while it runs.
    pub outcome: String,
    /// Why, in words, where that wants an explanation.
    pub problem: String,
}

impl SimulationState {
    /// Whether it is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }
}

/// The kernel path's own health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// Where the filter runs.
    pub mode: Mode,
    /// Why, when it is not the kernel.
    pub mode_reason: String,
    /// Events that found the ring full.
    pub ring_overrun: u64,
    /// Interrupts of ours that the dispatcher could not hand on.
    pub fall_through: u64,
    /// Pulses that found the queue to the engine full.
    pub queue_full: u64,
    /// Pulses whose event never arrived; their volume is counted all the same.
    pub events_missed: u64,
    /// What was found wrong at start or since, one sentence each.
    pub problems: Vec<String>,
}

/// Everything that can be seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The service.
    pub service: ServiceState,
    /// The meters, in the order of the configuration.
    pub meters: Vec<MeterState>,
    /// The valves, in the order of the configuration.
    pub valves: Vec<ValveState>,
    /// Verdicts that nobody acknowledged, oldest first.
    pub verdicts: Vec<VerdictRecord>,
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
    /// A meter, by index.
    Meter(usize),
    /// The meters are others: an index means another one from now on, an id does not.
    Meters,
    /// A valve, by index.
    Valve(usize),
    /// A verdict was made.
    VerdictAdded(u64),
    /// A verdict was acknowledged.
    VerdictRemoved(u64),
}

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Close a valve and hold it.
    Close {
        /// The valve's id.
        valve: String,
        /// Why, in the caller's words.
        reason: String,
        /// Who asks: uid and bus name.
        caller: String,
    },
    /// Open a valve.
    Open {
        /// The valve's id.
        valve: String,
        /// Who asks.
        caller: String,
    },
    /// Acknowledge a verdict.
    Acknowledge {
        /// The verdict's id.
        verdict: u64,
        /// Who asks.
        caller: String,
    },
    /// Read the configuration again and apply it.
    Reload {
        /// Who asks.
        caller: String,
    },
    /// Begin a simulation.
    Simulate {
        /// Which.
        order: crate::simulation::Order,
        /// Who asks.
        caller: String,
    },
    /// End the simulation under way.
    StopSimulation {
        /// Who asks.
        caller: String,
    },
    /// Close a valve and hold it for an application.
    Hold {
        /// The valve's id.
        valve: String,
        /// The application's id.
        app: String,
        /// Why, in its words.
        reason: String,
        /// The user it runs as.
        uid: u32,
        /// Who asks.
        caller: String,
    },
    /// Release an application's hold. Opens nothing.
    Release {
        /// The valve's id.
        valve: String,
        /// The hold's cookie.
        cookie: u64,
        /// Whose holds the caller may release.
        of: Release,
        /// Who asks.
        caller: String,
    },
}

/// Whose holds somebody may release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Those that this user placed.
    Own(u32),
    /// Any application's.
    Any,
}

/// What a command that was carried out brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// The cookie of a hold that is in place.
    Cookie(u64),
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such valve.
    #[error("no valve is called \"{0}\"; `gasctl status` lists them")]
    NoSuchValve(String),
    /// No such verdict.
    #[error("no unacknowledged verdict has the number {0}; `gasctl status` lists them")]
    NoSuchVerdict(u64),
    /// A critical verdict waits.
    #[error(
        "valve \"{valve}\" stays closed: verdict {verdict} ({kind} on meter \"{meter}\") is critical and not acknowledged; look at it, then `gasctl ack {verdict}`"
    )]
    Unacknowledged {
        /// The valve.
        valve: String,
        /// The verdict.
        verdict: u64,
        /// Its kind.
        kind: String,
        /// Its meter.
        meter: String,
    },
    /// Somebody else holds it.
    #[error(
        "valve \"{valve}\" stays closed: {owner} holds it: {reason}; it is for {owner} to release, or for `gasctl valve release {valve} {cookie}`"
    )]
    Held {
        /// The valve.
        valve: String,
        /// Who.
        owner: String,
        /// Why.
        reason: String,
        /// Which hold.
        cookie: u64,
    },
    /// No such hold on this valve.
    #[error("valve \"{valve}\" has no hold {cookie}; `gasctl status` lists them")]
    NoSuchHold {
        /// The valve.
        valve: String,
        /// The cookie.
        cookie: u64,
    },
    /// A hold that goes with an opening only.
    #[error(
        "hold {cookie} is of {owner}, and `gasctl valve open {valve}` releases it; only an application's hold is released by itself"
    )]
    NotReleasable {
        /// The valve.
        valve: String,
        /// The cookie.
        cookie: u64,
        /// Whose it is.
        owner: String,
    },
    /// Enough is enough.
    #[error(
        "user {uid} has no room for another hold on valve \"{valve}\": at most {most}; it is held all the same"
    )]
    TooManyHolds {
        /// The valve.
        valve: String,
        /// Who asks.
        uid: u32,
        /// How many there may be.
        most: usize,
    },
    /// The actuator did not do it.
    #[error("valve \"{valve}\" could not be driven: {why}")]
    Actuator {
        /// The valve.
        valve: String,
        /// Why.
        why: String,
    },
    /// The record could not be written, so nothing was opened or released.
    #[error("the record could not be written ({0}); nothing was opened or released")]
    Store(String),
    /// A new configuration cannot be used; one problem each.
    #[error("the new configuration was refused, the one before stays in force: {}", .0.join("; "))]
    Configuration(Vec<String>),
    /// A new configuration changes what only a restart can; one reason each.
    #[error("the new configuration was not applied, the one before stays in force: {}", .0.join("; "))]
    NeedsRestart(Vec<String>),
    /// Closed, but its hold is in memory only.
    #[error(
        "valve \"{valve}\" is closed, but its hold could not be written ({why}); it is tried again by itself, and would be lost if gasd ended before"
    )]
    NotKept {
        /// The valve.
        valve: String,
        /// Why.
        why: String,
    },
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// No such meter.
    #[error("no meter is called \"{0}\"; `gasctl status` lists them")]
    NoSuchMeter(String),
    /// A simulation cannot begin.
    #[error("no simulation was begun: {0}")]
    Simulation(String),
}

impl CommandError {
    /// What `Manager.Problems` says of a refused configuration, one sentence each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let with = |what: &str, reasons: &[String]| {
            reasons.iter().map(|reason| format!("the new configuration {what}: {reason}")).collect()
        };
        match self {
            CommandError::Configuration(problems) => with("was refused", problems),
            CommandError::NeedsRestart(reasons) => with("was not applied", reasons),
            other => vec![other.to_string()],
        }
    }
}
