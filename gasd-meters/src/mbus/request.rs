// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a master asks.

use alloc::vec::Vec;

use super::address::Address;
use super::decode::SPEEDS;
use super::frame::{ANY, BROADCAST, Frame, Link, SELECTED};
use super::valve::{ValveOutput, valve_record};
use crate::error::{EncodeError, Error};
use crate::status::Valve;

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The meter of this primary address: 0 to 250.
    Primary(u8),
    /// The meter of this secondary address, which has to be selected before: 253 on the line.
    Selected(Address),
    /// Whichever meter there is, on a line with one: 254.
    Any,
    /// All meters, none of which answers: 255.
    All,
}

impl Target {
    /// As a configuration has it: a primary address, or a secondary one, whose number has eight digits. `None` where it is
    /// neither.
    #[must_use]
    pub fn written(text: &str) -> Option<Self> {
        match text.parse::<u8>() {
            Ok(primary @ 0..=250) if text.len() <= 3 => Some(Self::Primary(primary)),
            _ => text.parse().ok().map(Self::Selected),
        }
    }

    /// The address byte.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Address`] of a primary address above 250.
    pub const fn byte(self) -> Result<u8, EncodeError> {
        match self {
            Self::Primary(address @ 0..=250) => Ok(address),
            Self::Primary(_) => Err(EncodeError::Address),
            Self::Selected(_) => Ok(SELECTED),
            Self::Any => Ok(ANY),
            Self::All => Ok(BROADCAST),
        }
    }

    /// Whether it is exactly one meter.
    fn is_one(self) -> bool {
        match self {
            Self::Primary(_) => true,
            Self::Selected(address) => !address.is_wildcard(),
            Self::Any | Self::All => false,
        }
    }
}

/// What is asked. `fcb` is the frame count bit, see [`FrameCount`](super::FrameCount).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Begin anew (SND_NKE); to [`Target::Selected`] it ends the selection.
    Reset,
    /// The reading (REQ_UD2).
    Data {
        /// Frame count bit.
        fcb: bool,
    },
    /// Alarms (REQ_UD1).
    Alarm {
        /// Frame count bit.
        fcb: bool,
    },
    /// Selects the meters of the target's secondary address.
    Select,
    /// The speed from now on: one of [`SPEEDS`].
    SetSpeed(u32),
    /// Resets the application; a number chooses which telegram comes next.
    ResetApplication(Option<u8>),
    /// Gives the meter a primary address, 1 to 250.
    SetPrimary(u8),
    /// Records, as they are.
    Send {
        /// Frame count bit.
        fcb: bool,
        /// DIF to data, one after the other.
        records: &'a [u8],
    },
    /// Opens or closes the valve, through the output that the meter's profile names.
    Valve {
        /// Frame count bit.
        fcb: bool,
        /// What the output's bits mean.
        output: ValveOutput,
        /// Where the valve is to be.
        to: Valve,
    },
}

impl Request<'_> {
    /// The frame.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Address`] of a target that this cannot go to, [`EncodeError::Wildcard`] of what
    /// changes a meter and does not go to exactly one, [`EncodeError::OutOfRange`], [`EncodeError::TooLong`].
    pub fn encode(&self, target: Target) -> Result<Vec<u8>, EncodeError> {
        let address = target.byte()?;
        let send = |fcb: bool| Link { control: 0x53 | u8::from(fcb) << 5, address };
        let short = |control| Frame::Short(Link { control, address }).encode();
        let asks = !matches!(target, Target::All);
        match *self {
            Self::Reset => short(0x40),
            Self::Data { fcb } if asks => short(0x5B | u8::from(fcb) << 5),
            Self::Alarm { fcb } if asks => short(0x5A | u8::from(fcb) << 5),
            // Who is to answer?
            Self::Data { .. } | Self::Alarm { .. } => Err(EncodeError::Address),
            Self::Select => match target {
                Target::Selected(wanted) => Frame::Long(send(false), 0x52, &wanted.to_wire()).encode(),
                _ => Err(EncodeError::Address),
            },
            Self::SetSpeed(speed) => {
                let index = SPEEDS.iter().position(|&s| s == speed);
                let index = index.ok_or(EncodeError::OutOfRange { what: "speed" })?;
                Frame::Control(send(false), 0xB8 | index as u8).encode()
            }
            Self::ResetApplication(None) => Frame::Control(send(false), 0x50).encode(),
            Self::ResetApplication(Some(code)) => Frame::Long(send(false), 0x50, &[code]).encode(),
            Self::SetPrimary(new) => {
                if !matches!(new, 1..=250) {
                    return Err(EncodeError::OutOfRange { what: "primary address" });
                }
                // To a line with one meter it may go, that is how meters are commissioned.
                if !target.is_one() && target != Target::Any {
                    return Err(EncodeError::Wildcard);
                }
                Frame::Long(send(false), 0x51, &[0x01, 0x7A, new]).encode()
            }
            Self::Send { fcb, records } => Frame::Long(send(fcb), 0x51, records).encode(),
            Self::Valve { fcb, output, to } => {
                if !target.is_one() {
                    return Err(EncodeError::Wildcard);
                }
                Frame::Long(send(fcb), 0x51, &valve_record(output, to)?).encode()
            }
        }
    }
}

/// Whether `answer` answers `request`, of which no other is under way.
///
/// # Errors
///
/// [`Error::Echo`], [`Error::AnswerMismatch`], [`Error::AddressMismatch`]. Whose reading it is, its
/// header says: that is compared where it is decoded ([`Readout`](super::Readout)).
pub fn check_answer(request: &Frame<'_>, answer: &Frame<'_>) -> Result<(), Error> {
    if request == answer {
        return Err(Error::Echo);
    }
    let asked = request.link().ok_or(Error::AnswerMismatch { what: "nothing was asked" })?;
    let wants_data = matches!(asked.control & 0x0F, 0x0A | 0x0B);
    match (answer.link(), wants_data) {
        // There is no alarm, or nothing to read.
        (None, _) => Ok(()),
        (Some(link), _) if !link.from_meter() => Err(Error::AnswerMismatch { what: "it is a request" }),
        (Some(_), false) => Err(Error::AnswerMismatch { what: "data, where an acknowledgement was awaited" }),
        // A selected meter answers with its primary address, and on a line with one it may have any.
        (Some(link), true) => match asked.address {
            SELECTED | ANY => Ok(()),
            address if link.address == address => Ok(()),
            _ => Err(Error::AddressMismatch),
        },
    }
}
