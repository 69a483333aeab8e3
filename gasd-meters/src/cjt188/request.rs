// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests as frames.

use alloc::vec::Vec;

use super::address::Address;
use super::frame::{ANY_TYPE, build};
use super::order::Order;
use super::profile::{ClockOrder, Profile};
use super::unit;
use crate::bcd;
use crate::error::EncodeError;
use crate::number::Decimal;
use crate::time::{Date, TimeOfDay};
use crate::unit::Unit;

/// Most data bytes of a frame that writes.
pub const MAX_WRITE: usize = 32;

/// Which meter, and how it wants its identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The type, `T`; AA for any.
    pub kind: u8,
    /// The address.
    pub address: Address,
    /// The order that the meter has shown.
    pub order: Order,
}

/// Where a valve is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ValveCommand {
    /// Open.
    Open = 0x55,
    /// Close.
    Close = 0x99,
}

/// A key: never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key<'a>(pub &'a [u8]);

impl core::fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What is asked of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Data: `901F` the current ones, `911F` of heat and cooling, `D120`–`D12B` of the last months, `907F`
    /// the clock, `810x` settings.
    Read(u16),
    /// The address.
    ReadAddress,
    /// The version of the key.
    ReadKeyVersion,
    /// Move the valve of one meter.
    Valve(ValveCommand),
    /// Give the meter a new address.
    WriteAddress(Address),
    /// Set the clock.
    WriteClock(Date, TimeOfDay),
    /// Set the register of the head to what the mechanical one shows.
    WriteBase {
        /// The reading, in the unit, with two digits after the point at most.
        value: Decimal,
        /// Its unit.
        unit: Unit,
    },
    /// Three prices, hundredths each, and the two amounts between which they change.
    WritePrices {
        /// Prices.
        prices: [u32; 3],
        /// Amounts.
        until: [u32; 2],
    },
    /// The day of settlement, 1–31.
    WriteSettlementDay(u8),
    /// The day of reading, 1–31.
    WriteReadingDay(u8),
    /// Credit.
    WritePurchase {
        /// The number of the purchase, 0–99.
        number: u8,
        /// How much, hundredths.
        amount: u32,
    },
    /// A new key, as the maker wants it.
    WriteKey(Key<'a>),
    /// Other data.
    Write {
        /// Which: A019 the factory's enabling, A101–A107 (2018).
        di: u16,
        /// The data behind the sequence number.
        data: &'a [u8],
    },
}

impl Request<'_> {
    /// Function, identifier and data.
    fn parts(&self, profile: &Profile) -> Result<(u8, u16, Vec<u8>), EncodeError> {
        Ok(match *self {
            Self::Read(di) => (0x01, di, Vec::new()),
            Self::ReadAddress => (0x03, 0x810A, Vec::new()),
            Self::ReadKeyVersion => (0x09, 0x8106, Vec::new()),
            Self::Valve(command) => (profile.valve_function, 0xA017, [command as u8].into()),
            Self::WriteAddress(new) if new.is_wildcard() => return Err(EncodeError::Address),
            Self::WriteAddress(new) => (0x15, 0xA018, new.0.into()),
            Self::WriteClock(date, time) => (0x04, 0xA015, clock(date, time, profile.clock)?),
            Self::WriteBase { value, unit } => (0x16, 0xA016, base(value, unit)?),
            Self::WritePrices { prices: [a, b, c], until: [x, y] } => {
                let parts = [a, x, b, y, c].map(|n| digits(n.into(), 3, "price or amount"));
                (0x04, 0xA010, parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
            }
            Self::WriteSettlementDay(day) => (0x04, 0xA011, day_of_month(day)?),
            Self::WriteReadingDay(day) => (0x04, 0xA012, day_of_month(day)?),
            Self::WritePurchase { number, amount } => {
                let parts = [
                    digits(number.into(), 1, "number of the purchase")?,
                    digits(amount.into(), 4, "amount")?,
                ];
                (0x04, 0xA013, parts.concat())
            }
            Self::WriteKey(key) => (0x04, 0xA014, key.0.into()),
            Self::Write { di, data } => (0x04, di, data.into()),
        })
    }

    /// Whether it changes something.
    #[must_use]
    pub const fn writes(&self) -> bool {
        !matches!(self, Self::Read(_) | Self::ReadAddress | Self::ReadKeyVersion)
    }
}

/// The frame of a request with sequence number `ser`, after `wake` bytes FE (two to four wake a meter).
///
/// # Errors
///
/// [`EncodeError::Wildcard`] for a request that changes something and goes to any meter or type,
/// [`EncodeError::OutOfRange`], [`EncodeError::TooLong`], [`EncodeError::Address`].
pub fn encode(
    target: &Target,
    profile: &Profile,
    ser: u8,
    request: &Request<'_>,
    wake: usize,
) -> Result<Vec<u8>, EncodeError> {
    if request.writes() && (target.address.is_wildcard() || target.kind == ANY_TYPE) {
        return Err(EncodeError::Wildcard);
    }
    if !matches!(target.kind, 0x10..=0x49 | ANY_TYPE) {
        return Err(EncodeError::OutOfRange { what: "type of the meter" });
    }
    let (function, di, rest) = request.parts(profile)?;
    let mut data: Vec<u8> = target.order.to_wire(di).into();
    data.push(ser);
    data.extend(rest);
    if data.len() > MAX_WRITE {
        return Err(EncodeError::TooLong { most: MAX_WRITE });
    }
    Ok(build(target.kind, target.address, function, &data, wake))
}

fn digits(number: u64, bytes: usize, what: &'static str) -> Result<Vec<u8>, EncodeError> {
    let mut place = alloc::vec![0; bytes];
    if bcd::encode(number, &mut place) { Ok(place) } else { Err(EncodeError::OutOfRange { what }) }
}

fn day_of_month(day: u8) -> Result<Vec<u8>, EncodeError> {
    match bcd::byte(day) {
        Some(byte) if (1..=31).contains(&day) => Ok([byte].into()),
        _ => Err(EncodeError::OutOfRange { what: "day" }),
    }
}

fn base(value: Decimal, of: Unit) -> Result<Vec<u8>, EncodeError> {
    let hundredths = value.at(-2).ok().and_then(|n| u64::try_from(n).ok());
    let hundredths = hundredths.ok_or(EncodeError::OutOfRange { what: "reading" })?;
    // The unit byte 00 is what some meters want that say 00 themselves.
    let code = if of == Unit::Unknown { Some(0) } else { unit::code(of) };
    let mut bytes = digits(hundredths, 4, "reading")?;
    bytes.push(code.ok_or(EncodeError::OutOfRange { what: "unit" })?);
    Ok(bytes)
}

fn clock(date: Date, time: TimeOfDay, order: ClockOrder) -> Result<Vec<u8>, EncodeError> {
    let (year, century) = ((date.year() % 100) as u8, (date.year() / 100) as u8);
    let (second, minute, hour) = (time.second().unwrap_or(0), time.minute(), time.hour());
    let (month, day) = (date.month(), date.day());
    let parts = match order {
        ClockOrder::LowFirst => [second, minute, hour, day, month, year, century],
        ClockOrder::CenturyBeforeYear => [second, minute, hour, day, month, century, year],
        ClockOrder::HighFirst => [century, year, month, day, hour, minute, second],
    };
    parts
        .into_iter()
        .map(bcd::byte)
        .collect::<Option<Vec<_>>>()
        .ok_or(EncodeError::OutOfRange { what: "year" })
}
