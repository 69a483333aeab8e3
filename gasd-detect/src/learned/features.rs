// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the model is told of a use of gas, once a minute of it.
//!
//! Numbers of about the size of one, without a unit: what the home does not explain, and how far the rules are.
//! The names are those of the columns that `gasd-eval features` writes.

/// How many there are.
pub const FEATURES: usize = 21;

/// Names of the columns, in order.
pub const NAMES: [&str; FEATURES] = [
    "log_flow",
    "unexplained",
    "appliance_part",
    "band_part",
    "hour_part",
    "hour_sin",
    "hour_cos",
    "habit",
    "habit_beside",
    "base_ratio",
    "log_steady",
    "unsteady",
    "log_minutes",
    "eldest_share",
    "eldest_mismatch",
    "eldest_seen",
    "eldest_deviation",
    "of_peak",
    "log_pulse",
    "log_lowest",
    "log_since_step",
];

/// One minute of a use, in numbers that need no unit.
pub type Features = [f32; FEATURES];

/// What the home itself contributes; the course of the use is the [`Advisor`](super::Advisor)'s to add.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// As [`NAMES`]; `unsteady`, `log_minutes`, `log_lowest` and `log_since_step` are 0.
    pub features: Features,
    /// The flow, m³/h.
    pub flow: f32,
    /// The largest part of what it needs that any of the advised rules has reached by itself; 1 decides.
    pub part: f32,
    /// The home is known.
    pub known: bool,
}

/// Places in [`NAMES`] that the course of the use fills in.
pub(super) const UNSTEADY: usize = 11;
pub(super) const LOG_MINUTES: usize = 12;
pub(super) const LOG_LOWEST: usize = 19;
pub(super) const LOG_SINCE_STEP: usize = 20;

/// The logarithm of a flow in m³/h; 5 L/h, where meters start to turn, are the least.
pub(crate) fn log_flow(flow: f32) -> f32 {
    flow.max(0.005).ln()
}
