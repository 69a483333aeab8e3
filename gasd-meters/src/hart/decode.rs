// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a frame means, in either direction.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::address::{Address, Master};
use super::frame::{Frame, Type};
use super::identity::Identification;
use super::packed::unpack;
use super::status::Status;
use super::variables::{Which, doubt, float, variable};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::{Function, Kind, Register};
use crate::number::Number;
use crate::reading::{Field, Identity, Reading, Value};
use crate::time::{Date, Moment, TimeOfDay};
use crate::trace::Trace;
use crate::unit::Unit;

/// What a frame means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Asks for a command, with these data.
    Request(Vec<u8>),
    /// Who the device is (0, 11, 21).
    Identity(Identification),
    /// Measured values (1, 2, 3, 9, 15, 33).
    Data(Reading),
    /// Tag, descriptor and date (13, 18).
    Tag {
        /// Eight characters that name the device in its plant.
        tag: String,
        /// Sixteen that describe it.
        descriptor: String,
        /// A date that means what its owner likes.
        date: Result<Date, Fault>,
    },
    /// Message (12, 17), or long tag (20, 22).
    Text(String),
    /// How often its configuration had been changed when the flag was reset (38); HART 7 only.
    Changes(Option<u16>),
    /// More of its status, whose bits are the maker's to explain (48).
    MoreStatus(Vec<u8>),
    /// Another command's answer, as bytes.
    Done(Vec<u8>),
    /// The device has not done what it was asked.
    Refused(Error),
}

/// A message and what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The command.
    pub command: u8,
    /// The status, of an answer.
    pub status: Option<Status>,
    /// The message.
    pub message: Message,
}

impl Message {
    /// The reading of an answer.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceError`] where the device refuses, [`Error::AnswerMismatch`] where this is no data.
    pub fn into_reading(self) -> Result<Reading, Error> {
        match self {
            Self::Data(reading) => Ok(reading),
            Self::Refused(error) => Err(error),
            _ => Err(Error::AnswerMismatch { what: "no data were asked for" }),
        }
    }
}

/// Says what `frame` means.
///
/// # Errors
///
/// [`Error::Malformed`] where the data are shorter than the command wants.
pub fn decode(frame: &Frame<'_>, trace: &mut impl Trace) -> Result<Decoded, Error> {
    explain_head(frame, trace);
    let mut cursor = Cursor::inside(frame.data, frame.data_at);
    let message = match frame.status {
        None => {
            let at = cursor.at();
            let data = cursor.take_rest();
            if !data.is_empty() {
                trace.field(at, data, format_args!("data"), format_args!("{}", Hex(data)));
            }
            Message::Request(data.into())
        }
        Some(status) => match status.refusal() {
            Some(error) => Message::Refused(error),
            None => answer(frame, status, &mut cursor, trace)
                .map_err(|_| Error::Malformed { what: "too few data for this command" })?,
        },
    };
    let (at, rest) = (cursor.at(), cursor.take_rest());
    if !rest.is_empty() {
        trace.field(at, rest, format_args!("further data"), format_args!("{}", Hex(rest)));
    }
    if let Some(check) = frame.bytes.last() {
        trace.field(frame.bytes.len() - 1, &[*check], format_args!("check"), format_args!("right"));
    }
    Ok(Decoded { command: frame.command, status: frame.status, message })
}

