// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exact numbers: a meter's digits are never rounded on their way.

use alloc::format;
use core::fmt;

use crate::fault::Fault;
use crate::unit::Unit;

/// `mantissa` · 10^`exponent`. The exponent is also the resolution: 5.00 is 500 · 10⁻², not 5 · 10⁰.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits.
    pub mantissa: i64,
    /// The power of ten.
    pub exponent: i8,
}

impl Decimal {
    /// `mantissa` · 10^`exponent`.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// The shortest decimal that reads back as the same `f32`.
    ///
    /// # Errors
    ///
    /// [`Fault::NotANumber`] of a NaN or an infinity.
    pub fn from_f32(value: f32) -> Result<Self, Fault> {
        if !value.is_finite() {
            return Err(Fault::NotANumber);
        }
        Digits::of(value)
    }

    /// The shortest decimal that reads back as the same `f64`.
    ///
    /// # Errors
    ///
    /// [`Fault::NotANumber`] of a NaN or an infinity; [`Fault::TooLarge`] or [`Fault::TooFine`] of an
    /// exponent that an `i8` does not hold.
    pub fn from_f64(value: f64) -> Result<Self, Fault> {
        if !value.is_finite() {
            return Err(Fault::NotANumber);
        }
        Digits::of(value)
    }

    /// The same digits, 10^`by` times as much.
    ///
    /// # Errors
    ///
    /// [`Fault::TooLarge`] or [`Fault::TooFine`] where the exponent has no place.
    pub fn scaled(self, by: i8) -> Result<Self, Fault> {
        let fault = if by > 0 { Fault::TooLarge } else { Fault::TooFine };
        Ok(Self { exponent: self.exponent.checked_add(by).ok_or(fault)?, ..self })
    }

    /// The whole number of 10^`exponent`, exactly.
    ///
    /// # Errors
    ///
    /// [`Fault::TooFine`] where digits would be lost, [`Fault::TooLarge`] where an `i64` does not hold it.
    pub fn at(self, exponent: i8) -> Result<i64, Fault> {
        if self.mantissa == 0 {
            return Ok(0);
        }
        let by = i16::from(self.exponent) - i16::from(exponent);
        let power = 10i64.checked_pow(u32::from(by.unsigned_abs()));
        if by >= 0 {
            power.and_then(|p| self.mantissa.checked_mul(p)).ok_or(Fault::TooLarge)
        } else {
            match power {
                Some(p) if self.mantissa % p == 0 => Ok(self.mantissa / p),
                _ => Err(Fault::TooFine),
            }
        }
    }

    /// The nearest `f64`, for charts and comparisons, not for sums.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // The parser of the standard library rounds once and right; a product of powers would not.
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f64::NAN)
    }
}

/// The decimal that a float's shortest digits are, as they are written: `-1.25e-3`.
#[derive(Default)]
struct Digits {
    mantissa: i64,
    exponent: i16,
    negative: bool,
    places: i16,
    part: Part,
}

/// Where in a float's digits the next one stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Whole,
    Fraction,
    Exponent,
    NegativeExponent,
}

impl Digits {
    fn of(value: impl fmt::LowerExp) -> Result<Decimal, Fault> {
        let mut digits = Self::default();
        fmt::write(&mut digits, format_args!("{value:e}")).map_err(|_| Fault::TooLarge)?;
        let exponent = if digits.part == Part::NegativeExponent { -digits.exponent } else { digits.exponent };
        let exponent = exponent - digits.places;
        let fault = if exponent > 0 { Fault::TooLarge } else { Fault::TooFine };
        let exponent = i8::try_from(exponent).map_err(|_| fault)?;
        Ok(Decimal { mantissa: if digits.negative { -digits.mantissa } else { digits.mantissa }, exponent })
    }
}

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            match (byte, self.part) {
                (b'-', Part::Exponent) => self.part = Part::NegativeExponent,
                (b'-', _) => self.negative = true,
                (b'.', _) => self.part = Part::Fraction,
                (b'e', _) => self.part = Part::Exponent,
                // At most 17 digits, and three of an exponent.
                (digit, Part::Exponent | Part::NegativeExponent) => {
                    self.exponent = self.exponent * 10 + i16::from(digit.wrapping_sub(b'0'));
                }
                (digit, part) => {
                    self.mantissa = self.mantissa * 10 + i64::from(digit.wrapping_sub(b'0'));
                    self.places += i16::from(part == Part::Fraction);
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Decimal {
    /// With every digit that the meter gives: `556677.00`, `-0.05`, `1200`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // More zeros than a person counts.
        if !(-18..=18).contains(&self.exponent) {
            return write!(f, "{}e{}", self.mantissa, self.exponent);
        }
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let (digits, places) = (self.mantissa.unsigned_abs(), usize::from(self.exponent.unsigned_abs()));
        if self.exponent >= 0 {
            let zeros = if digits == 0 { 0 } else { places };
            return write!(f, "{sign}{digits}{:0<zeros$}", "");
        }
        let power = 10u64.pow(u32::from(self.exponent.unsigned_abs()));
        write!(f, "{sign}{}.{:0places$}", digits / power, digits % power)
    }
}

/// A decimal with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    /// How many.
    pub decimal: Decimal,
    /// Of what.
    pub unit: Unit,
}

