// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hose that comes off is confirmed in time, once, and followed up once.

mod common;

use common::{Numbers, SECOND, engine, interval_ns, pulses, run};
use gasd_detect::{Kind, Rule, Severity, Verdict};
use proptest::prelude::*;

/// Nine hours idle or ten minutes of `base`, then `flow` for two minutes, then nothing.
fn hose_off(v: u64, base: f64, flow: f64, phase: f64) -> (u64, Vec<u64>) {
    let before = if base > 0.0 { 600.0 } else { 32_400.0 };
    let mut times = pulses(&[(before, base), (120.0, flow)], v, phase, SECOND);
    times.insert(0, SECOND);
    (SECOND + (before * 1e9) as u64, times)
}

fn surge(v: u64, base: f64, flow: f64, phase: f64) -> (u64, u64, Verdict) {
    let (onset, times) = hose_off(v, base, flow, phase);
    let mut engine = engine(v);
    let found = times.iter().find_map(|&t| engine.pulse(t, t)).expect("a surge");
    assert_eq!((found.kind, found.severity), (Kind::Surge, Severity::Critical));
    assert!(found.decided_ns > onset, "before the onset: {found:?}");
    let first = times[times.partition_point(|&t| t <= onset)];
    (found.decided_ns - onset, found.decided_ns - first, found)
}

#[test]
fn delays() {
    println!("pulse      before     flow   mean     worst    intervals after the first pulse (worst)");
    for v in [10_000u64, 100_000, 1_000_000, 10_000_000] {
        for base in [0.0, 0.5, 2.8] {
            for flow in [8.0, 9.0, 10.0] {
                let (mut worst, mut after_first, mut sum) = (0, 0, 0.0);
                for phase in 0..50 {
                    let (delay, after, _) = surge(v, base, flow, f64::from(phase) / 50.0);
                    worst = worst.max(delay);
                    after_first = after_first.max(after);
                    sum += delay as f64 / 50.0;
                }
                let interval = interval_ns(v, flow);
                println!(
                    "{:>5} L  {base:>4} m3/h  {flow:>4}  {:>5.2} s  {:>5.2} s  {:.1}",
                    v as f64 / 1e6,
                    sum / 1e9,
                    worst as f64 / 1e9,
                    after_first as f64 / interval,
                );
                let three = (3.0 * interval).ceil() as u64 + 10;
                assert!(after_first <= three.max(5 * SECOND), "{after_first}");
                assert!(worst <= (4.0 * interval).ceil() as u64 + 10 || worst <= 5 * SECOND);
            }
        }
    }
}

proptest! {
    #![proptest_config(common::cases(400))]

    /// Any flow for which the resolution promises a time is confirmed within it.
    #[test]
    fn what_the_resolution_promises_is_kept(
        e in 4.0f64..7.5, base in prop::sample::select(vec![0.0, 0.3, 1.5, 2.8, 4.5]), flow in 5.2f64..15.0,
        phase in 0f64..1.0,
    ) {
        let v = 10f64.powf(e) as u64;
        if let Some(promised) = engine(v).resolution().confirmed_within_ns(flow) {
            prop_assume!(promised < 110 * SECOND);
            let (delay, _, found) = surge(v, base, flow, phase);
            prop_assert!(delay <= promised + 10, "{delay} > {promised}: {found:?}");
        }
    }

    /// Pulses that come up to a fifth of an interval early or late do not hide it.
    #[test]
    fn jitter_does_not_hide_a_hose(
        e in 4.0f64..6.0, base in prop::sample::select(vec![0.0, 0.5, 2.8]), flow in 8.0f64..10.0,
        phase in 0f64..1.0, seed in 1u64..,
    ) {
        let v = 10f64.powf(e) as u64;
        let (onset, mut times) = hose_off(v, base, flow, phase);
        let mut numbers = Numbers(seed);
        for t in times.iter_mut().skip(1) {
            *t = t.saturating_add_signed(((numbers.unit() - 0.5) * 0.4 * interval_ns(v, flow)) as i64);
        }
        let mut engine = engine(v);
        let found = times.iter().find_map(|&t| engine.pulse(t, t)).expect("a surge");
        prop_assert!(found.decided_ns - onset <= 5 * SECOND, "{found:?}");
    }
}

fn kinds(verdicts: &[Verdict]) -> Vec<Kind> {
    verdicts.iter().map(|v| v.kind).collect()
}

