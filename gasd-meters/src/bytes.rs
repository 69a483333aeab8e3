// SPDX-License-Identifier: MIT OR Apache-2.0
//! A cursor over bytes that cannot run past their end.

use crate::error::Error;

/// Reads bytes one field after the other and knows where in the frame it is.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    /// Where its bytes end in the frame: one number fewer to be moved with each byte.
    end: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of a frame.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self::inside(bytes, 0)
    }

    /// Over `bytes`, which begin at `at` of their frame.
    #[must_use]
    pub const fn inside(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, end: at.wrapping_add(bytes.len()) }
    }

    /// Where the next byte lies in the frame.
    #[must_use]
    #[inline]
    pub const fn at(&self) -> usize {
        self.end.wrapping_sub(self.rest.len())
    }

    /// What is left.
    #[must_use]
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    /// The next `n` bytes. Takes none if there are fewer.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        match self.rest.split_at_checked(n) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(Error::Truncated { need: n - self.rest.len() }),
        }
    }

    /// Leaves what stands before `rest`, which are the last bytes of what is left.
    #[inline]
    pub(crate) const fn skip_to(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// All that is left.
    #[inline]
    pub fn take_rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.rest.split_first_chunk::<N>() {
            Some((array, rest)) => {
                self.rest = rest;
                Ok(*array)
            }
            None => Err(Error::Truncated { need: N - self.rest.len() }),
        }
    }

    /// The next byte.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    /// The next two bytes, the low one first.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    #[inline]
    pub fn u16_le(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_le_bytes)
    }

    /// The next two bytes, the high one first.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    #[inline]
    pub fn u16_be(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes, the low one first.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    #[inline]
    pub fn u32_le(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next four bytes, the high one first.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`].
    #[inline]
    pub fn u32_be(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }
}

/// Up to eight bytes as one number, the low one first; further bytes are not looked at.
#[must_use]
#[inline]
pub fn uint_le(bytes: &[u8]) -> u64 {
    if let Some(eight) = bytes.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    // Of four to seven bytes the first four and the last four, which are the same where they meet.
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let shift = 8 * (bytes.len() as u32 - 4);
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift;
    }
    match *bytes {
        [a] => a.into(),
        [a, b] => u16::from_le_bytes([a, b]).into(),
        [a, b, c, ..] => u32::from_le_bytes([a, b, c, 0]).into(),
        [] => 0,
    }
}

/// Up to eight bytes as one number with a sign, the low one first.
#[must_use]
#[inline]
pub fn int_le(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len().min(8) as u32;
    // No byte at all would shift by the whole width.
    (uint_le(bytes) as i64).checked_shl(unused).unwrap_or(0) >> unused.min(63)
}

/// FNV-1a, 64 bits: tells messages apart, protects nothing.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_field_takes_nothing() {
        let mut cursor = Cursor::inside(&[1, 2, 3], 10);
        assert_eq!(cursor.u16_le(), Ok(0x0201));
        assert_eq!(cursor.at(), 12);
        assert_eq!(cursor.u32_be(), Err(Error::Truncated { need: 3 }));
        assert_eq!((cursor.at(), cursor.len()), (12, 1));
        assert_eq!(cursor.take_rest(), [3]);
        assert_eq!((cursor.at(), cursor.is_empty()), (13, true));
    }

    #[test]
    fn numbers_of_any_width() {
        assert_eq!(uint_le(&[0x34, 0x12]), 0x1234);
        assert_eq!(int_le(&[0xFE, 0xFF, 0xFF]), -2);
        assert_eq!(int_le(&[0xFF; 8]), -1);
        assert_eq!(int_le(&[]), 0);
        assert_eq!(int_le(&[0x7F]), 127);
        let bytes = [0x11, 0x82, 0x23, 0x94, 0x35, 0xA6, 0x47, 0xB8, 0x59, 0xCA];
        for n in 0..=bytes.len() {
            let by_byte = bytes[..n].iter().take(8).rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
            assert_eq!(uint_le(&bytes[..n]), by_byte, "{n}");
        }
    }
}
