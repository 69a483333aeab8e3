// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modbus RTU: a map of registers, then the coil or register behind which the valve is.

use alloc::boxed::Box;
use alloc::string::ToString;

use super::dialogue::{self, Due};
use super::memory::{Kept, Memory};
use super::oddities::{Oddities, count};
use super::unfit::{NoValve, Unfit};
use crate::error::{EncodeError, Error};
use crate::modbus::{
    Answer, Frame, MapError, Readout, RegisterMap, Request, Step, check_answer, decode_answer, encode,
    probe_answer,
};
use crate::poll::Failure;
use crate::reading::{Identity, Reading};
use crate::scan::Probe;
use crate::status::Valve;

/// Exceptions that ask for patience: accepted and not done yet, busy.
const ACCEPTED: u16 = 5;
const BUSY: u16 = 6;

/// Behind which coil or register a valve is, and what stands for open and closed. Addresses are counted as the
/// [`RegisterMap`] counts its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModbusValve {
    /// A coil, written with function 05 and read with 01.
    Coil {
        /// Which.
        address: u16,
        /// What it is when the valve is open; closed is the other.
        open: bool,
    },
    /// A holding register, written with function 06 and read with 03.
    Register {
        /// Which.
        address: u16,
        /// What opens the valve, and is there when it is open.
        open: u16,
        /// What closes it, and is there when it is closed. Anything else is neither.
        closed: u16,
    },
}

impl ModbusValve {
    fn wire(self, map: &RegisterMap) -> Result<u16, EncodeError> {
        let (Self::Coil { address, .. } | Self::Register { address, .. }) = self;
        let wire = address.checked_sub(map.first);
        wire.ok_or(EncodeError::OutOfRange { what: "address of the valve's coil or register" })
    }

    fn ask(self, map: &RegisterMap) -> Result<Request, EncodeError> {
        let at = self.wire(map)?;
        Ok(match self {
            Self::Coil { .. } => Request::ReadCoils(at, 1),
            Self::Register { .. } => Request::ReadHolding(at, 1),
        })
    }

    fn command(self, to: Valve, map: &RegisterMap) -> Result<Request, NoValve> {
        let at = self.wire(map)?;
        let opens = match to {
            Valve::Open => true,
            Valve::Closed => false,
            Valve::Abnormal => return Err(NoValve::Position),
        };
        match self {
            Self::Coil { open, .. } => Ok(Request::WriteCoil(at, open == opens)),
            Self::Register { open, closed, .. } if open == closed => Err(NoValve::NotConfigured),
            Self::Register { open, closed, .. } => {
                Ok(Request::WriteRegister(at, if opens { open } else { closed }))
            }
        }
    }

