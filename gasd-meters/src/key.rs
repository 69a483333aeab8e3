// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys of radio protocols. A key is neither shown nor copied, and its memory is cleared.
//!
//! A key lies on the heap from its first byte to its last, so that whoever moves it moves a pointer: a move of the bytes
//! themselves leaves behind what nobody clears. Ciphers do make copies on the stack; [`traceless`] clears it behind them.
//!
//! What a protocol does with one is in its own module: [`wmbus`](crate::wmbus), [`lorawan`](crate::lorawan).

use alloc::boxed::Box;

use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use zeroize::Zeroize;

use crate::error::Error;
use crate::hex;

/// Bytes of an AES block, and of a key.
pub const BLOCK: usize = 16;

/// An AES-128 key of a meter, a device or a session.
///
/// It has no `Debug`, `Display` or `Clone`: whoever holds a reference uses it, nobody prints it.
pub struct Key(Box<[u8; BLOCK]>);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    /// A key of these bytes, which are no secret: by the time that they are here they have been copied, and nobody clears
    /// that. See [`Key::from_slice`].
    #[must_use]
    pub fn new(bytes: [u8; BLOCK]) -> Self {
        Self(Box::new(bytes))
    }

    /// A key of bytes that are the caller's to clear; `None` of another number of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == BLOCK).then(|| Self::made(|place| place.copy_from_slice(bytes)))
    }

    /// The key of 32 hexadecimal digits; `None` of anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::from_slice(&hex::secret(text)?)
    }

    /// The bytes, to be kept where secrets are kept. A cipher is made of this reference: a copy would outlive the key.
    #[must_use]
    pub fn expose(&self) -> &[u8; BLOCK] {
        &self.0
    }

    /// The key whose bytes `fill` writes where they stay, so that no copy of them is left behind.
    pub(crate) fn made(fill: impl FnOnce(&mut [u8; BLOCK])) -> Self {
        let mut key = Self(Box::new([0; BLOCK]));
        fill(&mut key.0);
        key
    }

    /// The CMAC of `parts`.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; BLOCK] {
        traceless(|| self.cmac(parts).finalize().into_bytes().into())
    }

    /// The key that is the CMAC of `parts`.
    pub(crate) fn derived(&self, parts: &[&[u8]]) -> Self {
        Self::made(|bytes| {
            traceless(|| bytes.copy_from_slice(&self.cmac(parts).finalize().into_bytes()));
        })
    }

    /// Whether `tag` is the beginning of the CMAC of `parts`; takes as long for a wrong one.
    pub(crate) fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        traceless(|| self.cmac(parts).verify_truncated_left(tag).map_err(|_| Error::Mac))
    }

    fn cmac(&self, parts: &[&[u8]]) -> Cmac<Aes128> {
        let mut mac = <Cmac<Aes128> as KeyInit>::new((&*self.0).into());
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// Bytes of the stack that are cleared: several times what a cipher needs with its tables, not optimised.
const DEPTH: usize = 16 * 1024;

/// Does what leaves copies of a key on the stack, and clears it where that was.
///
/// What it returns comes out by value: no key may be in it.
pub(crate) fn traceless<T>(work: impl FnOnce() -> T) -> T {
    /// Never a part of whoever calls it: what it leaves behind lies below his own.
    #[inline(never)]
    fn below<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    /// The same place once more, and beyond. Nobody reads it, so that has to be kept from being left out.
    #[inline(never)]
    fn clear() {
        let zeros = [0_u8; DEPTH];
        core::hint::black_box(&zeros);
    }
    let result = below(work);
    clear();
    result
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
        assert_eq!(key.verify(&[&message], &mac[..4]), Ok(()));
        assert_eq!(key.verify(&[&message], &mac[1..9]), Err(Error::Mac));
        assert_eq!(key.verify(&[&message], &mac[1..5]), Err(Error::Mac));
        assert_eq!(key.verify(&[&message], &[]), Err(Error::Mac));
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
