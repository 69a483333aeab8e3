// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter that tells by itself tells late what it could not tell: it counts, and is no flow of now. But a flow of now that
//! it tells of quickly is found.

mod common;

use common::{SECOND, cases, register::*};
use gasd_detect::{Input, Profile, Readings, ReadingsConfig, Severity, Taken, Verdict};
use proptest::prelude::*;

const MINUTE: u64 = 60 * SECOND;

fn telling(every_ns: u64) -> ReadingsConfig {
    ReadingsConfig { tells_late: true, ..config(L, every_ns, Profile::EuG4) }
}

/// Readings of a register, by when they come and what they add, L.
struct Meter {
    front: Readings,
    at_ns: u64,
    litres: u64,
    said: Vec<Verdict>,
}

impl Meter {
    /// Read each hour for `hours`, with 20 L each.
    fn hourly(hours: u64) -> Self {
        let front = readings(telling(HOUR));
        let mut meter = Self { front, at_ns: SECOND, litres: 100_000, said: Vec::new() };
        meter.tells(0, 0);
        (0..hours).for_each(|_| _ = meter.tells(HOUR, 20));
        meter
    }

    fn tells(&mut self, later_ns: u64, more: u64) -> Taken {
        self.at_ns += later_ns;
        self.litres += more;
        let (taken, said) = read(&mut self.front, self.litres * L, self.at_ns);
        self.said.extend(said);
        taken
    }

    fn is_critical(&self) -> bool {
        self.said.iter().any(|verdict| verdict.severity == Severity::Critical)
    }
}

#[test]
fn what_was_stored_counts_and_is_no_flow() {
    for (hours, each) in [(0, 20), (30, 20), (30, 2_500)] {
        for apart_ns in [SECOND, 4 * SECOND, MINUTE] {
            let mut meter = Meter::hourly(hours);
            if hours > 0 {
                meter.tells(24 * HOUR + HOUR * 2 / 5, each);
            }
            (0..23).for_each(|_| _ = meter.tells(apart_ns, each));
            // The next one is of the hour after the last that was stored.
            for later in [HOUR / 5, HOUR, HOUR, HOUR] {
                meter.tells(later, each);
            }
            assert!(meter.said.is_empty(), "{hours} {each} {apart_ns}: {:?}", meter.said);
            assert_eq!(accounted(&meter.front), (meter.litres - 100_000) * L);
        }
    }
}

/// The last that was stored may be nearly an hour old.
#[test]
fn the_first_one_in_time_is_judged_by_the_longest_that_it_can_have_taken() {
    let mut meter = Meter::hourly(30);
    meter.tells(3 * HOUR - MINUTE, 2_500);
    meter.tells(4 * SECOND, 2_500);
    meter.tells(MINUTE, 2_500);
    (0..3).for_each(|_| _ = meter.tells(HOUR, 2_500));
    assert!(meter.said.is_empty(), "{:?}", meter.said);
}

#[test]
fn what_passed_before_the_valve_closed_did_not_pass_a_closed_valve() {
    let mut meter = Meter::hourly(30);
    let closed_ns = meter.at_ns + 5 * HOUR;
    meter.front.input(Input::Valve(false), closed_ns);
    meter.tells(6 * HOUR, 20);
    (0..4).for_each(|_| _ = meter.tells(4 * SECOND, 20));
    (0..3).for_each(|_| _ = meter.tells(HOUR, 0));
    assert!(meter.said.is_empty(), "{:?}", meter.said);
    // But this did.
    (0..3).for_each(|_| _ = meter.tells(HOUR, 20));
    assert!(meter.is_critical());
}

/// 9 m³/h, told each minute by a meter that knows it, whatever was before: found after as many readings as the silence can
/// have had and two that say it, and within the hour.
#[test]
fn a_hose_that_is_told_of_quickly_is_found() {
    for (silent_ns, soon) in
        [(HOUR / 2, 3), (HOUR, 3), (HOUR + MINUTE, 3), (2 * HOUR, 5), (5 * HOUR, 8), (500 * HOUR, 63)]
    {
        let mut meter = Meter::hourly(48);
        meter.tells(silent_ns, 20);
        let took = (1..200).find(|_| {
            meter.tells(MINUTE, 150);
            meter.is_critical()
        });
        assert!(took.is_some_and(|took| took <= soon), "{silent_ns}: {took:?}");
    }
    // Nor does a restart hide it for longer than an hour.
    let mut meter = Meter::hourly(48);
    meter.front = Readings::restore(*meter.front.config(), &meter.front.save()).unwrap();
    let took = (1..200).find(|_| {
        meter.tells(MINUTE, 150);
        meter.is_critical()
    });
    assert!(took.is_some_and(|took| took <= 63), "{took:?}");
}

/// A register that is asked is judged as it always was.
#[test]
fn what_is_asked_is_of_now() {
    let mut front = readings(config(L, HOUR, Profile::EuG4));
    for n in 0..3 {
        read(&mut front, 1_000 * L, SECOND + n * HOUR);
    }
    let at_ns = SECOND + 20 * HOUR;
    let said: Vec<Verdict> =
        (0..4).flat_map(|n| read(&mut front, (1_000 + 150 * n) * L, at_ns + n * MINUTE).1).collect();
    assert!(said.iter().any(|verdict| verdict.severity == Severity::Critical));
}

proptest! {
    #![proptest_config(cases(200))]

    /// However the readings of a usual home are kept back, and whenever they come: no valve closes, and all is counted.
    #[test]
    fn no_reading_that_comes_late_closes_a_valve(
        flow in usual(),
        outages in prop::collection::vec((2u64..30, 1u64..10, 0u64..60), 1..4),
    ) {
        let mut front = readings(telling(600 * SECOND));
        let times = times(&flow, 600 * SECOND, |_| true);
        let (mut now_ns, mut said, mut at) = (0, Vec::new(), 0);
        let mut outages = outages.into_iter();
        while at < times.len() {
            let (quiet, held, recovers_s) = outages.next().unwrap_or((u64::MAX, 0, 0));
            for t_ns in times.iter().skip(at).take(quiet.min(1_000) as usize) {
                now_ns = now_ns.max(*t_ns);
                said.extend(read(&mut front, passed_ul(&flow, *t_ns) / L * L, now_ns).1);
                now_ns += SECOND;
                at += 1;
            }
            let stored = times.get(at..(at + held as usize).min(times.len())).unwrap_or_default();
            now_ns = stored.last().map_or(now_ns, |last| last + recovers_s * SECOND);
            for t_ns in stored {
                said.extend(read(&mut front, passed_ul(&flow, *t_ns) / L * L, now_ns).1);
                now_ns += 3 * SECOND;
                at += 1;
            }
        }
        prop_assert!(said.iter().all(|v| v.severity != Severity::Critical), "{said:?}");
        if let Some(last) = times.last() {
            prop_assert_eq!(accounted(&front), passed_ul(&flow, *last) / L * L);
        }
    }
}
