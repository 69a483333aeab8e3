// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests as frames.

use alloc::vec::Vec;

use super::address::{Address, Master};
use super::frame::build;
use super::packed::pack;
use crate::error::EncodeError;

/// What is asked of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// 0: who it is.
    Identify,
    /// 1: its primary variable.
    Primary,
    /// 2: current in the loop, per cent of the range.
    Loop,
    /// 3: current in the loop and up to four variables.
    Dynamic,
    /// 9: up to eight variables by their codes, with their status (HART 6 and later).
    WithStatus(&'a [u8]),
    /// 11: who has this tag, of up to eight characters.
    IdentifyByTag(&'a str),
    /// 12: the message that it keeps.
    Message,
    /// 13: tag, descriptor and date.
    Tag,
    /// 15: the range of its primary variable.
    Range,
    /// 20: the long tag (HART 6 and later).
    LongTag,
    /// 21: who has this long tag, of up to 32 characters.
    IdentifyByLongTag(&'a str),
    /// 33: up to four variables by their codes.
    ByCode(&'a [u8]),
    /// 38: the flag that its configuration was changed may go; with the number of changes that were seen
    /// (HART 7).
    ResetChanged(Option<u16>),
    /// 48: more of its status.
    MoreStatus,
    /// Any command with any data.
    Raw(u8, &'a [u8]),
}

impl Request<'_> {
    /// The command.
    #[must_use]
    pub const fn command(&self) -> u8 {
        match self {
            Self::Identify => 0,
            Self::Primary => 1,
            Self::Loop => 2,
            Self::Dynamic => 3,
            Self::WithStatus(_) => 9,
            Self::IdentifyByTag(_) => 11,
            Self::Message => 12,
            Self::Tag => 13,
            Self::Range => 15,
            Self::LongTag => 20,
            Self::IdentifyByLongTag(_) => 21,
            Self::ByCode(_) => 33,
            Self::ResetChanged(_) => 38,
            Self::MoreStatus => 48,
            Self::Raw(command, _) => *command,
        }
    }
}

/// The frame of a request, after `preamble` bytes FF: 20 until a device has said how many it wants.
///
/// # Errors
///
/// [`EncodeError::Address`] of a poll above 63 or a type of more than 14 bits, [`EncodeError::Wildcard`] of
/// what goes to every device and names none, [`EncodeError::OutOfRange`] of a tag or a number of variables
/// that there cannot be, [`EncodeError::TooLong`].
pub fn encode(
    master: Master,
    address: Address,
    request: &Request<'_>,
    preamble: usize,
) -> Result<Vec<u8>, EncodeError> {
    match address {
        Address::Polling(0..=63) | Address::Unique { kind: 0..=0x3FFF, .. } => {}
        _ => return Err(EncodeError::Address),
    }
    let names_one = matches!(request, Request::IdentifyByTag(_) | Request::IdentifyByLongTag(_));
    if address == Address::BROADCAST && !names_one {
        return Err(EncodeError::Wildcard);
    }
    let codes = |codes: &[u8], most: usize| {
        if codes.is_empty() || codes.len() > most {
            return Err(EncodeError::OutOfRange { what: "number of variables" });
        }
        Ok(codes.to_vec())
    };
    let data = match *request {
        Request::WithStatus(list) => codes(list, 8)?,
        Request::ByCode(list) => codes(list, 4)?,
        Request::IdentifyByTag(tag) => pack(tag, 6).ok_or(EncodeError::OutOfRange { what: "tag" })?,
        Request::IdentifyByLongTag(tag) => {
            let mut bytes = Vec::with_capacity(32);
            for c in tag.chars() {
                bytes.push(u8::try_from(c).map_err(|_| EncodeError::OutOfRange { what: "tag" })?);
            }
            if bytes.len() > 32 {
                return Err(EncodeError::OutOfRange { what: "tag" });
            }
            bytes.resize(32, 0);
            bytes
        }
        Request::ResetChanged(Some(changes)) => changes.to_be_bytes().into(),
        Request::Raw(_, data) => data.into(),
        _ => Vec::new(),
    };
    if data.len() > 255 {
        return Err(EncodeError::TooLong { most: 255 });
    }
    Ok(build(master, address, request.command(), &data, preamble))
}
