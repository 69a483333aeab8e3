// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header of the transport layer (EN 13757-7): who, which access, which state, how it is secured.

use super::address::{Address, medium};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::medium::Medium;
use crate::reading::Reading;
use crate::status::{Flag, Flags};
use crate::trace::Trace;

/// The long header has the meter's address; the short one leaves it to the link layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who, where the header says so.
    pub meter: Option<Address>,
    /// Counts the meter's transmissions, modulo 256.
    pub access: u8,
    /// State; see [`flags`].
    pub status: u8,
    /// How the data are secured; on wired meters of old a signature that means nothing.
    pub config: u16,
}

impl Header {
    /// The security mode: 0 is none.
    #[must_use]
    pub const fn mode(&self) -> u8 {
        (self.config >> 8 & 0x1F) as u8
    }

    /// Encrypted blocks of 16 bytes (modes 5 and 7).
    #[must_use]
    pub const fn blocks(&self) -> usize {
        (self.config >> 4 & 0x0F) as usize
    }

    pub(crate) fn take_long(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Self, Error> {
        let at = cursor.at();
        let meter = Address::take(cursor)?;
        explain_address(at, &meter, trace);
        Ok(Self { meter: Some(meter), ..Self::take_short(cursor, trace)? })
    }

    pub(crate) fn take_short(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Self, Error> {
        let at = cursor.at();
        let [access, status, c0, c1] = cursor.array()?;
        let header = Self { meter: None, access, status, config: u16::from_le_bytes([c0, c1]) };
        if !trace.listens() {
            return Ok(header);
        }
        trace.field(at, &[access], format_args!("access number"), format_args!("{access}"));
        trace.field(at + 1, &[status], format_args!("status"), format_args!("{}", flags(status)));
        trace.field(
            at + 2,
            &[c0, c1],
            format_args!("configuration"),
            format_args!("mode {}, {} blocks", header.mode(), header.blocks()),
        );
        Ok(header)
    }

    /// Writes who and in which state into `reading`.
    pub(crate) fn tell(&self, reading: &mut Reading) {
        if let Some(meter) = &self.meter {
            reading.meter = meter.identity();
        }
        reading.flags = flags(self.status);
    }
}

pub(crate) fn explain_address(at: usize, meter: &Address, trace: &mut impl Trace) {
    if !trace.listens() {
        return;
    }
    let [a, b, c, d, m0, m1, version, device] = meter.to_wire();
    let identity = meter.identity();
    trace.field(at, &[a, b, c, d], format_args!("number"), format_args!("{}", identity.id));
    trace.field(
        at + 4,
        &[m0, m1],
        format_args!("manufacturer"),
        format_args!("{}", identity.manufacturer.as_deref().unwrap_or_default()),
    );
    trace.field(at + 6, &[version], format_args!("version"), format_args!("{version}"));
    trace.field(at + 7, &[device], format_args!("medium"), format_args!("{}", medium(device)));
}

/// What the status byte says. Its three highest bits are the manufacturer's.
#[must_use]
pub const fn flags(status: u8) -> Flags {
    let mut flags = Flags::NONE;
    flags.say(Flag::Busy, status & 0x03 == 1);
    flags.say(Flag::ApplicationError, status & 0x03 == 2);
    flags.say(Flag::Alarm, status & 0x03 == 3);
    flags.say(Flag::PowerLow, status & 0x04 != 0);
    flags.say(Flag::PermanentError, status & 0x08 != 0);
    flags.say(Flag::TemporaryError, status & 0x10 != 0);
    flags
}

/// The medium of a meter, where it is known.
pub(crate) fn medium_of(meter: Option<&Address>) -> Medium {
    meter.map_or(Medium::Unknown, |meter| medium(meter.medium))
}
