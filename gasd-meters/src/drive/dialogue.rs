// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests to one meter, one after the other, until all is said.
//!
//! What reads is repeated where the line failed it; what a meter refused is an answer and is not; what moves a valve is
//! never repeated. How a request looks and what its answer says is the part of each protocol.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::memory::Memory;
use super::oddities::{Oddities, count};
use crate::error::{EncodeError, Error};
use crate::poll::Failure;
use crate::reading::Reading;
use crate::scan::Probe;

/// How often a request that reads is repeated after a timeout or a damaged answer: three requests in all.
///
/// A line that loses one frame in ten loses one reading in a thousand so, and a meter that is dead costs the others on
/// its port no more than three waits.
pub const REPEATS: u8 = 2;

/// A request that is to go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The bytes for the line, with what wakes a meter up. There may be a password in them.
    pub request: Zeroizing<Vec<u8>>,
    /// Whether anybody answers it. `false`: it goes to everyone, and nothing is waited for.
    pub answered: bool,
    /// Several may answer, and all of them are to be heard: [`Exchange::to_many`](crate::poll::Exchange::to_many).
    pub many: bool,
    /// It is the command itself: once it is out a valve may move. What selects a meter before is none.
    pub moves: bool,
}

/// How a dialogue ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What the meter said; or why it said nothing that can be taken. After a command `valve` is what the answer to it
    /// says, if it says anything.
    pub result: Result<Reading, Error>,
    /// What is to be remembered of it, whatever the result.
    pub memory: Memory,
    /// What was taken although it was odd.
    pub oddities: Oddities,
    /// The last frame that answered, as it was on the wire, but for an acknowledgement of one byte: for whoever looks for
    /// a reason.
    pub frame: Option<Vec<u8>>,
    /// What was heard beside it, where several may have answered.
    pub beside: Beside,
}

/// What came beside an answer to what several may answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The other answers.
    pub frames: Vec<Vec<u8>>,
    /// Bytes of no frame: answers that destroyed each other, or noise.
    pub garbage: usize,
}

/// A request that is due.
pub(super) struct Due {
    pub request: Result<Vec<u8>, EncodeError>,
    pub answered: bool,
    /// How often it may be repeated.
    pub repeats: u8,
    /// Several may answer.
    pub many: bool,
    /// See [`Ask::moves`].
    pub moves: bool,
}

impl Due {
    /// A request that reads.
    pub const fn reads(request: Result<Vec<u8>, EncodeError>) -> Self {
        Self { request, answered: true, repeats: REPEATS, many: false, moves: false }
    }

    /// A request that is sent once, whatever comes of it.
    pub const fn once(request: Result<Vec<u8>, EncodeError>) -> Self {
        Self { request, answered: true, repeats: 0, many: false, moves: false }
    }

    /// A request that moves a valve: sent once, too.
    pub const fn moves(request: Result<Vec<u8>, EncodeError>) -> Self {
        Self { request, answered: true, repeats: 0, many: false, moves: true }
    }
}

/// The part of one protocol.
pub(super) trait Talk: fmt::Debug {
    /// What is to be asked now; `None` when it is over. Asked for once for each time it goes out.
    fn due(&mut self) -> Option<Due>;
    /// See [`Dialogue::probe`].
    fn probe(&self, bytes: &[u8]) -> Probe;
    /// See [`Dialogue::judge`]. `request` as it went out.
    fn judge(&self, request: &[u8], answer: &[u8]) -> Result<(), Error>;
    /// Takes an answer that was judged right.
    fn take(&mut self, request: &[u8], answer: &[u8], oddities: &mut Oddities) -> Result<(), Error>;
    /// Whether what failed so may be asked once more.
    fn repeatable(&self, error: &Error) -> bool {
        Failure::of(error).is_some()
    }
    /// The same will be asked once more.
    fn again(&mut self, _error: &Error) {}
    /// What was asked has failed for good. Afterwards something else is due, or nothing.
    fn failed(&mut self, error: Error, oddities: &mut Oddities);
    /// The result and what is to be remembered.
    fn finish(self: Box<Self>) -> (Result<Reading, Error>, Memory);
}

