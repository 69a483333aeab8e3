// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a meter's own clock says of how old a reading is that it may have kept.
//!
//! The clock need not be right: what counts is how much longer than the quickest of late a reading was on its way by it. A
//! clock that stands, or that is set back, says nothing; it is not believed from then on, until it goes on.

use gasd_meters::Reading;
use gasd_meters::lorawan::payload::{taken_s, volume_ul};

const SECOND_NS: u64 = 1_000_000_000;

/// A clock is believed to go as it did for so long, ns: one that is set back is late for two of these at most.
const WINDOW_NS: u64 = 86_400 * SECOND_NS;

/// What the network may take, s.
const WAY_S: i64 = 60;

/// A meter's clock, as it was seen.
#[derive(Debug, Default)]
pub(super) struct MeterClock {
    /// How far the gateway's clock was ahead of it at least, s: in this window, and in the one before.
    ahead_s: [Option<i64>; 2],
    /// When this window began, ns.
    since_ns: u64,
    /// The newest reading: the time on it, s, and its register, µL.
    newest: Option<(u64, i64)>,
}

impl MeterClock {
    /// How old a reading is that has come, s; 0 where nothing says.
    pub fn age_s(&mut self, now_ns: u64, reading: &Reading) -> u64 {
        let (Some(taken_s), Some(shows_ul)) = (taken_s(reading), volume_ul(reading)) else { return 0 };
        if let Some((newest_s, newest_ul)) = self.newest
            && taken_s <= newest_s
        {
            // An old one that comes behind a newer shows less.
            match shows_ul.cmp(&newest_ul) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return 0,
                std::cmp::Ordering::Greater => *self = Self::default(),
            }
        }
        if self.newest.is_none_or(|(newest_s, _)| taken_s > newest_s) {
            self.newest = Some((taken_s, shows_ul));
        }
        if now_ns.saturating_sub(self.since_ns) >= WINDOW_NS {
            self.since_ns = now_ns;
            self.ahead_s[1] = self.ahead_s[0].take().or(self.ahead_s[1]);
        }
        let ahead_s = (now_ns / SECOND_NS).cast_signed().saturating_sub(taken_s.cast_signed());
        let [now, before] = self.ahead_s;
        let least_s = [now, before].into_iter().flatten().fold(ahead_s, i64::min);
        self.ahead_s[0] = Some(now.map_or(ahead_s, |now| now.min(ahead_s)));
        let age_s = ahead_s.saturating_sub(least_s);
        if age_s < WAY_S { 0 } else { age_s.unsigned_abs() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gasd_meters::hex;
    use gasd_meters::lorawan::payload::{Profile, UGM};

    const HOUR: u64 = 3_600;
    const T: u64 = 1_790_000_000;

    /// A reading of this time and volume, L.
    fn reading(taken_s: u64, litres: u32) -> Reading {
        let mut bytes = vec![1, 0x1E];
        bytes.extend(u32::try_from(taken_s).unwrap().to_be_bytes());
        bytes.push(0x28);
        bytes.extend(litres.to_be_bytes());
        bytes.extend(hex::parse("2900002A651F07D01500").unwrap());
        Profile::named(UGM).unwrap().decode(10, &bytes, &mut ()).unwrap().remove(0)
    }

    /// What is said of readings: when each comes, the time on it, both s, and litres.
    fn ages(readings: &[(u64, u64, u32)]) -> Vec<u64> {
        let mut clock = MeterClock::default();
        let mut age = |&(at_s, taken_s, litres): &(u64, u64, u32)| {
            clock.age_s(at_s * SECOND_NS, &reading(T + taken_s, litres))
        };
        readings.iter().map(&mut age).collect()
    }

    #[test]
    fn what_was_kept_is_as_old_as_its_clock_says() {
        // Each hour, then nothing for three, then all of them, and the next.
        let h = HOUR;
        let told =
            [(10, 0, 1), (h + 12, h, 2), (5 * h, 2 * h, 3), (5 * h + 4, 3 * h, 4), (5 * h + 9, 5 * h, 5)];
        assert_eq!(ages(&told), [0, 0, 3 * h - 10, 2 * h - 6, 0]);
        // The newest first: those behind it are of before it.
        assert_eq!(
            ages(&[(9 * h, 9 * h, 9), (9 * h + 5, 7 * h, 7), (9 * h + 9, 8 * h, 8)]),
            [0, 2 * h + 5, h + 9]
        );
        // After a start nobody knows how late the first is.
        assert_eq!(ages(&[(9 * h, 2 * h, 1), (9 * h + 4, 3 * h, 2), (9 * h + 8, 9 * h, 3)]), [0, 0, 0]);
    }

    #[test]
    fn a_clock_that_is_wrong_makes_nothing_old() {
        let h = HOUR;
        // It stands.
        assert_eq!(ages(&[(h, 7, 1), (2 * h, 7, 2), (9 * h, 7, 2), (90 * h, 7, 3)]), [0; 4]);
        // It is set back by an hour, set forth by ten years, and set right again.
        assert_eq!(ages(&[(h, 9 * h, 1), (h + 60, 8 * h + 60, 2), (2 * h, 9 * h, 3)]), [0; 3]);
        let ten = 87_600 * h / 10;
        assert_eq!(ages(&[(h, h, 1), (2 * h, ten, 2), (3 * h, 3 * h, 3), (4 * h, 4 * h, 4)]), [0; 4]);
        // It goes wrong by a minute a day.
        let slow: Vec<_> = (1..300).map(|n| (n * h, n * (h - 3), n as u32)).collect();
        assert!(ages(&slow).iter().all(|age| *age < 240), "{:?}", ages(&slow));
        // It is set back by an hour between two that are a day apart: for two days they seem an hour old.
        let back: Vec<_> =
            (1..9).map(|n| (n * 24 * h, n * 24 * h - u64::from(n > 3) * h, n as u32)).collect();
        assert_eq!(ages(&back), [0, 0, 0, h, 0, 0, 0, 0]);
    }
}
