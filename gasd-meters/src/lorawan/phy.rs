// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes over the air, taken apart as far as it is not encrypted. Nothing of it is believed yet.

use crate::bytes::Cursor;
use crate::error::Error;

/// Which way a data frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the device.
    Up,
    /// To the device.
    Down,
}

/// What goes over the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phy<'a> {
    /// A device wants to join.
    JoinRequest(JoinRequest<'a>),
    /// The answer, encrypted: [`JoinAccept::open`](super::JoinAccept::open).
    JoinAccept(&'a [u8]),
    /// Data.
    Data(DataFrame<'a>),
    /// A device wants to join anew (1.1), or something of a maker's own: as it is.
    Other(u8, &'a [u8]),
}

impl<'a> Phy<'a> {
    /// What `bytes` are.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], [`Error::Malformed`]; [`Error::UnsupportedMode`] for another major version.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let &header = bytes.first().ok_or(Error::Truncated { need: 12 })?;
        if header & 0x03 != 0 {
            return Err(Error::UnsupportedMode { mode: header & 0x03 });
        }
        match header >> 5 {
            0 => JoinRequest::parse(bytes).map(Self::JoinRequest),
            1 => match bytes.len() {
                17 | 33 => Ok(Self::JoinAccept(bytes)),
                len @ ..17 => Err(Error::Truncated { need: 17 - len }),
                len @ 18..33 => Err(Error::Truncated { need: 33 - len }),
                _ => Err(Error::Malformed { what: "a join accept has 17 or 33 bytes" }),
            },
            kind @ 2..=5 => DataFrame::parse(bytes, kind).map(Self::Data),
            kind => Ok(Self::Other(kind, bytes)),
        }
    }
}

/// A device wants to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinRequest<'a> {
    /// As on the air.
    pub bytes: &'a [u8],
    /// Of the server that knows the device (AppEUI before 1.1).
    pub join_eui: u64,
    /// Of the device.
    pub dev_eui: u64,
    /// Never the same twice.
    pub dev_nonce: u16,
}

impl<'a> JoinRequest<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        cursor.u8()?;
        let (join_eui, dev_eui) = (u64::from_le_bytes(cursor.array()?), u64::from_le_bytes(cursor.array()?));
        let dev_nonce = cursor.u16_le()?;
        cursor.take(4)?;
        if !cursor.is_empty() {
            return Err(Error::Malformed { what: "a join request has 23 bytes" });
        }
        Ok(Self { bytes, join_eui, dev_eui, dev_nonce })
    }
}

/// A data frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFrame<'a> {
    /// As on the air.
    pub bytes: &'a [u8],
    /// Which way.
    pub direction: Direction,
    /// Whether it wants to be acknowledged.
    pub confirmed: bool,
    /// The device, within its network.
    pub dev_addr: u32,
    /// The control byte: ADR, ADRACKReq (down: not used), ACK, class B (down: more waits), length of options.
    pub control: u8,
    /// The low half of the frame counter.
    pub counter: u16,
    /// Options as on the air: encrypted in 1.1.
    pub options: &'a [u8],
    /// The port; `None` where there is no payload.
    pub port: Option<u8>,
    /// The payload as on the air: encrypted.
    pub payload: &'a [u8],
}

impl<'a> DataFrame<'a> {
    fn parse(bytes: &'a [u8], kind: u8) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes);
        cursor.u8()?;
        let (dev_addr, control, counter) = (cursor.u32_le()?, cursor.u8()?, cursor.u16_le()?);
        if cursor.len() < 4 {
            return Err(Error::Truncated { need: 4 - cursor.len() });
        }
        let len = usize::from(control & 0x0F);
        if len + 4 > cursor.len() {
            return Err(Error::Malformed { what: "the options run over the end" });
        }
        let options = cursor.take(len)?;
        let (port, payload) = match cursor.rest() {
            [port, payload @ .., _, _, _, _] => (Some(*port), payload),
            _ => (None, &[][..]),
        };
        if port == Some(0) && len > 0 {
            return Err(Error::Malformed { what: "options and port 0 exclude each other" });
        }
        Ok(Self {
            bytes,
            direction: if kind & 1 == 0 { Direction::Up } else { Direction::Down },
            confirmed: kind >= 4,
            dev_addr,
            control,
            counter,
            options,
            port,
            payload,
        })
    }

    /// Whether the data rate adapts.
    #[must_use]
    pub const fn adr(&self) -> bool {
        self.control & 0x80 != 0
    }

    /// Up: whether the device wants to hear that it is heard.
    #[must_use]
    pub const fn adr_ack_request(&self) -> bool {
        self.control & 0x40 != 0
    }

    /// Whether it acknowledges a frame of the other side.
    #[must_use]
    pub const fn ack(&self) -> bool {
        self.control & 0x20 != 0
    }

    /// Up: whether the device is in class B. Down: whether more waits for it.
    #[must_use]
    pub const fn class_b_or_pending(&self) -> bool {
        self.control & 0x10 != 0
    }

    /// What the MIC is over, and the MIC.
    pub(super) fn signed(&self) -> (&'a [u8], &'a [u8]) {
        self.bytes.split_at_checked(self.bytes.len().saturating_sub(4)).unwrap_or_default()
    }
}
