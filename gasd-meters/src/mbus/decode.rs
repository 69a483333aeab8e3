// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a wired frame means, in either direction.

use alloc::vec::Vec;

use super::address::Address;
use super::fixed;
use super::frame::{Frame, Function, Link};
use super::header::{Header, medium_of};
use super::payload::{self, Records};
use super::record::Items;
use super::secured;
use crate::bytes::Cursor;
use crate::crc;
use crate::error::Error;
use crate::hex::Hex;
use crate::medium::Medium;
use crate::reading::Reading;
use crate::trace::Trace;

/// Speeds of CI B8 to BF, bits a second.
pub const SPEEDS: [u32; 8] = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400];

/// What a frame means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Acknowledged.
    Ack,
    /// Begin anew (SND_NKE).
    Reset,
    /// Asks for alarms (REQ_UD1).
    RequestAlarm,
    /// Asks for the reading (REQ_UD2).
    RequestData,
    /// Selects the meters of this address.
    Select(Address),
    /// Changes the speed, bits a second.
    SetSpeed(u32),
    /// Resets the application; which telegram is wanted, where that is said.
    ResetApplication(Option<u8>),
    /// Sends records to a meter, as they are.
    Send(Vec<u8>),
    /// Answers with data; their header, where they have one.
    Data(Option<Header>, Reading),
    /// Answers with alarms, the meaning of whose bits is the meter's.
    Alarm(Vec<u8>),
    /// Refuses: why; see [`refusal`].
    Refused(u8),
    /// Data in a format of the manufacturer, or one that is not read: CI and bytes.
    Other(u8, Vec<u8>),
}

impl Message {
    /// The reading of an answer.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceError`] where the meter refuses, [`Error::UnsupportedMode`] (the CI field) of data in another format,
    /// [`Error::AnswerMismatch`] where this is no data.
    pub fn into_reading(self) -> Result<Reading, Error> {
        match self {
            Self::Data(_, reading) => Ok(reading),
            Self::Refused(code) => Err(Error::DeviceError { code: code.into(), what: refusal(code) }),
            Self::Other(ci, _) => Err(Error::UnsupportedMode { mode: ci }),
            _ => Err(Error::AnswerMismatch { what: "no data were asked for" }),
        }
    }
}

/// Why a meter refuses (CI 70), in words.
#[must_use]
pub const fn refusal(code: u8) -> &'static str {
    match code {
        0x00 => "an error that it does not name",
        0x01 => "it does not have this CI field",
        0x02 => "too much data, cut off",
        0x03 => "too many records",
        0x04 => "a record that breaks off",
        0x05 => "more than 10 DIFEs",
        0x06 => "more than 10 VIFEs",
        0x08 => "it is busy, ask later",
        0x09 => "asked too often, its credit of readings is used up",
        0x11..=0x14 => "a fault of its security",
        _ => "",
    }
}

/// Says what `frame` means.
///
/// # Errors
///
/// [`Error::Truncated`] or [`Error::Malformed`] where the data break off or contradict themselves;
/// [`Error::KeyMissing`] of encrypted data (OMS mode 5 or 7), which
/// [`Receiver::receive_wired`](crate::wmbus::Receiver::receive_wired) opens;
/// [`Error::UnsupportedMode`] of data that are encrypted otherwise, or may be.
pub fn decode(frame: &Frame<'_>, trace: &mut impl Trace) -> Result<Message, Error> {
    let Some(link) = frame.link() else {
        trace.field(0, &[super::frame::ACK], format_args!("acknowledged"), format_args!("E5"));
        return Ok(Message::Ack);
    };
    let message = match (*frame, frame.ci()) {
        (Frame::Short(_), _) | (_, None) => {
            trace.field(0, &[0x10], format_args!("start"), format_args!("short frame"));
            explain_link(1, link, trace);
            match link.function() {
                Function::Reset => Message::Reset,
                Function::RequestAlarm => Message::RequestAlarm,
                Function::RequestData => Message::RequestData,
                // Some meters answer with a short frame where there is nothing to say.
                _ if link.from_meter() => Message::Ack,
                _ => Message::Other(0, Vec::new()),
            }
        }
        (_, Some(ci)) => {
            let length = (frame.data().len() + 3) as u8;
            let start = [0x68, length, length, 0x68];
            trace.field(0, &start, format_args!("start"), format_args!("{length} bytes"));
            explain_link(4, link, trace);
            let mut cursor = Cursor::inside(frame.data(), 7);
            let message = long(link, ci, &mut cursor, trace)?;
            let (at, rest) = (cursor.at(), cursor.take_rest());
            if !rest.is_empty() {
                trace.field(at, rest, format_args!("further data"), format_args!("{}", Hex(rest)));
            }
            message
        }
    };
    explain_end(frame, trace);
    Ok(message)
}

