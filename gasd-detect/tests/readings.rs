// SPDX-License-Identifier: MIT OR Apache-2.0
//! A register that is read now and then: nothing is lost, nothing is invented, and it does not matter how it is
//! read.

mod common;

use common::{SECOND, cases, register::*};
use gasd_detect::{Input, Kind, Profile, Readings, ReadingsConfig, Rule, Severity, Taken, sentence};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Call {
    Reading(u64, u64),
    After(u32, u32),
    Input(bool, u64),
    Exchanged,
    Clock(i64),
    Tick(u64),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        3 => (any::<u64>(), any::<u64>()).prop_map(|(r, t)| Call::Reading(r, t)),
        8 => (any::<u32>(), any::<u32>()).prop_map(|(r, t)| Call::After(r, t)),
        1 => (any::<bool>(), any::<u64>()).prop_map(|(o, t)| Call::Input(o, t)),
        1 => Just(Call::Exchanged),
        1 => any::<i64>().prop_map(Call::Clock),
        1 => any::<u64>().prop_map(Call::Tick),
    ]
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn anything_may_come_in_and_no_litre_is_lost(
        resolution in prop_oneof![Just(L), Just(10 * L), 1u64..1_000_000_000],
        every in prop_oneof![Just(60 * SECOND), Just(HOUR), 1u64..30 * 24 * HOUR],
        modulus in prop_oneof![Just(0u64), Just(100_000_000 * L), any::<u64>()],
        calls in prop::collection::vec(call(), 0..60),
    ) {
        let cfg = ReadingsConfig { modulus_ul: modulus, ..config(resolution, every, Profile::JpMicom) };
        let Ok(mut front) = Readings::new(cfg) else { return Ok(()) };
        front.set_civil_offset(CIVIL);
        let mut moved = 0u64;
        for call in calls {
            let before = (front.last(), front.counts().rollovers);
            let (register, t_ns) = match call {
                Call::Reading(register, t_ns) => (register, t_ns),
                Call::After(more, later) => {
                    let (register, t_ns) = front.last().unwrap_or_default();
                    (register.wrapping_add(u64::from(more) * 1000), t_ns.saturating_add(u64::from(later) * 1000))
                }
                Call::Input(open, t_ns) => {
                    front.input(Input::Valve(open), t_ns);
                    continue;
                }
                Call::Exchanged => { front.exchanged(); continue }
                Call::Clock(by_ns) => { front.clock_moved(by_ns); continue }
                Call::Tick(now_ns) => { front.tick(now_ns); continue }
            };
            let (taken, said) = read(&mut front, register, t_ns);
            for v in said {
                prop_assert!(v.decided_ns >= v.t_ns, "{v:?}");
                prop_assert!(!sentence("m", &v).contains("NaN"));
            }
            if let (Taken::Judged | Taken::Missed | Taken::Held, Some((last, _))) = (taken, before.0) {
                let now = front.last().expect("just read").0;
                moved = moved.wrapping_add(now.wrapping_sub(last));
                if front.counts().rollovers > before.1 {
                    moved = moved.wrapping_add(modulus);
                }
            }
            prop_assert!(front.carried_ul() < front.quantum_ul());
            // What was held before a fault counts, too.
            if matches!(taken, Taken::First | Taken::Fell | Taken::Leapt) {
                moved = front.counts().given_ul.wrapping_add(front.counts().missed_ul);
                moved = moved.wrapping_add(front.carried_ul());
            }
            // Past the largest number counters stay where they are.
            if front.counts().missed_ul < u64::MAX {
                let all = front.counts().given_ul.wrapping_add(front.counts().missed_ul);
                prop_assert_eq!(all.wrapping_add(front.carried_ul()), moved);
            }
        }
        prop_assert!(front.save().len() <= 4096);
        prop_assert!(Readings::restore(cfg, &front.save()).is_ok());
    }

    /// What comes twice, late or otherwise at the same time changes nothing but counters.
    #[test]
    fn duplicates_and_late_readings_change_no_verdict(flow in usual(), seed in any::<u64>()) {
        let cfg = config(L, 60 * SECOND, Profile::EuG4);
        let all = times(&flow, cfg.every_ns, |_| true);
        let (clean, said) = play(cfg, &flow, &all, 0);
        let (mut front, mut again, mut noise) = (readings(cfg), Vec::new(), 0);
        for (i, &t_ns) in all.iter().enumerate() {
            let register = passed_ul(&flow, t_ns) / L * L;
            again.extend(read(&mut front, register, t_ns).1);
            let (odd, expected) = match (seed >> (i % 60)) & 3 {
                0 => ((register, t_ns), Taken::Duplicate),
                1 => ((register + 7 * L, t_ns), Taken::Conflict),
                2 => ((register / 2, t_ns - 1), Taken::Late),
                _ => continue,
            };
            noise += 1;
            prop_assert_eq!(read(&mut front, odd.0, odd.1), (expected, vec![]));
        }
        prop_assert_eq!(said, again);
        prop_assert_eq!(clean.engine().save(), front.engine().save());
        let counts = front.counts();
        prop_assert_eq!(counts.duplicates + counts.conflicts + counts.late, noise);
    }

    #[test]
    fn a_rollover_at_any_point_changes_no_verdict(flow in usual(), hose in 0f64..12.0, part in 0f64..1.0) {
        let mut flow = flow;
        flow.push((1800, hose));
        let cfg = config(L, 60 * SECOND, Profile::EuG4);
        let all = times(&flow, cfg.every_ns, |_| true);
        let litres = passed_ul(&flow, all[all.len() - 1]) / L;
        let start = cfg.modulus_ul - ((litres as f64 * part) as u64 + 1) * L;
        let (straight, said) = play(cfg, &flow, &all, 0);
        let (rolled, again) = play(cfg, &flow, &all, start);
        prop_assert_eq!(said, again);
        prop_assert_eq!(accounted(&straight), accounted(&rolled));
        prop_assert_eq!(rolled.counts().rollovers, u64::from(litres > (litres as f64 * part) as u64));
        prop_assert_eq!(rolled.counts().falls + rolled.counts().leaps, 0);
    }

    #[test]
    fn restored_at_any_point_it_says_the_same(
        flow in usual(), hose in 0f64..12.0, at in 0f64..1.0, every in prop::sample::select(vec![60u64, 900, 3600]),
    ) {
        let mut flow = flow;
        flow.push((7200, hose));
        let cfg = config(L, every * SECOND, Profile::EuG4);
        let all = times(&flow, cfg.every_ns, |i| i % 37 != 5);
        let cut = (all.len() as f64 * at) as usize;
        let (mut one, _) = play(cfg, &flow, &all[..cut], 0);
        let mut other = Readings::restore(cfg, &one.save()).expect("just saved");
        other.set_civil_offset(CIVIL);
        for &t_ns in &all[cut..] {
            let register = passed_ul(&flow, t_ns) / L * L;
            prop_assert_eq!(read(&mut one, register, t_ns), read(&mut other, register, t_ns));
        }
        prop_assert_eq!(one.save(), other.save());
    }

    /// No use below the thresholds becomes a finding by being read.
    #[test]
    fn nothing_is_invented_between_readings(
        flow in usual(), every in 30u64..4000, resolution in prop::sample::select(vec![L / 10, L, 10 * L]),
        lost in 1u64..50,
    ) {
        let cfg = config(resolution, every * SECOND, Profile::EuG4);
        let (front, said) = play(cfg, &flow, &times(&flow, cfg.every_ns, |i| i % lost != lost - 1 || lost < 3), 0);
        prop_assert_eq!(said, vec![]);
        prop_assert_eq!(front.counts().falls + front.counts().leaps, 0);
    }
}

