// SPDX-License-Identifier: MIT OR Apache-2.0
//! A run is the same whatever does it, and an alarm that would have come anyway is none.

use std::path::PathBuf;
use std::sync::Arc;

use gasd_eval::detector::Level;
use gasd_eval::household::Household;
use gasd_eval::household::calendar::{DAY_NS, HOUR_NS};
use gasd_eval::leak::fault::Fault;
use gasd_eval::leak::{Leak, Shape};
use gasd_eval::system::drive::{drive, install};
use gasd_eval::system::judge::{ALL, Spec};
use gasd_eval::system::run::{Options, run};
use gasd_eval::system::trial::{Limit, Outcome, Trial, Wrong};

#[test]
fn figures_do_not_depend_on_the_number_of_threads() {
    let options = |jobs| Options {
        seed: 7,
        years: 4,
        each: 2,
        leaks: 3,
        jobs,
        recordings: PathBuf::from("/nonexistent"),
        out: None,
        json: None,
    };
    let once = run(&options(1)).unwrap();
    assert_eq!(once, run(&options(2)).unwrap());
    assert!(once.contains("Not read:"), "what is missing is said");
    for (name, _) in ALL {
        assert!(once.contains(name));
    }
}

fn outcome(trial: &Trial, name: &str) -> Outcome {
    let i = ALL.iter().position(|d| d.0 == name).expect("a detector of that name");
    outcomes(trial, 1)[i]
}

fn outcomes(trial: &Trial, seed: u64) -> Vec<Outcome> {
    let home = Arc::new(Household::with_meters(seed, [0.0, 1.0, 0.0]));
    let (mut pulses, mut seats) = (home.pulses(), install(&Spec::of(&home)));
    drive(&mut pulses, &mut seats, trial.from_ns());
    let bound = trial.bound(&pulses);
    let outcomes = trial.run(&pulses, &seats);
    if let Some(bound) = bound {
        for outcome in &outcomes {
            assert!(outcome.litres >= bound.litres, "nobody is faster than what is possible");
        }
    }
    outcomes
}

#[test]
fn a_hose_is_noticed_and_its_litres_are_counted() {
    let at = 3 * DAY_NS + 3 * HOUR_NS;
    let wrong = Wrong::Leak(Leak::new(at, 9.0, Shape::Constant));
    let trial = Trial::new(wrong, at, HOUR_NS, Level::Critical, Limit::Litres(88.0));
    let published = outcome(&trial, "published");
    assert!(published.in_time && published.critical);
    assert!((published.litres - published.delay_s * 2.5).abs() < 0.01, "9 m³/h are 2.5 L/s");
    assert!(published.delay_s < 5.0);
}

#[test]
fn nothing_is_detected_where_nothing_is_wrong() {
    // A leak of nothing: whatever is said is said in the sound home too.
    for seed in 0..6 {
        let at = 20 * DAY_NS;
        let wrong = Wrong::Leak(Leak::new(at, 0.0, Shape::Constant));
        let trial = Trial::new(wrong, at, 20 * DAY_NS, Level::Warning, Limit::Delay(20 * DAY_NS));
        for (outcome, (name, _)) in outcomes(&trial, seed).iter().zip(ALL) {
            assert_eq!(outcome.alarm, None, "{name}, seed {seed}");
        }
    }
}

#[test]
fn a_broken_sensor_is_no_reason_to_close_the_valve() {
    let at = 3 * DAY_NS + 3 * HOUR_NS;
    // 40 m³/h through a G4.
    let fault = Fault::Impossible { every_ns: 90_000_000 };
    let wrong = Wrong::Fault { fault, from_ns: at, to_ns: at + HOUR_NS };
    let trial = Trial::new(wrong, at, HOUR_NS, Level::Warning, Limit::Delay(HOUR_NS));
    let ours = outcome(&trial, "gasd");
    assert!(ours.in_time && !ours.critical, "it is said, and closes no valve: {ours:?}");
    let threshold = outcome(&trial, "static threshold");
    assert!(threshold.critical && !threshold.in_time, "it closes the valve, which is wrong");
}
