// SPDX-License-Identifier: MIT OR Apache-2.0
//! A reading of several telegrams, and the bit that asks for the next.

use super::decode::Message;
use crate::error::Error;
use crate::reading::Reading;

/// Most telegrams of one reading: a meter that never ends repeats itself.
pub const MAX_TELEGRAMS: u8 = 32;

/// The frame count bit of one meter: a meter sends the next telegram where it changes, and the last once
/// more where it does not. To be kept as long as the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCount(bool);

impl FrameCount {
    /// After SND_NKE: the first request has the bit set.
    #[must_use]
    pub const fn after_reset() -> Self {
        Self(true)
    }

    /// The bit of the next request.
    #[must_use]
    pub const fn bit(self) -> bool {
        self.0
    }

    /// A good answer came. Without one the bit stays, so that the meter repeats what was lost.
    pub const fn answered(&mut self) {
        self.0 = !self.0;
    }
}

/// What a telegram does to a readout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Ask for the next.
    More,
    /// That was all.
    Done,
}

/// Puts the telegrams of one reading together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readout {
    reading: Option<Reading>,
    last: Option<Reading>,
    telegrams: u8,
}

impl Readout {
    /// A readout that nothing has come to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an answer to REQ_UD2. After `Ok` the [`FrameCount`] is to be told.
    ///
    /// # Errors
    ///
    /// As [`Message::into_reading`]; [`Error::AddressMismatch`] of another meter's telegram,
    /// [`Error::Malformed`] where the meter repeats a telegram that was asked to be followed, or never ends. What came before
    /// stays.
    pub fn push(&mut self, message: Message) -> Result<Progress, Error> {
        let reading = message.into_reading()?;
        if self.last.as_ref() == Some(&reading) {
            return Err(Error::Malformed {
                what: "the meter repeats a telegram instead of sending the next",
            });
        }
        match &mut self.reading {
            None => self.reading = Some(reading.clone()),
            Some(_) if self.telegrams >= MAX_TELEGRAMS => {
                return Err(Error::Malformed { what: "more telegrams than any reading has" });
            }
            Some(all) if all.meter != reading.meter => return Err(Error::AddressMismatch),
            Some(all) => {
                all.fields.extend(reading.fields.iter().cloned());
                all.more = reading.more;
            }
        }
        self.telegrams += 1;
        let progress = if reading.more { Progress::More } else { Progress::Done };
        self.last = Some(reading);
        Ok(progress)
    }

    /// What has come.
    #[must_use]
    pub fn finish(self) -> Option<Reading> {
        self.reading
    }
}
