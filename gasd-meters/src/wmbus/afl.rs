// SPDX-License-Identifier: MIT OR Apache-2.0
//! The authentication and fragmentation layer (EN 13757-7, OMS security profile B).

use alloc::vec::Vec;

use super::key::{Key, Purpose};
use crate::bytes::Cursor;
use crate::error::Error;
use crate::hex::Hex;
use crate::trace::Trace;

/// The CI field that begins it.
pub(super) const CI: u8 = 0x90;

const MORE: u16 = 1 << 14;
const CONTROL: u16 = 1 << 13;
const LENGTH: u16 = 1 << 12;
const COUNTER: u16 = 1 << 11;
const MAC: u16 = 1 << 10;
const KEY: u16 = 1 << 9;

/// The fields that one fragment has. What is authenticated keeps the bytes of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Afl {
    /// Which fragment, from 1.
    pub fragment: u8,
    /// Whether others follow.
    pub more: bool,
    /// Which fields the message has, and how its MAC is made.
    control: Option<u8>,
    key: Option<[u8; 2]>,
    /// The message counter.
    pub counter: Option<u32>,
    mac: Vec<u8>,
    length: Option<[u8; 2]>,
}

/// Takes the layer.
pub(super) fn take(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Afl, Error> {
    let at = cursor.at();
    let [ci, length] = cursor.array()?;
    trace.field(at, &[ci], format_args!("CI"), format_args!("authentication and fragmentation layer"));
    trace.field(at + 1, &[length], format_args!("length"), format_args!("{length} bytes"));
    let mut fields = Cursor::inside(cursor.take(length.into())?, at + 2);
    let mut afl = Afl::default();
    let short = |_| Error::Malformed { what: "the authentication layer is longer than it says" };
    let flags = fields.u16_le().map_err(short)?;
    trace.field(at + 2, &flags.to_le_bytes(), format_args!("fragmentation"), format_args!("{flags:04X}"));
    afl.fragment = flags as u8;
    afl.more = flags & MORE != 0;
    if flags & CONTROL != 0 {
        let (at, control) = (fields.at(), fields.u8().map_err(short)?);
        trace.field(at, &[control], format_args!("message control"), format_args!("{control:02X}"));
        afl.control = Some(control);
    }
    if flags & KEY != 0 {
        let (at, key) = (fields.at(), fields.array::<2>().map_err(short)?);
        trace.field(at, &key, format_args!("key information"), format_args!("{}", Hex(&key)));
        afl.key = Some(key);
    }
    if flags & COUNTER != 0 {
        let (at, counter) = (fields.at(), fields.u32_le().map_err(short)?);
        let raw = counter.to_le_bytes();
        trace.field(at, &raw, format_args!("message counter"), format_args!("{counter}"));
        afl.counter = Some(counter);
    }
    if flags & MAC != 0 {
        // The first fragment says how long it is; without that, as long as is usual.
        let n = mac_length(afl.control.unwrap_or(5))
            .ok_or(Error::UnsupportedMode { mode: afl.control.unwrap_or_default() & 0x0F })?;
        let (at, mac) = (fields.at(), fields.take(n).map_err(short)?);
        trace.field(at, mac, format_args!("authentication code"), format_args!("{n} bytes"));
        afl.mac = mac.into();
    }
    if flags & LENGTH != 0 {
        let (at, length) = (fields.at(), fields.array::<2>().map_err(short)?);
        let n = u16::from_le_bytes(length);
        trace.field(at, &length, format_args!("message length"), format_args!("{n} bytes"));
        afl.length = Some(length);
    }
    let (at, rest) = (fields.at(), fields.take_rest());
    if !rest.is_empty() {
        trace.field(at, rest, format_args!("further fields"), format_args!("{}", Hex(rest)));
    }
    Ok(afl)
}

/// Bytes of the MAC that the message control asks for. Two bytes, which the standard knows as well, are
/// guessed in an afternoon.
const fn mac_length(control: u8) -> Option<usize> {
    match control & 0x0F {
        0x4 => Some(4),
        0x5 => Some(8),
        0x6 => Some(12),
        0x7 => Some(16),
        _ => None,
    }
}

impl Afl {
    /// Whether the message carries a MAC.
    pub fn authenticates(&self) -> bool {
        !self.mac.is_empty()
    }

    /// Adds what the fragment behind it says.
    pub fn join(&mut self, next: Self) {
        self.fragment = next.fragment;
        self.more = next.more;
        self.control = self.control.or(next.control);
        self.key = self.key.or(next.key);
        self.counter = self.counter.or(next.counter);
        self.length = self.length.or(next.length);
        if !next.mac.is_empty() {
            self.mac = next.mac;
        }
    }

    /// Bytes of the whole message, where the layer says so.
    pub fn message_length(&self) -> Option<usize> {
        self.length.map(|length| u16::from_le_bytes(length).into())
    }

    /// Checks the MAC over the transport layer's bytes with the meter's key.
    pub fn verify(&self, key: &Key, id: [u8; 4], message: &[u8]) -> Result<(), Error> {
        let counter = self.counter.ok_or(Error::Malformed { what: "a MAC without a message counter" })?;
        let control = self.control.ok_or(Error::Malformed { what: "a MAC without message control" })?;
        let key_info = self.key.as_ref().map_or(&[][..], |key| key);
        let length = self.length.as_ref().map_or(&[][..], |length| length);
        key.derive(Purpose::Authentication, counter, id)
            .verify(&[&[control], key_info, &counter.to_le_bytes(), length, message], &self.mac)
    }
}

/// A layer with a MAC of eight bytes over `message`, and nothing else.
pub(super) fn seal(key: &Key, id: [u8; 4], counter: u32, message: &[u8]) -> Vec<u8> {
    /// AES-CMAC of eight bytes; a counter is there.
    const MESSAGE_CONTROL: u8 = 0x25;
    let count = counter.to_le_bytes();
    let mac = key.derive(Purpose::Authentication, counter, id).mac(&[&[MESSAGE_CONTROL], &count, message]);
    let flags = (CONTROL | COUNTER | MAC).to_le_bytes();
    let mut out = Vec::from([CI, 15]);
    out.extend(flags);
    out.push(MESSAGE_CONTROL);
    out.extend(count);
    out.extend(mac.iter().take(8));
    out
}
