// SPDX-License-Identifier: MIT OR Apache-2.0
//! A register that is read now and then, and what flows through its meter.

use super::SECOND;
use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Profile, Readings, ReadingsConfig, Taken, Verdict};
use proptest::prelude::*;

pub const L: u64 = 1_000_000;
pub const HOUR: u64 = 3600 * SECOND;
pub const CIVIL: i64 = 1_700_000_000 * SECOND as i64;

pub fn config(resolution_ul: u64, every_ns: u64, profile: Profile) -> ReadingsConfig {
    ReadingsConfig {
        resolution_ul,
        modulus_ul: 100_000_000 * L,
        every_ns,
        tells_late: false,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: profile.rules(),
    }
}

pub fn readings(cfg: ReadingsConfig) -> Readings {
    let mut readings = Readings::new(cfg).expect("a register that can be read");
    readings.set_civil_offset(CIVIL);
    readings
}

pub fn read(readings: &mut Readings, register_ul: u64, t_ns: u64) -> (Taken, Vec<Verdict>) {
    let mut said = Vec::new();
    let taken = readings.reading(register_ul, t_ns, &mut |v| said.push(v));
    (taken, said)
}

/// And once more, a second later, if that is asked for.
pub fn read_twice(readings: &mut Readings, register_ul: u64, t_ns: u64) -> (Taken, Vec<Verdict>) {
    let (taken, mut said) = read(readings, register_ul, t_ns);
    if taken != Taken::Held {
        return (taken, said);
    }
    let (taken, more) = read(readings, register_ul, t_ns + SECOND);
    said.extend(more);
    (taken, said)
}

/// Everything that a register has moved is somewhere.
pub fn accounted(readings: &Readings) -> u64 {
    readings.counts().given_ul + readings.counts().missed_ul + readings.carried_ul()
}

/// A flow as (seconds, m³/h), from `SECOND` on.
pub type Flow = Vec<(u64, f64)>;

/// What has passed of it `at_ns`, µL.
pub fn passed_ul(flow: &Flow, at_ns: u64) -> u64 {
    let (mut from_ns, mut volume) = (SECOND, 0.0);
    for (seconds, m3_per_h) in flow {
        let end_ns = from_ns + seconds * SECOND;
        volume += at_ns.clamp(from_ns, end_ns).saturating_sub(from_ns) as f64 * m3_per_h / 3600.0;
        from_ns = end_ns;
    }
    volume as u64
}

pub fn end_ns(flow: &Flow) -> u64 {
    SECOND + flow.iter().map(|(seconds, _)| seconds * SECOND).sum::<u64>()
}

/// The times of readings each `every_ns`, with `keep(i)` of them.
pub fn times(flow: &Flow, every_ns: u64, keep: impl Fn(u64) -> bool) -> Vec<u64> {
    (0..=end_ns(flow) / every_ns).filter(|i| keep(*i)).map(|i| SECOND + i * every_ns).collect()
}

/// Plays a flow to a register that stood at `start_ul`.
pub fn play(cfg: ReadingsConfig, flow: &Flow, times: &[u64], start_ul: u64) -> (Readings, Vec<Verdict>) {
    let (mut front, mut said) = (readings(cfg), Vec::new());
    for &t_ns in times {
        let register = (start_ul + passed_ul(flow, t_ns)) % cfg.modulus_ul;
        said.extend(read_twice(&mut front, register / cfg.resolution_ul * cfg.resolution_ul, t_ns).1);
    }
    (front, said)
}

/// A home's use below every threshold, with rests; flows in m³/h.
pub fn usual() -> impl Strategy<Value = Flow> {
    prop::collection::vec((120u64..4000, prop_oneof![Just(0.0), 0.1f64..2.5]), 3..30)
}
