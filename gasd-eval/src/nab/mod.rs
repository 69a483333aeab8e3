// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Numenta Anomaly Benchmark: 58 series of other people's measurements, 116 windows in which
//! something happened. A neutral look from outside, not what gasd is made for.
//!
//! - [`corpus`]: the series and their windows, read where they lie.
//! - [`score`]: how NAB scores, from its published rules.
//! - [`gaussian`], [`values`]: what is scored.

pub mod command;
pub mod corpus;
pub mod gaussian;
pub mod score;
pub mod values;
