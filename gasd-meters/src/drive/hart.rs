// SPDX-License-Identifier: MIT OR Apache-2.0
//! HART: who is at the poll address or has the tag, once; from then on that device is read by its own long address.
//!
//! A device that was exchanged does not answer to the long address of the old one. Then who is there is asked again, and
//! another one is told as that: its registers are not a continuation of the old one's.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::dialogue::{self, Due};
use super::memory::{Kept, Memory};
use super::oddities::Oddities;
use crate::error::{EncodeError, Error};
use crate::hart::{
    Address, Frame, Identification, Master, Message, Request, check_answer, decode, encode, find, pack,
    probe_after_preamble,
};
use crate::poll::Failure;
use crate::reading::Reading;
use crate::scan::Probe;

/// Bytes FF before a request to a device that has not said how many it wants: the most that the standard has.
const PREAMBLES: u8 = 20;
/// The fewest that it has.
const FEWEST: u8 = 5;

/// How a device is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HartSelect {
    /// By its poll address, 0–63 (0–15 before HART 6).
    Poll(u8),
    /// By its tag: up to eight characters, or the long tag of up to 32 (HART 6 and later).
    Tag(String),
    /// By its long address, which says who it is: nothing is to be found out.
    Long(Address),
}

impl HartSelect {
    /// As a configuration has it: a poll address, or a tag of up to eight characters. `None` where it is neither.
    #[must_use]
    pub fn written(text: &str) -> Option<Self> {
        match text.parse::<u8>() {
            Ok(poll @ 0..=63) => Some(Self::Poll(poll)),
            Ok(_) => None,
            Err(_) => {
                // A tag of fewer than eight characters is filled up with spaces on the line.
                let text = text.trim_end_matches(' ');
                let packed = |c: char| (' '..='_').contains(&c.to_ascii_uppercase());
                let good = (1..=8).contains(&text.len()) && text.chars().all(packed);
                good.then(|| Self::Tag(text.to_ascii_uppercase()))
            }
        }
    }
}

/// A device and who speaks to it.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    pub select: HartSelect,
    pub master: Master,
}

impl Meter {
    /// Asks who it is.
    pub(super) fn identify(&self) -> Result<Vec<u8>, EncodeError> {
        let (address, request) = match &self.select {
            HartSelect::Poll(poll) => (Address::Polling(*poll), Request::Identify),
            HartSelect::Long(address) => (*address, Request::Identify),
            HartSelect::Tag(tag) if pack(tag, 6).is_some() => {
                (Address::BROADCAST, Request::IdentifyByTag(tag))
            }
            HartSelect::Tag(tag) => (Address::BROADCAST, Request::IdentifyByLongTag(tag)),
        };
        encode(self.master, address, &request, PREAMBLES.into())
    }
}

/// A device whose long address is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    address: Address,
    preambles: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Who is there, before it is read.
    Identify,
    /// One request, and no more.
    Look,
    /// The variables. `sure`: who is there was asked in this dialogue.
    Read {
        sure: bool,
    },
    /// Who is there, as the one that was there does not answer for this reason.
    Verify(Error),
    Over,
}

#[derive(Debug)]
pub(super) struct Talk {
    meter: Meter,
    known: Option<Known>,
    stage: Stage,
    result: Option<Result<Reading, Error>>,
}

impl Talk {
    fn new(meter: Meter, memory: &Memory) -> Self {
        let known = match (&meter.select, &memory.0) {
            (HartSelect::Long(address), _) => Some(Known { address: *address, preambles: PREAMBLES }),
            // What was found by another poll address or tag is another's.
            (select, Kept::Hart { select: by, address, preambles }) if select == by => {
                Some(Known { address: *address, preambles: *preambles })
            }
            _ => None,
        };
        Self { meter, known, stage: Stage::Identify, result: None }
    }

    pub(super) fn read(meter: Meter, memory: &Memory) -> Self {
        let mut talk = Self::new(meter, memory);
        if talk.known.is_some() {
            talk.stage = Stage::Read { sure: matches!(talk.meter.select, HartSelect::Long(_)) };
        }
        talk
    }

    pub(super) fn look(meter: Meter, memory: &Memory) -> Self {
        Self { stage: Stage::Look, ..Self::new(meter, memory) }
    }

    fn end(&mut self, result: Result<Reading, Error>) {
        self.stage = Stage::Over;
        self.result = Some(result);
    }

    /// Who is there; not if somebody else was.
    fn identified(&mut self, who: &Identification) -> Result<(), Error> {
        let address = who.address();
        if self.known.is_some_and(|known| known.address != address) {
            return Err(Error::AnotherDevice);
        }
        self.known = Some(Known { address, preambles: who.preambles.clamp(FEWEST, PREAMBLES) });
        Ok(())
    }
}

impl dialogue::Talk for Talk {
    fn due(&mut self) -> Option<Due> {
        Some(match (self.stage, self.known) {
            (Stage::Over, _) => return None,
            (Stage::Read { .. }, Some(Known { address, preambles })) => {
                Due::reads(encode(self.meter.master, address, &Request::Dynamic, preambles.into()))
            }
            (Stage::Look | Stage::Verify(_), _) => Due::once(self.meter.identify()),
            (Stage::Identify | Stage::Read { .. }, _) => Due::reads(self.meter.identify()),
        })
    }

    fn probe(&self, bytes: &[u8]) -> Probe {
        probe_after_preamble(bytes)
    }

    fn judge(&self, request: &[u8], answer: &[u8]) -> Result<(), Error> {
        check_answer(&Frame::parse(find(request)?)?, &Frame::parse(find(answer)?)?)
    }

    fn take(&mut self, _: &[u8], answer: &[u8], _: &mut Oddities) -> Result<(), Error> {
        let message = decode(&Frame::parse(find(answer)?)?, &mut ())?.message;
        match (self.stage, message) {
            (Stage::Read { .. }, message) => {
                let reading = message.into_reading()?;
                self.end(Ok(reading));
            }
            (stage, Message::Identity(who)) => {
                self.identified(&who)?;
                match stage {
                    Stage::Look => self.end(Ok(Reading::default())),
                    _ => self.stage = Stage::Read { sure: true },
                }
            }
            (_, message) => {
                message.into_reading()?;
                return Err(Error::AnswerMismatch { what: "the device does not say who it is" });
            }
        }
        Ok(())
    }

    fn repeatable(&self, error: &Error) -> bool {
        // The device heard the request damaged: the line's fault.
        Failure::of(error).is_some() || matches!(error, Error::DeviceError { code: 0x80.., .. })
    }

    fn failed(&mut self, error: Error, _: &mut Oddities) {
        match self.stage {
            Stage::Read { sure: false } if Failure::of(&error).is_some() => {
                self.stage = Stage::Verify(error);
            }
            // Who is there is not known: what went wrong before is what there is to say.
            Stage::Verify(before) if Failure::of(&error).is_some() => self.end(Err(before)),
            _ => self.end(Err(error)),
        }
    }

    fn finish(self: Box<Self>) -> (Result<Reading, Error>, Memory) {
        let kept = match (self.meter.select, self.known) {
            (HartSelect::Long(_), _) | (_, None) => Kept::Nothing,
            (select, Some(Known { address, preambles })) => Kept::Hart { select, address, preambles },
        };
        (self.result.unwrap_or(Err(Error::Timeout)), Memory(kept))
    }
}
