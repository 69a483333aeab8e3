// SPDX-License-Identifier: MIT OR Apache-2.0
//! The edge filter: interrupts and level readings of one line in, pulses out.
//!
//! An interrupt tells *when* a line changed, never *to what*. Both edges are requested and the
//! level is presumed by alternation; a reading of the line's real value ([`sample`]) confirms or
//! corrects it. The presumed level is integrated: time at the level that contradicts the contact's
//! known position is evidence for a change, time at the other level takes evidence away.
//!
//! * A closing is a **pulse** once the evidence reaches the minimum width: immediately when a
//!   sample confirms the level, or at the next edge when the line was undisturbed that long (so
//!   nothing is lost while nobody samples).
//! * An opening counts once it held the minimum idle time, so a dip in a long closure is no pulse.
//! * A sample that contradicts the presumed level repairs the parity at once.
//! * The first sample of a line that nothing is known of only tells where the contact stands.
//!
//! Why so: `docs/adr/0002-width-without-a-level.md`.

use crate::outcome::{Outcome, PULSE, RECOVERED, RESYNC, Reason, STALE, STORM, WAKE};

/// Level or contact position: inactive, contact open.
pub const OPEN: u8 = 0;
/// Level or contact position: active, contact closed.
pub const CLOSED: u8 = 1;

/// Length of the window in which edges are counted for the storm limit.
pub const STORM_WINDOW_NS: u64 = 1_000_000_000;

/// A line read back within this time has a daemon that would have confirmed a closure by reading;
/// five polls of the default 50 ms.
pub const WATCHED_NS: u64 = 250_000_000;

/// Time at the contact's own level takes evidence away four times as fast as time at the other
/// level adds it. A line torn half the time (chatter, a burst) then never adds up to a pulse;
/// a closure with needles in it, a fifth of its time or less, still does.
const LEAK_SHIFT: u32 = 2;

/// What a line's filter is set to. Times in nanoseconds.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterConfig {
    /// Least time from one pulse's leading edge to the next.
    pub min_interval_ns: u64,
    /// Least time the line must be active for a pulse.
    pub min_width_ns: u64,
    /// Least time the line must be inactive between two pulses.
    pub min_idle_ns: u64,
    /// Edges a second above which a storm is raised; 0 turns it off.
    pub storm_limit: u32,
    /// Spare, zero.
    pub reserved: u32,
}

impl Default for FilterConfig {
    /// 20 ms interval, 10 ms width and idle time, storm above 1,000 edges a second.
    ///
    /// 10 ms lies above the longest glitch (5 ms) and bounce (8 ms) that reed contacts and
    /// their cables are known for, and below half the period of 50 pulses a second.
    fn default() -> Self {
        Self {
            min_interval_ns: 20_000_000,
            min_width_ns: 10_000_000,
            min_idle_ns: 10_000_000,
            storm_limit: 1_000,
            reserved: 0,
        }
    }
}

/// The filter's memory of one line. All zero is the start: contact open, nothing seen.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterState {
    /// Moves everything behind it, so that a handover between two layouts can be tested.
    #[cfg(feature = "next-layout")]
    pub moved: u64,
    /// Interrupts seen.
    pub edges: u64,
    /// Pulses accepted; also the sequence number of the last pulse.
    pub accepted: u64,
    /// Time of the last edge, or of the correction that replaced it.
    pub last_edge_ns: u64,
    /// Up to when the presumed level has been integrated.
    pub since_ns: u64,
    /// Evidence against the contact's known position.
    pub evidence_ns: u64,
    /// First edge of the pending candidate.
    pub first_ns: u64,
    /// Edge from which the present evidence began.
    pub candidate_ns: u64,
    /// Leading edge of the last accepted pulse; 0 before the first.
    pub pulse_ns: u64,
    /// Earliest edge that belonged to the last accepted pulse.
    pub pulse_first_ns: u64,
    /// When the last pulse was decided.
    pub decided_ns: u64,
    /// Interval between the last two pulses; 0 before the second.
    pub interval_ns: u64,
    /// When the level was last read back and used.
    pub checked_ns: u64,
    /// Start of the storm window.
    pub window_ns: u64,
    /// Edges in the storm window.
    pub window_edges: u32,
    /// Edges not classified yet.
    pub pending: u32,
    /// Presumed level, [`OPEN`] or [`CLOSED`].
    pub level: u8,
    /// Position of the contact after debouncing, [`OPEN`] or [`CLOSED`].
    pub contact: u8,
    /// 1 while a storm lasts.
    pub storming: u8,
    /// 1 once a pulse was accepted, here or in the generation before.
    pub counted: u8,
    /// [`WAITING`] or [`REPLAYING`] while the line is taken over from another generation
    /// ([`crate::takeover`]): edges are kept, nothing is decided. 0 otherwise.
    pub adopting: u8,
    /// Spare, zero.
    pub reserved: [u8; 3],
    /// Edges kept while the line is taken over.
    pub kept: u32,
    /// Of those, how many were replayed.
    pub replayed: u32,
}

