// SPDX-License-Identifier: MIT OR Apache-2.0
//! Outdoor temperature: a season, fronts that last days, and the hour of the day.

use crate::random::splitmix::{Rng, mix, unit};

/// A place's climate.
#[derive(Clone, Copy, Debug)]
pub struct Climate {
    seed: u64,
    /// Yearly mean, °C.
    mean_c: f64,
    /// Half of the difference between the warmest and the coldest month, K.
    swing_k: f64,
    /// How far fronts move a day from the season, K.
    fronts_k: f64,
}

impl Climate {
    /// Somewhere between Edinburgh and Warsaw (yearly means 8–12 °C, seasons of ±6–10 K).
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, 0x7ea, 0);
        Self {
            seed: mix(seed ^ 0x7ea),
            mean_c: rng.range(8.0, 12.0),
            swing_k: rng.range(6.0, 10.0),
            fronts_k: rng.range(2.5, 4.0),
        }
    }

    /// Mean of a day, °C.
    #[must_use]
    pub fn day_c(&self, day: u32, year_fraction: f64) -> f64 {
        // The coldest days come three weeks into January.
        let season = -self.swing_k * (core::f64::consts::TAU * (year_fraction - 0.055)).cos();
        let fronts = self.noise(day, 3) + 0.8 * self.noise(day, 8) + 0.6 * self.noise(day, 21);
        self.mean_c + season + self.fronts_k * fronts
    }

    /// At an hour of the wall clock, from the day's mean, °C: coldest at 5, warmest at 15.
    #[must_use]
    pub fn at_c(day_c: f64, hour: f64) -> f64 {
        day_c - 3.5 * (core::f64::consts::TAU * (hour - 4.5) / 24.0).cos()
    }

    /// Smooth noise of unit size whose knots are `period` days apart.
    fn noise(&self, day: u32, period: u32) -> f64 {
        let knot = |i: u32| {
            let bits = mix(self.seed ^ mix(u64::from(period) << 32 | u64::from(i)));
            (unit(bits) * 2.0 - 1.0) * 1.732
        };
        let (i, x) = (day / period, f64::from(day % period) / f64::from(period));
        let ease = x * x * (3.0 - 2.0 * x);
        knot(i) * (1.0 - ease) + knot(i + 1) * ease
    }
}
