// SPDX-License-Identifier: MIT OR Apache-2.0
//! Splitting or merging the readings of a flow, or counting its pulses, changes no verdict beyond what they resolve.

mod common;

use common::{SECOND, cases, register::*};
use gasd_detect::{Engine, EngineConfig, Kind, Profile, ReadingsConfig, Verdict};
use proptest::prelude::*;

/// The pulses of the same flow, by rules that are the same.
fn as_pulses(cfg: &ReadingsConfig, flow: &Flow) -> Vec<Verdict> {
    let mut engine = Engine::new(EngineConfig {
        pulse_volume_ul: cfg.resolution_ul,
        max_flow_ul_per_h: cfg.max_flow_ul_per_h,
        thresholds_m3_per_h: cfg.thresholds_m3_per_h,
        rules: cfg.rules,
    });
    engine.set_civil_offset(CIVIL);
    let profile: Vec<(f64, f64)> = flow.iter().map(|(s, q)| (*s as f64, *q)).collect();
    common::run(&mut engine, &common::pulses(&profile, cfg.resolution_ul, 0.0, SECOND), 0)
}

/// What goes wrong in a home that was learned.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// A leak at three in the morning, less than the shower takes, m³/h.
    AtNight(f64),
    /// A leak of 20 L/h, for days.
    Small,
    /// The evening's burner stays on, m³/h.
    Burner,
}

impl Wrong {
    const fn kind(self) -> Kind {
        match self {
            Self::AtNight(_) => Kind::UnusualHour,
            Self::Small => Kind::BaseFlow,
            Self::Burner => Kind::LongUse,
        }
    }

    /// What is decided may come so much later or earlier than from the pulses, s.
    const fn slack_s(self) -> u64 {
        match self {
            // Two readings at the flow's begin and end, and a litre.
            Self::AtNight(_) => 180,
            // A gap is seen to a minute and proves less: one half day more, which begins every six hours.
            Self::Small => 18 * 3600 + 180,
            // For how long a flame is on is known to a reading at each end, and 1.45 times the longest is as vague.
            Self::Burner => 600,
        }
    }
}

const DAY_S: u64 = 86_400;
const BURNER: f64 = 0.3;

/// `days` days of a home from midnight on, with a shower at seven and a supper at six, and then what goes wrong.
fn home(days: u64, begin_s: u64, longer_s: u64, wrong: Wrong) -> Flow {
    let mut flow = Flow::new();
    let day = |flow: &mut Flow, i: u64, leak: f64| {
        let shower_s = 480 + i * longer_s % 300;
        let supper_s = 2400 + i * longer_s % 900;
        let (shower_at, supper_at) = (7 * 3600 + begin_s, 18 * 3600 + begin_s);
        flow.extend([
            (shower_at, leak),
            (shower_s, 1.5 + leak),
            (supper_at - shower_at - shower_s, leak),
            (supper_s, BURNER + leak),
            (DAY_S - supper_at - supper_s, leak),
        ]);
    };
    // The clock of the register begins at this second of the day, and so does the first day.
    let midnight_s = DAY_S - (CIVIL as u64 / SECOND + 1) % DAY_S;
    flow.push((midnight_s, 0.0));
    (0..days).for_each(|i| day(&mut flow, i, 0.0));
    match wrong {
        Wrong::AtNight(leak) => flow.extend([(3 * 3600 + begin_s, 0.0), (3 * 3600, leak)]),
        Wrong::Small => (0..4).for_each(|i| day(&mut flow, i, 0.02)),
        Wrong::Burner => flow.extend([(18 * 3600, 0.0), (12 * 3600, BURNER)]),
    }
    flow
}

proptest! {
    #![proptest_config(cases(200))]

    /// The same flow, read twice as often, with every second reading missing, or as pulses: what is found is of the
    /// same kind. It began within one interval and two quanta of where it did (the readings on both sides of the
    /// onset are each short by up to one), and is decided within two intervals: the first may hold the onset, and its mean is too low then.
    #[test]
    fn how_often_it_is_read_changes_no_verdict_beyond_the_interval(
        before in usual(), hose in 7.5f64..14.0, every in prop::sample::select(vec![60u64, 300, 900]),
        resolution in prop::sample::select(vec![L, 10 * L]), phase in 0u64..900,
    ) {
        let mut flow = before;
        flow.push((600 + phase, 0.3));
        let onset_ns = end_ns(&flow);
        flow.push((4 * every, hose));
        let cfg = config(resolution, every * SECOND, Profile::Published);
        let fine = ReadingsConfig { every_ns: cfg.every_ns / 2, ..cfg };
        let whole = play(cfg, &flow, &times(&flow, cfg.every_ns, |_| true), 0).1;
        let split = play(cfg, &flow, &times(&flow, fine.every_ns, |_| true), 0).1;
        let merged = play(fine, &flow, &times(&flow, fine.every_ns, |i| i % 2 == 0), 0).1;
        let pulses = as_pulses(&cfg, &flow);
        let quantum_ns = (cfg.quantum_ul() as f64 / hose * 3600.0) as u64;
        let near_ns = cfg.every_ns + 2 * quantum_ns;
        for said in [&whole, &split, &merged, &pulses] {
            let critical: Vec<Kind> = common::critical(said).iter().map(|v| v.kind).collect();
            prop_assert_eq!(critical.first(), Some(&Kind::Surge), "{:?}", said);
            let surge = common::critical(said)[0];
            prop_assert!(surge.t_ns.abs_diff(onset_ns) <= near_ns, "{surge:?} {onset_ns}");
            prop_assert!(surge.decided_ns - onset_ns <= 2 * cfg.every_ns + SECOND + 4 * quantum_ns, "{surge:?} {onset_ns}");
        }
    }
}

proptest! {
    #![proptest_config(cases(6))]

    /// What is learned of a home and found in it is the same each minute, each half minute, each half minute with
    /// every second one missing, and pulse by pulse.
    #[test]
    fn how_often_it_is_read_changes_nothing_that_is_learned(
        // A leak that flows as the shower does may be one at night.
        wrong in prop_oneof![(0.4f64..1.2).prop_map(Wrong::AtNight), Just(Wrong::Small), Just(Wrong::Burner)],
        begin_s in 0u64..1800, longer_s in 1u64..900,
    ) {
        let flow = home(40, begin_s, longer_s, wrong);
        let cfg = config(L, 60 * SECOND, Profile::EuG4);
        let fine = ReadingsConfig { every_ns: cfg.every_ns / 2, ..cfg };
        let pulses = as_pulses(&cfg, &flow);
        // A small leak may be told by the hours, too, before its first night is over or after.
        let told = |said: &[Verdict]| said.iter().find(|v| v.kind == wrong.kind()).map(|v| v.decided_ns);
        let by_pulses = told(&pulses);
        prop_assert!(by_pulses.is_some(), "{:?}", pulses);
        for said in [
            play(cfg, &flow, &times(&flow, cfg.every_ns, |_| true), 0).1,
            play(fine, &flow, &times(&flow, fine.every_ns, |_| true), 0).1,
            play(fine, &flow, &times(&flow, fine.every_ns, |i| i % 2 == 0), 0).1,
        ] {
            let (Some(a), Some(b)) = (told(&said), by_pulses) else {
                return Err(TestCaseError::fail(format!("{said:?}")));
            };
            let apart_s = a.abs_diff(b) / SECOND;
            prop_assert!(apart_s <= wrong.slack_s(), "{apart_s} s: {said:?} {pulses:?}");
        }
    }
}
