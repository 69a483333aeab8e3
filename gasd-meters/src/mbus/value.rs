// SPDX-License-Identifier: MIT OR Apache-2.0
//! The data of one record as a value.

use alloc::string::{String, ToString};

use super::address::{Address, letters};
use super::date;
use super::record::{Coding, Record};
use super::table::Form;
use crate::bcd;
use crate::bytes::{Cursor, int_le, uint_le};
use crate::fault::Fault;
use crate::number::{Decimal, Number};
use crate::reading::Value;
use crate::unit::Unit;

/// How a number is scaled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scale {
    /// The power of ten.
    pub exponent: i16,
    /// 10^n that is to be added.
    pub add: Option<i8>,
}

/// The number that most records are; `None` where it is another one, or none.
#[inline]
pub(super) fn plain_number(record: &Record<'_>, form: Form, scale: Scale) -> Option<Number> {
    let (unit, signed) = match form {
        Form::Number(unit) => (unit, true),
        Form::Unsigned(unit) => (unit, false),
        _ => return None,
    };
    let small = matches!(record.coding, Coding::Binary | Coding::Bcd) && record.data.len() <= 8;
    if !small || !record.unit.is_empty() || scale.add.is_some() {
        return None;
    }
    let decimal = scaled(number(record, signed).ok()?, scale).ok()?;
    Some(Number { decimal, unit })
}

/// What `record` says, read as `form`.
pub(super) fn value(record: &Record<'_>, form: Form, scale: Scale) -> Value {
    let data = record.data;
    match (form, record.coding) {
        (Form::Hidden, _) => Value::Absent(Fault::Hidden, [].into()),
        (_, Coding::None) => Value::Absent(Fault::NotFilled, [].into()),
        (Form::Raw, _) | (_, Coding::Wide) => Value::Raw(data.into()),
        (_, Coding::Text) => Value::Text(latin1(data)),
        (Form::Moment, Coding::Binary) => Value::or_absent(date::decode(data), data, Value::Moment),
        (Form::Moment, _) => Value::Absent(Fault::Length, data.into()),
        (Form::Bits, Coding::Binary | Coding::Bcd) if data.len() <= 8 => Value::Bits(uint_le(data)),
        (Form::Bits, Coding::Binary | Coding::Bcd) => Value::Raw(data.into()),
        (Form::Letters, Coding::Binary) => match *data {
            [a, b] => Value::Text(letters(u16::from_le_bytes([a, b]))),
            _ => Value::Absent(Fault::Length, data.into()),
        },
        (Form::Identification, Coding::Binary) if data.len() == 8 => Address::take(&mut Cursor::new(data))
            .map_or_else(|_| Value::Raw(data.into()), |meter| Value::Text(meter.to_string())),
        (Form::Digits | Form::Identification, Coding::Bcd) => {
            Value::or_absent(bcd_digits(data), data, |()| Value::Text(bcd::text(data)))
        }
        _ => {
            let (unit, signed) = match form {
                Form::Number(unit) => (unit, true),
                Form::Unsigned(unit) => (unit, false),
                _ => (Unit::One, false),
            };
            if matches!(record.coding, Coding::Binary) && data.len() > 8 {
                return Value::Raw(data.into());
            }
            let decimal = number(record, signed).and_then(|decimal| scaled(decimal, scale));
            Value::or_absent(decimal, data, |decimal| Value::Number(Number { decimal, unit }))
        }
    }
}

/// Text, the last letter first.
pub(super) fn latin1(reversed: &[u8]) -> String {
    reversed.iter().rev().map(|&c| char::from(c)).collect()
}

fn bcd_digits(data: &[u8]) -> Result<(), Fault> {
    if !data.is_empty() && data.iter().all(|&byte| byte == 0xFF) {
        return Err(Fault::NotFilled);
    }
    data.iter().try_for_each(|&byte| bcd::digits(byte).map(|_| ()))
}

#[inline(always)]
fn number(record: &Record<'_>, signed: bool) -> Result<Decimal, Fault> {
    let data = record.data;
    let whole = match record.coding {
        Coding::Real => {
            let bytes = <[u8; 4]>::try_from(data).map_err(|_| Fault::Length)?;
            return Decimal::from_f32(f32::from_le_bytes(bytes));
        }
        Coding::Bcd => signed_bcd(data)?,
        Coding::NegativeBcd => -bcd::decode(data)?,
        Coding::Binary if data.is_empty() => return Err(Fault::NotFilled),
        Coding::Binary if signed => {
            let lowest = i64::MIN >> (64 - 8 * data.len().min(8));
            let number = int_le(data);
            // Type B: the lowest number stands for "not valid".
            if number == lowest {
                return Err(Fault::NotFilled);
            }
            number
        }
        Coding::Binary => i64::try_from(uint_le(data)).map_err(|_| Fault::TooLarge)?,
        Coding::None | Coding::Text | Coding::Wide => return Err(Fault::Length),
    };
    Ok(Decimal::new(whole, 0))
}

/// Decimal digits; FH as the highest is minus.
#[inline]
fn signed_bcd(data: &[u8]) -> Result<i64, Fault> {
    match data.split_last() {
        Some((&top, low)) if top & 0xF0 == 0xF0 && !data.iter().all(|&byte| byte == 0xFF) => {
            if data.len() > 9 {
                return Err(Fault::TooLarge);
            }
            let top = i64::from(bcd::digits(top & 0x0F)?);
            let number = low.iter().rev().try_fold(top, |number, &byte| {
                Ok::<_, Fault>(number * 100 + i64::from(bcd::digits(byte)?))
            })?;
            Ok(-number)
        }
        _ => bcd::decode(data),
    }
}

#[inline]
fn scaled(decimal: Decimal, scale: Scale) -> Result<Decimal, Fault> {
    let exponent = i16::from(decimal.exponent) + scale.exponent;
    let fault = if exponent > 0 { Fault::TooLarge } else { Fault::TooFine };
    let exponent = i8::try_from(exponent).map_err(|_| fault)?;
    let decimal = Decimal { exponent, ..decimal };
    let Some(add) = scale.add else { return Ok(decimal) };
    // What is added is in units that the power of ten of the VIF does not scale.
    let exponent = decimal.exponent.min(add);
    let sum = decimal.at(exponent)?.checked_add(Decimal::new(1, add).at(exponent)?);
    Ok(Decimal::new(sum.ok_or(Fault::TooLarge)?, exponent))
}
