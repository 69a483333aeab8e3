// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the VIFs mean: the tables of EN 13757-3, primary, FB and FD.

use crate::kind::Kind;
use crate::unit::Unit;

/// How the data of a VIF are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A number with a sign, in steps of a power of ten of the unit.
    Number(Unit),
    /// A number without a sign.
    Unsigned(Unit),
    /// A number whose digits are a name: zeros at its front count.
    Digits,
    /// As `Digits`, or a whole address in eight bytes.
    Identification,
    /// A span of time, in s, min, h, d by the two lowest bits.
    Span,
    /// A date, a time, or both.
    Moment,
    /// Flags.
    Bits,
    /// Three letters in two bytes.
    Letters,
    /// Bytes.
    Raw,
    /// Something that is nobody's business, as a password.
    Hidden,
}

/// Codes `first..=last`: the power of ten is `exponent` at the first and one more at each that follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    first: u8,
    last: u8,
    pub kind: Kind,
    pub form: Form,
    pub exponent: i8,
}

/// A table, and where in it the row of each code is.
pub(super) struct Table {
    rows: &'static [Row],
    places: [u8; 128],
}

/// The place of a code that has no row.
const NOWHERE: u8 = 0xFF;

impl Table {
    const fn new(rows: &'static [Row]) -> Self {
        let (mut places, mut n) = ([NOWHERE; 128], 0);
        while n < rows.len() {
            let mut code = rows[n].first;
            while code <= rows[n].last {
                places[code as usize] = n as u8;
                code += 1;
            }
            n += 1;
        }
        Self { rows, places }
    }
}

/// `code` in `table`, its power of ten that of the code.
#[inline]
pub(super) fn find(table: &Table, code: u8) -> Option<Row> {
    let row = table.rows.get(usize::from(*table.places.get(usize::from(code))?))?;
    let step = code - row.first;
    Some(match row.form {
        Form::Span => Row { form: Form::Number(span(step)), ..*row },
        Form::Number(_) => Row { exponent: row.exponent.saturating_add_unsigned(step), ..*row },
        _ => *row,
    })
}

/// The unit of the two lowest bits of a span of time.
pub(super) const fn span(code: u8) -> Unit {
    match code & 0x3 {
        0 => Unit::Second,
        1 => Unit::Minute,
        2 => Unit::Hour,
        _ => Unit::Day,
    }
}

const fn row(first: u8, last: u8, kind: Kind, form: Form, exponent: i8) -> Row {
    Row { first, last, kind, form, exponent }
}

const fn number(first: u8, last: u8, kind: Kind, unit: Unit, exponent: i8) -> Row {
    row(first, last, kind, Form::Number(unit), exponent)
}

/// One code whose number has no power of ten.
const fn one(code: u8, kind: Kind, form: Form) -> Row {
    row(code, code, kind, form, 0)
}

/// A third table, which nobody has filled.
pub(super) static NONE: Table = Table::new(&[]);

/// The VIF itself.
pub(super) static PRIMARY: Table = Table::new(&[
    number(0x00, 0x07, Kind::Energy, Unit::WattHour, -3),
    number(0x08, 0x0F, Kind::Energy, Unit::Joule, 0),
    number(0x10, 0x17, Kind::Volume, Unit::CubicMetre, -6),
    number(0x18, 0x1F, Kind::Mass, Unit::Kilogram, -3),
    row(0x20, 0x23, Kind::OnTime, Form::Span, 0),
    row(0x24, 0x27, Kind::OperatingTime, Form::Span, 0),
    number(0x28, 0x2F, Kind::Power, Unit::Watt, -3),
    number(0x30, 0x37, Kind::Power, Unit::JoulePerHour, 0),
    number(0x38, 0x3F, Kind::Flow, Unit::CubicMetrePerHour, -6),
    number(0x40, 0x47, Kind::Flow, Unit::CubicMetrePerMinute, -7),
    number(0x48, 0x4F, Kind::Flow, Unit::CubicMetrePerSecond, -9),
    number(0x50, 0x57, Kind::MassFlow, Unit::KilogramPerHour, -3),
    number(0x58, 0x5B, Kind::SupplyTemperature, Unit::Celsius, -3),
    number(0x5C, 0x5F, Kind::ReturnTemperature, Unit::Celsius, -3),
    number(0x60, 0x63, Kind::TemperatureDifference, Unit::Kelvin, -3),
    number(0x64, 0x67, Kind::AmbientTemperature, Unit::Celsius, -3),
    number(0x68, 0x6B, Kind::Pressure, Unit::Bar, -3),
    one(0x6C, Kind::Clock, Form::Moment),
    one(0x6D, Kind::Clock, Form::Moment),
    one(0x6E, Kind::HeatCost, Form::Number(Unit::AllocatorUnit)),
    row(0x70, 0x73, Kind::Duration, Form::Span, 0),
    row(0x74, 0x77, Kind::Duration, Form::Span, 0),
    one(0x78, Kind::MeterNumber, Form::Digits),
    one(0x79, Kind::MeterNumber, Form::Identification),
    one(0x7A, Kind::Address, Form::Unsigned(Unit::One)),
]);

