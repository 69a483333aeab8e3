// SPDX-License-Identifier: MIT OR Apache-2.0
//! A device joins: it and the network agree on a session.

use gasd_meters::Error;
use gasd_meters::lorawan::{JoinAccept, JoinRequest, Received, Signed, join_integrity_key};

use super::super::{Event, Output};
use super::device::{Live, Root, Way};
use super::{Network, how, memory};

/// From a join request to the first window, s. It is the same everywhere.
const DELAY_S: u8 = 5;

/// The highest number of a join accept.
const LAST_NONCE: u32 = 0x00FF_FFFF;

/// Bits of an address that are the device's own.
const OWN: u32 = 0x01FF_FFFF;

/// The network speaks 1.1 (OptNeg).
const SPEAKS_1_1: u8 = 0x80;

/// A join request that is signed with NwkKey or AppKey, as it enters the signature of 1.1.
const JOIN_REQUEST: u8 = 0xFF;

impl Network {
    pub(super) fn join(
        &mut self,
        now_ns: u64,
        gateway: u64,
        received: &Received,
        request: &JoinRequest<'_>,
        out: &mut Vec<Output>,
    ) {
        // A gateway that cannot answer does not keep another one from it.
        let windows = self.gateways.windows(now_ns, &self.settings, gateway, received, DELAY_S);
        let joins = |way: &Way| matches!(way, Way::OverTheAir { .. });
        let place =
            self.members.iter().position(|member| member.dev_eui == request.dev_eui && joins(&member.way));
        if self.recent.is_repeated(now_ns, &received.frame) {
            self.counts.repeated = self.counts.repeated.saturating_add(1);
            return;
        }
        if place.is_none() || windows.is_some() {
            self.recent.note(now_ns, &received.frame);
        }
        let Some(place) = place else {
            let what = format!("dev_eui = \"{:016X}\"", request.dev_eui);
            let words = format!("wants to join {:016X}, {}", request.join_eui, how(gateway, received));
            return self.stranger(now_ns, what, words, out);
        };
        match self.accept(place, request) {
            Err(error) => {
                let Some(key) = self.members.get(place).map(|member| member.key) else { return };
                self.failed(now_ns, key, error, &received.frame, out);
            }
            Ok(accepted) => {
                let (Some(windows), Some(member)) = (windows, self.members.get_mut(place)) else { return };
                member.dev_nonces.insert(request.dev_nonce);
                member.join_nonce = accepted.nonce;
                member.next = Some(accepted.live);
                let (key, bytes) = (member.key, memory::write(member));
                out.push(Output::Event(Event::Memory { key, bytes }));
                out.extend(self.gateways.send(now_ns, &self.settings, key, windows, accepted.frame));
            }
        }
    }

    /// Checks a request and makes its answer; nothing is changed yet.
    fn accept(&self, place: usize, request: &JoinRequest<'_>) -> Result<Accepted, Error> {
        let member = self.members.get(place).ok_or(Error::AddressMismatch)?;
        let Way::OverTheAir { join_eui, root } = &member.way else { return Err(Error::AddressMismatch) };
        request.verify(root.joins())?;
        if join_eui.is_some_and(|join_eui| join_eui != request.join_eui) {
            return Err(Error::AnswerMismatch {
                what: "the device joins with another JoinEUI than is configured",
            });
        }
        if member.dev_nonces.contains(&request.dev_nonce) {
            let number = u32::from(request.dev_nonce);
            return Err(Error::Replay { got: number, last: number });
        }
        let nonce = member.join_nonce.saturating_add(1);
        if nonce > LAST_NONCE {
            return Err(Error::CounterGap { got: nonce, last: LAST_NONCE });
        }
        let minor = if matches!(root, Root::V1_1 { .. }) { SPEAKS_1_1 } else { 0 };
        let accept = JoinAccept {
            join_nonce: nonce,
            net_id: self.settings.net_id.into(),
            dev_addr: self.free_address(place, request.dev_eui),
            settings: minor | self.settings.region.second_rate(),
            delay: self.settings.delay_s,
            channels: self.channels(),
        };
        let (frame, keys) = match root {
            Root::V1_0 { app_key } => {
                (accept.build(app_key, None), accept.keys_1_0(app_key, request.dev_nonce))
            }
            Root::V1_1 { nwk_key, app_key } => {
                let key = join_integrity_key(nwk_key, request.dev_eui);
                let (join_eui, dev_nonce) = (request.join_eui, request.dev_nonce);
                let signed = Signed { key: &key, request: JOIN_REQUEST, join_eui, dev_nonce };
                let keys = accept.keys_1_1(nwk_key, app_key, join_eui, dev_nonce);
                (accept.build(nwk_key, Some(signed)), keys)
            }
        };
        Ok(Accepted { frame, nonce, live: Live::new(accept.dev_addr, keys) })
    }

    /// An address that no other device has: the same for one device as long as it is free.
    fn free_address(&self, place: usize, dev_eui: u64) -> u32 {
        let network = u32::from(self.settings.net_id) << 25;
        let mut own = (dev_eui ^ (dev_eui >> 25) ^ (dev_eui >> 50)) as u32 & OWN;
        let taken = |address: u32| {
            self.members.iter().enumerate().any(|(n, member)| n != place && member.has(address))
        };
        // Every other device has two at most, so one is found.
        while taken(network | own) {
            own = own.wrapping_add(1) & OWN;
        }
        network | own
    }

    /// The list of further channels, Hz / 100 in three bytes each.
    fn channels(&self) -> Option<[u8; 16]> {
        if self.settings.extra_hz.is_empty() || !self.settings.region.adds_channels() {
            return None;
        }
        let mut list = [0; 16];
        for (hz, place) in self.settings.extra_hz.iter().zip(list.chunks_exact_mut(3)) {
            let [a, b, c, _] = (hz / 100).to_le_bytes();
            place.copy_from_slice(&[a, b, c]);
        }
        Some(list)
    }
}

struct Accepted {
    frame: Vec<u8>,
    nonce: u32,
    live: Live,
}