/// A dialogue with one meter.
///
/// For each [`Ask`] there is one exchange on the line, with [`Dialogue::probe`] and [`Dialogue::judge`]; how it ended goes
/// to [`Dialogue::heard`]. Nothing said before the next [`Dialogue::next`] is the same as a timeout.
#[derive(Debug)]
pub struct Dialogue {
    talk: Box<dyn Talk + Send + Sync>,
    request: Zeroizing<Vec<u8>>,
    answered: bool,
    /// A request is out.
    open: bool,
    /// The next request is one that went out before.
    repeating: bool,
    repeats: u8,
    oddities: Oddities,
    frame: Option<Vec<u8>>,
    beside: Beside,
}

impl Dialogue {
    pub(super) fn new(talk: impl Talk + Send + Sync + 'static) -> Self {
        Self {
            talk: Box::new(talk),
            request: Zeroizing::default(),
            answered: true,
            open: false,
            repeating: false,
            repeats: 0,
            oddities: Oddities::default(),
            frame: None,
            beside: Beside::default(),
        }
    }

    /// The next request; `None` when it is over.
    #[allow(clippy::should_implement_trait, reason = "what comes next depends on what was heard")]
    pub fn next(&mut self) -> Option<Ask> {
        self.heard(Err(Error::Timeout));
        loop {
            let due = self.talk.due()?;
            if !core::mem::take(&mut self.repeating) {
                self.repeats = due.repeats;
            }
            match due.request {
                // A part that has failed is over, or has something else to ask.
                Err(why) => self.talk.failed(Error::Unaskable(why), &mut self.oddities),
                Ok(request) => {
                    (self.open, self.answered) = (true, due.answered);
                    self.beside = Beside::default();
                    let request = Zeroizing::new(request);
                    self.request = request.clone();
                    let Due { answered, many, moves, .. } = due;
                    return Some(Ask { request, answered, many, moves });
                }
            }
        }
    }

    /// The last request, as it went out.
    #[must_use]
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Whether a frame of the meter's protocol begins with the first byte: for [`Exchange`](crate::poll::Exchange).
    #[must_use]
    pub fn probe(&self, bytes: &[u8]) -> Probe {
        self.talk.probe(bytes)
    }

    /// Whether the frame that `bytes` are answers the last request: leniently where something is read, exactly where a
    /// valve moves.
    ///
    /// # Errors
    ///
    /// Why not: [`Error::Echo`], [`Error::AddressMismatch`], [`Error::AnswerMismatch`], or what is wrong with the frame.
    pub fn judge(&self, bytes: &[u8]) -> Result<(), Error> {
        if !self.answered {
            return Err(Error::AnswerMismatch { what: "nobody answers what goes to everyone" });
        }
        self.talk.judge(&self.request, bytes)
    }

    /// What came beside the answer to the last request: told before [`Dialogue::heard`]. Frames are judged.
    pub fn beside(&mut self, frames: &[Vec<u8>], garbage: usize) {
        if self.open {
            let frames = frames.iter().filter(|frame| self.judge(frame).is_ok()).cloned().collect();
            self.beside = Beside { frames, garbage };
        }
    }

    /// How the exchange of the last request ended: the frame that answers, or why there is none. A frame is judged once
    /// more; without a request that is out this does nothing.
    pub fn heard(&mut self, result: Result<&[u8], Error>) {
        if !core::mem::take(&mut self.open) {
            return;
        }
        let taken = result.and_then(|bytes| {
            self.judge(bytes)?;
            // An acknowledgement of one byte has nothing to explain.
            if bytes.len() > 1 {
                self.frame = Some(bytes.into());
            }
            self.talk.take(&self.request, bytes, &mut self.oddities)
        });
        let Err(error) = taken else { return };
        if self.repeats > 0 && self.talk.repeatable(&error) {
            self.repeats -= 1;
            self.repeating = true;
            count(&mut self.oddities.repeated, true);
            self.talk.again(&error);
        } else {
            self.talk.failed(error, &mut self.oddities);
        }
    }

    /// How it ended. One that is not over ends as if nothing more was heard.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.repeats = 0;
        self.heard(Err(Error::Timeout));
        let Self { talk, oddities, frame, beside, .. } = self;
        let (result, memory) = talk.finish();
        Finished { result, memory, oddities, frame, beside }
    }
}
