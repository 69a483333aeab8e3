// SPDX-License-Identifier: MIT OR Apache-2.0
//! One CoAP message, taken apart and put together.
//!
//! ```text
//! version2 type2 length4 | code | id2 | token | options | FF payload
//! ```

use alloc::vec::Vec;
use core::fmt;

use super::option::{self, Shown};
use crate::bytes::Cursor;
use crate::error::{EncodeError, Error};
use crate::hex::Hex;
use crate::trace::Trace;

/// How a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Wants to be acknowledged.
    Confirmable,
    /// Does not.
    NonConfirmable,
    /// Acknowledges.
    Acknowledgement,
    /// Says that it was not understood.
    Reset,
}

/// Class and detail, as 2.05.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u8);

impl Code {
    /// 0.00: no request and no answer.
    pub const EMPTY: Self = Self(0x00);
    /// 0.01
    pub const GET: Self = Self(0x01);
    /// 0.02
    pub const POST: Self = Self(0x02);
    /// 0.03
    pub const PUT: Self = Self(0x03);
    /// 0.04
    pub const DELETE: Self = Self(0x04);
    /// 2.01
    pub const CREATED: Self = Self(0x41);
    /// 2.02
    pub const DELETED: Self = Self(0x42);
    /// 2.04
    pub const CHANGED: Self = Self(0x44);
    /// 2.05
    pub const CONTENT: Self = Self(0x45);
    /// 2.31
    pub const CONTINUE: Self = Self(0x5F);
    /// 4.00
    pub const BAD_REQUEST: Self = Self(0x80);
    /// 4.02
    pub const BAD_OPTION: Self = Self(0x82);
    /// 4.03
    pub const FORBIDDEN: Self = Self(0x83);
    /// 4.04
    pub const NOT_FOUND: Self = Self(0x84);
    /// 4.05
    pub const METHOD_NOT_ALLOWED: Self = Self(0x85);
    /// 4.08
    pub const INCOMPLETE: Self = Self(0x88);
    /// 4.13
    pub const TOO_LARGE: Self = Self(0x8D);
    /// 5.03
    pub const UNAVAILABLE: Self = Self(0xA3);

    /// 0 a request, 2 success, 4 and 5 refusals.
    #[must_use]
    pub const fn class(self) -> u8 {
        self.0 >> 5
    }

