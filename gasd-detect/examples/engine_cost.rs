// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a pulse, a tick and a reading cost: `cargo run --release -p gasd-detect --example engine_cost`.

use std::hint::black_box;
use std::time::Instant;

use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Profile, Readings, ReadingsConfig};

fn engine(pulse_volume_ul: u64) -> Engine {
    Engine::new(EngineConfig {
        pulse_volume_ul,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: gasd_detect::Profile::default().rules(),
    })
}

/// A register of a litre that is read each `every_s`, at `flow` m³/h.
fn reading(every_s: u64, flow: f64) {
    let cfg = ReadingsConfig {
        resolution_ul: 1_000_000,
        modulus_ul: 100_000_000_000_000,
        every_ns: every_s * 1_000_000_000,
        tells_late: false,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: Profile::default().rules(),
    };
    let Ok(mut readings) = Readings::new(cfg) else { return };
    let (n, litres) = (2000u64, flow * 1000.0 / 3600.0 * every_s as f64);
    let start = Instant::now();
    for i in 0..n {
        let register_ul = (i as f64 * litres) as u64 * 1_000_000;
        black_box(readings.reading(black_box(register_ul), i * cfg.every_ns, &mut |_| {}));
    }
    let each = start.elapsed().as_nanos() as f64 / n as f64;
    println!("1 L every {every_s} s, {flow} m3/h: a reading {:.1} us", each / 1000.0);
}

fn main() {
    println!("readings: {} bytes", size_of::<Readings>());
    for (every_s, flow) in [(60, 0.0), (60, 2.0), (3600, 2.0), (3600, 6.0), (3600, 19.0)] {
        reading(every_s, flow);
    }
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
