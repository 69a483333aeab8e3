// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a frame means, in either direction.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::address::Address;
use super::block::layout;
use super::frame::{Frame, HEADER, medium};
use super::item::{Format, Item, clock};
use super::order::{Order, resolve};
use super::profile::{Profile, Status};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::{Kind, Register};
use crate::reading::{Field, Identity, Reading, Value};
use crate::time::Moment;
use crate::trace::Trace;

/// What a frame means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Asks for data.
    Read,
    /// Asks for the address.
    ReadAddress,
    /// Moves the valve: the command's code, 55 opens and 99 closes.
    Valve(u8),
    /// Gives a new address.
    WriteAddress(Address),
    /// Sets what the register of an electronic head begins with.
    WriteBase(Field),
    /// Sets the clock.
    WriteClock(Result<Moment, Fault>),
    /// Another request: the data behind the sequence number.
    Request(Vec<u8>),
    /// Answers with data.
    Data(Reading),
    /// Answers with the address, which is the frame's own.
    Address(Address),
    /// Answers that something is written: with the status, or with what else a maker puts there.
    Done(Option<Status>, Vec<u8>),
    /// Refuses, and says the status.
    Refused(Status),
}

/// A message and what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The data identifier; `None` in a refusal, which has none.
    pub di: Option<u16>,
    /// The order of its bytes where they show it: to be remembered for this meter.
    pub order: Option<Order>,
    /// The sequence number: the one of the request, or what the meter puts there.
    pub ser: Option<u8>,
    /// The message.
    pub message: Message,
}

impl Message {
    /// The reading of an answer.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceError`] with the status where the meter refuses, [`Error::AnswerMismatch`] where
    /// this is no data.
    pub fn into_reading(self) -> Result<Reading, Error> {
        match self {
            Self::Data(reading) => Ok(reading),
            Self::Refused(status) => Err(Error::DeviceError { code: status.word, what: "" }),
            _ => Err(Error::AnswerMismatch { what: "no data were asked for" }),
        }
    }
}

/// Says what `frame` means to a meter of `profile`, whose order of identifiers is `learnt` if it has
/// shown one.
///
/// # Errors
///
/// [`Error::Malformed`] where the data are shorter than the function wants.
pub fn decode(
    frame: &Frame<'_>,
    profile: &Profile,
    learnt: Option<Order>,
    trace: &mut impl Trace,
) -> Result<Decoded, Error> {
    explain_header(frame, trace);
    let mut cursor = Cursor::inside(frame.data, HEADER);
    let decoded = match (frame.from_meter(), frame.abnormal()) {
        (true, true) => refused(profile, learnt, &mut cursor, trace),
        _ => body(frame, profile, learnt, &mut cursor, trace),
    }
    .map_err(|_| Error::Malformed { what: "too few data for this function" })?;
    let (at, rest) = (cursor.at(), cursor.take_rest());
    if !rest.is_empty() {
        trace.field(at, rest, format_args!("further data"), format_args!("{}", Hex(rest)));
    }
    if let [.., sum, end] = frame.bytes {
        let at = frame.bytes.len() - 2;
        trace.field(at, &[*sum], format_args!("checksum"), format_args!("right"));
        trace.field(at + 1, &[*end], format_args!("end"), format_args!("{end:02X}"));
    }
    Ok(decoded)
}

fn explain_header(frame: &Frame<'_>, trace: &mut impl Trace) {
    trace.field(0, &[0x68], format_args!("start"), format_args!("68"));
    trace.field(1, &[frame.kind], format_args!("type"), format_args!("{}", medium(frame.kind)));
    trace.field(2, &frame.address.0, format_args!("address"), format_args!("{}", frame.address));
    trace.field(
        9,
        &[frame.control],
        format_args!("control"),
        format_args!(
            "{}, function {:02X}{}{}",
            if frame.from_meter() { "from the meter" } else { "to the meter" },
            frame.function(),
            if frame.abnormal() { ", refused" } else { "" },
            if frame.follows() { ", more follows" } else { "" },
        ),
    );
    let len = frame.data.len();
    trace.field(10, &[len as u8], format_args!("length"), format_args!("{len} bytes of data"));
}

