// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pulses that were lost, a reboot or a clock that jumped while gas flowed: nobody knows when the use ended, so it
//! is neither held against the home nor learned.

mod common;

use common::home::{CIVIL, days, learned};
use common::{SECOND, cases, config, pulses, run};
use gasd_detect::{Engine, Kind, Profile, Verdict};
use proptest::prelude::*;

const L: u64 = 1_000_000;

fn engine(profile: Profile) -> Engine {
    Engine::new(config(L, profile))
}

/// Time alone, a tick a minute.
fn quiet(engine: &mut Engine, from_ns: u64, hours: u64) -> Vec<Verdict> {
    (0..hours * 60).filter_map(|i| engine.tick(from_ns + i * 60 * SECOND)).collect()
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_use_whose_end_was_lost_is_not_too_long(
        profile in prop::sample::select(Profile::ALL.to_vec()), flow in 0.05f64..4.0, minutes in 2u64..40,
        how in 0u8..3, by in -1_000_000i64..1_000_000,
    ) {
        let mut engine = engine(profile);
        let use_s = minutes as f64 * 60.0;
        let times = pulses(&[(use_s, flow)], L, 0.0, SECOND);
        run(&mut engine, &times, 0);
        let mut now = SECOND + minutes * 60 * SECOND;
        match how {
            0 => engine.missed(1, now),
            1 => {
                engine.clock_moved(by * SECOND as i64);
                now = now.saturating_add_signed(by * SECOND as i64).max(SECOND);
            }
            _ => {
                let state = engine.save();
                engine = Engine::restore(config(L, profile), &state).expect("its own state");
                engine.clock_moved(0);
            }
        }
        let said = quiet(&mut engine, now, 5 * 24);
        prop_assert!(said.iter().all(|v| v.kind != Kind::LongUse), "{said:?}");
    }
}

#[test]
fn a_use_that_goes_on_over_lost_pulses_is_timed_on() {
    let mut engine = engine(Profile::JpMicom);
    // A level below the flow decides, so it lasts a little longer than the flow itself may.
    let limit_s = f64::from(Profile::JpMicom.rules().use_time(1.8));
    let part = (limit_s * 0.9).floor();
    run(&mut engine, &pulses(&[(part, 1.8)], L, 0.0, SECOND), 0);
    let lost_ns = SECOND + part as u64 * SECOND;
    engine.missed(3, lost_ns);
    let said = run(&mut engine, &pulses(&[(part, 1.8)], L, 0.0, lost_ns + 2 * SECOND), 0);
    let long: Vec<&Verdict> = said.iter().filter(|v| v.kind == Kind::LongUse).collect();
    assert_eq!(long.len(), 1, "{said:?}");
    assert!(long[0].t_ns < 60 * SECOND, "{:?}", long[0]);
}

#[test]
fn what_was_lost_is_not_learned() {
    // Showers of ten minutes, of which one lost its last pulses before ten days away; then one that never ends.
    let found = |lost: bool| {
        let mut engine = engine(Profile::EuG4);
        let day = 86_400 * SECOND;
        for i in 0..60 {
            run(&mut engine, &pulses(&[(600.0, 1.8)], L, 0.0, i * day + SECOND), 60);
        }
        run(&mut engine, &pulses(&[(600.0, 1.8)], L, 0.0, 60 * day + SECOND), 0);
        if lost {
            engine.missed(1, 60 * day + 601 * SECOND);
        }
        quiet(&mut engine, 60 * day + 602 * SECOND, 240);
        let said = run(&mut engine, &pulses(&[(30.0 * 3600.0, 1.8)], L, 0.0, 71 * day), 0);
        said.into_iter().find(|v| v.kind == Kind::LongUse).map(|v| v.decided_ns - 71 * day)
    };
    let (sound, lost) = (found(false), found(true));
    assert!(sound.is_some());
    assert_eq!(sound, lost);
}

#[test]
fn a_use_that_goes_on_while_the_clock_begins_anew_is_timed_from_there() {
    let mut engine = engine(Profile::JpMicom);
    let limit_s = f64::from(Profile::JpMicom.rules().use_time(1.8));
    run(&mut engine, &pulses(&[(limit_s * 0.5, 1.8)], L, 0.0, 36_000 * SECOND), 0);
    let said = run(&mut engine, &pulses(&[(limit_s * 1.2, 1.8)], L, 0.0, SECOND), 0);
    let long: Vec<&Verdict> = said.iter().filter(|v| v.kind == Kind::LongUse).collect();
    assert_eq!(long.len(), 1, "{said:?}");
    assert!(long[0].decided_ns < (limit_s * 1.1) as u64 * SECOND, "{:?}", long[0]);
}

