// SPDX-License-Identifier: MIT OR Apache-2.0
//! What wireless M-Bus does with a key beside its codes: keys for one message, and the modes of AES.

use aes::Aes128;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};

pub(super) use crate::key::BLOCK;
pub use crate::key::Key;
use crate::key::traceless;

/// What a key derived from the meter's own is for (OMS, key derivation function A).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Encryption = 0x00,
    Authentication = 0x01,
}

impl Key {
    /// The key for one message of the meter of this number (in the order of the wire).
    pub(super) fn derive(&self, purpose: Purpose, counter: u32, id: [u8; 4]) -> Self {
        self.derived(&[&[purpose as u8], &counter.to_le_bytes(), &id, &[0x07; 7]])
    }

    /// Deciphers whole blocks in place (CBC).
    pub(super) fn cbc_decrypt(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        traceless(|| {
            let mut cipher = cbc::Decryptor::<Aes128>::new(self.expose().into(), &iv.into());
            let (blocks, _) = data.as_chunks_mut::<BLOCK>();
            for block in blocks {
                cipher.decrypt_block(block.into());
            }
        });
    }

    /// Enciphers whole blocks in place (CBC).
    pub(super) fn cbc_encrypt(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        traceless(|| {
            let mut cipher = cbc::Encryptor::<Aes128>::new(self.expose().into(), &iv.into());
            let (blocks, _) = data.as_chunks_mut::<BLOCK>();
            for block in blocks {
                cipher.encrypt_block(block.into());
            }
        });
    }

    /// Deciphers or enciphers in place (CTR).
    pub(super) fn ctr(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        traceless(|| ctr::Ctr128BE::<Aes128>::new(self.expose().into(), &iv.into()).apply_keystream(data));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