/// A refusal has no identifier, but for meters that put it there all the same.
fn refused(
    profile: &Profile,
    learnt: Option<Order>,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Result<Decoded, Error> {
    let (di, order) = if cursor.len() >= 5 { take_di(cursor, learnt, trace)? } else { (None, None) };
    let ser = Some(take_ser(cursor, trace)?);
    let message = Message::Refused(take_status(cursor, profile, trace)?);
    Ok(Decoded { di, order, ser, message })
}

fn body(
    frame: &Frame<'_>,
    profile: &Profile,
    learnt: Option<Order>,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Result<Decoded, Error> {
    let (di, order) = take_di(cursor, learnt, trace)?;
    // Some leave out even the sequence number.
    let ser = if cursor.is_empty() { None } else { Some(take_ser(cursor, trace)?) };
    let code = di.unwrap_or_default();
    let message = if frame.from_meter() {
        answer(frame, code, profile, cursor, trace)?
    } else {
        request(frame, code, profile, cursor, trace)?
    };
    Ok(Decoded { di, order, ser, message })
}

fn answer(
    frame: &Frame<'_>,
    di: u16,
    profile: &Profile,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Result<Message, Error> {
    Ok(match frame.function() {
        0x03 => Message::Address(frame.address),
        0x01 | 0x09 => Message::Data(reading(frame, di, profile, cursor, trace)),
        // Status and nothing else.
        _ if cursor.len() == 2 => Message::Done(Some(take_status(cursor, profile, trace)?), Vec::new()),
        _ => Message::Done(None, cursor.rest().to_vec()),
    })
}

fn reading(
    frame: &Frame<'_>,
    di: u16,
    profile: &Profile,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Reading {
    let meter = Identity {
        id: frame.address.digits(),
        manufacturer: Some(frame.address.maker()),
        medium: medium(frame.kind),
        ..Identity::default()
    };
    let mut reading = Reading { meter, more: frame.follows(), ..Reading::default() };
    for item in layout(di, frame.kind, cursor.len()).unwrap_or_default() {
        let at = cursor.at();
        let raw = cursor.take(item.len()).unwrap_or_default();
        let field = item.field(raw, profile);
        explain(at, raw, &field, trace);
        if let (Format::Status, Value::Bits(word)) = (item.format, &field.value) {
            let status = profile.status.status(*word as u16);
            (reading.valve, reading.flags) = (status.valve, status.flags);
        }
        reading.fields.push(field);
    }
    let (at, rest) = (cursor.at(), cursor.take_rest());
    if !rest.is_empty() {
        let field = Field::new(Kind::Unknown, Register::default(), Value::Raw(rest.into()));
        explain(at, rest, &field, trace);
        reading.fields.push(field);
    }
    reading
}

fn explain(at: usize, raw: &[u8], field: &Field, trace: &mut impl Trace) {
    match field.doubt {
        None => trace.field(at, raw, format_args!("{}", field.name()), format_args!("{}", field.value)),
        Some(doubt) => {
            trace.field(at, raw, format_args!("{}", field.name()), format_args!("{}: {doubt}", field.value));
        }
    }
}

fn request(
    frame: &Frame<'_>,
    di: u16,
    profile: &Profile,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Result<Message, Error> {
    let at = cursor.at();
    Ok(match (frame.function(), di) {
        (0x01 | 0x09, _) if cursor.is_empty() => Message::Read,
        (0x03, _) => Message::ReadAddress,
        (0x15, _) => {
            let address = Address(cursor.array()?);
            trace.field(at, &address.0, format_args!("new address"), format_args!("{address}"));
            Message::WriteAddress(address)
        }
        (0x16, _) => {
            let item = Item::new(Kind::Volume, Register::default(), Format::Amount(2));
            let raw = cursor.take(item.len())?;
            let field = item.field(raw, profile);
            explain(at, raw, &field, trace);
            Message::WriteBase(field)
        }
        (_, 0xA017) => {
            let code = cursor.u8()?;
            let words = match code {
                0x55 => "open",
                0x99 => "close",
                _ => "unknown",
            };
            trace.field(at, &[code], format_args!("valve"), format_args!("{words}"));
            Message::Valve(code)
        }
        (0x04, 0xA015) => {
            let raw: [u8; 7] = cursor.array()?;
            let moment = clock(&raw, profile.clock);
            let value = Value::or_absent(moment, &raw, Value::Moment);
            trace.field(at, &raw, format_args!("clock"), format_args!("{value}"));
            Message::WriteClock(moment)
        }
        // A new key: passed by, its length explained, its bytes not.
        (_, 0xA014) => {
            let hidden = alloc::vec![0; cursor.take_rest().len()];
            trace.field(at, &hidden, format_args!("key"), format_args!("hidden"));
            Message::Request(Vec::new())
        }
        _ => Message::Request(cursor.rest().to_vec()),
    })
}

fn take_di(
    cursor: &mut Cursor<'_>,
    learnt: Option<Order>,
    trace: &mut impl Trace,
) -> Result<(Option<u16>, Option<Order>), Error> {
    let at = cursor.at();
    let wire = cursor.array()?;
    let (di, order) = resolve(wire, learnt);
    let how = match order {
        Some(Order::HighFirst) => "the high byte first",
        Some(Order::LowFirst) => "the low byte first",
        None => "which byte is first does not show",
    };
    trace.field(at, &wire, format_args!("data identifier"), format_args!("{di:04X}, {how}"));
    Ok((Some(di), order))
}

fn take_ser(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<u8, Error> {
    let at = cursor.at();
    let ser = cursor.u8()?;
    trace.field(at, &[ser], format_args!("sequence"), format_args!("{ser}"));
    Ok(ser)
}

fn take_status(cursor: &mut Cursor<'_>, profile: &Profile, trace: &mut impl Trace) -> Result<Status, Error> {
    let at = cursor.at();
    let raw: [u8; 2] = cursor.array()?;
    let status = profile.status.status(u16::from_le_bytes(raw));
    if status.word == u16::MAX {
        trace.field(at, &raw, format_args!("status"), format_args!("{}", Fault::NotFilled));
        return Ok(status);
    }
    let valve = status.valve.map_or("not said".into(), |valve| valve.to_string());
    trace.field(at, &raw, format_args!("status"), format_args!("valve {valve}; set: {}", status.flags));
    Ok(status)
}
