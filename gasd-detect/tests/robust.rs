// SPDX-License-Identifier: MIT OR Apache-2.0
//! Nothing that comes in makes the engine panic, lie or forget: odd times, odd numbers, gaps.

mod common;

use common::{SECOND, engine, pulses, run};
use gasd_detect::{Engine, EngineConfig, Input, Kind, Verdict, sentence};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Call {
    Pulse(u64, u64),
    Tick(u64),
    Missed(u64, u64),
    Thresholds([f64; 3]),
    Input(Input, u64),
    Storm(u64),
    Clock(i64),
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0u64..100 * SECOND,
        1 => any::<u64>(),
        1 => (u64::MAX - 100 * SECOND)..=u64::MAX,
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        8 => (time(), time()).prop_map(|(t, d)| Call::Pulse(t, d)),
        2 => time().prop_map(Call::Tick),
        1 => (any::<u64>(), time()).prop_map(|(n, t)| Call::Missed(n, t)),
        1 => any::<[f64; 3]>().prop_map(Call::Thresholds),
        2 => (input(), time()).prop_map(|(i, t)| Call::Input(i, t)),
        1 => time().prop_map(Call::Storm),
        1 => any::<i64>().prop_map(Call::Clock),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        any::<bool>().prop_map(Input::Valve),
        prop_oneof![any::<f32>(), 0f32..1.0].prop_map(Input::Pressure),
        prop_oneof![any::<f32>(), 100f32..400.0].prop_map(Input::Seismic),
        any::<bool>().prop_map(Input::AlarmLink),
    ]
}

