// SPDX-License-Identifier: MIT OR Apache-2.0
//! The address that a meter is made with (secondary address), wired and wireless.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::bcd;
use crate::bytes::Cursor;
use crate::error::{EncodeError, Error};
use crate::hex;
use crate::medium::Medium;
use crate::reading::Identity;

/// Identification number, manufacturer, version and medium: names one meter in the world.
///
/// In the address that a meter is selected by, a digit FH of the number is any digit, and FFH (FFFFH) any
/// manufacturer, version or medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Eight decimal digits, two a byte, the least significant first as on the wire.
    pub id: [u8; 4],
    /// Three letters of five bits each; see [`letters`].
    pub manufacturer: u16,
    /// Generation or version.
    pub version: u8,
    /// Device type; see [`medium`].
    pub medium: u8,
}

impl Address {
    /// Any meter.
    pub const ANY: Self = Self { id: [0xFF; 4], manufacturer: 0xFFFF, version: 0xFF, medium: 0xFF };

    /// In the order of the wire: number, manufacturer, version, medium.
    pub(crate) fn take(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let bytes: [u8; 8] = cursor.array()?;
        let [a, b, c, d, m0, m1, version, medium] = bytes;
        Ok(Self { id: [a, b, c, d], manufacturer: u16::from_le_bytes([m0, m1]), version, medium })
    }

    /// In the order of the radio's link layer: manufacturer, number, version, medium.
    pub(crate) fn take_radio(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let bytes: [u8; 8] = cursor.array()?;
        let [m0, m1, a, b, c, d, version, medium] = bytes;
        Ok(Self { id: [a, b, c, d], manufacturer: u16::from_le_bytes([m0, m1]), version, medium })
    }

    /// In the order of the wire.
    #[must_use]
    pub const fn to_wire(self) -> [u8; 8] {
        let ([a, b, c, d], [m0, m1]) = (self.id, self.manufacturer.to_le_bytes());
        [a, b, c, d, m0, m1, self.version, self.medium]
    }

    /// In the order of the radio's link layer.
    #[must_use]
    pub const fn to_radio(self) -> [u8; 8] {
        let ([a, b, c, d], [m0, m1]) = (self.id, self.manufacturer.to_le_bytes());
        [m0, m1, a, b, c, d, self.version, self.medium]
    }

    /// Whether any part stands for several.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.id.iter().any(|byte| byte & 0x0F == 0x0F || byte & 0xF0 == 0xF0)
            || self.manufacturer == 0xFFFF
            || self.version == 0xFF
            || self.medium == 0xFF
    }

    /// Whether the meter of this address answers to `selection`.
    #[must_use]
    pub fn matches(&self, selection: &Self) -> bool {
        let digit = |a: u8, b: u8| b == 0x0F || a == b;
        self.id.iter().zip(&selection.id).all(|(a, b)| digit(a & 0x0F, b & 0x0F) && digit(a >> 4, b >> 4))
            && (selection.manufacturer == 0xFFFF || self.manufacturer == selection.manufacturer)
            && (selection.version == 0xFF || self.version == selection.version)
            && (selection.medium == 0xFF || self.medium == selection.medium)
    }

    /// Who this is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            id: bcd::text(&self.id),
            manufacturer: Some(letters(self.manufacturer)),
            medium: medium(self.medium),
            version: Some(self.version),
            radio_id: None,
        }
    }
}

impl fmt::Display for Address {
    /// As people who commission meters write it: number, manufacturer, version, medium:
    /// `12345678.ELS.33.03`. An address that is not unique in the world (bit 15 of the manufacturer) is another one than that of the same
    /// letters, which cannot say so: it is shown as on labels, in sixteen digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, manufacturer, version, medium } = self;
        if *manufacturer == 0xFFFF {
            write!(f, "{}.***.{version:02X}.{medium:02X}", bcd::text(id))
        } else if manufacturer & LOCAL != 0 {
            let [low, high] = manufacturer.to_le_bytes();
            write!(f, "{}{low:02X}{high:02X}{version:02X}{medium:02X}", bcd::text(id))
        } else {
            write!(f, "{}.{}.{version:02X}.{medium:02X}", bcd::text(id), letters(*manufacturer))
        }
    }
}

impl FromStr for Address {
    type Err = EncodeError;

    /// Eight digits alone (any manufacturer, version and medium), sixteen as on many labels
    /// (`1234567893153303`: number, manufacturer with its low byte first, version, medium), or as it is displayed.
    fn from_str(text: &str) -> Result<Self, EncodeError> {
        let bytes = |text: &str, n: usize| {
            hex::parse(text).filter(|b| b.len() == n && !text.contains(char::is_whitespace))
        };
        let id = |text: &str| -> Option<[u8; 4]> {
            let mut id: [u8; 4] = bytes(text, 4)?.try_into().ok()?;
            id.reverse();
            Some(id)
        };
        let parse = || -> Option<Self> {
            if let Some((number, rest)) = text.split_once('.') {
                let mut parts = rest.split('.');
                let (letters, version, medium) = (parts.next()?, parts.next()?, parts.next()?);
                let manufacturer = if letters == "***" { 0xFFFF } else { from_letters(letters)? };
                let (version, medium) = (*bytes(version, 1)?.first()?, *bytes(medium, 1)?.first()?);
                return parts.next().is_none().then_some(Self {
                    id: id(number)?,
                    manufacturer,
                    version,
                    medium,
                });
            }
            match (text.get(..8), text.get(8..)?) {
                (Some(number), "") => Some(Self { id: id(number)?, ..Self::ANY }),
                (Some(number), rest) => match *bytes(rest, 4)? {
                    [m0, m1, version, medium] => {
                        let manufacturer = u16::from_le_bytes([m0, m1]);
                        Some(Self { id: id(number)?, manufacturer, version, medium })
                    }
                    _ => None,
                },
                _ => None,
            }
        };
        parse().ok_or(EncodeError::Address)
    }
}

