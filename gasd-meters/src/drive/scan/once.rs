// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dialogue of one question, whose answer is taken as it is.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::dialogue::{Due, Talk};
use super::super::memory::Memory;
use super::super::oddities::Oddities;
use crate::detect::Protocol;
use crate::error::{EncodeError, Error};
use crate::reading::Reading;
use crate::scan::Probe;
use crate::{cjt188, dlt645, hart, mbus, modbus};

/// One question.
#[derive(Debug)]
pub(super) struct Once {
    protocol: Protocol,
    request: Result<Vec<u8>, EncodeError>,
    repeats: u8,
    /// An acknowledgement of one byte is an answer.
    ack: bool,
    /// Several may answer.
    many: bool,
    result: Option<Result<Reading, Error>>,
}

impl Once {
    /// A question that is asked once more where nothing or something damaged comes back, if `again`.
    pub(super) const fn new(protocol: Protocol, request: Result<Vec<u8>, EncodeError>, again: bool) -> Self {
        Self { protocol, request, repeats: again as u8, ack: false, many: false, result: None }
    }

    /// A question to whoever is there.
    pub(super) const fn to_many(protocol: Protocol, request: Result<Vec<u8>, EncodeError>) -> Self {
        Self { protocol, request, repeats: 0, ack: false, many: true, result: None }
    }

    /// A question that is answered by an acknowledgement (M-Bus).
    pub(super) fn acknowledged(request: Result<Vec<u8>, EncodeError>) -> Self {
        Self { ack: true, ..Self::new(Protocol::Mbus, request, false) }
    }
}

impl Talk for Once {
    fn due(&mut self) -> Option<Due> {
        let due = Due {
            request: self.request.clone(),
            answered: true,
            repeats: self.repeats,
            many: self.many,
            moves: false,
        };
        self.result.is_none().then_some(due)
    }

    fn probe(&self, bytes: &[u8]) -> Probe {
        match self.protocol {
            Protocol::Mbus if self.ack => mbus::probe_ack(bytes),
            Protocol::Modbus => modbus::probe_answer(bytes),
            protocol => protocol.probe(bytes),
        }
    }

    fn judge(&self, request: &[u8], answer: &[u8]) -> Result<(), Error> {
        match self.protocol {
            Protocol::Cjt188 => {
                let request = cjt188::find(request)?;
                let (request, answer) = (cjt188::Frame::parse(request)?, cjt188::Frame::parse(answer)?);
                cjt188::check_answer(&request, &answer, None).map(drop)
            }
            Protocol::Dlt645 => {
                let request = dlt645::find(request)?;
                let (request, answer) = (dlt645::Frame::parse(request)?, dlt645::Frame::parse(answer)?);
                dlt645::check_answer(&request, &answer).map(drop)
            }
            Protocol::Mbus => mbus::check_answer(&mbus::Frame::parse(request)?, &mbus::Frame::parse(answer)?),
            Protocol::Modbus => {
                modbus::check_answer(&modbus::Frame::parse(request)?, &modbus::Frame::parse(answer)?)
            }
            Protocol::Hart => {
                let (request, answer) = (hart::find(request)?, hart::find(answer)?);
                hart::check_answer(&hart::Frame::parse(request)?, &hart::Frame::parse(answer)?)
            }
        }
    }

    fn take(&mut self, _: &[u8], _: &[u8], _: &mut Oddities) -> Result<(), Error> {
        self.result = Some(Ok(Reading::default()));
        Ok(())
    }

    fn failed(&mut self, error: Error, _: &mut Oddities) {
        self.result = Some(Err(error));
    }

    fn finish(self: Box<Self>) -> (Result<Reading, Error>, Memory) {
        (self.result.unwrap_or(Err(Error::Timeout)), Memory::default())
    }
}