/// The line waits for the old generation's state.
pub const WAITING: u8 = 1;
/// The state is there; the edges that were kept are applied one by one.
pub const REPLAYING: u8 = 2;

/// An interrupt at `now`. Never fails and never loses the edge.
#[inline(always)]
pub fn edge(cfg: &FilterConfig, st: &mut FilterState, now: u64) -> Outcome {
    if arrive(st) { take(cfg, st, now) } else { Outcome::default() }
}

/// Counts an edge; whether it is to be judged now.
#[inline(always)]
pub(crate) fn arrive(st: &mut FilterState) -> bool {
    st.edges += 1;
    let now = st.adopting == 0;
    if !now {
        st.kept += 1;
    }
    now
}

/// An edge that is counted already.
#[inline(always)]
pub(crate) fn take(cfg: &FilterConfig, st: &mut FilterState, now: u64) -> Outcome {
    // Two CPUs' clocks may differ by nanoseconds; a line's time does not run backwards.
    let now = if now < st.since_ns { st.since_ns } else { now };
    let mut out = settle(cfg, st, now, false, Reason::Width);
    st.level ^= 1;
    st.last_edge_ns = now;
    if st.pending == 0 {
        // A candidate that a reading began has its first time already.
        if st.level != st.contact {
            st.first_ns = now;
        }
        out.flags |= WAKE;
    }
    if st.evidence_ns == 0 && st.level != st.contact {
        st.candidate_ns = now;
    }
    st.pending += 1;
    out.flags |= storm(cfg, st, now);
    out
}

/// The line's real level, read at `now` when `edges` interrupts had been seen.
///
/// Returns [`STALE`] and changes nothing when an edge arrived since.
#[inline(always)]
pub fn sample(cfg: &FilterConfig, st: &mut FilterState, now: u64, level: u8, edges: u64) -> Outcome {
    if edges != st.edges || now < st.since_ns || st.adopting != 0 {
        return Outcome { flags: STALE, ..Outcome::default() };
    }
    let level = level & 1;
    if st.edges == 0 && st.since_ns == 0 {
        // A contact found closed closed before anybody watched. It was counted then, or never
        // will be; counting it here would add a pulse with every boot.
        st.level = level;
        st.contact = level;
    }
    let mut refuted = if st.contact == OPEN { Reason::Width } else { Reason::Idle };
    let mut flags = 0;
    if level != st.level {
        // An edge was lost, or two were merged into one interrupt. If the level was seen right
        // since the last edge, the loss is somewhere between that reading and now: begin now.
        // Otherwise the last edge itself was the odd one and the level has held since.
        let from = if st.checked_ns > st.last_edge_ns { now } else { st.last_edge_ns };
        st.level = level;
        st.evidence_ns = 0;
        st.last_edge_ns = from;
        st.since_ns = from;
        st.candidate_ns = from;
        if st.pending == 0 {
            st.first_ns = from;
        }
        refuted = Reason::Level;
        flags = RESYNC;
    }
    let mut out = settle(cfg, st, now, true, refuted);
    st.checked_ns = now;
    out.flags |= flags;
    out
}

/// When the level should be read next, `None` while the line is settled.
///
/// A time in the past means "now". A settled line still wants a slow poll, because an edge
/// that never became an interrupt leaves no other trace.
#[must_use]
pub fn due(cfg: &FilterConfig, st: &FilterState) -> Option<u64> {
    if st.level != st.contact {
        let need = threshold(cfg, st.contact);
        return Some(st.since_ns.saturating_add(need.saturating_sub(st.evidence_ns)));
    }
    (st.pending > 0).then(|| st.last_edge_ns.saturating_add(threshold(cfg, st.contact ^ 1)))
}

