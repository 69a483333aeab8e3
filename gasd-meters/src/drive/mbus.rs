// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wired M-Bus: the link is reset once, a meter with a secondary address is selected, then it is read, telegram by
//! telegram.
//!
//! The frame count bit is what tells a repetition from the next telegram: asked with the bit that it saw last, a meter
//! sends once more what it sent then, be it hours ago. So the bit turns only after a good answer, it is kept only as long
//! as both sides are known to agree, and where a reset was not acknowledged the first reading counts for nothing.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::device::SharedKey;
use super::dialogue::{self, Due};
use super::memory::{Counted, Kept, Memory};
use super::oddities::{Oddities, count};
use super::secure::Opener;
use super::unfit::NoValve;
use crate::error::{EncodeError, Error};
use crate::mbus::{
    Frame, FrameCount, Message, Progress, Readout, Request, Target, ValveOutput, check_answer, decode, probe,
    probe_ack,
};
use crate::poll::Failure;
use crate::reading::Reading;
use crate::scan::Probe;
use crate::status::Valve;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Read,
    Look,
    Valve(ValveOutput, Valve),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reset,
    Select,
    Data,
    Command,
    /// Ends the selection: nobody needs to hear it.
    Deselect,
    Over,
}

#[derive(Debug)]
pub(super) struct Talk {
    target: Target,
    output: Option<ValveOutput>,
    job: Job,
    stage: Stage,
    count: FrameCount,
    /// The meter's bit is known to be what ours is.
    agreed: bool,
    /// The last reset stayed without an acknowledgement.
    silent: bool,
    /// The readout under way may be what the meter sent long ago.
    stale: bool,
    readout: Readout,
    /// Of a meter that encrypts what it says.
    opener: Option<Opener>,
    /// As it was remembered, where nothing is opened.
    counters: Vec<Counted>,
    result: Option<Result<Reading, Error>>,
}

impl Talk {
    fn new(target: Target, output: Option<ValveOutput>, job: Job, memory: &Memory) -> Self {
        let (link, silent, counters) = match memory.0 {
            Kept::Mbus { link, silent, ref counters } => (link, silent, counters.clone()),
            _ => (None, false, Vec::new()),
        };
        // The bit belongs to one address.
        let link = link.filter(|(address, _)| target.byte() == Ok(*address)).map(|(_, count)| count);
        let stage = match (target, job, link) {
            // A selection begins the link anew by itself.
            (Target::Selected(_), ..) => Stage::Select,
            (_, Job::Read, Some(_)) => Stage::Data,
            // The bit of commands may be another one than that of readings: only after a reset both are known.
            (_, Job::Read | Job::Valve(..), _) => Stage::Reset,
            // A meter that left a reset unanswered is asked for data, and the other way round.
            (_, Job::Look, _) => {
                if silent {
                    Stage::Data
                } else {
                    Stage::Reset
                }
            }
        };
        Self {
            target,
            output,
            job,
            stage,
            count: link.unwrap_or(FrameCount::after_reset()),
            agreed: link.is_some(),
            silent,
            stale: false,
            readout: Readout::new(),
            opener: None,
            counters,
            result: None,
        }
    }

    pub(super) fn read(
        target: Target,
        output: Option<ValveOutput>,
        key: Option<SharedKey>,
        memory: &Memory,
    ) -> Self {
        Self::new(target, output, Job::Read, memory).with(key)
    }

    pub(super) fn look(target: Target, key: Option<SharedKey>, memory: &Memory) -> Self {
        Self::new(target, None, Job::Look, memory).with(key)
    }

    fn with(mut self, key: Option<SharedKey>) -> Self {
        self.opener = key.map(|key| Opener::new(key, self.target, &self.counters));
        self
    }

    pub(super) fn valve(
        target: Target,
        output: Option<ValveOutput>,
        to: Valve,
        memory: &Memory,
    ) -> Result<Self, NoValve> {
        if to == Valve::Abnormal {
            return Err(NoValve::Position);
        }
        let output = output.ok_or(NoValve::NotConfigured)?;
        Request::Valve { fcb: true, output, to }.encode(target)?;
        Ok(Self::new(target, Some(output), Job::Valve(output, to), memory))
    }

    fn request(&self) -> Result<Vec<u8>, EncodeError> {
        match (self.stage, self.job) {
            (Stage::Select, _) => Request::Select,
            (Stage::Command, Job::Valve(output, to)) => Request::Valve { fcb: self.count.bit(), output, to },
            (Stage::Data, _) => Request::Data { fcb: self.count.bit() },
            _ => Request::Reset,
        }
        .encode(self.target)
    }

