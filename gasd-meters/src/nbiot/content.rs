// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where something is, and what it says.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Object, instance, resource, instance of that: as many of these as are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    numbers: [u16; 4],
    len: u8,
}

impl Path {
    /// The path of up to four numbers; further ones are left out.
    #[must_use]
    pub fn new(numbers: &[u16]) -> Self {
        let mut path = Self::default();
        for number in numbers {
            // The fifth does not fit.
            if path.push(*number).is_none() {
                break;
            }
        }
        path
    }

    /// Adds a number; `None` where there are four already.
    pub(super) fn push(&mut self, number: u16) -> Option<()> {
        *self.numbers.get_mut(usize::from(self.len))? = number;
        self.len += 1;
        Some(())
    }

    /// The numbers.
    #[must_use]
    pub fn numbers(&self) -> &[u16] {
        self.numbers.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The object.
    #[must_use]
    pub fn object(&self) -> Option<u16> {
        self.numbers().first().copied()
    }

    /// Whether `other` is this or lies in it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        other.numbers().starts_with(self.numbers())
    }
}

impl fmt::Display for Path {
    /// `/19/0/0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.numbers().iter().try_for_each(|number| write!(f, "/{number}"))
    }
}

/// What a client says, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Bytes of one resource.
    Opaque(Vec<u8>),
    /// TLV.
    Tlv(Vec<u8>),
    /// Another format, by its number; `None` where it does not say which.
    Other(Option<u16>, Vec<u8>),
}

impl Content {
    /// Text, when no format is said.
    pub(super) const TEXT: u32 = 0;
    /// Bytes.
    pub(super) const OPAQUE: u32 = 42;
    /// TLV, and what it was called before it had a number of its own.
    pub(super) const TLV: [u32; 2] = [11_542, 1_542];

    /// A payload in a format.
    #[must_use]
    pub fn of(format: Option<u32>, payload: Vec<u8>) -> Self {
        match format {
            Some(Self::TEXT) => match String::from_utf8(payload) {
                Ok(text) => Self::Text(text),
                Err(bytes) => Self::Other(Some(0), bytes.into_bytes()),
            },
            Some(Self::OPAQUE) => Self::Opaque(payload),
            Some(tlv) if Self::TLV.contains(&tlv) => Self::Tlv(payload),
            other => Self::Other(other.and_then(|format| u16::try_from(format).ok()), payload),
        }
    }
}
