// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data frames opened and sealed. The MIC comes first: before it is right, nothing of a frame comes out.

use alloc::vec::Vec;

use super::counter::Counter;
use super::key::{BLOCK, Key};
use super::phy::{DataFrame, Direction};
use crate::error::{EncodeError, Error};

/// Most bytes of a payload at the fastest data rate.
pub const MAX_PAYLOAD: usize = 242;

/// The keys of a session.
pub enum Keys {
    /// LoRaWAN 1.0.
    V1_0 {
        /// NwkSKey.
        network: Key,
        /// AppSKey; `None` where the payload is another's to read.
        application: Option<Key>,
    },
    /// LoRaWAN 1.1.
    V1_1 {
        /// FNwkSIntKey.
        forwarding: Key,
        /// SNwkSIntKey.
        serving: Key,
        /// NwkSEncKey.
        encryption: Key,
        /// AppSKey; `None` where the payload is another's to read.
        application: Option<Key>,
    },
}

/// What enters the MIC of 1.1 besides the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Radio {
    /// The low half of the counter of the confirmed frame that an ACK is for.
    pub acknowledged: u16,
    /// Up: the index of the data rate.
    pub data_rate: u8,
    /// Up: the index of the channel.
    pub channel: u8,
}

/// A data frame whose MIC was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The whole frame counter.
    pub counter: u32,
    /// Options, plain: commands of the network.
    pub options: Vec<u8>,
    /// The port; 0 for commands of the network.
    pub port: Option<u8>,
    /// The payload, plain; `None` where there is no key for it.
    pub payload: Option<Vec<u8>>,
}

/// One device's session.
pub struct Session {
    /// The device, within its network.
    pub dev_addr: u32,
    /// Its keys.
    pub keys: Keys,
    /// The counter of what it sends.
    pub up: Counter,
}

impl Session {
    /// Opens a frame of this device. The counter moves on only when all is right.
    ///
    /// # Errors
    ///
    /// [`Error::AddressMismatch`]; [`Error::AnswerMismatch`] of a frame to the device; [`Error::Mac`];
    /// [`Error::Replay`] and [`Error::CounterGap`] (of a session that was joined) of a frame that is the device's own at the
    /// wrong time.
    pub fn open(&mut self, frame: &DataFrame<'_>, radio: Radio) -> Result<Opened, Error> {
        if frame.dev_addr != self.dev_addr {
            return Err(Error::AddressMismatch);
        }
        if frame.direction == Direction::Down {
            return Err(Error::AnswerMismatch { what: "it goes to the device" });
        }
        for counter in self.up.candidates(frame.counter) {
            if self.keys.verify(frame, counter, radio).is_ok() {
                self.up.accept(counter)?;
                return Ok(self.keys.decipher(frame, counter));
            }
        }
        Err(Error::Mac)
    }
}

impl Keys {
    /// Opens a frame of either direction whose whole counter is known.
    ///
    /// # Errors
    ///
    /// [`Error::Mac`]; [`Error::AnswerMismatch`] where the counter is not the frame's.
    pub fn open(&self, frame: &DataFrame<'_>, counter: u32, radio: Radio) -> Result<Opened, Error> {
        if counter as u16 != frame.counter {
            return Err(Error::AnswerMismatch { what: "the frame counter is another" });
        }
        self.verify(frame, counter, radio)?;
        Ok(self.decipher(frame, counter))
    }

    /// Whether the MIC is right.
    ///
    /// # Errors
    ///
    /// [`Error::Mac`].
    pub fn verify(&self, frame: &DataFrame<'_>, counter: u32, radio: Radio) -> Result<(), Error> {
        let (signed, mic) = frame.signed();
        let len = signed.len() as u8;
        let acknowledged = if frame.ack() { radio.acknowledged } else { 0 };
        let b0 = |acknowledged| block(0x49, middle(acknowledged, 0, 0), frame, counter, len);
        match (self, frame.direction, mic.split_at_checked(2)) {
            (Self::V1_0 { network, .. }, ..) => network.verify(&[&b0(0), signed], mic),
            (Self::V1_1 { serving, .. }, Direction::Down, _) => {
                serving.verify(&[&b0(acknowledged), signed], mic)
            }
            (Self::V1_1 { forwarding, serving, .. }, Direction::Up, Some((first, second))) => {
                let b1 =
                    block(0x49, middle(acknowledged, radio.data_rate, radio.channel), frame, counter, len);
                // Both are computed whatever the first says.
                let results =
                    [serving.verify(&[&b1, signed], first), forwarding.verify(&[&b0(0), signed], second)];
                results.into_iter().fold(Ok(()), Result::and)
            }
            _ => Err(Error::Mac),
        }
    }

    fn decipher(&self, frame: &DataFrame<'_>, counter: u32) -> Opened {
        let mut options = frame.options.to_vec();
        self.options(frame, counter, &mut options);
        let payload = self.payload_key(frame.port).map(|key| {
            let mut payload = frame.payload.to_vec();
            keystream(key, frame, counter, [0; 4], &mut payload);
            payload
        });
        let payload = if frame.payload.is_empty() { Some(Vec::new()) } else { payload };
        Opened { counter, options, port: frame.port, payload }
    }

    const fn payload_key(&self, port: Option<u8>) -> Option<&Key> {
        match (self, port) {
            (Self::V1_0 { network, .. }, Some(0)) => Some(network),
            (Self::V1_1 { encryption, .. }, Some(0)) => Some(encryption),
            (Self::V1_0 { application, .. } | Self::V1_1 { application, .. }, _) => application.as_ref(),
        }
    }

