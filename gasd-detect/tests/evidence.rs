// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every kind of verdict, provoked: it says when it began, what flowed and what decided it, so that a person can check
//! it by hand.

mod common;

use common::home::{DAY_S, L, days, engine, learned};
use common::{SECOND, pulses, run};
use gasd_detect::{Input, Kind, Profile, Rule, Severity, Verdict};

/// What the learned home says of a flow from midnight on.
fn of(flow: &[(f64, f64)]) -> Vec<Verdict> {
    let (mut engine, at_ns) = learned();
    run(&mut engine, &pulses(flow, L, 0.0, at_ns), 60)
}

fn first(said: &[Verdict], kind: Kind) -> Verdict {
    let found = said.iter().find(|v| v.kind == kind);
    *found.unwrap_or_else(|| panic!("no {}: {said:?}", kind.name()))
}

/// What must be in each: an onset, the rule, and a number that passed its threshold.
fn complete(v: &Verdict) {
    let e = &v.evidence;
    assert!(v.t_ns <= v.decided_ns, "{v:?}");
    assert!(!e.process.unit.is_empty() && e.process.value.is_finite(), "no number decided {v:?}");
    if e.rule == Rule::Pressure {
        assert!(e.process.value <= e.process.threshold, "{v:?}");
    } else if v.kind != Kind::TransientFlow {
        assert!(e.process.value >= e.process.threshold, "{v:?}");
    }
    assert!(e.before.low <= e.before.mid && e.before.mid <= e.before.high, "{v:?}");
    assert!(e.after.low <= e.after.mid && e.after.mid <= e.after.high, "{v:?}");
}

fn near(value: f32, expected: f32, part: f32) -> bool {
    (value - expected).abs() <= part * expected
}

#[test]
fn a_hose_on_top_of_a_burner() {
    let mut engine = engine(Profile::Published);
    let said = run(&mut engine, &pulses(&[(600.0, 0.6), (60.0, 9.0)], L, 0.0, 0), 60);
    let surge = first(&said, Kind::Surge);
    complete(&surge);
    let e = &surge.evidence;
    assert!(near(e.before.mid, 0.6, 0.1) && near(e.after.mid, 9.0, 0.15), "{e:?}");
    assert!(surge.t_ns.abs_diff(600 * SECOND) < 8 * SECOND, "{surge:?}");
    assert!(e.released_ul > L && e.released_ul < 30 * L, "{e:?}");
    for kind in [Kind::SustainedFlow, Kind::TransientFlow] {
        said.iter().filter(|v| v.kind == kind).for_each(complete);
    }
}

#[test]
fn more_than_the_home_takes() {
    let said = of(&[(25_200.0, 0.0), (300.0, 1.5), (120.0, 4.5)]);
    let overload = first(&said, Kind::Overload);
    complete(&overload);
    let e = &overload.evidence;
    assert!(near(e.before.mid, 1.5, 0.1) && near(e.after.mid, 4.5, 0.1), "{e:?}");
    assert!(e.released_ul < 88 * L, "{e:?}");
}

#[test]
fn a_burner_that_stays() {
    let said = of(&[(67_000.0, 0.0), (12.0 * 3600.0, 0.3)]);
    let long = first(&said, Kind::LongUse);
    complete(&long);
    assert!(long.evidence.after.low < 0.3 && long.evidence.after.high > 0.3, "{long:?}");
    assert!((long.t_ns / SECOND) % 86_400 >= 66_000, "since it was lit: {long:?}");
}

#[test]
fn gas_at_night() {
    let said = of(&[(10_800.0, 0.0), (3600.0, 0.5)]);
    let night = first(&said, Kind::UnusualHour);
    complete(&night);
    assert!(near(night.evidence.after.mid, 0.5, 0.15), "{night:?}");
    assert!(night.evidence.released_ul < 150 * L, "{night:?}");
}

