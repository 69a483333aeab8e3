// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who a device is: the answer to commands 0, 11 and 21.

use super::address::Address;
use crate::bytes::Cursor;
use crate::error::Error;
use crate::trace::Trace;

/// Who a device is. What is `None` came with later revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identification {
    /// FE, as every device since HART 5 has it.
    pub expansion: u8,
    /// The expanded type; before HART 7 the maker, then its type.
    pub device_type: u16,
    /// Bytes FF that it wants before a request.
    pub preambles: u8,
    /// The revision of HART.
    pub hart: u8,
    /// The revision of its own commands.
    pub revision: u8,
    /// The revision of its software.
    pub software: u8,
    /// The revision of its hardware.
    pub hardware: u8,
    /// How it signals: 0 Bell 202 as current, 1 as voltage, 2 RS-485, 3 RS-232, 4 wireless.
    pub signalling: u8,
    /// 1 more than one sensor, 2 protected memory, 4 a bridge.
    pub flags: u8,
    /// Its number.
    pub id: [u8; 3],
    /// Bytes FF that it sends before an answer.
    pub preambles_back: Option<u8>,
    /// How many variables it has.
    pub variables: Option<u8>,
    /// How often its configuration was changed.
    pub changes: Option<u16>,
    /// 1 needs maintenance, 2 a variable is not good, 4 power is low.
    pub extended_status: Option<u8>,
    /// Who made it.
    pub manufacturer: Option<u16>,
    /// Who sells it.
    pub label: Option<u16>,
    /// 1 a process device, 4 a wireless one.
    pub profile: Option<u8>,
}

impl Identification {
    /// Its long address.
    #[must_use]
    pub const fn address(&self) -> Address {
        Address::Unique { kind: self.device_type & 0x3FFF, id: self.id }
    }

    pub(super) fn take(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Self, Error> {
        let mut byte = |name| -> Result<u8, Error> {
            let (at, byte) = (cursor.at(), cursor.u8()?);
            trace.field(at, &[byte], format_args!("{name}"), format_args!("{byte}"));
            Ok(byte)
        };
        let expansion = byte("expansion")?;
        let device_type = u16::from_be_bytes([byte("device type, high")?, byte("device type, low")?]);
        let (preambles, hart) = (byte("preambles to it")?, byte("HART revision")?);
        let (revision, software) = (byte("device revision")?, byte("software revision")?);
        let (hardware, flags) = (byte("hardware revision and signalling")?, byte("flags")?);
        let id = [byte("number, high")?, byte("number, middle")?, byte("number, low")?];
        let mut word = |name| Ok::<_, Error>(u16::from_be_bytes([byte(name)?, byte(name)?]));
        // The first that is missing ends it.
        let pair = word("preambles from it, then variables").ok().map(u16::to_be_bytes);
        let changes = word("configuration changes").ok();
        let extended_status = byte("extended status").ok();
        let mut word = |name| Ok::<_, Error>(u16::from_be_bytes([byte(name)?, byte(name)?]));
        let (manufacturer, label) = (word("manufacturer").ok(), word("label").ok());
        let profile = byte("profile").ok();
        Ok(Self {
            expansion,
            device_type,
            preambles,
            hart,
            revision,
            software,
            hardware: hardware >> 3,
            signalling: hardware & 0x07,
            flags,
            id,
            preambles_back: pair.map(|[back, _]| back),
            variables: pair.map(|[_, variables]| variables),
            changes,
            extended_status,
            manufacturer,
            label,
            profile,
        })
    }
}
