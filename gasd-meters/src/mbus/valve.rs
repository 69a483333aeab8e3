// SPDX-License-Identifier: MIT OR Apache-2.0
//! A valve behind the digital output (VIF FD 1A) of a meter.

use crate::error::EncodeError;
use crate::kind::Kind;
use crate::reading::{Reading, Value};
use crate::status::Valve;

/// What the bits of the output mean: the standard leaves it to the meter, its profile has to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValveOutput {
    /// Bits that belong to the valve.
    pub mask: u8,
    /// Those bits with the valve open.
    pub open: u8,
    /// Those bits with the valve closed.
    pub closed: u8,
}

impl ValveOutput {
    /// Where the valve is, by the output in `reading`; `None` where it does not have it.
    #[must_use]
    pub fn valve(self, reading: &Reading) -> Option<Valve> {
        match reading.get(Kind::DigitalOutput)?.value {
            Value::Bits(bits) => Some(match (bits as u8) & self.mask {
                bits if bits == self.open & self.mask => Valve::Open,
                bits if bits == self.closed & self.mask => Valve::Closed,
                _ => Valve::Abnormal,
            }),
            _ => None,
        }
    }
}

/// The record that moves the valve.
pub(super) fn valve_record(output: ValveOutput, to: Valve) -> Result<[u8; 4], EncodeError> {
    let bits = match to {
        Valve::Open => output.open,
        Valve::Closed => output.closed,
        Valve::Abnormal => return Err(EncodeError::OutOfRange { what: "position of the valve" }),
    };
    if output.open & output.mask == output.closed & output.mask {
        return Err(EncodeError::OutOfRange { what: "meaning of the valve's bits" });
    }
    Ok([0x01, 0xFD, 0x1A, bits & output.mask])
}
