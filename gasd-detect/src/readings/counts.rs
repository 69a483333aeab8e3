// SPDX-License-Identifier: MIT OR Apache-2.0
//! What became of readings, and of every litre that they say.

/// Counters of one register; they only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Readings that came, of any sort.
    pub readings: u64,
    /// The same value at the same time again.
    pub duplicates: u64,
    /// Another value at the same time: the first one stands.
    pub conflicts: u64,
    /// Older than the last one: ignored.
    pub late: u64,
    /// Intervals in which readings are missing.
    pub gaps: u64,
    /// The register began anew at 0.
    pub rollovers: u64,
    /// The register is another one, as the caller said.
    pub exchanges: u64,
    /// The register went back and nobody said why.
    pub falls: u64,
    /// A reading that waited for the next one and was above it: misread, and ignored.
    pub misread: u64,
    /// The register went further than gas can pass.
    pub leaps: u64,
    /// Volume that the engine was given, µL.
    pub given_ul: u64,
    /// Volume of which it is not known how it flowed, µL: the engine was told that it has missed it.
    pub missed_ul: u64,
    /// Volume by which the register leapt, µL: no gas.
    pub refused_ul: u64,
}

crate::state::state!(Counts {
    readings,
    duplicates,
    conflicts,
    late,
    gaps,
    rollovers,
    exchanges,
    falls,
    misread,
    leaps,
    given_ul,
    missed_ul,
    refused_ul,
});
