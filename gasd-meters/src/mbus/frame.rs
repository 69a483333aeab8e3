// SPDX-License-Identifier: MIT OR Apache-2.0
//! The link layer of wired M-Bus (EN 13757-2): found, checked, taken apart, built.

use alloc::vec::Vec;

use crate::crc;
use crate::error::{EncodeError, Error};
use crate::frame68;
use crate::scan::{self, Probe};

/// The single character that acknowledges.
pub const ACK: u8 = 0xE5;

/// Most bytes behind the CI field of a long frame.
pub const MAX_DATA: usize = 252;

/// Address of a meter that was never given one.
pub const UNCONFIGURED: u8 = 0;
/// Address of the meter that is selected by its secondary address.
pub const SELECTED: u8 = 253;
/// Address that every meter answers to: for a line with one meter.
pub const ANY: u8 = 254;
/// Address that every meter hears and none answers to.
pub const BROADCAST: u8 = 255;

/// What a control field asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// SND_NKE: begin anew.
    Reset,
    /// SND_UD: user data to the meter.
    Send,
    /// REQ_UD1: alarms.
    RequestAlarm,
    /// REQ_UD2: the reading.
    RequestData,
    /// RSP_UD: user data from the meter.
    Respond,
    /// Another one.
    Other,
}

/// The control and address fields of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// C.
    pub control: u8,
    /// A.
    pub address: u8,
}

impl Link {
    /// What it asks or answers.
    #[must_use]
    pub const fn function(self) -> Function {
        match (self.control & 0x40 != 0, self.control & 0x0F) {
            (true, 0x0) => Function::Reset,
            (true, 0x3) => Function::Send,
            (true, 0xA) => Function::RequestAlarm,
            (true, 0xB) => Function::RequestData,
            (false, 0x8) => Function::Respond,
            _ => Function::Other,
        }
    }

    /// Whether a meter sent it.
    #[must_use]
    pub const fn from_meter(self) -> bool {
        self.control & 0x40 == 0
    }

    /// The frame count bit of a request.
    #[must_use]
    pub const fn fcb(self) -> bool {
        !self.from_meter() && self.control & 0x20 != 0
    }

    /// Whether the frame count bit of a request counts.
    #[must_use]
    pub const fn fcv(self) -> bool {
        !self.from_meter() && self.control & 0x10 != 0
    }

    /// Whether a meter has an alarm to be asked for (ACD).
    #[must_use]
    pub const fn alarm(self) -> bool {
        self.from_meter() && self.control & 0x20 != 0
    }

    /// Whether a meter can take no more data (DFC).
    #[must_use]
    pub const fn busy(self) -> bool {
        self.from_meter() && self.control & 0x10 != 0
    }
}

/// A frame whose checksum fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The single character.
    Ack,
    /// Control and address alone.
    Short(Link),
    /// With a CI field and no data.
    Control(Link, u8),
    /// With a CI field and data.
    Long(Link, u8, &'a [u8]),
}

/// Whether a frame other than the single character begins with the first byte.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [0x10, control, ..] if control & 0x80 != 0 => Probe::No,
        // Four bytes that are no frame are no damaged frame either: 10H is a common byte.
        [0x10, _, _, _, end, ..] if *end != 0x16 => Probe::No,
        [0x10, _, _, _, _, ..] => frame68::checked(bytes, 1, 5),
        [0x10, ..] => Probe::Need(5),
        [0x68, a, b, 0x68, ..] if a != b => {
            Probe::Bad { len: 4, error: Error::Malformed { what: "its two lengths differ" } }
        }
        [0x68, a, _, 0x68, ..] if *a < 3 => {
            Probe::Bad { len: 4, error: Error::Malformed { what: "its length is below 3" } }
        }
        [0x68, length, _, 0x68, ..] => frame68::checked(bytes, 4, usize::from(*length) + 6),
        [0x68] | [0x68, _] | [0x68, _, _] => Probe::Need(4),
        _ => Probe::No,
    }
}

/// As [`probe`], and the single character too: for the time in which an acknowledgement is awaited.
/// At other times E5 is a byte like any other.
#[must_use]
pub fn probe_ack(bytes: &[u8]) -> Probe {
    if bytes.first() == Some(&ACK) { Probe::Frame(1) } else { probe(bytes) }
}

/// The first frame in bytes after which nothing more comes; the single character only where it comes
/// first.
///
/// # Errors
///
/// As [`scan::first`].
pub fn find(bytes: &[u8]) -> Result<&[u8], Error> {
    if let [first @ ACK, ..] = bytes {
        return Ok(core::slice::from_ref(first));
    }
    scan::first_frame(bytes, probe)
}

impl<'a> Frame<'a> {
    /// The frame that `bytes` are, all of them.
    ///
    /// # Errors
    ///
    /// What [`probe`] says is wrong; [`Error::Malformed`] where bytes follow the frame;
    /// [`Error::NoFrame`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        probe_ack(bytes).whole(bytes.len())?;
        match *bytes {
            [ACK] => Ok(Self::Ack),
            [0x10, control, address, _, 0x16] => Ok(Self::Short(Link { control, address })),
            [0x68, _, _, 0x68, control, address, ci, _, 0x16] => {
                Ok(Self::Control(Link { control, address }, ci))
            }
            [0x68, _, _, 0x68, control, address, ci, ref data @ .., _, 0x16] => {
                Ok(Self::Long(Link { control, address }, ci, data))
            }
            _ => Err(Error::NoFrame { garbage: bytes.len() }),
        }
    }

    /// Control and address; none of the single character.
    #[must_use]
    pub const fn link(&self) -> Option<Link> {
        match *self {
            Self::Ack => None,
            Self::Short(link) | Self::Control(link, _) | Self::Long(link, ..) => Some(link),
        }
    }

    /// The CI field, where there is one.
    #[must_use]
    pub const fn ci(&self) -> Option<u8> {
        match *self {
            Self::Ack | Self::Short(_) => None,
            Self::Control(_, ci) | Self::Long(_, ci, _) => Some(ci),
        }
    }

    /// What stands behind the CI field.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        match *self {
            Self::Long(_, _, data) => data,
            _ => &[],
        }
    }

    /// The bytes on the line.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let (link, ci) = match *self {
            Self::Ack => return Ok([ACK].into()),
            Self::Short(Link { control, address }) => {
                return Ok([0x10, control, address, control.wrapping_add(address), 0x16].into());
            }
            Self::Control(link, ci) | Self::Long(link, ci, _) => (link, ci),
        };
        let data = self.data();
        let length = match u8::try_from(data.len() + 3) {
            Ok(length) if data.len() <= MAX_DATA => length,
            _ => return Err(EncodeError::TooLong { most: MAX_DATA }),
        };
        let mut bytes = Vec::with_capacity(data.len() + 9);
        bytes.extend([0x68, length, length, 0x68, link.control, link.address, ci]);
        bytes.extend(data);
        bytes.push(crc::sum(bytes.get(4..).unwrap_or_default()));
        bytes.push(0x16);
        Ok(bytes)
    }
}