#[test]
fn a_small_leak_says_how_much_at_most_and_since_when() {
    let said = of(&days(4, 0.02));
    let base = first(&said, Kind::BaseFlow);
    complete(&base);
    let e = &base.evidence;
    assert!(near(e.after.mid, 0.02, 0.1), "what flows: {e:?}");
    assert_eq!(e.before.mid, 0.0, "a home that rests: {e:?}");
    let (_, from_ns) = learned();
    assert!(base.t_ns.abs_diff(from_ns) <= DAY_S as u64 * SECOND, "{base:?}");
    let flowed = 0.02 / 3.6e-6 * (base.decided_ns - from_ns) as f64 / 1e9;
    assert!((0.5..2.0).contains(&(e.released_ul as f64 / flowed)), "{} of {flowed}", e.released_ul);
}

#[test]
fn less_than_the_base_flow_tells_from_none_is_told_because_it_never_rests() {
    // Three litres an hour: a gap of twenty minutes is longer than what is told from none, and no rest.
    complete(&first(&of(&days(35, 0.003)), Kind::NeverZero));
}

#[test]
fn gas_that_never_rests_and_a_meter_that_is_silent() {
    let mut restless = engine(Profile::CnSafety);
    let said = run(&mut restless, &pulses(&[(33.0 * DAY_S, 0.06)], L, 0.0, 0), 0);
    complete(&first(&said, Kind::NeverZero));
    let (mut silent, at_ns) = learned();
    let said: Vec<Verdict> = (0..40 * 24).filter_map(|h| silent.tick(at_ns + h * 3600 * SECOND)).collect();
    complete(&first(&said, Kind::SilentMeter));
}

#[test]
fn what_sensors_and_the_valve_say() {
    let flowing = |profile| {
        let mut engine = engine(profile);
        run(&mut engine, &pulses(&[(60.0, 1.0)], L, 0.0, SECOND), 0);
        engine
    };
    let mut said = Vec::new();
    let mut pressure = flowing(Profile::EuG4);
    pressure.input(Input::Pressure(0.1), 61 * SECOND);
    said.extend(run(&mut pressure, &pulses(&[(60.0, 1.0)], L, 0.0, 62 * SECOND), 0));
    let mut quake = flowing(Profile::JpMicom);
    said.extend(quake.input(Input::Seismic(250.0), 62 * SECOND));
    let mut alarm = flowing(Profile::EuG4);
    alarm.input(Input::AlarmLink(true), 70 * SECOND);
    said.extend((70..120).filter_map(|s| alarm.tick(s * SECOND)));
    let mut closed = flowing(Profile::EuG4);
    closed.input(Input::Valve(false), 100 * SECOND);
    said.extend(run(&mut closed, &pulses(&[(60.0, 1.0)], L, 0.0, 200 * SECOND), 0));
    let mut opened = flowing(Profile::JpMicom);
    opened.input(Input::Valve(false), 100 * SECOND);
    opened.input(Input::Valve(true), 200 * SECOND);
    said.extend(run(&mut opened, &pulses(&[(60.0, 1.0)], L, 0.0, 201 * SECOND), 0));
    let kinds: Vec<Kind> = said.iter().map(|v| v.kind).collect();
    let expected =
        [Kind::LowPressure, Kind::Earthquake, Kind::GasAlarm, Kind::FlowWhileClosed, Kind::FlowAfterOpening];
    assert_eq!(kinds, expected);
    for v in &said {
        complete(v);
        assert_eq!(v.severity, Severity::Critical);
    }
    assert_eq!((said[0].evidence.process.value, said[0].evidence.process.unit), (0.1, "kPa"));
    assert_eq!((said[1].evidence.process.value, said[1].evidence.process.unit), (250.0, "gal"));
    assert_eq!(said[2].t_ns, 70 * SECOND, "since the alarm began");
    assert_eq!(said[3].evidence.released_ul, 4 * L, "what came through the closed valve");
}
