// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hours of the day: when the home hardly ever uses gas, and how much it takes then to be told.
//!
//! What a use proves is how seldom there was a large one in its hour, in the one before and in the one after, and any in
//! its hour, forgotten within a season, so that an hour of the winter is quiet again in spring; how seldom there was one in
//! its hour in a year; how seldom the home's large uses had such a flow ([`super::oddity`]): a shower's flow at three is
//! less of a leak than one that no appliance has; and for how long the gas rested before it. The shares are multiplied,
//! each to a power, since they have much to do with each other. A use whose product is small is told once its volume,
//! beyond the base flow, is more than a person at the stove would burn.

use super::oddity::{Oddity, REST_NS};
use crate::units::{SECOND_NS, volume_ul};

const HOUR_S: u64 = 3600;
/// So much in an hour makes it a used one, µL: a pot of water takes 10 to 20 L.
const USED_UL: f64 = 30e6;
/// So much in an hour is any use, µL: less than a pulse of 10 L.
const ANY_UL: f64 = 8e6;
/// So much in one use at a quiet hour is told, µL: two pulses of 10 L before 150 L. Of sound homes' uses in
/// quiet hours three in ten end between 100 L and here.
pub(crate) const TELL_UL: f64 = 135e6;
/// Days that are learned before an hour can be quiet.
pub(crate) const LEARN_DAYS: f32 = 28.0;
/// What a day weighs a year later is about a half.
const FORGET: f32 = 0.998;
/// The season: what a day weighs three weeks later is a half.
const SEASON_FORGET: f32 = 0.97;
/// An hour that was never used counts as if it had been so often, of a day more.
const LEAST: f32 = 0.1;
/// How much the logarithms of the shares of days weigh, with a large use in the hour, in the one before and in the one
/// after, with any in the hour, and with a large use in the hour of the year, and the sum below which a use is told: by
/// logistic regression on sound uses and leaks of generated homes, which are not those of docs/EVALUATION.md.
const OWN: f32 = 0.66;
const BEFORE: f32 = 0.43;
const AFTER: f32 = 0.4;
const ANY: f32 = 0.19;
const YEAR: f32 = 0.77;
pub(crate) const TOLD: f32 = -16.3;
/// Of readings so far apart that a use's flow and the rest before it are means of several uses less can be made. As many
/// false warnings as of pulses at the most: 0.47 to 0.73 a meter-year in 200 years of homes that are not those of
/// docs/EVALUATION.md, 0.76 to 0.92 of pulses.
pub(crate) const TOLD_MEANS: f32 = -18.1;
/// After so long unseen the home is used to other hours as far as anybody knows, ns: a summer's say nothing of the winter.
const ANOTHER_NS: u64 = 14 * 86_400 * SECOND_NS;
/// Then each hour counts as if it had been used on so many days of the season, so that a use in it proves little for some
/// weeks.
const ANOTHER_DAYS: f32 = 2.0;
/// An hour with a large use on more of the season's days is not quiet, whatever the flow.
const SELDOM: f32 = 0.1;
/// After one was told none is for so long, ns: what kept people up may do so the next night, too, and a leak does not end.
const CALM_NS: u64 = 36 * HOUR_S * SECOND_NS;

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
    /// What passed in the use under way, from where it counts, µL.
    pub run_ul: f32,
    /// From where it counts, and when gas was last seen, ns.
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
    pub fn advance(&mut self, civil_s: u64, watched_ns: u64, oddity: &mut Oddity) {
        let hour = civil_s / HOUR_S;
        if hour == self.hour {
            return;
        }
        let whole = self.hour != 0 && hour == self.hour + 1;
        if whole || (self.hour != 0 && hour > self.hour) {
            let of_day = (self.hour % 24) as usize;
            // An hour that raised an alarm is used, too: the next one is told only if it is rare enough.
            oddity.before = f64::from(self.passed_ul) >= USED_UL;
            if oddity.before {
                self.used[of_day] += 1.0;
                self.season[of_day] += 1.0;
            }
            if f64::from(self.passed_ul) >= ANY_UL {
                oddity.any[of_day] += 1.0;
            }
            // The hour under way is a part of one.
            let watched = watched_ns / (HOUR_S * SECOND_NS) + 1;
            let passed = (hour - self.hour).min(watched).min(48);
            for h in 0..passed {
                if (self.hour + h + 1).is_multiple_of(24) {
                    self.days = self.days * FORGET + 1.0;
                    self.used.iter_mut().for_each(|used| *used *= FORGET);
                    for used in self.season.iter_mut().chain(&mut oddity.any) {
                        *used *= SEASON_FORGET;
                    }
                    oddity.forget();
                }
            }
        }
        self.hour = hour;
        self.passed_ul = 0.0;
    }

    /// Nobody watched for so long: no hour of it was quiet or used, as far as anybody knows.
    pub fn unseen(&mut self, for_ns: u64, oddity: &mut Oddity) {
        (self.hour, self.passed_ul) = (0, 0.0);
        if for_ns >= ANOTHER_NS {
            for used in self.season.iter_mut().chain(&mut oddity.any) {
                *used = used.max(ANOTHER_DAYS);
            }
        }
    }

    /// Gas was seen at `at_ns` whose volume is not known: a use goes on, unless it had rested before.
    pub fn seen(&mut self, at_ns: u64) {
        if at_ns.saturating_sub(self.run_seen_ns) < REST_NS {
            self.run_seen_ns = self.run_seen_ns.max(at_ns);
        }
    }

    /// What a use that begins at this hour of the day proves, without its flow; 0 where that is nothing.
    /// `on`: of the uses in the hour before this one is one that goes on, and proves nothing for itself.
    /// `any`: days of the season with any use in it.
    pub fn odds(&self, of_day: usize, on: bool, any: f32) -> f32 {
        let used = |at: usize| self.season[at % 24];
        // As many days as the season's memory holds, and one.
        let days = (1.0 - SEASON_FORGET.powf(self.days)) / (1.0 - SEASON_FORGET) + 1.0;
        let part = |used: f32| (used + LEAST) / days;
        let own = part(used(of_day));
        if own > SELDOM || self.days < LEARN_DAYS {
            return 0.0;
        }
        let before = part((used(of_day + 23) - f32::from(u8::from(on))).max(0.0));
        let year = (self.used[of_day % 24] + LEAST) / (self.days + 1.0);
        OWN * own.ln()
            + BEFORE * before.ln()
            + AFTER * part(used(of_day + 1)).ln()
            + ANY * part(any).ln()
            + YEAR * year.ln()
    }

    /// `more_ul` passed from `from_ns` to `to_ns`, with a base flow of `base` m³/h; `tell_ul` is told of a use that proves
    /// less than `told`.
    pub fn volume(
        &mut self,
        more_ul: u64,
        (from_ns, to_ns): (u64, u64),
        base: f32,
        (tell_ul, told): (f64, f32),
        oddity: &mut Oddity,
    ) -> Option<Unusual> {
        let own =
            (more_ul as f64 - volume_ul(f64::from(base), to_ns.saturating_sub(from_ns))).max(0.0) as f32;
        self.passed_ul += own;
        let seen_ns = core::mem::replace(&mut self.run_seen_ns, to_ns);
        let rested = oddity.rested(own, base, (from_ns, to_ns), seen_ns);
        self.said &= !rested;
        if rested || self.hour != oddity.judged {
            oddity.judged = self.hour;
            let on = !rested && oddity.before;
            // While the clock is not set no hour is known, and midnight would stand for all of them.
            let of_day = (self.hour % 24) as usize;
            let odds = if self.hour == 0 { 0.0 } else { self.odds(of_day, on, oddity.any[of_day]) };
            // What goes on into a quieter hour counts from there, too, and in a used one it does not.
            if rested || odds < oddity.hour || odds >= 0.0 {
                let goes_on = !rested && odds < 0.0;
                oddity.begin(to_ns, own, odds, goes_on.then_some(self.run_ul));
                (self.run_ul, self.run_since_ns) = (0.0, from_ns);
            }
        }
        self.run_ul += own;
        oddity.passed(self.run_ul, tell_ul as f32, to_ns);
        if self.said {
            return None;
        }
        let here = f64::from(self.run_ul) >= tell_ul && oddity.odd(told);
        let run = here.then_some((self.run_ul, self.run_since_ns));
        let (volume_ul, since_ns) =
            run.or_else(|| oddity.odd_earlier(self.run_ul, tell_ul as f32, told, to_ns))?;
        self.said = true;
        let before_ns = core::mem::replace(&mut self.told_ns, to_ns);
        if before_ns != 0 && to_ns.saturating_sub(before_ns) < CALM_NS {
            return None;
        }
        let hour = (self.hour % 24) as u8;
        Some(Unusual { volume_ul, since_ns, hour })
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
#[path = "hours_tests.rs"]
mod tests;
