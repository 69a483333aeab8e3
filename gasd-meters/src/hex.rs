// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes as people write them.

use alloc::vec::Vec;
use core::fmt;

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
    let mut high = None;
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        let nibble = u8::try_from(c.to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(nibble),
            Some(high) => bytes.push(high << 4 | nibble),
        }
    }
    high.is_none().then_some(bytes)
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
