// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame of the air, field by field, to whoever asks.

use alloc::vec::Vec;
use core::fmt;

use super::join::JoinAccept;
use super::key::Key;
use super::payload::Profile;
use super::phy::{DataFrame, Direction, JoinRequest, Phy};
use super::session::Opened;
use crate::error::Error;
use crate::hex::Hex;
use crate::reading::Reading;
use crate::trace::{Trace, Within};

/// What is known of a MIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mic {
    /// There is no key to check it with.
    Unchecked,
    /// It is right.
    Right,
    /// It does not fit.
    Wrong,
}

impl fmt::Display for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchecked => "not checked, there is no key",
            Self::Right => "right",
            Self::Wrong => "does not fit: a wrong key, or a frame that was changed",
        })
    }
}

impl Phy<'_> {
    /// Explains what can be said without a key: all but what is encrypted.
    pub fn explain(&self, trace: &mut impl Trace) {
        match self {
            Self::JoinRequest(request) => request.explain(Mic::Unchecked, trace),
            Self::JoinAccept(bytes) => sealed("join accept", bytes, trace),
            Self::Data(frame) => drop(frame.explain(Mic::Unchecked, None, None, trace)),
            Self::Other(6, bytes) => sealed("rejoin request", bytes, trace),
            Self::Other(_, bytes) => sealed("of a maker's own", bytes, trace),
        }
    }
}

/// The header, and bytes that say nothing.
fn sealed(kind: &str, bytes: &[u8], trace: &mut impl Trace) {
    let (header, rest) = bytes.split_at_checked(1).unwrap_or_default();
    trace.field(0, header, format_args!("type"), format_args!("{kind}"));
    trace.field(1, rest, format_args!("content"), format_args!("{} bytes as they are", rest.len()));
}

impl JoinRequest<'_> {
    /// Explains it.
    pub fn explain(&self, mic: Mic, trace: &mut impl Trace) {
        let part = |from, to| self.bytes.get(from..to).unwrap_or_default();
        trace.field(0, part(0, 1), format_args!("type"), format_args!("join request"));
        trace.field(1, part(1, 9), format_args!("JoinEUI"), format_args!("{:016X}", self.join_eui));
        trace.field(9, part(9, 17), format_args!("DevEUI"), format_args!("{:016X}", self.dev_eui));
        trace.field(17, part(17, 19), format_args!("DevNonce"), format_args!("{}", self.dev_nonce));
        trace.field(19, part(19, 23), format_args!("MIC"), format_args!("{mic}"));
    }
}

impl JoinAccept {
    /// Explains it; `bytes` are as on the air, `key` is what it was opened with.
    pub fn explain(&self, bytes: &[u8], key: &Key, trace: &mut impl Trace) {
        let mut plain: Vec<u8> = bytes.into();
        key.encrypt(plain.get_mut(1..).unwrap_or_default());
        let part = |from, to| plain.get(from..to).unwrap_or_default();
        let end = plain.len().saturating_sub(4);
        let version = if self.settings & 0x80 == 0 { "LoRaWAN 1.0" } else { "LoRaWAN 1.1" };
        trace.field(0, part(0, 1), format_args!("type"), format_args!("join accept, deciphered"));
        trace.field(1, part(1, 4), format_args!("JoinNonce"), format_args!("{}", self.join_nonce));
        trace.field(4, part(4, 7), format_args!("NetID"), format_args!("{:06X}", self.net_id));
        trace.field(7, part(7, 11), format_args!("DevAddr"), format_args!("{:08X}", self.dev_addr));
        let (offset, second) = (self.settings >> 4 & 0x07, self.settings & 0x0F);
        trace.field(
            11,
            part(11, 12),
            format_args!("settings"),
            format_args!("{version}, offset of RX1 {offset}, data rate of RX2 {second}"),
        );
        let delay = self.delay.max(1);
        trace.field(12, part(12, 13), format_args!("delay"), format_args!("{delay} s"));
        if end > 13 {
            let channels = part(13, end);
            match &self.frequencies_hz()[..] {
                [] => trace.field(13, channels, format_args!("channels"), format_args!("{}", Hex(channels))),
                list => trace.field(13, channels, format_args!("channels"), format_args!("{list:?} Hz")),
            }
        }
        trace.field(end, part(end, plain.len()), format_args!("MIC"), format_args!("{}", Mic::Right));
    }
}

