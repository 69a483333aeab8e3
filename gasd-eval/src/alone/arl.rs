// SPDX-License-Identifier: MIT OR Apache-2.0
//! The threshold at which a detector has one false alarm a year, by importance sampling.
//!
//! A false alarm at one a year is too rare to wait for, but where it happens the pulses look as if
//! the rate had risen. So it is made to rise (Q: from a pulse drawn among L, to a multiple drawn from
//! a few), and each alarm is weighed with how much less likely it is without (P):
//! dQ/dP = (R + L − n)/L, with R the Shiryaev–Roberts sum over what was drawn from and n the pulses
//! up to the alarm. The weights' mean is the probability of a false alarm among the L, for whatever
//! detector: it need not be one of likelihoods. A rise that began before the L is left out, so only
//! alarms in their latter part are counted.

use super::{
    cell::{Cell, Known, YEAR_S, information},
    learn::History,
    watch::Start,
};
use crate::random::xoshiro::Random;

/// How a threshold is looked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Runs.
    pub runs: usize,
    /// Multiples of the rate that the pulses are drawn at.
    pub rises: Vec<f64>,
    /// The multiple that the detector takes the longest to alarm at, of those that matter.
    pub slowest: f64,
    /// What the detector remembers at most, s; 0 for one that goes by pulses.
    pub memory_s: f64,
    /// No threshold is above this; spares the rest of a run.
    pub most: f64,
}

/// A threshold, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// An alarm is raised from this value on.
    pub value: f64,
    /// Standard error of the rate of false alarms there, as a part of it.
    pub error: f64,
}

/// Thresholds are looked for between so many quantiles of what was reached.
const PARTS: usize = 400;

/// What one run reached: each new highest value with the weight of its moment.
type Records = Vec<(f64, f64)>;

/// False alarms of a detector on the stream before the change, at any threshold.
#[derive(Clone, Debug)]
pub struct FalseAlarms {
    runs: Vec<Records>,
    /// Over how many pulses alarms were counted.
    counted: f64,
    rate: f64,
}

impl FalseAlarms {
    /// Simulates `cell` before its change.
    #[must_use]
    pub fn simulate(cell: &Cell, history: History, start: &Start, plan: &Plan, seed: u64) -> Self {
        let slowest = plan.slowest;
        let memory = plan.memory_s * cell.rate();
        // How long the rise behind a false alarm takes, and how long the calm that is forgotten.
        let rise = (cell.log_year() / information(slowest, cell.shape)).max(4.0) + memory;
        let calm = (5.0 / (cell.shape * (slowest - 1.0 - slowest.ln()))).max(10.0) + 2.0 * memory;
        let (calm, skip, all) = (calm as usize, rise as usize, 3 * rise as usize);
        let logs: Vec<(f64, f64)> =
            plan.rises.iter().map(|r| (cell.shape * r.ln(), cell.shape * (r - 1.0))).collect();
        let mut told = Vec::new();
        let runs = (0..plan.runs as u64).map(|run| {
            let mut random = Random::new(seed, run);
            let mut watch = start(&history.learn(cell, &mut random));
            let mut highest = f64::NEG_INFINITY;
            for _ in 0..calm {
                told.clear();
                watch.pulse(random.gamma(cell.shape) / cell.rate(), &mut told);
            }
            let from = random.below(all);
            let rho = plan.rises[random.below(plan.rises.len())];
            let mut sums = vec![0.0; logs.len()];
            let mut records = Vec::new();
            for n in 1..=all {
                let unit = random.gamma(cell.shape) / if n > from { rho } else { 1.0 };
                told.clear();
                watch.pulse(unit / cell.rate(), &mut told);
                let mut sum = 0.0;
                for (m, (log, slope)) in sums.iter_mut().zip(&logs) {
                    *m = (*m + 1.0) * (log - slope * unit).exp();
                    sum += *m;
                }
                let value = told.iter().map(|t| t.value).fold(f64::NEG_INFINITY, f64::max);
                if value > highest {
                    highest = value;
                    let weight = all as f64 / (sum / logs.len() as f64 + (all - n) as f64);
                    records.push((value, if n > skip { weight } else { 0.0 }));
                    if value > plan.most {
                        break;
                    }
                }
            }
            records
        });
        Self { runs: runs.collect(), counted: (all - skip) as f64, rate: cell.rate() }
    }

    /// False alarms a year at a threshold, and their standard error.
    #[must_use]
    pub fn a_year(&self, threshold: f64) -> (f64, f64) {
        let (mut sum, mut squares) = (0.0, 0.0);
        for records in &self.runs {
            let first = records.partition_point(|(value, _)| *value < threshold);
            let weight = records.get(first).map_or(0.0, |(_, weight)| *weight);
            sum += weight;
            squares += weight * weight;
        }
        let n = self.runs.len() as f64;
        let mean = sum / n;
        let error = ((squares / n - mean * mean).max(0.0) / n).sqrt();
        let scale = YEAR_S * self.rate / self.counted;
        (mean * scale, error * scale)
    }

    /// The lowest threshold with `alarms` a year or fewer.
    #[must_use]
    pub fn threshold(&self, alarms: f64) -> Threshold {
        let mut values: Vec<f64> = self.runs.iter().flatten().map(|(value, _)| *value).collect();
        values.sort_by(f64::total_cmp);
        let quantile = |part: usize| values[part * (values.len() - 1) / PARTS];
        // From above: at low thresholds the first alarm is before those that are counted.
        let from = (0..PARTS).rev().find(|part| self.a_year(quantile(*part)).0 > alarms).unwrap_or(0);
        let (mut low, mut high) = (quantile(from), quantile(from + 1));
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if self.a_year(middle).0 > alarms {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (mean, error) = self.a_year(high);
        Threshold { value: high, error: error / mean }
    }
}

/// What is known when the old rate is given.
#[must_use]
pub fn given(cell: &Cell) -> Known {
    Known { rate: cell.rate(), shape: cell.shape, pulses: f64::INFINITY }
}
