// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a frame says, when its direction is known.

use alloc::vec::Vec;

use super::exception;
use super::frame::Frame;
use super::length::{self, Length};
use super::request::Request;
use crate::bytes::Cursor;
use crate::error::Error;
use crate::hex::Hex;
use crate::trace::Trace;

/// What a unit answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Coils or inputs, eight in a byte, the first the lowest bit of the first byte.
    Bits(Vec<u8>),
    /// Registers.
    Registers(Vec<u16>),
    /// A coil is written.
    Coil(u16, bool),
    /// A register is written.
    Register(u16, u16),
    /// So many coils or registers from here on are written.
    Written(u16, u16),
    /// A register's bits are written: and, or.
    Masked(u16, u16, u16),
    /// Eight bits of the unit's own choice.
    ExceptionStatus(u8),
    /// Diagnostics: which, and a word; or status and count of events.
    Diagnosis(u16, u16),
    /// The log of events, or who the unit is, in its own bytes.
    Bytes(Vec<u8>),
    /// Identification.
    Identification {
        /// The object from which on there are more; `None` at the end.
        next: Option<u8>,
        /// Number and text of each object: 0 maker, 1 product, 2 revision, 3 address on the net, 4 name of
        /// the product, 5 of the model, 6 of the application.
        objects: Vec<(u8, Vec<u8>)>,
    },
    /// It refuses, with this code.
    Exception(u8),
    /// A function that this codec does not have.
    Other(Vec<u8>),
}

impl Answer {
    /// What else than an exception it is.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceError`].
    pub fn or_refusal(self) -> Result<Self, Error> {
        match self {
            Self::Exception(code) => Err(Error::DeviceError { code: u16::from(code), what: exception(code) }),
            answer => Ok(answer),
        }
    }
}

const MISFIT: Error = Error::Malformed { what: "the length is not that of the function" };

/// What a frame says as a request.
///
/// # Errors
///
/// [`Error::Malformed`] where it has not the length of one.
pub fn decode_request(frame: &Frame<'_>, trace: &mut impl Trace) -> Result<Request, Error> {
    if length::request(frame.bytes) != Length::Is(frame.bytes.len()) {
        return Err(MISFIT);
    }
    explain_head(frame, trace);
    let mut cursor = Cursor::inside(frame.data, 2);
    let request = request(frame.function, &mut cursor, trace).map_err(|_| MISFIT)?;
    explain_crc(frame, trace);
    Ok(request)
}

