// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a frame answers a request.

use super::address::Address;
use super::frame::{Frame, Type};
use crate::error::Error;

/// Whether `answer` answers `request`, be it with a refusal.
///
/// # Errors
///
/// [`Error::Echo`], [`Error::AddressMismatch`], [`Error::AnswerMismatch`]: a burst, an answer to the other
/// master, one to another command.
pub fn check_answer(request: &Frame<'_>, answer: &Frame<'_>) -> Result<(), Error> {
    if answer.bytes == request.bytes {
        return Err(Error::Echo);
    }
    match answer.kind {
        Type::Answer => {}
        Type::Burst => return Err(Error::AnswerMismatch { what: "the device sent it unasked" }),
        Type::Request => return Err(Error::AnswerMismatch { what: "it is a request" }),
    }
    if answer.master != request.master {
        return Err(Error::AnswerMismatch { what: "it answers the other master" });
    }
    if answer.command != request.command {
        return Err(Error::AnswerMismatch { what: "the command differs" });
    }
    // Who is asked by the tag answers with its own address.
    if request.address == Address::BROADCAST || answer.address == request.address {
        return Ok(());
    }
    Err(Error::AddressMismatch)
}