/// How long the line must hold the other level before the contact counts as moved.
#[inline(always)]
const fn threshold(cfg: &FilterConfig, contact: u8) -> u64 {
    if contact == OPEN { cfg.min_width_ns } else { cfg.min_idle_ns }
}

/// Integrates the presumed level up to `now` and resolves the candidate where that decides it.
#[inline(always)]
fn settle(cfg: &FilterConfig, st: &mut FilterState, now: u64, sampled: bool, refuted: Reason) -> Outcome {
    let held = now - st.since_ns;
    let undisturbed = now - st.last_edge_ns;
    st.since_ns = now;
    let need = threshold(cfg, st.contact);
    if st.level != st.contact {
        st.evidence_ns += held;
        // Without a reading only an undisturbed stretch counts: a burst with one merged edge
        // turns its gaps into "active" time, and a gap is shorter than the width.
        let (proof, need) = if sampled {
            (st.evidence_ns, need)
        } else if st.checked_ns != 0 && now - st.checked_ns < WATCHED_NS {
            // The reading is due but has not come yet. A needle that merged into one interrupt
            // looks like this when another glitch follows, so leave the reading an eighth more.
            (undisturbed, need.saturating_add(need >> 3))
        } else {
            (undisturbed, need)
        };
        if proof >= need {
            return moved(cfg, st, now);
        }
    } else if st.pending > 0 {
        st.evidence_ns =
            if held > st.evidence_ns >> LEAK_SHIFT { 0 } else { st.evidence_ns - (held << LEAK_SHIFT) };
        if undisturbed >= threshold(cfg, st.contact ^ 1) {
            return refute(st, refuted);
        }
    }
    Outcome::default()
}

/// The contact moved: a closing is a pulse, an opening ends one.
#[inline(always)]
fn moved(cfg: &FilterConfig, st: &mut FilterState, now: u64) -> Outcome {
    let n = st.pending;
    st.pending = 0;
    st.evidence_ns = 0;
    st.contact ^= 1;
    let mut out = Outcome::default();
    if st.contact == OPEN {
        out.reason = Reason::Release as u32;
        out.rejected = (n > 0) as u32;
        out.bounced = n.saturating_sub(1);
        return out;
    }
    // The latest start of this closure against the earliest of the last one: bounce must not
    // shorten the interval of two real pulses.
    if st.counted != 0 && st.last_edge_ns - st.pulse_first_ns < cfg.min_interval_ns {
        out.reason = Reason::Interval as u32;
        out.rejected = n;
        return out;
    }
    st.interval_ns = if st.counted == 0 { 0 } else { st.candidate_ns.saturating_sub(st.pulse_ns) };
    st.pulse_ns = st.candidate_ns;
    st.pulse_first_ns = st.first_ns;
    st.decided_ns = now;
    st.accepted += 1;
    st.counted = 1;
    out.flags = if n == 0 { PULSE | RECOVERED } else { PULSE };
    out.bounced = n.saturating_sub(1);
    out
}

/// The candidate came to nothing: the line is back where the contact is.
#[inline(always)]
fn refute(st: &mut FilterState, reason: Reason) -> Outcome {
    let n = st.pending;
    st.pending = 0;
    st.evidence_ns = 0;
    let reason = match reason {
        Reason::Width if st.contact == CLOSED => Reason::Idle,
        other => other,
    };
    Outcome { reason: reason as u32, rejected: n, ..Outcome::default() }
}

/// Counts the edge against the storm limit; [`STORM`] on the edge that crosses it.
#[inline(always)]
fn storm(cfg: &FilterConfig, st: &mut FilterState, now: u64) -> u32 {
    if now - st.window_ns >= STORM_WINDOW_NS {
        // A storm is over when a whole window stayed under the limit.
        if st.window_edges <= cfg.storm_limit || now - st.window_ns >= 2 * STORM_WINDOW_NS {
            st.storming = 0;
        }
        st.window_ns = now;
        st.window_edges = 0;
    }
    st.window_edges += 1;
    if cfg.storm_limit != 0 && st.window_edges > cfg.storm_limit && st.storming == 0 {
        st.storming = 1;
        return STORM;
    }
    0
}
