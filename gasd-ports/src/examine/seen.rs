// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was heard on a line, taken apart: the echo of what was sent, frames, and bytes of no frame.

use gasd_meters::detect::{self, Protocol};
use gasd_meters::scan::{Found, Scanner};
use gasd_meters::{cjt188, dlt645, hart, mbus};

use super::plan::Setting;
use crate::wire::Damage;

/// What came while nobody was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listened {
    /// How long was listened, ns.
    pub for_ns: u64,
    /// Bytes.
    pub bytes: u64,
    /// Those of them that are 00, and those that are FF.
    pub zeros: u64,
    /// See `zeros`.
    pub ones: u64,
    /// Frames of each protocol that was heard.
    pub frames: Vec<(Protocol, u32)>,
    /// Bytes of no frame.
    pub garbage: u64,
    /// What the hardware counted meanwhile, where it counts.
    pub damage: Option<Damage>,
}

/// A request, and what came after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How the line was set.
    pub setting: Setting,
    /// The protocol that was spoken.
    pub protocol: Protocol,
    /// What was sent. Empty: the line was never silent, and nothing was.
    pub request: Vec<u8>,
    /// What came while the line was to be silent before it.
    pub before: Vec<u8>,
    /// All that was heard from then on.
    pub heard: Vec<u8>,
    /// How many of these bytes came before the request could be over.
    pub early: usize,
    /// What the hardware counted meanwhile, where it counts.
    pub damage: Option<Damage>,
}

/// All that was seen of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// How the line was to be set.
    pub setting: Setting,
    /// What came while nobody was asked.
    pub listened: Listened,
    /// The requests, in their order.
    pub asked: Vec<Asked>,
}

/// What was heard of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Nothing.
    None,
    /// All of it, as it was sent.
    Whole,
    /// Most of it, with bytes that are others; or others' bytes while it was being sent.
    Damaged,
}

/// A request and what came after it, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What was heard of the request.
    pub echo: Echo,
    /// Whole frames from meters, in the protocol that was spoken.
    pub answers: Vec<Protocol>,
    /// Whole frames from meters in another protocol, or before the request, or of DL/T 645 to the question of the other edition:
    /// they answer one before, and are late.
    pub late: Vec<Protocol>,
    /// Whole frames that ask, and are not the request: another master's.
    pub masters: usize,
    /// Bytes of no frame that were heard beside the echo.
    pub garbage: Vec<u8>,
}

impl Parts {
    /// Of each frame from a meter its protocol.
    pub fn meters(&self) -> impl Iterator<Item = Protocol> + '_ {
        self.answers.iter().chain(&self.late).copied()
    }

    /// Whether any meter was heard.
    #[must_use]
    pub fn anybody(&self) -> bool {
        self.meters().next().is_some()
    }
}

