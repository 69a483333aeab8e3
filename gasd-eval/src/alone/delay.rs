// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long after the change a detector raises its alarm.

use super::{cell::Cell, learn::History, watch::Start};
use crate::random::xoshiro::Random;

/// When the rate changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// At any moment, within an interval, with the detector in the state that this many pulses at the
    /// old rate left it in. No alarm may have been raised; if one was, the run is begun again.
    AfterPulses(usize),
    /// At a pulse, with a detector that has seen nothing: the worst case of the CUSUM.
    AtStart,
}

/// Delays, s.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// 95 of 100 are not above it.
    pub p95: f64,
    /// Runs that were given up; then the mean is a lower bound.
    pub given_up: usize,
}

/// How delays are measured.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// How many.
    pub number: usize,
    /// When the rate changes in each.
    pub change: Change,
    /// A run is given up after this much, s.
    pub most_s: f64,
}

/// Measures the delay of a detector at a threshold.
#[must_use]
pub fn delay(cell: &Cell, history: History, start: &Start, threshold: f64, runs: Runs, seed: u64) -> Delay {
    let mut delays: Vec<f64> = Vec::with_capacity(runs.number);
    let mut given_up = 0;
    for run in 0..runs.number as u64 {
        let mut random = Random::new(seed, run);
        match one(cell, history, start, threshold, runs, &mut random) {
            Some(s) => delays.push(s),
            None => {
                given_up += 1;
                delays.push(runs.most_s);
            }
        }
    }
    delays.sort_by(f64::total_cmp);
    let n = delays.len() as f64;
    let mean = delays.iter().sum::<f64>() / n;
    let variance = delays.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n;
    let p95 = delays[(0.95 * n) as usize];
    Delay { mean, error: (variance / n).sqrt(), p95, given_up }
}

/// A detector that cannot keep quiet before the change has no delay.
const MOST_BEGUN: usize = 100;

fn one(
    cell: &Cell,
    history: History,
    start: &Start,
    threshold: f64,
    runs: Runs,
    random: &mut Random,
) -> Option<f64> {
    let (rate, shape) = (cell.rate(), cell.shape);
    let mut told = Vec::new();
    let mut begun = 0;
    let (mut watch, x, since) = 'again: loop {
        begun += 1;
        if begun > MOST_BEGUN {
            return None;
        }
        let mut watch = start(&history.learn(cell, random));
        let Change::AfterPulses(pulses) = runs.change else {
            break (watch, random.gamma(shape) / (rate * cell.rho), 0.0);
        };
        for _ in 0..pulses {
            told.clear();
            watch.pulse(random.gamma(shape) / rate, &mut told);
            if told.iter().any(|t| t.value >= threshold) {
                continue 'again;
            }
        }
        // A moment is likelier in a long interval: such a one is Gamma of one more.
        let unit = random.gamma(shape + 1.0) * (shape + 1.0) / shape;
        let before = unit * random.uniform();
        let x = (before + (unit - before) / cell.rho) / rate;
        break (watch, x, before / rate);
    };
    let (mut x, mut since) = (x, since);
    let mut t = 0.0;
    loop {
        told.clear();
        watch.pulse(x, &mut told);
        // An alarm in the part of the interval before the change would be a false one: too rare to
        // matter at one a year, and counted as at the change.
        if let Some(alarm) = told.iter().find(|alarm| alarm.value >= threshold) {
            return Some((t + alarm.after_s - since).max(0.0));
        }
        t += x - since;
        since = 0.0;
        if t >= runs.most_s {
            return None;
        }
        x = random.gamma(shape) / (rate * cell.rho);
    }
}