    /// What it is called; empty where nobody agreed on it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EMPTY => "empty",
            Self::GET => "GET",
            Self::POST => "POST",
            Self::PUT => "PUT",
            Self::DELETE => "DELETE",
            Self::CREATED => "Created",
            Self::DELETED => "Deleted",
            Self::CHANGED => "Changed",
            Self::CONTENT => "Content",
            Self::CONTINUE => "Continue",
            Self::BAD_REQUEST => "Bad Request",
            Self::BAD_OPTION => "Bad Option",
            Self::FORBIDDEN => "Forbidden",
            Self::NOT_FOUND => "Not Found",
            Self::METHOD_NOT_ALLOWED => "Method Not Allowed",
            Self::INCOMPLETE => "Request Entity Incomplete",
            Self::TOO_LARGE => "Request Entity Too Large",
            Self::UNAVAILABLE => "Service Unavailable",
            _ => match self.class() {
                0 => "a request of another kind",
                2 => "done",
                4 => "refused",
                5 => "failed",
                _ => "no code that is known",
            },
        }
    }

    /// Whether it asks for something.
    #[must_use]
    pub const fn is_request(self) -> bool {
        self.class() == 0 && self.0 != 0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.class(), self.0 & 0x1F)
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How it is sent.
    pub kind: Type,
    /// What it is.
    pub code: Code,
    /// Tells messages of one sender apart.
    pub id: u16,
    /// Up to 8 bytes that an answer has of its request.
    pub token: Vec<u8>,
    /// Options, by number; those of one number in their order.
    pub options: Vec<(u16, Vec<u8>)>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Message {
    /// One without options and payload.
    #[must_use]
    pub fn new(kind: Type, code: Code, id: u16, token: &[u8]) -> Self {
        Self { kind, code, id, token: token.into(), options: Vec::new(), payload: Vec::new() }
    }

    /// What a datagram says.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`]; [`Error::Malformed`]; [`Error::UnsupportedMode`] for another version.
    pub fn parse(bytes: &[u8], trace: &mut impl Trace) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.u8()?;
        let kind = match first >> 4 & 0x03 {
            0 => Type::Confirmable,
            1 => Type::NonConfirmable,
            2 => Type::Acknowledgement,
            _ => Type::Reset,
        };
        if first >> 6 != 1 {
            return Err(Error::UnsupportedMode { mode: first >> 6 });
        }
        let len = usize::from(first & 0x0F);
        if len > 8 {
            return Err(Error::Malformed { what: "a token of more than 8 bytes" });
        }
        trace.field(0, &[first], format_args!("type"), format_args!("{kind:?}, token of {len} bytes"));
        let code = Code(cursor.u8()?);
        trace.field(1, &[code.0], format_args!("code"), format_args!("{code} {}", code.name()));
        let id: [u8; 2] = cursor.array()?;
        trace.field(2, &id, format_args!("message id"), format_args!("{}", u16::from_be_bytes(id)));
        let mut message = Self::new(kind, code, u16::from_be_bytes(id), &[]);
        if code == Code::EMPTY && (len > 0 || !cursor.is_empty()) {
            return Err(Error::Malformed { what: "an empty message with something in it" });
        }
        let token = cursor.take(len)?;
        if len > 0 {
            trace.field(4, token, format_args!("token"), format_args!("{}", Hex(token)));
        }
        message.token = token.into();
        let mut number = 0;
        while let Some((&next, payload)) = cursor.rest().split_first() {
            if next == 0xFF {
                let at = cursor.at();
                if payload.is_empty() {
                    return Err(Error::Malformed { what: "a payload of no byte" });
                }
                trace.field(at, &[next], format_args!("marker"), format_args!("the payload follows"));
                trace.field(at + 1, payload, format_args!("payload"), format_args!("{}", Hex(payload)));
                message.payload = payload.into();
                break;
            }
            let (at, before) = (cursor.at(), cursor.rest());
            cursor.u8()?;
            let delta = extended(next >> 4, &mut cursor)?;
            let len = extended(next & 0x0F, &mut cursor)?;
            number = u16::try_from(number + u32::from(delta))
                .map_err(|_| Error::Malformed { what: "an option above 65535" })?
                .into();
            let value = cursor.take(usize::from(len))?;
            let raw = before.get(..cursor.at() - at).unwrap_or_default();
            // It was made to fit above.
            let number = number as u16;
            let shown = Shown(number, value);
            match option::name(number) {
                Some(name) => trace.field(at, raw, format_args!("{name}"), format_args!("{shown}")),
                None => trace.field(at, raw, format_args!("option {number}"), format_args!("{shown}")),
            }
            message.options.push((number, value.into()));
        }
        Ok(message)
    }

    /// The message as a datagram.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] of a token beyond 8 bytes or an option beyond 65804.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let len = u8::try_from(self.token.len()).ok().filter(|len| *len <= 8);
        let len = len.ok_or(EncodeError::TooLong { most: 8 })?;
        let kind = match self.kind {
            Type::Confirmable => 0x40,
            Type::NonConfirmable => 0x50,
            Type::Acknowledgement => 0x60,
            Type::Reset => 0x70,
        };
        let mut bytes: Vec<u8> = [kind | len, self.code.0].into();
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(&self.token);
        let mut options: Vec<&(u16, Vec<u8>)> = self.options.iter().collect();
        // Stable: those of one number keep their order.
        options.sort_by_key(|(number, _)| *number);
        let mut last = 0;
        for (number, value) in options {
            let len = u32::try_from(value.len()).ok().filter(|len| *len <= 65_804);
            let len = len.ok_or(EncodeError::TooLong { most: 65_804 })?;
            let (delta, more) = extend(u32::from(number - last));
            let (size, further) = extend(len);
            bytes.push(delta << 4 | size);
            bytes.extend(more.into_iter().chain(further));
            bytes.extend(value);
            last = *number;
        }
        if !self.payload.is_empty() {
            bytes.push(0xFF);
            bytes.extend(&self.payload);
        }
        Ok(bytes)
    }

    /// The first option of this number.
    #[must_use]
    pub fn option(&self, number: u16) -> Option<&[u8]> {
        self.options.iter().find(|(n, _)| *n == number).map(|(_, value)| &value[..])
    }

    /// The first option of this number, as a number; `None` also of one of more than four bytes.
    #[must_use]
    pub fn number(&self, number: u16) -> Option<u32> {
        let value = self.option(number)?;
        (value.len() <= 4).then(|| value.iter().fold(0, |n, &byte| n << 8 | u32::from(byte)))
    }

    /// Options of this number as text; what is no UTF-8 is left out.
    pub fn texts(&self, number: u16) -> impl Iterator<Item = &str> {
        self.options
            .iter()
            .filter(move |(n, _)| *n == number)
            .filter_map(|(_, value)| core::str::from_utf8(value).ok())
    }

    /// Adds an option.
    #[must_use]
    pub fn with(mut self, number: u16, value: &[u8]) -> Self {
        self.options.push((number, value.into()));
        self
    }

    /// Adds an option that is a number, in as few bytes as it needs.
    #[must_use]
    pub fn with_number(self, number: u16, value: u32) -> Self {
        let bytes = value.to_be_bytes();
        let unused = bytes.iter().take_while(|&&byte| byte == 0).count();
        self.with(number, bytes.get(unused..).unwrap_or_default())
    }
}

/// 13 and 14 say that one or two bytes follow.
fn extended(nibble: u8, cursor: &mut Cursor<'_>) -> Result<u16, Error> {
    match nibble {
        13 => Ok(u16::from(cursor.u8()?) + 13),
        14 => cursor.u16_be()?.checked_add(269).ok_or(Error::Malformed { what: "an option above 65535" }),
        15 => Err(Error::Malformed { what: "an option of a kind that there is not" }),
        nibble => Ok(u16::from(nibble)),
    }
}

fn extend(number: u32) -> (u8, Vec<u8>) {
    match number {
        0..13 => (number as u8, Vec::new()),
        13..269 => (13, [(number - 13) as u8].into()),
        _ => (14, ((number - 269) as u16).to_be_bytes().into()),
    }
}
