// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frame counter: 32 bits of which a frame carries the low half.

use crate::error::Error;

/// How far a counter may be above the last one, of a session that a join has begun.
pub const WINDOW: u32 = 16_384;

/// High halves that are tried of a session that was made with the device, while no counter of it is known: a device that
/// was at work before it was configured here. 256 are 16 million frames, one a minute for thirty years.
const UNHEARD: u32 = 256;

/// High halves above the last one that are tried of such a session: half a million frames that nobody heard. Each more
/// makes a forged MIC right that much more often, of 4 thousand million.
const WRAPS: u32 = 8;

/// The last counter of one direction of a session. It must survive a restart: with a counter that begins
/// anew a recorded frame is taken for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    last: Option<u32>,
    made: bool,
}

impl Counter {
    /// Of a session that has just begun.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None, made: false }
    }

    /// Of a session whose last frame had this counter.
    #[must_use]
    pub const fn after(last: u32) -> Self {
        Self { last: Some(last), made: false }
    }

    /// The same of a session that the device was made with (ABP). It cannot begin anew by a join, so that any counter
    /// above the last one is taken that the MIC is right for, and of one that was never heard any counter.
    #[must_use]
    pub const fn without_joins(self) -> Self {
        Self { made: true, ..self }
    }

    /// The last one; `None` before the first frame.
    #[must_use]
    pub const fn last(self) -> Option<u32> {
        self.last
    }

    /// What a frame with this low half may have: the same high half as the last one, or the next; of a session without
    /// joins some more. The MIC says which.
    pub(super) fn candidates(self, low: u16) -> impl Iterator<Item = u32> {
        let more = match (self.made, self.last) {
            (false, _) => 2,
            (true, None) => UNHEARD,
            (true, Some(_)) => 1 + WRAPS,
        };
        let high = self.last.unwrap_or(0) >> 16;
        (high..high + more).filter(|high| *high <= 0xFFFF).map(move |high| high << 16 | u32::from(low))
    }

    /// Takes a counter whose MIC was right.
    pub(super) fn accept(&mut self, counter: u32) -> Result<(), Error> {
        if let Some(last) = self.last {
            if counter <= last {
                return Err(Error::Replay { got: counter, last });
            }
            if counter - last > WINDOW && !self.made {
                return Err(Error::CounterGap { got: counter, last });
            }
        }
        self.last = Some(counter);
        Ok(())
    }
}
