// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a pulse and a tick cost: `cargo run --release -p gasd-detect --example cost`.

use std::hint::black_box;
use std::time::Instant;

use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig};

fn engine(pulse_volume_ul: u64) -> Engine {
    Engine::new(EngineConfig {
        pulse_volume_ul,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: gasd_detect::Profile::default().rules(),
    })
}

fn main() {
    println!("engine: {} bytes", size_of::<Engine>());
    for (what, volume_ul, flow) in [
        ("10 L, 2 m3/h", 10_000_000u64, 2.0),
        ("1 L, 2 m3/h", 1_000_000, 2.0),
        ("0.01 L, 2 m3/h", 10_000, 2.0),
        ("0.001 L, 4.5 m3/h", 1000, 4.5),
        ("0.001 L, 9 m3/h (surging)", 1000, 9.0),
    ] {
        let mut engine = engine(volume_ul);
        let interval = (volume_ul as f64 / flow * 3600.0) as u64;
        let n = 5_000_000u64;
        let start = Instant::now();
        for i in 0..n {
            black_box(engine.pulse(black_box(i * interval), i * interval));
        }
        let pulse = start.elapsed().as_nanos() as f64 / n as f64;
        let end = n * interval;
        let start = Instant::now();
        for i in 0..n {
            black_box(engine.tick(black_box(end + i)));
        }
        let tick = start.elapsed().as_nanos() as f64 / n as f64;
        let n = n / 20;
        let start = Instant::now();
        for _ in 0..n {
            black_box(engine.slopes(black_box(end)));
        }
        let slopes = start.elapsed().as_nanos() as f64 / n as f64;
        println!("{what:>26}: pulse {pulse:.1} ns, tick {tick:.1} ns, three slopes {slopes:.0} ns");
    }
}
