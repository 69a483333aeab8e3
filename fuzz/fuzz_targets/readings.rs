// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any readings, clocks, valves and stored states: no litre is lost, and nothing is said that is no number.
#![no_main]

use arbitrary::Arbitrary;
use gasd_detect::{
    DEFAULT_THRESHOLDS_M3_PER_H, Input as Told, Profile, Readings, ReadingsConfig, Taken, sentence,
};
use libfuzzer_sys::fuzz_target;

/// Volumes are µL, times ns.
#[derive(Debug, Arbitrary)]
enum Call {
    /// Register, at.
    Reading(u64, u64),
    /// So many steps of the resolution more, so much later.
    After(u16, u32),
    /// So many readings of the same.
    Steady(u8, u16, u32),
    Back(u32, u32),
    Valve(bool, u64),
    Exchanged,
    Clock(i64),
    Tick(u64),
    Thresholds([f64; 3]),
    Restore,
}

#[derive(Debug, Arbitrary)]
struct Input {
    resolution_ul: u64,
    modulus_ul: u64,
    every_ns: u64,
    max_flow_ul_per_h: u64,
    usual: bool,
    tells_late: bool,
    profile: u8,
    civil_offset_ns: i64,
    state: Vec<u8>,
    calls: Vec<Call>,
}

fn read(readings: &mut Readings, moved: &mut u64, modulus_ul: u64, register_ul: u64, t_ns: u64) {
    let (before, rollovers) = (readings.last(), readings.counts().rollovers);
    let taken = readings.reading(register_ul, t_ns, &mut |v| {
        assert!(v.decided_ns >= v.t_ns, "{v:?}");
        let text = sentence("m", &v);
        assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
    });
    if let (Taken::Judged | Taken::Missed | Taken::Held, Some((last, _)), Some((now, _))) =
        (taken, before, readings.last())
    {
        let rolled = if readings.counts().rollovers > rollovers { modulus_ul } else { 0 };
        *moved = moved.wrapping_add(now.wrapping_sub(last)).wrapping_add(rolled);
    }
    let counts = readings.counts();
    assert!(readings.carried_ul() < readings.quantum_ul());
    // What was held before a fault counts, too.
    if matches!(taken, Taken::First | Taken::Fell | Taken::Leapt) {
        *moved = counts.given_ul.wrapping_add(counts.missed_ul).wrapping_add(readings.carried_ul());
    }
    // Past the largest number a counter stays where it is.
    if counts.missed_ul < u64::MAX && counts.given_ul < u64::MAX {
        let all = counts.given_ul.wrapping_add(counts.missed_ul).wrapping_add(readings.carried_ul());
        assert_eq!(all, *moved);
    }
    let flow = readings.engine().flow_m3_per_h(t_ns);
    assert!(flow.is_none_or(|flow| flow.is_finite() && flow >= 0.0));
}

fuzz_target!(|input: Input| {
    let cfg = ReadingsConfig {
        resolution_ul: if input.usual { 1_000_000 } else { input.resolution_ul },
        modulus_ul: if input.usual { 100_000_000_000_000 } else { input.modulus_ul },
        every_ns: if input.usual { 60_000_000_000 } else { input.every_ns },
        tells_late: input.tells_late,
        max_flow_ul_per_h: if input.usual { 6_000_000_000 } else { input.max_flow_ul_per_h },
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: Profile::ALL[usize::from(input.profile) % Profile::ALL.len()].rules(),
    };
    let Ok(mut readings) = Readings::new(cfg) else { return };
    assert!(!readings.sight().to_string().contains("NaN"));
    // The check sum would keep every change out: the fuzzer's bytes are sealed as they are.
    let sealed = readings.seal_for_test(&input.state);
    for bytes in [&input.state, &sealed] {
        let Ok(mut other) = Readings::restore(cfg, bytes) else { continue };
        let (register_ul, t_ns) = other.last().unwrap_or_default();
        for i in 1..20 {
            let more = cfg.resolution_ul.saturating_mul(i);
            other.reading(register_ul.saturating_add(more), t_ns.saturating_add(cfg.every_ns), &mut |_| {});
        }
        assert!(other.save().len() <= 4096);
    }
    readings.set_civil_offset(input.civil_offset_ns);
    let mut moved = 0;
    for call in input.calls {
        let (register_ul, t_ns) = readings.last().unwrap_or_default();
        let later = |by: u32| t_ns.saturating_add(u64::from(by).saturating_mul(1000));
        let more =
            |steps: u16| register_ul.saturating_add(cfg.resolution_ul.saturating_mul(u64::from(steps)));
        let mut one = |readings: &mut Readings, register_ul, t_ns| {
            read(readings, &mut moved, cfg.modulus_ul, register_ul, t_ns);
        };
        match call {
            Call::Reading(register_ul, t_ns) => one(&mut readings, register_ul, t_ns),
            Call::After(steps, by) => one(&mut readings, more(steps), later(by)),
            Call::Steady(n, steps, by) => {
                for _ in 0..n {
                    let (register_ul, t_ns) = readings.last().unwrap_or_default();
                    let step = cfg.resolution_ul.saturating_mul(u64::from(steps));
                    let at = t_ns.saturating_add(u64::from(by).saturating_mul(1000));
                    one(&mut readings, register_ul.saturating_add(step), at);
                }
            }
            Call::Back(by_ul, by) => {
                one(&mut readings, register_ul.saturating_sub(u64::from(by_ul)), later(by))
            }
            Call::Valve(open, t_ns) => drop(readings.input(Told::Valve(open), t_ns)),
            Call::Exchanged => readings.exchanged(),
            Call::Clock(by_ns) => readings.clock_moved(by_ns),
            Call::Tick(now_ns) => drop(readings.tick(now_ns)),
            Call::Thresholds(thresholds) => readings.set_thresholds(thresholds),
            Call::Restore => {
                let bytes = readings.save();
                assert!(bytes.len() <= 4096);
                readings = Readings::restore(cfg, &bytes).expect("just saved");
            }
        }
    }
});
