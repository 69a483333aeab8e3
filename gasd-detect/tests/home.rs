// SPDX-License-Identifier: MIT OR Apache-2.0
//! Five days of a real home's pulses: silent, also with one stray in a thousand pulses.
//!
//! The recording is a 1-inch water meter's (UCHIC/CIWS-Data, BSD-3-Clause), a count every 4 s; its
//! largest count, 21, is scaled to 4.7 m³/h, the most a household's tankless heater takes.

mod common;

use std::path::PathBuf;

use common::{Numbers, critical, engine, pulses, run, with_strays};

fn recording() -> Option<Vec<f64>> {
    let shared = std::env::var_os("GASD_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let path = shared.join("data/ciws/019_0003_pulses_4s.csv");
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            Some(text.lines().filter_map(|line| line.rsplit(',').next()?.trim().parse().ok()).collect())
        }
        Err(why) => {
            eprintln!("SKIPPED: no recording of a real home: {}: {why}", path.display());
            None
        }
    }
}

#[test]
fn a_real_home_raises_no_critical_verdict() {
    let Some(counts) = recording() else { return };
    assert!(counts.len() > 100_000, "{}", counts.len());
    let most = counts.iter().copied().fold(0.0, f64::max);
    let profile: Vec<(f64, f64)> = counts.iter().map(|c| (4.0, c / most * 4.7)).collect();
    for v in [10_000, 100_000, 1_000_000, 10_000_000] {
        let times = pulses(&profile, v, 0.5, 0);
        let clean = run(&mut engine(v), &times, 60);
        assert_eq!(clean, []);
        // Coarse pulses are few: more draws, so that some of them are strays.
        for seed in 1..=(v / 500_000).clamp(1, 20) {
            let strays = with_strays(&times, 0.001, &mut Numbers(seed));
            let noisy = run(&mut engine(v), &strays, 60);
            println!(
                "{} L: {} pulses, {} strays, verdicts {}",
                v as f64 / 1e6,
                times.len(),
                strays.len() - times.len(),
                noisy.len()
            );
            assert!(critical(&noisy).is_empty(), "{noisy:?}");
        }
    }
}
