// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data identifiers.

use alloc::vec::Vec;
use core::fmt;

use super::frame::Standard;
use crate::bytes::Cursor;
use crate::error::Error;

/// What is asked for or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Di {
    /// 1997: DI1 DI0, as `9010`.
    Short(u16),
    /// 2007: DI3 DI2 DI1 DI0, as `00010000`.
    Long(u32),
}

impl Di {
    pub(super) fn take(cursor: &mut Cursor<'_>, standard: Standard) -> Result<Self, Error> {
        match standard {
            Standard::V1997 => cursor.u16_le().map(Self::Short),
            Standard::V2007 => cursor.u32_le().map(Self::Long),
        }
    }

    /// As on the wire, the low byte first.
    #[must_use]
    pub fn to_wire(self) -> Vec<u8> {
        match self {
            Self::Short(di) => di.to_le_bytes().into(),
            Self::Long(di) => di.to_le_bytes().into(),
        }
    }

    /// The edition it belongs to.
    #[must_use]
    pub const fn standard(self) -> Standard {
        match self {
            Self::Short(_) => Standard::V1997,
            Self::Long(_) => Standard::V2007,
        }
    }
}

impl fmt::Display for Di {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(di) => write!(f, "{di:04X}"),
            Self::Long(di) => write!(f, "{di:08X}"),
        }
    }
}
