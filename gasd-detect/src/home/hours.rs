// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hours of the day: when the home hardly ever uses gas, and how much it takes then to be told.
//!
//! An hour is *quiet* when no more than one day in about a year had a large use in it. Its memory is
//! a year long on purpose: the first frosty morning of the second autumn is no news. It is quiet in the *season*,
//! too, when it was used on a few days of the year only and on none for two or three months. A use in a quiet hour
//! is told once its volume, beyond the base flow, is more than a person at the stove would burn.

use crate::units::{SECOND_NS, volume_ul};

const HOUR_S: u64 = 3600;
/// So much in an hour makes it a used one, µL: a pot of water takes 10 to 20 L.
const USED_UL: f64 = 30e6;
/// So much in one use in quiet hours is told, µL: two pulses of 10 L before 150 L. Of sound homes' uses in
/// quiet hours three in ten end between 100 L and here.
pub(crate) const TELL_UL: f64 = 135e6;
/// Days that are learned before an hour can be quiet.
pub(crate) const LEARN_DAYS: f32 = 28.0;
/// What a day weighs a year later is about a half.
const FORGET: f32 = 0.998;
/// Large uses in the year's memory of an hour, and of the hours beside it, up to which it is quiet; of these
/// the share of so many days while fewer are known.
const QUIET: f32 = 0.9;
const BESIDE: f32 = 6.0;
const BESIDE_DAYS: f32 = 180.0;
/// The season: what a day weighs three weeks later is a half.
const SEASON_FORGET: f32 = 0.97;
/// Days that are learned before a season is told from the year.
const SEASON_DAYS: f32 = 90.0;
/// Large uses in the season's memory of an hour (one falls below this within 53 days, four within 99), and of the
/// hours beside it, up to which it is quiet, with no more than so many in the year's.
const SEASON_QUIET: f32 = 0.2;
const SEASON_BESIDE: f32 = 1.5;
const SEASON_YEAR: f32 = 8.0;
/// After one was told none is for so long, ns: the first frosty nights, guests and fevers last some days, and a leak
/// does not end.
const CALM_NS: u64 = 3 * 86_400 * SECOND_NS;
/// A use ends after so long without gas, ns.
const REST_NS: u64 = 600 * SECOND_NS;

/// The hours of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Hours {
    /// Days with a large use in each hour, forgotten slowly.
    pub used: [f32; 24],
    /// The same, forgotten within a season.
    pub season: [f32; 24],
    /// Days seen.
    pub days: f32,
    /// The civil hour under way, in hours since the epoch; 0 before the first.
    pub hour: u64,
    /// What passed in it, µL.
    pub passed_ul: f32,
    /// What passed in the use under way while the hour was quiet, µL.
    pub run_ul: f32,
    /// When that use began, and when it was last seen, ns.
    pub run_since_ns: u64,
    /// See `run_since_ns`.
    pub run_seen_ns: u64,
    /// It was told.
    pub said: bool,
    /// One was told last, ns; 0 before the first.
    pub told_ns: u64,
}

/// A use in a quiet hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Unusual {
    /// Volume beyond the base flow, µL.
    pub volume_ul: f32,
    /// Since when, ns.
    pub since_ns: u64,
    /// Hour of the day.
    pub hour: u8,
}

impl Hours {
    /// Time has come to civil second `civil_s`, and was watched for `watched_ns`: of hours that a clock leapt over
    /// nobody knows whether they were quiet, so no day is credited for them.
    pub fn advance(&mut self, civil_s: u64, watched_ns: u64) {
        let hour = civil_s / HOUR_S;
        if hour == self.hour {
            return;
        }
        let whole = self.hour != 0 && hour == self.hour + 1;
        if whole || (self.hour != 0 && hour > self.hour) {
            let of_day = (self.hour % 24) as usize;
            // An hour that raised an alarm is used, too: the next one is told only if it is rare enough.
            if f64::from(self.passed_ul) >= USED_UL {
                self.used[of_day] += 1.0;
                self.season[of_day] += 1.0;
            }
            // The hour under way is a part of one.
            let watched = watched_ns / (HOUR_S * SECOND_NS) + 1;
            let passed = (hour - self.hour).min(watched).min(48);
            for h in 0..passed {
                if (self.hour + h + 1).is_multiple_of(24) {
                    self.days = self.days * FORGET + 1.0;
                    self.used.iter_mut().for_each(|used| *used *= FORGET);
                    self.season.iter_mut().for_each(|used| *used *= SEASON_FORGET);
                }
            }
        }
        self.hour = hour;
        self.passed_ul = 0.0;
    }

    /// Whether the home hardly ever uses gas at this hour of the day, by the year or by the season.
    pub fn is_quiet(&self, of_day: usize) -> bool {
        let at = of_day % 24;
        let beside = |used: &[f32; 24]| used[(at + 23) % 24] + used[(at + 1) % 24];
        let beside_most = BESIDE * (self.days / BESIDE_DAYS).min(1.0);
        let year = self.used[at] < QUIET && beside(&self.used) < beside_most;
        let season = self.season[at] < SEASON_QUIET && beside(&self.season) < SEASON_BESIDE;
        (self.days >= LEARN_DAYS && year)
            || (self.days >= SEASON_DAYS && season && self.used[at] < SEASON_YEAR)
    }

