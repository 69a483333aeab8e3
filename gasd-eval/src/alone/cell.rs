// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a detector is tried on: one stream of pulses whose rate changes once.

/// A mean year, s: the mean time to a false alarm that every detector is set to.
pub const YEAR_S: f64 = 365.25 * 86_400.0;

/// A meter, a flow, and a change of it. Pulses come each `pulse_l`, with intervals in volume that
/// are Gamma variables of `shape`; so the flow stretches time, also within an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// L a pulse.
    pub pulse_l: f64,
    /// m³/h before the change.
    pub flow: f64,
    /// The flow after it, as a multiple of that before.
    pub rho: f64,
    /// Gamma shape of the intervals: 1 is Poisson, CV is 1/√shape.
    pub shape: f64,
}

impl Cell {
    /// Pulses a second before the change.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.flow / 3.6 / self.pulse_l
    }

    /// What no detector can be faster than on average: half an interval at the new flow, s.
    #[must_use]
    pub fn floor_s(&self) -> f64 {
        0.5 / (self.rate() * self.rho)
    }

    /// ln of the pulses in a year at the old flow.
    #[must_use]
    pub fn log_year(&self) -> f64 {
        (YEAR_S * self.rate()).ln()
    }
}

/// nats a pulse tells for a rate `rho` times as high, if it is: k(ln ρ + 1/ρ − 1).
#[must_use]
pub fn information(rho: f64, shape: f64) -> f64 {
    shape * (rho.ln() + 1.0 / rho - 1.0)
}

/// What a detector knows of the stream before the change: given, or learned from a history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Pulses a second.
    pub rate: f64,
    /// Gamma shape of the intervals.
    pub shape: f64,
    /// Pulses of the history that both were learned from; infinite if given.
    pub pulses: f64,
}
