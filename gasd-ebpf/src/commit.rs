// SPDX-License-Identifier: MIT OR GPL-2.0
//! Publishing a line's new state with one compare-and-swap.

use core::intrinsics::{AtomicOrdering, atomic_cxchg, atomic_xadd};

use gasd_abi::{
    filter::FilterState,
    live::{self, LivePage, Writer},
    outcome::{Outcome, PULSE, RECOVERED, RESYNC, REASONS, Reason, STALE, STORM, Totals},
};

/// Tries before an edge is counted as contended. Only the sampler competes with a line's
/// interrupts, once per some milliseconds, so the second try succeeds.
const TRIES: usize = 4;

/// Applies `step` to a copy of the state and publishes it. Returns the copy's index and the outcome.
///
/// # Safety
/// `page` is a live page in map memory. `writer` says truly who calls: edges of one line run one
/// after another, and there is one sampler.
#[inline(always)]
pub unsafe fn commit(
    page: *mut LivePage,
    writer: Writer,
    step: impl Fn(&mut FilterState) -> Outcome,
) -> Option<(usize, Outcome)> {
    for _ in 0..TRIES {
        // SAFETY: the caller's promise; the word is read in one piece.
        let current = unsafe { (&raw const (*page).current).read_volatile() };
        let from = live::slot(current) & 3;
        let to = live::spare(current, writer) & 3;
        // SAFETY: both indices are below SLOTS. A copy torn by the other writer is thrown away,
        // because then the word has changed and the swap below fails.
        let out = unsafe {
            (*page).slots[to] = (*page).slots[from];
            step(&mut (*page).slots[to])
        };
        let next = live::publish(current, to);
        // SAFETY: an aligned word of map memory.
        let (_, swapped) = unsafe {
            atomic_cxchg::<u64, { AtomicOrdering::SeqCst }, { AtomicOrdering::SeqCst }>(
                &raw mut (*page).current,
                current,
                next,
            )
        };
        if swapped {
            return Some((to, out));
        }
    }
    None
}

/// Adds to a counter that an interrupt on the same CPU may add to at the same time.
#[inline(always)]
pub fn add(counter: &mut u64, n: u64) {
    // SAFETY: an aligned word of map memory.
    unsafe {
        atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(counter, n);
    }
}

/// [`Totals::apply`] with additions that an interrupt cannot tear.
#[inline(always)]
pub fn apply(totals: &mut Totals, edge: bool, out: &Outcome) {
    if edge {
        add(&mut totals.edges, 1);
    }
    if out.flags & (PULSE | STORM | RESYNC | RECOVERED | STALE) != 0 {
        if out.flags & PULSE != 0 {
            add(&mut totals.accepted, 1);
        }
        if out.flags & STORM != 0 {
            add(&mut totals.storms, 1);
        }
        if out.flags & RESYNC != 0 {
            add(&mut totals.resyncs, 1);
        }
        if out.flags & RECOVERED != 0 {
            add(&mut totals.recovered, 1);
        }
        if out.flags & STALE != 0 {
            add(&mut totals.stale, 1);
        }
    }
    if out.rejected != 0 {
        add(&mut totals.rejected[out.reason as usize & (REASONS - 1)], out.rejected as u64);
    }
    if out.bounced != 0 {
        add(&mut totals.rejected[Reason::Bounce as usize], out.bounced as u64);
    }
}
