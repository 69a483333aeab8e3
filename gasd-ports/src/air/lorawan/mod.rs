// SPDX-License-Identifier: MIT OR Apache-2.0
//! LoRaWAN behind the packet forwarder of a gateway: a network server as small as a house needs it.
//!
//! [`Network`] acknowledges what gateways send, opens the frames of the devices that are configured, lets them join,
//! and answers what wants an answer: a confirmed frame, a request of ADR for a sign of life, a command of 1.1. It
//! changes neither data rates nor channels of a device.
//!
//! **What a MIC cannot tell.** Four bytes do not say whether the key is wrong, the frame was changed, or another
//! network's device has the same address: [`words`] names all three. Only a frame whose MIC is right is a replay.

mod commands;
mod device;
mod frames;
mod gateways;
mod join;
mod memory;
mod recent;
mod region;

use std::net::SocketAddr;

use gasd_meters::Error;
use gasd_meters::lorawan::{CrcCheck, Datagram, Direction, Phy, Received};

use super::{Air, Counts, Event, NotRestored, Output, Strangers};
use crate::Kept;
pub use device::{Activation, Device, Root};
pub use region::Region;

use device::Member;
use gateways::Gateways;
use recent::Recent;

/// How the network behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it is. Default [`Region::Eu868`].
    pub region: Region,
    /// Its number, 0 to 63: part of the addresses of devices that join. Default 0.
    pub net_id: u8,
    /// From a frame to its answer, s, 1 to 15: devices that join are told, the others have it configured. Default 1.
    pub delay_s: u8,
    /// Up to five further channels that devices are told as they join, Hz, where the region has three. Default none:
    /// gateways must hear them.
    pub extra_hz: Vec<u32>,
    /// What gateways send with, dBm, where it is not what is usual in the region.
    pub power_dbm: Option<i8>,
    /// The gateways that are listened to; all where there is none.
    pub gateways: Vec<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        let (region, extra_hz, gateways) = (Region::default(), Vec::new(), Vec::new());
        Self { region, net_id: 0, delay_s: 1, extra_hz, power_dbm: None, gateways }
    }
}

/// The devices behind some gateways.
pub struct Network {
    settings: Settings,
    members: Vec<Member>,
    gateways: Gateways,
    recent: Recent,
    strangers: Strangers,
    counts: Counts,
}

impl Network {
    /// A network of these devices.
    #[must_use]
    pub fn new(mut settings: Settings, devices: Vec<Device>) -> Self {
        settings.delay_s = settings.delay_s.clamp(1, 15);
        settings.net_id &= 0x3F;
        Self {
            settings,
            members: devices.into_iter().map(Member::new).collect(),
            gateways: Gateways::default(),
            recent: Recent::default(),
            strangers: Strangers::default(),
            counts: Counts::default(),
        }
    }

    /// A datagram came from a gateway.
    pub fn heard(&mut self, now_ns: u64, from: SocketAddr, datagram: &[u8]) -> Vec<Output> {
        let mut out = Vec::new();
        let Ok(datagram) = Datagram::parse(datagram) else {
            self.counts.garbage = self.counts.garbage.saturating_add(1);
            return out;
        };
        let gateway = match &datagram {
            Datagram::Push { gateway, .. }
            | Datagram::Pull { gateway, .. }
            | Datagram::Sent { gateway, .. } => *gateway,
        };
        if !self.settings.gateways.is_empty() && !self.settings.gateways.contains(&gateway) {
            let what = format!("gateways = [\"{gateway:016X}\"]");
            let words =
                format!("a gateway at {from} that is not configured; what it hears is not listened to");
            self.stranger(now_ns, what, words, &mut out);
            return out;
        }
        if let Some(bytes) = datagram.acknowledgement() {
            out.push(Output::Send { to: from, bytes: bytes.into() });
        }
        match datagram {
            Datagram::Pull { .. } => self.gateways.pulled(now_ns, gateway, from),
            Datagram::Sent { token, error, .. } => {
                out.extend(self.gateways.sent(now_ns, &self.settings, gateway, token, error.is_some()));
            }
            Datagram::Push { heard, .. } => {
                for received in heard.frames {
                    match received {
                        Ok(received) if received.crc != CrcCheck::Wrong => {
                            self.frame(now_ns, gateway, &received, &mut out);
                        }
                        _ => self.counts.garbage = self.counts.garbage.saturating_add(1),
                    }
                }
            }
        }
        out
    }

