// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645: data, which may come in parts; behind a meter that may be switched, where its switch is.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::cjt188::WAKE;
use super::dialogue::{self, Due, REPEATS};
use super::memory::Memory;
use super::oddities::{Oddities, count};
use super::unfit::NoValve;
use crate::dlt645::{
    Address, Assembly, Authority, Di, Frame, Match, Message, Request, Standard, SwitchCommand, check_answer,
    decode, encode, find, probe,
};
use crate::error::{EncodeError, Error};
use crate::fault::Fault;
use crate::kind::Kind;
use crate::reading::{Identity, Reading, Value};
use crate::scan::Probe;
use crate::status::Valve;
use crate::time::{Date, TimeOfDay};

/// Status word 3 (2007), whose bit 4 says where the switch is: 0 supplied, 1 tripped.
const STATE: Di = Di::Long(0x0400_0503);
const TRIPPED: u64 = 0x10;

/// Where the switch is by status word 3; `None` where that does not say.
const fn switch(bits: u64) -> Option<Valve> {
    match bits & 0xFF {
        // Not filled: bits 2 and 3 are the supply, and both set is none of its three kinds.
        0xFF => None,
        low if low & TRIPPED == 0 => Some(Valve::Open),
        _ => Some(Valve::Closed),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Data,
    /// As `Data`, once and no more.
    Look,
    Part(Assembly),
    State,
    /// With a password in it.
    Switch(Zeroizing<Vec<u8>>),
    Over,
}

/// A meter.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    pub address: Address,
    pub standard: Standard,
    pub di: Di,
    pub authority: Option<Authority>,
}

impl Meter {
    /// The request that reads it.
    pub(super) fn request(&self) -> Result<Vec<u8>, EncodeError> {
        self.ask(&Request::Read { di: self.di, blocks: None })
    }

    fn ask(&self, request: &Request<'_>) -> Result<Vec<u8>, EncodeError> {
        encode(self.standard, self.address, request, WAKE)
    }

    fn switch(&self, to: Valve) -> Result<Vec<u8>, NoValve> {
        let command = match to {
            Valve::Open => SwitchCommand::Close,
            Valve::Closed => SwitchCommand::Trip,
            Valve::Abnormal => return Err(NoValve::Position),
        };
        let authority = self.authority.as_ref().ok_or(NoValve::NotConfigured)?;
        let unset = |_| NoValve::Encode(EncodeError::OutOfRange { what: "time" });
        // Until when the meter may carry it out. There is no clock here: the last moment that the field holds.
        let expires =
            (Date::new(2099, 12, 31).map_err(unset)?, TimeOfDay::new(23, 59, Some(59)).map_err(unset)?);
        Ok(self.ask(&Request::Switch { command, authority, expires })?)
    }
}

#[derive(Debug)]
pub(super) struct Talk {
    meter: Meter,
    stage: Stage,
    /// What is read and waits for more.
    reading: Reading,
    /// How often a reading in parts of 1997 may begin anew.
    restarts: u8,
    memory: Memory,
    result: Option<Result<Reading, Error>>,
}

impl Talk {
    fn new(meter: Meter, stage: Stage, memory: &Memory) -> Self {
        let (reading, memory) = (Reading::default(), memory.clone());
        Self { meter, stage, reading, restarts: REPEATS, memory, result: None }
    }

    pub(super) fn read(meter: Meter, memory: &Memory) -> Self {
        Self::new(meter, Stage::Data, memory)
    }

    pub(super) fn look(meter: Meter, memory: &Memory) -> Self {
        Self::new(meter, Stage::Look, memory)
    }

    pub(super) fn valve(meter: Meter, to: Valve, memory: &Memory) -> Result<Self, NoValve> {
        let switch = Stage::Switch(Zeroizing::new(meter.switch(to)?));
        Ok(Self::new(meter, switch, memory))
    }

    fn end(&mut self, result: Result<Reading, Error>) {
        self.stage = Stage::Over;
        self.result = Some(result);
    }

    /// All data are here.
    fn read_all(&mut self, assembly: &Assembly, from: Address) {
        // A wildcard is nobody's number.
        let address = if from.is_exact() { from } else { self.meter.address };
        let reading = assembly.finish(address);
        if self.meter.authority.is_some() && self.meter.standard == Standard::V2007 {
            self.reading = reading;
            self.stage = Stage::State;
        } else {
            self.end(Ok(reading));
        }
    }
}

