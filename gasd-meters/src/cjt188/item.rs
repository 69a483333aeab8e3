// SPDX-License-Identifier: MIT OR Apache-2.0
//! One field of an answer.

use super::profile::{ClockOrder, Profile};
use super::unit::unit;
use crate::bcd;
use crate::fault::Fault;
use crate::kind::{Kind, Register};
use crate::number::Number;
use crate::reading::{Field, Value};
use crate::time::{Date, Moment, TimeOfDay};
use crate::unit::Unit;

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Four bytes of BCD with so many digits after the point, and a unit code.
    Amount(u8),
    /// BCD without a unit code: bytes, digits after the point, unit.
    Plain(u8, u8, Unit),
    /// The clock.
    Clock,
    /// ST0 ST1.
    Status,
}

/// A field: what it is and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub kind: Kind,
    pub register: Register,
    pub format: Format,
}

impl Item {
    pub fn new(kind: Kind, register: Register, format: Format) -> Self {
        Self { kind, register, format }
    }

    /// Bytes of it.
    pub const fn len(&self) -> usize {
        match self.format {
            Format::Amount(_) => 5,
            Format::Plain(bytes, ..) => bytes as usize,
            Format::Clock => 7,
            Format::Status => 2,
        }
    }

    /// What `raw` says.
    pub fn field(&self, raw: &[u8], profile: &Profile) -> Field {
        let (value, doubt) = match (self.format, raw) {
            (Format::Amount(places), &[.., code]) => {
                return self.amount(raw, raw.get(..4).unwrap_or_default(), places, code, profile);
            }
            (Format::Plain(_, places, unit), raw) => {
                let make = |n| Value::Number(Number::new(n, -(places as i8), unit));
                let doubt = (unit == Unit::Unknown).then_some(Fault::UnknownUnit(0));
                (Value::or_absent(bcd::decode(raw), raw, make), doubt)
            }
            (Format::Clock, raw) => (Value::or_absent(clock(raw, profile.clock), raw, Value::Moment), None),
            (Format::Status, [0xFF, 0xFF]) => (Value::Absent(Fault::NotFilled, raw.into()), None),
            (Format::Status, &[st0, st1]) => (Value::Bits(u16::from_le_bytes([st0, st1]).into()), None),
            _ => (Value::Absent(Fault::Length, raw.into()), None),
        };
        Field { doubt, ..Field::new(self.kind, self.register, value) }
    }

    fn amount(&self, raw: &[u8], digits: &[u8], places: u8, code: u8, profile: &Profile) -> Field {
        let volume = self.kind == Kind::Volume;
        let (unit, power, doubt) = match (unit(code), profile.volume_unit) {
            (said, Some(unit)) if volume => {
                // A profile has a unit for meters that say none, or litres. What else they say may well be so.
                let agrees = said.is_none_or(|(of, power)| of == Unit::Litre || (of, power) == (unit, 0));
                (unit, 0, (!agrees).then_some(Fault::OtherUnit(code)))
            }
            // Litres with two digits after the point: meters say so that mean m³.
            (Some((Unit::Litre, power)), _) if volume => {
                (Unit::Litre, power, Some(Fault::DoubtfulUnit(code)))
            }
            (Some((unit, power)), _) => (unit, power, None),
            (None, _) => (Unit::Unknown, 0, Some(Fault::UnknownUnit(code))),
        };
        let make = |n| Value::Number(Number::new(n, power - places as i8, unit));
        let value = Value::or_absent(bcd::decode(digits), raw, make);
        Field { doubt, ..Field::new(self.kind, self.register, value) }
    }
}

/// A clock of seven bytes of BCD.
pub(super) fn clock(raw: &[u8], order: ClockOrder) -> Result<Moment, Fault> {
    let (second, minute, hour, day, month, year, century) = match (order, raw) {
        (ClockOrder::LowFirst, &[s, m, h, day, month, year, century]) => (s, m, h, day, month, year, century),
        (ClockOrder::CenturyBeforeYear, &[s, m, h, day, month, century, year]) => {
            (s, m, h, day, month, year, century)
        }
        (ClockOrder::HighFirst, &[century, year, month, day, h, m, s]) => {
            (s, m, h, day, month, year, century)
        }
        _ => return Err(Fault::Length),
    };
    if raw.iter().all(|&byte| byte == 0xFF) {
        return Err(Fault::NotFilled);
    }
    if raw.iter().all(|&byte| byte == 0) {
        return Err(Fault::NotSet);
    }
    // Bytes in another order make years like 1620; no meter of this protocol is older than 2000.
    if bcd::digits(century)? != 20 {
        return Err(Fault::OutOfRange);
    }
    let year = 2000 + u16::from(bcd::digits(year)?);
    let date = Date::new(year, bcd::digits(month)?, bcd::digits(day)?)?;
    let time = TimeOfDay::new(bcd::digits(hour)?, bcd::digits(minute)?, Some(bcd::digits(second)?))?;
    Ok(Moment::new(date, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_does_not_overrule_a_unit_that_may_well_be_so() {
        let item = Item::new(Kind::Volume, Register::default(), Format::Amount(2));
        for profile in [Profile::CUBIC_METRES, Profile::CLOCK_HIGH_FIRST] {
            let field = |code| item.field(&[0x78, 0x56, 0x34, 0x12, code], &profile);
            // None, litres in any multiple, an unknown one; and the same unit.
            for code in [0x00, 0x29, 0x2A, 0x2B, 0x20, 0x2C] {
                assert_eq!(field(code).volume_ul(), Ok(123_456_780_000_000), "{code:02X}");
            }
            // Ten and a hundred m³, kWh, m³/h.
            for code in [0x2D, 0x2E, 0x05, 0x35] {
                assert_eq!(field(code).volume_ul(), Err(Fault::OtherUnit(code)), "{code:02X}");
            }
        }
        let field = item.field(&[0x78, 0x56, 0x34, 0x12, 0x2D], &Profile::STANDARD);
        assert_eq!(field.volume_ul(), Ok(1_234_567_800_000_000));
    }
}
