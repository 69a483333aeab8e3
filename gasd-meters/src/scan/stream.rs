// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scanner of a stream: bytes as they come, time as an argument.

use super::Probe;
use crate::error::Error;

/// Bytes that a scanner holds, and the longest frame it finds. The protocols' longest is 290 bytes.
pub const CAPACITY: usize = 512;

/// What a scanner found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A frame that its probe accepts.
    Frame {
        /// The frame.
        bytes: &'a [u8],
        /// Bytes since the frame before that belong to no frame; wake-up bytes are not counted.
        garbage: usize,
        /// Where in the stream it begins, bytes since the scanner was made.
        offset: u64,
    },
    /// Something that has a frame's header and length and is none. Its bytes are looked at again, from
    /// the second on.
    Rejected {
        /// The bytes, to be kept for whoever looks for the reason.
        bytes: &'a [u8],
        /// What is wrong.
        error: Error,
        /// Where in the stream it begins.
        offset: u64,
    },
}

/// Finds frames in a stream. Times are ns of one clock that does not jump.
#[derive(Clone, Debug)]
pub struct Scanner {
    buffer: [u8; CAPACITY],
    /// The bytes that are not decided: `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Bytes that the candidate at `start` waits for.
    wanted: usize,
    garbage: usize,
    /// Of `start`, in the stream.
    offset: u64,
    last_ns: u64,
    idle_ns: u64,
}

impl Scanner {
    /// A scanner that gives up half a frame after `idle_ns` without a byte.
    ///
    /// Three times the longest gap that the protocol allows between two bytes is a good value:
    /// 1.5 s for DL/T 645.
    #[must_use]
    pub const fn new(idle_ns: u64) -> Self {
        Self {
            buffer: [0; CAPACITY],
            start: 0,
            end: 0,
            wanted: 0,
            garbage: 0,
            offset: 0,
            last_ns: 0,
            idle_ns,
        }
    }

    /// Takes `bytes` that came at `now_ns` and tells what they complete.
    pub fn push(
        &mut self,
        now_ns: u64,
        mut bytes: &[u8],
        mut probe: impl FnMut(&[u8]) -> Probe,
        mut found: impl FnMut(Found<'_>),
    ) {
        if bytes.is_empty() {
            return;
        }
        self.tick(now_ns, &mut probe, &mut found);
        self.last_ns = now_ns;
        while !bytes.is_empty() {
            if self.end == CAPACITY {
                self.buffer.copy_within(self.start.., 0);
                self.end -= self.start;
                self.start = 0;
            }
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            let (now, later) = bytes.split_at(bytes.len().min(free.len()));
            for (place, byte) in free.iter_mut().zip(now) {
                *place = *byte;
            }
            self.end += now.len();
            bytes = later;
            // Afterwards a candidate waits for more than there is, and no more than fits: there is room.
            self.run(false, &mut probe, &mut found);
        }
    }

    /// Gives up half a frame whose next byte is overdue, and looks for others behind its first byte.
    pub fn tick(&mut self, now_ns: u64, probe: impl FnMut(&[u8]) -> Probe, found: impl FnMut(Found<'_>)) {
        if self.due_ns().is_some_and(|due| now_ns >= due) {
            self.flush(probe, found);
        }
    }

    /// When [`Scanner::tick`] will have something to give up, ns; `None` while nothing waits.
    #[must_use]
    pub const fn due_ns(&self) -> Option<u64> {
        if self.start == self.end { None } else { Some(self.last_ns.saturating_add(self.idle_ns)) }
    }

    /// Nothing more comes: finds what is complete and drops the rest.
    pub fn flush(&mut self, mut probe: impl FnMut(&[u8]) -> Probe, mut found: impl FnMut(Found<'_>)) {
        self.run(true, &mut probe, &mut found);
    }

    /// Bytes since the last frame that belong to none, as far as is decided.
    #[must_use]
    pub const fn garbage(&self) -> usize {
        self.garbage
    }

    /// Bytes that wait for more.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn run(&mut self, last: bool, probe: &mut impl FnMut(&[u8]) -> Probe, found: &mut impl FnMut(Found<'_>)) {
        while self.start < self.end {
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            if !last && bytes.len() < self.wanted {
                return;
            }
            let offset = self.offset;
            let passed = match probe(bytes) {
                Probe::Need(n) if n > bytes.len() && n <= CAPACITY && !last => {
                    self.wanted = n;
                    return;
                }
                Probe::Frame(n) if n > 0 && n <= bytes.len() => {
                    let bytes = bytes.get(..n).unwrap_or_default();
                    found(Found::Frame { bytes, garbage: self.garbage, offset });
                    self.garbage = 0;
                    n
                }
                Probe::Bad { len, error } => {
                    let bytes = bytes.get(..len).unwrap_or(bytes);
                    found(Found::Rejected { bytes, error, offset });
                    self.garbage = self.garbage.saturating_add(1);
                    1
                }
                Probe::Wake => 1,
                // A frame of no byte, or of more than there are, is a probe's mistake: no frame.
                Probe::No | Probe::Need(_) | Probe::Frame(_) => {
                    self.garbage = self.garbage.saturating_add(1);
                    1
                }
            };
            self.start += passed;
            self.offset += passed as u64;
            self.wanted = 0;
        }
        (self.start, self.end) = (0, 0);
    }
}
