// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layout version of the pins, and a fingerprint of every shared record.
//!
//! Bump [`VERSION`] with any change of a record, a map's size or a meaning. The fingerprint is
//! computed from the sizes and offsets and is a second guard: it changes by itself.

use core::mem::{offset_of, size_of};

use crate::filter::{FilterConfig, FilterState};
use crate::live::LivePage;
use crate::outcome::{Outcome, Totals};
use crate::records::{Bucket, BucketKey, Event, LineConfig, Meta, Offsets};
use crate::takeover::{KEPT, Kept};

/// Layout version: the `N` of the pin directory `v<N>`.
///
/// The feature `next-layout` makes the layout that comes after, for the test of the handover.
pub const VERSION: u32 = if cfg!(feature = "next-layout") { 2 } else { 1 };

/// First word of [`Meta`]: "gasdpins".
pub const MAGIC: u64 = u64::from_le_bytes(*b"gasdpins");

/// Offset basis of FNV-1a 64.
pub const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a 64 over `bytes`, going on from `hash`.
#[must_use]
pub const fn fnv(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

const fn mix(hash: u64, n: usize) -> u64 {
    fnv(hash, &(n as u64).to_le_bytes())
}

/// Fingerprint of all shared records.
pub const FINGERPRINT: u64 = {
    let mut h = mix(FNV_START, VERSION as usize);
    h = mix(h, size_of::<FilterConfig>());
    h = mix(h, offset_of!(FilterConfig, storm_limit));
    h = mix(h, size_of::<FilterState>());
    h = mix(h, offset_of!(FilterState, accepted));
    h = mix(h, offset_of!(FilterState, pulse_ns));
    h = mix(h, offset_of!(FilterState, interval_ns));
    h = mix(h, offset_of!(FilterState, pending));
    h = mix(h, offset_of!(FilterState, level));
    h = mix(h, size_of::<LivePage>());
    h = mix(h, offset_of!(LivePage, slots));
    h = mix(h, size_of::<Totals>());
    h = mix(h, offset_of!(Totals, rejected));
    h = mix(h, size_of::<LineConfig>());
    h = mix(h, offset_of!(LineConfig, key));
    h = mix(h, size_of::<Event>());
    h = mix(h, offset_of!(Event, decided_ns));
    h = mix(h, size_of::<BucketKey>());
    h = mix(h, size_of::<Bucket>());
    h = mix(h, size_of::<Meta>());
    mix(h, size_of::<Kept>())
};

// A record with padding would leak kernel stack bytes and compare unequal by accident.
const _: () = assert!(size_of::<FilterConfig>() == 3 * 8 + 2 * 4);
const _: () = assert!(
    size_of::<FilterState>() == 14 * 8 + 2 * 4 + 8 + if cfg!(feature = "next-layout") { 8 } else { 0 }
);
const _: () = assert!(size_of::<LivePage>() == 8 * 8 + 4 * size_of::<FilterState>());
const _: () = assert!(size_of::<Totals>() == 15 * 8);
const _: () = assert!(size_of::<Outcome>() == 4 * 4);
const _: () = assert!(size_of::<LineConfig>() == size_of::<FilterConfig>() + 8 + 2 * 4);
const _: () = assert!(size_of::<Event>() == 2 * 4 + 5 * 8);
const _: () = assert!(size_of::<BucketKey>() == 2 * 4);
const _: () = assert!(size_of::<Bucket>() == 4 * 8);
const _: () = assert!(size_of::<Meta>() == 5 * 8 + 2 * 4 + 20 * 4);
const _: () = assert!(size_of::<Kept>() == KEPT * 8 && KEPT.is_power_of_two());

/// Where this version's records hold what a later generation takes over.
pub const OFFSETS: Offsets = Offsets {
    page: size_of::<LivePage>() as u32,
    slots: offset_of!(LivePage, slots) as u32,
    slot: size_of::<FilterState>() as u32,
    edges: offset_of!(FilterState, edges) as u32,
    accepted: offset_of!(FilterState, accepted) as u32,
    last_edge: offset_of!(FilterState, last_edge_ns) as u32,
    first: offset_of!(FilterState, first_ns) as u32,
    pulse: offset_of!(FilterState, pulse_ns) as u32,
    pending: offset_of!(FilterState, pending) as u32,
    level: offset_of!(FilterState, level) as u32,
    contact: offset_of!(FilterState, contact) as u32,
    counted: offset_of!(FilterState, counted) as u32,
    line: size_of::<LineConfig>() as u32,
    key: offset_of!(LineConfig, key) as u32,
    since: offset_of!(FilterState, since_ns) as u32,
    evidence: offset_of!(FilterState, evidence_ns) as u32,
    candidate: offset_of!(FilterState, candidate_ns) as u32,
    pulse_first: offset_of!(FilterState, pulse_first_ns) as u32,
    checked: offset_of!(FilterState, checked_ns) as u32,
    reserved: 0,
};
