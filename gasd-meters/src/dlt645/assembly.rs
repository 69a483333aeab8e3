// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data that are longer than one frame.

use alloc::vec::Vec;

use super::address::Address;
use super::decode::{Data, reading};
use super::di::Di;
use super::fields::{self, Part};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::reading::Reading;

/// Most parts of one answer: a meter that never ends is one that repeats itself.
pub const MAX_PARTS: u8 = 32;

/// The parts of an answer, put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    di: Di,
    payload: Vec<u8>,
    parts: u8,
    more: bool,
}

impl Assembly {
    /// Begins with the answer to the first request.
    #[must_use]
    pub fn begin(data: &Data) -> Self {
        Self { di: data.di, payload: data.payload.clone(), parts: 1, more: data.reading.more }
    }

    /// The number of the part to ask for next; `None` where nothing follows.
    #[must_use]
    pub const fn wanted(&self) -> Option<u8> {
        if self.more { Some(self.parts) } else { None }
    }

    /// Adds the part that was asked for.
    ///
    /// # Errors
    ///
    /// [`Error::AnswerMismatch`] where it is another part or of other data, [`Error::Malformed`] where
    /// there is no end of them. Nothing is added then.
    pub fn push(&mut self, data: &Data) -> Result<(), Error> {
        if data.di != self.di {
            return Err(Error::AnswerMismatch { what: "the data identifier differs" });
        }
        if !self.more || data.seq.is_some_and(|seq| seq != self.parts) {
            return Err(Error::AnswerMismatch { what: "another part of the data" });
        }
        if self.parts >= MAX_PARTS {
            return Err(Error::Malformed { what: "more parts than any data have" });
        }
        self.payload.extend(&data.payload);
        self.parts += 1;
        self.more = data.reading.more;
        Ok(())
    }

    /// The reading of what has come from the meter of this address.
    #[must_use]
    pub fn finish(&self, address: Address) -> Reading {
        let part = if self.more { Part::First } else { Part::Whole };
        let (fields, _) = fields::read(self.di, &mut Cursor::new(&self.payload), part, &mut ());
        reading(address, fields, self.more)
    }
}