/// Behind FB.
pub(super) static FB: Table = Table::new(&[
    number(0x00, 0x01, Kind::Energy, Unit::MegawattHour, -1),
    number(0x02, 0x03, Kind::ReactiveEnergy, Unit::KilovarHour, 0),
    number(0x04, 0x05, Kind::ApparentEnergy, Unit::KilovoltAmpereHour, 0),
    number(0x08, 0x09, Kind::Energy, Unit::Gigajoule, -1),
    // Calories are left out on purpose: what is a calorie, the standard does not say to six digits.
    number(0x10, 0x11, Kind::Volume, Unit::CubicMetre, 2),
    number(0x14, 0x17, Kind::ReactivePower, Unit::Kilovar, -3),
    number(0x18, 0x19, Kind::Mass, Unit::Tonne, 2),
    number(0x1A, 0x1B, Kind::Humidity, Unit::Percent, -1),
    number(0x28, 0x29, Kind::Power, Unit::Megawatt, -1),
    number(0x2C, 0x2F, Kind::Frequency, Unit::Hertz, -3),
    number(0x30, 0x31, Kind::Power, Unit::GigajoulePerHour, -1),
    number(0x34, 0x37, Kind::ApparentPower, Unit::KilovoltAmpere, -3),
    // Before 2004.
    number(0x58, 0x5B, Kind::SupplyTemperature, Unit::Fahrenheit, -3),
    number(0x5C, 0x5F, Kind::ReturnTemperature, Unit::Fahrenheit, -3),
    number(0x64, 0x67, Kind::AmbientTemperature, Unit::Fahrenheit, -3),
    number(0x70, 0x73, Kind::Setting, Unit::Fahrenheit, -3),
    number(0x74, 0x77, Kind::Setting, Unit::Celsius, -3),
    number(0x78, 0x7F, Kind::Demand, Unit::Watt, -3),
]);

