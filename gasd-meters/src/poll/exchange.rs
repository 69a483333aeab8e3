// SPDX-License-Identifier: MIT OR Apache-2.0
//! One request and its answer on a line that others share. Pure: bytes and times in, bytes to send and one outcome out.
//!
//! What goes wrong on such lines, and what is done:
//!
//! * **a late answer** of the request before comes into this one: the line must be silent before the request goes out,
//!   and whatever comes before it is out is no answer to it;
//! * **the adapter hears itself**: what comes back is compared with what was sent, and dropped;
//! * **another meter talks**: its frames are passed by, and the wait goes on;
//! * **noise**: the answer is looked for behind it, for as long as one may come;
//! * **a line that never is silent** is given up;
//! * **several answer what goes to whoever is there**: it is listened for as long as one may ([`Exchange::to_many`]).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::echo::{Ear, Echo, Heard};
use crate::Error;
use crate::scan::{Found, Probe, Scanner};

/// How a line and its meters behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// How long a byte takes on the line, ns: 11 bits at 2400 baud are 4.58 ms.
    pub byte_ns: u64,
    /// How long a meter may think before its first byte, ns.
    pub answer_ns: u64,
    /// Longest pause within a frame, ns.
    pub gap_ns: u64,
    /// How long the line must have been silent before a request, ns.
    pub quiet_ns: u64,
    /// How long is waited for that silence, ns.
    pub babble_ns: u64,
    /// Whether the adapter hears what it sends.
    pub echo: Echo,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send this, now. It is said once.
    Send(&'a [u8]),
    /// Wait for bytes, and until then for no longer, ns.
    Wait {
        /// When to ask again.
        until_ns: u64,
    },
    /// There is an outcome.
    Done,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The frame that answers; or the best reason why there is none.
    pub result: Result<Vec<u8>, Error>,
    /// The request went out; it does not where the line is never silent.
    pub sent: bool,
    /// What was heard of the request itself.
    pub heard: Heard,
    /// Bytes that came before the request was out: late answers and noise.
    pub drained: usize,
    /// Bytes behind it that belong to no frame.
    pub garbage: usize,
    /// Answers after the first, where several were asked.
    pub more: Vec<Vec<u8>>,
    /// Whole frames that answer something else.
    pub others: usize,
    /// The first of them that is of another meter than the one asked.
    pub other: Option<Vec<u8>>,
    /// What was heard after the request, as it came and without its echo: the first [`RAW`] bytes.
    pub raw: Vec<u8>,
}

/// Bytes of an answer that are kept as they came, for whoever looks for the reason of a failure.
pub const RAW: usize = crate::scan::CAPACITY;

/// Answers after the first that are kept: within the time that one meter has for its own no more have room.
const MOST_MORE: usize = 31;

/// So often as long as it must be silent is waited for late answers to be over.
const LATE: u64 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for silence since it began.
    Quiet {
        began_ns: u64,
    },
    /// The request is out at `end_ns`; no answer begins after `until_ns`.
    Listen {
        end_ns: u64,
        until_ns: u64,
    },
    Done,
}

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// There may be a password in it.
    request: Zeroizing<Vec<u8>>,
    line: Line,
    phase: Phase,
    sent: bool,
    /// It does not go out before, ns.
    not_before_ns: u64,
    /// When a byte came last, ns.
    last_ns: u64,
    ear: Ear,
    scanner: Scanner,
    answer: Option<Vec<u8>>,
    /// Several may answer.
    many: bool,
    more: Vec<Vec<u8>>,
    /// What was wrong with what came.
    rejected: Option<Error>,
    mismatch: Option<Error>,
    drained: usize,
    garbage: usize,
    others: usize,
    other: Option<Vec<u8>>,
    raw: Vec<u8>,
}

impl Exchange {
    /// A request at `now_ns`. `waited`: the one before it on this line had no answer, so one may still come; then the line
    /// must be silent for as long as a meter may think.
    #[must_use]
    pub fn new(request: impl Into<Zeroizing<Vec<u8>>>, line: Line, waited: bool, now_ns: u64) -> Self {
        let request = request.into();
        let quiet_ns = if waited { line.quiet_ns.max(line.answer_ns) } else { line.quiet_ns };
        // Each late answer breaks the silence that is waited for, and is no babble.
        let babble_ns = if waited { line.babble_ns.max(LATE * quiet_ns) } else { line.babble_ns };
        Self {
            ear: Ear::new(line.echo, request.len()),
            request,
            line: Line { quiet_ns, babble_ns, ..line },
            phase: Phase::Quiet { began_ns: now_ns },
            sent: false,
            not_before_ns: 0,
            last_ns: now_ns,
            scanner: Scanner::new(line.gap_ns),
            answer: None,
            many: false,
            more: Vec::new(),
            rejected: None,
            mismatch: None,
            drained: 0,
            garbage: 0,
            others: 0,
            other: None,
            raw: Vec::new(),
        }
    }

