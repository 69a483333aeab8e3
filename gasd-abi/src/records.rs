// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records that cross the boundary between the kernel programs and user space.

use crate::filter::FilterConfig;

/// Meters that one gateway can have.
pub const MAX_METERS: u32 = 64;
/// Lines of one generation. A line once given to a meter is that meter's for as long as the pins live,
/// so there are more of them than meters: for those that are renamed, replaced or simulated.
pub const MAX_LINES: u32 = 4 * MAX_METERS;
/// Interrupt numbers that the dispatcher can tell apart.
pub const MAX_IRQS: u32 = 4096;
/// Bytes of the event ring; a power of two and a multiple of the page size.
pub const RING_BYTES: u32 = 256 * 1024;
/// Length of a time bucket.
pub const BUCKET_NS: u64 = 60_000_000_000;
/// Time buckets kept; the least recently used goes first.
pub const MAX_BUCKETS: u32 = 8192;

/// The line belongs to a player: no chip, no level that could be read.
pub const LINE_SIMULATED: u32 = 1;
/// A program hands this line's edges in; it has no chip that could be read.
pub const LINE_FED: u32 = 2;

/// One line as the kernel programs see it. Written by the daemon, read by the programs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineConfig {
    /// The filter's settings.
    pub filter: FilterConfig,
    /// FNV-1a of the meter's id; 0 marks a free entry.
    pub key: u64,
    /// Interrupt number, 0 for none.
    pub irq: u32,
    /// [`LINE_SIMULATED`], [`LINE_FED`].
    pub flags: u32,
}

/// A pulse was accepted.
pub const EVENT_PULSE: u32 = 1;
/// A candidate began; the level wants reading.
pub const EVENT_WAKE: u32 = 2;
/// The line crossed its storm limit.
pub const EVENT_STORM: u32 = 3;
/// The presumed level was corrected.
pub const EVENT_RESYNC: u32 = 4;
/// A player says what time it is on its line.
pub const EVENT_TICK: u32 = 5;

/// One event of the ring.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// [`EVENT_PULSE`] …; ignore kinds you do not know.
    pub kind: u32,
    /// Index of the line.
    pub line: u32,
    /// Pulses accepted on this line so far; the pulse's own number.
    pub seq: u64,
    /// Leading edge of the pulse, or the time of the event.
    pub t_ns: u64,
    /// When the pulse was decided.
    pub decided_ns: u64,
    /// Interval to the pulse before; 0 for the first.
    pub interval_ns: u64,
    /// Edges seen on this line so far.
    pub edges: u64,
}

/// Key of a time bucket.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketKey {
    /// Index of the line.
    pub line: u32,
    /// Time divided by [`BUCKET_NS`].
    pub bucket: u32,
}

/// Intervals of the pulses of one line in one time bucket, in nanoseconds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Pulses with an interval.
    pub count: u64,
    /// Sum of the intervals.
    pub sum_ns: u64,
    /// Shortest interval.
    pub min_ns: u64,
    /// Longest interval.
    pub max_ns: u64,
}

/// Who made the pins of a generation. Written once, then frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// [`crate::layout::MAGIC`].
    pub magic: u64,
    /// [`crate::layout::FINGERPRINT`].
    pub fingerprint: u64,
    /// Random, new with every generation: names its counters in the store.
    pub generation: [u64; 2],
    /// `CLOCK_BOOTTIME` at which the generation was made.
    pub created_ns: u64,
    /// [`crate::layout::VERSION`].
    pub version: u32,
    /// [`MAX_LINES`].
    pub lines: u32,
    /// Where the numbers that a later generation takes over stand.
    pub offsets: Offsets,
}

/// Byte offsets in this generation's records. They let any later version of gasd, whatever its own
/// layout is, take over the counts of this one. [`Meta`] itself therefore never changes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// Size of a live page.
    pub page: u32,
    /// Of the first copy in a live page; the word that names the valid one is at 0.
    pub slots: u32,
    /// Size of a copy.
    pub slot: u32,
    /// In a copy: edges, u64.
    pub edges: u32,
    /// In a copy: accepted pulses, u64.
    pub accepted: u32,
    /// In a copy: last edge, u64.
    pub last_edge: u32,
    /// In a copy: first edge of the candidate, u64.
    pub first: u32,
    /// In a copy: leading edge of the last pulse, u64.
    pub pulse: u32,
    /// In a copy: edges not classified yet, u32.
    pub pending: u32,
    /// In a copy: presumed level, u8.
    pub level: u32,
    /// In a copy: contact, u8.
    pub contact: u32,
    /// In a copy: whether there was a pulse, u8.
    pub counted: u32,
    /// Size of a line's settings.
    pub line: u32,
    /// In a line's settings: the meter's key, u64.
    pub key: u32,
    /// In a copy: up to when the level was integrated, u64.
    pub since: u32,
    /// In a copy: the evidence, u64.
    pub evidence: u32,
    /// In a copy: where the evidence began, u64.
    pub candidate: u32,
    /// In a copy: earliest edge of the last pulse, u64.
    pub pulse_first: u32,
    /// In a copy: last reading of the level, u64.
    pub checked: u32,
    /// Spare, zero.
    pub reserved: u32,
}

/// What a call of the raw_tp twin asks for; the first of its arguments.
pub mod twin {
    /// `[EDGE, line, t_ns]`: an interrupt of `line` at `t_ns`.
    pub const EDGE: u64 = 0;
    /// `[SAMPLE, line, t_ns, level, edges]`: the level, read when `edges` had been seen.
    pub const SAMPLE: u64 = 1;
    /// `[TICK, line, t_ns]`: the player's time.
    pub const TICK: u64 = 2;
    /// `[ADOPT, line, pulse_ns, pulse_first_ns, last_edge_ns, first_ns, candidate_ns, since_ns,
    /// evidence_ns, checked_ns, pending, level | contact << 1 | counted << 2]`.
    pub const ADOPT: u64 = 3;
    /// `[REPLAY, line, now_ns]`: the next edge that was kept, until the answer is that there is none.
    pub const REPLAY: u64 = 4;
    /// Arguments of every call, whatever it asks for; as many as the kernel takes.
    pub const ARGS: usize = 12;
}

/// FNV-1a 64 of a meter's id, never 0.
#[must_use]
pub const fn meter_key(id: &str) -> u64 {
    let hash = crate::layout::fnv(crate::layout::FNV_START, id.as_bytes());
    if hash == 0 { 1 } else { hash }
}