impl Number {
    /// `mantissa` · 10^`exponent` `unit`.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8, unit: Unit) -> Self {
        Self { decimal: Decimal::new(mantissa, exponent), unit }
    }

    /// How many of the unit's base, exactly: 2.50 kWh are 250 · 10¹ Wh.
    ///
    /// # Errors
    ///
    /// See [`Decimal::scaled`].
    pub fn in_base(self) -> Result<Self, Fault> {
        let (unit, scale) = self.unit.base();
        Ok(Self { decimal: self.decimal.scaled(scale)?, unit })
    }

    /// A volume, µL, exactly.
    ///
    /// # Errors
    ///
    /// [`Fault::UnknownUnit`] (code 0) or [`Fault::OtherDimension`] where this is no volume,
    /// [`Fault::TooFine`] below 1 µL, [`Fault::TooLarge`] beyond 9.2 · 10⁹ m³.
    pub fn volume_ul(self) -> Result<i64, Fault> {
        let base = self.in_base()?;
        match base.unit {
            Unit::CubicMetre => base.decimal.at(-9),
            Unit::Unknown => Err(Fault::UnknownUnit(0)),
            _ => Err(Fault::OtherDimension),
        }
    }

    /// The volume, µL, of one step of the last digit; `None` where this is no volume, or it is finer.
    #[must_use]
    pub fn resolution_ul(self) -> Option<i64> {
        Self { decimal: Decimal { mantissa: 1, ..self.decimal }, ..self }.volume_ul().ok()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::One => write!(f, "{}", self.decimal),
            Unit::Unknown => write!(f, "{} of an unknown unit", self.decimal),
            unit => write!(f, "{} {unit}", self.decimal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_digit_is_shown() {
        assert_eq!(Decimal::new(55_667_700, -2).to_string(), "556677.00");
        assert_eq!(Decimal::new(-5, -2).to_string(), "-0.05");
        assert_eq!(Decimal::new(12, 2).to_string(), "1200");
        assert_eq!(Decimal::new(0, 3).to_string(), "0");
        assert_eq!(Decimal::new(i64::MIN, 0).to_string(), "-9223372036854775808");
        assert_eq!(Decimal::new(7, -18).to_string(), "0.000000000000000007");
        assert_eq!(Decimal::new(7, 100).to_string(), "7e100");
        assert_eq!(Number::new(250, -2, Unit::KilowattHour).to_string(), "2.50 kWh");
    }

    #[test]
    fn volumes_are_exact() {
        assert_eq!(Number::new(55_667_700, -2, Unit::CubicMetre).volume_ul(), Ok(556_677_000_000_000));
        assert_eq!(Number::new(17_047, -2, Unit::Litre).volume_ul(), Ok(170_470_000));
        assert_eq!(Number::new(15, -4, Unit::Litre).volume_ul(), Ok(1_500));
        assert_eq!(Number::new(15, -7, Unit::Litre).volume_ul(), Err(Fault::TooFine));
        assert_eq!(Number::new(150, -7, Unit::Litre).volume_ul(), Ok(15));
        assert_eq!(Number::new(i64::MAX, 0, Unit::CubicMetre).volume_ul(), Err(Fault::TooLarge));
        assert_eq!(Number::new(1, 0, Unit::Unknown).volume_ul(), Err(Fault::UnknownUnit(0)));
        assert_eq!(Number::new(1, 0, Unit::KilowattHour).volume_ul(), Err(Fault::OtherDimension));
        assert_eq!(Number::new(0, 127, Unit::CubicMetre).volume_ul(), Ok(0));
        assert_eq!(Number::new(555, -2, Unit::CubicMetre).resolution_ul(), Some(10_000_000));
    }

    #[test]
    fn floats_keep_their_shortest_digits() {
        assert_eq!(Decimal::from_f32(5866.143), Ok(Decimal::new(5_866_143, -3)));
        assert_eq!(Decimal::from_f32(-0.1), Ok(Decimal::new(-1, -1)));
        assert_eq!(Decimal::from_f32(1e20), Ok(Decimal::new(1, 20)));
        assert_eq!(Decimal::from_f64(0.1 + 0.2), Ok(Decimal::new(30_000_000_000_000_004, -17)));
        assert_eq!(Decimal::from_f64(1e200), Err(Fault::TooLarge));
        assert_eq!(Decimal::from_f64(1e-200), Err(Fault::TooFine));
        assert_eq!(Decimal::from_f32(f32::NAN), Err(Fault::NotANumber));
        assert_eq!(
            Decimal::from_f64(-1.2345678901234567e-100),
            Ok(Decimal::new(-12_345_678_901_234_567, -116))
        );
        assert_eq!(Decimal::from_f32(f32::MAX).map(Decimal::to_f64), Ok(3.4028235e38));
    }
}
