// SPDX-License-Identifier: MIT OR Apache-2.0
//! What LoRaWAN does with a key beside the MIC: blocks of AES, each by itself.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

pub(super) use crate::key::BLOCK;
pub use crate::key::Key;
use crate::key::traceless;

impl Key {
    /// The key that this one makes of a block.
    pub(super) fn enciphered(&self, block: [u8; BLOCK]) -> Self {
        Self::made(|bytes| {
            *bytes = block;
            self.encrypt(bytes);
        })
    }

    /// Enciphers whole blocks in place, each by itself.
    pub(super) fn encrypt(&self, data: &mut [u8]) {
        traceless(|| {
            let cipher = Aes128::new(self.expose().into());
            let (blocks, _) = data.as_chunks_mut::<BLOCK>();
            for block in blocks {
                cipher.encrypt_block(block.into());
            }
        });
    }

    /// Deciphers whole blocks in place, each by itself.
    pub(super) fn decrypt(&self, data: &mut [u8]) {
        traceless(|| {
            let cipher = Aes128::new(self.expose().into());
            let (blocks, _) = data.as_chunks_mut::<BLOCK>();
            for block in blocks {
                cipher.decrypt_block(block.into());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F.1.1 of NIST SP 800-38A, its first block.
    #[test]
    fn blocks_are_those_of_nist() {
        let key = Key::from_hex("2b7e151628aed2a6abf7158809cf4f3c").expect("a key");
        let plain: [u8; 16] = 0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes();
        let mut block = plain;
        key.encrypt(&mut block);
        assert_eq!(u128::from_be_bytes(block), 0x3ad7_7bb4_0d7a_3660_a89e_caf3_2466_ef97);
        key.decrypt(&mut block);
        assert_eq!(block, plain);
        assert_eq!(
            u128::from_be_bytes(*key.enciphered(plain).expose()),
            0x3ad7_7bb4_0d7a_3660_a89e_caf3_2466_ef97
        );
    }
}
