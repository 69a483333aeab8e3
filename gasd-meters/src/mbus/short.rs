// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records without VIFEs, which most are: read in one go, so that a number never touches memory before it is where it stays.
//!
//! What this does not read, for whatever reason, `record` and `meaning` do; what it reads, they read as the same.

use super::borrowed::BorrowedValue;
use super::record::{Coding, Data, shape};
use super::table::{FB, FD, Form, PRIMARY, find};
use super::value::{Scale, value};
use crate::bcd;
use crate::bytes::uint_le;
use crate::kind::{Direction, Function, Kind, Period, Phase, Register};
use crate::medium::Medium;
use crate::number::{Decimal, Number};

/// Most DIFEs, so that every part of a register has its place.
const MOST: u32 = 4;

/// A record without VIFEs, but for one that FB and FD make the code of another table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short<'a> {
    pub kind: Kind,
    pub register: Register,
    form: Form,
    exponent: i8,
    coding: Coding,
    /// One to eight.
    data: &'a [u8],
    /// The data as one number, the low byte first, in the highest bits.
    high: u64,
}

/// The record that `bytes` of a meter for `medium` begin with, and what is behind it.
#[inline(always)]
pub(super) fn read(bytes: &[u8], medium: Medium) -> Option<(Short<'_>, &[u8])> {
    let (&dif, mut rest) = bytes.split_first()?;
    let (coding, len) = shape(dif);
    if len == 0 {
        return None;
    }
    let (mut storage, mut tariff, mut subunit) = (u32::from(dif >> 6 & 1), 0, 0);
    let (mut last, mut n) = (dif, 0);
    while last & 0x80 != 0 {
        let (&byte, behind) = rest.split_first()?;
        if n == MOST {
            return None;
        }
        storage |= u32::from(byte & 0x0F) << (1 + 4 * n);
        tariff |= u32::from(byte >> 4 & 0x3) << (2 * n);
        subunit |= u32::from(byte >> 6 & 1) << n;
        (last, n, rest) = (byte, n + 1, behind);
    }
    let (&vif, mut rest) = rest.split_first()?;
    let row = if vif < 0x7C {
        find(&PRIMARY, vif)?
    } else {
        let table = match vif {
            0xFB => &FB,
            0xFD => &FD,
            _ => return None,
        };
        let (&code, behind) = rest.split_first()?;
        if code & 0x80 != 0 {
            return None;
        }
        rest = behind;
        find(table, code)?
    };
    let (data, behind) = rest.split_at_checked(len)?;
    let low = rest.first_chunk().map_or_else(|| uint_le(rest), |eight| u64::from_le_bytes(*eight));
    let high = low << (64 - 8 * len as u32);
    let register = Register {
        period: if storage == 0 { Period::Current } else { Period::Storage(storage) },
        function: Function::of_dif(dif),
        direction: Direction::Any,
        phase: Phase::All,
        tariff,
        subunit,
    };
    let kind = row.kind.of(&register, medium, coding, len);
    Some((Short { kind, register, form: row.form, exponent: row.exponent, coding, data, high }, behind))
}

impl<'a> Short<'a> {
    /// The number that most are; `None` where it is another one, or none.
    #[inline(always)]
    pub fn number(&self) -> Option<Number> {
        let (unit, signed) = match self.form {
            Form::Number(unit) => (unit, true),
            Form::Unsigned(unit) => (unit, false),
            _ => return None,
        };
        let unused = 64 - 8 * self.data.len() as u32;
        let mantissa = match self.coding {
            // The lowest number is none.
            Coding::Binary if signed && self.high != 1 << 63 => (self.high as i64) >> unused,
            Coding::Binary if !signed => i64::try_from(self.high >> unused).ok()?,
            Coding::Bcd => bcd::word(self.high >> unused)?,
            _ => return None,
        };
        Some(Number { decimal: Decimal { mantissa, exponent: self.exponent }, unit })
    }

    /// What it says, whatever that is.
    pub fn value(&self) -> BorrowedValue<'a> {
        let data = Data { body: self.data, bytes: self.data, coding: self.coding };
        value(&data, self.form, Scale { exponent: self.exponent.into(), add: None })
    }
}
