// SPDX-License-Identifier: MIT OR Apache-2.0
//! Joining: how a device and its network agree on a session.

use alloc::vec::Vec;

use super::key::{BLOCK, Key};
use super::phy::JoinRequest;
use super::session::Keys;
use crate::bytes::Cursor;
use crate::error::Error;

impl JoinRequest<'_> {
    /// Whether the MIC is right, with AppKey, or NwkKey in 1.1.
    ///
    /// # Errors
    ///
    /// [`Error::Mac`].
    pub fn verify(&self, key: &Key) -> Result<(), Error> {
        match self.bytes.split_at_checked(19) {
            Some((signed, mic)) => key.verify(&[signed], mic),
            None => Err(Error::Mac),
        }
    }

    /// A join request as it goes over the air.
    #[must_use]
    pub fn build(join_eui: u64, dev_eui: u64, dev_nonce: u16, key: &Key) -> Vec<u8> {
        let mut bytes: Vec<u8> = [0].into();
        bytes.extend(join_eui.to_le_bytes());
        bytes.extend(dev_eui.to_le_bytes());
        bytes.extend(dev_nonce.to_le_bytes());
        let [a, b, c, d, ..] = key.mac(&[&bytes]);
        bytes.extend([a, b, c, d]);
        bytes
    }
}

/// A join accept whose MIC was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinAccept {
    /// Never the same twice (AppNonce before 1.1), 24 bits.
    pub join_nonce: u32,
    /// The network, 24 bits.
    pub net_id: u32,
    /// The device, within its network.
    pub dev_addr: u32,
    /// Data rates down; the highest bit says that the network speaks 1.1.
    pub settings: u8,
    /// Seconds between a frame and its answer; 0 is 1.
    pub delay: u8,
    /// The channels that the network has besides the region's.
    pub channels: Option<[u8; 16]>,
}

/// What a join accept of 1.1 is signed with besides itself.
#[derive(Clone, Copy)]
pub struct Signed<'k> {
    /// JSIntKey.
    pub key: &'k Key,
    /// FF for a join request, else the type of the rejoin request.
    pub request: u8,
    /// As in the request.
    pub join_eui: u64,
    /// As in the request.
    pub dev_nonce: u16,
}

impl JoinAccept {
    /// Opens a join accept, with AppKey, or NwkKey in 1.1. `signed` is for devices of 1.1: their network
    /// signs with another key as soon as it speaks 1.1, too.
    ///
    /// # Errors
    ///
    /// [`Error::Mac`]; [`Error::KeyMissing`] where the network speaks 1.1 and `signed` is `None`;
    /// [`Error::Malformed`].
    pub fn open(bytes: &[u8], key: &Key, signed: Option<Signed<'_>>) -> Result<Self, Error> {
        let mut plain = bytes.to_vec();
        // The network deciphers to encipher, so that a device need not be able to decipher.
        key.encrypt(plain.get_mut(1..).unwrap_or_default());
        Self::from_plain(&plain, key, signed)
    }

    /// The same of one that is deciphered already.
    ///
    /// # Errors
    ///
    /// As [`JoinAccept::open`].
    pub fn from_plain(plain: &[u8], key: &Key, signed: Option<Signed<'_>>) -> Result<Self, Error> {
        if !matches!(plain.len(), 17 | 33) {
            return Err(Error::Malformed { what: "a join accept has 17 or 33 bytes" });
        }
        let (body, mic) = plain.split_last_chunk::<4>().ok_or(Error::Truncated { need: 4 })?;
        // Which key signs is inside what is signed: one that is changed to say otherwise fails with it.
        let speaks_1_1 = body.get(11).is_some_and(|settings| settings & 0x80 != 0);
        match (speaks_1_1, signed) {
            (false, _) => key.verify(&[body], mic)?,
            (true, None) => return Err(Error::KeyMissing),
            (true, Some(signed)) => signed.key.verify(&[&signed.prefix(), body], mic)?,
        }
        let mut cursor = Cursor::new(body);
        cursor.u8()?;
        Ok(Self {
            join_nonce: three(cursor.array()?),
            net_id: three(cursor.array()?),
            dev_addr: cursor.u32_le()?,
            settings: cursor.u8()?,
            delay: cursor.u8()?,
            channels: if cursor.is_empty() { None } else { Some(cursor.array()?) },
        })
    }

