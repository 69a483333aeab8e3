// SPDX-License-Identifier: MIT OR Apache-2.0
//! The live page of a line: memory that the kernel programs go on writing and that any process
//! with read access may map.
//!
//! Each page holds four copies of the line's state and one word, `current`, that names the
//! valid copy. A writer prepares a copy nobody reads and then publishes it with one
//! compare-and-swap of `current`. Edges write copies 0 and 1, level samples copies 2 and 3, so the
//! two never share a copy in preparation.
//!
//! A reader loads `current` (acquire), copies `slots[slot(current)]`, and loads `current` again:
//! if the word changed the read may be torn and is repeated.

use crate::filter::FilterState;

/// Copies of the state in a page.
pub const SLOTS: usize = 4;

/// The page of one line.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LivePage {
    /// Version in the upper 62 bits, index of the valid copy in the lower two.
    pub current: u64,
    /// Spare, zero; keeps the copies on cache lines of their own.
    pub reserved: [u64; 7],
    /// The copies.
    pub slots: [FilterState; SLOTS],
}

/// Who prepares a copy. The number is also the index of its counters.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The interrupt side; the kernel runs a line's interrupts one after another.
    Edge = 0,
    /// The daemon's level sampler, a single thread.
    Sample = 1,
}

/// Writers of a page, each with counters of its own: so an interrupt that comes in the middle of a
/// level sample on the same CPU adds to other memory.
pub const WRITERS: u32 = 2;

/// Index of a line's counters by writer.
#[must_use]
#[inline(always)]
pub const fn counters(line: u32, writer: Writer) -> u32 {
    line * WRITERS + writer as u32
}

/// Index of the valid copy.
#[must_use]
#[inline(always)]
pub const fn slot(current: u64) -> usize {
    (current & 3) as usize
}

/// The copy that `writer` may prepare while `current` is valid.
#[must_use]
#[inline(always)]
pub const fn spare(current: u64, writer: Writer) -> usize {
    let base = match writer {
        Writer::Edge => 0,
        Writer::Sample => 2,
    };
    let valid = current & 3;
    // The other one of the writer's two copies, or its first if neither is valid.
    (base + (valid == base) as u64) as usize
}

/// The word that publishes `slot` after `current`.
#[must_use]
#[inline(always)]
pub const fn publish(current: u64, slot: usize) -> u64 {
    (current & !3).wrapping_add(4) | slot as u64
}