fn request(function: u8, cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Request, Error> {
    Ok(match function {
        0x01..=0x04 => {
            let (at, n) = (word(cursor, "address", trace)?, word(cursor, "count", trace)?);
            match function {
                0x01 => Request::ReadCoils(at, n),
                0x02 => Request::ReadInputs(at, n),
                0x03 => Request::ReadHolding(at, n),
                _ => Request::ReadInput(at, n),
            }
        }
        0x05 => Request::WriteCoil(word(cursor, "address", trace)?, coil(cursor, trace)?),
        0x06 => Request::WriteRegister(word(cursor, "address", trace)?, word(cursor, "value", trace)?),
        0x07 => Request::ReadExceptionStatus,
        0x08 => Request::Diagnose(word(cursor, "diagnostics", trace)?, word(cursor, "word", trace)?),
        0x0B => Request::CountEvents,
        0x0C => Request::ReadEvents,
        0x0F => {
            let (at, n) = (word(cursor, "address", trace)?, word(cursor, "count", trace)?);
            let packed = counted(cursor, "coils", trace)?;
            let bit = |i: u16| packed.get(usize::from(i / 8)).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
            Request::WriteCoils(at, (0..n).map(bit).collect())
        }
        0x10 => {
            let (at, _) = (word(cursor, "address", trace)?, word(cursor, "count", trace)?);
            Request::WriteRegisters(at, registers(counted(cursor, "registers", trace)?))
        }
        0x11 => Request::ReadId,
        0x16 => {
            let (at, and) = (word(cursor, "address", trace)?, word(cursor, "and", trace)?);
            Request::MaskRegister(at, and, word(cursor, "or", trace)?)
        }
        0x17 => {
            let (read, count) = (word(cursor, "read address", trace)?, word(cursor, "read count", trace)?);
            let (write, _) = (word(cursor, "write address", trace)?, word(cursor, "write count", trace)?);
            let values = registers(counted(cursor, "registers", trace)?);
            Request::ReadWrite { read, count, write, values }
        }
        _ => {
            byte(cursor, "kind", trace)?;
            Request::Identify(byte(cursor, "how much", trace)?, byte(cursor, "object", trace)?)
        }
    })
}

/// What a frame says as an answer.
///
/// # Errors
///
/// [`Error::Malformed`] where it has not the length of one.
pub fn decode_answer(frame: &Frame<'_>, trace: &mut impl Trace) -> Result<Answer, Error> {
    let answer = match length::answer(frame.bytes) {
        Length::Is(len) if len == frame.bytes.len() => {
            explain_head(frame, trace);
            let mut cursor = Cursor::inside(frame.data, 2);
            answer(frame.function, &mut cursor, trace).map_err(|_| MISFIT)?
        }
        Length::No if length::request(frame.bytes) == Length::No => {
            explain_head(frame, trace);
            if !frame.data.is_empty() {
                trace.field(2, frame.data, format_args!("data"), format_args!("{}", Hex(frame.data)));
            }
            Answer::Other(frame.data.into())
        }
        _ => return Err(MISFIT),
    };
    explain_crc(frame, trace);
    Ok(answer)
}

fn answer(function: u8, cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Answer, Error> {
    Ok(match function {
        0x01 | 0x02 => Answer::Bits(counted(cursor, "bits", trace)?.into()),
        0x03 | 0x04 | 0x17 => Answer::Registers(registers(counted(cursor, "registers", trace)?)),
        0x05 => Answer::Coil(word(cursor, "address", trace)?, coil(cursor, trace)?),
        0x06 => Answer::Register(word(cursor, "address", trace)?, word(cursor, "value", trace)?),
        0x07 => Answer::ExceptionStatus(byte(cursor, "status", trace)?),
        0x08 => Answer::Diagnosis(word(cursor, "diagnostics", trace)?, word(cursor, "word", trace)?),
        0x0B => Answer::Diagnosis(word(cursor, "status", trace)?, word(cursor, "events", trace)?),
        0x0C | 0x11 => Answer::Bytes(counted(cursor, "bytes", trace)?.into()),
        0x0F | 0x10 => Answer::Written(word(cursor, "address", trace)?, word(cursor, "count", trace)?),
        0x16 => {
            let (at, and) = (word(cursor, "address", trace)?, word(cursor, "and", trace)?);
            Answer::Masked(at, and, word(cursor, "or", trace)?)
        }
        0x2B => identification(cursor, trace)?,
        _ => {
            let (at, code) = (cursor.at(), cursor.u8()?);
            trace.field(at, &[code], format_args!("exception"), format_args!("{code}: {}", exception(code)));
            Answer::Exception(code)
        }
    })
}

fn identification(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Answer, Error> {
    for name in ["kind", "how much", "conformity"] {
        byte(cursor, name, trace)?;
    }
    let more = byte(cursor, "more follow", trace)? == 0xFF;
    let next = byte(cursor, "next object", trace)?;
    let number = byte(cursor, "objects", trace)?;
    let mut objects = Vec::new();
    for _ in 0..number {
        let id = byte(cursor, "object", trace)?;
        objects.push((id, counted(cursor, "text", trace)?.into()));
    }
    Ok(Answer::Identification { next: more.then_some(next), objects })
}

pub(super) fn registers(bytes: &[u8]) -> Vec<u16> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|word| u16::from_be_bytes(*word)).collect()
}

fn word(cursor: &mut Cursor<'_>, name: &str, trace: &mut impl Trace) -> Result<u16, Error> {
    let at = cursor.at();
    let raw: [u8; 2] = cursor.array()?;
    let word = u16::from_be_bytes(raw);
    trace.field(at, &raw, format_args!("{name}"), format_args!("{word}"));
    Ok(word)
}

fn coil(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<bool, Error> {
    let at = cursor.at();
    let raw: [u8; 2] = cursor.array()?;
    let on = raw == [0xFF, 0x00];
    trace.field(at, &raw, format_args!("coil"), format_args!("{}", if on { "on" } else { "off" }));
    Ok(on)
}

fn byte(cursor: &mut Cursor<'_>, name: &str, trace: &mut impl Trace) -> Result<u8, Error> {
    let (at, byte) = (cursor.at(), cursor.u8()?);
    trace.field(at, &[byte], format_args!("{name}"), format_args!("{byte}"));
    Ok(byte)
}

/// A count of bytes, and the bytes.
fn counted<'a>(cursor: &mut Cursor<'a>, name: &str, trace: &mut impl Trace) -> Result<&'a [u8], Error> {
    let len = byte(cursor, "length", trace)?;
    let at = cursor.at();
    let bytes = cursor.take(usize::from(len))?;
    if !bytes.is_empty() {
        trace.field(at, bytes, format_args!("{name}"), format_args!("{}", Hex(bytes)));
    }
    Ok(bytes)
}

pub(super) fn explain_head(frame: &Frame<'_>, trace: &mut impl Trace) {
    trace.field(0, &[frame.unit], format_args!("unit"), format_args!("{}", frame.unit));
    let refused = if frame.function & 0x80 != 0 { ", refused" } else { "" };
    let function = frame.function & 0x7F;
    trace.field(1, &[frame.function], format_args!("function"), format_args!("{function:02X}{refused}"));
}

pub(super) fn explain_crc(frame: &Frame<'_>, trace: &mut impl Trace) {
    if let Some(crc) = frame.bytes.last_chunk::<2>() {
        trace.field(frame.bytes.len() - 2, crc, format_args!("CRC"), format_args!("right"));
    }
}
