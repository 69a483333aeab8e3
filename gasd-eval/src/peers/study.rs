// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everybody's delays at one false alarm a year.

use super::{
    command::Options,
    list::{Peer, Setting, proved},
};
use crate::alone::{
    arl::{FalseAlarms, Plan, given},
    delay::{Change, Delay, Runs, delay},
    learn::History,
    study::Stream,
    watch::Start,
};
use crate::random::xoshiro::Random;

/// How a detector did on one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// Its threshold.
    pub threshold: f64,
    /// Standard error of the false alarms there, as a part; none if extrapolated.
    pub error: Option<f64>,
    /// Delays by rise; none where no threshold has one false alarm a year.
    pub delays: Option<Vec<Delay>>,
}

/// A run is given up after this much, s.
pub const MOST_S: f64 = 100_000.0;
/// A run of a forest after this.
pub const FOREST_MOST_S: f64 = 10_000.0;
const HOURS_IN_YEAR: f64 = 8766.0;

/// Sets a detector to one false alarm a year on a stream of which it knows by `history`, and measures it.
#[must_use]
pub fn study(peer: &Peer, (stream, history): (Stream, History), rhos: &[f64], options: &Options) -> Done {
    let Options { thresholds, delays, seed } = *options;
    let cell = stream.cell(1.0);
    let (mut number, mut calm_s, mut most_s) = (delays, 600.0, MOST_S);
    let (threshold, error) = match &peer.setting {
        Setting::Proved => (proved(), None),
        Setting::Sampled { slowest, rises, memory_s } => {
            let plan = Plan {
                runs: thresholds,
                slowest: *slowest,
                rises: rises.clone(),
                memory_s: *memory_s,
                most: f64::INFINITY,
            };
            let alarms = FalseAlarms::simulate(&cell, history, &peer.start, &plan, seed);
            let threshold = alarms.threshold(1.0);
            (threshold.value, Some(threshold.error))
        }
        Setting::Extrapolated { days, runs } => {
            (number, calm_s, most_s) = (*runs, 1800.0, FOREST_MOST_S);
            let hours = (days * 24.0) as usize;
            match extrapolate(stream, &peer.start, hours, seed) {
                Some(threshold) => (threshold, None),
                None => return Done { threshold: f64::INFINITY, error: None, delays: None },
            }
        }
    };
    let calm = (500.0 / stream.shape) as usize + 20 + (calm_s * cell.rate()) as usize;
    let runs = Runs { number, change: Change::AfterPulses(calm), most_s };
    let measure = |rho: &f64| delay(&stream.cell(*rho), history, &peer.start, threshold, runs, seed + 1);
    Done { threshold, error, delays: Some(rhos.iter().map(measure).collect()) }
}

/// The level that the maximum of an hour passes once a year, from an exponential fit to the highest
/// tenth of them; none if the maxima do not differ enough to fit.
fn extrapolate(stream: Stream, start: &Start, hours: usize, seed: u64) -> Option<f64> {
    let cell = stream.cell(1.0);
    let mut random = Random::new(seed, 0);
    let mut watch = start(&given(&cell));
    let (mut told, mut maxima, mut now) = (Vec::new(), Vec::new(), 0.0);
    let (mut highest, mut hour) = (f64::NEG_INFINITY, 1.0);
    // The first hour is to learn.
    while maxima.len() <= hours {
        let x = random.gamma(cell.shape) / cell.rate();
        told.clear();
        watch.pulse(x, &mut told);
        now += x;
        highest = told.iter().map(|t| t.value).fold(highest, f64::max);
        if now > hour * 3600.0 {
            maxima.push(std::mem::replace(&mut highest, f64::NEG_INFINITY));
            hour += 1.0;
        }
    }
    maxima.remove(0);
    maxima.sort_by(f64::total_cmp);
    let top = (maxima.len() / 10).max(5);
    let from = maxima[maxima.len() - 1 - top];
    let excess = maxima[maxima.len() - top..].iter().map(|m| m - from).sum::<f64>() / top as f64;
    let share = top as f64 / maxima.len() as f64;
    (excess > 0.0).then(|| from + excess * (share * HOURS_IN_YEAR).ln())
}
