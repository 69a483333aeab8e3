// SPDX-License-Identifier: MIT OR Apache-2.0
//! The short form of the figures of "The detector alone": the oracle is that of others' tables, the
//! thresholds are right, and ours is near it.

use gasd_detect::stat::Mixture;
use gasd_eval::alone::{
    arl::{FalseAlarms, Plan, given},
    cell::{Cell, Known, YEAR_S},
    delay::{Change, Runs, delay},
    learn::History,
    study::{Effort, Stream, oracle_plan, rises, study},
    watch::{Oracle, Ours, Watch},
};
use gasd_eval::random::xoshiro::Random;
use proptest::prelude::*;

/// The exact oracle CUSUM for Poisson pulses, started anew (Brook and Evans, on bins of 0.25 to 1 s):
/// L a pulse, m³/h before and after, mean delay in s at one false alarm a year.
const TABLE: [(f64, f64, f64, f64); 8] = [
    (10.0, 0.05, 0.25, 1918.0),
    (10.0, 1.0, 2.0, 1091.0),
    (10.0, 1.0, 4.0, 188.0),
    (1.0, 1.0, 1.2, 2165.0),
    (1.0, 1.0, 2.0, 130.0),
    (1.0, 1.0, 4.0, 22.2),
    (0.1, 1.0, 2.0, 15.1),
    (0.1, 0.05, 0.25, 27.2),
];

#[test]
fn the_oracle_is_that_of_the_table() {
    for (pulse_l, flow, after, expected) in TABLE {
        let cell = Cell { pulse_l, flow, rho: after / flow, shape: 1.0 };
        let best = |known: &Known| Box::new(Oracle::new(known, cell.rho)) as Box<dyn Watch>;
        let plan = oracle_plan(cell.rho, 500);
        let alarms = FalseAlarms::simulate(&cell, History::Given, &best, &plan, 1);
        let runs = Runs { number: 1000, change: Change::AtStart, most_s: f64::INFINITY };
        let mean = delay(&cell, History::Given, &best, alarms.threshold(1.0).value, runs, 2).mean;
        let ratio = mean / expected;
        assert!((0.88..1.1).contains(&ratio), "{cell:?}: {mean} s, in the table {expected} s");
    }
}

#[test]
fn false_alarms_by_importance_sampling_are_those_that_come() {
    let cell = Cell { pulse_l: 1.0, flow: 1.0, rho: 1.0, shape: 25.0 };
    let ours = |known: &Known| Box::new(Ours::new(known, 0.0)) as Box<dyn Watch>;
    let plan = Plan { runs: 3000, slowest: 1.15, rises: rises(), memory_s: 0.0, most: 16.0 };
    let alarms = FalseAlarms::simulate(&cell, History::Given, &ours, &plan, 1);
    // About 30 000 pulses between two: few enough to wait for.
    let level = 10.0f64;
    let (a_year, error) = alarms.a_year(level);
    let mut random = Random::new(2, 0);
    let (mut found, mut seconds) = (0, 0.0);
    let mut told = Vec::new();
    let mut watch = ours(&given(&cell));
    while found < 300 {
        let x = random.gamma(cell.shape) / cell.rate();
        told.clear();
        watch.pulse(x, &mut told);
        seconds += x;
        if told[0].value >= level {
            found += 1;
            watch = ours(&given(&cell));
        }
    }
    let between = seconds / f64::from(found);
    assert!(between >= level.exp(), "{between} s, proved {} s", level.exp());
    let ratio = YEAR_S / between / a_year;
    assert!((0.8..1.25).contains(&ratio), "came {}, sampled {a_year} ± {error}", YEAR_S / between);
}

#[test]
fn ours_is_near_the_oracle() {
    let effort = Effort { thresholds: 300, delays: 800, seed: 1, days: [28.0, 7.0], deviations: 1.0 };
    for shape in [1.0, 25.0] {
        let done = study(Stream { pulse_l: 1.0, flow: 1.0, shape }, &[2.0], &effort);
        let rise = &done.rises[0];
        let given = rise.eta(&rise.given);
        assert!((0.9..1.2).contains(&given), "k = {shape}, given: {given}");
        for (learned, days) in rise.learned.iter().zip(effort.days) {
            let learned = rise.eta(&learned.calibrated);
            assert!((0.9..1.35).contains(&learned), "k = {shape}, learned from {days} days: {learned}");
        }
        assert!(
            done.alarms_given <= 1.0,
            "k = {shape}: {} a year at the proved threshold",
            done.alarms_given
        );
    }
}

#[test]
fn what_is_learned_is_what_is_there() {
    let cell = Cell { pulse_l: 1.0, flow: 1.0, rho: 1.0, shape: 25.0 };
    let mut random = Random::new(4, 0);
    for _ in 0..20 {
        let known = History::Days(7.0).learn(&cell, &mut random);
        assert!((known.rate / cell.rate() - 1.0).abs() < 0.003, "{known:?}");
        assert!((known.shape / cell.shape - 1.0).abs() < 0.1, "{known:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The e-value of an interval is at most 1 on average for every rate up to the null's and every
    /// regularity from the null's on; of the sum of three intervals, too, whatever the null becomes before each of
    /// them and wherever an interval's proof is cut off.
    #[test]
    fn evidence_is_fair_under_the_null(
        slower in 0.3f64..=1.0,
        more_regular in 1.0f64..8.0,
        shape in prop_oneof![1.0f64..3.0, 3.0f64..100.0],
        rates in [0.2f64..5.0, 0.2f64..5.0, 0.2f64..5.0],
        most in prop_oneof![Just(80.0f32), 2.0f32..12.0],
        seed in any::<u64>(),
    ) {
        let mut random = Random::new(seed, 0);
        let n = 40_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let mut mixture = Mixture::new();
            let mut said = 0.0;
            let mut time = 0.0;
            for rate in rates {
                let x = random.gamma(shape * more_regular) / slower / rate;
                let weight = (1.0 / rate) as f32;
                said = f64::from(mixture.step_with(x as f32, rate as f32, shape as f32, weight, most));
                time += x;
            }
            // In seconds: the statistic grows no faster than time.
            let gain = said - time;
            sum += gain;
            squares += gain * gain;
        }
        let mean = sum / f64::from(n);
        let error = (squares / f64::from(n) - mean * mean).max(0.0).sqrt() / f64::from(n).sqrt();
        prop_assert!(mean <= 5.0 * error + 0.01, "{mean} ± {error}");
    }
}
