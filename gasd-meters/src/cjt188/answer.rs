// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a frame answers a request, and whether a valve moved.

use super::decode::{Decoded, Message, decode};
use super::frame::{ANY_TYPE, Frame};
use super::order::{Order, resolve};
use super::profile::Profile;
use super::request::ValveCommand;
use crate::error::Error;
use crate::status::Valve;

/// What differs between a request and an answer that is taken all the same: to be counted and said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniency {
    /// The type: meters asked as 20 answer as 25.
    pub kind: bool,
    /// The address.
    pub address: bool,
    /// The sequence number.
    pub ser: bool,
    /// The order of the identifier's bytes.
    pub order: bool,
}

/// Whether `answer` answers `request`, of which no other is under way. `learnt`: see [`resolve`].
///
/// Reading is lenient: what differs is told. Whatever changes something is not: there type, address,
/// identifier and sequence number are those of the request.
///
/// # Errors
///
/// [`Error::Echo`], [`Error::AnswerMismatch`], [`Error::AddressMismatch`].
pub fn check_answer(
    request: &Frame<'_>,
    answer: &Frame<'_>,
    learnt: Option<Order>,
) -> Result<Leniency, Error> {
    if answer.bytes == request.bytes {
        return Err(Error::Echo);
    }
    if !answer.from_meter() {
        return Err(Error::AnswerMismatch { what: "it is a request" });
    }
    if answer.function() != request.function() {
        return Err(Error::AnswerMismatch { what: "the function differs" });
    }
    let (di, ser) = head(request);
    let mut lenient = Leniency {
        kind: answer.kind != request.kind && request.kind != ANY_TYPE,
        address: !request.address.covers(answer.address),
        ..Leniency::default()
    };
    if answer.abnormal() && answer.data.len() < 5 {
        lenient.ser = answer.data.first().copied() != ser;
    } else {
        let (answered, number) = head(answer);
        if answered.map(|wire| resolve(wire, learnt).0) != di.map(|wire| resolve(wire, learnt).0) {
            return Err(Error::AnswerMismatch { what: "the data identifier differs" });
        }
        lenient.order = answered != di;
        lenient.ser = number != ser;
    }
    if matches!(request.function(), 0x01 | 0x03 | 0x09) {
        return Ok(lenient);
    }
    if answer.address != request.address {
        return Err(Error::AddressMismatch);
    }
    if lenient.kind {
        return Err(Error::AnswerMismatch { what: "the type of the meter differs" });
    }
    if lenient.ser {
        return Err(Error::AnswerMismatch { what: "the sequence number differs" });
    }
    Ok(lenient)
}

/// The identifier as on the wire, and the sequence number.
fn head(frame: &Frame<'_>) -> (Option<[u8; 2]>, Option<u8>) {
    match frame.data {
        [first, second, rest @ ..] => (Some([*first, *second]), rest.first().copied()),
        _ => (None, None),
    }
}

/// Whether `answer` says that the valve is where `request` sent it.
///
/// Nothing is taken leniently: type, address, identifier, sequence number and the valve's bits of the
/// status are all as they must be. Even then the next reading of `901F` says whether it has moved; and
/// after an error or no answer at all the meter is read before it is commanded again.
///
/// # Errors
///
/// As [`check_answer`]; [`Error::DeviceError`] where the meter refuses; [`Error::AnswerMismatch`] where
/// the status is missing, or shows the valve elsewhere.
pub fn check_valve(
    request: &Frame<'_>,
    answer: &Frame<'_>,
    profile: &Profile,
    learnt: Option<Order>,
) -> Result<(), Error> {
    let command = decode(request, profile, learnt, &mut ())?;
    let wanted = match (request.from_meter(), command.message) {
        (false, Message::Valve(code)) if code == ValveCommand::Open as u8 => Valve::Open,
        (false, Message::Valve(code)) if code == ValveCommand::Close as u8 => Valve::Closed,
        _ => return Err(Error::AnswerMismatch { what: "the request moves no valve" }),
    };
    if request.address.is_wildcard() || request.kind == ANY_TYPE {
        return Err(Error::AddressMismatch);
    }
    let lenient = check_answer(request, answer, learnt)?;
    let Decoded { message, .. } = decode(answer, profile, learnt, &mut ())?;
    match message {
        Message::Refused(status) => Err(Error::DeviceError { code: status.word, what: "" }),
        _ if lenient != Leniency::default() => {
            Err(Error::AnswerMismatch { what: "the data identifier comes in another order" })
        }
        Message::Done(Some(status), _) if status.valve == Some(wanted) => Ok(()),
        Message::Done(Some(_), _) => {
            Err(Error::AnswerMismatch { what: "the status does not show the valve where it was sent" })
        }
        _ => Err(Error::AnswerMismatch { what: "the answer has no status of the valve" }),
    }
}
