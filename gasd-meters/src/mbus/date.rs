// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dates and times: types F, G, I and J of EN 13757-3.

use crate::fault::Fault;
use crate::time::{Date, Moment, TimeOfDay};

/// The date, time or both in two (G), three (J), four (F) or six (I) bytes.
///
/// # Errors
///
/// [`Fault::NotFilled`] where all bits are set, [`Fault::NotSet`] of day or month 0 and of "every",
/// [`Fault::SaidInvalid`] where the meter says so, [`Fault::OutOfRange`], [`Fault::Length`].
pub fn decode(bytes: &[u8]) -> Result<Moment, Fault> {
    if !bytes.is_empty() && bytes.iter().all(|&byte| byte == 0xFF) {
        return Err(Fault::NotFilled);
    }
    match *bytes {
        [day, month] => Ok(Moment::date(date(day, month, 0)?)),
        [second, minute, hour] => {
            let second = if second & 0x3F == 0x3F { None } else { Some(second & 0x3F) };
            Ok(Moment::time(TimeOfDay::new(hour & 0x1F, minute & 0x3F, second)?))
        }
        [minute, ..] if bytes.len() == 4 && minute & 0x80 != 0 => Err(Fault::SaidInvalid),
        [minute, hour, day, month] => {
            let date = date(day, month, hour >> 5 & 0x3)?;
            Ok(Moment { summer: hour & 0x80 != 0, ..moment(date, hour, minute, None)? })
        }
        [_, minute, _, _, _, _] if minute & 0x80 != 0 => Err(Fault::SaidInvalid),
        [second, minute, hour, day, month, _] => {
            let date = date(day, month, 0)?;
            let summer = second & 0x40 != 0;
            Ok(Moment { summer, ..moment(date, hour, minute, Some(second & 0x3F))? })
        }
        _ => Err(Fault::Length),
    }
}

fn moment(date: Date, hour: u8, minute: u8, second: Option<u8>) -> Result<Moment, Fault> {
    match (hour & 0x1F, minute & 0x3F) {
        // Every hour and every minute: the day alone.
        (0x1F, 0x3F) => Ok(Moment::date(date)),
        (hour, minute) => Ok(Moment::new(date, TimeOfDay::new(hour, minute, second)?)),
    }
}

/// Day and the low bits of the year, month and the high bits, the hundreds.
fn date(day: u8, month: u8, hundreds: u8) -> Result<Date, Fault> {
    let year = u16::from(day >> 5) | u16::from(month >> 4) << 3;
    let (day, month) = (day & 0x1F, month & 0x0F);
    // 31 is a day like others; "every day" is 0.
    if day == 0 || month == 0 || month == 0x0F || year == 0x7F {
        return Err(Fault::NotSet);
    }
    let century = match (hundreds, year) {
        (0, 0..=80) => 2000,
        (0, _) => 1900,
        (n, _) => 1900 + 100 * u16::from(n),
    };
    if year > 99 {
        return Err(Fault::OutOfRange);
    }
    Date::new(century + year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_type() {
        for (bytes, says) in [
            (&[0x32, 0x37, 0x1F, 0x15][..], "2008-05-31T23:50"),
            (&[0x0B, 0x0B, 0xCD, 0x13], "2014-03-13T11:11"),
            (&[0x32, 0xB7, 0x1F, 0x15], "2008-05-31T23:50 summer time"),
            (&[0x32, 0x57, 0x1F, 0x15], "2108-05-31T23:50"),
            (&[0x3F, 0x1F, 0x1F, 0x15], "2008-05-31"),
            (&[0xBF, 0x1C], "2013-12-31"),
            (&[0x21, 0xA1], "1981-01-01"),
            (&[0x1E, 0x0A, 0x17], "23:10:30"),
            (&[0x3F, 0x0A, 0x17], "23:10"),
            (&[0x1E, 0x0A, 0x37, 0x1F, 0x15, 0x16], "2008-05-31T23:10:30"),
            (&[0x5E, 0x0A, 0x37, 0x1F, 0x15, 0x16], "2008-05-31T23:10:30 summer time"),
        ] {
            assert_eq!(decode(bytes).map(|m| m.to_string()).as_deref(), Ok(says), "{bytes:02X?}");
        }
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (bytes, fault) in [
            (&[0xFF, 0xFF][..], Fault::NotFilled),
            (&[0, 0], Fault::NotSet),
            (&[0x00, 0x15], Fault::NotSet),
            (&[0x1F, 0x1F], Fault::NotSet),
            (&[0xFF, 0xFC], Fault::NotSet),
            (&[0x1F, 0x12], Fault::OutOfRange),
            (&[0xB2, 0x37, 0x1F, 0x15], Fault::SaidInvalid),
            (&[0x3C, 0x17, 0x1F, 0x15], Fault::OutOfRange),
            (&[0x32, 0x18, 0x1F, 0x15], Fault::OutOfRange),
            (&[0x1E, 0x8A, 0x37, 0x1F, 0x15, 0x16], Fault::SaidInvalid),
            (&[1], Fault::Length),
            (&[], Fault::Length),
        ] {
            assert_eq!(decode(bytes), Err(fault), "{bytes:02X?}");
        }
    }
}
