// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a generated day and pulse cost: `cargo run --release -p gasd-eval --example home_cost`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use gasd_eval::household::Household;
use gasd_eval::household::calendar::DAY_NS;

fn main() {
    let start = Instant::now();
    for seed in 0..40 {
        let home = Household::new(seed);
        for day in 0..365 {
            black_box(home.day(day));
        }
    }
    let days = 40 * 365;
    println!("a day: {:.1} µs", start.elapsed().as_secs_f64() * 1e6 / f64::from(days));
    for (what, weights) in [("10 L", [1.0, 0.0, 0.0]), ("1 L", [0.0, 1.0, 0.0]), ("0.1 L", [0.0, 0.0, 1.0])] {
        let start = Instant::now();
        let mut n = 0;
        for seed in 0..6 {
            let home = Arc::new(Household::with_meters(seed, weights));
            n += home.pulses_between(0, 365 * DAY_NS).count();
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{what}: {:.0} ns a pulse, {:.3} s a meter-year, days included",
            seconds * 1e9 / n as f64,
            seconds / 6.0
        );
    }
}
