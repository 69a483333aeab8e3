// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks for meters that nobody has configured yet: what to ask on a port, one request after the other, and what the
//! answers say. Pure, as everything here: who scans has the line and the time.
//!
//! | protocol | what is asked |
//! |---|---|
//! | CJ/T 188 | the address, then the current data, of whoever is there, in either order of the identifier |
//! | DL/T 645 | the address (2007), then a reading (2007, 1997), of whoever is there; where several answer, by the last digits of their addresses |
//! | M-Bus | each primary address: reset, then the reading; then the secondary addresses, digit by digit |
//! | Modbus | each unit: a register, its identification, its own words; an exception is an answer, too |
//! | HART | each poll address: who it is |
//!
//! Only reading requests go out. After a wildcard it is listened for as long as a slow meter may think, so several that answer one
//! after the other are all found. Answers that come at once destroy each other: that is told where nothing tells the meters
//! apart, and all but one have to be disconnected for it to be found.

mod cjt188;
mod dlt645;
mod hart;
mod mbus;
mod modbus;
mod once;
mod round;
mod shortened;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use super::device::Device;
use super::dialogue::{Dialogue, Finished};
use crate::detect::Protocol;
use crate::error::Error;
use crate::reading::Identity;

/// How far is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// M-Bus: these primary addresses, of 0–250. Default all.
    pub mbus_primary: RangeInclusive<u8>,
    /// M-Bus: the secondary addresses that this one matches; its number has to be open. `None`: none. Default all.
    pub mbus_secondary: Option<crate::mbus::Address>,
    /// M-Bus: the most selections. A line that is never quiet would sound like meters without end. Default 5000.
    pub mbus_selects: u32,
    /// Modbus: these units, of 1–247. Default all.
    pub modbus: RangeInclusive<u8>,
    /// HART: these poll addresses, of 0–63. Default all.
    pub hart: RangeInclusive<u8>,
    /// HART: which master asks. Default the secondary one, as where a control system may be at work.
    pub master: crate::hart::Master,
    /// How long a meter may think, ns, where it is known to be slow. Default as its protocol says, and after a wildcard three
    /// seconds.
    pub answer_ns: u64,
    /// Leaves out what only odd meters need: a third of the time. Default no.
    pub quick: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            mbus_primary: 0..=250,
            mbus_secondary: Some(crate::mbus::Address::ANY),
            mbus_selects: 5000,
            modbus: 1..=247,
            hart: 0..=63,
            master: crate::hart::Master::Secondary,
            answer_ns: 0,
            quick: false,
        }
    }
}

/// One question to the line.
#[derive(Debug)]
pub struct Probing {
    /// The protocol: it says at which speed and parity it is asked.
    pub protocol: Protocol,
    /// What is asked, in words.
    pub what: String,
    /// The question.
    pub dialogue: Dialogue,
    /// An answer may begin so long after it, ns: not less than its protocol says.
    pub answer_ns: u64,
}

/// Somebody is there.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundMeter {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its address as a configuration has it; `None` where several answered at once, or too little was understood.
    pub address: Option<String>,
    /// Who it says it is.
    pub identity: Identity,
    /// How it would be configured, as far as the answer says; `None` where more is needed.
    pub device: Option<Device>,
    /// What else there is to say, for a person.
    pub words: String,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard<'a> {
    /// Nothing that is meant for us.
    Nothing,
    /// It is answered.
    Answer(Answer<'a>),
    /// A frame that is damaged: several at once, or a bad line.
    Damaged,
    /// Bytes that are no frame.
    Noise,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer<'a> {
    /// The frame; empty: an acknowledgement.
    frame: &'a [u8],
    /// More frames, where several may answer.
    more: &'a [Vec<u8>],
    /// Something beside them was damaged.
    damaged: bool,
}

impl<'a> Heard<'a> {
    /// Each frame that answers.
    fn frames(self) -> impl Iterator<Item = &'a [u8]> {
        let (first, more) = match self {
            Self::Answer(answer) => (Some(answer.frame), answer.more),
            _ => (None, &[][..]),
        };
        first.into_iter().chain(more.iter().map(Vec::as_slice))
    }
}

/// Fewer bytes of no frame beside an answer are a glitch of the line, as an adapter makes when it turns round: no frame of a
/// meter is as short.
const GLITCH: usize = 8;

/// How long it is listened after a question to whoever is there, ns: who is slower than its protocol has it is found, too.
const SLOWEST_NS: u64 = 3_000_000_000;

/// How long it is listened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listens {
    /// As the protocol says.
    Usual,
    /// For slow meters, too.
    Long,
    /// For as long as somebody answered the wildcard.
    AsHeard,
}

