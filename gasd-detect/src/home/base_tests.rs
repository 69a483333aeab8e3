// SPDX-License-Identifier: MIT OR Apache-2.0
//! Longest gaps of half days.

use super::*;

/// Days with pulses of 1 L every `gap_s` at night and every 20 s by day.
fn days(base: &mut Base, from_day: u64, n: u64, night_gap_s: u64) -> Option<(u64, Rise)> {
    let mut found = None;
    for day in from_day..from_day + n {
        let mut s = day * DAY_S;
        while s < (day + 1) * DAY_S {
            let hour = s % DAY_S / 3600;
            s += if hour < 6 { night_gap_s } else { 20 };
            let rise = base.pulse(s * SECOND_NS, s, Grain { pulse_ul: 1_000_000, poll_ns: 0, blur_ns: 0 });
            if let Some(rise) = rise.filter(|r| r.process > 365.0 * 86_400.0) {
                found = found.or(Some((day, rise)));
            }
        }
    }
    found
}

#[test]
fn twenty_litres_an_hour_are_found_within_two_days_where_nights_are_still() {
    let mut base = Base::default();
    assert_eq!(days(&mut base, 100, 200, 5 * 3600), None);
    assert!(base.learned());
    let (day, rise) = days(&mut base, 300, 3, 180).unwrap();
    assert!(day <= 301, "{day}");
    assert!((0.0199..0.021).contains(&rise.now) && rise.rests && rise.days <= 2, "{rise:?}");
}

#[test]
fn a_pilot_flame_is_no_leak_and_one_beside_it_is_found_within_days() {
    let mut base = Base::default();
    assert_eq!(days(&mut base, 100, 400, 90), None);
    let (day, _) = days(&mut base, 500, 10, 60).unwrap();
    assert!(day <= 502, "{day}");
}

#[test]
fn a_leak_that_grows_by_a_hundredth_a_day_is_not_absorbed() {
    let mut base = Base::default();
    days(&mut base, 100, 60, 90);
    let mut found = None;
    for day in 0..100 {
        let gap = (90.0 / 1.01f64.powi(day)).max(20.0) as u64;
        found = found.or(days(&mut base, 160 + day as u64, 1, gap));
    }
    assert!(found.is_some_and(|(day, _)| day < 240), "{found:?}");
}

#[test]
fn means_of_a_heated_day_are_no_base_flow() {
    // 460 L an hour, hour by hour: a boiler that rests twice an hour, or a modulating one.
    let block = Block { pulses: 46 * 12, ..Block::default() };
    let grain = |blur_ns| Grain { pulse_ul: 10_000_000, poll_ns: 0, blur_ns };
    assert_eq!(block.classes(78.0, grain(900 * SECOND_NS)), (0, 4));
    assert_eq!(block.classes(78.0, grain(0)), (0, 0));
    // A leak of 20 L/h adds nothing.
    let leak = Block { pulses: 24, ..Block::default() };
    assert_eq!(leak.classes(1800.0, grain(900 * SECOND_NS)), (0, 0));
}
