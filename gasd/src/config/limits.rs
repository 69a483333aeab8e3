// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers the checks go by, and the defaults.

use std::ops::RangeInclusive;

/// Volumes of one pulse that gas meters have, µL: 1 mL to 10 m³. Household diaphragm meters
/// make one every 10 L or 100 L, turbine meters' fast outputs one every few 100 mL, large
/// meters' slow outputs one every 1 m³ or 10 m³.
pub const PULSE_VOLUME_UL: RangeInclusive<u64> = 1_000..=10_000_000_000;

/// `readings.every`, ns: 1 s to 31 days. Nobody reads a register more often than once a second, and one that is
/// read less than monthly is billed from, not watched.
pub const READ_EVERY_NS: RangeInclusive<u64> = 1_000_000_000..=31 * 86_400_000_000_000;
/// Coarsest step of a register, µL: 10 m³, as the slowest pulse output.
pub const MOST_RESOLUTION_UL: u64 = 10_000_000_000;

/// `answer` of a port, ns: nothing answers within 10 ms, and nothing is worth a minute of a line that others wait for.
pub const ANSWER_NS: RangeInclusive<u64> = 10_000_000..=60_000_000_000;
/// How long a meter is left alone, ns: 1 s to a day.
pub const BREAKER_NS: RangeInclusive<u64> = 1_000_000_000..=86_400_000_000_000;
/// Speeds of serial lines, baud: the slowest is the oldest M-Bus's.
pub const LEAST_BAUD: u32 = 300;
/// The fastest is what RS-485 of meters stays far below.
pub const MOST_BAUD: u32 = 1_000_000;

/// Largest flows that gas meters are made for, µL/h: 0.01 m³/h to 10,000 m³/h.
pub const MAX_FLOW_UL_PER_H: RangeInclusive<u64> = 10_000_000..=10_000_000_000_000;

/// Qmax of a G4 meter, the usual household size, µL/h.
pub const DEFAULT_MAX_FLOW_UL_PER_H: u64 = 6_000_000_000;

/// Least interval of a pulse output, ns: 10,000 a second, above the fastest turbine outputs.
pub const LEAST_PULSE_INTERVAL_NS: u64 = 100_000;

/// `filter.poll`, ns. A reading a millisecond already costs more than the edges do; a minute
/// without one leaves a lost edge unnoticed for longer than any rule's window.
pub const POLL_NS: RangeInclusive<u64> = 1_000_000..=60_000_000_000;
/// Default of `filter.poll`, ns.
pub const DEFAULT_POLL_NS: u64 = 50_000_000;

/// `store.persist`, ns. Below 10 ms the flash wears; beyond an hour a power cut loses too much.
pub const PERSIST_NS: RangeInclusive<u64> = 10_000_000..=3_600_000_000_000;
/// Default of `store.persist`, ns.
pub const DEFAULT_PERSIST_NS: u64 = 10_000_000_000;

/// Length of a latching valve's pulse, ns: no coil moves within a millisecond, and none is made
/// to be fed for a minute.
pub const VALVE_PULSE_NS: RangeInclusive<u64> = 1_000_000..=60_000_000_000;

/// Default thresholds over 1 s, 5 s and 30 s, µL/h.
pub const DEFAULT_THRESHOLDS_UL_PER_H: [u64; 3] = [5_000_000_000, 3_200_000_000, 1_800_000_000];

/// Above this `max_flow`, µL/h, the default thresholds, made for a household, lie in the meter's
/// daily range: 10 m³/h is a G6, the largest usual in a household.
pub const HOUSEHOLD_MAX_FLOW_UL_PER_H: u64 = 10_000_000_000;

/// Default of `store.path`.
pub const DEFAULT_STORE: &str = "/var/lib/gasd/gasd.redb";
/// Default of `kernel.pins`.
pub const DEFAULT_PINS: &str = "/run/gasd/bpf";

/// Longest id.
pub const ID_LENGTH: usize = 64;
