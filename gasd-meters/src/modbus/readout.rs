// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole map read from one unit, with totals that were not caught while they changed.
//!
//! One request reads a total's registers together, and yet units are known that fill them one after the
//! other from a counter that goes on. What was read before shows it: a carry between two copies leaves a
//! total whose high part is not the one of before, or one that has fallen. Such a total is read once more
//! until it goes on from the reading before; one that never holds still is in doubt.

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

/// Of the lowest register: a carry is so near that it may have come while the unit filled its answer.
const CARRIED: u16 = 0x0100;

/// Of the lowest register, between two readings right after one another: only a carry makes it fall so far.
const FALLEN: u16 = 0x8000;

/// Each total as it was read last: what is kept of a unit from one readout to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(Vec<Option<Vec<u8>>>);

impl Memory {
    /// Of each quantity of the map, in its order, the bytes of a total, the highest first; `None` where it was not read.
    #[must_use]
    pub fn parts(&self) -> &[Option<Vec<u8>>] {
        &self.0
    }

    /// What [`Memory::parts`] gave. Parts of another map cost one more request, and nothing else.
    #[must_use]
    pub const fn from_parts(parts: Vec<Option<Vec<u8>>>) -> Self {
        Self(parts)
    }

    /// What of it is kept over a restart: the lowest register of a total is another one in each reading, and a disk that is
    /// written to as often wears out.
    #[must_use]
    pub fn lasting(&self) -> Self {
        let high = |part: &Vec<u8>| match part.split_last_chunk::<2>() {
            Some((high, _)) => [high, &[0, 0]].concat(),
            None => part.clone(),
        };
        Self(self.0.iter().map(|part| part.as_ref().map(high)).collect())
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
            let Some(now) = total(map, point, span, &words) else { continue };
            if may_be_torn(last.as_deref().unwrap_or_default(), &now, self.again == 0) {
                torn.push((point.kind, point.register));
            }
            *last = Some(now);
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

/// The bytes of a total, the highest first.
fn total(map: &RegisterMap, point: &Point, span: Span, words: &[u16]) -> Option<Vec<u8>> {
    point.tears().then(|| map.words(point, span, words).map(|words| point.order.arrange(words)))?
}

/// Whether `now` may be of two moments, as a total that was `before` says; `first` of the readout, so that much may have
/// passed since.
fn may_be_torn(before: &[u8], now: &[u8], first: bool) -> bool {
    let (Some((high_before, low_before)), Some((high, low))) =
        (before.split_last_chunk::<2>(), now.split_last_chunk::<2>())
    else {
        return true;
    };
    if high_before != high {
        return true;
    }
    let (low_before, low) = (u16::from_be_bytes(*low_before), u16::from_be_bytes(*low));
    if first {
        // The high part is old where a carry came before the low one was copied. More may have been used since than the
        // low part holds: then it has not fallen, but it is small.
        low < low_before || (low < CARRIED && low != low_before)
    } else {
        // What runs backwards slowly is not torn.
        low_before.saturating_sub(low) > FALLEN
    }
}
