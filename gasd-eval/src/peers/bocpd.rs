// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bayesian online change-point detection (Adams and MacKay 2007) with Poisson counts and a Gamma
//! prior, truncated to the likeliest run lengths.
//!
//! Its authors give no alarm rule. Here: ln of the odds that the present run began after the stream
//! was first watched and has a higher mean than the old rate. The first run knows that rate.

use super::binned::OnBins;
use crate::alone::cell::Known;

/// Run lengths that are kept.
pub const KEPT: usize = 64;
/// A change is expected once in so many bins: a day of seconds.
const HAZARD: f64 = 1.0 / 86_400.0;

/// A run: ln of its weight, and its Gamma posterior.
#[derive(Clone, Copy, Debug)]
struct Run {
    log: f64,
    shape: f64,
    bins: f64,
}

/// The detector.
#[derive(Clone, Debug)]
pub struct Bocpd {
    /// Of the first run, whose rate is known.
    first: f64,
    runs: Vec<Run>,
    expected: f64,
    factorials: Vec<f64>,
}

impl Bocpd {
    /// For a rate that is known, on bins of `bin_s`.
    #[must_use]
    pub fn new(known: &Known, bin_s: f64) -> Self {
        let mut factorials = vec![0.0; 256];
        for n in 1..factorials.len() {
            factorials[n] = factorials[n - 1] + (n as f64).ln();
        }
        Self { first: 0.0, runs: Vec::with_capacity(KEPT + 1), expected: known.rate * bin_s, factorials }
    }

    /// ln of the negative binomial probability of `n` after Gamma(shape, bins); the Γ-functions by
    /// recurrence: n is small.
    fn predict(&self, run: &Run, n: u32) -> f64 {
        let rising: f64 = (0..n).map(|i| run.shape + f64::from(i)).product();
        let factorial = self.factorials[(n as usize).min(self.factorials.len() - 1)];
        let p = run.bins / (run.bins + 1.0);
        rising.ln() - factorial + run.shape * p.ln() + f64::from(n) * (1.0 - p).ln()
    }
}

impl OnBins for Bocpd {
    fn bin(&mut self, pulses: u32) -> f64 {
        let n = f64::from(pulses);
        let factorial = self.factorials[(pulses as usize).min(self.factorials.len() - 1)];
        let poisson = n * self.expected.ln() - self.expected - factorial;
        // The weights sum to 1, so a new run has the hazard; its prior is Gamma(1) with the old mean.
        let stay = (1.0 - HAZARD).ln();
        self.runs.push(Run { log: HAZARD.ln() - stay, shape: 1.0, bins: 1.0 / self.expected });
        self.first += poisson + stay;
        let mut most = self.first;
        for i in 0..self.runs.len() {
            let log = self.runs[i].log + stay + self.predict(&self.runs[i], pulses);
            let run = &mut self.runs[i];
            run.log = log;
            run.shape += n;
            run.bins += 1.0;
            most = most.max(log);
        }
        if self.runs.len() > KEPT {
            let least = (0..self.runs.len()).min_by(|a, b| self.runs[*a].log.total_cmp(&self.runs[*b].log));
            least.map(|least| self.runs.swap_remove(least));
        }
        let (mut all, mut higher) = ((self.first - most).exp(), 0.0);
        for run in &self.runs {
            let weight = (run.log - most).exp();
            all += weight;
            if run.shape > run.bins * self.expected {
                higher += weight;
            }
        }
        let norm = most + all.ln();
        self.first -= norm;
        for run in &mut self.runs {
            run.log -= norm;
        }
        // Odds by what is not higher, so that what is nearly sure keeps its digits.
        (higher.max(1e-300) / (all - higher).max(1e-300)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sure_of_a_rise_and_of_none() {
        let known = Known { rate: 2.0, shape: 1.0, pulses: f64::INFINITY };
        let mut bocpd = Bocpd::new(&known, 1.0);
        let calm = (0..500).map(|i| bocpd.bin(1 + (i % 3))).last();
        let risen = (0..60).map(|i| bocpd.bin(3 + (i % 3))).last();
        assert!(calm.is_some_and(|odds| odds < 0.0), "{calm:?}");
        assert!(risen.is_some_and(|odds| odds > 10.0), "{risen:?}");
    }
}
