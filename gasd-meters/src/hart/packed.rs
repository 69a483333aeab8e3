// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packed ASCII: four characters of six bits in three bytes, from blank to underscore.

use alloc::string::String;
use alloc::vec::Vec;

/// The text in packed bytes, with its blanks.
#[must_use]
pub fn unpack(bytes: &[u8]) -> String {
    let six = |bits: u32| {
        let bits = (bits & 0x3F) as u8;
        // The sixth bit is left out because it is the fifth turned round.
        char::from(if bits & 0x20 != 0 { bits } else { bits | 0x40 })
    };
    let (groups, _) = bytes.as_chunks::<3>();
    let word = |&[a, b, c]: &[u8; 3]| u32::from_be_bytes([0, a, b, c]);
    groups.iter().map(word).flat_map(|w| [six(w >> 18), six(w >> 12), six(w >> 6), six(w)]).collect()
}

/// `text` in `len` bytes, filled with blanks. `None` where it is longer, or has a character that there is
/// none for: small letters become capitals.
#[must_use]
pub fn pack(text: &str, len: usize) -> Option<Vec<u8>> {
    let mut bits: Vec<u8> = Vec::with_capacity(len / 3 * 4);
    for c in text.chars() {
        let c = c.to_ascii_uppercase();
        if !matches!(c, ' '..='_') {
            return None;
        }
        bits.push(c as u8 & 0x3F);
    }
    if bits.len() > len / 3 * 4 {
        return None;
    }
    bits.resize(len / 3 * 4, b' ');
    let (groups, _) = bits.as_chunks::<4>();
    let pack = |&[a, b, c, d]: &[u8; 4]| [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
    Some(groups.iter().flat_map(pack).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_fit_is_not_packed() {
        assert_eq!(unpack(&[0x19, 0x4B, 0x4A, 0x40, 0x2C, 0x31]), "FT-JPB01");
        assert_eq!(pack("ft-jpb01", 6).as_deref(), Some(&[0x19, 0x4B, 0x4A, 0x40, 0x2C, 0x31][..]));
        assert_eq!(pack("FT-JPB012", 6), None);
        assert_eq!(pack("Ä", 6), None);
        assert_eq!(pack("~", 6), None);
    }

    proptest! {
        #[test]
        fn there_and_back(text in "[ -_]{0,32}") {
            let packed = pack(&text, 24).unwrap();
            prop_assert_eq!(packed.len(), 24);
            let text_again = unpack(&packed);
            prop_assert_eq!(text_again.trim_end(), text.trim_end());
        }
    }
}
