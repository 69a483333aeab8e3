// SPDX-License-Identifier: MIT OR Apache-2.0
//! Seconds as a date and time.

use crate::fault::Fault;
use crate::reading::Value;
use crate::time::{Date, Moment, TimeOfDay};

/// 2000-01-01, seconds since 1970.
pub(crate) const YEAR_2000: u64 = 946_684_800;

/// Seconds since 1970, as a value with these bytes behind it. A clock that was never set is near 0.
pub(crate) fn value(seconds: u64, raw: &[u8]) -> Value {
    let moment = match seconds {
        0 | YEAR_2000 => Err(Fault::NotSet),
        _ => moment(seconds),
    };
    Value::or_absent(moment, raw, Value::Moment)
}

/// Seconds since 1970 of a date and time, as its clock has them; `None` of a part of it, or before 1970.
pub(crate) fn seconds(moment: Moment) -> Option<u64> {
    let (date, time) = (moment.date?, moment.time?);
    // Years from March on, so that the leap day is the last of its year.
    let month = u64::from(date.month());
    let year = u64::from(date.year()).checked_sub(u64::from(month < 3))?;
    let from_march = if month < 3 { month + 9 } else { month - 3 };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5;
    let days = (days + u64::from(date.day()) - 1).checked_sub(719_468)?;
    let time =
        u64::from(time.hour()) * 3600 + u64::from(time.minute()) * 60 + u64::from(time.second().unwrap_or(0));
    Some(days * 86_400 + time)
}

/// Seconds since 1970.
fn moment(seconds: u64) -> Result<Moment, Fault> {
    let part = |n: u64| u8::try_from(n).unwrap_or(u8::MAX);
    let time = TimeOfDay::new(part(seconds / 3600 % 24), part(seconds / 60 % 60), Some(part(seconds % 60)))?;
    // Days since 0000-03-01, so that the leap day is the last of its year.
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let year = u16::try_from(year).map_err(|_| Fault::OutOfRange)?;
    Ok(Moment::new(Date::new(year, part(month), part(day))?, time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn days_that_are_known() {
        for (seconds, known) in [
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"),
            (1_680_530_477, "2023-04-03T14:01:17"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (4_294_967_295, "2106-02-07T06:28:15"),
        ] {
            assert_eq!(value(seconds, &[]).to_string(), known);
            assert_eq!(moment(seconds).map(super::seconds), Ok(Some(seconds)));
        }
        for seconds in (0..4_294_967_295).step_by(86_399 * 7) {
            assert_eq!(moment(seconds).map(super::seconds), Ok(Some(seconds)));
        }
        assert_eq!(value(0, &[0; 4]), Value::Absent(Fault::NotSet, [0; 4].into()));
    }
}