    /// `more_ul` passed from `from_ns` to `to_ns`, with a base flow of `base` m³/h; `tell_ul` is told.
    pub fn volume(
        &mut self,
        more_ul: u64,
        (from_ns, to_ns): (u64, u64),
        base: f32,
        tell_ul: f64,
    ) -> Option<Unusual> {
        let own =
            (more_ul as f64 - volume_ul(f64::from(base), to_ns.saturating_sub(from_ns))).max(0.0) as f32;
        self.passed_ul += own;
        if from_ns.saturating_sub(self.run_seen_ns) > REST_NS {
            self.run_ul = 0.0;
            self.run_since_ns = from_ns;
            self.said = false;
        }
        self.run_seen_ns = to_ns;
        let of_day = (self.hour % 24) as usize;
        // While the clock is not set no hour is known, and midnight would stand for all of them.
        if self.hour == 0 || !self.is_quiet(of_day) {
            self.run_ul = 0.0;
            self.run_since_ns = to_ns;
            return None;
        }
        self.run_ul += own;
        if self.said || f64::from(self.run_ul) < tell_ul {
            return None;
        }
        self.said = true;
        let before_ns = core::mem::replace(&mut self.told_ns, to_ns);
        if before_ns != 0 && to_ns.saturating_sub(before_ns) < CALM_NS {
            return None;
        }
        Some(Unusual { volume_ul: self.run_ul, since_ns: self.run_since_ns, hour: of_day as u8 })
    }
}

crate::state::state!(Hours {
    used,
    season,
    days,
    hour,
    passed_ul,
    run_ul,
    run_since_ns,
    run_seen_ns,
    said,
    told_ns
});

impl Hours {
    /// All times are later by `by_ns`.
    pub fn shift(&mut self, by_ns: i64) {
        self.run_since_ns = self.run_since_ns.saturating_add_signed(by_ns);
        self.run_seen_ns = self.run_seen_ns.saturating_add_signed(by_ns);
        self.told_ns = self.told_ns.saturating_add_signed(by_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses of 200 L at 18:00 each day; then something at 3:00.
    fn learned() -> (Hours, u64) {
        let mut hours = Hours::default();
        for hour in 24..24 * 60u64 {
            hours.advance(hour * HOUR_S, HOUR_S * SECOND_NS);
            if hour % 24 == 18 {
                let t = hour * HOUR_S * SECOND_NS;
                assert_eq!(hours.volume(200_000_000, (t, t + 1200 * SECOND_NS), 0.0, TELL_UL), None);
            }
        }
        (hours, 24 * 60)
    }

    fn at_three(hours: &mut Hours, day: u64, litres: u64) -> Option<Unusual> {
        for hour in day..day + 4 {
            hours.advance(hour * HOUR_S, HOUR_S * SECOND_NS);
        }
        let t = (day + 3) * HOUR_S * SECOND_NS;
        (0..litres / 10).find_map(|i| {
            hours.volume(10_000_000, (t + i * 60 * SECOND_NS, t + (i + 1) * 60 * SECOND_NS), 0.0, TELL_UL)
        })
    }

    #[test]
    fn a_leak_at_three_is_told_and_tea_is_not() {
        let (mut hours, day) = learned();
        assert!(hours.is_quiet(3) && !hours.is_quiet(18) && !hours.is_quiet(17));
        assert_eq!(at_three(&mut hours, day, 40), None);
        let (mut hours, day) = learned();
        let found = at_three(&mut hours, day, 160).unwrap();
        assert_eq!((found.hour, found.volume_ul), (3, 140e6));
    }

    #[test]
    fn after_one_the_hour_is_quiet_no_more_for_a_while() {
        let (mut hours, day) = learned();
        assert!(at_three(&mut hours, day, 160).is_some());
        hours.advance((day + 5) * HOUR_S, HOUR_S * SECOND_NS);
        assert!(!hours.is_quiet(3));
    }

    /// Days with the evening's use, and one in the morning while it is cold.
    fn mornings(hours: &mut Hours, from: u64, days: u64, cold: bool) -> u64 {
        for hour in from..from + 24 * days {
            hours.advance(hour * HOUR_S, HOUR_S * SECOND_NS);
            let litres = match hour % 24 {
                18 => 200,
                5 if cold => 50,
                _ => continue,
            };
            let t = hour * HOUR_S * SECOND_NS;
            hours.volume(litres * 1_000_000, (t, t + 1200 * SECOND_NS), 0.0, TELL_UL);
        }
        from + 24 * days
    }

    #[test]
    fn a_winters_hour_is_quiet_again_a_season_later_and_a_habits_is_not() {
        let (mut hours, from) = learned();
        let from = mornings(&mut hours, from, 4, true);
        let from = mornings(&mut hours, from, 30, false);
        assert!(!hours.is_quiet(5), "a month later");
        let from = mornings(&mut hours, from, 80, false);
        assert!(hours.is_quiet(5), "a season later");
        let from = mornings(&mut hours, from, 20, true);
        mornings(&mut hours, from, 100, false);
        assert!(!hours.is_quiet(5) && !hours.is_quiet(18), "it has been used on many days");
    }

    #[test]
    fn a_pilot_flame_is_not_a_use() {
        let (mut hours, day) = learned();
        for hour in day..day + 8 {
            hours.advance(hour * HOUR_S, HOUR_S * SECOND_NS);
            for i in 0..4 {
                let t = (hour * HOUR_S + i * 900) * SECOND_NS;
                assert_eq!(hours.volume(10_000_000, (t, t + 900 * SECOND_NS), 0.04, TELL_UL), None);
            }
        }
    }
}