/// The search in one protocol. It goes on with each thing heard.
trait Hunt: fmt::Debug {
    /// What to ask; `None` at the end.
    fn question(&self) -> Option<(String, once::Once)>;
    /// How long it is listened after the question.
    fn listens(&self) -> Listens {
        Listens::Usual
    }
    fn heard(&mut self, heard: Heard<'_>) -> Vec<FoundMeter>;
}

/// The search on one port.
#[derive(Debug)]
pub struct Search {
    hunts: VecDeque<(Protocol, Box<dyn Hunt + Send + Sync>)>,
    asked: bool,
    answer_ns: u64,
    /// When somebody was heard the last time after a wildcard of this protocol, ns.
    latest_ns: u64,
}

impl Search {
    /// A search for meters of these protocols, one protocol after the other.
    #[must_use]
    pub fn new(protocols: &[Protocol], bounds: &Bounds) -> Self {
        let hunt = |&protocol: &Protocol| -> (Protocol, Box<dyn Hunt + Send + Sync>) {
            let hunt: Box<dyn Hunt + Send + Sync> = match protocol {
                Protocol::Cjt188 => Box::new(cjt188::Wildcard::new(bounds.quick)),
                Protocol::Dlt645 => Box::new(dlt645::Wildcard::new(bounds.quick)),
                Protocol::Mbus => Box::new(mbus::Bus::new(bounds)),
                Protocol::Modbus => Box::new(modbus::Units::new(bounds)),
                Protocol::Hart => Box::new(hart::Polls::new(bounds)),
            };
            (protocol, hunt)
        };
        let (hunts, answer_ns) = (protocols.iter().map(hunt).collect(), bounds.answer_ns);
        Self { hunts, asked: false, answer_ns, latest_ns: 0 }
    }

    /// The next question; `None` when all is searched. Without a word about the last one nothing came of it.
    #[allow(clippy::should_implement_trait, reason = "what comes next depends on what was heard")]
    pub fn next(&mut self) -> Option<Probing> {
        self.take(Heard::Nothing);
        loop {
            let (protocol, hunt) = self.hunts.front()?;
            match hunt.question() {
                None => {
                    self.latest_ns = 0;
                    drop(self.hunts.pop_front());
                }
                Some((what, once)) => {
                    self.asked = true;
                    let answer_ns = self.answer_ns.max(match hunt.listens() {
                        Listens::Usual => 0,
                        Listens::Long => SLOWEST_NS,
                        Listens::AsHeard => self.latest_ns.saturating_add(self.latest_ns / 4),
                    });
                    let dialogue = Dialogue::new(once);
                    return Some(Probing { protocol: *protocol, what, dialogue, answer_ns });
                }
            }
        }
    }

    /// So long after the last question something was heard for the last time, ns; told before how it ended. Meters that answer
    /// late are listened for later, too.
    pub fn heard_until(&mut self, ns: u64) {
        if self.hunts.front().is_some_and(|(_, hunt)| hunt.listens() == Listens::Long) {
            self.latest_ns = self.latest_ns.max(ns);
        }
    }

    /// How the last question ended. Whom it found.
    pub fn heard(&mut self, finished: &Finished) -> Vec<FoundMeter> {
        self.take(match &finished.result {
            Ok(_) => Heard::Answer(Answer {
                frame: finished.frame.as_deref().unwrap_or_default(),
                more: &finished.beside.frames,
                damaged: finished.beside.garbage >= GLITCH,
            }),
            Err(
                Error::Checksum { .. }
                | Error::Truncated { .. }
                | Error::BadEnd { .. }
                | Error::Malformed { .. },
            ) => Heard::Damaged,
            Err(Error::NoFrame { .. }) => Heard::Noise,
            Err(_) => Heard::Nothing,
        })
    }

    fn take(&mut self, heard: Heard<'_>) -> Vec<FoundMeter> {
        match self.hunts.front_mut() {
            Some((_, hunt)) if core::mem::take(&mut self.asked) => hunt.heard(heard),
            _ => Vec::new(),
        }
    }
}

/// Several at once.
fn several(protocol: Protocol, where_: &str) -> FoundMeter {
    FoundMeter {
        protocol,
        address: None,
        identity: Identity::default(),
        device: None,
        words: alloc::format!(
            "several answer at once {where_}, or the line is bad: disconnect all but one and search again, or configure each \
             with the address on its label"
        ),
    }
}

/// How the words of a meter begin that is none: one request had two answers of one address, which follows.
pub const TWICE: &str = "one request had two answers of the address";

/// Several of one address, or one that says all twice.
fn twice(protocol: Protocol, address: &str) -> FoundMeter {
    FoundMeter {
        protocol,
        address: None,
        identity: Identity::default(),
        device: None,
        words: alloc::format!(
            "{TWICE} {address}: two meters have it, or a converter sends each answer twice"
        ),
    }
}

/// What is found twice in these, once each.
fn repeated<T: Copy + PartialEq>(all: &[T]) -> Vec<T> {
    let mut repeated = Vec::new();
    for (n, one) in all.iter().enumerate() {
        if all.iter().take(n).any(|before| before == one) && !repeated.contains(one) {
            repeated.push(*one);
        }
    }
    repeated
}
