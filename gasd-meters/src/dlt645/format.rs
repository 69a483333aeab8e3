// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the bytes of a data item are to be read.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bcd;
use crate::bytes::uint_le;
use crate::fault::Fault;
use crate::kind::{Kind, Register};
use crate::number::Number;
use crate::reading::Value;
use crate::time::{Date, Moment, TimeOfDay};
use crate::unit::Unit;

/// The format of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// BCD of this many bytes, with so many digits after the point.
    Bcd { bytes: u8, places: u8, unit: Unit, signed: bool },
    /// Binary bits.
    Bits(u8),
    /// ASCII, the last character first.
    Ascii(u8),
    /// BCD digits that are a name, not a number.
    Digits(u8),
    /// WW DD MM YY.
    WeekdayDate,
    /// ss mm hh.
    Time,
    /// ss mm hh WW DD MM YY.
    DateTime,
    /// mm hh DD MM YY.
    Minute,
    /// hh DD, of each month.
    DayHour,
}

impl Format {
    pub const fn bcd(bytes: u8, places: u8, unit: Unit) -> Self {
        Self::Bcd { bytes, places, unit, signed: false }
    }

    pub const fn signed(bytes: u8, places: u8, unit: Unit) -> Self {
        Self::Bcd { bytes, places, unit, signed: true }
    }

    /// Bytes of it.
    pub const fn len(self) -> usize {
        (match self {
            Self::Bcd { bytes, .. } | Self::Bits(bytes) | Self::Ascii(bytes) | Self::Digits(bytes) => bytes,
            Self::WeekdayDate => 4,
            Self::Time => 3,
            Self::DateTime => 7,
            Self::Minute => 5,
            Self::DayHour => 2,
        }) as usize
    }

    /// What `raw` says in it.
    pub fn value(self, raw: &[u8]) -> Value {
        match (self, raw) {
            (Self::Bcd { places, unit, signed, .. }, _) => {
                let digits = if signed { bcd::decode_signed(raw) } else { bcd::decode(raw) };
                Value::or_absent(digits, raw, |n| Value::Number(Number::new(n, -(places as i8), unit)))
            }
            (Self::Ascii(_), _) => Value::or_absent(ascii(raw), raw, Value::Text),
            (Self::Digits(_), _) => {
                Value::or_absent(bcd::decode(raw).map(|_| bcd::text(raw)), raw, Value::Text)
            }
            (_, raw) if raw.iter().all(|&byte| byte == 0xFF) => Value::Absent(Fault::NotFilled, raw.into()),
            (Self::Bits(_), _) => Value::Bits(uint_le(raw)),
            (Self::WeekdayDate, &[_, day, month, year]) => {
                Value::or_absent(date(day, month, year).map(Moment::date), raw, Value::Moment)
            }
            (Self::Time, &[second, minute, hour]) => {
                Value::or_absent(time(Some(second), minute, hour).map(Moment::time), raw, Value::Moment)
            }
            (Self::DateTime, &[second, minute, hour, _, day, month, year]) => {
                let time = time(Some(second), minute, hour);
                Value::or_absent(moment(date(day, month, year), time), raw, Value::Moment)
            }
            (Self::Minute, &[minute, hour, day, month, year]) => {
                Value::or_absent(moment(date(day, month, year), time(None, minute, hour)), raw, Value::Moment)
            }
            (Self::DayHour, &[hour, day]) => Value::or_absent(day_hour(hour, day), raw, Value::Text),
            _ => Value::Absent(Fault::Length, raw.into()),
        }
    }
}

/// An item: what it is, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub kind: Kind,
    pub register: Register,
    pub format: Format,
}

impl Item {
    pub fn new(kind: Kind, format: Format) -> Self {
        Self { kind, register: Register::default(), format }
    }

    pub fn at(kind: Kind, register: Register, format: Format) -> Self {
        Self { kind, register, format }
    }
}

/// What a data identifier brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// These items, one after the other; fewer where the answer ends.
    Items(Vec<Item>),
    /// Blocks of 1997: in each the items, and AA at its end.
    Blocks(Vec<Vec<Item>>),
}

impl Layout {
    pub fn one(item: Item) -> Option<Self> {
        Some(Self::Items([item].into()))
    }
}

fn ascii(raw: &[u8]) -> Result<String, Fault> {
    if raw.iter().all(|&byte| byte == 0xFF) {
        return Err(Fault::NotFilled);
    }
    let text: Vec<u8> = raw.iter().rev().copied().collect();
    let text = core::str::from_utf8(&text).map_err(|_| Fault::OutOfRange)?;
    let text = text.trim_matches(['\0', ' ']);
    if text.chars().any(|c| !c.is_ascii() || c.is_ascii_control()) {
        return Err(Fault::OutOfRange);
    }
    Ok(text.into())
}

/// A date of BCD bytes; the century is this one.
pub(super) fn date(day: u8, month: u8, year: u8) -> Result<Date, Fault> {
    if day == 0 && month == 0 && year == 0 {
        return Err(Fault::NotSet);
    }
    Date::new(2000 + u16::from(bcd::digits(year)?), bcd::digits(month)?, bcd::digits(day)?)
}

/// A time of BCD bytes.
pub(super) fn time(second: Option<u8>, minute: u8, hour: u8) -> Result<TimeOfDay, Fault> {
    let second = second.map(bcd::digits).transpose()?;
    TimeOfDay::new(bcd::digits(hour)?, bcd::digits(minute)?, second)
}

fn moment(date: Result<Date, Fault>, time: Result<TimeOfDay, Fault>) -> Result<Moment, Fault> {
    Ok(Moment::new(date?, time?))
}

fn day_hour(hour: u8, day: u8) -> Result<String, Fault> {
    let (hour, day) = (bcd::digits(hour)?, bcd::digits(day)?);
    if hour > 23 || day == 0 || day > 31 {
        return Err(Fault::OutOfRange);
    }
    Ok(alloc::format!("day {day} {hour:02}:00"))
}