fn check(engine: &Engine, verdict: Option<Verdict>, now: u64) -> Result<(), TestCaseError> {
    let slopes = engine.slopes(now).into_iter().chain(verdict.into_iter().flat_map(|v| v.evidence.slopes));
    for s in slopes {
        prop_assert!(s.m3_per_h.is_finite() && s.m3_per_h >= 0.0, "{s:?}");
        prop_assert!(s.threshold_m3_per_h.is_finite() && s.threshold_m3_per_h > 0.0, "{s:?}");
    }
    prop_assert!(engine.flow_m3_per_h(now).is_none_or(|f| f.is_finite() && f >= 0.0));
    if let Some(v) = verdict {
        prop_assert!(v.decided_ns >= v.t_ns, "{v:?}");
        prop_assert!(!sentence("m", &v).contains("NaN"));
        let e = &v.evidence;
        for flow in [e.before.mid, e.before.high, e.after.low, e.after.mid, e.after.high] {
            prop_assert!(flow.is_finite() && flow >= 0.0, "{v:?}");
        }
        prop_assert!(e.process.value.is_finite(), "{v:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(common::cases(2000))]

    #[test]
    fn anything_may_come_in(
        v in prop_oneof![Just(0u64), Just(u64::MAX), 1u64..100_000_000], max in any::<u64>(),
        profile in prop::sample::select(gasd_detect::Profile::ALL.to_vec()), civil in any::<i64>(),
        th in any::<[f64; 3]>(), mut calls in prop::collection::vec(call(), 0..80), sorted in any::<bool>(),
    ) {
        let mut engine = Engine::new(EngineConfig {
            pulse_volume_ul: v,
            max_flow_ul_per_h: max,
            thresholds_m3_per_h: th,
            rules: profile.rules(),
        });
        engine.set_civil_offset(civil);
        if sorted {
            calls.sort_by_key(|c| match c {
                Call::Pulse(t, _) | Call::Tick(t) | Call::Missed(_, t) | Call::Input(_, t) | Call::Storm(t) => *t,
                Call::Thresholds(_) | Call::Clock(_) => 0,
            });
        }
        let mut now = 0;
        for call in calls {
            let verdict = match call {
                Call::Pulse(t, d) => {
                    now = t;
                    engine.pulse(t, d)
                }
                Call::Tick(t) => {
                    now = t;
                    engine.tick(t)
                }
                Call::Missed(n, t) => {
                    engine.missed(n, t);
                    None
                }
                Call::Thresholds(th) => {
                    engine.set_thresholds(th);
                    None
                }
                Call::Input(input, t) => {
                    now = t;
                    engine.input(input, t)
                }
                Call::Storm(t) => engine.storm(t),
                Call::Clock(by) => {
                    engine.clock_moved(by);
                    None
                }
            };
            check(&engine, verdict, now)?;
        }
        prop_assert!(!engine.resolution().to_string().contains("NaN"));
    }

    /// The same pulses give the same verdicts a century later.
    #[test]
    fn uptime_does_not_matter(offset in 0u64..u64::MAX - 1000 * SECOND, e in 4.0f64..7.0, phase in 0f64..1.0) {
        let v = 10f64.powf(e) as u64;
        let profile = [(200.0, 2.0), (60.0, 9.0), (20.0, 0.0)];
        let times = pulses(&profile, v, phase, 0);
        let later: Vec<u64> = times.iter().map(|t| t + offset).collect();
        let now = run(&mut engine(v), &times, 60);
        let then = run(&mut engine(v), &later, 60);
        prop_assert_eq!(now.len(), then.len());
        for (a, b) in now.iter().zip(&then) {
            prop_assert_eq!((a.kind, a.t_ns + offset, a.decided_ns + offset), (b.kind, b.t_ns, b.decided_ns));
            let mut shifted = a.evidence;
            for on in shifted.on.iter_mut().filter(|on| on.m3_per_h > 0.0) {
                on.since_ns += offset;
            }
            prop_assert_eq!(shifted, b.evidence);
        }
    }
}

#[test]
fn missed_pulses_fake_no_rate() {
    let mut engine = engine(1_000_000);
    assert_eq!(run(&mut engine, &pulses(&[(120.0, 2.0)], 1_000_000, 0.0, 0), 0), []);
    engine.missed(5000, 121 * SECOND);
    assert_eq!(engine.flow_m3_per_h(122 * SECOND), None);
    assert!(engine.slopes(122 * SECOND).iter().all(|s| s.span_ns == 0 && s.intervals == 0));
    let times = pulses(&[(60.0, 2.0)], 1_000_000, 0.0, 121 * SECOND);
    assert_eq!(run(&mut engine, &times, 0), []);
    assert!((engine.flow_m3_per_h(180 * SECOND).expect("known again") - 2.0).abs() < 0.05);
}

#[test]
fn a_surge_is_found_after_missed_pulses_and_its_follow_up_stays_owed() {
    let mut engine = engine(100_000);
    let times = pulses(&[(60.0, 0.5), (10.0, 9.0)], 100_000, 0.0, 0);
    assert_eq!(run(&mut engine, &times, 0).len(), 1);
    engine.missed(40, 71 * SECOND);
    let times = pulses(&[(60.0, 9.0)], 100_000, 0.0, 71 * SECOND);
    let verdicts = run(&mut engine, &times, 60);
    assert_eq!(verdicts.iter().map(|v| v.kind).collect::<Vec<_>>(), [Kind::SustainedFlow]);

    let mut engine = common::engine(100_000);
    engine.missed(40, 71 * SECOND);
    let verdicts = run(&mut engine, &times, 60);
    assert_eq!(verdicts[0].kind, Kind::Surge);
    assert!(verdicts[0].decided_ns <= 77 * SECOND);
}

#[test]
fn a_backlog_is_judged_by_the_pulses_own_time() {
    let mut engine = engine(100_000);
    let times = pulses(&[(60.0, 0.5), (40.0, 9.0)], 100_000, 0.0, 0);
    let verdicts: Vec<_> = times.iter().filter_map(|&t| engine.pulse(t, 500 * SECOND)).collect();
    assert_eq!(verdicts.len(), 2);
    assert!(verdicts[0].t_ns.abs_diff(60 * SECOND) < SECOND);
    assert!(verdicts.iter().all(|v| v.decided_ns == 500 * SECOND));
}

#[test]
fn silence_says_less_and_less_flow() {
    let mut engine = engine(10_000_000);
    run(&mut engine, &pulses(&[(600.0, 3.6)], 10_000_000, 0.0, 0), 0);
    let flows: Vec<f64> = (600..800).filter_map(|s| engine.flow_m3_per_h(s * SECOND)).collect();
    assert_eq!(flows.len(), 200);
    assert!(flows.windows(2).all(|w| w[1] <= w[0] + 1e-9));
    assert!((flows[199] - 36.0 / 199.0).abs() < 1e-3, "{}", flows[199]);
}

#[test]
fn a_clock_that_starts_anew_does_not_deafen_the_engine() {
    let mut engine = engine(100_000);
    run(&mut engine, &pulses(&[(60.0, 0.5)], 100_000, 0.0, u64::MAX / 2), 0);
    let verdicts = run(&mut engine, &pulses(&[(60.0, 0.5), (20.0, 9.0)], 100_000, 0.0, 0), 0);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].kind, Kind::Surge);
}
