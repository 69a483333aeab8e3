// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a frame answers a request.

use super::frame::{Frame, Standard};
use crate::error::Error;

/// How well an answer fits. What does not fit is to be counted and said, not to be refused: meters
/// answer with the wildcard that they were asked with, and to the address that nobody should answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// As the standard has it.
    Exact,
    /// From an address that fits only as a wildcard does.
    Wildcard,
    /// From another address than the one asked.
    OtherAddress,
}

/// Whether `answer` answers `request`, of which no other is under way.
///
/// Reading is lenient about the address. Whatever changes something is not: there the address is the
/// one that was asked, digit for digit.
///
/// # Errors
///
/// [`Error::Echo`], [`Error::AnswerMismatch`], [`Error::AddressMismatch`].
pub fn check_answer(request: &Frame<'_>, answer: &Frame<'_>) -> Result<Match, Error> {
    if answer.bytes == request.bytes {
        return Err(Error::Echo);
    }
    if !answer.from_meter() {
        return Err(Error::AnswerMismatch { what: "it is a request" });
    }
    if answer.function() != request.function() {
        return Err(Error::AnswerMismatch { what: "the function differs" });
    }
    let reads = matches!(request.function(), 0x01..=0x03 | 0x11..=0x13);
    let di = match request.standard() {
        Some(Standard::V2007) => 4,
        _ => 2,
    };
    let carries_di = matches!(request.function(), 0x01 | 0x02 | 0x11 | 0x12) && !answer.abnormal();
    if carries_di && answer.data.get(..di) != request.data.get(..di) {
        return Err(Error::AnswerMismatch { what: "the data identifier differs" });
    }
    if answer.address == request.address && !answer.address.is_wildcard() {
        return Ok(Match::Exact);
    }
    // The only meter on the line answers with its new address.
    let addresses = matches!(request.function(), 0x0A | 0x15) && request.address.is_wildcard();
    match reads || addresses {
        false => Err(Error::AddressMismatch),
        true if answer.address.matches(request.address) => Ok(Match::Wildcard),
        true => Ok(Match::OtherAddress),
    }
}