    /// Where the valve is, by what the coil or register holds.
    fn position(self, answer: &Answer) -> Option<Valve> {
        match (self, answer) {
            (Self::Coil { open, .. }, Answer::Bits(bytes)) => {
                let on = bytes.first()? & 1 == 1;
                Some(if on == open { Valve::Open } else { Valve::Closed })
            }
            (Self::Register { open, closed, .. }, Answer::Registers(words)) => {
                Some(match *words.first()? {
                    word if word == open => Valve::Open,
                    word if word == closed => Valve::Closed,
                    _ => Valve::Abnormal,
                })
            }
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Map,
    /// Where the valve is.
    Position,
    /// One request; whatever answers is there.
    Look(Request),
    Command(Request, Valve),
    Over,
}

#[derive(Debug)]
pub(super) struct Talk {
    unit: u8,
    readout: Option<Readout<RegisterMap>>,
    /// The valve, and the request that reads it.
    valve: Option<(ModbusValve, Request)>,
    stage: Stage,
    reading: Reading,
    memory: crate::modbus::Memory,
    result: Option<Result<Reading, Error>>,
}

/// Whether a unit can be read so. A unit that has a valve needs no registers besides.
pub(super) fn check(unit: u8, map: &RegisterMap, valve: Option<ModbusValve>) -> Result<(), Unfit> {
    let first = match (map.plan(), valve) {
        (Ok(spans), _) => spans.first().map(crate::modbus::Span::request),
        (Err(MapError::Empty), Some(_)) => None,
        (Err(why), _) => return Err(why.into()),
    };
    if let Some(valve) = valve {
        encode(unit, &valve.ask(map)?)?;
    }
    if let Some(request) = first {
        encode(unit, &request)?;
    }
    Ok(())
}

impl Talk {
    fn new(unit: u8, stage: Stage, memory: &Memory) -> Self {
        let memory = match &memory.0 {
            Kept::Modbus(memory) => memory.clone(),
            _ => crate::modbus::Memory::default(),
        };
        Self { unit, readout: None, valve: None, stage, reading: Reading::default(), memory, result: None }
    }

    fn unfit(mut self) -> Self {
        self.end(Err(Error::Unaskable(EncodeError::OutOfRange { what: "register map, unit or valve" })));
        self
    }

    pub(super) fn read(unit: u8, map: &RegisterMap, valve: Option<ModbusValve>, memory: &Memory) -> Self {
        let mut talk = Self::new(unit, Stage::Map, memory);
        if check(unit, map, valve).is_err() {
            return talk.unfit();
        }
        talk.valve = valve.and_then(|valve| Some((valve, valve.ask(map).ok()?)));
        match Readout::new(map.clone(), unit, talk.memory.clone()) {
            Ok(readout) => talk.readout = Some(readout),
            Err(_) => {
                talk.reading.meter.id = unit.to_string();
                talk.stage = Stage::Position;
            }
        }
        talk
    }

    pub(super) fn look(unit: u8, map: &RegisterMap, valve: Option<ModbusValve>, memory: &Memory) -> Self {
        let span = map.plan().ok().and_then(|spans| Some(spans.first()?.request()));
        let request = span.or_else(|| valve?.ask(map).ok());
        match request {
            Some(request) => Self::new(unit, Stage::Look(request), memory),
            None => Self::new(unit, Stage::Over, memory).unfit(),
        }
    }

    pub(super) fn valve(
        unit: u8,
        map: &RegisterMap,
        valve: Option<ModbusValve>,
        to: Valve,
        memory: &Memory,
    ) -> Result<Self, NoValve> {
        let command = valve.ok_or(NoValve::NotConfigured)?.command(to, map)?;
        if unit == 0 {
            return Err(NoValve::Wildcard);
        }
        encode(unit, &command)?;
        Ok(Self::new(unit, Stage::Command(command, to), memory))
    }

    fn end(&mut self, result: Result<Reading, Error>) {
        self.stage = Stage::Over;
        self.result = Some(result);
    }

    /// What was read, with where the valve is.
    fn end_at(&mut self, valve: Option<Valve>) {
        let reading = core::mem::take(&mut self.reading);
        self.end(Ok(Reading { valve, ..reading }));
    }

    fn step(&mut self, answer: &Frame<'_>, oddities: &mut Oddities) -> Result<(), Error> {
        let Some(readout) = &mut self.readout else { return Ok(()) };
        match readout.answer(answer, &mut ())? {
            Step::Next => {}
            // Of a unit that nothing is remembered of, everything is read twice.
            Step::Again => count(&mut oddities.torn, !self.memory.parts().is_empty()),
            Step::Done => {
                if let Some(readout) = self.readout.take() {
                    (self.reading, self.memory) = readout.finish();
                }
                match self.valve {
                    Some(_) => self.stage = Stage::Position,
                    None => self.end_at(None),
                }
            }
        }
        Ok(())
    }
}

impl dialogue::Talk for Talk {
    fn due(&mut self) -> Option<Due> {
        let nothing = Err(EncodeError::OutOfRange { what: "register map" });
        Some(match &self.stage {
            Stage::Map => {
                let request = self.readout.as_ref().and_then(Readout::request);
                Due::reads(request.unwrap_or(nothing))
            }
            Stage::Position => {
                let request = self.valve.as_ref().map(|(_, request)| encode(self.unit, request));
                Due::reads(request.unwrap_or(nothing))
            }
            Stage::Look(request) => Due::once(encode(self.unit, request)),
            Stage::Command(request, _) => Due::moves(encode(self.unit, request)),
            Stage::Over => return None,
        })
    }

    fn probe(&self, bytes: &[u8]) -> Probe {
        probe_answer(bytes)
    }

    fn judge(&self, request: &[u8], answer: &[u8]) -> Result<(), Error> {
        check_answer(&Frame::parse(request)?, &Frame::parse(answer)?)
    }

    fn take(&mut self, _: &[u8], answer: &[u8], oddities: &mut Oddities) -> Result<(), Error> {
        let answer = Frame::parse(answer)?;
        let said = decode_answer(&answer, &mut ())?;
        let meter = Identity { id: self.unit.to_string(), ..Identity::default() };
        match &self.stage {
            Stage::Map => return self.step(&answer, oddities),
            Stage::Position => {
                let said = said.or_refusal()?;
                let valve = self.valve.as_ref().and_then(|(valve, _)| valve.position(&said));
                self.end_at(valve);
            }
            Stage::Look(_) => {
                said.or_refusal()?;
                self.end(Ok(Reading { meter, ..Reading::default() }));
            }
            Stage::Command(_, to) => {
                let valve = match said {
                    // It will do it, and does not say when.
                    Answer::Exception(code) if u16::from(code) == ACCEPTED => None,
                    said => {
                        said.or_refusal()?;
                        Some(*to)
                    }
                };
                self.end(Ok(Reading { meter, valve, ..Reading::default() }));
            }
            Stage::Over => {}
        }
        Ok(())
    }

    fn repeatable(&self, error: &Error) -> bool {
        Failure::of(error).is_some() || matches!(error, Error::DeviceError { code: ACCEPTED | BUSY, .. })
    }

    fn failed(&mut self, error: Error, oddities: &mut Oddities) {
        // What was read of the map is read, wherever the valve is.
        if self.stage == Stage::Position && !self.reading.fields.is_empty() {
            count(&mut oddities.valve, true);
            self.end_at(None);
        } else {
            self.end(Err(error));
        }
    }

    fn finish(self: Box<Self>) -> (Result<Reading, Error>, Memory) {
        let memory = match self.readout {
            Some(readout) => readout.finish().1,
            None => self.memory,
        };
        (self.result.unwrap_or(Err(Error::Timeout)), Memory(Kept::Modbus(memory)))
    }
}