    fn end(&mut self, result: Result<Reading, Error>) {
        let selected = matches!(self.target, Target::Selected(_)) && self.stage != Stage::Select;
        self.stage = if selected { Stage::Deselect } else { Stage::Over };
        self.result = Some(result);
    }

    /// The link begins anew.
    fn begin(&mut self, acknowledged: bool) {
        self.count = FrameCount::after_reset();
        self.agreed = acknowledged;
        match self.job {
            Job::Read => {
                self.stale = !acknowledged;
                self.stage = Stage::Data;
            }
            // That it acknowledges is all that a look wants.
            Job::Look => self.end(Ok(Reading::default())),
            Job::Valve(..) => self.stage = Stage::Command,
        }
    }

    fn take_data(&mut self, answer: &[u8]) -> Result<(), Error> {
        let frame = Frame::parse(answer)?;
        let message = match &mut self.opener {
            None => decode(&frame, &mut ())?,
            Some(opener) => match opener.open(&frame)? {
                Some(message) => message,
                // A part: the next one is asked for as the next telegram is.
                None => {
                    self.count.answered();
                    self.agreed = true;
                    return Ok(());
                }
            },
        };
        if let (Target::Selected(selection), Message::Data(Some(header), _)) = (self.target, &message)
            && header.meter.is_some_and(|meter| !meter.matches(&selection))
        {
            return Err(Error::AddressMismatch);
        }
        if self.job == Job::Look {
            let reading = message.into_reading()?;
            self.count.answered();
            self.end(Ok(reading));
            return Ok(());
        }
        let progress = self.readout.push(message)?;
        self.count.answered();
        self.agreed = true;
        if progress == Progress::Done {
            let readout = core::mem::take(&mut self.readout);
            if let Some(opener) = &mut self.opener {
                opener.begin();
            }
            if core::mem::take(&mut self.stale) {
                return Ok(());
            }
            let mut reading = readout.finish().unwrap_or_default();
            if let Some(output) = self.output {
                reading.valve = output.valve(&reading);
            }
            self.end(Ok(reading));
        }
        Ok(())
    }
}

impl dialogue::Talk for Talk {
    fn due(&mut self) -> Option<Due> {
        let request = self.request();
        Some(match self.stage {
            Stage::Over => return None,
            Stage::Select | Stage::Data if self.job == Job::Read => Due::reads(request),
            // To select for a command is no command.
            Stage::Select if self.job != Job::Look => Due::reads(request),
            Stage::Command => Due::moves(request),
            _ => Due::once(request),
        })
    }

    fn probe(&self, bytes: &[u8]) -> Probe {
        if self.stage == Stage::Data { probe(bytes) } else { probe_ack(bytes) }
    }

    fn judge(&self, request: &[u8], answer: &[u8]) -> Result<(), Error> {
        check_answer(&Frame::parse(request)?, &Frame::parse(answer)?)
    }

    fn take(&mut self, _: &[u8], answer: &[u8], _: &mut Oddities) -> Result<(), Error> {
        match self.stage {
            Stage::Reset => {
                self.silent = false;
                self.begin(true);
            }
            Stage::Select => {
                self.stage = Stage::Data;
                self.begin(true);
            }
            Stage::Data => {
                return self.take_data(answer).inspect_err(|error| {
                    // What it refuses it has answered.
                    if Failure::of(error).is_none() {
                        self.count.answered();
                    }
                });
            }
            // It has the command, and does not say where its valve is.
            Stage::Command => {
                self.agreed = false;
                self.end(Ok(Reading::default()));
            }
            Stage::Deselect | Stage::Over => self.stage = Stage::Over,
        }
        Ok(())
    }

    fn failed(&mut self, error: Error, oddities: &mut Oddities) {
        match (self.stage, self.job) {
            (Stage::Reset, Job::Read | Job::Valve(..)) if !matches!(error, Error::Unaskable(_)) => {
                count(&mut oddities.mute, true);
                self.silent = true;
                self.begin(false);
            }
            (Stage::Deselect | Stage::Over, _) => self.stage = Stage::Over,
            (stage, job) => {
                if job == Job::Look {
                    self.silent = stage == Stage::Reset;
                }
                self.agreed = self.agreed && Failure::of(&error).is_none();
                self.end(Err(error));
            }
        }
    }

    fn finish(self: Box<Self>) -> (Result<Reading, Error>, Memory) {
        let link = match (self.target, self.target.byte()) {
            (Target::Selected(_), _) | (_, Err(_)) => None,
            (_, Ok(address)) => (self.agreed && self.result.is_some()).then_some((address, self.count)),
        };
        let counters = self.opener.as_ref().map_or(self.counters, Opener::counters);
        let memory = Memory(Kept::Mbus { link, silent: self.silent, counters });
        (self.result.unwrap_or(Err(Error::Timeout)), memory)
    }
}
