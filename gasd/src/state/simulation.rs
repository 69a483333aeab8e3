// SPDX-License-Identifier: MIT OR Apache-2.0
//! What others may see of a simulation.

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