/// Behind FD.
pub(super) static FD: Table = Table::new(&[
    number(0x00, 0x03, Kind::Credit, Unit::Currency, -3),
    number(0x04, 0x07, Kind::Credit, Unit::Currency, -3),
    one(0x08, Kind::Count, Form::Unsigned(Unit::One)),
    one(0x09, Kind::Setting, Form::Unsigned(Unit::One)),
    one(0x0A, Kind::Manufacturer, Form::Letters),
    one(0x0B, Kind::Setting, Form::Digits),
    one(0x0C, Kind::Model, Form::Digits),
    row(0x0D, 0x0F, Kind::Version, Form::Digits, 0),
    row(0x10, 0x11, Kind::Setting, Form::Digits, 0),
    // Access codes of four kinds of people, and a password.
    row(0x12, 0x16, Kind::Setting, Form::Hidden, 0),
    one(0x17, Kind::ErrorFlags, Form::Bits),
    one(0x18, Kind::Setting, Form::Bits),
    one(0x19, Kind::KeyVersion, Form::Hidden),
    one(0x1A, Kind::DigitalOutput, Form::Bits),
    one(0x1B, Kind::DigitalInput, Form::Bits),
    one(0x1C, Kind::Setting, Form::Unsigned(Unit::One)),
    row(0x1D, 0x1F, Kind::Setting, Form::Unsigned(Unit::One), 0),
    row(0x20, 0x22, Kind::Setting, Form::Unsigned(Unit::One), 0),
    one(0x23, Kind::Setting, Form::Raw),
    row(0x24, 0x27, Kind::Duration, Form::Span, 0),
    one(0x28, Kind::Duration, Form::Number(Unit::Month)),
    one(0x29, Kind::Duration, Form::Number(Unit::Year)),
    one(0x2A, Kind::Setting, Form::Raw),
    one(0x2B, Kind::Moment, Form::Unsigned(Unit::Second)),
    row(0x2C, 0x2F, Kind::Duration, Form::Span, 0),
    one(0x30, Kind::Moment, Form::Moment),
    one(0x31, Kind::Duration, Form::Number(Unit::Minute)),
    one(0x32, Kind::Duration, Form::Number(Unit::Hour)),
    one(0x33, Kind::Duration, Form::Number(Unit::Day)),
    row(0x34, 0x37, Kind::Duration, Form::Span, 0),
    one(0x38, Kind::Duration, Form::Number(Unit::Month)),
    one(0x39, Kind::Duration, Form::Number(Unit::Year)),
    one(0x3A, Kind::Variable, Form::Number(Unit::One)),
    one(0x3B, Kind::Setting, Form::Raw),
    row(0x3C, 0x3F, Kind::Duration, Form::Span, 0),
    number(0x40, 0x4F, Kind::Voltage, Unit::Volt, -9),
    number(0x50, 0x5F, Kind::Current, Unit::Ampere, -12),
    row(0x60, 0x61, Kind::Count, Form::Unsigned(Unit::One), 0),
    row(0x62, 0x64, Kind::Setting, Form::Unsigned(Unit::One), 0),
    one(0x65, Kind::Setting, Form::Raw),
    one(0x66, Kind::Setting, Form::Unsigned(Unit::One)),
    one(0x67, Kind::Setting, Form::Raw),
    one(0x68, Kind::Duration, Form::Number(Unit::Hour)),
    one(0x69, Kind::Duration, Form::Number(Unit::Day)),
    one(0x6A, Kind::Duration, Form::Number(Unit::Month)),
    one(0x6B, Kind::Duration, Form::Number(Unit::Year)),
    one(0x6C, Kind::Duration, Form::Number(Unit::Hour)),
    one(0x6D, Kind::Duration, Form::Number(Unit::Day)),
    one(0x6E, Kind::Duration, Form::Number(Unit::Month)),
    one(0x6F, Kind::Duration, Form::Number(Unit::Year)),
    one(0x70, Kind::Moment, Form::Moment),
    one(0x71, Kind::Signal, Form::Number(Unit::DecibelMilliwatt)),
    row(0x72, 0x73, Kind::Setting, Form::Raw, 0),
    one(0x74, Kind::Battery, Form::Number(Unit::Day)),
    one(0x75, Kind::Count, Form::Unsigned(Unit::One)),
    one(0x76, Kind::ManufacturerData, Form::Raw),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_there_twice() {
        for table in [&PRIMARY, &FB, &FD] {
            for code in 0..=0xFF {
                let rows = table.rows.iter().filter(|row| (row.first..=row.last).contains(&code)).count();
                assert!(rows <= 1 && (code < 0x80 || rows == 0), "{code:02X}");
                let found = find(table, code);
                assert_eq!(found.is_some(), rows == 1, "{code:02X}");
                assert!(found.is_none_or(|row| (row.first..=row.last).contains(&code)), "{code:02X}");
            }
        }
        let volume = find(&PRIMARY, 0x13).expect("a row");
        assert_eq!((volume.kind, volume.exponent), (Kind::Volume, -3));
        assert_eq!(find(&PRIMARY, 0x26).expect("a row").form, Form::Number(Unit::Hour));
        assert!(find(&PRIMARY, 0x6F).is_none());
    }
}
