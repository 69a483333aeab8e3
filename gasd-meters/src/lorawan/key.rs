// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys, and what AES does with them. A key is neither shown nor copied, and its memory is cleared.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
use cmac::{Cmac, KeyInit, Mac};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Error;
use crate::hex;

/// Bytes of an AES block, and of a key.
pub(super) const BLOCK: usize = 16;

/// An AES-128 key of a device or session.
///
/// It has no `Debug`, `Display` or `Clone`: whoever holds a reference uses it, nobody prints it.
pub struct Key([u8; BLOCK]);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    /// A key of these bytes. They are the caller's to clear.
    #[must_use]
    pub const fn new(bytes: [u8; BLOCK]) -> Self {
        Self(bytes)
    }

    /// The key of 32 hexadecimal digits; `None` of anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(hex::parse(text)?);
        let mut key = Self([0; BLOCK]);
        if bytes.len() != BLOCK {
            return None;
        }
        key.0.copy_from_slice(&bytes);
        Some(key)
    }

    /// The bytes, to be kept where secrets are kept.
    #[must_use]
    pub const fn expose(&self) -> &[u8; BLOCK] {
        &self.0
    }

    /// The key that this one makes of a block.
    pub(super) fn derive(&self, mut block: [u8; BLOCK]) -> Self {
        Aes128::new(&self.0.into()).encrypt_block((&mut block).into());
        let key = Self(block);
        block.zeroize();
        key
    }

    /// Enciphers whole blocks in place, each by itself.
    pub(super) fn encrypt(&self, data: &mut [u8]) {
        let cipher = Aes128::new(&self.0.into());
        let (blocks, _) = data.as_chunks_mut::<BLOCK>();
        for block in blocks {
            cipher.encrypt_block(block.into());
        }
    }

    /// Deciphers whole blocks in place, each by itself.
    pub(super) fn decrypt(&self, data: &mut [u8]) {
        let cipher = Aes128::new(&self.0.into());
        let (blocks, _) = data.as_chunks_mut::<BLOCK>();
        for block in blocks {
            cipher.decrypt_block(block.into());
        }
    }

    /// The CMAC of `parts`.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> [u8; BLOCK] {
        self.cmac(parts).finalize().into_bytes().into()
    }

    /// Whether `tag` is the beginning of the CMAC of `parts`; takes as long for a wrong one.
    pub(super) fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        self.cmac(parts).verify_truncated_left(tag).map_err(|_| Error::Mac)
    }

    fn cmac(&self, parts: &[&[u8]]) -> Cmac<Aes128> {
        let mut mac = <Cmac<Aes128> as KeyInit>::new(&self.0.into());
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Example 2 of RFC 4493, and F.1.1 of NIST SP 800-38A, its first block.
    #[test]
    fn aes_and_cmac_are_those_of_the_standards() {
        let key = Key::from_hex("2b7e151628aed2a6abf7158809cf4f3c").expect("a key");
        let plain: [u8; 16] = 0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes();
        let mac = 0x070a_16b4_6b4d_4144_f79b_dd9d_d04a_287c_u128.to_be_bytes();
        assert_eq!(key.mac(&[&plain[..5], &plain[5..]]), mac);
        assert_eq!(key.verify(&[&plain], &mac[..4]), Ok(()));
        assert_eq!(key.verify(&[&plain], &mac[1..5]), Err(Error::Mac));
        assert_eq!(key.verify(&[&plain], &[]), Err(Error::Mac));
        let mut block = plain;
        key.encrypt(&mut block);
        assert_eq!(u128::from_be_bytes(block), 0x3ad7_7bb4_0d7a_3660_a89e_caf3_2466_ef97);
        key.decrypt(&mut block);
        assert_eq!(block, plain);
        assert_eq!(
            u128::from_be_bytes(*key.derive(plain).expose()),
            0x3ad7_7bb4_0d7a_3660_a89e_caf3_2466_ef97
        );
    }

    #[test]
    fn what_is_no_key_is_none() {
        assert!(Key::from_hex("00").is_none() && Key::from_hex("").is_none());
        assert!(Key::from_hex("2b7e151628aed2a6abf7158809cf4f3cFF").is_none());
    }
}
