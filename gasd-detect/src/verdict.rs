// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the engine says, with the evidence a person can check by hand.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth recording.
    Info,
    /// Somebody should know.
    Notice,
    /// Somebody should look.
    Warning,
    /// The valve is closed.
    Critical,
}

impl Severity {
    /// The name used in JSON, on the bus and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Flow rose above what the short windows allow and was confirmed.
    Surge,
    /// A suspected or confirmed surge still flows after the long window.
    SustainedFlow,
    /// A suspected surge was over before the long window ended.
    TransientFlow,
    /// Pulses come faster than the meter can turn.
    ImplausibleRate,
    /// More edges a second than the line's storm limit.
    EdgeStorm,
}

impl Kind {
    /// The name used in JSON, on the bus and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Surge => "surge",
            Kind::SustainedFlow => "sustained-flow",
            Kind::TransientFlow => "transient-flow",
            Kind::ImplausibleRate => "implausible-rate",
            Kind::EdgeStorm => "edge-storm",
        }
    }
}

/// The rule that fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The 1 s slope suspected and the 5 s slope confirmed.
    Confirmed5s,
    /// The 30 s slope is still above its threshold.
    Sustained30s,
    /// The 30 s slope fell below its threshold.
    Transient30s,
    /// The 1 s slope suspected, the 5 s slope did not confirm, and the 30 s slope is above its
    /// threshold or unknown.
    Unconfirmed5s,
    /// More than the meter's physical maximum.
    AbovePhysicalLimit,
    /// The line's storm limit.
    StormLimit,
}

impl Rule {
    /// The name used in JSON, on the bus and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Confirmed5s => "suspected-1s-confirmed-5s",
            Rule::Sustained30s => "sustained-30s",
            Rule::Transient30s => "transient-30s",
            Rule::Unconfirmed5s => "suspected-1s-unconfirmed-5s",
            Rule::AbovePhysicalLimit => "above-physical-limit",
            Rule::StormLimit => "storm-limit",
        }
    }
}

/// ΔQ/Δt over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slope {
    /// Length of the window, ns.
    pub window_ns: u64,
    /// Time that the slope was really taken over, ns: longer than the window when the pulses are
    /// too coarse for it (the whole interval that the window lies in), shorter when the memory does
    /// not reach back so far, 0 when nothing is known.
    pub span_ns: u64,
    /// Flow, m³/h; 0 when nothing is known.
    pub m3_per_h: f64,
    /// Threshold, m³/h.
    pub threshold_m3_per_h: f64,
    /// Pulse intervals that the slope rests on, whole or in part; 0 when it is only the bound
    /// V/(time since the last pulse).
    pub intervals: u32,
    /// Whether the pulse volume resolves the threshold within the window: at the threshold's flow
    /// at least two pulses fall into the window.
    pub resolved: bool,
}

/// What the verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The rule that fired.
    pub rule: Rule,
    /// The slopes over the short, the middle and the long window.
    pub slopes: [Slope; 3],
    /// Volume of one pulse, µL.
    pub pulse_volume_ul: u64,
    /// Shortest window that resolves its threshold with this pulse volume, ns; 0 if none does.
    pub finest_resolved_ns: u64,
}

/// A finding about one meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What was found.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// When it began, by the pulses' own time: for a surge and its follow-up the pulse after which
    /// the flow was above the first threshold.
    pub t_ns: u64,
    /// When it was decided.
    pub decided_ns: u64,
    /// Why.
    pub evidence: Evidence,
}