impl dialogue::Talk for Talk {
    fn due(&mut self) -> Option<Due> {
        let meter = &self.meter;
        Some(match &self.stage {
            Stage::Data => Due::reads(meter.request()),
            Stage::Look => Due::once(meter.request()),
            Stage::Part(assembly) => {
                let seq = assembly.wanted().unwrap_or_default();
                let request = meter.ask(&Request::ReadNext { di: meter.di, seq });
                // Parts of 1997 have no numbers: after a lost one nobody knows which would come.
                if meter.standard == Standard::V1997 { Due::once(request) } else { Due::reads(request) }
            }
            Stage::State => Due::reads(meter.ask(&Request::Read { di: STATE, blocks: None })),
            Stage::Switch(command) => Due::moves(Ok(command.to_vec())),
            Stage::Over => return None,
        })
    }

    fn probe(&self, bytes: &[u8]) -> Probe {
        probe(bytes)
    }

    fn judge(&self, request: &[u8], answer: &[u8]) -> Result<(), Error> {
        let (request, answer) = (Frame::parse(find(request)?)?, Frame::parse(answer)?);
        match check_answer(&request, &answer)? {
            // One number instead of another is not a meter's habit, but another meter.
            Match::OtherAddress if answer.address.is_exact() => Err(Error::AddressMismatch),
            _ => Ok(()),
        }
    }

    fn take(&mut self, request: &[u8], answer: &[u8], oddities: &mut Oddities) -> Result<(), Error> {
        let (request, answer) = (Frame::parse(find(request)?)?, Frame::parse(answer)?);
        let fits = check_answer(&request, &answer)?;
        let message = decode(&answer, Some(self.meter.standard), &mut ())?;
        if let Stage::Switch(_) = self.stage {
            let Message::Done(..) = message else { return message.into_reading().map(drop) };
            let meter = Identity { id: answer.address.digits(), ..Identity::default() };
            self.end(Ok(Reading { meter, ..Reading::default() }));
            return Ok(());
        }
        let Message::Data(data) = message else {
            message.into_reading()?;
            return Err(Error::AnswerMismatch { what: "no data were asked for" });
        };
        match &mut self.stage {
            Stage::Data => {
                let assembly = Assembly::begin(&data);
                match assembly.wanted() {
                    None => self.read_all(&assembly, answer.address),
                    Some(_) => self.stage = Stage::Part(assembly),
                }
            }
            Stage::Part(assembly) => {
                assembly.push(&data)?;
                if assembly.wanted().is_none() {
                    let assembly = assembly.clone();
                    self.read_all(&assembly, answer.address);
                }
            }
            Stage::State => {
                let status = data.reading.get(Kind::Status).map(|field| &field.value);
                let valve = match status {
                    Some(Value::Bits(bits)) => switch(*bits),
                    // "Not available" is an answer, and no position.
                    Some(Value::Absent(Fault::NotFilled, _)) => None,
                    _ => return Err(Error::Malformed { what: "the status word is not one" }),
                };
                count(&mut oddities.valve, valve.is_none());
                let reading = core::mem::take(&mut self.reading);
                self.end(Ok(Reading { valve, ..reading }));
            }
            Stage::Look | Stage::Switch(_) | Stage::Over => self.end(Ok(data.reading)),
        }
        count(&mut oddities.wildcard, fits == Match::Wildcard && request.address.is_exact());
        count(&mut oddities.address, fits == Match::OtherAddress);
        Ok(())
    }

    fn failed(&mut self, error: Error, oddities: &mut Oddities) {
        match &self.stage {
            Stage::Part(_)
                if self.meter.standard == Standard::V1997 && self.restarts > 0 && self.repeatable(&error) =>
            {
                self.restarts -= 1;
                count(&mut oddities.repeated, true);
                self.stage = Stage::Data;
            }
            Stage::State => {
                count(&mut oddities.valve, true);
                let reading = core::mem::take(&mut self.reading);
                self.end(Ok(reading));
            }
            _ => self.end(Err(error)),
        }
    }

    fn finish(self: Box<Self>) -> (Result<Reading, Error>, Memory) {
        (self.result.unwrap_or(Err(Error::Timeout)), self.memory)
    }
}