#[test]
fn a_rest_is_seen_between_readings_and_in_a_gap() {
    // Gas all the time but for two hours, once a day; the register is not read for a day in the end.
    // A profile that learns would take the pauses between two quanta for rests.
    let cfg = config(L, HOUR, Profile::CnSafety);
    let mut flow: Flow = Vec::new();
    for _ in 0..40 {
        flow.extend([(22 * 3600, 0.06), (2 * 3600, 0.0)]);
    }
    let (_, said) = play(cfg, &flow, &times(&flow, HOUR, |_| true), 0);
    assert!(said.iter().all(|v| v.kind != Kind::NeverZero), "{said:?}");
    let never: Flow = vec![(40 * 24 * 3600, 0.06)];
    let (_, said) = play(cfg, &never, &times(&never, HOUR, |_| true), 0);
    assert_eq!(said.iter().filter(|v| v.kind == Kind::NeverZero).count(), 1, "{said:?}");
    // Ten hours without a reading and without gas are a rest, however long the rest of the time is.
    let gap: Flow = vec![(20 * 24 * 3600, 0.06), (10 * 3600, 0.0), (20 * 24 * 3600, 0.06)];
    let missing = 20 * 24 + 1..20 * 24 + 10;
    let (front, said) = play(cfg, &gap, &times(&gap, HOUR, |i| !missing.contains(&i)), 0);
    assert_eq!(front.counts().gaps, 1);
    assert!(said.iter().all(|v| v.kind != Kind::NeverZero), "{said:?}");
}

