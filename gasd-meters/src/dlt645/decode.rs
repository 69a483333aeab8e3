// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a frame means, in either direction.

use alloc::vec::Vec;

use super::address::Address;
use super::di::Di;
use super::fields::{self, Part};
use super::format::{date, time};
use super::frame::{Frame, HEADER, Standard};
use super::refusal;
use crate::bytes::Cursor;
use crate::error::Error;
use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::Kind;
use crate::medium::Medium;
use crate::reading::{Field, Identity, Reading};
use crate::time::Moment;
use crate::trace::Trace;

/// Data that a meter answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// What was asked for.
    pub di: Di,
    /// The number of this part, where there is one.
    pub seq: Option<u8>,
    /// The bytes behind the data identifier, without the number of the part.
    pub payload: Vec<u8>,
    /// What they say.
    pub reading: Reading,
}

/// What a frame means. Passwords and operators' codes are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Asks for data; behind the identifier a count of blocks or a time may stand.
    Read(Di, Vec<u8>),
    /// Asks for the next part.
    ReadNext(Di, Option<u8>),
    /// Asks for the last answer again (1997).
    ReadAgain,
    /// Asks for the address.
    ReadAddress,
    /// Writes data.
    Write(Di, Vec<u8>),
    /// Gives a new address.
    WriteAddress(Address),
    /// Sets the clock.
    WriteClock(Result<Moment, Fault>),
    /// Sets the speed: the code as it is on the wire.
    Baud(u8),
    /// Moves a breaker or valve: the command's code, and until when it may be carried out.
    Switch(u8, Result<Moment, Fault>),
    /// Another request: its function and data.
    Request(u8, Vec<u8>),
    /// Answers with data.
    Data(Data),
    /// Answers with the address.
    Address(Address),
    /// Answers that it is done: the function and what else there is.
    Done(u8, Vec<u8>),
    /// Refuses: the function and ERR.
    Refused(u8, u8),
}

impl Message {
    /// The reading of an answer.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceError`] where the meter refuses, [`Error::AnswerMismatch`] where this is no data.
    pub fn into_reading(self) -> Result<Reading, Error> {
        match self {
            Self::Data(data) => Ok(data.reading),
            Self::Refused(_, code) => Err(Error::DeviceError { code: code.into(), what: refusal(code) }),
            _ => Err(Error::AnswerMismatch { what: "no data were asked for" }),
        }
    }
}

