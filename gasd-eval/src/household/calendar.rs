// SPDX-License-Identifier: MIT OR Apache-2.0
//! Days as people live them, in time that knows no summer time; see [`super::zone`] for the clock on the wall.

/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;
/// Nanoseconds in an hour.
pub const HOUR_NS: u64 = 3600 * SECOND_NS;
/// Nanoseconds in a day.
pub const DAY_NS: u64 = 24 * HOUR_NS;

/// People's day starts at this hour of the wall clock: whatever is done late belongs to the evening.
pub const DAWN_H: f64 = 4.0;

/// 1 January 2024 in days since 1970, a Monday.
const ANCHOR_DAY: i64 = 19_723;

/// The calendar of a stream whose time 0 is the dawn of its day 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Days from 1 January 2024 to day 0.
    first: u32,
}

impl Calendar {
    /// The stream's day 0 is so many days after 1 January 2024.
    #[must_use]
    pub const fn new(first: u32) -> Self {
        Self { first }
    }

    /// 0 is Monday.
    #[must_use]
    pub const fn weekday(self, day: u32) -> u32 {
        (self.first + day) % 7
    }

    /// Saturday or Sunday.
    #[must_use]
    pub const fn weekend(self, day: u32) -> bool {
        self.weekday(day) >= 5
    }

    /// Where in the year, [0, 1) from 1 January.
    #[must_use]
    pub fn year_fraction(self, day: u32) -> f64 {
        (f64::from(self.first + day) / 365.2425).fract()
    }

    /// Summer time is in force from the dawn of `day`: from a Sunday at the end of March to one at the
    /// end of October. The clock is put forward or back before the dawn of that Sunday.
    #[must_use]
    pub fn summer_time(self, day: u32) -> bool {
        let absolute = self.first + day;
        let sunday = absolute.saturating_sub((absolute + 1) % 7);
        (0.229..0.815).contains(&(f64::from(sunday) / 365.2425).fract())
    }

    /// When `day` begins, ns of the stream.
    #[must_use]
    pub fn start_ns(self, day: u32) -> u64 {
        let shift = |d| if self.summer_time(d) { HOUR_NS } else { 0 };
        u64::from(day) * DAY_NS + shift(0) - if day == 0 { shift(0) } else { shift(day) }
    }

    /// An hour of the wall clock on `day`, [`DAWN_H`] to 28; not after the day's end.
    #[must_use]
    pub fn at_ns(self, day: u32, hour: f64) -> u64 {
        let since_dawn = ((hour - DAWN_H).max(0.0) * HOUR_NS as f64) as u64;
        (self.start_ns(day) + since_dawn).min(self.start_ns(day + 1))
    }

    /// The day that `t_ns` belongs to.
    #[must_use]
    pub fn day_of(self, t_ns: u64) -> u32 {
        let mut day = (t_ns / DAY_NS) as u32 + 1;
        while day > 0 && self.start_ns(day) > t_ns {
            day -= 1;
        }
        day
    }

    /// Hour of the wall clock at `t_ns`, [`DAWN_H`] to 28 (29 before the clock is put back).
    #[must_use]
    pub fn wall_hour(self, t_ns: u64) -> f64 {
        DAWN_H + (t_ns - self.start_ns(self.day_of(t_ns))) as f64 / HOUR_NS as f64
    }

    /// Standard local time at stream time 0, ns since 1970: what is added to a time of the stream to have the time of
    /// day in winter.
    #[must_use]
    pub fn civil_offset_ns(self) -> i64 {
        let hours = DAWN_H as i64 - i64::from(self.summer_time(0));
        (ANCHOR_DAY + i64::from(self.first)) * DAY_NS as i64 + hours * HOUR_NS as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_and_two_a_year_are_an_hour_off() {
        for first in [0, 100, 400] {
            let calendar = Calendar::new(first);
            assert_eq!(calendar.start_ns(0), 0);
            let (mut short, mut long) = (0, 0);
            for day in 0..730 {
                let (start, end) = (calendar.start_ns(day), calendar.start_ns(day + 1));
                match end - start {
                    DAY_NS => {}
                    n if n == DAY_NS - HOUR_NS => short += 1,
                    n if n == DAY_NS + HOUR_NS => long += 1,
                    n => panic!("{n}"),
                }
                if end - start != DAY_NS {
                    assert_eq!(calendar.weekday(day), 5, "in the night to Sunday");
                }
                assert_eq!(calendar.day_of(start), day);
                assert_eq!(calendar.day_of(end - 1), day);
            }
            assert_eq!((short, long), (2, 2));
        }
    }

    #[test]
    fn the_civil_clock_is_right_in_winter() {
        // Day 0 is Monday 1 January 2024; its dawn is at 04:00.
        let offset = Calendar::new(0).civil_offset_ns();
        assert_eq!(offset / 1_000_000_000, 1_704_081_600);
    }
}
