// SPDX-License-Identifier: MIT OR Apache-2.0
//! One generation of programs takes a line over from another, and every pulse counts as if there had
//! been one generation only.
//!
//! From the moment interrupts go to the new programs until the old ones' last state is known, edges
//! are **kept**: counted, and their times put aside ([`place`]). [`adopt`] then sets the old
//! state, and [`replay`] applies the kept edges one by one with the times they came at, while new
//! ones still queue up behind. The line is its own again when none is left.
//!
//! Why so: `docs/adr/0004-handover-between-layouts.md`.

use crate::filter::{self, FilterConfig, FilterState, REPLAYING, WAITING};
use crate::outcome::{Outcome, STALE, WAKE};

/// Edges of a line whose times are kept. At 50 pulses a second, 100 edges, that is 2.56 s; a takeover
/// lasts milliseconds, 200 ms on a busy machine. Of more edges the last time stands for all: each is
/// accounted for, and the pulses among them look like bounce.
pub const KEPT: usize = 256;

/// The times of the edges that were kept, in the order they came.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `CLOCK_BOOTTIME`, ns.
    pub at_ns: [u64; KEPT],
}

/// Where in [`Kept`] the `nth` kept edge stands.
#[must_use]
#[inline(always)]
pub const fn place(nth: u32) -> usize {
    let nth = nth as usize;
    if nth < KEPT { nth } else { KEPT - 1 }
}

/// What a line's state was when another generation of programs took over.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handover {
    /// Leading edge of the last pulse.
    pub pulse_ns: u64,
    /// Earliest edge of the last pulse.
    pub pulse_first_ns: u64,
    /// Last edge.
    pub last_edge_ns: u64,
    /// First edge of the pending candidate.
    pub first_ns: u64,
    /// Edge from which the evidence began.
    pub candidate_ns: u64,
    /// Up to when the presumed level was integrated.
    pub since_ns: u64,
    /// Evidence against the contact's position.
    pub evidence_ns: u64,
    /// When the level was last read back.
    pub checked_ns: u64,
    /// Edges not classified yet; the new generation classifies them.
    pub pending: u32,
    /// Presumed level.
    pub level: u8,
    /// Position of the contact.
    pub contact: u8,
    /// 1 if `pulse_ns` is a pulse.
    pub counted: u8,
    /// Spare, zero.
    pub reserved: u8,
}

impl Handover {
    /// What a state of this layout hands over.
    #[must_use]
    pub const fn of(st: &FilterState) -> Self {
        Self {
            pulse_ns: st.pulse_ns,
            pulse_first_ns: st.pulse_first_ns,
            last_edge_ns: st.last_edge_ns,
            first_ns: st.first_ns,
            candidate_ns: st.candidate_ns,
            since_ns: st.since_ns,
            evidence_ns: st.evidence_ns,
            checked_ns: st.checked_ns,
            pending: st.pending,
            level: st.level,
            contact: st.contact,
            counted: st.counted,
            reserved: 0,
        }
    }
}

/// Sets the state of the generation before, once its programs run no more. [`STALE`] if the line does
/// not wait for it.
#[inline(always)]
pub fn adopt(st: &mut FilterState, old: &Handover) -> Outcome {
    if st.adopting != WAITING {
        return Outcome { flags: STALE, ..Outcome::default() };
    }
    st.adopting = REPLAYING;
    st.level = old.level & 1;
    st.contact = old.contact & 1;
    st.counted = old.counted;
    st.pending = old.pending;
    st.last_edge_ns = old.last_edge_ns;
    st.since_ns = later(old.since_ns, old.last_edge_ns);
    // Another version wrote these: what the filter subtracts must not be the larger one.
    st.pulse_ns = earlier(old.pulse_ns, st.last_edge_ns);
    st.pulse_first_ns = earlier(old.pulse_first_ns, st.pulse_ns);
    st.first_ns = earlier(old.first_ns, st.last_edge_ns);
    st.candidate_ns = earlier(old.candidate_ns, st.since_ns);
    st.evidence_ns = earlier(old.evidence_ns, st.since_ns);
    st.checked_ns = earlier(old.checked_ns, st.since_ns);
    let flags = if st.pending > 0 { WAKE } else { 0 };
    Outcome { flags, ..Outcome::default() }
}

/// Applies the kept edge whose turn it is; it came at `at_ns`. If none is left the line is its own
/// from here on. [`STALE`] if it is already, or waits for [`adopt`].
#[inline(always)]
pub fn replay(cfg: &FilterConfig, st: &mut FilterState, at_ns: u64) -> Outcome {
    edge_or_replay(cfg, st, at_ns, true)
}

/// An interrupt at `at_ns` ([`filter::edge`]), or the kept edge whose turn it is ([`replay`]). One function
/// for both, so that a program that can do either has the filter in it once: the kernel's verifier walks
/// every copy.
#[inline(always)]
pub fn edge_or_replay(cfg: &FilterConfig, st: &mut FilterState, at_ns: u64, replay: bool) -> Outcome {
    if !replay {
        if !filter::arrive(st) {
            return Outcome::default();
        }
    } else if st.adopting != REPLAYING {
        return Outcome { flags: STALE, ..Outcome::default() };
    } else if st.replayed == st.kept {
        st.adopting = 0;
        st.kept = 0;
        st.replayed = 0;
        return Outcome::default();
    } else {
        st.replayed += 1;
    }
    filter::take(cfg, st, at_ns)
}

#[inline(always)]
const fn earlier(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

#[inline(always)]
const fn later(a: u64, b: u64) -> u64 {
    if a < b { b } else { a }
}
