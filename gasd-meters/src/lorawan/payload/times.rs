// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several readings of one payload, each of a time of its own: a device stores them up and sends them in one.

use alloc::vec::Vec;

use crate::clock;
use crate::error::Error;
use crate::kind::Kind;
use crate::reading::{Reading, Value};

/// The readings of one payload, the oldest first, and how many seconds each is older than the newest. That one is as of
/// now: how long it has waited in the device is not known, as the clock of a device need not be right.
///
/// Of those whose device does not know the time only the one with the most volume is kept, since a register rises.
///
/// # Errors
///
/// [`Error::Malformed`] where the register falls from an older one to a newer: then they are of two meters, or their times
/// are not right, and nothing says which is the register.
pub fn in_time(mut readings: Vec<Reading>) -> Result<Vec<(u64, Reading)>, Error> {
    if readings.iter().filter(|reading| volume_ul(reading).is_some()).count() < 2 {
        return Ok(readings.into_iter().map(|reading| (0, reading)).collect());
    }
    let Some(newest) =
        readings.iter().map(taken_s).max().filter(|_| readings.iter().all(|r| taken_s(r).is_some()))
    else {
        return Ok(most(readings).into_iter().map(|reading| (0, reading)).collect());
    };
    readings.sort_by_key(taken_s);
    let mut dated: Vec<(u64, Reading)> = Vec::with_capacity(readings.len());
    for reading in readings {
        let older = (newest.unwrap_or_default() - taken_s(&reading).unwrap_or_default(), reading);
        if let Some(before) = dated.last() {
            let (last, now) = (volume_ul(&before.1), volume_ul(&older.1));
            let same_time = before.0 == older.0;
            if last > now || (same_time && last != now) {
                return Err(Error::Malformed { what: "its register falls from one record to the next" });
            }
            if same_time {
                dated.pop();
            }
        }
        dated.push(older);
    }
    Ok(dated)
}

/// When the values of a reading were, as its device says; seconds since 1970.
#[must_use]
pub fn taken_s(reading: &Reading) -> Option<u64> {
    match reading.get(Kind::Moment).or_else(|| reading.get(Kind::Clock))?.value {
        Value::Moment(moment) => clock::seconds(moment),
        _ => None,
    }
}

/// Its register, µL.
#[must_use]
pub fn volume_ul(reading: &Reading) -> Option<i64> {
    reading.get(Kind::Volume)?.volume_ul().ok()
}

/// Those without a register, and of those that have one the one with the most volume.
fn most(readings: Vec<Reading>) -> Vec<Reading> {
    let (mut kept, registers): (Vec<_>, Vec<_>) =
        readings.into_iter().partition(|reading| volume_ul(reading).is_none());
    kept.extend(registers.into_iter().max_by_key(volume_ul));
    kept
}

#[cfg(test)]
mod tests {
    use super::super::{Profile, UGM};
    use super::*;
    use crate::hex;

    /// Records of UGM: time, and litres.
    fn of(records: &[(u32, u32)]) -> Result<Vec<(u64, i64)>, Error> {
        let mut bytes = Vec::new();
        for (n, (time, litres)) in (1..).zip(records) {
            bytes.extend([n, 0x1E]);
            bytes.extend(time.to_be_bytes());
            bytes.push(0x28);
            bytes.extend(litres.to_be_bytes());
            bytes.extend(hex::parse("2900002A651F07D01500").unwrap_or_default());
        }
        let readings = Profile::named(UGM).map(|profile| profile.decode(10, &bytes, &mut ()));
        let dated = in_time(readings.expect("a profile")?)?;
        Ok(dated.iter().map(|(age_s, r)| (*age_s, volume_ul(r).unwrap_or(-1) / 1_000_000)).collect())
    }

    const T: u32 = 1_790_000_000;

    #[test]
    fn whichever_comes_first_the_oldest_is_taken_first() {
        let hours = [(T, 100), (T + 3_600, 150), (T + 7_200, 150)];
        let dated = [(7_200, 100), (3_600, 150), (0, 150)];
        assert_eq!(of(&hours).as_deref(), Ok(&dated[..]));
        assert_eq!(of(&[hours[2], hours[1], hours[0]]).as_deref(), Ok(&dated[..]));
        assert_eq!(of(&[hours[1], hours[2], hours[0]]).as_deref(), Ok(&dated[..]));
        assert_eq!(of(&hours[..1]).as_deref(), Ok(&[(0, 100)][..]));
        // The same record twice is one.
        assert_eq!(of(&[hours[0], hours[0], hours[1]]).as_deref(), Ok(&[(3_600, 100), (0, 150)][..]));
        assert_eq!(of(&[]), Ok(Vec::new()));
    }

    #[test]
    fn a_register_that_falls_is_nobodys() {
        let falls = Err(Error::Malformed { what: "its register falls from one record to the next" });
        assert_eq!(of(&[(T, 101_600), (T, 5_000)]), falls);
        assert_eq!(of(&[(T, 5_000), (T, 101_600)]), falls);
        assert_eq!(of(&[(T + 60, 5_000), (T, 101_600)]), falls);
    }

    #[test]
    fn without_times_the_most_volume_is_the_newest() {
        assert_eq!(of(&[(0, 100), (0, 300), (0, 200)]), Ok([(0, 300)].into()));
        assert_eq!(of(&[(T, 100), (0, 300)]), Ok([(0, 300)].into()));
    }
}
