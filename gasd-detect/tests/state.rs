// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stored and restored at any point an engine says the same, and no bytes make it panic.

mod common;

use common::home::{CIVIL, L, days, learned};
use common::{SECOND, cases, pulses, run};
use gasd_detect::{Engine, EngineConfig, Profile, Verdict};
use proptest::prelude::*;

fn config(volume_ul: u64) -> EngineConfig {
    common::config(volume_ul, Profile::EuG4)
}

fn engine(volume_ul: u64) -> Engine {
    let mut engine = Engine::new(config(volume_ul));
    engine.set_civil_offset(1_700_000_000 * SECOND as i64);
    engine
}

/// Runs of some flow with rests, over days; a tick when it is due.
fn drive(engine: &mut Engine, gaps: &[u64], from: &mut u64, said: &mut Vec<Verdict>) {
    for gap in gaps {
        let t = *from + gap;
        loop {
            let due = engine.due_ns(*from);
            if due >= t {
                break;
            }
            *from = due;
            said.extend(engine.tick(due));
        }
        *from = t;
        said.extend(engine.pulse(t, t));
    }
}

fn gaps() -> impl Strategy<Value = Vec<u64>> {
    let gap = prop_oneof![
        8 => 200_000_000u64..4 * SECOND,
        4 => 4 * SECOND..60 * SECOND,
        1 => 600 * SECOND..40_000 * SECOND,
    ];
    prop::collection::vec(gap, 1..600)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn restored_at_any_point_it_says_the_same(all in gaps(), at in 0usize..600, e in 5.0f64..7.1) {
        let volume = 10f64.powf(e) as u64;
        let at = at.min(all.len());
        let (mut one, mut said, mut t) = (engine(volume), Vec::new(), SECOND);
        drive(&mut one, &all[..at], &mut t, &mut said);
        let bytes = one.save();
        prop_assert!(bytes.len() <= 4096, "{}", bytes.len());
        let mut other = Engine::restore(config(volume), &bytes).expect("just saved");
        other.set_civil_offset(1_700_000_000 * SECOND as i64);
        let (mut a, mut b, mut u) = (Vec::new(), Vec::new(), t);
        // What waits to be said is said before a state is stored.
        while one.tick(t).is_some() {}
        while other.tick(u).is_some() {}
        drive(&mut one, &all[at..], &mut t, &mut a);
        drive(&mut other, &all[at..], &mut u, &mut b);
        prop_assert_eq!(a, b);
        prop_assert_eq!(one.save(), other.save());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..5000) {
        prop_assert!(Engine::restore(config(10_000_000), &bytes).is_err());
        let (mut one, mut t) = (engine(10_000_000), SECOND);
        drive(&mut one, &[5 * SECOND; 40], &mut t, &mut Vec::new());
        let whole = one.save();
        let cut = cut.min(whole.len() - 1);
        prop_assert!(Engine::restore(config(10_000_000), &whole[..cut]).is_err());
    }
}

#[test]
fn after_a_reboot_what_was_learned_is_known() {
    let (mut one, mut t) = (engine(1_000_000), SECOND);
    for _ in 0..40 {
        let mut day = vec![2 * SECOND; 600];
        day.push(86_400 * SECOND - 1200 * SECOND);
        drive(&mut one, &day, &mut t, &mut Vec::new());
    }
    assert!(one.days_learned() >= 28.0);
    let envelope = one.envelope_m3_per_h();
    let mut other = Engine::restore(config(1_000_000), &one.save()).expect("just saved");
    let by = 50 * SECOND as i64 - t as i64;
    other.clock_moved(by);
    other.set_civil_offset(1_700_000_000 * SECOND as i64 - by);
    assert_eq!(other.envelope_m3_per_h(), envelope);
    let (mut u, mut said) = (60 * SECOND, Vec::new());
    drive(&mut other, &[2 * SECOND; 600], &mut u, &mut said);
    assert_eq!(said, []);
}

