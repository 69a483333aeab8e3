// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole map read from one unit, with totals that were not caught while they changed.
//!
//! One request reads a total's registers together, and yet units are known that fill them one after the
//! other from a counter that goes on. Where the high part of a total is not the one that was read last, it
//! is read once more: twice the same high part is right, and a total that never holds still is in doubt.

use alloc::vec::Vec;
use core::borrow::Borrow;

use super::frame::Frame;
use super::map::{MapError, Point, RegisterMap};
use super::message::{Answer, decode_answer};
use super::plan::Span;
use super::request::{Request, encode};
use crate::error::{EncodeError, Error};
use crate::fault::Fault;
use crate::reading::Reading;
use crate::trace::Trace;

/// How often registers are read again before their totals are in doubt.
pub const MAX_AGAIN: u8 = 3;

/// The high part of each quantity as it was read last: what is kept of a unit from one readout to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(Vec<Option<Vec<u8>>>);

impl Memory {
    /// Of each quantity of the map, in its order, all bytes but those of the lowest register; `None` where it was not read.
    #[must_use]
    pub fn parts(&self) -> &[Option<Vec<u8>>] {
        &self.0
    }

    /// What [`Memory::parts`] gave. Parts of another map cost one more request, and nothing else.
    #[must_use]
    pub const fn from_parts(parts: Vec<Option<Vec<u8>>>) -> Self {
        Self(parts)
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next registers.
    Next,
    /// The same registers again: a total may have been caught while it changed.
    Again,
    /// All is read: [`Readout::finish`].
    Done,
}

/// One readout under way, by a map that is its own or another's.
#[derive(Clone, Debug)]
pub struct Readout<M> {
    map: M,
    unit: u8,
    spans: Vec<Span>,
    at: usize,
    again: u8,
    memory: Memory,
    reading: Reading,
}

impl<M: Borrow<RegisterMap>> Readout<M> {
    /// Begins to read `unit`, of which `memory` is what the last readout left, or nothing.
    ///
    /// # Errors
    ///
    /// [`MapError`].
    pub fn new(map: M, unit: u8, mut memory: Memory) -> Result<Self, MapError> {
        let spans = map.borrow().plan()?;
        memory.0.resize(map.borrow().points.len(), None);
        Ok(Self { map, unit, spans, at: 0, again: 0, memory, reading: Reading::default() })
    }

    /// The request that is due; `None` when all is read.
    ///
    /// # Errors
    ///
    /// As [`encode`].
    pub fn request(&self) -> Option<Result<Vec<u8>, EncodeError>> {
        let request: Request = self.spans.get(self.at)?.request();
        Some(encode(self.unit, &request))
    }

    /// Takes the answer to the request that is due.
    ///
    /// # Errors
    ///
    /// As [`RegisterMap::read`]: the same request stays due.
    pub fn answer(&mut self, answer: &Frame<'_>, trace: &mut impl Trace) -> Result<Step, Error> {
        let mismatch = Error::AnswerMismatch { what: "nothing was asked" };
        let span = *self.spans.get(self.at).ok_or(mismatch)?;
        let bytes = encode(self.unit, &span.request()).map_err(|_| mismatch)?;
        let map = self.map.borrow();
        let read = map.read(&Frame::parse(&bytes)?, answer, trace)?;
        let Answer::Registers(words) = decode_answer(answer, &mut ())? else { return Err(mismatch) };
        let mut torn = Vec::new();
        for (point, last) in map.points.iter().zip(&mut self.memory.0) {
            let Some(high) = high_part(map, point, span, &words) else { continue };
            if last.as_ref() != Some(&high) {
                torn.push((point.kind, point.register));
                *last = Some(high);
            }
        }
        if !torn.is_empty() && self.again < MAX_AGAIN {
            self.again += 1;
            return Ok(Step::Again);
        }
        self.reading.meter = read.meter;
        for mut field in read.fields {
            if torn.contains(&(field.kind, field.register)) {
                field.doubt = Some(Fault::Torn);
            }
            self.reading.fields.push(field);
        }
        self.again = 0;
        self.at += 1;
        Ok(if self.at < self.spans.len() { Step::Next } else { Step::Done })
    }

    /// What was read, and what to begin the next readout with.
    #[must_use]
    pub fn finish(self) -> (Reading, Memory) {
        (self.reading, self.memory)
    }
}

/// All of a quantity but its lowest register.
fn high_part(map: &RegisterMap, point: &Point, span: Span, words: &[u16]) -> Option<Vec<u8>> {
    if !point.tears() {
        return None;
    }
    let mut bytes = point.order.arrange(map.words(point, span, words)?);
    bytes.truncate(bytes.len().saturating_sub(2));
    Some(bytes)
}
