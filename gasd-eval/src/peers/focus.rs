// SPDX-License-Identifier: MIT OR Apache-2.0
//! Poisson-FOCuS (Ward, Dilillo, Eckley and Fearnhead, JASA 2023, arXiv 2208.01494), one-sided:
//! the generalised likelihood ratio over every window that ends now, exactly.
//!
//! A window of n pulses in u expected ones speaks for ρ times the rate with n·ln ρ − (ρ−1)·u, at
//! most n·ln(n/u) − n + u. For a given ρ the best start maximises a linear function of (pulses,
//! expected) at the start, so only the corners of a convex hull need to be kept: a stack.

use crate::alone::{
    cell::Known,
    watch::{Told, Watch},
};

/// The statistic: a stack of starts of windows, each the best for some ρ > 1.
#[derive(Clone, Debug)]
pub struct Focus {
    starts: Vec<Start>,
    now: Start,
}

#[derive(Clone, Copy, Debug, Default)]
struct Start {
    pulses: f64,
    expected: f64,
}

impl Start {
    /// How many times the expected rate there was from `self` to `later`.
    fn ratio(self, later: Self) -> f64 {
        (later.pulses - self.pulses) / (later.expected - self.expected)
    }
}

impl Default for Focus {
    fn default() -> Self {
        Self::new()
    }
}

impl Focus {
    /// A statistic that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        let now = Start::default();
        Self { starts: vec![now], now }
    }

    /// `pulses` came where `expected` would have; returns the statistic, nats.
    pub fn step(&mut self, pulses: f64, expected: f64) -> f64 {
        self.now.pulses += pulses;
        self.now.expected += expected;
        let best = self.starts.iter().map(|start| evidence(*start, self.now)).fold(0.0, f64::max);
        // The hull: rates between neighbours rise, and the first is above what is expected.
        while let [.., before, last] = self.starts[..] {
            if before.ratio(last) < last.ratio(self.now) {
                break;
            }
            self.starts.pop();
        }
        if let [only] = self.starts[..]
            && only.ratio(self.now) <= 1.0
        {
            // Nothing that lies before can speak for a higher rate; the sums start anew, small.
            self.starts.clear();
            self.now = Start::default();
        }
        self.starts.push(self.now);
        best
    }

    /// How many starts are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.starts.len()
    }
}

/// max over ρ ≥ 1 of n·ln ρ − (ρ−1)·u.
fn evidence(start: Start, now: Start) -> f64 {
    let (n, u) = (now.pulses - start.pulses, now.expected - start.expected);
    if n <= u { 0.0 } else { n * (n / u).ln() - n + u }
}

/// FOCuS pulse by pulse, with the regularity known: the likelihood ratio of Gamma intervals is that
/// of exponential ones to the power of the shape. More than its authors published; the best it can do.
#[derive(Clone, Debug)]
pub struct FocusOnIntervals {
    known: Known,
    focus: Focus,
}

impl FocusOnIntervals {
    /// On a stream of which this is known.
    #[must_use]
    pub fn new(known: &Known) -> Self {
        Self { known: *known, focus: Focus::new() }
    }
}

impl Watch for FocusOnIntervals {
    fn pulse(&mut self, x_s: f64, told: &mut Vec<Told>) {
        let value = self.known.shape * self.focus.step(1.0, x_s * self.known.rate);
        told.push(Told { after_s: x_s, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::xoshiro::Random;

    #[test]
    fn it_is_the_maximum_over_all_windows() {
        let mut random = Random::new(7, 0);
        for run in 0..20 {
            let mut focus = Focus::new();
            let mut past: Vec<(f64, f64)> = Vec::new();
            for i in 0..400 {
                let faster = if i > 300 { 1.0 + 0.1 * f64::from(run) } else { 1.0 };
                // Even runs by pulses, odd ones by bins of one expected pulse.
                let step = if run % 2 == 0 {
                    (1.0, random.gamma(1.0) / faster)
                } else {
                    ((random.gamma(1.0) * faster * 1.5).floor(), 1.0)
                };
                past.push(step);
                let (mut n, mut u, mut best) = (0.0, 0.0, 0.0f64);
                for (pulses, expected) in past.iter().rev() {
                    n += pulses;
                    u += expected;
                    best = best.max(if n > u { n * (n / u).ln() - n + u } else { 0.0 });
                }
                let told = focus.step(step.0, step.1);
                assert!((told - best).abs() < 1e-9 * (1.0 + best), "{run} {i}: {told} {best}");
            }
            assert!(focus.kept() < 40, "{}", focus.kept());
        }
    }
}
