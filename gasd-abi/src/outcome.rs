// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one step of the filter decided, and the counters it is added to.

/// Why an edge is not the leading edge of a pulse. The numbers are array indices of
/// [`Totals::rejected`] and never change their meaning.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Contact bounce: a further edge of a closing or an opening that counted.
    Bounce = 0,
    /// The opening edge that ended a pulse. Not a fault: each pulse has one.
    Release = 1,
    /// A glitch: the line was not active for the minimum width.
    Width = 2,
    /// A dip: the contact was closed and did not open for the minimum idle time.
    Idle = 3,
    /// A closure that held, but sooner than the minimum interval after the last pulse.
    Interval = 4,
    /// The level read back from the line contradicts the edges (lost or merged edge).
    Level = 5,
    /// The state was contended and could not be committed. Always zero in a healthy system.
    Contended = 6,
}

/// Number of slots in [`Totals::rejected`]; one is spare.
pub const REASONS: usize = 8;

impl Reason {
    /// All reasons in the order of their indices.
    pub const ALL: [Reason; 7] = [
        Reason::Bounce,
        Reason::Release,
        Reason::Width,
        Reason::Idle,
        Reason::Interval,
        Reason::Level,
        Reason::Contended,
    ];

    /// The name used in JSON, on the bus and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Bounce => "bounce",
            Reason::Release => "release",
            Reason::Width => "width",
            Reason::Idle => "idle",
            Reason::Interval => "interval",
            Reason::Level => "level",
            Reason::Contended => "contended",
        }
    }
}

/// The step accepted a pulse; its times are in the state.
pub const PULSE: u32 = 1;
/// A candidate began: somebody should read the level when [`crate::filter::due`] says so.
pub const WAKE: u32 = 1 << 1;
/// The line crossed its storm limit with this edge.
pub const STORM: u32 = 1 << 2;
/// The presumed level was wrong and has been set to the line's real value.
pub const RESYNC: u32 = 1 << 3;
/// The accepted pulse has no leading edge of its own: the level alone showed it.
pub const RECOVERED: u32 = 1 << 4;
/// A level sample came too late: edges arrived after it was taken. Nothing changed.
pub const STALE: u32 = 1 << 5;

/// What one step decided. At most one candidate is resolved per step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Bits [`PULSE`] … [`STALE`].
    pub flags: u32,
    /// Index of the [`Reason`] that `rejected` edges are counted under.
    pub reason: u32,
    /// Edges rejected for `reason` by this step.
    pub rejected: u32,
    /// Edges rejected as [`Reason::Bounce`] by this step.
    pub bounced: u32,
}

impl Outcome {
    /// Whether all bits of `flag` are set.
    #[must_use]
    #[inline(always)]
    pub const fn has(&self, flag: u32) -> bool {
        self.flags & flag == flag
    }
}

/// Counters of one line. Per-CPU in the kernel; the sum over all CPUs is the truth.
///
/// Once no candidate is pending:
/// `edges + recovered == accepted + Σ rejected`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Interrupts seen.
    pub edges: u64,
    /// Pulses accepted.
    pub accepted: u64,
    /// Accepted pulses that had no leading edge of their own.
    pub recovered: u64,
    /// Edges rejected, by [`Reason`].
    pub rejected: [u64; REASONS],
    /// Edge storms raised.
    pub storms: u64,
    /// Times the presumed level was corrected.
    pub resyncs: u64,
    /// Level samples that came too late to be used.
    pub stale: u64,
    /// Events that found the ring full.
    pub overrun: u64,
}

impl Totals {
    /// Adds the outcome of a step. `edge` tells whether the step was an edge or a level sample.
    #[inline(always)]
    pub fn apply(&mut self, edge: bool, o: &Outcome) {
        self.edges += edge as u64;
        if o.flags & (PULSE | STORM | RESYNC | RECOVERED | STALE) != 0 {
            self.accepted += (o.flags & PULSE) as u64;
            self.storms += (o.flags & STORM != 0) as u64;
            self.resyncs += (o.flags & RESYNC != 0) as u64;
            self.recovered += (o.flags & RECOVERED != 0) as u64;
            self.stale += (o.flags & STALE != 0) as u64;
        }
        if o.rejected != 0 {
            // The mask keeps the index provably inside the array for the kernel's verifier.
            self.rejected[o.reason as usize & (REASONS - 1)] += o.rejected as u64;
        }
        self.rejected[Reason::Bounce as usize] += o.bounced as u64;
    }

    /// Adds another set of counters, for instance another CPU's.
    pub fn add(&mut self, other: &Totals) {
        self.edges += other.edges;
        self.accepted += other.accepted;
        self.recovered += other.recovered;
        for (mine, theirs) in self.rejected.iter_mut().zip(other.rejected) {
            *mine += theirs;
        }
        self.storms += other.storms;
        self.resyncs += other.resyncs;
        self.stale += other.stale;
        self.overrun += other.overrun;
    }

    /// All rejected edges.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().sum()
    }
}