/// A use that went on into a quieter hour counts for both, and a restart in it forgets neither.
#[test]
fn restored_within_a_slow_use_it_is_told_as_soon() {
    let (mut one, start) = learned();
    // From 19:01 on, at a flow that is no appliance's.
    let slow = pulses(&[(68_460.0, 0.0), (7200.0, 0.13)], L, 0.0, start);
    let (before, after) = slow.split_at(slow.partition_point(|t| *t < start + 72_300 * SECOND));
    assert_eq!(run(&mut one, before, 0), []);
    let restored = || Engine::restore(config(L), &one.save()).unwrap();
    let [mut same, mut another] = [restored(), restored()];
    another.clock_moved(0);
    [&mut same, &mut another].into_iter().for_each(|engine| engine.set_civil_offset(CIVIL));
    let said = run(&mut one, after, 0);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(run(&mut same, after, 0), said);
    // Its windows begin anew.
    let told = run(&mut another, after, 0);
    assert_eq!(
        told.iter().map(|v| (v.kind, v.decided_ns)).collect::<Vec<_>>(),
        [(said[0].kind, said[0].decided_ns)]
    );
}

/// As the daemon restarts: it says that the clock is the same. With pulses of 10 L one that is not counted is minutes.
#[test]
fn another_process_on_the_same_clock_forgets_no_slow_use() {
    const TEN: u64 = 10 * L;
    let mut home = Engine::new(config(TEN));
    home.set_civil_offset(CIVIL);
    assert_eq!(run(&mut home, &pulses(&days(40, 0.0), TEN, 0.0, 0), 0), []);
    let start = 40 * 86_400 * SECOND;
    let mut told = 0;
    for flow in [0.25, 0.13, 0.1] {
        // From 2:01 on.
        let slow = pulses(&[(7_260.0, 0.0), (3.0 * 3600.0, flow)], TEN, 0.0, start);
        for minute in [2, 5, 17, 29] {
            let cut = start + (7_260 + minute * 60) * SECOND;
            let (before, after) = slow.split_at(slow.partition_point(|t| *t < cut));
            let mut one = home.clone();
            assert_eq!(run(&mut one, before, 0), []);
            let mut watched = before.last().copied().unwrap_or(start);
            // What a pulse that is due brings comes after it.
            while watched + SECOND < after[0].min(cut) {
                watched += SECOND;
                assert_eq!(one.tick(watched), None);
            }
            let mut other = Engine::restore(config(TEN), &one.save()).unwrap();
            other.clock_moved(0);
            other.set_civil_offset(CIVIL);
            // It takes some seconds.
            let up = (watched + 5 * SECOND).min(after[0]);
            let said = [&mut one, &mut other].map(|engine| {
                let now = (0..).map(|s| up + s * SECOND).take_while(|now| *now < after[0]);
                assert_eq!(now.filter_map(|now| engine.tick(now)).count(), 0);
                run(engine, after, 0).iter().take(1).map(|v| (v.kind, v.decided_ns)).collect::<Vec<_>>()
            });
            assert_eq!(said[0], said[1], "{flow} m³/h, minute {minute}");
            told += said[0].len();
        }
    }
    assert_eq!(told, 12);
}

/// What an engine that runs is told of its clock is no restart: a copy of it, for pulses of another source, knows the home
/// and not the use under way.
#[test]
fn a_copy_that_is_told_so_forgets_what_is_under_way() {
    let (mut one, start) = learned();
    let slow = pulses(&[(7_260.0, 0.0), (3600.0, 0.25)], L, 0.0, start);
    let (before, after) = slow.split_at(60);
    assert_eq!(run(&mut one, before, 0), []);
    let mut other = one.clone();
    other.clock_moved(0);
    let [told, later] = [&mut one, &mut other].map(|engine| run(engine, after, 0)[0].decided_ns);
    // The next pulse is the first, and the flow counts from the one after it.
    assert!(later > told + 10 * SECOND, "{told} {later}");
}