    /// Several may answer: the first answer does not end it, and each is kept.
    #[must_use]
    pub fn to_many(self) -> Self {
        Self { many: true, ..self }
    }

    /// The answers so far.
    pub fn answers(&self) -> impl Iterator<Item = &[u8]> {
        self.answer.iter().chain(&self.more).map(Vec::as_slice)
    }

    /// No more answers are waited for.
    pub const fn enough(&mut self) {
        self.many = false;
    }

    /// No answer is waited for that begins later than this, ns.
    pub fn enough_by(&mut self, ns: u64) {
        if let Phase::Listen { until_ns, .. } = &mut self.phase {
            *until_ns = (*until_ns).min(ns);
        }
    }

    /// The request is out, and an answer is waited for that begins no later than this, ns.
    pub const fn listen_until(&mut self, ns: u64) {
        if let Phase::Listen { until_ns, .. } = &mut self.phase {
            *until_ns = ns;
        }
    }

    /// The request does not go out before that time, ns: what comes until then answers another one.
    #[must_use]
    pub fn not_before(self, ns: u64) -> Self {
        Self { not_before_ns: ns, ..self }
    }

    /// As [`Exchange::not_before`], of a request that is under way: another time from now on.
    pub const fn wait_until(&mut self, ns: u64) {
        self.not_before_ns = ns;
    }

    /// An answer may begin so long after the request, ns, in place of [`Line::answer_ns`]. The silence before it stays as it is.
    #[must_use]
    pub fn listening(mut self, answer_ns: u64) -> Self {
        self.line.answer_ns = answer_ns;
        self
    }

    /// The line is wanted for something else: no answer is awaited that begins later than this after the request, ns.
    pub fn hurry(&mut self, answer_ns: u64) {
        if let Phase::Listen { end_ns, until_ns } = &mut self.phase {
            *until_ns = (*until_ns).min(end_ns.saturating_add(answer_ns));
        }
    }

    /// What is to be done at `now_ns`. `probe` and `judge` as in [`Exchange::heard`].
    pub fn step(
        &mut self,
        now_ns: u64,
        probe: impl FnMut(&[u8]) -> Probe,
        judge: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Step<'_> {
        match self.phase {
            Phase::Quiet { began_ns } => {
                let silent_ns = self.last_ns.saturating_add(self.line.quiet_ns).max(self.not_before_ns);
                let given_up_ns = began_ns
                    .max(self.not_before_ns)
                    .saturating_add(self.line.babble_ns.max(self.line.quiet_ns));
                if now_ns >= silent_ns {
                    let end_ns =
                        now_ns.saturating_add(self.line.byte_ns.saturating_mul(self.request.len() as u64));
                    let until_ns = end_ns.saturating_add(self.line.answer_ns);
                    self.phase = Phase::Listen { end_ns, until_ns };
                    self.sent = true;
                    Step::Send(&self.request)
                } else if now_ns >= given_up_ns {
                    self.phase = Phase::Done;
                    self.rejected = Some(Error::NoFrame { garbage: self.drained });
                    Step::Done
                } else {
                    Step::Wait { until_ns: silent_ns.min(given_up_ns) }
                }
            }
            Phase::Listen { until_ns, .. } => {
                let due_ns = self.due_ns(until_ns);
                if (self.many || self.answer.is_none()) && now_ns < due_ns {
                    return Step::Wait { until_ns: due_ns };
                }
                self.end(probe, judge);
                Step::Done
            }
            Phase::Done => Step::Done,
        }
    }

    /// When nothing is waited for any more: an answer that has begun may go on.
    fn due_ns(&self, until_ns: u64) -> u64 {
        let pending = !self.scanner.pending().is_empty();
        let goes_on_ns = self.last_ns.saturating_add(self.line.gap_ns);
        // Noise that never ends is no answer: the longest frame, and no more.
        let most_ns = until_ns
            .saturating_add(self.line.byte_ns.saturating_mul(crate::scan::CAPACITY as u64))
            .saturating_add(self.line.gap_ns);
        if pending { goes_on_ns.max(until_ns).min(most_ns) } else { until_ns }
    }

