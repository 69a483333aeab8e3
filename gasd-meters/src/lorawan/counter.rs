// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frame counter: 32 bits of which a frame carries the low half.

use crate::error::Error;

/// How far a counter may be above the last one.
pub const WINDOW: u32 = 16_384;

/// The last counter of one direction of a session. It must survive a restart: with a counter that begins
/// anew a recorded frame is taken for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    last: Option<u32>,
}

impl Counter {
    /// Of a session that has just begun.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Of a session whose last frame had this counter.
    #[must_use]
    pub const fn after(last: u32) -> Self {
        Self { last: Some(last) }
    }

    /// The last one; `None` before the first frame.
    #[must_use]
    pub const fn last(self) -> Option<u32> {
        self.last
    }

    /// What a frame with this low half may have: the same high half as the last one, or the next. The MIC
    /// says which.
    pub(super) fn candidates(self, low: u16) -> [Option<u32>; 2] {
        let high = self.last.unwrap_or(0) & 0xFFFF_0000;
        let same = high | u32::from(low);
        [Some(same), same.checked_add(0x1_0000)]
    }

    /// Takes a counter whose MIC was right.
    pub(super) fn accept(&mut self, counter: u32) -> Result<(), Error> {
        if let Some(last) = self.last {
            if counter <= last {
                return Err(Error::Replay { got: counter, last });
            }
            if counter - last > WINDOW {
                return Err(Error::CounterGap { got: counter, last });
            }
        }
        self.last = Some(counter);
        Ok(())
    }
}
