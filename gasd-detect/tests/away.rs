// SPDX-License-Identifier: MIT OR Apache-2.0
//! A home that nobody is in: known by its silence, left with the first gas, no alarm by itself, and no cover for a leak.

mod common;

use common::home::{DAY_S, L, days, engine, learned};
use common::{SECOND, pulses, run};
use gasd_detect::{Engine, Kind, Phase, Profile, Rule, Severity, Verdict};

const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// Time alone, a tick a minute.
fn idle(engine: &mut Engine, (from_ns, to_ns): (u64, u64)) -> Vec<Verdict> {
    (from_ns / SECOND..to_ns / SECOND).step_by(60).filter_map(|s| engine.tick(s * SECOND)).collect()
}

/// A learned home that was left after supper and has been empty for so many days, and the midnight then.
fn left(days: u64) -> (Engine, u64) {
    let (mut engine, at_ns) = learned();
    let back_ns = at_ns + days * DAY;
    assert_eq!(idle(&mut engine, (at_ns, back_ns)), [], "nobody at home is no alarm");
    assert_eq!(engine.phase(back_ns), Phase::Away);
    (engine, back_ns)
}

#[test]
fn three_days_without_gas_are_away_and_gas_again_is_not() {
    let (mut engine, at_ns) = learned();
    // Supper is over by seven.
    let still = |engine: &mut Engine, to_ns| idle(engine, (to_ns - DAY, to_ns));
    for (to_ns, phase) in [
        (at_ns + DAY, Phase::Watching),
        (at_ns + 2 * DAY, Phase::Watching),
        (at_ns + 3 * DAY, Phase::Away),
        (at_ns + 10 * DAY, Phase::Away),
    ] {
        assert_eq!(still(&mut engine, to_ns), []);
        assert_eq!(engine.phase(to_ns), phase, "{} days", (to_ns - at_ns) / DAY);
    }
    // An ordinary day again: its first pulse is gas.
    let back_ns = at_ns + 10 * DAY;
    let times = pulses(&days(2, 0.0), L, 0.0, back_ns);
    assert_eq!(run(&mut engine, &times[..1], 0), []);
    assert_eq!(engine.phase(times[0]), Phase::Watching);
    assert_eq!(run(&mut engine, &times[1..], 0), [], "who comes home is no alarm");
    assert_eq!(engine.phase(back_ns + 2 * DAY), Phase::Watching);
}

#[test]
fn a_home_that_is_not_known_is_not_away() {
    let mut engine = engine(Profile::EuG4);
    run(&mut engine, &pulses(&days(5, 0.0), L, 0.0, 0), 0);
    assert_eq!(idle(&mut engine, (5 * DAY, 10 * DAY)), []);
    assert_eq!(engine.phase(10 * DAY), Phase::Learning);
}

#[test]
fn a_hose_in_an_empty_home_closes_the_valve() {
    let (mut engine, at_ns) = left(6);
    let said = run(&mut engine, &pulses(&[(43_200.0, 0.0), (60.0, 8.0)], L, 0.0, at_ns), 60);
    let grave = said.iter().find(|v| v.severity == Severity::Critical);
    assert!(grave.is_some_and(|v| v.decided_ns < at_ns + 12 * HOUR + 40 * SECOND), "{said:?}");
}

#[test]
fn a_small_leak_in_an_empty_home_is_told() {
    // 20 L/h and nothing else: the hours tell. Half days without any use are new to this home: ten of them make a
    // base flow known, which tells, too.
    for (empty, kind, within_h) in
        [(6, Kind::UnusualHour, 36), (12, Kind::UnusualHour, 24), (12, Kind::BaseFlow, 24)]
    {
        let (mut engine, at_ns) = left(empty);
        let said = run(&mut engine, &pulses(&[(2.0 * DAY_S, 0.02)], L, 0.0, at_ns), 0);
        let first = said.iter().find(|v| v.kind == kind);
        let first = first.unwrap_or_else(|| panic!("nothing after {empty} days: {said:?}"));
        assert_eq!(first.severity, Severity::Warning, "after {empty} days");
        assert!(first.decided_ns <= at_ns + within_h * HOUR, "after {empty} days: {first:?}");
    }
}

#[test]
fn a_burner_in_an_empty_home_is_told() {
    let (mut engine, at_ns) = left(6);
    let said = run(&mut engine, &pulses(&[(3.0 * 3600.0, 0.0), (3.0 * 3600.0, 0.3)], L, 0.0, at_ns), 0);
    assert!(said.iter().any(|v| v.evidence.rule == Rule::QuietHour), "{said:?}");
}