    /// Bytes came at `now_ns`. `probe` finds frames, `judge` says whether one answers the request, or why not. Returns those
    /// that came before the request was out, and are no part of its echo: they answer something else, or nothing.
    pub fn heard(
        &mut self,
        now_ns: u64,
        bytes: &[u8],
        probe: impl FnMut(&[u8]) -> Probe,
        judge: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Vec<u8> {
        self.last_ns = now_ns;
        let mut early = Vec::new();
        match self.phase {
            Phase::Quiet { .. } => early.extend(bytes),
            Phase::Listen { end_ns, .. } => {
                let sending = now_ns < end_ns;
                let mut behind = Vec::new();
                for byte in bytes {
                    if self.ear.hear(*byte, &self.request, sending, &mut behind) > 0 {
                        early.push(*byte);
                    }
                }
                self.scan(now_ns, &behind, probe, judge);
            }
            Phase::Done => {}
        }
        self.drained = self.drained.saturating_add(early.len());
        early
    }

    fn scan(
        &mut self,
        now_ns: u64,
        bytes: &[u8],
        probe: impl FnMut(&[u8]) -> Probe,
        judge: impl FnMut(&[u8]) -> Result<(), Error>,
    ) {
        self.raw.extend(bytes.iter().take(RAW.saturating_sub(self.raw.len())));
        let mut scanner = core::mem::replace(&mut self.scanner, Scanner::new(self.line.gap_ns));
        scanner.push(now_ns, bytes, probe, self.take(judge));
        self.scanner = scanner;
    }

    /// Takes in what the scanner finds.
    fn take<'a>(
        &'a mut self,
        mut judge: impl FnMut(&[u8]) -> Result<(), Error> + 'a,
    ) -> impl FnMut(Found<'_>) + 'a {
        move |found| match found {
            Found::Frame { bytes, garbage, .. } => {
                self.garbage = self.garbage.saturating_add(garbage);
                match judge(bytes) {
                    Ok(()) if self.answer.is_none() => self.answer = Some(bytes.to_vec()),
                    Ok(()) if self.many && self.more.len() < MOST_MORE => self.more.push(bytes.to_vec()),
                    Ok(()) => self.others = self.others.saturating_add(1),
                    Err(why) => {
                        self.others = self.others.saturating_add(1);
                        if why == Error::AddressMismatch {
                            self.other.get_or_insert_with(|| bytes.to_vec());
                        }
                        self.mismatch.get_or_insert(why);
                    }
                }
            }
            Found::Rejected { error, .. } => drop(self.rejected.get_or_insert(error)),
        }
    }

    fn end(
        &mut self,
        mut probe: impl FnMut(&[u8]) -> Probe,
        mut judge: impl FnMut(&[u8]) -> Result<(), Error>,
    ) {
        self.phase = Phase::Done;
        if self.answer.is_none() {
            // What was held for an echo and is none may be the whole answer.
            let behind = self.ear.end();
            self.scan(self.last_ns, &behind, &mut probe, &mut judge);
        }
        let truncated = match probe(self.scanner.pending()) {
            Probe::Need(n) if !self.scanner.pending().is_empty() => {
                Some(Error::Truncated { need: n.saturating_sub(self.scanner.pending().len()) })
            }
            _ => None,
        };
        let mut scanner = core::mem::replace(&mut self.scanner, Scanner::new(self.line.gap_ns));
        scanner.flush(probe, self.take(judge));
        self.garbage = self.garbage.saturating_add(scanner.garbage());
        self.scanner = scanner;
        self.rejected = self.rejected.or(truncated);
    }

    /// What [`Exchange::not_before`] was told; 0 where nothing was.
    #[must_use]
    pub const fn not_before_ns(&self) -> u64 {
        self.not_before_ns
    }

    /// Whether the request is out.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        self.sent
    }

    /// How it ended, once a step said [`Step::Done`].
    #[must_use]
    pub fn outcome(self) -> Outcome {
        let Self {
            answer, rejected, mismatch, garbage, more, others, other, drained, ear, raw, sent, ..
        } = self;
        let noise = (garbage > 0).then_some(Error::NoFrame { garbage });
        let result = answer.ok_or_else(|| rejected.or(mismatch).or(noise).unwrap_or(Error::Timeout));
        Outcome { result, sent, heard: ear.heard(), drained, garbage, more, others, other, raw }
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