#[test]
fn a_surge_that_goes_on_is_followed_up_once_after_thirty_seconds() {
    for v in [10_000, 100_000, 1_000_000, 10_000_000] {
        let (onset, times) = hose_off(v, 0.5, 9.0, 0.3);
        let verdicts = run(&mut engine(v), &times, 300);
        assert_eq!(kinds(&verdicts), [Kind::Surge, Kind::SustainedFlow], "{v} µL");
        let [surge, sustained] = [verdicts[0], verdicts[1]];
        assert_eq!(surge.evidence.rule, Rule::Confirmed5s);
        assert!(surge.t_ns.abs_diff(onset) <= 250_000_000 + interval_ns(v, 9.0) as u64);
        assert_eq!(sustained.t_ns, surge.t_ns);
        assert_eq!(sustained.evidence.rule, Rule::Sustained30s);
        let age = sustained.decided_ns - sustained.t_ns;
        assert!((30 * SECOND..=31 * SECOND).contains(&age), "{age}");
        for (i, th) in [5.0, 3.2].into_iter().enumerate() {
            assert!(surge.evidence.slopes[i].m3_per_h >= th, "{surge:?}");
        }
        assert!((sustained.evidence.slopes[2].m3_per_h - 9.0).abs() < 1.0, "{sustained:?}");
    }
}

#[test]
fn a_surge_that_is_stopped_is_transient() {
    for v in [10_000, 100_000, 1_000_000, 10_000_000] {
        // The valve closes after 20 s.
        let mut times = pulses(&[(3600.0, 0.0), (20.0, 9.0)], v, 0.5, SECOND);
        times.insert(0, SECOND);
        let verdicts = run(&mut engine(v), &times, 300);
        assert_eq!(kinds(&verdicts), [Kind::Surge, Kind::TransientFlow], "{v} µL");
        assert_eq!(verdicts[1].severity, Severity::Info);
        assert!(verdicts[1].evidence.slopes[2].m3_per_h < 1.8);
        let age = verdicts[1].decided_ns - verdicts[1].t_ns;
        assert!((30 * SECOND..=60 * SECOND).contains(&age), "{age}");
    }
}

#[test]
fn a_second_hose_is_a_second_surge_even_while_the_boiler_runs() {
    for v in [10_000, 1_000_000, 10_000_000] {
        for between in [0.0, 2.8, 4.5] {
            let profile = [(600.0, 0.5), (60.0, 9.0), (120.0, between), (60.0, 10.0), (60.0, 0.0)];
            let verdicts = run(&mut engine(v), &pulses(&profile, v, 0.5, 0), 300);
            let surges = verdicts.iter().filter(|v| v.kind == Kind::Surge).count();
            let follow_ups = verdicts.len() - surges;
            assert_eq!((surges, follow_ups), (2, 2), "{v} µL, {between}: {:?}", kinds(&verdicts));
        }
    }
}

#[test]
fn valve_opened_again_onto_the_leak_is_a_new_surge() {
    let profile = [(600.0, 0.5), (4.0, 9.0), (15.0, 0.0), (60.0, 9.0)];
    let verdicts = run(&mut engine(100_000), &pulses(&profile, 100_000, 0.5, 0), 300);
    assert_eq!(kinds(&verdicts), [Kind::Surge, Kind::Surge, Kind::SustainedFlow]);
}

#[test]
fn suspicions_that_never_confirm_are_rare_infos() {
    let mut profile = Vec::new();
    for _ in 0..60 {
        profile.extend([(59.2, 0.1), (0.8, 9.0)]);
    }
    let mut engine = engine(10_000);
    let verdicts = run(&mut engine, &pulses(&profile, 10_000, 0.0, 0), 60);
    assert!((5..=7).contains(&verdicts.len()), "{}", verdicts.len());
    for v in &verdicts {
        assert_eq!((v.kind, v.severity), (Kind::TransientFlow, Severity::Info));
    }
    assert_eq!(engine.suppressed_suspicions() as usize + verdicts.len(), 60);
}

#[test]
fn a_bouncing_contact_does_not_hide_a_hose() {
    let (onset, times) = hose_off(10_000_000, 0.5, 9.0, 0.3);
    let times: Vec<u64> = times.iter().flat_map(|&t| [t, t + 10_000_000]).collect();
    let verdicts = run(&mut engine(10_000_000), &times, 60);
    let surge = verdicts.iter().find(|v| v.kind == Kind::Surge).expect("a surge");
    assert!(surge.decided_ns - onset <= 20 * SECOND, "{surge:?}");
    assert_eq!(verdicts.iter().filter(|v| v.kind == Kind::ImplausibleRate).count(), 1);
}