/// In a manufacturer's code: the address is not unique in the world.
const LOCAL: u16 = 0x8000;

/// The three letters of a manufacturer's code. The highest bit, which marks an address that is not
/// unique in the world, is left out.
#[must_use]
pub fn letters(code: u16) -> String {
    let letter = |shift: u32| char::from(0x40 + ((code >> shift) & 0x1F) as u8);
    let mut letters = String::with_capacity(3);
    letters.push(letter(10));
    letters.push(letter(5));
    letters.push(letter(0));
    letters
}

/// The code of three letters.
#[must_use]
pub fn from_letters(letters: &str) -> Option<u16> {
    match *letters.as_bytes() {
        [a @ 0x40..=0x5F, b @ 0x40..=0x5F, c @ 0x40..=0x5F] => {
            Some(u16::from(a - 0x40) << 10 | u16::from(b - 0x40) << 5 | u16::from(c - 0x40))
        }
        _ => None,
    }
}

/// What a meter of this device type (EN 13757-7, EN 13757-3 before) meters.
#[must_use]
pub const fn medium(code: u8) -> Medium {
    match code {
        0x01 => Medium::Oil,
        0x02 => Medium::Electricity,
        0x03 => Medium::Gas,
        // Of the outlet and of the inlet: where the volume is measured.
        0x04 | 0x0C => Medium::Heat,
        0x05 => Medium::Steam,
        0x06 => Medium::WarmWater,
        0x07 | 0x16 | 0x17 => Medium::Water,
        0x08 => Medium::HeatCost,
        0x0A | 0x0B => Medium::Cooling,
        0x0D => Medium::HeatCooling,
        0x0E | 0x31..=0x33 | 0x36..=0x3F => Medium::System,
        0x0F => Medium::Unknown,
        0x15 => Medium::HotWater,
        0x18 => Medium::Pressure,
        0x1A => Medium::SmokeDetector,
        0x1B => Medium::RoomSensor,
        0x1C => Medium::GasDetector,
        0x20 => Medium::Breaker,
        0x21 => Medium::Valve,
        0x28 => Medium::WasteWater,
        other => Medium::Other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn labels_are_read_as_they_are_shown() {
        let elster = Address { id: [0x78, 0x56, 0x34, 0x12], manufacturer: 0x1593, version: 0x33, medium: 3 };
        assert_eq!(elster.to_string(), "12345678.ELS.33.03");
        assert_eq!("12345678.ELS.33.03".parse(), Ok(elster));
        assert_eq!("1234567893153303".parse(), Ok(elster));
        assert_eq!("12345678".parse(), Ok(Address { id: elster.id, ..Address::ANY }));
        assert_eq!(Address::ANY.to_string(), "FFFFFFFF.***.FF.FF");
        assert_eq!("FFFFFFFF.***.FF.FF".parse(), Ok(Address::ANY));
        for wrong in
            ["", "1234567", "123456789", "1234567G", "12345678.EL.33.03", "12345678.ELS.33", "1 345678"]
        {
            assert_eq!(wrong.parse::<Address>(), Err(EncodeError::Address), "{wrong}");
        }
        assert_eq!("äääää".parse::<Address>(), Err(EncodeError::Address));
    }

    #[test]
    fn what_is_shown_of_an_address_is_that_address() {
        // Not unique in the world: the same letters, and another meter.
        let local = Address { id: [0x78, 0x56, 0x34, 0x12], manufacturer: 0x9593, version: 0x33, medium: 3 };
        assert_eq!(local.to_string(), "1234567893953303");
        let unique: Address = "12345678.ELS.33.03".parse().expect("an address");
        assert!(!local.matches(&unique) && local.matches(&"12345678".parse().expect("an address")));
        for manufacturer in 0..=u16::MAX {
            let address = Address { manufacturer, ..local };
            assert_eq!(address.to_string().parse(), Ok(address), "{manufacturer:04X}");
        }
    }

    #[test]
    fn wildcards_match_digit_by_digit() {
        let meter: Address = "12345678.ELS.33.03".parse().expect("an address");
        assert!(!meter.is_wildcard() && Address::ANY.is_wildcard());
        for (selection, matches) in [
            ("1234567F.***.FF.FF", true),
            ("F2345678.***.FF.FF", true),
            ("F2345677.***.FF.FF", false),
            ("FFFFFFFF.ELS.FF.FF", true),
            ("FFFFFFFF.ELT.FF.FF", false),
            ("FFFFFFFF.***.33.FF", true),
            ("FFFFFFFF.***.34.FF", false),
            ("FFFFFFFF.***.FF.04", false),
        ] {
            let selection: Address = selection.parse().expect("a selection");
            assert!(selection.is_wildcard());
            assert_eq!(meter.matches(&selection), matches, "{selection}");
        }
    }
}
