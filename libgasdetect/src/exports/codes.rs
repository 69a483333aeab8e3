// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers in events and structs. None is ever used for anything else; take one that you do not know
//! for "unknown".

/// How it stands with gasd.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_state {
    /// The bus cannot be reached. Tried again by itself, after 0.1 s to 5 s.
    GASD_STATE_NO_BUS = 0,
    /// The bus is there, and gasd is not. The client waits for it.
    GASD_STATE_NO_SERVICE = 1,
    /// gasd is there, and is being asked for what it has.
    GASD_STATE_JOINING = 2,
    /// Meters, valves and waiting verdicts are known.
    GASD_STATE_READY = 3,
}

/// What a verdict found.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_kind {
    /// A kind that this version of the library does not know; the verdict's text says it.
    GASD_KIND_UNKNOWN = 0,
    /// Flow rose above what the short windows allow and was confirmed.
    GASD_KIND_SURGE = 1,
    /// A surge still flows after the long window.
    GASD_KIND_SUSTAINED_FLOW = 2,
    /// A suspected surge was over before the long window ended.
    GASD_KIND_TRANSIENT_FLOW = 3,
    /// Pulses come faster than the meter can turn.
    GASD_KIND_IMPLAUSIBLE_RATE = 4,
    /// More edges a second than the line's storm limit.
    GASD_KIND_EDGE_STORM = 5,
    /// More flow than all appliances take together, or than the meter is made for.
    GASD_KIND_OVERLOAD = 6,
    /// A flow lasts longer than such a flow should.
    GASD_KIND_LONG_USE = 7,
    /// Gas is used at an hour at which the home hardly ever uses any.
    GASD_KIND_UNUSUAL_HOUR = 8,
    /// What flows when nobody uses gas has risen: a small leak.
    GASD_KIND_BASE_FLOW = 9,
    /// The gas has not rested for longer than it should.
    GASD_KIND_NEVER_ZERO = 10,
    /// No gas for longer than ever: the meter or its contact may be stuck.
    GASD_KIND_SILENT_METER = 11,
    /// Gas flows right after the valve was opened.
    GASD_KIND_FLOW_AFTER_OPENING = 12,
    /// Gas flows though the valve is closed.
    GASD_KIND_FLOW_WHILE_CLOSED = 13,
    /// The pressure is low while gas flows.
    GASD_KIND_LOW_PRESSURE = 14,
    /// Gas flows after an earthquake.
    GASD_KIND_EARTHQUAKE = 15,
    /// A gas detector gives alarm.
    GASD_KIND_GAS_ALARM = 16,
    /// The register went back: the sensor's fault, never a leak.
    GASD_KIND_REVERSE_FLOW = 17,
}

/// How bad a verdict is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_severity {
    /// Not known.
    GASD_SEVERITY_UNKNOWN = 0,
    /// Worth recording.
    GASD_SEVERITY_INFO = 1,
    /// Somebody should know.
    GASD_SEVERITY_NOTICE = 2,
    /// Somebody should look.
    GASD_SEVERITY_WARNING = 3,
    /// gasd closes the meter's valve.
    GASD_SEVERITY_CRITICAL = 4,
}

/// Where a valve is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_position {
    /// Not known, or command and feedback disagree.
    GASD_POSITION_UNKNOWN = 0,
    /// Gas can flow.
    GASD_POSITION_OPEN = 1,
    /// Gas cannot flow.
    GASD_POSITION_CLOSED = 2,
}

/// What is known of a contact after an edge.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_level {
    /// It moved; where to is not known (an interrupt alone).
    GASD_LEVEL_UNKNOWN = 0,
    /// It is closed now.
    GASD_LEVEL_CLOSED = 1,
    /// It is open now.
    GASD_LEVEL_OPEN = 2,
    /// A whole pulse that the caller has debounced, closed at its time.
    GASD_LEVEL_PULSE = 3,
}

/// Why events are missing.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_gap_reason {
    /// The subscriber was too slow; the number of lost events is known.
    GASD_GAP_SLOW = 0,
    /// gasd or the bus was away; how many events were lost is not known.
    GASD_GAP_AWAY = 1,
}

/// Where a meter's state was read.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_source {
    /// gasd's last reading, at most a quarter of a second old while gas flows and the client dispatches.
    GASD_SOURCE_STREAM = 0,
    /// The kernel's live page: as of now.
    GASD_SOURCE_PAGE = 1,
}

/// How it stands with a feed.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum gasd_feed_state {
    /// gasd is not there now: entries are kept, and handed over when it is.
    GASD_FEED_WAITING = 0,
    /// Entries are handed over as they come.
    GASD_FEED_READY = 1,
    /// gasd does not take this meter's entries; tried again with the next connection, and once a minute.
    GASD_FEED_REFUSED = 2,
}

/// Flag: the meter's pulses come from a player and from no gas.
pub const GASD_SIMULATED: u64 = 1;
/// Flag of a verdict: it was made before it could be told at once: before the subscription, or while gasd
/// or the bus was away.
pub const GASD_RECOVERED: u64 = 2;
/// Flag of a meter's state: what was before gasd's store was damaged or lost is not in the total.
pub const GASD_TOTAL_INCOMPLETE: u64 = 4;
/// Flag of a meter's state: gasd is away. The kernel counts on, and so does this; what gasd itself would say
/// is as it said last.
pub const GASD_SERVICE_AWAY: u64 = 8;
/// A number that is not known.
pub const GASD_UNKNOWN: u64 = u64::MAX;
