// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys, and what AES does with them. A key is neither shown nor copied, and its memory is cleared.

use aes::Aes128;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};
use cmac::{Cmac, KeyInit, Mac};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Error;
use crate::hex;

/// Bytes of an AES block, and of a key.
pub(super) const BLOCK: usize = 16;

/// An AES-128 key of one meter.
///
/// It has no `Debug`, `Display` or `Clone`: whoever holds a reference uses it, nobody prints it.
pub struct Key([u8; BLOCK]);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What a key derived from the meter's own is for (OMS, key derivation function A).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Encryption = 0x00,
    Authentication = 0x01,
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

    /// The key for one message of the meter of this number (in the order of the wire).
    pub(super) fn derive(&self, purpose: Purpose, counter: u32, id: [u8; 4]) -> Self {
        let mut mac = <Cmac<Aes128> as KeyInit>::new((&self.0).into());
        mac.update(&[purpose as u8]);
        mac.update(&counter.to_le_bytes());
        mac.update(&id);
        mac.update(&[0x07; 7]);
        let mut bytes = mac.finalize().into_bytes();
        let mut key = Self([0; BLOCK]);
        key.0.copy_from_slice(&bytes);
        bytes.zeroize();
        key
    }

    /// Deciphers whole blocks in place (CBC).
    pub(super) fn cbc_decrypt(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        let mut cipher = cbc::Decryptor::<Aes128>::new((&self.0).into(), &iv.into());
        let (blocks, _) = data.as_chunks_mut::<BLOCK>();
        for block in blocks {
            cipher.decrypt_block(block.into());
        }
    }

    /// Enciphers whole blocks in place (CBC).
    pub(super) fn cbc_encrypt(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        let mut cipher = cbc::Encryptor::<Aes128>::new((&self.0).into(), &iv.into());
        let (blocks, _) = data.as_chunks_mut::<BLOCK>();
        for block in blocks {
            cipher.encrypt_block(block.into());
        }
    }

    /// Deciphers or enciphers in place (CTR).
    pub(super) fn ctr(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        ctr::Ctr128BE::<Aes128>::new((&self.0).into(), &iv.into()).apply_keystream(data);
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
        let mut mac = <Cmac<Aes128> as KeyInit>::new((&self.0).into());
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Example 1 and 2 of RFC 4493.
    #[test]
    fn cmac_of_the_rfc() {
        let key = Key::from_hex("2b7e151628aed2a6abf7158809cf4f3c").expect("a key");
        assert_eq!(hex::parse("bb1d6929e95937287fa37d129b756746").as_deref(), Some(&key.mac(&[])[..]));
        let message = hex::parse("6bc1bee22e409f96e93d7e117393172a").expect("hexadecimal");
        let mac = hex::parse("070a16b46b4d4144f79bdd9dd04a287c").expect("hexadecimal");
        assert_eq!(key.mac(&[&message[..3], &message[3..]])[..], mac);
        assert_eq!(key.verify(&[&message], &mac[..8]), Ok(()));
        assert_eq!(key.verify(&[&message], &mac[1..9]), Err(Error::Mac));
        assert_eq!(key.verify(&[&message], &[]), Err(Error::Mac));
    }

    /// F.2.1 and F.5.1 of NIST SP 800-38A, their first block.
    #[test]
    fn cbc_and_ctr_of_nist() {
        let key = Key::from_hex("2b7e151628aed2a6abf7158809cf4f3c").expect("a key");
        let plain: [u8; 16] = 0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes();
        let mut data = plain;
        key.cbc_encrypt(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes(), &mut data);
        assert_eq!(u128::from_be_bytes(data), 0x7649_abac_8119_b246_cee9_8e9b_12e9_197d);
        key.cbc_decrypt(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes(), &mut data);
        assert_eq!(data, plain);
        key.ctr(0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff_u128.to_be_bytes(), &mut data);
        assert_eq!(u128::from_be_bytes(data), 0x874d_6191_b620_e326_1bef_6864_990d_b6ce);
    }

    /// Does not compile where a key can be shown or copied: two of these traits would fit then.
    #[test]
    fn a_key_is_neither_shown_nor_copied() {
        trait Cannot<Marker> {
            fn holds() {}
        }
        struct Debugs;
        struct Displays;
        struct Clones;
        impl<T: ?Sized> Cannot<()> for T {}
        impl<T: ?Sized + core::fmt::Debug> Cannot<Debugs> for T {}
        impl<T: ?Sized + core::fmt::Display> Cannot<Displays> for T {}
        impl<T: Clone> Cannot<Clones> for T {}
        <Key as Cannot<_>>::holds();
        assert!(core::mem::needs_drop::<Key>());
    }

    #[test]
    fn what_is_no_key_is_none() {
        assert!(Key::from_hex("00").is_none() && Key::from_hex("").is_none());
        assert!(Key::from_hex("2b7e151628aed2a6abf7158809cf4f3cFF").is_none());
    }
}
