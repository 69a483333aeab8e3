// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generated homes could be real ones: yearly volumes, and hours with gas beside the homes of IDEAL.

use std::sync::Arc;

use gasd_eval::household::Household;
use gasd_eval::household::appliance::HomeType;
use gasd_eval::household::sum::{Sum, longest_run};
use gasd_eval::leak::recordings::{folder, ideal_hours};

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn sums(kind: HomeType, n: usize) -> Vec<Sum> {
    let homes = (0..).map(|seed| Arc::new(Household::new(seed))).filter(|h| h.home_type() == kind);
    homes.take(n).map(|home| Sum::of(&home)).collect()
}

#[test]
fn a_year_takes_what_such_homes_take() {
    for (kind, low, high) in [
        (HomeType::Cooker, 20.0, 120.0),
        (HomeType::HotWater, 80.0, 800.0),
        (HomeType::Storage, 250.0, 1300.0),
        (HomeType::Heating, 300.0, 3200.0),
        (HomeType::HeatingPilot, 400.0, 3500.0),
    ] {
        for sum in sums(kind, 12) {
            assert!((low..high).contains(&sum.m3), "{}: {} m³", kind.name(), sum.m3);
        }
    }
}

#[test]
fn a_pilot_leaves_no_zero_hour_and_cooking_leaves_many() {
    assert!(sums(HomeType::Storage, 4).iter().all(|s| s.zero_hour == 0.0));
    for sum in sums(HomeType::Cooker, 8) {
        assert!(sum.zero_hour > 0.99 && sum.quiet_hours[0] >= 3.0 && sum.hours_a_day < 8.0, "{sum:?}");
    }
}

/// Hours with gas of the homes of IDEAL, which heat. An empty hour there is one without a pulse or one that was
/// lost, so that the real ones have more; generated homes may lie above, by half.
#[test]
fn hours_with_gas_are_those_of_recorded_homes() {
    let recorded = match ideal_hours(&folder()) {
        Ok(homes) if !homes.is_empty() => homes,
        other => {
            eprintln!("SKIPPED: no recordings in {}: {:?}", folder().display(), other.err());
            return;
        }
    };
    let (mut hours, mut runs, mut m3) = (Vec::new(), Vec::new(), Vec::new());
    for (_, rows) in recorded {
        let days = (rows[rows.len() - 1].0 - rows[0].0) as f64 / 24.0;
        let used = || rows.iter().filter(|r| r.1 > 0.0);
        hours.push(used().count() as f64 / days);
        m3.push(used().map(|r| r.1).sum::<f64>() / days * 365.25);
        runs.push(longest_run(used().map(|r| r.0 as u64 * 3_600_000_000_000)));
    }
    let ours = sums(HomeType::Heating, 40);
    for (what, recorded, generated) in [
        ("hours with gas a day", hours, ours.iter().map(|s| s.hours_a_day).collect()),
        ("longest run of such hours", runs, ours.iter().map(|s| s.longest_run_h).collect()),
        ("m³ a year", m3, ours.iter().map(|s| s.m3).collect::<Vec<f64>>()),
    ] {
        let (low, high) = recorded.iter().fold((f64::INFINITY, 0.0f64), |(l, h), x| (l.min(*x), h.max(*x)));
        let (real, made) = (median(recorded), median(generated));
        eprintln!("{what}: recorded {low:.1}, {real:.1}, {high:.1}; generated {made:.1}");
        assert!((low..high * 1.5).contains(&made), "{what}: {made}");
    }
}
