// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every generated stream keeps to, whatever its seed.

use std::sync::Arc;

use gasd_eval::household::Household;
use gasd_eval::household::calendar::{DAY_NS, HOUR_NS};
use gasd_eval::household::flow::Flow;
use gasd_eval::household::meter::{Meter, Pulses};
use gasd_eval::leak::fault::{Fault, Faulty};
use gasd_eval::leak::{Leak, Shape};
use proptest::prelude::*;

fn all<F: Flow>(mut pulses: Pulses<F>, until: u64) -> Vec<u64> {
    std::iter::from_fn(|| pulses.next_before(until)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_same_seed_makes_the_same_pulses_in_order(seed in any::<u64>()) {
        let until = 20 * DAY_NS;
        let pulses = all(Arc::new(Household::new(seed)).pulses(), until);
        prop_assert_eq!(&pulses, &all(Arc::new(Household::new(seed)).pulses(), until));
        prop_assert!(pulses.is_sorted());
        prop_assert!(pulses.last().is_none_or(|t| *t < until));
    }

    #[test]
    fn a_range_is_its_parts(seed in any::<u64>(), cut in 0..10 * DAY_NS, more in 0..3 * DAY_NS) {
        let home = Arc::new(Household::new(seed));
        let whole: Vec<u64> = home.pulses_between(0, cut + more).collect();
        let mut parts: Vec<u64> = home.pulses_between(0, cut).collect();
        prop_assert!(parts.iter().all(|t| *t < cut));
        parts.extend(home.pulses_between(cut, cut + more));
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn a_meter_without_flaws_counts_all_that_flows(
        seed in any::<u64>(), v in prop::sample::select(vec![10.0, 1.0, 0.1]), days in 1..12u32,
    ) {
        let home = Arc::new(Household::new(seed));
        let counted = all(Pulses::new(home.flow(), Meter::ideal(v, 6.0)), home.calendar().start_ns(days));
        let litres: f64 = (0..days).map(|d| home.day_l(d)).sum();
        prop_assert!((counted.len() as f64 * v - litres).abs() <= v * 1.001, "{} for {litres}", counted.len() as f64 * v);
    }

    #[test]
    fn a_flawed_meter_is_off_by_its_flaws(seed in any::<u64>()) {
        let home = Arc::new(Household::with_meters(seed, [0.0, 1.0, 0.0]));
        let counted = all(home.pulses(), home.calendar().start_ns(30)).len() as f64;
        let litres: f64 = (0..30).map(|d| home.day_l(d)).sum();
        // 1e-4 lost or doubled, some strays, a pulse at each end.
        prop_assert!((counted - litres).abs() <= 8.0 + 3e-4 * litres, "{counted} for {litres}");
    }

    #[test]
    fn nothing_leaks_before_its_moment(seed in any::<u64>(), start in DAY_NS..5 * DAY_NS, q in 0.02f64..6.0) {
        let home = Arc::new(Household::new(seed));
        let sound = all(home.pulses(), 6 * DAY_NS);
        let mut pulses = home.pulses();
        let mut leaking: Vec<u64> = std::iter::from_fn(|| pulses.next_before(start)).collect();
        let before = leaking.len();
        pulses.inject(Leak::new(start, q, Shape::Constant));
        leaking.extend(std::iter::from_fn(|| pulses.next_before(6 * DAY_NS)));
        prop_assert_eq!(&sound[..before], &leaking[..before]);
        prop_assert!(sound.get(before).is_none_or(|t| *t >= start));
        prop_assert!(leaking.is_sorted());
        let added = (leaking.len() - sound.len()) as f64 * home.meter().pulse_l;
        let released = Leak::new(start, q, Shape::Constant).released_l(6 * DAY_NS);
        prop_assert!((added - released).abs() <= 2.5 * home.meter().pulse_l + 1e-3 * released);
    }

    #[test]
    fn a_day_is_within_itself_and_its_appliances_within_what_they_can_take(seed in any::<u64>(), day in 0..800u32) {
        let home = Household::new(seed);
        let (start, end) = (home.calendar().start_ns(day), home.calendar().start_ns(day + 1));
        let segments = home.day(day);
        for s in &segments {
            prop_assert!(start <= s.start_ns && s.start_ns < s.end_ns && s.end_ns <= end);
            let appliance = home.appliances()[usize::from(s.appliance)];
            prop_assert!(s.ul_per_h as f64 <= appliance.max_m3_per_h * 1e9 && appliance.present(day));
        }
        for pair in segments.windows(2) {
            let follows = pair[0].appliance != pair[1].appliance || pair[0].end_ns <= pair[1].start_ns;
            prop_assert!(follows, "{pair:?}");
        }
    }

    #[test]
    fn a_burner_that_stays_on_is_not_lit_again(seed in any::<u64>(), burner in 0..4u8) {
        let home = Arc::new(Household::new(seed));
        let uses = home.uses(burner, 2, 8);
        prop_assume!(!uses.is_empty());
        let stays = uses[uses.len() / 2];
        let mut flow = home.flow();
        while flow.peek().t_ns < stays.end_ns {
            flow.advance();
        }
        flow.mute(burner, stays.end_ns);
        let mut litres = 0.0;
        let mut now = flow.peek();
        while now.t_ns < home.calendar().start_ns(10) {
            flow.advance();
            litres += now.ul_per_h as f64 * (flow.peek().t_ns - now.t_ns) as f64 / HOUR_NS as f64;
            now = flow.peek();
        }
        let mut others = home.day(0);
        others.clear();
        others.extend((home.calendar().day_of(stays.end_ns)..10).flat_map(|d| home.day(d)));
        others.retain(|s| s.appliance != burner && s.end_ns > stays.end_ns);
        let mut want: f64 = others.iter().map(|s| {
            s.ul_per_h as f64 * (s.end_ns - s.start_ns.max(stays.end_ns)) as f64 / HOUR_NS as f64
        }).sum();
        want += home.pilots_m3_per_h() * 1e9 * (home.calendar().start_ns(10) - stays.end_ns) as f64 / HOUR_NS as f64;
        // The home's flow between the moment and its next step is not in the sum, nor is an exchange.
        prop_assert!((litres - want).abs() < 0.25 * want + 5e8, "{litres} for {want}");
    }

    #[test]
    fn faults_keep_order_and_end(seed in any::<u64>(), extra in 1..5u32) {
        let home = Arc::new(Household::new(seed));
        let (from, to, end) = (2 * DAY_NS, 3 * DAY_NS, 4 * DAY_NS);
        let sound: Vec<u64> = home.pulses_between(0, end).collect();
        let hit = sound.iter().filter(|t| (from..to).contains(*t)).count();
        for (fault, least, most) in [
            (Fault::Silent, 0, 0),
            (Fault::Bouncing { extra }, hit, hit * (1 + extra as usize)),
            (Fault::Impossible { every_ns: DAY_NS / 1000 }, hit + 1000, hit + 1000),
        ] {
            let mut faulty = Faulty::new(home.pulses(), fault, from, to);
            let pulses: Vec<u64> = std::iter::from_fn(|| faulty.next_before(end)).collect();
            prop_assert!(pulses.is_sorted());
            let within = pulses.iter().filter(|t| (from..to).contains(*t)).count();
            prop_assert!((least..=most).contains(&within), "{fault:?}: {within} of {hit}");
            let outside = |t: &&u64| !(from..to).contains(*t);
            let both = (pulses.iter().filter(outside).count(), sound.iter().filter(outside).count());
            prop_assert!(both.0 == both.1 || matches!(fault, Fault::Bouncing { .. }), "{both:?}");
        }
    }
}
