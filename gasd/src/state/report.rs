// SPDX-License-Identifier: MIT OR Apache-2.0
//! What sensors beside a meter measure, as an integrator's program tells it.

/// A report about one meter. What is left out has not changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The meter's id.
    pub meter: String,
    /// Pressure behind the meter, kPa above the air's (R7).
    pub pressure_kpa: Option<f64>,
    /// Acceleration of the ground, gal (cm/s²) (R8).
    pub seismic_gal: Option<f64>,
    /// Whether a gas detector gives alarm (R9).
    pub gas_alarm: Option<bool>,
}

/// What gas pipes of buildings may have, kPa: below the air's where a pump sucks, up to medium pressure.
pub const PRESSURE_KPA: std::ops::RangeInclusive<f64> = -10.0..=1_000.0;
/// The strongest acceleration ever recorded was about 4,000 gal (Japan, 2008).
pub const SEISMIC_GAL: std::ops::RangeInclusive<f64> = 0.0..=10_000.0;

impl Report {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pressure_kpa.is_none() && self.seismic_gal.is_none() && self.gas_alarm.is_none()
    }
}
