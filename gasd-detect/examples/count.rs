// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fixed workloads for `scripts/instructions`, which counts their instructions:
//!
//! - `count list` prints their names,
//! - `count learn FOLDER` has engines learn a home and keeps their states there,
//! - `count run NAME N FOLDER` does N of the named thing in that home.
//!
//! Twice as many less as many is what they cost; all that comes before is in both and falls out.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use gasd_detect::stat::Mixture;
use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Phase, Profile, Verdict};

const SECOND_NS: u64 = 1_000_000_000;
const DAY_S: u64 = 86_400;
/// Days that the home is learned before anything is counted: the connected load is believed after 28.
const LEARN: u64 = 42;
/// A Monday at midnight, civil time.
const CIVIL_S: u64 = 1_700_438_400;

/// A household's day: begin in s, length in s, m³/h. Stove, boiler, water heater, also together.
const DAY: [(u64, u64, f64); 7] = [
    (21_600, 2700, 1.8),
    (24_300, 480, 3.9),
    (25_800, 900, 0.35),
    (43_200, 1800, 0.35),
    (64_800, 5400, 1.8),
    (70_200, 720, 3.9),
    (70_920, 3600, 1.8),
];

/// The workloads, and the volume of a pulse, µL, where an engine is at work.
const WORKLOADS: [(&str, u64); 5] = [
    ("pulse-10-l", 10_000_000),
    ("pulse-0.1-l", 100_000),
    ("tick", 10_000_000),
    ("mixture-step", 0),
    ("mixture-step-idle", 0),
];

fn config(pulse_volume_ul: u64) -> EngineConfig {
    EngineConfig {
        pulse_volume_ul,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: Profile::EuG4.rules(),
    }
}

/// The pulses of one day, ns, in order; each day is a little later than the one before, as people are.
fn day(day: u64, pulse_ul: u64) -> impl Iterator<Item = u64> {
    let late = day * 7919 % 900;
    DAY.into_iter().flat_map(move |(begin, length, flow)| {
        let interval = (pulse_ul as f64 / flow * 3600.0) as u64;
        let begin = ((day + 1) * DAY_S + begin + late) * SECOND_NS;
        (1..=length * SECOND_NS / interval).map(move |n| begin + n * interval)
    })
}

fn learned(pulse_ul: u64) -> Result<Engine, String> {
    let mut engine = Engine::new(config(pulse_ul));
    engine.set_civil_offset((CIVIL_S * SECOND_NS) as i64);
    for t in (0..LEARN).flat_map(|d| day(d, pulse_ul)) {
        calm(engine.pulse(t, t))?;
    }
    if engine.phase((LEARN + 1) * DAY_S * SECOND_NS) == Phase::Learning {
        return Err("the home is still being learned, so the workload would not be the usual one".into());
    }
    Ok(engine)
}

/// A verdict has a cost of its own, and is no usual day.
fn calm(said: Option<Verdict>) -> Result<(), String> {
    said.map_or(Ok(()), |v| Err(format!("the workload is no usual day: {}", v.kind.name())))
}

fn run(name: &str, n: u64, folder: &Path) -> Result<(), String> {
    let Some((_, pulse_ul)) = WORKLOADS.into_iter().find(|(known, _)| *known == name) else {
        return Err(format!("no workload is called {name}"));
    };
    if pulse_ul == 0 {
        // Pulses at half the rate that is allowed, or after hours without any.
        let x_s = if name == "mixture-step" { 7.2 } else { 7200.0 };
        let mut mixture = Mixture::new();
        for _ in 0..n {
            black_box(mixture.step_with(black_box(x_s), black_box(1.0 / 3.6), 1.0, 3.6, 10.0));
        }
        return Ok(());
    }
    let path = folder.join(pulse_ul.to_string());
    let state = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut engine = Engine::restore(config(pulse_ul), &state).map_err(|e| e.to_string())?;
    engine.set_civil_offset((CIVIL_S * SECOND_NS) as i64);
    if name.starts_with("pulse") {
        // The same number is made ready in either run.
        let times: Vec<u64> = (LEARN..).flat_map(|d| day(d, pulse_ul)).take(MOST).collect();
        for &t in times.get(..n as usize).ok_or("more pulses than were made ready")? {
            calm(black_box(engine.pulse(black_box(t), t)))?;
        }
    } else {
        // Second after second, from the middle of a use on.
        let mut t = 0;
        for pulse in day(LEARN, pulse_ul).take(64) {
            calm(engine.pulse(pulse, pulse))?;
            t = pulse;
        }
        for _ in 0..n {
            t += SECOND_NS;
            calm(black_box(engine.tick(black_box(t))))?;
        }
    }
    Ok(())
}

/// Pulses that are made ready.
const MOST: usize = 20_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["list"] => {
            WORKLOADS.iter().for_each(|(name, _)| println!("{name}"));
            Ok(())
        }
        ["learn", folder] => [10_000_000, 100_000].into_iter().try_for_each(|pulse_ul: u64| {
            let path = Path::new(folder).join(pulse_ul.to_string());
            std::fs::write(&path, learned(pulse_ul)?.save()).map_err(|e| format!("{}: {e}", path.display()))
        }),
        ["run", name, n, folder] => {
            n.parse().map_err(|e| format!("{n}: {e}")).and_then(|n| run(name, n, Path::new(folder)))
        }
        _ => Err("use: count list, count learn FOLDER, count run NAME N FOLDER".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("count: {why}");
            ExitCode::FAILURE
        }
    }
}
