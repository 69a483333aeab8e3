// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flow profiles made into pulses, and a driver that feeds them with a tick every second.
#![allow(dead_code, reason = "each test program uses a part of it")]

use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Profile, Severity, Verdict};

use proptest::prelude::ProptestConfig;

pub mod home;
pub mod register;

pub const SECOND: u64 = 1_000_000_000;

/// `n` cases, and no files left behind: a failure prints its minimal input.
pub fn cases(n: u32) -> ProptestConfig {
    ProptestConfig { cases: n, max_global_rejects: n, failure_persistence: None, ..ProptestConfig::default() }
}

/// A G4 meter, 6 m³/h, with pulses of `volume_ul`, and the rules of `profile`.
pub fn config(volume_ul: u64, profile: Profile) -> EngineConfig {
    EngineConfig {
        pulse_volume_ul: volume_ul,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: profile.rules(),
    }
}

/// Such a meter with the three windows alone.
pub fn engine(volume_ul: u64) -> Engine {
    Engine::new(config(volume_ul, Profile::Published))
}

/// ns between pulses at `flow` (m³/h).
pub fn interval_ns(volume_ul: u64, flow: f64) -> f64 {
    volume_ul as f64 / flow * 3600.0
}

/// Pulse times of a profile of (seconds, m³/h) from `start_ns` on; `phase` (0 to 1) is the part of
/// a pulse that the meter has turned already.
pub fn pulses(profile: &[(f64, f64)], volume_ul: u64, phase: f64, start_ns: u64) -> Vec<u64> {
    let (mut at, mut part, mut times) = (0.0_f64, phase, Vec::new());
    for &(seconds, flow) in profile {
        let end = at + seconds * 1e9;
        if flow > 0.0 {
            let interval = interval_ns(volume_ul, flow);
            let first = at + (1.0 - part) * interval;
            let mut n = 0u64;
            while first + n as f64 * interval <= end {
                times.push(start_ns + (first + n as f64 * interval).ceil() as u64);
                n += 1;
            }
            part = (part + (end - at) / interval).fract();
        }
        at = end;
    }
    times
}

/// Feeds pulses in order and a tick every second between them and for `after` seconds more.
pub fn run(engine: &mut Engine, times: &[u64], after: u64) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let Some(&first) = times.first() else {
        return verdicts;
    };
    let mut tick = first;
    for &t in times {
        while tick < t {
            verdicts.extend(engine.tick(tick));
            tick += SECOND;
        }
        verdicts.extend(engine.pulse(t, t));
    }
    for _ in 0..after {
        verdicts.extend(engine.tick(tick));
        tick += SECOND;
    }
    verdicts
}

/// The critical ones.
pub fn critical(verdicts: &[Verdict]) -> Vec<&Verdict> {
    verdicts.iter().filter(|v| v.severity == Severity::Critical).collect()
}

/// A small generator of numbers that are the same in every run (xorshift64*).
pub struct Numbers(pub u64);

impl Numbers {
    /// 0 to 1.
    pub fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Adds strays: each pulse brings one with `probability`, anywhere in the interval before it.
pub fn with_strays(times: &[u64], probability: f64, numbers: &mut Numbers) -> Vec<u64> {
    let mut out = Vec::with_capacity(times.len());
    let mut last = times.first().copied().unwrap_or(0);
    for &t in times {
        if numbers.unit() < probability {
            out.push(last + ((t - last) as f64 * numbers.unit()) as u64);
        }
        out.push(t);
        last = t;
    }
    out
}
