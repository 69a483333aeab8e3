// SPDX-License-Identifier: MIT OR Apache-2.0
//! What callbacks are told. Events and what they point to live until the callback returns.

use std::ffi::{c_char, c_void};

use crate::abi::result::gasd_result;

/// How it stands with gasd has changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_state_event {
    /// Bytes that this version of the library fills.
    pub struct_size: usize,
    /// A `gasd_state`.
    pub state: u32,
    /// 0.
    pub reserved: u32,
    /// The same in words.
    pub text: *const c_char,
}

/// A pulse was accepted.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_pulse_event {
    /// Bytes that this version of the library fills.
    pub struct_size: usize,
    /// Id of the meter.
    pub meter: *const c_char,
    /// Its leading edge, `CLOCK_BOOTTIME` ns.
    pub t_ns: u64,
    /// When the filter decided it, `CLOCK_BOOTTIME` ns.
    pub decided_ns: u64,
    /// Interval to the pulse before, ns; 0 for the first.
    pub interval_ns: u64,
    /// The meter's total with this pulse, pulses. Where it rises by more than one, events were lost on the
    /// way; no pulse was.
    pub pulses: u64,
    /// The meter's total with this pulse, µL.
    pub volume_ul: u64,
    /// `GASD_SIMULATED`.
    pub flags: u64,
}

/// A meter's total has changed; at most four times a second.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_reading_event {
    /// Bytes that this version of the library fills.
    pub struct_size: usize,
    /// Id of the meter.
    pub meter: *const c_char,
    /// When it was read, `CLOCK_BOOTTIME` ns.
    pub t_ns: u64,
    /// The total, µL.
    pub volume_ul: u64,
    /// The total, pulses.
    pub pulses: u64,
    /// Flow, µL/h. `GASD_UNKNOWN` before the second pulse, until 30 s were without one: then the most that it can
    /// be, which is one pulse in the time since, even where `pulses` is 0.
    pub flow_ul_per_h: u64,
    /// Leading edge of the last pulse, `CLOCK_BOOTTIME` ns; 0 before the first.
    pub last_pulse_ns: u64,
    /// `GASD_SIMULATED`.
    pub flags: u64,
}

/// A verdict was made, explained or acknowledged.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_verdict_event {
    /// Bytes that this version of the library fills.
    pub struct_size: usize,
    /// Its number, never used twice by a gasd.
    pub id: u64,
    /// Id of the meter.
    pub meter: *const c_char,
    /// A `gasd_kind`.
    pub kind: u32,
    /// A `gasd_severity`.
    pub severity: u32,
    /// When it began, `CLOCK_BOOTTIME` ns, by the pulses' own time.
    pub start_ns: u64,
    /// When it was decided, `CLOCK_BOOTTIME` ns.
    pub decided_ns: u64,
    /// `GASD_SIMULATED`, `GASD_RECOVERED`.
    pub flags: u64,
    /// What was found, as a person would say it; NULL while the words are on their way.
    pub text: *const c_char,
    /// What it rests on, as JSON (see docs/verdicts.md); NULL while it is on its way.
    pub evidence: *const c_char,
}

/// A valve moved, or what holds it has changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_valve_event {
    /// Bytes that this version of the library fills.
    pub struct_size: usize,
    /// Id of the valve.
    pub valve: *const c_char,
    /// When it was noticed, `CLOCK_BOOTTIME` ns.
    pub t_ns: u64,
    /// A `gasd_position`.
    pub position: u32,
    /// 1 when something is wrong with it, 0 otherwise.
    pub fault: u32,
    /// How many holds keep it closed.
    pub holds: u64,
}

/// Events are missing here. Totals and valves are told anew behind it, and no verdict is lost.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_gap_event {
    /// Bytes that this version of the library fills.
    pub struct_size: usize,
    /// A `gasd_gap_reason`.
    pub reason: u32,
    /// 0.
    pub reserved: u32,
    /// Events that are missing; `GASD_UNKNOWN` when gasd was away.
    pub lost: u64,
    /// When the first one was lost, `CLOCK_BOOTTIME` ns.
    pub since_ns: u64,
    /// When the gap ended, `CLOCK_BOOTTIME` ns.
    pub until_ns: u64,
}

/// How it stands with a feed has changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_feed_event {
    /// Bytes that this version of the library fills.
    pub struct_size: usize,
    /// A `gasd_feed_state`.
    pub state: u32,
    /// Why gasd does not take entries: `GASD_OK` if it does.
    pub result: gasd_result,
    /// The same in words.
    pub text: *const c_char,
    /// Entries refused since the feed was made; they will never be taken.
    pub refused: u64,
}

/// What a subscriber wants to hear of: what is NULL is not asked for. Callbacks come from
/// `gasd_client_dispatch()` alone, in the thread that calls it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_handlers {
    /// `sizeof(struct gasd_handlers)`.
    pub struct_size: usize,
    /// How it stands with gasd has changed; also told once at the beginning.
    pub state: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_state_event)>,
    /// A pulse was accepted.
    pub pulse: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_pulse_event)>,
    /// A meter's total has changed.
    pub reading: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_reading_event)>,
    /// A verdict was made: told exactly once for each that waits, as early as it can be. Its text may be NULL;
    /// then `explained` follows, unless it waits no more by then.
    pub verdict: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_verdict_event)>,
    /// The words and the evidence of a verdict that was told without.
    pub explained: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_verdict_event)>,
    /// A verdict that was told waits no more: it was acknowledged, perhaps while gasd or the bus was away.
    pub acknowledged: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_verdict_event)>,
    /// A valve moved, or what holds it has changed; each valve is told at the beginning.
    pub valve: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_valve_event)>,
    /// Events are missing here.
    pub gap: Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_gap_event)>,
    /// gasd refused the subscription, in words; tried again with the next connection.
    pub refused: Option<unsafe extern "C" fn(data: *mut c_void, result: gasd_result, text: *const c_char)>,
}

/// Which meters and verdicts a subscriber wants to hear of. Nothing chosen is everything.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gasd_filter {
    /// `sizeof(struct gasd_filter)`.
    pub struct_size: usize,
    /// Ids of meters; NULL for all. Says nothing about valves.
    pub meters: *const *const c_char,
    /// How many.
    pub meter_count: usize,
    /// The least `gasd_severity` of verdicts; 0 for all.
    pub min_severity: u32,
    /// 0.
    pub reserved: u32,
}

/// The answer to a request. `value` is the cookie of a hold, 0 otherwise; `text` says why it failed, and is
/// empty if it did not.
pub type gasd_done_fn =
    Option<unsafe extern "C" fn(data: *mut c_void, result: gasd_result, text: *const c_char, value: u64)>;

/// Told when it stands otherwise with a feed.
pub type gasd_feed_fn = Option<unsafe extern "C" fn(data: *mut c_void, event: *const gasd_feed_event)>;
