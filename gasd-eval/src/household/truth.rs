// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the generator knows of a home: what can be asked of a detector depends on it.

use super::appliance::{Appliance, HomeType, Kind};
use super::calendar::{Calendar, HOUR_NS};
use super::meter::Meter;
use super::segment::Segment;
use super::{Household, connected, pilots_ul_per_h};
use crate::random::splitmix::Rng;

/// An observer calls it one use when the flame was out for no longer than this, ns.
pub(crate) const SAME_USE_NS: u64 = 1_000_000_000;
/// Days to each side that make a season.
const SEASON_DAYS: u32 = 30;
/// Years that are looked at.
const YEARS: u32 = 3;

/// How a home uses gas at a time of the year.
#[derive(Clone, Debug)]
pub struct Season {
    /// Share of days on which gas other than the pilot's flows in an hour of the wall clock; the
    /// first is 4–5 h.
    pub busy: [f64; 24],
    /// Share of days that have an hour of the clock without any flow.
    pub zero_hour: f64,
}

/// Uses as an observer counts them, from one appliance's stretches in order of time: each has the flow of
/// its last stretch.
pub fn joined(stretches: impl Iterator<Item = Segment>) -> Vec<Segment> {
    let mut uses: Vec<Segment> = Vec::new();
    for s in stretches {
        match uses.last_mut() {
            Some(last) if s.start_ns <= last.end_ns + SAME_USE_NS => {
                (last.end_ns, last.ul_per_h) = (s.end_ns, s.ul_per_h);
            }
            _ => uses.push(s),
        }
    }
    uses
}

impl Household {
    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// What kind of home.
    #[must_use]
    pub const fn home_type(&self) -> HomeType {
        self.home
    }

    /// The meter.
    #[must_use]
    pub const fn meter(&self) -> Meter {
        self.meter
    }

    /// The calendar.
    #[must_use]
    pub const fn calendar(&self) -> Calendar {
        self.calendar
    }

    /// What it burns gas with.
    #[must_use]
    pub fn appliances(&self) -> &[Appliance] {
        &self.appliances
    }

    /// What its appliances can take together on `day`, m³/h.
    #[must_use]
    pub fn connected_m3_per_h(&self, day: u32) -> f64 {
        connected(&self.appliances, day)
    }

    /// What the largest appliance can take on `day`, m³/h.
    #[must_use]
    pub fn largest_m3_per_h(&self, day: u32) -> f64 {
        let present = self.appliances.iter().filter(|a| a.present(day));
        present.map(|a| a.max_m3_per_h).fold(0.0, f64::max)
    }

    /// Flow of the pilot flames, m³/h.
    #[must_use]
    pub fn pilots_m3_per_h(&self) -> f64 {
        pilots_ul_per_h(&self.appliances) as f64 * 1e-9
    }

    /// Days in `[0, to)` on which an appliance was bought or the meter exchanged.
    #[must_use]
    pub fn changes(&self, to_day: u32) -> Vec<(u32, &'static str)> {
        let bought = self.appliances.iter().filter(|a| a.from_day > 0);
        let mut all: Vec<_> = bought.map(|a| (a.from_day, a.kind.name())).collect();
        all.push((self.exchange_day, "meter exchange"));
        all.retain(|c| c.0 < to_day);
        all
    }

    /// Volume that the appliances take on `day`, L.
    #[must_use]
    pub fn day_l(&self, day: u32) -> f64 {
        let span = self.calendar.start_ns(day + 1) - self.calendar.start_ns(day);
        let litre = |ul_per_h: i64, ns: u64| ul_per_h as f64 * 1e-6 * ns as f64 / HOUR_NS as f64;
        let used: f64 = self.day(day).iter().map(|s| litre(s.ul_per_h, s.end_ns - s.start_ns)).sum();
        used + litre(pilots_ul_per_h(&self.appliances), span)
    }

    /// How gas is used around a day of the year, from many days at this time of three years.
    #[must_use]
    pub fn season(&self, day: u32) -> Season {
        let mut season = Season { busy: [0.0; 24], zero_hour: 0.0 };
        let mut n = 0.0;
        let around = (day % 365 + 365 - SEASON_DAYS)..(day % 365 + 365 + SEASON_DAYS);
        for d in (0..YEARS).flat_map(|y| around.clone().step_by(2).map(move |d| y * 365 + d)) {
            let hours = self.hours_with_use(d);
            n += 1.0;
            for (sum, busy) in season.busy.iter_mut().zip(hours) {
                *sum += f64::from(u8::from(busy));
            }
            let zero = hours.iter().any(|busy| !busy) && self.pilots_m3_per_h() <= 0.0;
            season.zero_hour += f64::from(u8::from(zero));
        }
        season.busy.iter_mut().for_each(|sum| *sum /= n);
        season.zero_hour /= n;
        season
    }

    /// Hours of a day in which gas other than the pilot's flows, from dawn on.
    #[must_use]
    pub fn hours_with_use(&self, day: u32) -> [bool; 24] {
        let start = self.calendar.start_ns(day);
        let mut hours = [false; 24];
        for s in self.day(day) {
            let (first, last) = ((s.start_ns - start) / HOUR_NS, (s.end_ns - 1 - start) / HOUR_NS);
            for hour in first..=last.min(23) {
                hours[hour as usize] = true;
            }
        }
        hours
    }

    /// The uses of an appliance that begin on days `[from, to)`, by start.
    #[must_use]
    pub fn uses(&self, appliance: u8, from_day: u32, to_day: u32) -> Vec<Segment> {
        let days = (from_day..to_day).flat_map(|day| self.day(day));
        joined(days.filter(|s| s.appliance == appliance))
    }

    /// A burner that is used often enough to be known, for the tests of forgotten ones.
    #[must_use]
    pub fn some_burner(&self, rng: &mut Rng) -> u8 {
        let burners = self.appliances.iter().filter(|a| a.kind == Kind::Burner).count();
        rng.below(burners) as u8
    }
}
