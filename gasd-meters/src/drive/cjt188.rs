// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188: one request and one answer. Which byte of an identifier comes first is found out by asking.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::dialogue::{self, Due};
use super::memory::{Kept, Memory};
use super::oddities::{Oddities, count};
use super::unfit::NoValve;
use crate::cjt188::{
    Address, Frame, Leniency, Message, Order, Profile, Request, Target, ValveCommand, check_answer,
    check_valve, decode, encode, find, probe,
};
use crate::error::{EncodeError, Error};
use crate::reading::{Identity, Reading};
use crate::scan::Probe;
use crate::status::Valve;

/// Bytes FE before a request: two to four wake a meter.
pub(super) const WAKE: usize = 4;

/// Current data.
const CURRENT: u16 = 0x901F;

/// A meter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    pub address: Address,
    pub kind: u8,
    pub profile: Profile,
}

impl Meter {
    fn encode(&self, order: Order, ser: u8, request: &Request<'_>) -> Result<Vec<u8>, EncodeError> {
        let target = Target { kind: self.kind, address: self.address, order };
        encode(&target, &self.profile, ser, request, WAKE)
    }

    pub(super) fn check(&self) -> Result<(), EncodeError> {
        self.encode(Order::HighFirst, 0, &Job::Read.request()).map(drop)
    }
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Read,
    /// Once, and no more.
    Look,
    Valve(ValveCommand),
}

impl Job {
    const fn request(self) -> Request<'static> {
        match self {
            Self::Read | Self::Look => Request::Read(CURRENT),
            Self::Valve(command) => Request::Valve(command),
        }
    }
}

#[derive(Debug)]
pub(super) struct Talk {
    meter: Meter,
    job: Job,
    /// The order that it is asked in.
    order: Order,
    /// The order that this meter has shown.
    learnt: Option<Order>,
    /// The next sequence number.
    ser: u8,
    result: Option<Result<Reading, Error>>,
}

impl Talk {
    fn new(meter: Meter, job: Job, memory: &Memory) -> Self {
        let (learnt, ser) = match memory.0 {
            Kept::Cjt188 { order, ser } => (order, ser),
            _ => (None, 0),
        };
        let order = match (learnt, job) {
            (Some(order), _) => order,
            // One look is one request: as long as no order is known, each look has the other one.
            (None, Job::Look) if ser % 2 == 1 => Order::LowFirst,
            (None, _) => Order::HighFirst,
        };
        Self { meter, job, order, learnt, ser, result: None }
    }

    pub(super) fn read(meter: Meter, memory: &Memory) -> Self {
        Self::new(meter, Job::Read, memory)
    }

    pub(super) fn look(meter: Meter, memory: &Memory) -> Self {
        Self::new(meter, Job::Look, memory)
    }

    pub(super) fn valve(meter: Meter, to: Valve, memory: &Memory) -> Result<Self, NoValve> {
        let command = match to {
            Valve::Open => ValveCommand::Open,
            Valve::Closed => ValveCommand::Close,
            Valve::Abnormal => return Err(NoValve::Position),
        };
        if meter.profile.status.valve == 0 {
            return Err(NoValve::NotConfigured);
        }
        let job = Job::Valve(command);
        meter.encode(Order::HighFirst, 0, &job.request())?;
        Ok(Self::new(meter, job, memory))
    }

    /// The answer to a command: where the valve is, by it.
    fn moved(&self, request: &Frame<'_>, answer: &Frame<'_>) -> Result<Reading, Error> {
        let decoded = decode(answer, &self.meter.profile, self.learnt, &mut ())?;
        let (valve, flags) =
            match (decoded.message, check_valve(request, answer, &self.meter.profile, self.learnt)) {
                (_, Err(refused @ Error::DeviceError { .. })) => return Err(refused),
                (Message::Done(Some(status), _), _) => (status.valve, status.flags),
                _ => Default::default(),
            };
        let meter = Identity {
            id: answer.address.digits(),
            manufacturer: Some(answer.address.maker()),
            medium: crate::cjt188::medium(answer.kind),
            ..Identity::default()
        };
        Ok(Reading { meter, valve, flags, ..Reading::default() })
    }
}

impl dialogue::Talk for Talk {
    fn due(&mut self) -> Option<Due> {
        if self.result.is_some() {
            return None;
        }
        let request = self.meter.encode(self.order, self.ser, &self.job.request());
        self.ser = self.ser.wrapping_add(1);
        Some(match self.job {
            Job::Read => Due::reads(request),
            Job::Look => Due::once(request),
            Job::Valve(_) => Due::moves(request),
        })
    }

    fn probe(&self, bytes: &[u8]) -> Probe {
        probe(bytes)
    }

    fn judge(&self, request: &[u8], answer: &[u8]) -> Result<(), Error> {
        let (request, answer) = (Frame::parse(find(request)?)?, Frame::parse(answer)?);
        let lenient = check_answer(&request, &answer, self.learnt)?;
        match self.job {
            // A refusal has no identifier whose order could differ.
            Job::Valve(_) if lenient != Leniency::default() => {
                Err(Error::AnswerMismatch { what: "the data identifier comes in another order" })
            }
            // One that is another's in name and in number is another's.
            Job::Read | Job::Look if lenient.address && lenient.ser => Err(Error::AddressMismatch),
            _ => Ok(()),
        }
    }

    fn take(&mut self, request: &[u8], answer: &[u8], oddities: &mut Oddities) -> Result<(), Error> {
        let (request, answer) = (Frame::parse(find(request)?)?, Frame::parse(answer)?);
        if let Job::Valve(_) = self.job {
            self.result = Some(self.moved(&request, &answer));
            return Ok(());
        }
        let lenient = check_answer(&request, &answer, self.learnt)?;
        let decoded = decode(&answer, &self.meter.profile, self.learnt, &mut ())?;
        self.learnt = decoded.order.or(self.learnt);
        count(&mut oddities.kind, lenient.kind);
        count(&mut oddities.address, lenient.address);
        count(&mut oddities.sequence, lenient.ser);
        count(&mut oddities.order, lenient.order);
        count(&mut oddities.more, answer.follows());
        self.result = Some(decoded.message.into_reading());
        Ok(())
    }

    fn again(&mut self, error: &Error) {
        if self.learnt.is_none() && *error == Error::Timeout {
            self.order = match self.order {
                Order::HighFirst => Order::LowFirst,
                Order::LowFirst => Order::HighFirst,
            };
        }
    }

    fn failed(&mut self, error: Error, _: &mut Oddities) {
        self.result = Some(Err(error));
    }

    fn finish(self: Box<Self>) -> (Result<Reading, Error>, Memory) {
        let memory = Memory(Kept::Cjt188 { order: self.learnt, ser: self.ser });
        (self.result.unwrap_or(Err(Error::Timeout)), memory)
    }
}
