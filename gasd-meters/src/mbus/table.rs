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

/// What a code means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub kind: Kind,
    pub form: Form,
    /// The power of ten.
    pub exponent: i8,
}

/// Codes `first..=last`: the power of ten of a number is `row`'s at the first and one more at each that follows.
#[derive(Clone, Copy)]
struct Rows {
    first: u8,
    last: u8,
    row: Row,
}

/// What each code means, all worked out: [`find`].
pub(super) struct Table([Option<Row>; 128]);

impl Table {
    const fn new(rows: &[Rows]) -> Self {
        let (mut table, mut n) = ([None; 128], 0);
        while n < rows.len() {
            let Rows { first, last, row } = rows[n];
            assert!(first <= last && last < 128);
            let mut code = first;
            while code <= last {
                let step = code - first;
                let row = match row.form {
                    Form::Span => Row { form: Form::Number(span(step)), ..row },
                    Form::Number(_) => Row { exponent: row.exponent + step as i8, ..row },
                    _ => row,
                };
                assert!(table[code as usize].is_none(), "no code is there twice");
                table[code as usize] = Some(row);
                code += 1;
            }
            n += 1;
        }
        Self(table)
    }
}

/// What `code` means in `table`.
#[inline]
pub(super) fn find(table: &Table, code: u8) -> Option<Row> {
    // Codes have seven bits.
    *table.0.get(usize::from(code & 0x7F))?
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

const fn row(first: u8, last: u8, kind: Kind, form: Form, exponent: i8) -> Rows {
    Rows { first, last, row: Row { kind, form, exponent } }
}

const fn number(first: u8, last: u8, kind: Kind, unit: Unit, exponent: i8) -> Rows {
    row(first, last, kind, Form::Number(unit), exponent)
}

/// One code whose number has no power of ten.
const fn one(code: u8, kind: Kind, form: Form) -> Rows {
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
    // Its unit is in plain text.
    one(0x7C, Kind::Variable, Form::Number(Unit::Unknown)),
    // Any unit: stands in requests.
    one(0x7E, Kind::Unknown, Form::Number(Unit::Unknown)),
    one(0x7F, Kind::ManufacturerData, Form::Raw),
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
    fn codes_are_worked_out() {
        let volume = find(&PRIMARY, 0x13).expect("a row");
        assert_eq!((volume.kind, volume.exponent), (Kind::Volume, -3));
        assert_eq!(find(&PRIMARY, 0x26).expect("a row").form, Form::Number(Unit::Hour));
        assert_eq!(find(&FD, 0x4F).expect("a row").exponent, 6);
        assert!(find(&PRIMARY, 0x6F).is_none() && find(&NONE, 0x13).is_none());
    }
}
