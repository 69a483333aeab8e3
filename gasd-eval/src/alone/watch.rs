// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is tried: a statistic that is high when the rate has risen. Whoever calls sets the threshold.

use gasd_detect::stat::Mixture;

use super::cell::Known;

/// A value of the statistic, and when it was known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// s since the pulse before this one.
    pub after_s: f64,
    /// The statistic.
    pub value: f64,
}

/// A statistic on the intervals between pulses.
pub trait Watch {
    /// A pulse came `x_s` after the last one; `told` is given every value up to now.
    fn pulse(&mut self, x_s: f64, told: &mut Vec<Told>);
}

/// Starts a detector that knows this much.
pub type Start<'a> = dyn Fn(&Known) -> Box<dyn Watch> + Sync + 'a;

/// The CUSUM that knows the old rate, the regularity and the new rate: the best there is in the
/// worst case (Moustakides 1986), on the likelihood ratios of whole intervals.
#[derive(Clone, Debug)]
pub struct Oracle {
    known: Known,
    rho: f64,
    w: f64,
}

impl Oracle {
    /// For a rise to `rho` times the rate.
    #[must_use]
    pub fn new(known: &Known, rho: f64) -> Self {
        Self { known: *known, rho, w: 0.0 }
    }
}

impl Watch for Oracle {
    fn pulse(&mut self, x_s: f64, told: &mut Vec<Told>) {
        let u = x_s * self.known.rate;
        // Before the maximum: the value at the pulse, as the interval's start may be its start.
        self.w = self.w.max(0.0) + self.known.shape * (self.rho.ln() - (self.rho - 1.0) * u);
        told.push(Told { after_s: x_s, value: self.w });
    }
}

/// Ours: the mixture Shiryaev–Roberts e-detector. The value is ln of its seconds, so that e to the
/// threshold is the mean time between false alarms that is proved.
#[derive(Clone, Debug)]
pub struct Ours {
    rate: f32,
    shape: f32,
    mixture: Mixture,
}

impl Ours {
    /// On what is known: where that was learned, the null is `deviations` of what was learned away
    /// from it, to the side that is safe (a higher rate, less regular).
    #[must_use]
    pub fn new(known: &Known, deviations: f64) -> Self {
        let (rate, shape) = envelope(known, deviations);
        Self { rate: rate as f32, shape: shape as f32, mixture: Mixture::new() }
    }
}

/// The rate and shape that what was learned is safely below and above: the deviation of a mean of n
/// intervals is 1/√(kn) of it, that of the shape about √(2/n).
#[must_use]
pub fn envelope(known: &Known, deviations: f64) -> (f64, f64) {
    let rate = known.rate * (1.0 + deviations / (known.shape * known.pulses).sqrt());
    let shape = known.shape / (1.0 + deviations * (2.0 / known.pulses).sqrt());
    (rate, shape.max(1.0))
}

impl Watch for Ours {
    fn pulse(&mut self, x_s: f64, told: &mut Vec<Told>) {
        let seconds = self.mixture.step(x_s as f32, self.rate, self.shape);
        told.push(Told { after_s: x_s, value: f64::from(seconds.ln()) });
    }
}