/// Says what `frame` means. `standard` decides where the function is one of both editions (03); the
/// newer one where it is `None`.
///
/// # Errors
///
/// [`Error::Malformed`] where the data are shorter than the function wants.
pub fn decode(
    frame: &Frame<'_>,
    standard: Option<Standard>,
    trace: &mut impl Trace,
) -> Result<Message, Error> {
    let standard = frame.standard().or(standard).unwrap_or(Standard::V2007);
    explain_header(frame, trace);
    let mut cursor = Cursor::inside(&frame.data, HEADER);
    let message = match (frame.from_meter(), frame.abnormal()) {
        (true, true) => refused(frame, &mut cursor, trace),
        (true, false) => answer(frame, standard, &mut cursor, trace),
        (false, _) => request(frame, standard, &mut cursor, trace),
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
    Ok(message)
}

fn explain_header(frame: &Frame<'_>, trace: &mut impl Trace) {
    trace.field(0, &[0x68], format_args!("start"), format_args!("68"));
    trace.field(1, &frame.address.0, format_args!("address"), format_args!("{}", frame.address));
    trace.field(7, &[0x68], format_args!("start"), format_args!("68"));
    trace.field(
        8,
        &[frame.control],
        format_args!("control"),
        format_args!(
            "{}, function {:02X}{}{}",
            if frame.from_meter() { "from the meter" } else { "to the meter" },
            frame.function(),
            if frame.abnormal() { ", refused" } else { "" },
            if frame.more() { ", more follows" } else { "" },
        ),
    );
    let len = frame.data.len();
    trace.field(9, &[len as u8], format_args!("length"), format_args!("{len} bytes of data"));
}

fn take_di(cursor: &mut Cursor<'_>, standard: Standard, trace: &mut impl Trace) -> Result<Di, Error> {
    let (at, before) = (cursor.at(), *cursor);
    let di = Di::take(cursor, standard)?;
    let raw = before.rest().get(..cursor.at() - at).unwrap_or_default();
    trace.field(at, raw, format_args!("data identifier"), format_args!("{di}"));
    Ok(di)
}

fn take_address(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Address, Error> {
    let at = cursor.at();
    let address = Address(cursor.array()?);
    trace.field(at, &address.0, format_args!("address"), format_args!("{address}"));
    Ok(address)
}

/// ss mm hh DD MM YY.
fn take_moment(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Result<Moment, Fault>, Error> {
    let at = cursor.at();
    let raw @ [second, minute, hour, day, month, year] = cursor.array()?;
    let moment =
        date(day, month, year).and_then(|date| Ok(Moment::new(date, time(Some(second), minute, hour)?)));
    match moment {
        Ok(moment) => trace.field(at, &raw, format_args!("time"), format_args!("{moment}")),
        Err(fault) => trace.field(at, &raw, format_args!("time"), format_args!("{fault}")),
    }
    Ok(moment)
}

/// A secret: passed by, its length explained, its bytes not.
fn skip_secret(cursor: &mut Cursor<'_>, n: usize, trace: &mut impl Trace) -> Result<(), Error> {
    let at = cursor.at();
    cursor.take(n)?;
    let zeros = [0; 8];
    let hidden = zeros.get(..n).unwrap_or(&zeros);
    trace.field(at, hidden, format_args!("password and operator"), format_args!("hidden"));
    Ok(())
}

/// The reading of a meter's fields. The protocol does not say what is metered: its own fields are those
/// of electricity, and gas and heat come in others.
pub(super) fn reading(address: Address, fields: Vec<Field>, more: bool) -> Reading {
    let known = !fields.is_empty() && fields.iter().all(|field| field.kind != Kind::Unknown);
    let medium = if known { Medium::Electricity } else { Medium::Unknown };
    let meter = Identity { id: address.digits(), medium, ..Identity::default() };
    Reading { meter, fields, more, ..Reading::default() }
}

fn refused(frame: &Frame<'_>, cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Message, Error> {
    let at = cursor.at();
    let code = cursor.u8()?;
    trace.field(at, &[code], format_args!("error"), format_args!("{}", refusal(code)));
    Ok(Message::Refused(frame.function(), code))
}

fn answer(
    frame: &Frame<'_>,
    standard: Standard,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Result<Message, Error> {
    match (standard, frame.function()) {
        (Standard::V1997, 0x01..=0x03) | (Standard::V2007, 0x11 | 0x12) => {
            let di = take_di(cursor, standard, trace)?;
            let part = match (frame.function(), frame.more()) {
                (0x12, _) => Part::Next { numbered: true },
                (0x02, _) => Part::Next { numbered: false },
                (_, true) => Part::First,
                (_, false) => Part::Whole,
            };
            let mut payload = cursor.rest().to_vec();
            if part == (Part::Next { numbered: true }) {
                payload.pop();
            }
            let (fields, seq) = fields::read(di, cursor, part, trace);
            let reading = reading(frame.address, fields, frame.more());
            Ok(Message::Data(Data { di, seq, payload, reading }))
        }
        (Standard::V2007, 0x13) => Ok(Message::Address(take_address(cursor, trace)?)),
        (_, function) => Ok(Message::Done(function, cursor.rest().to_vec())),
    }
}

fn request(
    frame: &Frame<'_>,
    standard: Standard,
    cursor: &mut Cursor<'_>,
    trace: &mut impl Trace,
) -> Result<Message, Error> {
    Ok(match (standard, frame.function()) {
        (Standard::V1997, 0x01) | (Standard::V2007, 0x11) => {
            Message::Read(take_di(cursor, standard, trace)?, cursor.rest().to_vec())
        }
        (Standard::V1997, 0x02) | (Standard::V2007, 0x12) => {
            let di = take_di(cursor, standard, trace)?;
            Message::ReadNext(di, cursor.rest().first().copied())
        }
        (Standard::V1997, 0x03) => Message::ReadAgain,
        (Standard::V1997, 0x04) => {
            let di = take_di(cursor, standard, trace)?;
            skip_secret(cursor, 4, trace)?;
            Message::Write(di, cursor.rest().to_vec())
        }
        (Standard::V2007, 0x14) => {
            let di = take_di(cursor, standard, trace)?;
            skip_secret(cursor, 8, trace)?;
            Message::Write(di, cursor.rest().to_vec())
        }
        (_, 0x08) => Message::WriteClock(take_moment(cursor, trace)?),
        (Standard::V2007, 0x13) => Message::ReadAddress,
        (Standard::V1997, 0x0A) | (Standard::V2007, 0x15) => {
            Message::WriteAddress(take_address(cursor, trace)?)
        }
        (Standard::V1997, 0x0C) | (Standard::V2007, 0x17) => {
            let at = cursor.at();
            let code = cursor.u8()?;
            trace.field(at, &[code], format_args!("speed"), format_args!("code {code:02X}"));
            Message::Baud(code)
        }
        (Standard::V2007, 0x1C) => {
            skip_secret(cursor, 8, trace)?;
            let at = cursor.at();
            let [command, reserved] = cursor.array()?;
            let raw = [command, reserved];
            trace.field(at, &raw, format_args!("command"), format_args!("{command:02X}"));
            Message::Switch(command, take_moment(cursor, trace)?)
        }
        (_, function) => Message::Request(function, cursor.rest().to_vec()),
    })
}