#[test]
fn time_that_nobody_watched_is_not_credited() {
    let (engine, at_ns) = learned();
    let (before, five) = (engine.days_learned(), 5 * 86_400 * SECOND);
    // By a minute from `at_ns` on, where civil time is that plus `civil`.
    let credited = |mut engine: Engine, at_ns: u64, civil: i64| {
        engine.set_civil_offset(civil);
        for s in 0..60 {
            assert_eq!(engine.tick(at_ns + s * SECOND), None);
        }
        engine.days_learned() - before
    };
    let day = credited(engine.clone(), at_ns, CIVIL);
    assert!((0.9..1.0).contains(&day), "this midnight: {day}");

    // Without current for five days and a few hours, over a reboot.
    let mut off = Engine::restore(config(L, Profile::EuG4), &engine.save()).expect("its own state");
    let (now, was) = (60 * SECOND, at_ns + five + 10 * 3600 * SECOND);
    let by = now.cast_signed() - was.cast_signed();
    off.clock_moved(by);
    assert_eq!(credited(off, now, CIVIL - by), 0.0);

    // The same boot, in which nobody looked.
    let mut off = Engine::restore(config(L, Profile::EuG4), &engine.save()).expect("its own state");
    off.clock_moved(0);
    assert_eq!(credited(off, at_ns + five + 10 * 3600 * SECOND, CIVIL), 0.0);

    // A clock that was behind for as long is set.
    assert_eq!(credited(engine.clone(), at_ns - 5 * 3600 * SECOND, CIVIL + five.cast_signed()), 0.0);

    // Five days in which nothing flowed are days.
    let mut idle = engine;
    assert_eq!(quiet(&mut idle, at_ns, 5 * 24), []);
    assert!((4.3..5.0).contains(&(idle.days_learned() - before)), "{}", idle.days_learned());
}

#[test]
fn while_the_clock_is_not_set_no_hour_is_quiet() {
    let supper = |civil: Option<i64>, at_s: f64| {
        let (engine, at_ns) = learned();
        let mut engine = Engine::restore(config(L, Profile::EuG4), &engine.save()).expect("its own state");
        let by = SECOND.cast_signed() - at_ns.cast_signed();
        engine.clock_moved(by);
        civil.into_iter().for_each(|offset| engine.set_civil_offset(offset - by));
        run(&mut engine, &pulses(&[(at_s, 0.0), (2400.0, 0.45)], L, 0.0, SECOND), 60)
    };
    assert_eq!(supper(None, 64_800.0), []);
    assert_eq!(supper(Some(CIVIL), 64_800.0), []);
    let night: Vec<Kind> = supper(Some(CIVIL), 10_800.0).iter().map(|v| v.kind).collect();
    assert_eq!(night, [Kind::UnusualHour]);
}

/// Verdicts of a use of `use_s` at `flow` m³/h at two in the morning: watched throughout, and with a break of `gap_s` from
/// its second `cut_s` on, of which no pulse is known, as a restart, a clock that is set by a second, a reboot, and
/// pulses that were lost.
fn broken(
    home: &Engine,
    start: u64,
    (flow, use_s): (f64, f64),
    cut_s: u64,
    gap_s: u64,
) -> (usize, [usize; 4]) {
    let times = pulses(&[(7_260.0, 0.0), (use_s, flow)], L, 0.0, start);
    let cut = start + (7_260 + cut_s) * SECOND;
    let up = cut + gap_s * SECOND;
    let (before, rest) = times.split_at(times.partition_point(|t| *t < cut));
    let after = &rest[rest.partition_point(|t| *t <= up)..];
    let mut one = home.clone();
    let said = run(&mut one, before, 0).len();
    let moved = |by: i64| {
        let mut engine = Engine::restore(config(L, Profile::EuG4), &one.save()).expect("its own state");
        engine.clock_moved(by);
        engine.set_civil_offset(CIVIL - by);
        let after: Vec<u64> = after.iter().map(|t| t.wrapping_add_signed(by)).collect();
        said + run(&mut engine, &after, 0).len()
    };
    let by_clock = [0, -SECOND.cast_signed(), 35 * SECOND.cast_signed() - up.cast_signed()].map(moved);
    let mut lost = one.clone();
    lost.missed((rest.len() - after.len()) as u64, up);
    let lost = said + run(&mut lost, after, 0).len();
    (said + run(&mut one, rest, 0).len(), [by_clock[0], by_clock[1], by_clock[2], lost])
}