fn answer(
    frame: &Frame<'_>,
    status: Status,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Result<Message, Error> {
    Ok(match frame.command {
        0 | 11 | 21 => Message::Identity(Identification::take(cursor, trace)?),
        1 | 2 | 3 | 9 | 15 | 33 => {
            let mut fields = match frame.command {
                1 => [variable(cursor, Which::Dynamic(0), trace)?].into(),
                2 => loop_and_percent(cursor, trace)?,
                3 => dynamic(cursor, trace)?,
                9 => with_status(cursor, trace)?,
                15 => range(cursor, trace)?,
                _ => by_code(cursor, trace)?,
            };
            if frame.command != 15 {
                doubt(&mut fields, status);
            }
            let meter = Identity {
                id: frame.address.digits(),
                manufacturer: maker(frame.address),
                ..Identity::default()
            };
            Message::Data(Reading { meter, fields, flags: status.flags(), ..Reading::default() })
        }
        12 | 17 => Message::Text(packed(cursor, 24, "message", trace)?),
        13 | 18 => {
            let tag = packed(cursor, 6, "tag", trace)?;
            let descriptor = packed(cursor, 12, "descriptor", trace)?;
            let at = cursor.at();
            let raw: [u8; 3] = cursor.array()?;
            let [day, month, year] = raw;
            let date = Date::new(1900 + u16::from(year), month, day);
            match date {
                Ok(date) => trace.field(at, &raw, format_args!("date"), format_args!("{date}")),
                Err(fault) => trace.field(at, &raw, format_args!("date"), format_args!("{fault}")),
            }
            Message::Tag { tag, descriptor, date }
        }
        20 | 22 => {
            let at = cursor.at();
            let raw = cursor.take(32)?;
            // ISO 8859-1 is the first 256 characters.
            let text: String = raw.iter().take_while(|&&b| b != 0).map(|&b| char::from(b)).collect();
            trace.field(at, raw, format_args!("long tag"), format_args!("{text:?}"));
            Message::Text(text)
        }
        38 if cursor.is_empty() => Message::Changes(None),
        38 => {
            let at = cursor.at();
            let raw: [u8; 2] = cursor.array()?;
            let changes = u16::from_be_bytes(raw);
            trace.field(at, &raw, format_args!("configuration changes"), format_args!("{changes}"));
            Message::Changes(Some(changes))
        }
        command => {
            let at = cursor.at();
            let data = cursor.take_rest();
            let name = if command == 48 { "more status" } else { "data" };
            if !data.is_empty() {
                trace.field(at, data, format_args!("{name}"), format_args!("{}", Hex(data)));
            }
            if command == 48 { Message::MoreStatus(data.into()) } else { Message::Done(data.into()) }
        }
    })
}

/// Before HART 7 the maker is the first byte of the type; afterwards only command 0 says it.
fn maker(address: Address) -> Option<String> {
    match address {
        Address::Polling(_) => None,
        Address::Unique { kind, .. } => Some(alloc::format!("{kind:04X}")),
    }
}

/// Current in the loop, per cent of the range.
fn loop_and_percent(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Vec<Field>, Error> {
    let current = float(cursor, (Kind::Current, Unit::Milliampere), Which::Dynamic(0), trace)?;
    Ok([current, float(cursor, (Kind::Variable, Unit::Percent), Which::Dynamic(0), trace)?].into())
}

/// Current in the loop, one to four variables; none after one that a device does not have.
fn dynamic(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Vec<Field>, Error> {
    let mut fields: Vec<Field> =
        [float(cursor, (Kind::Current, Unit::Milliampere), Which::Dynamic(0), trace)?].into();
    for n in 0..4 {
        if cursor.is_empty() {
            break;
        }
        fields.push(variable(cursor, Which::Dynamic(n), trace)?);
    }
    Ok(fields)
}

/// Up to four variables by their codes.
fn by_code(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Vec<Field>, Error> {
    let mut fields = Vec::new();
    while !cursor.is_empty() && fields.len() < 4 {
        let which = Which::Device(code(cursor, "variable", trace)?);
        fields.push(variable(cursor, which, trace)?);
    }
    Ok(fields)
}

/// Up to eight variables by their codes, each with its status, then the time of the first.
fn with_status(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Vec<Field>, Error> {
    code(cursor, "extended status", trace)?;
    let mut fields = Vec::new();
    while cursor.len() >= 8 && fields.len() < 8 {
        let variable_code = code(cursor, "variable", trace)?;
        code(cursor, "classification", trace)?;
        // 246 to 249 are the second to fourth after the primary one; 243 to 245 battery, current, per cent.
        let which = match variable_code {
            246..=249 => Which::Dynamic(variable_code - 246),
            code => Which::Device(code),
        };
        let mut field = variable(cursor, which, trace)?;
        let at = cursor.at();
        let status = cursor.u8()?;
        let quality = match status >> 6 {
            0 => "bad",
            1 => "poor",
            2 => "fixed by hand",
            _ => "good",
        };
        trace.field(at, &[status], format_args!("quality"), format_args!("{quality}"));
        if matches!(status >> 6, 0 | 2) && matches!(field.value, Value::Number(_)) {
            field.doubt = field.doubt.or(Some(Fault::SaidInvalid));
        }
        fields.push(field);
    }
    if cursor.len() >= 4 {
        let at = cursor.at();
        let raw: [u8; 4] = cursor.array()?;
        // 1/32 ms since midnight.
        let seconds = u32::from_be_bytes(raw) / 32_000;
        let part = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
        let time = TimeOfDay::new(part(seconds / 3600), part(seconds / 60 % 60), Some(part(seconds % 60)));
        let value = Value::or_absent(time, &raw, |time| Value::Moment(Moment::time(time)));
        trace.field(at, &raw, format_args!("time"), format_args!("{value}"));
        fields.push(Field::new(Kind::Moment, Register::PLAIN, value));
    }
    Ok(fields)
}

/// The range of the primary variable and its damping.
fn range(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Vec<Field>, Error> {
    code(cursor, "alarm selection", trace)?;
    code(cursor, "transfer function", trace)?;
    let mut upper = variable(cursor, Which::Dynamic(0), trace)?;
    upper.register.function = Function::Maximum;
    let unit = match &upper.value {
        Value::Number(Number { unit, .. }) => *unit,
        _ => Unit::Unknown,
    };
    let mut lower = float(cursor, (upper.kind, unit), Which::Dynamic(0), trace)?;
    lower.register.function = Function::Minimum;
    lower.doubt = upper.doubt;
    let damping = float(cursor, (Kind::Duration, Unit::Second), Which::Dynamic(0), trace)?;
    code(cursor, "write protection", trace)?;
    Ok([upper, lower, damping].into())
}

fn code(cursor: &mut Cursor<'_>, name: &str, trace: &mut impl Trace) -> Result<u8, Error> {
    let (at, byte) = (cursor.at(), cursor.u8()?);
    trace.field(at, &[byte], format_args!("{name}"), format_args!("{byte}"));
    Ok(byte)
}

fn packed(cursor: &mut Cursor<'_>, len: usize, name: &str, trace: &mut impl Trace) -> Result<String, Error> {
    let at = cursor.at();
    let raw = cursor.take(len)?;
    let text = unpack(raw);
    trace.field(at, raw, format_args!("{name}"), format_args!("{text:?}"));
    Ok(text)
}

fn explain_head(frame: &Frame<'_>, trace: &mut impl Trace) {
    let Some((delimiter, rest)) = frame.bytes.split_first() else { return };
    let kind = match frame.kind {
        Type::Burst => "from the device, unasked",
        Type::Request => "to the device",
        Type::Answer => "from the device",
    };
    trace.field(0, &[*delimiter], format_args!("delimiter"), format_args!("{kind}"));
    let len = if delimiter & 0x80 != 0 { 5 } else { 1 };
    let master = match frame.master {
        Master::Primary => "primary",
        Master::Secondary => "secondary",
    };
    let burst = if frame.burst { ", in burst mode" } else { "" };
    trace.field(
        1,
        rest.get(..len).unwrap_or_default(),
        format_args!("address"),
        format_args!("{}, {master} master{burst}", frame.address),
    );
    if !frame.expansion.is_empty() {
        trace.field(
            1 + len,
            frame.expansion,
            format_args!("expansion"),
            format_args!("{}", Hex(frame.expansion)),
        );
    }
    let at = 1 + len + frame.expansion.len();
    trace.field(at, &[frame.command], format_args!("command"), format_args!("{}", frame.command));
    let count = rest.get(at).copied().unwrap_or_default();
    trace.field(at + 1, &[count], format_args!("count"), format_args!("{count} bytes"));
    if let Some(status) = frame.status {
        let words = status.to_string();
        trace.field(
            at + 2,
            &[status.response, status.device],
            format_args!("status"),
            format_args!("{words}"),
        );
    }
}