    /// The join accept as it goes over the air.
    #[must_use]
    pub fn build(&self, key: &Key, signed: Option<Signed<'_>>) -> Vec<u8> {
        let mut bytes: Vec<u8> = [0x20].into();
        let [n0, n1, n2, _] = self.join_nonce.to_le_bytes();
        let [i0, i1, i2, _] = self.net_id.to_le_bytes();
        bytes.extend([n0, n1, n2, i0, i1, i2]);
        bytes.extend(self.dev_addr.to_le_bytes());
        bytes.extend([self.settings, self.delay]);
        bytes.extend(self.channels.into_iter().flatten());
        let [a, b, c, d, ..] = match signed.filter(|_| self.settings & 0x80 != 0) {
            Some(signed) => signed.key.mac(&[&signed.prefix(), &bytes]),
            None => key.mac(&[&bytes]),
        };
        bytes.extend([a, b, c, d]);
        key.decrypt(bytes.get_mut(1..).unwrap_or_default());
        bytes
    }

    /// The frequencies of [`JoinAccept::channels`], Hz, where it is a list of them.
    #[must_use]
    pub fn frequencies_hz(&self) -> Vec<u32> {
        match self.channels {
            Some([list @ .., 0]) => {
                let (three_bytes, _) = list.as_chunks::<3>();
                three_bytes.iter().map(|&bytes| three(bytes) * 100).filter(|hz| *hz != 0).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The keys of the session of LoRaWAN 1.0.
    #[must_use]
    pub fn keys_1_0(&self, app_key: &Key, dev_nonce: u16) -> Keys {
        let block = |first| {
            let [n0, n1, n2, _] = self.join_nonce.to_le_bytes();
            let [i0, i1, i2, _] = self.net_id.to_le_bytes();
            let [d0, d1] = dev_nonce.to_le_bytes();
            [first, n0, n1, n2, i0, i1, i2, d0, d1, 0, 0, 0, 0, 0, 0, 0]
        };
        Keys::V1_0 {
            network: app_key.enciphered(block(0x01)),
            application: Some(app_key.enciphered(block(0x02))),
        }
    }

    /// The keys of the session of LoRaWAN 1.1.
    #[must_use]
    pub fn keys_1_1(&self, nwk_key: &Key, app_key: &Key, join_eui: u64, dev_nonce: u16) -> Keys {
        let block = |first| {
            let [n0, n1, n2, _] = self.join_nonce.to_le_bytes();
            let [e0, e1, e2, e3, e4, e5, e6, e7] = join_eui.to_le_bytes();
            let [d0, d1] = dev_nonce.to_le_bytes();
            [first, n0, n1, n2, e0, e1, e2, e3, e4, e5, e6, e7, d0, d1, 0, 0]
        };
        Keys::V1_1 {
            forwarding: nwk_key.enciphered(block(0x01)),
            serving: nwk_key.enciphered(block(0x03)),
            encryption: nwk_key.enciphered(block(0x04)),
            application: Some(app_key.enciphered(block(0x02))),
        }
    }
}

impl Signed<'_> {
    fn prefix(&self) -> [u8; 11] {
        let [e0, e1, e2, e3, e4, e5, e6, e7] = self.join_eui.to_le_bytes();
        let [d0, d1] = self.dev_nonce.to_le_bytes();
        [self.request, e0, e1, e2, e3, e4, e5, e6, e7, d0, d1]
    }
}

/// JSIntKey of 1.1: what a network that speaks it signs its join accepts with.
#[must_use]
pub fn join_integrity_key(nwk_key: &Key, dev_eui: u64) -> Key {
    let [e0, e1, e2, e3, e4, e5, e6, e7] = dev_eui.to_le_bytes();
    let block: [u8; BLOCK] = [0x06, e0, e1, e2, e3, e4, e5, e6, e7, 0, 0, 0, 0, 0, 0, 0];
    nwk_key.enciphered(block)
}

const fn three([a, b, c]: [u8; 3]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}
