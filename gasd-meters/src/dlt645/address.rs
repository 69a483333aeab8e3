// SPDX-License-Identifier: MIT OR Apache-2.0
//! The address of a meter: twelve decimal digits.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::bcd;
use crate::error::EncodeError;

/// An address as on the wire, the lowest two digits first.
///
/// A byte AA stands for any two digits; 99 in all of them is everyone, and nobody answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(pub [u8; 6]);

impl Address {
    /// Any meter; only with one meter on the line.
    pub const WILDCARD: Self = Self([0xAA; 6]);
    /// Every meter, without an answer.
    pub const BROADCAST: Self = Self([0x99; 6]);

    /// Whether some of its digits stand for any.
    #[must_use]
    pub fn is_wildcard(self) -> bool {
        self.0.contains(&0xAA)
    }

    /// Whether it is everyone.
    #[must_use]
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// Whether it is one meter, and its digits are digits.
    #[must_use]
    pub fn is_exact(self) -> bool {
        !self.is_broadcast() && self.0.iter().all(|&byte| bcd::digits(byte).is_ok())
    }

    /// Whether `other` fits, with wildcards on either side.
    #[must_use]
    pub fn matches(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(&a, b)| a == b || a == 0xAA || b == 0xAA)
    }

    /// Its digits, the highest first.
    #[must_use]
    pub fn digits(self) -> String {
        bcd::text(&self.0)
    }
}

impl FromStr for Address {
    type Err = EncodeError;

    /// Twelve digits, the highest first; `AA` for any two.
    fn from_str(text: &str) -> Result<Self, EncodeError> {
        let bytes = crate::hex::parse(text).ok_or(EncodeError::Address)?;
        let mut bytes: [u8; 6] = bytes.try_into().map_err(|_| EncodeError::Address)?;
        bytes.reverse();
        if bytes.iter().any(|&byte| byte != 0xAA && bcd::digits(byte).is_err()) {
            return Err(EncodeError::Address);
        }
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
