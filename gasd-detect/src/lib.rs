// SPDX-License-Identifier: MIT OR Apache-2.0
//! The detection engine: pulses in, verdicts out.
//!
//! Pure: time is an argument, there is no I/O and no allocation per pulse.
#![forbid(unsafe_code)]

pub mod verdict;

pub use verdict::{Evidence, Kind, Rule, Severity, Slope, Verdict};