    /// Options are encrypted in 1.1 only. Which of the two counters down is used enters the keystream.
    fn options(&self, frame: &DataFrame<'_>, counter: u32, options: &mut [u8]) {
        let Self::V1_1 { encryption, .. } = self else { return };
        let application = frame.direction == Direction::Down && frame.port.is_some_and(|port| port > 0);
        keystream(encryption, frame, counter, [0, 0, 0, if application { 2 } else { 1 }], options);
    }
}

/// A frame to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft<'a> {
    /// Which way.
    pub direction: Direction,
    /// Whether it wants to be acknowledged.
    pub confirmed: bool,
    /// The device.
    pub dev_addr: u32,
    /// The flags of the control byte; the length of the options is added.
    pub control: u8,
    /// The whole frame counter: never the same twice with the same keys.
    pub counter: u32,
    /// Options, plain, up to 15 bytes.
    pub options: &'a [u8],
    /// Port and payload, plain.
    pub payload: Option<(u8, &'a [u8])>,
}

impl Draft<'_> {
    /// The frame as it goes over the air.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`]; [`EncodeError::OutOfRange`] of options together with port 0;
    /// [`EncodeError::Key`] where there is none for the payload.
    pub fn seal(&self, keys: &Keys, radio: Radio) -> Result<Vec<u8>, EncodeError> {
        let payload = self.payload.map_or(&[][..], |(_, payload)| payload);
        if payload.len() > MAX_PAYLOAD {
            return Err(EncodeError::TooLong { most: MAX_PAYLOAD });
        }
        let len = u8::try_from(self.options.len()).ok().filter(|len| *len < 16);
        let len = len.ok_or(EncodeError::TooLong { most: 15 })?;
        if len > 0 && self.payload.is_some_and(|(port, _)| port == 0) {
            return Err(EncodeError::OutOfRange { what: "port, with options" });
        }
        let kind = 2 + u8::from(self.direction == Direction::Down) + 2 * u8::from(self.confirmed);
        let control = (self.control & 0xF0) | len;
        let mut bytes: Vec<u8> = [kind << 5].into();
        bytes.extend(self.dev_addr.to_le_bytes());
        bytes.push(control);
        bytes.extend((self.counter as u16).to_le_bytes());
        // What the keystream depends on; the bytes are not looked at.
        let frame = DataFrame {
            bytes: &[],
            direction: self.direction,
            confirmed: self.confirmed,
            dev_addr: self.dev_addr,
            control,
            counter: self.counter as u16,
            options: &[],
            port: self.payload.map(|(port, _)| port),
            payload: &[],
        };
        let mut options = self.options.to_vec();
        keys.options(&frame, self.counter, &mut options);
        bytes.extend(options);
        if let Some((port, plain)) = self.payload {
            bytes.push(port);
            let mut payload = plain.to_vec();
            match keys.payload_key(Some(port)) {
                Some(key) => keystream(key, &frame, self.counter, [0; 4], &mut payload),
                None if plain.is_empty() => {}
                None => return Err(EncodeError::Key),
            }
            bytes.extend(payload);
        }
        let mic = keys.mic(&frame, self.counter, radio, &bytes);
        bytes.extend(mic);
        Ok(bytes)
    }
}

impl Keys {
    fn mic(&self, frame: &DataFrame<'_>, counter: u32, radio: Radio, signed: &[u8]) -> [u8; 4] {
        let len = signed.len() as u8;
        let acknowledged = if frame.ack() { radio.acknowledged } else { 0 };
        let first = |key: &Key, middle: [u8; 4]| {
            let [a, b, c, d, ..] = key.mac(&[&block(0x49, middle, frame, counter, len), signed]);
            [a, b, c, d]
        };
        match (self, frame.direction) {
            (Self::V1_0 { network, .. }, _) => first(network, [0; 4]),
            (Self::V1_1 { serving, .. }, Direction::Down) => first(serving, middle(acknowledged, 0, 0)),
            (Self::V1_1 { forwarding, serving, .. }, Direction::Up) => {
                let [a, b, ..] = first(serving, middle(acknowledged, radio.data_rate, radio.channel));
                let [c, d, ..] = first(forwarding, [0; 4]);
                [a, b, c, d]
            }
        }
    }
}

const fn middle(acknowledged: u16, data_rate: u8, channel: u8) -> [u8; 4] {
    let [low, high] = acknowledged.to_le_bytes();
    [low, high, data_rate, channel]
}

/// The block before a message that is signed (49), or whose keystream is made (01).
fn block(first: u8, middle: [u8; 4], frame: &DataFrame<'_>, counter: u32, last: u8) -> [u8; BLOCK] {
    let [m0, m1, m2, m3] = middle;
    let [a0, a1, a2, a3] = frame.dev_addr.to_le_bytes();
    let [c0, c1, c2, c3] = counter.to_le_bytes();
    let direction = u8::from(frame.direction == Direction::Down);
    [first, m0, m1, m2, m3, direction, a0, a1, a2, a3, c0, c1, c2, c3, 0, last]
}

/// Enciphers or deciphers in place.
fn keystream(key: &Key, frame: &DataFrame<'_>, counter: u32, middle: [u8; 4], data: &mut [u8]) {
    for (n, part) in data.chunks_mut(BLOCK).enumerate() {
        // A frame has 16 blocks at most.
        let mut stream = block(0x01, middle, frame, counter, n as u8 + 1);
        key.encrypt(&mut stream);
        for (byte, with) in part.iter_mut().zip(stream) {
            *byte ^= with;
        }
    }
}
