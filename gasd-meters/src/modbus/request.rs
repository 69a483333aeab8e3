// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests as frames.

use alloc::vec::Vec;

use super::frame::{MAX_UNIT, build};
use super::length::{MAX_READ, MAX_READ_BITS, MAX_WRITE, MAX_WRITE_BITS};
use crate::error::EncodeError;

/// What is asked of a unit. Addresses are those of the wire, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// 01: coils, 1–2000.
    ReadCoils(u16, u16),
    /// 02: discrete inputs, 1–2000.
    ReadInputs(u16, u16),
    /// 03: holding registers, 1–125.
    ReadHolding(u16, u16),
    /// 04: input registers, 1–125.
    ReadInput(u16, u16),
    /// 05: one coil.
    WriteCoil(u16, bool),
    /// 06: one register.
    WriteRegister(u16, u16),
    /// 07: eight bits of its own choice.
    ReadExceptionStatus,
    /// 08: diagnostics: which, and a word.
    Diagnose(u16, u16),
    /// 0B: status and count of events.
    CountEvents,
    /// 0C: the log of events.
    ReadEvents,
    /// 0F: coils from here on, 1–1968.
    WriteCoils(u16, Vec<bool>),
    /// 10: registers from here on, 1–123.
    WriteRegisters(u16, Vec<u16>),
    /// 11: who it is, in its own words.
    ReadId,
    /// 16: a register, of which only some bits change: and, or.
    MaskRegister(u16, u16, u16),
    /// 17: registers to read, then those to write before that.
    ReadWrite {
        /// From here on.
        read: u16,
        /// So many, 1–125.
        count: u16,
        /// From here on.
        write: u16,
        /// These, 1–121.
        values: Vec<u16>,
    },
    /// 2B 0E: identification: how much of it (1 basic, 2 regular, 3 extended, 4 one object), from which
    /// object on.
    Identify(u8, u8),
}

impl Request {
    /// The function.
    #[must_use]
    pub const fn function(&self) -> u8 {
        match self {
            Self::ReadCoils(..) => 0x01,
            Self::ReadInputs(..) => 0x02,
            Self::ReadHolding(..) => 0x03,
            Self::ReadInput(..) => 0x04,
            Self::WriteCoil(..) => 0x05,
            Self::WriteRegister(..) => 0x06,
            Self::ReadExceptionStatus => 0x07,
            Self::Diagnose(..) => 0x08,
            Self::CountEvents => 0x0B,
            Self::ReadEvents => 0x0C,
            Self::WriteCoils(..) => 0x0F,
            Self::WriteRegisters(..) => 0x10,
            Self::ReadId => 0x11,
            Self::MaskRegister(..) => 0x16,
            Self::ReadWrite { .. } => 0x17,
            Self::Identify(..) => 0x2B,
        }
    }

    /// Whether it changes something, so that it may go to everyone.
    #[must_use]
    pub const fn writes(&self) -> bool {
        matches!(self.function(), 0x05 | 0x06 | 0x0F | 0x10 | 0x16)
    }
}

/// The frame of a request to `unit`, 1–247; 0 is everyone and for writing only: nobody answers it.
///
/// # Errors
///
/// [`EncodeError::Address`] above 247, [`EncodeError::Wildcard`] where everyone is asked for an answer,
/// [`EncodeError::OutOfRange`] of a count.
pub fn encode(unit: u8, request: &Request) -> Result<Vec<u8>, EncodeError> {
    match unit {
        0 if !request.writes() => return Err(EncodeError::Wildcard),
        0..=MAX_UNIT => {}
        _ => return Err(EncodeError::Address),
    }
    let data = match request {
        Request::ReadCoils(at, n) | Request::ReadInputs(at, n) => {
            words(&[*at, count(*at, *n, MAX_READ_BITS)?])
        }
        Request::ReadHolding(at, n) | Request::ReadInput(at, n) => words(&[*at, count(*at, *n, MAX_READ)?]),
        Request::WriteCoil(at, on) => words(&[*at, if *on { 0xFF00 } else { 0x0000 }]),
        Request::WriteRegister(at, value) => words(&[*at, *value]),
        Request::Diagnose(which, word) => words(&[*which, *word]),
        Request::WriteCoils(at, bits) => {
            let n = count(*at, short(bits.len()), MAX_WRITE_BITS)?;
            let packed: Vec<u8> = bits.chunks(8).map(pack).collect();
            [&words(&[*at, n])[..], &[packed.len() as u8], &packed].concat()
        }
        Request::WriteRegisters(at, values) => {
            let n = count(*at, short(values.len()), MAX_WRITE)?;
            [&words(&[*at, n])[..], &[2 * n as u8], &words(values)].concat()
        }
        Request::MaskRegister(at, and, or) => words(&[*at, *and, *or]),
        Request::ReadWrite { read, count: n, write, values } => {
            let n = count(*read, *n, MAX_READ)?;
            let m = count(*write, short(values.len()), 121)?;
            [&words(&[*read, n, *write, m])[..], &[2 * m as u8], &words(values)].concat()
        }
        Request::Identify(code, object) => {
            if !(1..=4).contains(code) {
                return Err(EncodeError::OutOfRange { what: "kind of identification" });
            }
            [0x0E, *code, *object].into()
        }
        Request::ReadExceptionStatus | Request::CountEvents | Request::ReadEvents | Request::ReadId => {
            Vec::new()
        }
    };
    Ok(build(unit, request.function(), &data))
}

/// Big-endian.
fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn short(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

/// A count that is allowed and ends within the 65536 addresses.
fn count(at: u16, n: u16, most: u16) -> Result<u16, EncodeError> {
    let ends = u32::from(at) + u32::from(n) <= 0x1_0000;
    if n == 0 || n > most || !ends {
        return Err(EncodeError::OutOfRange { what: "number of registers or coils" });
    }
    Ok(n)
}

/// Eight coils in a byte, the first the lowest bit.
fn pack(bits: &[bool]) -> u8 {
    bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit))
}
