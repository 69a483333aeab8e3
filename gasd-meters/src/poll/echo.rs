// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells what an adapter hears of its own sending from what others send.

use alloc::vec::Vec;

use zeroize::{Zeroize as _, Zeroizing};

/// Whether an adapter hears what it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// Not known yet: bytes that are the request's are taken for it.
    #[default]
    Unknown,
    /// It does not: every byte is another's.
    Never,
    /// It does: so many bytes as were sent are its own.
    Always,
}

/// What was heard of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// All of it, as it was sent.
    Whole,
    /// All of it, with bytes that are not as they were sent: something else was sending.
    Damaged,
}

/// Drops the echo of one request.
#[derive(Clone, Debug)]
pub struct Ear {
    echo: Echo,
    /// Bytes of the echo that are still to come; 0 once it is over, or none comes.
    left: usize,
    /// What was heard of it while it is not certain that it is one: it may have a password in it.
    held: Zeroizing<Vec<u8>>,
    heard: Heard,
    damaged: bool,
}

impl Ear {
    /// For a request of `length` bytes.
    #[must_use]
    pub fn new(echo: Echo, length: usize) -> Self {
        let left = if echo == Echo::Never { 0 } else { length };
        Self {
            echo,
            left,
            held: Zeroizing::new(Vec::with_capacity(left)),
            heard: Heard::Nothing,
            damaged: false,
        }
    }

    /// A byte came, while the request was still being sent or later. What is another's goes `behind`. Returns how many bytes
    /// are dropped without being an echo.
    pub fn hear(&mut self, byte: u8, request: &[u8], sending: bool, behind: &mut Vec<u8>) -> usize {
        if self.left == 0 {
            if sending {
                // Nobody answers what was not asked yet.
                return 1;
            }
            behind.push(byte);
            return 0;
        }
        let expected = request.get(request.len().saturating_sub(self.left)).copied();
        if expected != Some(byte) && self.echo == Echo::Unknown && !sending && !self.damaged {
            // No echo: all that was held is another's.
            self.left = 0;
            behind.append(&mut self.held);
            behind.push(byte);
            return 0;
        }
        self.damaged |= expected != Some(byte);
        self.held.push(byte);
        self.left -= 1;
        if self.left == 0 {
            self.heard = if self.damaged { Heard::Damaged } else { Heard::Whole };
            self.held.zeroize();
        }
        0
    }

    /// No more comes: what was held and is no whole echo is another's.
    pub fn end(&mut self) -> Vec<u8> {
        self.left = 0;
        if self.echo == Echo::Unknown && !self.damaged {
            core::mem::take(&mut *self.held)
        } else {
            Vec::new()
        }
    }

    /// What was heard of the request.
    #[must_use]
    pub const fn heard(&self) -> Heard {
        self.heard
    }
}
