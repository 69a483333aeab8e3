// SPDX-License-Identifier: MIT OR Apache-2.0
//! Binary coded decimals, the least significant byte first as on the wire.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::uint_le;
use crate::fault::Fault;

/// The number in up to nine bytes.
///
/// # Errors
///
/// [`Fault::NotFilled`] where every byte is FF, [`Fault::NotBcd`] for a digit above 9 or no byte at
/// all, [`Fault::TooLarge`] beyond 18 digits.
pub fn decode(bytes: &[u8]) -> Result<i64, Fault> {
    if bytes.is_empty() {
        return Err(Fault::NotBcd);
    }
    if bytes.len() <= 8
        && let Some(number) = word(uint_le(bytes))
    {
        return Ok(number);
    }
    if bytes.iter().all(|&byte| byte == 0xFF) {
        return Err(Fault::NotFilled);
    }
    if bytes.len() > 9 {
        return Err(Fault::TooLarge);
    }
    bytes.iter().rev().try_fold(0, |number, &byte| Ok(number * 100 + i64::from(digits(byte)?)))
}

/// The number of sixteen digits, all at once; `None` where one is above 9.
#[inline]
pub(crate) const fn word(digits: u64) -> Option<i64> {
    // Above 9: eight, and four or two.
    if digits & (digits << 1 | digits << 2) & 0x8888_8888_8888_8888 != 0 {
        return None;
    }
    // Of pairs of digits, of two, of four, of eight.
    let twos = digits - 6 * (digits >> 4 & 0x0F0F_0F0F_0F0F_0F0F);
    let fours = (twos & 0x00FF_00FF_00FF_00FF) + 100 * (twos >> 8 & 0x00FF_00FF_00FF_00FF);
    let eights = (fours & 0xFFFF_0000_FFFF) + 10_000 * (fours >> 16 & 0xFFFF_0000_FFFF);
    Some(((eights & 0xFFFF_FFFF) + 100_000_000 * (eights >> 32)) as i64)
}

/// As [`decode`], with the highest bit for minus.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_signed(bytes: &[u8]) -> Result<i64, Fault> {
    let Some((&top, low)) = bytes.split_last() else { return Err(Fault::NotBcd) };
    if top & 0x80 == 0 || bytes.iter().all(|&byte| byte == 0xFF) {
        return decode(bytes);
    }
    if bytes.len() > 9 {
        return Err(Fault::TooLarge);
    }
    let top = i64::from(digits(top & 0x7F)?);
    let number = low
        .iter()
        .rev()
        .try_fold(top, |number, &byte| Ok::<_, Fault>(number * 100 + i64::from(digits(byte)?)))?;
    Ok(-number)
}

/// Two digits in one byte, 0–99.
///
/// # Errors
///
/// [`Fault::NotBcd`].
pub const fn digits(byte: u8) -> Result<u8, Fault> {
    let (high, low) = (byte >> 4, byte & 0x0F);
    if high > 9 || low > 9 { Err(Fault::NotBcd) } else { Ok(high * 10 + low) }
}

/// Writes `number` over all of `place`. `false` (and zeros) where it has more digits than that.
#[must_use]
pub fn encode(mut number: u64, place: &mut [u8]) -> bool {
    for byte in place.iter_mut() {
        let two = (number % 100) as u8;
        *byte = ((two / 10) << 4) | (two % 10);
        number /= 100;
    }
    if number != 0 {
        place.fill(0);
    }
    number == 0
}

/// One byte of two digits; `None` above 99.
#[must_use]
pub const fn byte(number: u8) -> Option<u8> {
    if number > 99 { None } else { Some(((number / 10) << 4) | (number % 10)) }
}

/// The nibbles as text, the most significant first; those above 9 as letters.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let nibble = |n: u8| if n > 9 { b'A' - 10 + n } else { b'0' + n };
    // In one piece: a string that grows letter by letter takes longer than the rest of a short frame. And not of zeros: an
    // allocator asked for those may leave aside the small pieces that it has at hand.
    let mut text = Vec::with_capacity(2 * bytes.len());
    for byte in bytes.iter().rev() {
        text.extend_from_slice(&[nibble(byte >> 4), nibble(byte & 0x0F)]);
    }
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_number_says_why() {
        assert_eq!(decode(&[0x78, 0x56, 0x34, 0x12]), Ok(12_345_678));
        assert_eq!(decode(&[0xFF; 4]), Err(Fault::NotFilled));
        assert_eq!(decode(&[0xFF, 0]), Err(Fault::NotBcd));
        assert_eq!(decode(&[]), Err(Fault::NotBcd));
        assert_eq!(decode(&[0x99; 9]), Ok(999_999_999_999_999_999));
        assert_eq!(decode(&[0; 10]), Err(Fault::TooLarge));
        assert_eq!(decode_signed(&[0x23, 0x81]), Ok(-123));
        assert_eq!(decode_signed(&[0xFF, 0xFF]), Err(Fault::NotFilled));
        assert_eq!(decode_signed(&[0x23, 0x01]), Ok(123));
        assert_eq!(text(&[0x12, 0xF0]), "F012");
    }

    proptest! {
        #[test]
        fn all_at_once_as_one_by_one(bytes in proptest::collection::vec(
            prop_oneof![(0..=9u8, 0..=9u8).prop_map(|(a, b)| a << 4 | b), (0..60u8).prop_map(|_| 0), any::<u8>()], 1..=8)
        ) {
            let by_byte = bytes.iter().rev().try_fold(0, |sum, &byte| Ok::<_, Fault>(sum * 100 + i64::from(digits(byte)?)));
            prop_assert_eq!(word(uint_le(&bytes)), by_byte.ok());
        }

        #[test]
        fn there_and_back(number in 0..1_000_000_000_000u64, n in 6..9usize) {
            let mut bytes = vec![0; n];
            prop_assert!(encode(number, &mut bytes));
            prop_assert_eq!(decode(&bytes), Ok(number as i64));
        }

        #[test]
        fn too_many_digits_are_not_cut(number in 100_000_000u64.., n in 0..5usize) {
            let mut bytes = vec![0xAA; n];
            prop_assert!(!encode(number, &mut bytes));
        }

        #[test]
        fn any_bytes_decode_or_say_why(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let _ = (decode(&bytes), decode_signed(&bytes), text(&bytes));
        }
    }
}
