// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests as frames.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::address::Address;
use super::di::Di;
use super::frame::{OFFSET, Standard, build};
use crate::bcd;
use crate::error::EncodeError;
use crate::time::{Date, TimeOfDay};

/// Most data bytes of a frame that writes.
pub const MAX_WRITE: usize = 50;

/// Bytes of level, password and operator; of level and password, which is all that 1997 knows.
const AUTHORITY: usize = 8;
const AUTHORITY_1997: usize = 4;

/// With which right something is done: never shown. It lies on the heap, so that a move leaves nothing behind, and is
/// cleared when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Authority(Zeroizing<Vec<u8>>);

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Authority {{ level: {}, .. }}", self.0.first().copied().unwrap_or_default())
    }
}

impl Authority {
    /// Password and operator's code as they are seen on the line.
    pub(super) fn masked(&self) -> Zeroizing<Vec<u8>> {
        let plain = self.0.get(1..).unwrap_or_default();
        Zeroizing::new(plain.iter().map(|byte| byte.wrapping_add(OFFSET)).collect())
    }

    /// Of the level (00–09), the password and the operator's code (2007), as on the wire.
    #[must_use]
    pub fn new(level: u8, password: &[u8; 3], operator: &[u8; 4]) -> Self {
        Self(Zeroizing::new([&[level][..], password, operator].concat()))
    }

    /// Of eight bytes: the level, three of the password, four of the operator; `None` of another number of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == AUTHORITY).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    fn on_wire(&self, standard: Standard) -> &[u8] {
        let length = if standard == Standard::V2007 { AUTHORITY } else { AUTHORITY_1997 };
        self.0.get(..length).unwrap_or_default()
    }
}

/// What a breaker or valve is to do (2007, function 1C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SwitchCommand {
    /// Opens the breaker: no supply.
    Trip = 0x1A,
    /// Allows someone at the meter to close it.
    AllowClose = 0x1B,
    /// Closes it at once.
    Close = 0x1C,
    /// Begins an alarm.
    Alarm = 0x2A,
    /// Ends it.
    AlarmOff = 0x2B,
    /// Keeps the supply on whatever else is commanded.
    KeepSupply = 0x3A,
    /// Ends that.
    Release = 0x3B,
}

/// What is asked of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Data; so many blocks of a load profile, where it is one (2007).
    Read {
        /// Which.
        di: Di,
        /// How many blocks, 1–99.
        blocks: Option<u8>,
    },
    /// The next part of data; the number of the part, from 1 (2007).
    ReadNext {
        /// Of which data.
        di: Di,
        /// Which part.
        seq: u8,
    },
    /// The last answer again (1997).
    ReadAgain,
    /// The address of the only meter on the line (2007).
    ReadAddress,
    /// Write data.
    Write {
        /// Which.
        di: Di,
        /// With which right.
        authority: &'a Authority,
        /// The data, as on the wire before 33H is added.
        data: &'a [u8],
    },
    /// Give the only meter on the line a new address.
    WriteAddress(Address),
    /// Set the clock: everyone's where the address is [`Address::BROADCAST`].
    WriteClock(Date, TimeOfDay),
    /// Freeze readings: at the month, day, hour and minute that are not 99; at once if all are.
    Freeze {
        /// mm hh DD MM as BCD.
        at: [u8; 4],
    },
    /// Set the speed. The code is the meter's own, from its profile: see [`super::baud_code`].
    Baud(u8),
    /// Clear the largest demands.
    ClearDemand(&'a Authority),
    /// Move the breaker or valve of one meter (2007).
    Switch {
        /// What it is to do.
        command: SwitchCommand,
        /// With which right.
        authority: &'a Authority,
        /// Until when it may do so.
        expires: (Date, TimeOfDay),
    },
}

