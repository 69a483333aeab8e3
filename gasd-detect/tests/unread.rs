// SPDX-License-Identifier: MIT OR Apache-2.0
//! A register that is read each hour, and sometimes not for hours or weeks: what nobody saw is held against nobody. The days
//! are like those of recorded homes at which an earlier engine cried.

mod common;

use common::{SECOND, register::*};
use gasd_detect::{Kind, Profile, Readings, Severity, Verdict};

const HOUR: u64 = 3600 * SECOND;
const L: u64 = 1_000_000;

/// A register of 10 L and the home behind it.
struct Home {
    readings: Readings,
    passed_ul: u64,
    hour: u64,
    said: Vec<Verdict>,
}

impl Home {
    /// Litres of each hour of the day.
    fn after(days: u64, litres: impl Fn(u64, u64) -> u64) -> Self {
        let mut readings = readings(config(10 * L, HOUR, Profile::EuG4));
        // A Thursday's midnight.
        readings.set_civil_offset(0);
        let mut home = Self { readings, passed_ul: 0, hour: 24, said: Vec::new() };
        home.read();
        home.days(days, litres);
        assert_eq!(home.said, [], "of these days nothing is told");
        home
    }

    fn read(&mut self) {
        let register_ul = self.passed_ul / (10 * L) * 10 * L;
        let (_, said) = read(&mut self.readings, register_ul, self.hour * HOUR);
        self.said.extend(said.into_iter().filter(|verdict| verdict.severity >= Severity::Warning));
    }

    /// An hour in which so much passes, which is read at its end.
    fn hour(&mut self, litres: u64) {
        self.unread(1, litres);
        self.read();
    }

    fn unread(&mut self, hours: u64, litres: u64) {
        self.passed_ul += litres * L;
        self.hour += hours;
    }

    fn days(&mut self, days: u64, litres: impl Fn(u64, u64) -> u64) {
        for day in 0..days {
            (0..24).for_each(|hour| self.hour(litres(day, hour)));
        }
    }
}

/// Cooking and a bath, and each third day nobody is at home.
const fn usual(day: u64, hour: u64) -> u64 {
    match hour {
        _ if day % 3 == 2 => 0,
        7 => 150,
        12 => 60,
        19 => 220,
        _ => 0,
    }
}

#[test]
fn weeks_without_a_reading_are_no_weeks_without_a_rest_and_the_hours_are_learned_anew() {
    let mut home = Home::after(60, usual);
    home.unread(24 * 24, 9_000);
    home.read();
    // In winter it is heated late.
    home.days(10, |day, hour| if hour == 23 { 300 + 10 * day } else { usual(day, hour) });
    assert_eq!(home.said, []);
    // An hour that is quiet is one again after some weeks.
    home.days(60, usual);
    home.days(1, |day, hour| if hour == 3 { 300 } else { usual(day, hour) });
    assert!(matches!(&home.said[..], [one] if one.kind == Kind::UnusualHour), "{:?}", home.said);
}

#[test]
fn a_rest_after_readings_were_lost_is_one() {
    let mut home = Home::after(60, usual);
    (0..14).for_each(|hour| home.hour(usual(0, hour)));
    home.unread(10, 60);
    home.read();
    for litres in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 85, 28] {
        home.hour(litres);
    }
    home.days(3, |day, hour| usual(day, (hour + 12) % 24));
    assert_eq!(home.said, []);
}

#[test]
fn what_passed_while_nobody_read_is_no_use_that_lasts() {
    let mut home = Home::after(60, |day, hour| if hour == 17 { 2_500 } else { usual(day, hour) });
    (0..16).for_each(|hour| home.hour(usual(0, hour)));
    home.hour(113);
    home.hour(3_527);
    home.unread(3, 2_116);
    home.read();
    home.hour(0);
    assert_eq!(home.said, []);
}

/// Heated by day, with a rest at noon on two days of three.
const fn heated(day: u64, hour: u64) -> u64 {
    match hour {
        11..=13 if day % 3 != 1 => 0,
        6..=22 => 260 + 10 * ((day + hour) % 7),
        _ => 0,
    }
}

#[test]
fn a_frosty_day_is_held_against_heated_days_and_a_leak_is_found_beside_them() {
    let mut home = Home::after(60, |day, hour| if day % 2 == 0 { heated(day, hour) } else { 0 });
    home.days(1, |day, hour| if (6..=22).contains(&hour) { 300 } else { heated(day, hour) });
    home.days(2, heated);
    assert_eq!(home.said, []);
    home.days(3, |day, hour| heated(day, hour) + 20);
    let leaks = |verdict: &Verdict| matches!(verdict.kind, Kind::BaseFlow | Kind::NeverZero);
    assert!(home.said.iter().any(leaks), "{:?}", home.said);
}
