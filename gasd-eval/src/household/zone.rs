// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time of day where a meter hangs, as the service tells it to the engine.

use super::calendar::{Calendar, DAY_NS, HOUR_NS};

/// A Sunday of summer time begins an hour after the clock is put forward, from 2 to 3, and two after it is put back, from
/// 3 to 2; see [`super::calendar::DAWN_H`].
const FORWARD_NS: u64 = HOUR_NS;
const BACK_NS: u64 = 2 * HOUR_NS;

/// What is added to the stream's time to have the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Always this, ns since 1970 at time 0.
    Fixed(i64),
    /// The zone of this calendar, with summer time.
    Summer(Calendar),
}

impl Zone {
    /// What is added at `t_ns`, ns, and until when, ns.
    #[must_use]
    pub fn at(self, t_ns: u64) -> (i64, u64) {
        let calendar = match self {
            Self::Fixed(offset_ns) => return (offset_ns, u64::MAX),
            Self::Summer(calendar) => calendar,
        };
        let mut summer = calendar.summer_time(0);
        let mut day = (t_ns / DAY_NS) as u32;
        if day > 1 {
            day -= 1;
            summer = calendar.summer_time(day);
        }
        // The first change that is still to come: at most half a year and a day.
        let until_ns = loop {
            day += 1;
            if calendar.summer_time(day) == summer {
                continue;
            }
            let at_ns = calendar.start_ns(day) - if summer { BACK_NS } else { FORWARD_NS };
            if at_ns > t_ns {
                break at_ns;
            }
            summer = !summer;
        };
        let own_ns = if summer { HOUR_NS as i64 } else { 0 };
        (calendar.civil_offset_ns() + own_ns, until_ns)
    }
}

/// A clock that says when its zone changes.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zone: Zone,
    until_ns: u64,
}

impl Clock {
    /// A clock in this zone that has said nothing yet.
    #[must_use]
    pub const fn new(zone: Zone) -> Self {
        Self { zone, until_ns: 0 }
    }

    /// What is added from `t_ns` on, ns, if that is another than before.
    pub fn changed(&mut self, t_ns: u64) -> Option<i64> {
        if t_ns < self.until_ns {
            return None;
        }
        let (offset_ns, until_ns) = self.zone.at(t_ns);
        self.until_ns = until_ns;
        Some(offset_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_that_of_the_people() {
        for first in [0, 80, 100, 400] {
            let calendar = Calendar::new(first);
            let mut clock = Clock::new(Zone::Summer(calendar));
            let mut told = Vec::new();
            let mut offset_ns = 0;
            for day in 0..730 {
                for hour in 0..24 {
                    let t_ns = calendar.start_ns(day) + hour * HOUR_NS;
                    if let Some(to_ns) = clock.changed(t_ns) {
                        told.push(to_ns);
                        offset_ns = to_ns;
                    }
                    // But in the hours between the change and the dawn.
                    if hour < 20 {
                        let civil_ns = t_ns.cast_signed() + offset_ns;
                        assert_eq!(civil_ns as u64 / HOUR_NS % 24, (hour + 4) % 24, "day {day}, hour {hour}");
                    }
                }
            }
            assert_eq!(told.len(), 5, "the first, and twice a year: {told:?}");
            assert!(told.windows(2).all(|two| (two[0] - two[1]).unsigned_abs() == HOUR_NS));
        }
        let mut fixed = Clock::new(Zone::Fixed(7));
        assert_eq!((fixed.changed(0), fixed.changed(5)), (Some(7), None));
    }
}
