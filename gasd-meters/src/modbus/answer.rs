// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a frame answers a request.

use super::frame::Frame;
use super::message::{Answer, decode_answer, decode_request};
use super::request::Request;
use crate::error::Error;

/// Whether `answer` answers `request`, be it with an exception.
///
/// Nothing is taken leniently: Modbus numbers nothing, so a late answer to the request before is told from
/// the right one by its unit, function and length alone.
///
/// A unit repeats a request that writes one register or coil as its answer: there [`Error::Echo`] cannot be
/// told, and an adapter that hears itself must be found out with a request that reads.
///
/// # Errors
///
/// [`Error::Echo`], [`Error::AddressMismatch`], [`Error::AnswerMismatch`]; [`Error::Malformed`] where
/// `request` is none.
pub fn check_answer(request: &Frame<'_>, answer: &Frame<'_>) -> Result<(), Error> {
    let asked = decode_request(request, &mut ())?;
    let repeats = matches!(asked.function(), 0x05 | 0x06 | 0x08 | 0x16);
    if answer.bytes == request.bytes && !repeats {
        return Err(Error::Echo);
    }
    if request.unit == 0 {
        return Err(Error::AnswerMismatch { what: "nobody answers what goes to everyone" });
    }
    if answer.unit != request.unit {
        return Err(Error::AddressMismatch);
    }
    if answer.function & 0x7F != request.function {
        return Err(Error::AnswerMismatch { what: "the function differs" });
    }
    let said = decode_answer(answer, &mut ())
        .map_err(|_| Error::AnswerMismatch { what: "it has not the length of an answer" })?;
    let fits = match (asked, said) {
        (_, Answer::Exception(_)) => true,
        (Request::ReadCoils(_, n) | Request::ReadInputs(_, n), Answer::Bits(bytes)) => {
            bytes.len() == usize::from(n.div_ceil(8))
        }
        (
            Request::ReadHolding(_, n) | Request::ReadInput(_, n) | Request::ReadWrite { count: n, .. },
            Answer::Registers(words),
        ) => words.len() == usize::from(n),
        (Request::WriteCoils(at, bits), Answer::Written(from, n)) => {
            at == from && bits.len() == usize::from(n)
        }
        (Request::WriteRegisters(at, words), Answer::Written(from, n)) => {
            at == from && words.len() == usize::from(n)
        }
        (Request::WriteCoil(at, on), Answer::Coil(from, is)) => (at, on) == (from, is),
        (Request::WriteRegister(at, value), Answer::Register(from, is)) => (at, value) == (from, is),
        (Request::MaskRegister(..), Answer::Masked(..)) => answer.data == request.data,
        (Request::Diagnose(which, _), Answer::Diagnosis(is, _)) => which == is,
        (Request::Identify(code, _), Answer::Identification { .. }) => answer.data.get(1) == Some(&code),
        (Request::ReadExceptionStatus, Answer::ExceptionStatus(_))
        | (Request::CountEvents, Answer::Diagnosis(..))
        | (Request::ReadEvents | Request::ReadId, Answer::Bytes(_)) => true,
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(Error::AnswerMismatch { what: "it is about other registers, or another number of them" })
    }
}
