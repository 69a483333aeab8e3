// SPDX-License-Identifier: MIT OR Apache-2.0
//! The address of a meter: fourteen digits, the highest four the maker's code.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::bcd;
use crate::error::EncodeError;

/// An address as on the wire, the lowest two digits first. Some meters have letters A–F in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(pub [u8; 7]);

impl Address {
    /// Any meter; only with one meter on the line.
    pub const WILDCARD: Self = Self([0xAA; 7]);

    /// Whether some of its digits stand for any.
    #[must_use]
    pub fn is_wildcard(self) -> bool {
        self.0.contains(&0xAA)
    }

    /// Whether `other` is one of the meters that this address stands for.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(&a, b)| a == b || a == 0xAA)
    }

    /// Its digits, the highest first.
    #[must_use]
    pub fn digits(self) -> String {
        bcd::text(&self.0)
    }

    /// The maker's code: the highest four digits.
    #[must_use]
    pub fn maker(self) -> String {
        let [.., low, high] = self.0;
        bcd::text(&[low, high])
    }
}

impl FromStr for Address {
    type Err = EncodeError;

    /// Fourteen digits, the highest first; `AA` for any two.
    fn from_str(text: &str) -> Result<Self, EncodeError> {
        let bytes = crate::hex::parse(text).ok_or(EncodeError::Address)?;
        let mut bytes: [u8; 7] = bytes.try_into().map_err(|_| EncodeError::Address)?;
        bytes.reverse();
        Ok(Self(bytes))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
