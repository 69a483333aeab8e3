// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is at home: vacations of 3–21 days, guests, holidays.

use crate::random::splitmix::Rng;

/// A day as far as people are concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Presence {
    /// Nobody is at home.
    pub away: bool,
    /// How many times the usual is cooked and washed.
    pub busy: f64,
    /// A day off: a weekend or a holiday.
    pub off: bool,
}

/// Days in which vacations and guests are drawn anew.
const YEAR: u32 = 365;

/// What kind of day it is.
#[must_use]
pub fn presence(seed: u64, day: u32, weekend: bool) -> Presence {
    let year = day / YEAR;
    let (mut away, mut busy, mut off) = (false, 1.0, weekend);
    // A span that began last year may reach into this one.
    for y in year.saturating_sub(1)..=year {
        let mut rng = Rng::new(seed, 0xa3a, u64::from(y));
        let mut span = |low: f64, high: f64| {
            let first = y * YEAR + rng.below(YEAR as usize) as u32;
            let days = rng.log_range(low, high) as u32;
            (day >= first && day < first + days, rng.range(1.4, 2.0))
        };
        for i in 0..3 {
            // Most homes leave once or twice a year for long.
            away |= span(3.0, 22.0).0 && (i < 2 || y % 2 == 0);
        }
        for _ in 0..3 {
            if let (true, factor) = span(1.0, 6.0) {
                busy = factor;
                off = true;
            }
        }
        for _ in 0..8 {
            off |= span(1.0, 1.9).0;
        }
    }
    Presence { away, busy, off }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn away_some_weeks_a_year() {
        let (mut away, n) = (0, 300);
        for seed in 0..n {
            away += (0..730).filter(|d| presence(seed, *d, false).away).count();
        }
        let days = away as f64 / n as f64 / 2.0;
        assert!((12.0..35.0).contains(&days), "{days} days a year");
    }
}