/// The frame of a request, after `wake` bytes FE (four wake a meter that sleeps). Where there is a password in it, that is
/// the caller's to clear; nothing else of it is left.
///
/// # Errors
///
/// [`EncodeError::Standard`] for a request that the edition does not have, [`EncodeError::Wildcard`]
/// for a command to a wildcard address, [`EncodeError::TooLong`], [`EncodeError::OutOfRange`].
pub fn encode(
    standard: Standard,
    address: Address,
    request: &Request<'_>,
    wake: usize,
) -> Result<Vec<u8>, EncodeError> {
    use Standard::{V1997, V2007};
    let one_meter = || if address.is_exact() { Ok(()) } else { Err(EncodeError::Wildcard) };
    let (function, data) = match (standard, *request) {
        (_, Request::Read { di, .. } | Request::ReadNext { di, .. } | Request::Write { di, .. })
            if di.standard() != standard =>
        {
            return Err(EncodeError::Standard);
        }
        (V1997, Request::Read { di, blocks: None }) => (0x01, di.to_wire()),
        (V2007, Request::Read { di, blocks }) => {
            let mut data = di.to_wire();
            match blocks.map(bcd::byte) {
                None => {}
                Some(Some(blocks @ 1..)) => data.push(blocks),
                Some(_) => return Err(EncodeError::OutOfRange { what: "number of blocks" }),
            }
            (0x11, data)
        }
        (V1997, Request::ReadNext { di, .. }) => (0x02, di.to_wire()),
        (V2007, Request::ReadNext { di, seq }) => (0x12, [di.to_wire(), [seq].into()].concat()),
        (V1997, Request::ReadAgain) => (0x03, Vec::new()),
        (V2007, Request::ReadAddress) => (0x13, Vec::new()),
        (_, Request::Write { di, authority, data }) => {
            one_meter()?;
            let data = [&di.to_wire()[..], authority.on_wire(standard), data].concat();
            (if standard == V1997 { 0x04 } else { 0x14 }, data)
        }
        (_, Request::WriteAddress(new)) => {
            if !new.is_exact() {
                return Err(EncodeError::Address);
            }
            (if standard == V1997 { 0x0A } else { 0x15 }, new.0.into())
        }
        (_, Request::WriteClock(date, time)) => (0x08, moment(date, time)?.into()),
        (V2007, Request::Freeze { at }) => (0x16, at.into()),
        (_, Request::Baud(code)) => {
            one_meter()?;
            (if standard == V1997 { 0x0C } else { 0x17 }, [code].into())
        }
        (V1997, Request::ClearDemand(_)) => {
            one_meter()?;
            (0x10, Vec::new())
        }
        (V2007, Request::ClearDemand(authority)) => {
            one_meter()?;
            (0x19, authority.on_wire(V2007).to_vec())
        }
        (V2007, Request::Switch { command, authority, expires: (date, time) }) => {
            one_meter()?;
            let command = [command as u8, 0x00];
            (0x1C, [authority.on_wire(V2007), &command, &moment(date, time)?].concat())
        }
        (
            V1997,
            Request::Read { .. } | Request::ReadAddress | Request::Freeze { .. } | Request::Switch { .. },
        )
        | (V2007, Request::ReadAgain) => return Err(EncodeError::Standard),
    };
    let data = Zeroizing::new(data);
    if data.len() > MAX_WRITE {
        return Err(EncodeError::TooLong { most: MAX_WRITE });
    }
    Ok(build(address, function, &data, wake))
}

/// ss mm hh DD MM YY.
fn moment(date: Date, time: TimeOfDay) -> Result<[u8; 6], EncodeError> {
    let year = date.year().checked_sub(2000).and_then(|year| u8::try_from(year).ok());
    let parts = [time.second().unwrap_or(0), time.minute(), time.hour(), date.day(), date.month()];
    let mut bytes = [0; 6];
    for (place, part) in bytes.iter_mut().zip(parts.into_iter().map(Some).chain([year])) {
        *place = part.and_then(bcd::byte).ok_or(EncodeError::OutOfRange { what: "year" })?;
    }
    Ok(bytes)
}
