// SPDX-License-Identifier: MIT OR Apache-2.0
//! The clock of a meter: Unix seconds as date and time of day (Hinnant, "chrono-compatible low-level date algorithms").

/// A moment, as meters send it. No time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// 1970 and later.
    pub year: u16,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    /// 0–23.
    pub hour: u8,
    /// 0–59.
    pub minute: u8,
    /// 0–59.
    pub second: u8,
}

impl Calendar {
    /// The moment of these Unix seconds; before 1970 it is 1970, behind 9999 its end.
    #[must_use]
    pub fn at(unix_s: i64) -> Self {
        let unix_s = unix_s.clamp(0, 253_402_300_799);
        let (days, seconds) = (unix_s / 86_400 + 719_468, unix_s % 86_400);
        // Years begin in March, so that the day that comes and goes is their last.
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: (seconds / 3_600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
        }
    }

    /// What a clock shows at `now_ns` that showed `wall_s` Unix seconds at 0.
    #[must_use]
    pub fn now(wall_s: i64, now_ns: u64) -> Self {
        Self::at(wall_s.saturating_add((now_ns / 1_000_000_000) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let date = |unix_s| {
            let Calendar { year, month, day, hour, minute, second } = Calendar::at(unix_s);
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        };
        // From date(1).
        assert_eq!(date(0), "1970-01-01 00:00:00");
        assert_eq!(date(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(date(1_767_225_600), "2026-01-01 00:00:00");
        assert_eq!(date(1_772_454_896), "2026-03-02 12:34:56");
        assert_eq!(date(4_107_542_399), "2100-02-28 23:59:59");
        assert_eq!(date(4_107_542_400), "2100-03-01 00:00:00");
        assert_eq!(Calendar::now(1_767_225_600, 61_900_000_000).second, 1);
    }
}
