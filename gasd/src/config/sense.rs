// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be read and still makes no sense, each with the numbers that show it.

pub use super::first::First;
use super::near::hint;
use super::show::{about, duration, flow, volume};

/// Why a readable value is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Sense {
    /// Outside [`super::limits::PULSE_VOLUME_UL`].
    #[error(
        "one pulse would be {}; gas meters make a pulse every {} to {} \
         (check the unit: the meter's plate says e.g. \"1 imp = 0.01 m3\")",
        volume(*ul), volume(*least_ul), volume(*most_ul)
    )]
    PulseVolume {
        /// The volume, µL.
        ul: u64,
        /// Least, µL.
        least_ul: u64,
        /// Most, µL.
        most_ul: u64,
    },
    /// Above [`super::limits::MOST_RESOLUTION_UL`].
    #[error("a register that moves in steps of {} is coarser than any (expected at most {})", volume(*ul), volume(*most_ul))]
    Resolution {
        /// The step, µL.
        ul: u64,
        /// Most, µL.
        most_ul: u64,
    },
    /// A register that could turn over without anybody noticing.
    #[error(
        "a register that begins anew at {} may turn over unseen, because {} can pass between two readings; correct \
         it, or read more often (`every`)",
        volume(*modulus_ul), volume(*passes_ul)
    )]
    Rollover {
        /// Where it begins anew, µL.
        modulus_ul: u64,
        /// What can pass, µL.
        passes_ul: u64,
    },
    /// Readings of a meter that nobody reads.
    #[error(
        "nobody reads this meter: add port and device, for gasd to read it, or source = \"stack\", for a program that \
         hands its readings in over a feed"
    )]
    ReadingsWithoutSource,
    /// Outside [`super::limits::MAX_FLOW_UL_PER_H`].
    #[error(
        "a largest flow of {} is outside {} to {}, what gas meters are made for \
         (the meter's plate has it as Qmax)",
        flow(*flow_ul_per_h), flow(*least_ul_per_h), flow(*most_ul_per_h)
    )]
    MaxFlow {
        /// The flow, µL/h.
        flow_ul_per_h: u64,
        /// Least, µL/h.
        least_ul_per_h: u64,
        /// Most, µL/h.
        most_ul_per_h: u64,
    },
    /// More pulses than a contact or an interrupt line carries.
    #[error(
        "a pulse of {} at a max_flow of {} comes every {}; no pulse output is faster than one \
         every {}, so one of the two is wrong",
        volume(*pulse_volume_ul), flow(*max_flow_ul_per_h), about(*interval_ns), duration(*least_ns)
    )]
    PulseRate {
        /// The pulse volume, µL.
        pulse_volume_ul: u64,
        /// The largest flow, µL/h.
        max_flow_ul_per_h: u64,
        /// The interval at that flow, ns.
        interval_ns: u64,
        /// The least interval, ns.
        least_ns: u64,
    },
    /// A least interval that real pulses undercut.
    #[error(
        "would reject real pulses: at max_flow {} a pulse of {} comes every {} \
         (expected at most that)",
        flow(*max_flow_ul_per_h), volume(*pulse_volume_ul), about(*interval_ns)
    )]
    IntervalTooLong {
        /// The pulse volume, µL.
        pulse_volume_ul: u64,
        /// The largest flow, µL/h.
        max_flow_ul_per_h: u64,
        /// The interval at that flow, ns.
        interval_ns: u64,
    },
    /// Width and idle time that do not fit between two real pulses.
    #[error(
        "would reject real pulses: min_width {} and min_idle {} together take {}, but at \
         max_flow {} a pulse of {} comes every {}",
        duration(*min_width_ns), duration(*min_idle_ns),
        duration(min_width_ns.saturating_add(*min_idle_ns)),
        flow(*max_flow_ul_per_h), volume(*pulse_volume_ul), about(*interval_ns)
    )]
    WidthTooLong {
        /// The least width, ns.
        min_width_ns: u64,
        /// The least idle time, ns.
        min_idle_ns: u64,
        /// The pulse volume, µL.
        pulse_volume_ul: u64,
        /// The largest flow, µL/h.
        max_flow_ul_per_h: u64,
        /// The interval at that flow, ns.
        interval_ns: u64,
    },
    /// A storm limit that the meter itself exceeds.
    #[error(
        "the meter itself makes {edges} edges a second at max_flow {}: two for each pulse of {} \
         (expected at least that, or 0 to turn the storm alarm off)",
        flow(*max_flow_ul_per_h), volume(*pulse_volume_ul)
    )]
    StormLimit {
        /// Edges a second at the largest flow.
        edges: u64,
        /// The pulse volume, µL.
        pulse_volume_ul: u64,
        /// The largest flow, µL/h.
        max_flow_ul_per_h: u64,
    },
    /// A duration outside its limits.
    #[error("{} is outside {} to {}: {why}", duration(*ns), duration(*least_ns), duration(*most_ns))]
    DurationRange {
        /// The duration, ns.
        ns: u64,
        /// Least, ns.
        least_ns: u64,
        /// Most, ns.
        most_ns: u64,
        /// Why there are limits.
        why: &'static str,
    },
    /// A rule's number outside its limits.
    #[error("{shown} is outside {least} to {most}")]
    RuleRange {
        /// The number.
        shown: String,
        /// Least.
        least: String,
        /// Most.
        most: String,
    },
    /// A use-time table without bands, or with too many.
    #[error("has {found} bands (expected 1 to {most})")]
    UseTimeBands {
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// Bands of a use-time table in another order.
    #[error(
        "a band's {what} must be {must} than that of the band before: the more flows, the shorter it may last"
    )]
    UseTimeOrder {
        /// `flow` or `time`.
        what: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// A longer window with a higher threshold.
    #[error(
        "the threshold `{lower}` ({}) is above `{upper}` ({}): it is measured over a longer time \
         and could not be reached first (expected suspect >= confirm >= sustain)",
        flow(*lower_ul_per_h), flow(*upper_ul_per_h)
    )]
    ThresholdOrder {
        /// Name of the threshold over the longer window.
        lower: &'static str,
        /// Its flow, µL/h.
        lower_ul_per_h: u64,
        /// Name of the threshold over the shorter window.
        upper: &'static str,
        /// Its flow, µL/h.
        upper_ul_per_h: u64,
    },
    /// A threshold beyond what the meter passes.
    #[error(
        "the {}threshold `{name}` of {} could never be reached: the meter is made for {} and \
         passes no more than twice that, {}{}",
        if *is_default { "default " } else { "" },
        flow(*threshold_ul_per_h), flow(*max_flow_ul_per_h),
        flow(max_flow_ul_per_h.saturating_mul(2)),
        if *is_default { "; set `thresholds` for this meter" } else { "" }
    )]
    ThresholdUnreachable {
        /// Its name.
        name: &'static str,
        /// Its flow, µL/h.
        threshold_ul_per_h: u64,
        /// The largest flow, µL/h.
        max_flow_ul_per_h: u64,
        /// Nobody set it.
        is_default: bool,
    },
    /// More meters than lines.
    #[error("there are {count} meters; one gateway counts at most {most}")]
    TooManyMeters {
        /// How many there are.
        count: usize,
        /// The most.
        most: usize,
    },
    /// An id for the second time.
    #[error("another {what} is called so already, on {first}")]
    DuplicateId {
        /// `meter` or `valve`.
        what: &'static str,
        /// Where the first one is.
        first: First,
    },
    /// A line for the second time.
    #[error("{line} is taken already by {by}, on {first}")]
    LineTaken {
        /// The line, in words.
        line: String,
        /// Who has it.
        by: String,
        /// Where that is said.
        first: First,
    },
    /// A valve that is not there.
    #[error("no valve is called so; {}", hint(near.as_deref(), known))]
    UnknownValve {
        /// What was probably meant.
        near: Option<String>,
        /// The valves that are there.
        known: Vec<String>,
    },
    /// An opening coil without a pulse.
    #[error(
        "a line that opens belongs to a latching valve, whose coils are pulsed; \
         add e.g. pulse = \"60 ms\", or drop it"
    )]
    OpenLineWithoutPulse,
    /// Two keys that could contradict each other about which level closes the gas.
    #[error("`closed` alone says which level of this line closes the valve; drop `active`")]
    ActiveOnDriveLine,
    /// A device on no port.
    #[error("says how a meter is spoken to, and not where; add port = \"…\", the id of a [[port]]")]
    DeviceWithoutPort,
    /// A port that says nothing of what it is.
    #[error(
        "says not what it is; add one of serial = {{ device = \"/dev/serial/by-id/usb-…\", baud = 2400 }}, tcp, wmbus, lorawan, lwm2m"
    )]
    PortWithoutLine,
    /// No address of a socket.
    #[error("is no address with a port (expected one like \"127.0.0.1:1700\" or \"[::]:5683\")")]
    NoSocket,
    /// No host with a port.
    #[error("is no host with a port (expected one like \"192.0.2.7:4001\")")]
    NoServer,
    /// A speed that no line has.
    #[error("no serial line is so slow (expected {least} to {most} baud)")]
    Baud {
        /// Least, baud.
        least: u32,
        /// Most, baud.
        most: u32,
    },
    /// A breaker that opens for nothing.
    #[error("a breaker that opens without a failure would never be closed (expected 1 or more)")]
    NoFailures,
    /// A port that is not there.
    #[error("no port is called so; {}", hint(near.as_deref(), known))]
    UnknownPort {
        /// What was probably meant.
        near: Option<String>,
        /// The ports that are there.
        known: Vec<String>,
    },
    /// A device or socket for the second time.
    #[error("{place} is taken already by {by}, on {first}")]
    PlaceTaken {
        /// The device or socket.
        place: String,
        /// Who has it.
        by: String,
        /// Where that is said.
        first: First,
    },
    /// A device or socket for the second time, in another spelling or by another name.
    #[error("{0}; put the meters of both on one port, or correct one of the two")]
    SamePlace(String),
    /// A breaker that is shorter at the longest.
    #[error(
        "is below `open`, {}{}, which is how long a meter is left alone the first time (expected at least that)",
        duration(*open_ns), if *is_default { ", its default" } else { "" }
    )]
    BreakerOrder {
        /// `open`, ns.
        open_ns: u64,
        /// Nobody set it.
        is_default: bool,
    },
    /// An address that its protocol does not have.
    #[error("is no address of this protocol (expected {expected})")]
    Address {
        /// What it has.
        expected: &'static str,
    },
    /// A value of a device that its protocol does not have.
    #[error("is no {what} (expected {expected})")]
    NotOne {
        /// What it should be.
        what: &'static str,
        /// What that looks like.
        expected: &'static str,
    },
    /// An address for the second time on one port.
    #[error(
        "{by} has this address on the same port already, {}on {first}: {}",
        spelt.as_ref().map_or_else(String::new, |spelt| format!("as \"{spelt}\" ")),
        if *asked { "they would answer at once" } else { "what one sends would count for both" }
    )]
    AddressTaken {
        /// Who has it.
        by: String,
        /// Where that is said.
        first: First,
        /// How it is spelt there, if otherwise.
        spelt: Option<String>,
        /// It is asked, and does not speak by itself.
        asked: bool,
    },
    /// Whoever is there, where several are.
    #[error("means whoever is on the port, and {beside} is on it, too; give this meter's own address")]
    NotAlone {
        /// Who else is there.
        beside: String,
    },
    /// A protocol that another kind of port carries.
    #[error("{protocol} is not spoken on a port of kind {kind} (expected {expected})")]
    WrongPort {
        /// The protocol.
        protocol: &'static str,
        /// The kind of port.
        kind: &'static str,
        /// What it carries.
        expected: &'static str,
    },
    /// A key that this protocol has no use for.
    #[error("means nothing for protocol = \"{protocol}\"")]
    NotOfProtocol {
        /// The protocol.
        protocol: &'static str,
    },
    /// A key that this protocol cannot do without.
    #[error("protocol = \"{protocol}\" needs `{key}` (expected {expected})")]
    NeededByProtocol {
        /// The protocol.
        protocol: &'static str,
        /// The key.
        key: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A map of registers that cannot be read.
    #[error("{0}")]
    Registers(String),
    /// A valve whose meter is not there, or has none.
    #[error("{0}")]
    MeterValve(String),
    /// A meter whose valve is there already.
    #[error(
        "is the actuator of {by} already, on {first}: it is one valve, and what holds one of the two would not keep the \
         other from opening it (expected one [[valve]], which several meters may name)"
    )]
    MeterTaken {
        /// Who has it.
        by: String,
        /// Where that is said.
        first: First,
    },
    /// A line that only a trace could play.
    #[error(
        "line {line} has no GPIO chip: a trace can play it, the service cannot watch it; \
         write e.g. gpio = {{ chip = \"gpiochip0\", line = {line} }}"
    )]
    NoChip {
        /// The line.
        line: u32,
    },
}
