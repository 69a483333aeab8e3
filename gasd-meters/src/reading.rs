// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one answer of a meter says, in the order of its frame.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::{Kind, Named, Register};
use crate::medium::Medium;
use crate::number::Number;
use crate::status::{Flags, Valve};
use crate::time::Moment;

/// Who speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The meter's number as printed on it: digits, the most significant first.
    pub id: String,
    /// Who made it, in the protocol's own code.
    pub manufacturer: Option<String>,
    /// What it meters.
    pub medium: Medium,
    /// Version or generation of the device.
    pub version: Option<u8>,
    /// The number of the radio that speaks for the meter, where that is another device.
    pub radio_id: Option<String>,
}

/// What a field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number with its unit.
    Number(Number),
    /// A date, a time or both.
    Moment(Moment),
    /// Text.
    Text(String),
    /// Bits, the first byte of the field the lowest.
    Bits(u64),
    /// Bytes that the codec has no format for, as the meter sent them.
    Raw(Vec<u8>),
    /// No value: why, and the bytes in its place.
    Absent(Fault, Vec<u8>),
}

impl Value {
    /// The number, where there is one.
    #[must_use]
    pub const fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The number or time, or what is wrong with the `raw` bytes of it.
    #[inline]
    pub fn or_absent<T>(result: Result<T, Fault>, raw: &[u8], make: impl FnOnce(T) -> Self) -> Self {
        match result {
            Ok(value) => make(value),
            Err(fault) => Self::Absent(fault, raw.into()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Moment(moment) => moment.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bits(bits) => write!(f, "{bits:#b}"),
            Self::Raw(bytes) => write!(f, "bytes {}", Hex(bytes)),
            Self::Absent(fault, bytes) => write!(f, "no value ({}): {fault}", Hex(bytes)),
        }
    }
}

/// One field of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub kind: Kind,
    /// Which register of the meter.
    pub register: Register,
    /// What it says.
    pub value: Value,
    /// Why its value is not to be trusted although there is one.
    pub doubt: Option<Fault>,
    /// What the meter itself calls it, or its unit, where it sends a text for that.
    pub label: Option<String>,
}

impl Field {
    /// A field that is not in doubt.
    #[must_use]
    pub const fn new(kind: Kind, register: Register, value: Value) -> Self {
        Self { kind, register, value, doubt: None, label: None }
    }

    /// Its volume, µL, exactly, where it is one and beyond doubt.
    ///
    /// # Errors
    ///
    /// Why not: the doubt, what is wrong with the field, or [`Number::volume_ul`].
    pub fn volume_ul(&self) -> Result<i64, Fault> {
        match (&self.value, self.doubt) {
            (_, Some(doubt)) => Err(doubt),
            (Value::Absent(fault, _), _) => Err(*fault),
            (Value::Number(number), _) => number.volume_ul(),
            _ => Err(Fault::OtherDimension),
        }
    }

    /// Its name: `forward_active_energy`, `volume, settlement`.
    #[must_use]
    pub const fn name(&self) -> Named {
        Named(self.kind, self.register)
    }
}

/// What a meter said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Who.
    pub meter: Identity,
    /// The fields, in the order of the frame.
    pub fields: Vec<Field>,
    /// Where its valve is; `None` where it does not say.
    pub valve: Option<Valve>,
    /// What else it says of itself.
    pub flags: Flags,
    /// Whether more of the same follows in another frame.
    pub more: bool,
}

impl Reading {
    /// The first field of this kind in the plain register.
    #[must_use]
    pub fn get(&self, kind: Kind) -> Option<&Field> {
        self.get_at(kind, Register::default())
    }

    /// The first field of this kind and register.
    #[must_use]
    pub fn get_at(&self, kind: Kind, register: Register) -> Option<&Field> {
        self.fields.iter().find(|field| field.kind == kind && field.register == register)
    }

    /// The meter's clock: `None` where the answer has none, else the time or why there is none.
    #[must_use]
    pub fn clock(&self) -> Option<Result<Moment, Fault>> {
        let field = self.get(Kind::Clock)?;
        Some(match (&field.value, field.doubt) {
            (_, Some(doubt)) => Err(doubt),
            (Value::Moment(moment), None) => Ok(*moment),
            (Value::Absent(fault, _), None) => Err(*fault),
            _ => Err(Fault::OtherDimension),
        })
    }
}
