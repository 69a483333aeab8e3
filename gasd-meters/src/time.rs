// SPDX-License-Identifier: MIT OR Apache-2.0
//! The meter's own calendar and clock. No time zone: meters do not send one.

use core::fmt;

use crate::fault::Fault;

/// A day that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The date, where there is such a day.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub const fn new(year: u16, month: u8, day: u8) -> Result<Self, Fault> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return Err(Fault::OutOfRange),
        };
        if year > 9999 || day == 0 || day > days {
            return Err(Fault::OutOfRange);
        }
        Ok(Self { year, month, day })
    }

    /// 0–9999.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// 1–12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// 1–31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A time of day; seconds where the meter sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
    second: Option<u8>,
}

impl TimeOfDay {
    /// The time, where there is such a one.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`]; meters have no leap second.
    pub const fn new(hour: u8, minute: u8, second: Option<u8>) -> Result<Self, Fault> {
        match second {
            Some(60..) => Err(Fault::OutOfRange),
            _ if hour > 23 || minute > 59 => Err(Fault::OutOfRange),
            _ => Ok(Self { hour, minute, second }),
        }
    }

    /// 0–23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// 0–59.
    #[must_use]
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// 0–59.
    #[must_use]
    pub const fn second(self) -> Option<u8> {
        self.second
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)?;
        self.second.map_or(Ok(()), |second| write!(f, ":{second:02}"))
    }
}

/// A date, a time of day, or both, as the field has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The date, where the field has one.
    pub date: Option<Date>,
    /// The time of day, where the field has one.
    pub time: Option<TimeOfDay>,
    /// Whether the meter says that it is summer time; `false` also where it does not say.
    pub summer: bool,
}

impl Moment {
    /// Date and time.
    #[must_use]
    pub const fn new(date: Date, time: TimeOfDay) -> Self {
        Self { date: Some(date), time: Some(time), summer: false }
    }

    /// A date alone.
    #[must_use]
    pub const fn date(date: Date) -> Self {
        Self { date: Some(date), time: None, summer: false }
    }

    /// A time of day alone.
    #[must_use]
    pub const fn time(time: TimeOfDay) -> Self {
        Self { date: None, time: Some(time), summer: false }
    }
}

impl fmt::Display for Moment {
    /// As ISO 8601: `2015-05-11T22:01:31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.date, self.time) {
            (Some(date), Some(time)) => write!(f, "{date}T{time}"),
            (Some(date), None) => write!(f, "{date}"),
            (None, Some(time)) => write!(f, "{time}"),
            (None, None) => f.write_str("no time"),
        }?;
        f.write_str(if self.summer { " summer time" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist() {
        assert!(Date::new(2024, 2, 29).is_ok() && Date::new(2000, 2, 29).is_ok());
        assert!(Date::new(2023, 2, 29).is_err() && Date::new(1900, 2, 29).is_err());
        assert!(Date::new(2023, 4, 31).is_err() && Date::new(2023, 5, 31).is_ok());
        assert!(Date::new(2023, 0, 1).is_err() && Date::new(2023, 13, 1).is_err());
        assert!(Date::new(2023, 1, 0).is_err() && Date::new(10_000, 1, 1).is_err());
        assert!(TimeOfDay::new(23, 59, Some(59)).is_ok() && TimeOfDay::new(24, 0, None).is_err());
        assert!(TimeOfDay::new(0, 60, None).is_err() && TimeOfDay::new(0, 0, Some(60)).is_err());
    }
}
