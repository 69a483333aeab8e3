// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a minute of the learned model costs: `cargo run --profile bench -p gasd-detect --example learned`.

use std::hint::black_box;
use std::time::Instant;

use gasd_detect::learned::{FEATURES, Features, Model, SHIPPED, State, WEIGHTS};

fn main() {
    println!(
        "{:?} of {} numbers, {} bytes of weights, {} bytes of state",
        SHIPPED.cell,
        SHIPPED.hidden,
        WEIGHTS.len(),
        size_of::<State>()
    );
    let features: Features = core::array::from_fn(|i| (i as f32 - FEATURES as f32 / 2.0) / 8.0);
    let steps = 200u32;
    // The best of many short ones, since the machine does other things too.
    let best = (0..5000)
        .map(|_| {
            let (mut state, start) = (State::default(), Instant::now());
            for _ in 0..steps {
                black_box(SHIPPED.step(black_box(&features), &mut state));
            }
            start.elapsed().as_nanos() as f64 / f64::from(steps)
        })
        .fold(f64::INFINITY, f64::min);
    println!("a step: {:.2} us", best / 1000.0);
    let start = Instant::now();
    for _ in 0..steps {
        black_box(Model::parse(black_box(WEIGHTS)).is_ok());
    }
    println!("reading the weights: {:.0} ns", start.elapsed().as_nanos() as f64 / f64::from(steps));
}
