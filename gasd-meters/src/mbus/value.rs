// SPDX-License-Identifier: MIT OR Apache-2.0
//! The data of one record as a value.

use super::address::Address;
use super::borrowed::{BorrowedValue, Coded, Text};
use super::date;
use super::record::{Coding, Data};
use super::table::Form;
use crate::bcd;
use crate::bytes::{Cursor, int_le, uint_le};
use crate::fault::Fault;
use crate::number::{Decimal, Number};
use crate::unit::Unit;

/// How a number is scaled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scale {
    /// The power of ten.
    pub exponent: i16,
    /// 10^n that is to be added.
    pub add: Option<i8>,
}

/// What the data say, read as `form`.
pub(super) fn value<'a>(data: &Data<'a>, form: Form, scale: Scale) -> BorrowedValue<'a> {
    let bytes = data.bytes;
    let text = |coded| BorrowedValue::Text(Text(coded));
    let absent = |fault| BorrowedValue::Absent(fault, bytes);
    match (form, data.coding) {
        (Form::Hidden, _) => BorrowedValue::Absent(Fault::Hidden, &[]),
        (_, Coding::None) => BorrowedValue::Absent(Fault::NotFilled, &[]),
        (Form::Raw, _) | (_, Coding::Wide) => BorrowedValue::Raw(bytes),
        (_, Coding::Text) => text(Coded::Latin1(bytes)),
        (Form::Moment, Coding::Binary) => date::decode(bytes).map_or_else(absent, BorrowedValue::Moment),
        (Form::Moment, _) => absent(Fault::Length),
        (Form::Bits, Coding::Binary | Coding::Bcd) if bytes.len() <= 8 => BorrowedValue::Bits(uint_le(bytes)),
        (Form::Bits, Coding::Binary | Coding::Bcd) => BorrowedValue::Raw(bytes),
        (Form::Letters, Coding::Binary) => match *bytes {
            [a, b] => text(Coded::Letters(u16::from_le_bytes([a, b]))),
            _ => absent(Fault::Length),
        },
        (Form::Identification, Coding::Binary) if bytes.len() == 8 => Address::take(&mut Cursor::new(bytes))
            .map_or(BorrowedValue::Raw(bytes), |meter| text(Coded::Address(meter))),
        (Form::Digits | Form::Identification, Coding::Bcd) => {
            bcd_digits(bytes).map_or_else(absent, |()| text(Coded::Digits(bytes)))
        }
        _ => {
            let (unit, signed) = match form {
                Form::Number(unit) => (unit, true),
                Form::Unsigned(unit) => (unit, false),
                _ => (Unit::One, false),
            };
            if matches!(data.coding, Coding::Binary) && bytes.len() > 8 {
                return BorrowedValue::Raw(bytes);
            }
            let decimal = number(data, signed).and_then(|decimal| scaled(decimal, scale));
            decimal.map_or_else(absent, |decimal| BorrowedValue::Number(Number { decimal, unit }))
        }
    }
}

fn bcd_digits(data: &[u8]) -> Result<(), Fault> {
    if !data.is_empty() && data.iter().all(|&byte| byte == 0xFF) {
        return Err(Fault::NotFilled);
    }
    data.iter().try_for_each(|&byte| bcd::digits(byte).map(|_| ()))
}

fn number(data: &Data<'_>, signed: bool) -> Result<Decimal, Fault> {
    let bytes = data.bytes;
    let whole = match data.coding {
        Coding::Real => {
            let bytes = <[u8; 4]>::try_from(bytes).map_err(|_| Fault::Length)?;
            return Decimal::from_f32(f32::from_le_bytes(bytes));
        }
        Coding::Bcd => signed_bcd(bytes)?,
        Coding::NegativeBcd => -bcd::decode(bytes)?,
        Coding::Binary if bytes.is_empty() => return Err(Fault::NotFilled),
        Coding::Binary if signed => {
            let lowest = i64::MIN >> (64 - 8 * bytes.len().min(8));
            let number = int_le(bytes);
            // Type B: the lowest number stands for "not valid".
            if number == lowest {
                return Err(Fault::NotFilled);
            }
            number
        }
        Coding::Binary => i64::try_from(uint_le(bytes)).map_err(|_| Fault::TooLarge)?,
        Coding::None | Coding::Text | Coding::Wide => return Err(Fault::Length),
    };
    Ok(Decimal::new(whole, 0))
}

/// Decimal digits; FH as the highest is minus.
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
