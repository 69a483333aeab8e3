// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes as people write them.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// Shows bytes as upper-case hexadecimal digits without spaces.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Bytes from hexadecimal digits; white space between them does not matter. `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    parse_into(text, &mut bytes).then_some(bytes)
}

/// As [`parse`], of what is a secret: cleared when it goes, as are the bytes before a digit that is none.
#[must_use]
pub fn secret(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    // It never grows: a vector that grows leaves behind what it was moved from.
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    parse_into(digits, &mut bytes).then_some(bytes)
}

/// As [`parse`], behind what is there already. `false` of what are no digits; some bytes may be there then.
fn parse_into(text: &str, bytes: &mut Vec<u8>) -> bool {
    let mut high = None;
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        let Some(nibble) = c.to_digit(16).and_then(|nibble| u8::try_from(nibble).ok()) else { return false };
        match high.take() {
            None => high = Some(nibble),
            Some(high) => bytes.push(high << 4 | nibble),
        }
    }
    high.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn there_and_back() {
        assert_eq!(parse("68 aA\n0F").as_deref(), Some(&[0x68, 0xAA, 0x0F][..]));
        assert_eq!(Hex(&[0x68, 0xAA, 0x0F]).to_string(), "68AA0F");
        assert_eq!(parse("68A"), None);
        assert_eq!(parse("zz"), None);
    }
}
