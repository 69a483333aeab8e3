// SPDX-License-Identifier: MIT OR Apache-2.0
//! The most that a history of an unknown rate tells.

use super::cell::Known;
use super::watch::{Told, Watch};

/// Beginnings that are so many nats less likely than the likeliest are left out.
const LEFT_OUT: f64 = 30.0;

/// One who knows the regularity and by how much the rate rises, but the old rate only from the history and from the
/// stream itself: each rate is weighed by how likely it makes all of that, and each pulse may be the one at which it
/// rose (Shiryaev–Roberts on the likelihoods of what does not depend on the unit of time). It shows
/// what a history of so many pulses is worth; it is no bound, as its threshold could be lower the longer it has watched.
#[derive(Clone, Debug)]
pub struct Posterior {
    shape: f64,
    rho: f64,
    /// Pulses and seconds, the history's and the stream's.
    pulses: f64,
    seconds: f64,
    /// Both at the pulses at which the rate may have risen.
    changes: Vec<(f64, f64)>,
}

impl Posterior {
    /// For a rise to `rho` times the rate of a stream of this regularity; of what was learned only the history's pulses
    /// and seconds count.
    #[must_use]
    pub fn new(known: &Known, shape: f64, rho: f64) -> Self {
        let seconds = known.pulses / known.rate;
        Self { shape, rho, pulses: known.pulses, seconds, changes: Vec::new() }
    }
}

impl Watch for Posterior {
    fn pulse(&mut self, x_s: f64, told: &mut Vec<Told>) {
        self.changes.push((self.pulses, self.seconds));
        self.pulses += 1.0;
        self.seconds += x_s;
        let (pulses, seconds, rho, shape) = (self.pulses, self.seconds, self.rho, self.shape);
        let log_rho = rho.ln();
        // With the rate integrated out (density 1/rate) n intervals of shape k in t seconds have a likelihood of t^-kn.
        let log = |&(n, t): &(f64, f64)| {
            shape * ((pulses - n) * log_rho + pulses * (seconds / (t + rho * (seconds - t))).ln())
        };
        let mut best = f64::NEG_INFINITY;
        let mut sum = 0.0;
        self.changes.retain(|change| {
            let log = log(change);
            if log > best {
                sum = sum * (best - log).exp() + 1.0;
                best = log;
            } else {
                sum += (log - best).exp();
            }
            log > best - LEFT_OUT
        });
        told.push(Told { after_s: x_s, value: best + sum.ln() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(known: Known, unit_s: f64) -> f64 {
        let mut watch = Posterior::new(&known, 4.0, 1.5);
        let mut told = Vec::new();
        for x in [1.0, 0.4, 1.3, 0.6, 0.7, 0.5] {
            watch.pulse(x * unit_s, &mut told);
        }
        told.last().unwrap().value
    }

    #[test]
    fn a_history_without_end_is_a_rate_that_is_given() {
        let (mut sum, rho, shape) = (0.0f64, 1.5f64, 4.0);
        for x in [1.0, 0.4, 1.3, 0.6, 0.7, 0.5] {
            sum = (sum + 1.0) * (shape * (rho.ln() - (rho - 1.0) * x)).exp();
        }
        let weighed = last(Known { rate: 1.0, shape, pulses: 1e9 }, 1.0);
        assert!((weighed - sum.ln()).abs() < 1e-6, "{weighed} for {}", sum.ln());
        let short = last(Known { rate: 1.0, shape, pulses: 20.0 }, 1.0);
        assert!(short < weighed, "twenty pulses tell less: {short} for {weighed}");
    }

    #[test]
    fn the_unit_of_time_means_nothing() {
        let known = |rate| Known { rate, shape: 4.0, pulses: 30.0 };
        assert!((last(known(1.0), 1.0) - last(known(0.01), 100.0)).abs() < 1e-9);
    }
}
