// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is spoken to, by whom.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::hex::Hex;

/// Which of the two masters of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Master {
    /// The control system.
    Primary,
    /// A handheld.
    Secondary,
}

/// A device's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// The short one, 0–63 (0–15 before HART 6), for command 0.
    Polling(u8),
    /// The long one.
    Unique {
        /// The expanded type of the device, 14 bits: before HART 7 the maker and its type.
        kind: u16,
        /// The number of the device.
        id: [u8; 3],
    },
}

impl Address {
    /// Of every device: for a command that names one inside, as by its tag.
    pub const BROADCAST: Self = Self::Unique { kind: 0, id: [0; 3] };

    /// As on the wire: the bits of the master and of burst mode in the first byte.
    pub(super) fn to_wire(self, master: Master, burst: bool) -> ([u8; 5], usize) {
        let flags = u8::from(master == Master::Primary) << 7 | u8::from(burst) << 6;
        match self {
            Self::Polling(poll) => ([flags | (poll & 0x3F), 0, 0, 0, 0], 1),
            Self::Unique { kind, id: [a, b, c] } => {
                let [high, low] = kind.to_be_bytes();
                ([flags | (high & 0x3F), low, a, b, c], 5)
            }
        }
    }

    /// The address, master and burst mode in 1 or 5 bytes.
    pub(super) fn from_wire(bytes: &[u8]) -> Option<(Self, Master, bool)> {
        let first = *bytes.first()?;
        let address = match *bytes {
            [poll] => Self::Polling(poll & 0x3F),
            [high, low, a, b, c] => {
                Self::Unique { kind: u16::from_be_bytes([high & 0x3F, low]), id: [a, b, c] }
            }
            _ => return None,
        };
        let master = if first & 0x80 != 0 { Master::Primary } else { Master::Secondary };
        Some((address, master, first & 0x40 != 0))
    }

    /// Digits that tell devices apart: the number of the device, or what it was polled as.
    #[must_use]
    pub fn digits(self) -> String {
        match self {
            Self::Polling(poll) => format!("{poll}"),
            Self::Unique { id, .. } => format!("{}", Hex(&id)),
        }
    }
}

impl fmt::Display for Address {
    /// `poll 0`, `2606-BC614E`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Polling(poll) => write!(f, "poll {poll}"),
            Self::Unique { kind, id } => write!(f, "{kind:04X}-{}", Hex(id)),
        }
    }
}
