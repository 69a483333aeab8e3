// SPDX-License-Identifier: MIT OR GPL-2.0-only
//! Publishing a line's new state with one compare-and-swap.

use core::{
    intrinsics::{AtomicOrdering, atomic_cxchg},
    mem::size_of,
};

use gasd_abi::{
    filter::FilterState,
    live::{self, LivePage, Writer},
    outcome::Outcome,
};

/// Tries before an edge is counted as contended. Only the sampler competes with a line's
/// interrupts, once per some milliseconds, so the second try succeeds.
const TRIES: usize = 4;

/// Flag of an outcome that could not be published; never in the shared filter's.
pub const CONTENDED: u32 = 1 << 31;

/// Applies `step` to a copy of the state and publishes it. Returns the copy's index and the outcome,
/// [`CONTENDED`] if every try failed.
///
/// # Safety
/// `page` is a live page in map memory. `writer` says truly who calls: edges of one line run one
/// after another, and there is one sampler.
#[inline(always)]
pub unsafe fn commit(
    page: *mut LivePage,
    writer: Writer,
    step: impl Fn(&mut FilterState) -> Outcome,
) -> (usize, Outcome) {
    let mut done = (0, Outcome { flags: CONTENDED, reason: 0, rejected: 0, bounced: 0 });
    // Read back from the stack, so that the compiler does not write the body out once per try; the
    // verifier still sees the number.
    let tries = TRIES;
    // SAFETY: a live local.
    let tries = unsafe { (&raw const tries).read_volatile() };
    for _ in 0..tries {
        // SAFETY: the caller's promise; the word is read in one piece.
        let current = unsafe { (&raw const (*page).current).read_volatile() };
        let from = live::slot(current) & 3;
        let to = live::spare(current, writer) & 3;
        // SAFETY: both indices are below SLOTS. A copy torn by the other writer is thrown away,
        // because then the word has changed and the swap below fails.
        let out = unsafe {
            copy(&raw const (*page).slots[from], &raw mut (*page).slots[to]);
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
            done = (to, out);
            break;
        }
    }
    done
}

/// Copies a state word by word. The compiler would call its own `memcpy`, which on this target goes
/// byte by byte and costs more than everything else together.
///
/// # Safety
/// Both point to a state.
#[inline(always)]
unsafe fn copy(from: *const FilterState, to: *mut FilterState) {
    let (from, to) = (from.cast::<u64>(), to.cast::<u64>());
    let mut word = 0;
    while word < size_of::<FilterState>() / 8 {
        // SAFETY: inside both states, which are aligned to their words.
        unsafe { to.add(word).write_volatile(from.add(word).read_volatile()) };
        word += 1;
    }
}
