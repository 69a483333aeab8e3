// SPDX-License-Identifier: MIT OR Apache-2.0
//! One record without a copy of any of its bytes: for whoever looks at it and lets it go.

use alloc::string::String;
use core::fmt::{self, Write};

use super::address::{Address, letters};
use crate::bcd;
use crate::fault::Fault;
use crate::kind::{Kind, Named, Register};
use crate::number::Number;
use crate::reading::{Field, Value};
use crate::time::Moment;

/// As a [`Field`], whose bytes are still those of the telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BorrowedField<'a> {
    /// What it is.
    pub kind: Kind,
    /// Which register of the meter.
    pub register: Register,
    /// What it says.
    pub value: BorrowedValue<'a>,
    /// Why its value is not to be trusted although there is one.
    pub doubt: Option<Fault>,
    /// The unit as text, the last letter first.
    pub(super) unit: &'a [u8],
}

/// As a [`Value`], whose bytes are still those of the telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BorrowedValue<'a> {
    /// A number with its unit.
    Number(Number),
    /// A date, a time or both.
    Moment(Moment),
    /// Text.
    Text(Text<'a>),
    /// Bits, the first byte of the field the lowest.
    Bits(u64),
    /// Bytes that the codec has no format for, as the meter sent them.
    Raw(&'a [u8]),
    /// No value: why, and the bytes in its place.
    Absent(Fault, &'a [u8]),
}

/// Text of a record, as the meter codes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub(super) Coded<'a>);

/// How text is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coded<'a> {
    /// Latin 1, the last letter first.
    Latin1(&'a [u8]),
    /// Decimal digits, the last two first.
    Digits(&'a [u8]),
    /// The three letters of a manufacturer.
    Letters(u16),
    /// A whole address.
    Address(Address),
}

impl<'a> BorrowedField<'a> {
    /// What the meter itself calls its unit, where it sends a text for that.
    #[must_use]
    pub fn label(&self) -> Option<Text<'a>> {
        (!self.unit.is_empty()).then_some(Text(Coded::Latin1(self.unit)))
    }

    /// Its name: `volume, storage 1`.
    #[must_use]
    pub const fn name(&self) -> Named {
        Named(self.kind, self.register)
    }

    /// The same, to keep.
    #[must_use]
    pub fn to_field(&self) -> Field {
        let Self { kind, register, value, doubt, .. } = *self;
        Field { kind, register, value: value.to_value(), doubt, label: self.label().map(Text::to_text) }
    }
}

impl BorrowedValue<'_> {
    /// The number, where there is one.
    #[must_use]
    pub const fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The same, to keep.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Number(number) => Value::Number(number),
            Self::Moment(moment) => Value::Moment(moment),
            Self::Text(text) => Value::Text(text.to_text()),
            Self::Bits(bits) => Value::Bits(bits),
            Self::Raw(bytes) => Value::Raw(bytes.into()),
            Self::Absent(fault, bytes) => Value::Absent(fault, bytes.into()),
        }
    }
}

impl Text<'_> {
    /// The text, to keep.
    #[must_use]
    pub fn to_text(self) -> String {
        match self.0 {
            Coded::Latin1(reversed) => reversed.iter().rev().copied().map(char::from).collect(),
            Coded::Digits(bytes) => bcd::text(bytes),
            Coded::Letters(code) => letters(code),
            Coded::Address(address) => alloc::format!("{address}"),
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Coded::Latin1(reversed) => reversed.iter().rev().try_for_each(|&c| f.write_char(c.into())),
            Coded::Digits(bytes) => bytes.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}")),
            Coded::Letters(code) => f.write_str(&letters(code)),
            Coded::Address(address) => address.fmt(f),
        }
    }
}
