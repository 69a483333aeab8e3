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
    /// Pulses come faster than the meter can turn, or its register goes further than gas can pass.
    ImplausibleRate,
    /// More edges a second than the line's storm limit.
    EdgeStorm,
    /// More flow than all appliances of the home take together, or than the meter is made for.
    Overload,
    /// A flow lasts longer than such a flow ever should.
    LongUse,
    /// Gas is used at an hour at which the home hardly ever uses any.
    UnusualHour,
    /// What flows when nobody uses gas has risen: a small leak.
    BaseFlow,
    /// The gas has not rested for longer than it should.
    NeverZero,
    /// No gas for longer than ever: the meter or its contact may be stuck.
    SilentMeter,
    /// Gas flows right after the valve was opened.
    FlowAfterOpening,
    /// Gas flows though the valve is closed.
    FlowWhileClosed,
    /// The pressure is low while gas flows.
    LowPressure,
    /// Gas flows after an earthquake.
    Earthquake,
    /// A gas detector gives alarm.
    GasAlarm,
    /// The register went back: the sensor's fault, never a leak.
    ReverseFlow,
}

/// All kinds, in the order of their declaration.
pub const KINDS: [Kind; 17] = [
    Kind::Surge,
    Kind::SustainedFlow,
    Kind::TransientFlow,
    Kind::ImplausibleRate,
    Kind::EdgeStorm,
    Kind::Overload,
    Kind::LongUse,
    Kind::UnusualHour,
    Kind::BaseFlow,
    Kind::NeverZero,
    Kind::SilentMeter,
    Kind::FlowAfterOpening,
    Kind::FlowWhileClosed,
    Kind::LowPressure,
    Kind::Earthquake,
    Kind::GasAlarm,
    Kind::ReverseFlow,
];

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
            Kind::Overload => "overload",
            Kind::LongUse => "long-use",
            Kind::UnusualHour => "unusual-hour",
            Kind::BaseFlow => "base-flow",
            Kind::NeverZero => "never-zero",
            Kind::SilentMeter => "silent-meter",
            Kind::FlowAfterOpening => "flow-after-opening",
            Kind::FlowWhileClosed => "flow-while-closed",
            Kind::LowPressure => "low-pressure",
            Kind::Earthquake => "earthquake",
            Kind::GasAlarm => "gas-alarm",
            Kind::ReverseFlow => "reverse-flow",
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
    /// R1: above 1.8 times what the meter is made for (e-detector on the intervals).
    TotalFlow,
    /// Above what the home's appliances take together (e-detector on the intervals).
    ConnectedLoad,
    /// R2: one step up by more than an appliance takes.
    SuddenIncrease,
    /// R3: not below a level for longer than the table and the home allow.
    UseTime,
    /// R3: the flow stays at one rate for longer than it may there.
    ApplianceTime,
    /// More gas than a person at the stove burns, at a quiet hour.
    QuietHour,
    /// The longest gaps of half a day have become short (e-detector on the gaps).
    LongestGap,
    /// R4: no rest for days.
    NoRest,
    /// R5: flow within the restore check.
    RestoreCheck,
    /// R6: flow with the valve closed.
    ValveClosed,
    /// R7: pressure.
    Pressure,
    /// R8: earthquake.
    Seismic,
    /// R9: alarm link.
    AlarmLink,
    /// R11: silence.
    Silence,
    /// R10: a register went further between two readings than gas can pass.
    RegisterLeapt,
    /// R10: a register went back, and it was no rollover.
    RegisterFell,
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
            Rule::TotalFlow => "total-flow",
            Rule::ConnectedLoad => "connected-load",
            Rule::SuddenIncrease => "sudden-increase",
            Rule::UseTime => "use-time",
            Rule::ApplianceTime => "appliance-time",
            Rule::QuietHour => "quiet-hour",
            Rule::LongestGap => "longest-gap",
            Rule::NoRest => "no-rest",
            Rule::RestoreCheck => "restore-check",
            Rule::ValveClosed => "valve-closed",
            Rule::Pressure => "pressure",
            Rule::Seismic => "seismic",
            Rule::AlarmLink => "alarm-link",
            Rule::Silence => "silence",
            Rule::RegisterLeapt => "register-leapt",
            Rule::RegisterFell => "register-fell",
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

/// A flow, m³/h, and what it lies between.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Not below this, m³/h.
    pub low: f32,
    /// Most likely, m³/h.
    pub mid: f32,
    /// Not above this, m³/h.
    pub high: f32,
}

/// What decided, as a number against its threshold, in the unit that the rule's documentation names:
/// seconds for e-detectors (the threshold is the proved mean time to a false alarm) and for use times, µL
/// for volumes, m³/h for flows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// The number.
    pub value: f32,
    /// What it had to reach.
    pub threshold: f32,
    /// `s`, `uL`, `m3/h`; empty if the rule compares nothing.
    pub unit: &'static str,
}

/// An appliance that is believed to be on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Believed {
    /// m³/h; 0 is nothing.
    pub m3_per_h: f32,
    /// Since when, ns.
    pub since_ns: u64,
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
    /// Flow before the onset, as far as it is known.
    pub before: Estimate,
    /// Flow after it.
    pub after: Estimate,
    /// What decided.
    pub process: Process,
    /// What has passed since the onset beyond what passed before it, µL.
    pub released_ul: u64,
    /// What was believed to be on, by rate.
    pub on: [Believed; 4],
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