    fn frame(&mut self, now_ns: u64, gateway: u64, received: &Received, out: &mut Vec<Output>) {
        match Phy::parse(&received.frame) {
            Ok(Phy::Data(frame)) if frame.direction == Direction::Up => {
                self.counts.heard = self.counts.heard.saturating_add(1);
                self.data(now_ns, gateway, received, &frame, out);
            }
            Ok(Phy::JoinRequest(request)) => {
                self.counts.heard = self.counts.heard.saturating_add(1);
                self.join(now_ns, gateway, received, &request, out);
            }
            // What other gateways say, makers' own formats, noise.
            _ => self.counts.garbage = self.counts.garbage.saturating_add(1),
        }
    }

    fn stranger(&mut self, now_ns: u64, what: String, words: String, out: &mut Vec<Output>) {
        self.counts.strange = self.counts.strange.saturating_add(1);
        out.extend(self.strangers.note(now_ns, what, words).map(Output::Event));
    }

    /// Something of a device is not read.
    fn failed(&mut self, now_ns: u64, key: u64, error: Error, raw: &[u8], out: &mut Vec<Output>) {
        self.counts.failed = self.counts.failed.saturating_add(1);
        out.push(Output::Event(Event::Failed { key, t_ns: now_ns, error, raw: raw.to_vec() }));
    }

    /// What is to be kept of a meter. It may hold keys of its session.
    #[must_use]
    pub fn memory(&self, key: u64) -> Kept {
        self.members.iter().find(|member| member.key == key).map(memory::write).unwrap_or_default()
    }

    /// Who else was heard.
    #[must_use]
    pub const fn strangers(&self) -> &Strangers {
        &self.strangers
    }
}

impl Air for Network {
    fn heard(&mut self, now_ns: u64, from: Option<SocketAddr>, bytes: &[u8]) -> Vec<Output> {
        from.map(|from| self.heard(now_ns, from, bytes)).unwrap_or_default()
    }

    fn due_ns(&self) -> Option<u64> {
        None
    }

    fn tick(&mut self, _: u64) -> Vec<Output> {
        Vec::new()
    }

    fn keys(&self) -> Vec<u64> {
        self.members.iter().map(|member| member.key).collect()
    }

    fn memory(&self, key: u64) -> Kept {
        self.memory(key)
    }

    fn restore(&mut self, key: u64, bytes: &[u8], now_ns: u64) -> Result<(), NotRestored> {
        let member = self.members.iter_mut().find(|member| member.key == key);
        memory::read(member.ok_or(NotRestored::NoMeter)?, bytes, now_ns)
    }

    fn strangers(&self) -> &Strangers {
        &self.strangers
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

/// What an error of a device means, with what LoRaWAN cannot tell apart.
#[must_use]
pub fn words(error: &Error) -> String {
    match error {
        Error::Mac => {
            "the MIC does not fit: a wrong key, a frame that was changed, or the device of another network \
                       that has the same address"
                .to_owned()
        }
        Error::Replay { got, last } => {
            format!(
                "number {got} was here before, the last one was {last}: a frame or a join that is repeated or replayed"
            )
        }
        Error::KeyMissing => {
            "the MIC is right, and no key is configured for the payload (app_s_key)".to_owned()
        }
        other => other.to_string(),
    }
}

/// How a frame was heard, in words.
fn how(gateway: u64, received: &Received) -> String {
    let mut words = format!("heard by gateway {gateway:016X}");
    if let Some(rssi) = received.rssi_dbm {
        words.push_str(&format!(" with {rssi} dBm"));
    }
    if let Some(rate) = &received.data_rate {
        words.push_str(&format!(", {rate}"));
    }
    words
}
