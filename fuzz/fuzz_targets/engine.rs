// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any pulses, ticks, losses and settings: the engine neither panics nor says a number that is none.
#![no_main]

use arbitrary::Arbitrary;
use gasd_detect::{Engine, EngineConfig, Profile, Verdict, sentence};
use libfuzzer_sys::fuzz_target;

/// Times are ns.
#[derive(Debug, Arbitrary)]
enum Call {
    /// At, decided at.
    Pulse(u64, u64),
    PulseAfter(u32),
    /// So many pulses, one every so long: a steady flow.
    Run(u8, u32),
    TickAt(u64),
    TickAfter(u32),
    /// So many, at.
    Missed(u64, u64),
    Thresholds([f64; 3]),
}

#[derive(Debug, Arbitrary)]
struct Input {
    pulse_volume_ul: u64,
    max_flow_ul_per_h: u64,
    thresholds: [f64; 3],
    usual: bool,
    profile: u8,
    civil_offset_ns: i64,
    flow: f64,
    calls: Vec<Call>,
}

fn check(engine: &Engine, now: u64, verdict: Option<&Verdict>) {
    let said = verdict.map(|v| v.evidence.slopes);
    for slope in engine.slopes(now).into_iter().chain(said.into_iter().flatten()) {
        assert!(slope.m3_per_h.is_finite() && slope.m3_per_h >= 0.0, "{slope:?}");
        assert!(slope.threshold_m3_per_h.is_finite() && slope.threshold_m3_per_h > 0.0, "{slope:?}");
    }
    assert!(engine.flow_m3_per_h(now).is_none_or(|flow| flow.is_finite() && flow >= 0.0));
    if let Some(verdict) = verdict {
        assert!(verdict.decided_ns >= verdict.t_ns, "{verdict:?}");
        let text = sentence("m", verdict);
        assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
    }
}

fuzz_target!(|input: Input| {
    let mut engine = Engine::new(EngineConfig {
        pulse_volume_ul: if input.usual { 1_000_000 } else { input.pulse_volume_ul },
        max_flow_ul_per_h: if input.usual { 6_000_000_000 } else { input.max_flow_ul_per_h },
        thresholds_m3_per_h: input.thresholds,
        rules: Profile::ALL[usize::from(input.profile) % Profile::ALL.len()].rules(),
    });
    engine.set_civil_offset(input.civil_offset_ns);
    let mut now = 0;
    let pulse = |engine: &mut Engine, at: u64, decided: u64| {
        let verdict = engine.pulse(at, decided);
        check(engine, at, verdict.as_ref());
    };
    for call in input.calls {
        match call {
            Call::Pulse(at, decided) => {
                now = at;
                pulse(&mut engine, at, decided);
            }
            Call::PulseAfter(ns) => {
                now = now.saturating_add(u64::from(ns));
                pulse(&mut engine, now, now);
            }
            Call::Run(pulses, every_ns) => {
                for _ in 0..pulses {
                    now = now.saturating_add(u64::from(every_ns));
                    pulse(&mut engine, now, now);
                }
            }
            Call::TickAt(at) => {
                now = at;
                let verdict = engine.tick(at);
                check(&engine, at, verdict.as_ref());
            }
            Call::TickAfter(ns) => {
                now = now.saturating_add(u64::from(ns));
                let verdict = engine.tick(now);
                check(&engine, now, verdict.as_ref());
            }
            Call::Missed(n, at) => engine.missed(n, at),
            Call::Thresholds(thresholds) => engine.set_thresholds(thresholds),
        }
        check(&engine, now, None);
    }
    let resolution = engine.resolution();
    let said = resolution.to_string();
    assert!(!said.contains("NaN"), "{said}");
    let _ = resolution.confirmed_within_ns(input.flow);
    let _ = resolution.intervals_needed(input.flow);
});