impl DataFrame<'_> {
    /// Explains it, and says what its payload says where a profile is given and it is plain in `opened`: none of it
    /// comes from a frame whose MIC was not right.
    ///
    /// # Errors
    ///
    /// As [`Profile::decode`]; all else is explained.
    pub fn explain(
        &self,
        mic: Mic,
        opened: Option<&Opened>,
        profile: Option<&Profile>,
        trace: &mut impl Trace,
    ) -> Result<Vec<Reading>, Error> {
        let part = |from, to| self.bytes.get(from..to).unwrap_or_default();
        let confirmed = if self.confirmed { "confirmed" } else { "unconfirmed" };
        let way = if self.direction == Direction::Up { "up" } else { "down" };
        trace.field(0, part(0, 1), format_args!("type"), format_args!("{confirmed} data {way}"));
        trace.field(1, part(1, 5), format_args!("DevAddr"), format_args!("{:08X}", self.dev_addr));
        trace.field(5, part(5, 6), format_args!("control"), format_args!("{}", Control(self)));
        match opened {
            Some(opened) => {
                trace.field(6, part(6, 8), format_args!("frame counter"), format_args!("{}", opened.counter));
            }
            None => trace.field(
                6,
                part(6, 8),
                format_args!("frame counter"),
                format_args!("{}, its low half", self.counter),
            ),
        }
        let mut at = 8;
        if !self.options.is_empty() {
            let plain = opened.map_or(self.options, |opened| &opened.options);
            trace.field(at, plain, format_args!("options"), format_args!("{}", Hex(plain)));
            at += plain.len();
        }
        let mut readings = Ok(Vec::new());
        if let Some(port) = self.port {
            trace.field(at, &[port], format_args!("port"), format_args!("{port}"));
            at += 1;
            match opened.and_then(|opened| opened.payload.as_deref()) {
                Some([]) => {}
                Some(plain) => readings = payload(at, port, plain, profile, trace),
                None if self.payload.is_empty() => {}
                None => trace.field(
                    at,
                    self.payload,
                    format_args!("payload"),
                    format_args!("{} bytes, encrypted", self.payload.len()),
                ),
            }
            at += self.payload.len();
        }
        trace.field(at, part(at, self.bytes.len()), format_args!("MIC"), format_args!("{mic}"));
        readings
    }
}

/// A payload that is plain.
fn payload(
    at: usize,
    port: u8,
    plain: &[u8],
    profile: Option<&Profile>,
    trace: &mut impl Trace,
) -> Result<Vec<Reading>, Error> {
    // Commands of the network are on port 0 whoever made the device.
    let profile = profile.filter(|_| port > 0);
    // What ends with an error half-way is explained as bytes, not as half of its fields.
    match profile.map(|profile| profile.decode(port, plain, &mut ()).map(|_| profile)) {
        Some(Ok(profile)) => profile.decode(port, plain, &mut Within::new(trace, at)),
        other => {
            trace.field(at, plain, format_args!("payload"), format_args!("{}", Hex(plain)));
            other.map_or(Ok(Vec::new()), |failed| failed.map(|_| Vec::new()))
        }
    }
}

/// The control byte in words.
struct Control<'a>(&'a DataFrame<'a>);

impl fmt::Display for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let up = self.0.direction == Direction::Up;
        let flags = [
            (self.0.adr(), "ADR, "),
            (up && self.0.adr_ack_request(), "wants to hear that it is heard, "),
            (self.0.ack(), "acknowledges, "),
            (self.0.class_b_or_pending(), if up { "class B, " } else { "more waits, " }),
        ];
        flags.iter().filter(|(set, _)| *set).try_for_each(|(_, words)| f.write_str(words))?;
        write!(f, "{} bytes of options", self.0.control & 0x0F)
    }
}
