// SPDX-License-Identifier: MIT OR Apache-2.0
//! In which hours a home used gas of late: all that an observer can know of its seasons.

use super::life::Life;
use crate::household::calendar::{Calendar, HOUR_NS};

/// So many days are remembered.
pub const REMEMBERED_DAYS: u32 = 60;

/// The hours with gas of every day, from dawn on.
#[derive(Clone, Debug)]
pub struct Experience {
    days: Vec<[bool; 24]>,
}

impl Experience {
    /// From a life that begins with day 0.
    #[must_use]
    pub fn of(life: &Life, calendar: Calendar, days: u32) -> Self {
        let mut all = vec![[false; 24]; days as usize];
        for s in &life.segments {
            let day = calendar.day_of(s.start_ns);
            let start_ns = calendar.start_ns(day);
            let Some(hours) = all.get_mut(day as usize) else { continue };
            let (first, last) = ((s.start_ns - start_ns) / HOUR_NS, (s.end_ns - 1 - start_ns) / HOUR_NS);
            // The 25th hour that one day a year has counts with the last.
            (first.min(23)..=last.min(23)).for_each(|hour| hours[hour as usize] = true);
        }
        Self { days: all }
    }

    /// On how many of the last [`REMEMBERED_DAYS`] before `day` gas was used in an hour.
    #[must_use]
    pub fn used(&self, day: u32, hour: usize) -> usize {
        let before = day.saturating_sub(REMEMBERED_DAYS) as usize..(day as usize).min(self.days.len());
        self.days[before].iter().filter(|hours| hours[hour]).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::household::calendar::DAY_NS;
    use crate::household::segment::Segment;

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let s = |day: u64, from_h: u64, to_h: u64| Segment {
            start_ns: day * DAY_NS + from_h * HOUR_NS,
            end_ns: day * DAY_NS + to_h * HOUR_NS,
            ul_per_h: 1,
            appliance: 0,
        };
        // January: no summer time comes in between.
        let life = Life { segments: vec![s(0, 3, 4), s(5, 3, 5), s(61, 4, 5)] };
        let experience = Experience::of(&life, Calendar::new(0), 70);
        let used = |day, hour| experience.used(day, hour);
        assert_eq!((used(5, 3), used(6, 3), used(6, 4), used(6, 5)), (1, 2, 1, 0));
        assert_eq!((used(61, 3), used(62, 4), used(66, 3)), (1, 2, 0));
    }
}