impl Asked {
    /// Takes apart what was heard.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let core = without_wake(&self.request);
        let (echo, rest) = self.split(core);
        let (mut answers, mut late, mut masters) = (Vec::new(), Vec::new(), 0);
        frames(&self.before, |_, frame| match detect::which(frame) {
            Some(protocol) if from_meter(protocol, frame) => late.push(protocol),
            Some(_) => masters += 1,
            None => {}
        });
        let mut used = vec![false; rest.len()];
        frames(&rest, |at, frame| {
            // Its wake-up bytes belong to it.
            let wake = rest[..at].iter().rev().take_while(|byte| matches!(byte, 0xFE | 0xFF)).count();
            used.iter_mut().take(at + frame.len()).skip(at - wake).for_each(|used| *used = true);
            let Some(protocol) = detect::which(frame) else { return };
            if frame.ends_with(core) {
                // A repeater's, or that of an adapter with two ears.
            } else if from_meter(protocol, frame) {
                let answer = protocol == self.protocol && self.is_answered_by(frame);
                if answer { &mut answers } else { &mut late }.push(protocol);
            } else {
                masters += 1;
            }
        });
        let garbage: Vec<u8> =
            rest.iter().zip(&used).filter(|(_, used)| !**used).map(|(byte, _)| *byte).collect();
        // Bytes while it was being sent that are neither an echo nor an answer are somebody else's.
        let talked_over = self.early > 0 && echo == Echo::None && answers.is_empty() && !garbage.is_empty();
        Parts { echo: if talked_over { Echo::Damaged } else { echo }, answers, late, masters, garbage }
    }

    /// Whether a meter's frame of its protocol answers this request. One edition of DL/T 645 is asked after the other, and a
    /// slow meter's answer to the first comes after the second.
    fn is_answered_by(&self, frame: &[u8]) -> bool {
        let parse = |bytes| dlt645::find(bytes).and_then(dlt645::Frame::parse);
        match (self.protocol, parse(&self.request), parse(frame)) {
            (Protocol::Dlt645, Ok(request), Ok(answer)) => dlt645::check_answer(&request, &answer).is_ok(),
            _ => true,
        }
    }

    /// The echo, and what was heard beside it.
    fn split(&self, core: &[u8]) -> (Echo, Vec<u8>) {
        if core.is_empty() {
            return (Echo::None, self.heard.clone());
        }
        if let Some(at) = self.heard.windows(core.len()).position(|part| part == core) {
            // Before it its own wake-up bytes, which may be fewer: a transceiver that turns eats some.
            let before = self.heard[..at].iter().filter(|byte| !self.request.starts_with(&[**byte])).copied();
            let rest = before.chain(self.heard[at + core.len()..].iter().copied()).collect();
            return (Echo::Whole, rest);
        }
        // Half of its bytes in their order are no accident, unless they are a whole frame of somebody else.
        let first: Vec<u8> = self.heard.iter().copied().take(self.request.len()).collect();
        let mut whole = false;
        frames(&first, |_, _| whole = true);
        if !whole && common(core, &first) * 2 > core.len() {
            return (Echo::Damaged, self.heard[first.len()..].to_vec());
        }
        (Echo::None, self.heard.clone())
    }
}

/// A request behind the bytes that wake a meter up, or are a preamble.
fn without_wake(request: &[u8]) -> &[u8] {
    match request.first() {
        Some(wake @ (0xFE | 0xFF)) => {
            let at = request.iter().position(|byte| byte != wake).unwrap_or(request.len());
            &request[at..]
        }
        _ => request,
    }
}

/// How many bytes two have in common, in the same order.
fn common(one: &[u8], other: &[u8]) -> usize {
    let mut before = vec![0; other.len() + 1];
    for a in one {
        let mut row = vec![0; other.len() + 1];
        for (at, b) in other.iter().enumerate() {
            row[at + 1] = if a == b { before[at] + 1 } else { row[at].max(before[at + 1]) };
        }
        before = row;
    }
    before.last().copied().unwrap_or(0)
}

/// The frames in bytes after which nothing more comes, each with where it begins.
fn frames(bytes: &[u8], mut each: impl FnMut(usize, &[u8])) {
    let mut found = |found: Found<'_>| {
        if let Found::Frame { offset, bytes, .. } = found {
            each(offset as usize, bytes);
        }
    };
    let mut scanner = Scanner::new(u64::MAX);
    scanner.push(0, bytes, detect::probe, &mut found);
    scanner.flush(detect::probe, &mut found);
}

/// Whether a frame is one that meters send. Of Modbus most frames do not say; what is not a question alone is an answer.
fn from_meter(protocol: Protocol, frame: &[u8]) -> bool {
    let begin = |wake: u8| frame.iter().position(|byte| *byte != wake).map_or(&[][..], |at| &frame[at..]);
    match protocol {
        Protocol::Dlt645 => dlt645::Frame::parse(begin(0xFE)).is_ok_and(|frame| frame.from_meter()),
        Protocol::Cjt188 => cjt188::Frame::parse(begin(0xFE)).is_ok_and(|frame| frame.from_meter()),
        Protocol::Mbus => {
            mbus::Frame::parse(frame).is_ok_and(|frame| frame.link().is_some_and(mbus::Link::from_meter))
        }
        Protocol::Hart => {
            hart::Frame::parse(begin(0xFF)).is_ok_and(|frame| frame.kind != hart::Type::Request)
        }
        Protocol::Modbus => true,
    }
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