#[test]
fn a_gap_counts_and_says_nothing_unless_its_mean_is_too_much() {
    let cfg = config(L, 60 * SECOND, Profile::EuG4);
    let mut front = readings(cfg);
    for i in 0..10 {
        read(&mut front, 1000 * L, SECOND + i * 60 * SECOND);
    }
    let (taken, said) = read(&mut front, 3000 * L, 2 * HOUR);
    assert_eq!((taken, said.len(), front.counts().gaps), (Taken::Missed, 0, 1));
    assert_eq!(front.counts().missed_ul, 2000 * L);
    // 36 m³ in two and a half hours are more than a G4 may pass at any time.
    assert_eq!(read(&mut front, 39_000 * L, 4 * HOUR + HOUR / 2), (Taken::Held, vec![]));
    let (taken, said) = read(&mut front, 39_000 * L, 4 * HOUR + HOUR / 2 + SECOND);
    assert_eq!(taken, Taken::Judged);
    assert!(said.iter().any(|v| v.kind == Kind::Overload && v.severity == Severity::Critical), "{said:?}");
    assert_eq!(accounted(&front), 38_000 * L);
}

#[test]
fn a_register_that_leaps_or_falls_is_a_broken_sensor_and_said_once() {
    let mut front = readings(config(L, 60 * SECOND, Profile::EuG4));
    let at = |i: u64| SECOND + i * 60 * SECOND;
    read(&mut front, 5_000_000 * L, at(0));
    let (taken, said) = read(&mut front, 9_000_000 * L, at(1));
    assert_eq!((taken, said.len()), (Taken::Leapt, 1));
    assert_eq!((said[0].kind, said[0].severity), (Kind::ImplausibleRate, Severity::Warning));
    assert_eq!(said[0].evidence.rule, Rule::RegisterLeapt);
    let text = sentence("m", &said[0]);
    assert!(text.contains("the register went on by 4000000 L in 60 s, 240000 m3/h"), "{text}");
    let (taken, said) = read(&mut front, 5_000_001 * L, at(2));
    assert_eq!((taken, said.len()), (Taken::Fell, 1));
    assert_eq!((said[0].kind, said[0].evidence.rule), (Kind::ReverseFlow, Rule::RegisterFell));
    let text = sentence("m", &said[0]);
    assert!(text.contains("the register went back by 3999999 L within 60 s"), "{text}");
    // From there it counts, and what is broken is not said at every reading.
    for i in 3..60 {
        let register = if i % 2 == 0 { 5_000_010 } else { 5_000_100 };
        assert_eq!(read(&mut front, register * L, at(i)).1, []);
    }
    assert!(front.counts().falls > 20);
    assert_eq!(front.counts().refused_ul, 4_000_000 * L);
}

#[test]
fn a_meter_that_was_exchanged_begins_anew_without_a_word() {
    let mut front = readings(config(L, HOUR, Profile::EuG4));
    read(&mut front, 7_000_000 * L, HOUR);
    read(&mut front, 7_000_100 * L, 2 * HOUR);
    front.exchanged();
    assert_eq!(read(&mut front, 3 * L, 3 * HOUR), (Taken::First, vec![]));
    assert_eq!(read(&mut front, 13 * L, 4 * HOUR), (Taken::Judged, vec![]));
    assert_eq!((front.counts().exchanges, accounted(&front)), (1, 110 * L));
}

#[test]
fn gas_of_before_the_valve_was_closed_is_not_blamed_on_it() {
    let mut front = readings(config(L, HOUR, Profile::JpMicom));
    front.set_valve(true, SECOND);
    for hour in 1..4 {
        read(&mut front, hour * 100 * L, hour * HOUR);
    }
    assert_eq!(front.input(Input::Valve(false), 3 * HOUR + HOUR / 2), None);
    assert_eq!(read(&mut front, 350 * L, 4 * HOUR), (Taken::Missed, vec![]));
    let (_, said) = read_twice(&mut front, 450 * L, 5 * HOUR);
    assert_eq!(said.first().map(|v| v.kind), Some(Kind::FlowWhileClosed), "{said:?}");
}

#[test]
fn a_state_of_another_register_is_refused_with_its_reason() {
    let cfg = config(L, 60 * SECOND, Profile::EuG4);
    let state = readings(cfg).save();
    let why = |cfg| Readings::restore(cfg, &state).err().map(|why| why.to_string());
    let learned = "it was learned with pulses of 1 L";
    assert_eq!(why(config(10 * L, 60 * SECOND, Profile::EuG4)).as_deref(), Some(learned));
    assert_eq!(
        why(config(L, HOUR, Profile::EuG4)).as_deref(),
        Some(learned),
        "an hour asks for coarser quanta"
    );
    for cut in 0..state.len() {
        assert!(Readings::restore(cfg, &state[..cut]).is_err(), "{cut}");
    }
}