#[test]
fn no_break_makes_a_shower_a_strange_use_or_hides_one() {
    let (home, start) = learned();
    for (shape, told) in [((1.5, 420.0), 0), ((1.5, 600.0), 0), ((0.3, 3600.0), 1)] {
        for gap_s in [0, 5, 45, 90] {
            for cut_s in [40, 65, 100, 155, 200, 245] {
                let found = broken(&home, start, shape, cut_s, gap_s);
                assert_eq!(found, (told, [told; 4]), "{shape:?}, from {cut_s} s on for {gap_s} s");
            }
        }
    }
}

/// Showers that break are no flows that the home has: the next strange use is as strange as before.
#[test]
fn no_flow_is_learned_of_a_use_with_missed_pulses() {
    let (home, start) = learned();
    let day = 86_400 * SECOND;
    let leak = |breaks: bool| {
        let mut engine = home.clone();
        for i in 0..8 * 15 {
            // From eight in the morning to ten in the evening, for so long unseen that its mean is that of the leak.
            let at_ns = start + i / 8 * day + (8 + i % 8 * 2) * 3600 * SECOND;
            let times = pulses(&[(600.0, 1.5)], L, 0.0, at_ns);
            let (first, last) = times.split_at(60);
            run(&mut engine, first, 0);
            if breaks {
                engine.missed(1, first[59] + SECOND);
            }
            let late = if breaks { 540 * SECOND } else { 0 };
            run(&mut engine, &last.iter().map(|t| t + late).collect::<Vec<_>>(), 0);
        }
        let leak = pulses(&[(7_260.0, 0.0), (3600.0, 0.457)], L, 0.0, start + 15 * day);
        run(&mut engine, &leak, 0).iter().map(|v| (v.kind, v.decided_ns)).collect::<Vec<_>>()
    };
    let said = leak(false);
    assert_eq!(said.iter().map(|v| v.0).collect::<Vec<_>>(), [Kind::UnusualHour]);
    assert_eq!(leak(true), said);
}

/// When a leak of `flow` (m³/h) that begins at two is told to an engine that knows the home, min after that, behind
/// pulses of `litre_ul`, of which one is missed each so many minutes.
fn leak(mut engine: Engine, flow: f64, litre_ul: u64, missed_each_min: u64) -> Option<u64> {
    let times = pulses(&[(7_260.0, 0.0), (4.0 * 3600.0, flow)], litre_ul, 0.0, 40 * 86_400 * SECOND);
    let mut next = times[0] + 60 * SECOND;
    for t in &times {
        if *t >= next {
            engine.missed(1, *t);
            next += missed_each_min * 60 * SECOND;
        } else if let Some(verdict) = run(&mut engine, &[*t], 0).first() {
            assert_eq!(verdict.kind, Kind::UnusualHour);
            return Some((verdict.decided_ns - times[0]) / SECOND / 60);
        }
    }
    None
}

#[test]
fn a_leak_is_told_though_a_pulse_of_it_is_missed_now_and_then() {
    for (litre_ul, flows) in [(L, &[0.15, 0.3, 0.457][..]), (10 * L, &[0.3, 0.457])] {
        let mut home = Engine::new(config(litre_ul, Profile::EuG4));
        home.set_civil_offset(CIVIL);
        run(&mut home, &pulses(&days(40, 0.0), litre_ul, 0.0, 0), 0);
        let told = |flow, each_min| leak(home.clone(), flow, litre_ul, each_min);
        for flow in flows {
            let whole = told(*flow, 10_000).expect("one of which none is missed");
            for each_min in [60, 30, 20, 10] {
                let told = told(*flow, each_min);
                // What was missed is not counted; a pulse of 10 L is a good part of what tells.
                let most = whole * if litre_ul > L { 2 } else { 1 } + 10;
                assert!(
                    told.is_some_and(|min| min <= most),
                    "{flow}, {litre_ul}, {each_min}: {told:?}, {whole}"
                );
            }
        }
    }
}
