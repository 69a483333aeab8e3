// SPDX-License-Identifier: MIT OR Apache-2.0
//! What sound homes do at hours in which they hardly ever use gas, and leaks would begin.

use super::acquainted::{Acquainted, CLASSES, class};
use super::bouts::Bout;
use crate::household::Household;
use crate::household::calendar::{Calendar, HOUR_NS};
use crate::household::truth::Season;
use crate::system::class::{HARDLY_EVER, HAS_ZERO_HOUR};

/// Whole homes are tried in a month after they were learned, by the season at its beginning.
pub const MONTH_DAYS: u32 = 30;
/// Bands of flow that one who knows nothing else can tell apart.
pub const BANDS: usize = 6;

/// A home's seasons, month by month.
#[derive(Clone, Debug)]
pub struct Months {
    from_day: u32,
    to_day: u32,
    calendar: Calendar,
    seasons: Vec<Season>,
}

impl Months {
    /// Of days `[from, to)`.
    #[must_use]
    pub fn of(home: &Household, from_day: u32, to_day: u32) -> Self {
        let days = (from_day..to_day).step_by(MONTH_DAYS as usize);
        Self { from_day, to_day, calendar: home.calendar(), seasons: days.map(|d| home.season(d)).collect() }
    }

    /// Each month's first day and season.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Season)> + '_ {
        (self.from_day..).step_by(MONTH_DAYS as usize).zip(&self.seasons)
    }

    /// The home hardly ever uses gas in an hour of `day`; never outside of the days.
    #[must_use]
    pub fn quiet(&self, day: u32, hour: usize) -> bool {
        let months = day.checked_sub(self.from_day).map(|days| days / MONTH_DAYS);
        let season = months.and_then(|month| self.seasons.get(month as usize));
        season.is_some_and(|season| season.busy[hour] <= HARDLY_EVER)
    }
}

/// A home without an hour of rest on most days.
#[must_use]
pub fn restless(season: &Season) -> bool {
    season.zero_hour < HAS_ZERO_HOUR
}

/// Something in a sound home that looks like a leak at a quiet hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Imitation {
    /// When so many litres have passed, by place in [`super::bouts::LITRES`].
    pub after: usize,
    /// How far its flow goes from its mean, as a share; infinite with a pause.
    pub off: f64,
    /// The band of its flow.
    pub band: usize,
    /// The home has never shown this flow.
    pub new: bool,
}

/// What a home does at hours that one who watches takes for quiet, and which leaks it could have then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quiet {
    /// What looks like a leak.
    pub imitations: Vec<Imitation>,
    /// Leaks by band, at flows that the home has shown and at new ones; a month with a quiet hour counts 1.
    pub leaks: [[f64; 2]; BANDS],
    /// Leaks at quiet hours that are not taken for such.
    pub missed: f64,
}

const fn band(class: usize) -> usize {
    class * BANDS / CLASSES
}

/// A home's bouts of a leak's flow that begin in an hour of a day that `seems` quiet, and the leaks at hours that are.
#[must_use]
pub fn quiet(
    months: &Months,
    bouts: &[Bout],
    acquainted: &Acquainted,
    seems: impl Fn(u32, usize) -> bool,
) -> Quiet {
    let mut quiet = Quiet::default();
    let calendar = months.calendar;
    for bout in bouts {
        let day = calendar.day_of(bout.start_ns);
        let hour = ((bout.start_ns - calendar.start_ns(day)) / HOUR_NS).min(23) as usize;
        if !(months.from_day..months.to_day).contains(&day) || !seems(day, hour) {
            continue;
        }
        for (after, look) in bout.looks.iter().enumerate() {
            let Some((class, off)) = look.and_then(|l| Some((class(l.m3_per_h)?, l.off))) else { continue };
            let new = !acquainted.knows(class, bout.start_ns);
            quiet.imitations.push(Imitation { after, off, band: band(class), new });
        }
    }
    for (first, _) in months.iter() {
        let days = first..(first + MONTH_DAYS).min(months.to_day);
        let at = days.flat_map(|day| (0..24).map(move |hour| (day, hour)));
        let hours: Vec<(u32, usize)> = at.filter(|(day, hour)| months.quiet(*day, *hour)).collect();
        if hours.is_empty() {
            continue;
        }
        let taken = hours.iter().filter(|(day, hour)| seems(*day, *hour)).count() as f64 / hours.len() as f64;
        quiet.missed += 1.0 - taken;
        for class in 0..CLASSES {
            let new = !acquainted.knows(class, calendar.start_ns(first));
            quiet.leaks[band(class)][usize::from(new)] += taken / CLASSES as f64;
        }
    }
    quiet
}

#[cfg(test)]
mod tests {
    use super::super::bouts::Look;
    use super::*;
    use crate::household::calendar::DAY_NS;

    #[test]
    fn only_bouts_of_a_leaks_flow_at_a_quiet_hour_look_like_one() {
        let mut busy = [0.5; 24];
        busy[20] = 0.01;
        let seasons = vec![Season { busy, zero_hour: 1.0 }, Season { busy: [0.5; 24], zero_hour: 1.0 }];
        let months = Months { from_day: 60, to_day: 120, calendar: Calendar::new(0), seasons };
        let look = |q| Some(Look { m3_per_h: q, off: 0.05 });
        let bout = |day, hour, q| Bout {
            start_ns: Calendar::new(0).start_ns(day) + hour * HOUR_NS,
            looks: [look(q), look(q), None],
        };
        let shown = Acquainted::of(&[crate::household::segment::Segment {
            start_ns: 0,
            end_ns: DAY_NS,
            ul_per_h: 1_000_000_000,
            appliance: 0,
        }]);
        let bouts = [
            bout(59, 20, 1.0),
            bout(61, 20, 1.0),
            bout(62, 20, 2.0),
            bout(63, 20, 3.0),
            bout(64, 19, 1.0),
            bout(95, 20, 1.0),
        ];
        let quiet = |seems: &dyn Fn(u32, usize) -> bool| quiet(&months, &bouts, &shown, seems);
        let known = quiet(&|day, hour| months.quiet(day, hour));
        let seen: Vec<_> = known.imitations.iter().map(|i| (i.after, i.band, i.new)).collect();
        assert_eq!(seen, [(0, 3, false), (1, 3, false), (0, 5, true), (1, 5, true)]);
        let leaks: f64 = known.leaks.iter().flatten().sum();
        assert!((leaks - 1.0).abs() < 1e-9, "one month of two has a quiet hour");
        assert!((known.leaks[3][0] - 3.0 / 84.0).abs() < 1e-9, "three classes are known");
        // One who takes the hour before for quiet too, but only in the first ten days.
        let half = quiet(&|day, hour| (19..=20).contains(&hour) && day < 70);
        assert_eq!(half.imitations.len(), 6, "at 20 h of days 61 and 62, at 19 h of day 64");
        let leaks: f64 = half.leaks.iter().flatten().sum();
        assert!((leaks - 1.0 / 3.0).abs() < 1e-9 && (half.missed - 2.0 / 3.0).abs() < 1e-9);
    }
}
