// SPDX-License-Identifier: MIT OR Apache-2.0
//! Variables: a unit and a float, or why there is none.

use super::status::Status;
use super::unit::{NOT_USED, unit};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::fault::Fault;
use crate::kind::{Kind, Register};
use crate::number::{Decimal, Number};
use crate::reading::{Field, Value};
use crate::trace::Trace;
use crate::unit::Unit;

/// Which of a device's variables a value is. In a reading it is the register's subunit: 0 for the primary
/// one, 1 to 3 for the second to fourth, 100 and the code for one by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// PV, SV, TV, QV: 0–3.
    Dynamic(u8),
    /// By its code.
    Device(u8),
}

impl Which {
    const fn register(self) -> Register {
        let subunit = match self {
            Self::Dynamic(n) => n as u32,
            Self::Device(code) => 100 + code as u32,
        };
        Register { subunit, ..Register::PLAIN }
    }
}

/// A float without a unit byte.
pub(super) fn float(
    cursor: &mut Cursor<'_>,
    (kind, unit): (Kind, Unit),
    which: Which,
    trace: &mut impl Trace,
) -> Result<Field, Error> {
    take(cursor, |raw| Field::new(kind, which.register(), number(raw, unit)), trace)
}

/// A unit byte and its float.
pub(super) fn variable(
    cursor: &mut Cursor<'_>,
    which: Which,
    trace: &mut impl Trace,
) -> Result<Field, Error> {
    let (at, code) = (cursor.at(), cursor.u8()?);
    let known = unit(code);
    match (code, known) {
        (NOT_USED, _) => trace.field(at, &[code], format_args!("unit"), format_args!("not used")),
        (_, Some((_, unit))) => trace.field(at, &[code], format_args!("unit"), format_args!("{unit}")),
        _ => trace.field(at, &[code], format_args!("unit"), format_args!("code {code}, not in the table")),
    }
    let (kind, unit) = known.unwrap_or((Kind::Variable, Unit::Unknown));
    let make = |raw: &[u8; 4]| {
        let value = match code {
            NOT_USED => Value::Absent(Fault::NotFilled, raw.to_vec()),
            _ => number(raw, unit),
        };
        let unknown = known.is_none() && matches!(value, Value::Number(_));
        Field {
            doubt: unknown.then_some(Fault::UnknownUnit(code)),
            ..Field::new(kind, which.register(), value)
        }
    };
    take(cursor, make, trace)
}

fn number(raw: &[u8; 4], unit: Unit) -> Value {
    let decimal = Decimal::from_f32(f32::from_be_bytes(*raw));
    Value::or_absent(decimal, raw, |decimal| Value::Number(Number { decimal, unit }))
}

fn take(
    cursor: &mut Cursor<'_>,
    make: impl FnOnce(&[u8; 4]) -> Field,
    trace: &mut impl Trace,
) -> Result<Field, Error> {
    let at = cursor.at();
    let raw: [u8; 4] = cursor.array()?;
    let field = make(&raw);
    trace.field(at, &raw, format_args!("{}", field.name()), format_args!("{}", field.value));
    Ok(field)
}

/// What the device says of itself makes its values doubtful.
pub(super) fn doubt(fields: &mut [Field], status: Status) {
    for field in fields {
        let out = if field.register.subunit == 0 { 0x01 } else { 0x02 };
        let doubt = if status.device & 0x80 != 0 {
            Fault::SaidInvalid
        } else if status.device & out != 0 {
            Fault::OutOfRange
        } else {
            continue;
        };
        field.doubt = field.doubt.or(Some(doubt));
    }
}