fn long(link: Link, ci: u8, cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Message, Error> {
    trace.field(6, &[ci], format_args!("CI"), format_args!("{}", ci_name(ci)));
    Ok(match ci {
        0x50 => Message::ResetApplication(cursor.rest().first().copied()),
        0x51 => Message::Send(cursor.rest().into()),
        0x52 => {
            let at = cursor.at();
            let address = Address::take(cursor)?;
            trace.field(at, &address.to_wire(), format_args!("secondary address"), format_args!("{address}"));
            Message::Select(address)
        }
        0x70 => Message::Refused(cursor.rest().first().copied().unwrap_or_default()),
        0x71 => Message::Alarm(cursor.rest().into()),
        0x72 => {
            let header = Header::take_long(cursor, trace)?;
            data(Some(header), cursor, trace)?
        }
        0x7A => {
            let header = Header::take_short(cursor, trace)?;
            data(Some(header), cursor, trace)?
        }
        0x78 => data(None, cursor, trace)?,
        0x73 => Message::Data(None, fixed::read(cursor, trace)?),
        0xB8..=0xBF if !link.from_meter() => {
            Message::SetSpeed(SPEEDS.get(usize::from(ci & 0x07)).copied().unwrap_or_default())
        }
        _ => Message::Other(ci, cursor.rest().into()),
    })
}

fn data(header: Option<Header>, cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Message, Error> {
    let medium = readable(header.as_ref(), cursor)?;
    let mut reading = Reading::default();
    if let Some(header) = &header {
        header.tell(&mut reading);
    }
    (reading.fields, reading.more) = payload::read(cursor, medium, trace)?;
    Ok(Message::Data(header, reading))
}

/// The medium of a meter whose data are not encrypted.
fn readable(header: Option<&Header>, cursor: &Cursor<'_>) -> Result<Medium, Error> {
    let medium = medium_of(header.and_then(|header| header.meter.as_ref()));
    match header {
        Some(header) => secured::plain(header, cursor, medium).map(|()| medium),
        None => Ok(medium),
    }
}

/// The records of an answer with variable data, and their header, where they have one: for whoever looks at each and
/// lets it go. [`decode`] keeps all of them.
///
/// ```
/// use gasd_meters::mbus::{Frame, records};
/// use gasd_meters::hex;
///
/// let bytes = hex::parse("68161668080172785634129315330307000000 04933A39300000 AE16").unwrap();
/// let (header, mut records) = records(&Frame::parse(&bytes)?)?;
/// assert_eq!(header.and_then(|header| header.meter).unwrap().to_string(), "12345678.ELS.33.03");
/// assert_eq!(records.next().unwrap()?.value.number().unwrap().to_string(), "12.345 m³");
/// assert!(records.next().is_none() && !records.more());
/// # Ok::<(), gasd_meters::Error>(())
/// ```
///
/// # Errors
///
/// As [`Message::into_reading`], with fixed data one of the formats that are not read here; [`Error::Truncated`] of the
/// header, and [`Error::KeyMissing`] as [`decode`]. What is wrong with the records is said in their place.
pub fn records<'a>(frame: &Frame<'a>) -> Result<(Option<Header>, Records<'a>), Error> {
    let mut cursor = Cursor::inside(frame.data(), 7);
    let header = match frame.ci() {
        Some(0x72) => Some(Header::take_long(&mut cursor, &mut ())?),
        Some(0x7A) => Some(Header::take_short(&mut cursor, &mut ())?),
        Some(0x78) => None,
        Some(0x70) => {
            let code = cursor.rest().first().copied().unwrap_or_default();
            return Err(Error::DeviceError { code: code.into(), what: refusal(code) });
        }
        Some(ci) => return Err(Error::UnsupportedMode { mode: ci }),
        None => return Err(Error::AnswerMismatch { what: "no data were asked for" }),
    };
    let medium = readable(header.as_ref(), &cursor)?;
    Ok((header, Records::new(Items::new(cursor), medium)))
}

fn explain_link(at: usize, link: Link, trace: &mut impl Trace) {
    let what = match (link.from_meter(), link.function()) {
        (_, Function::Reset) => "begin anew (SND_NKE)",
        (_, Function::Send) => "data to the meter (SND_UD)",
        (_, Function::RequestAlarm) => "asks for alarms (REQ_UD1)",
        (_, Function::RequestData) => "asks for the reading (REQ_UD2)",
        (_, Function::Respond) => "data from the meter (RSP_UD)",
        (true, Function::Other) => "from the meter",
        (false, Function::Other) => "to the meter",
    };
    trace.field(at, &[link.control], format_args!("control"), format_args!("{what}"));
    let address = link.address;
    trace.field(at + 1, &[address], format_args!("address"), format_args!("{address}"));
}

fn explain_end(frame: &Frame<'_>, trace: &mut impl Trace) {
    if !trace.listens() {
        return;
    }
    // It fitted when the frame was parsed.
    let (at, head) = match *frame {
        Frame::Ack => return,
        Frame::Short(link) => (3, [link.control, link.address, 0]),
        Frame::Control(link, ci) | Frame::Long(link, ci, _) => {
            (frame.data().len() + 7, [link.control, link.address, ci])
        }
    };
    let sum = crc::sum(&head).wrapping_add(crc::sum(frame.data()));
    trace.field(at, &[sum], format_args!("checksum"), format_args!("right"));
    trace.field(at + 1, &[0x16], format_args!("end"), format_args!("16"));
}

const fn ci_name(ci: u8) -> &'static str {
    match ci {
        0x50 => "resets the application",
        0x51 => "data to the meter",
        0x52 => "selects by secondary address",
        0x70 => "an error of the application",
        0x71 => "alarms",
        0x72 => "variable data, long header",
        0x73 => "fixed data",
        0x7A => "variable data, short header",
        0x78 => "variable data, no header",
        0xA0..=0xB7 => "the manufacturer's own format",
        0xB8..=0xBF => "sets the speed",
        _ => "a format that is not read",
    }
}
