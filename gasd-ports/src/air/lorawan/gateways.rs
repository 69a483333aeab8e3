// SPDX-License-Identifier: MIT OR Apache-2.0
//! The gateways: where each can be reached, and what it was asked to send.

use std::collections::VecDeque;
use std::net::SocketAddr;

use gasd_meters::lorawan::{Datagram, Received, Transmission, When};

use super::super::Output;
use super::Settings;
use super::region::Window;

/// Most gateways; the one that was silent for longest makes room.
const MOST: usize = 64;

/// A gateway that has not said where it is for so long is not reached, ns. It says so every few seconds.
const REACHED_NS: u64 = 300_000_000_000;

/// Most frames whose sending is waited for.
const MOST_WAITING: usize = 32;

/// From the first window to the second, µs.
const BETWEEN_US: u32 = 1_000_000;

/// A gateway wants a frame so long before its window, ns: the way to it is in that, too.
const AHEAD_NS: u64 = 300_000_000;

/// The longest that an answer waits to be sent, ns: the frames of all others wait behind it.
const LONGEST_NS: u64 = 2_000_000_000;

struct Gateway {
    eui: u64,
    /// Where its last PULL_DATA came from: only there it listens.
    path: SocketAddr,
    heard_ns: u64,
}

/// A frame that a gateway was asked to send in the first window.
struct Waiting {
    token: [u8; 2],
    gateway: u64,
    /// The meter.
    key: u64,
    frame: Vec<u8>,
    at_us: u32,
}

#[derive(Default)]
pub(super) struct Gateways {
    list: Vec<Gateway>,
    waiting: VecDeque<Waiting>,
    token: u16,
}

/// Which windows a frame may be answered in.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    gateway: u64,
    /// The gateway's clock when the first window opens, µs.
    at_us: u32,
    first: Option<Window>,
    /// When it is to be on its way to the gateway, ns.
    until_ns: u64,
}

impl Gateways {
    /// A gateway says where it is.
    pub fn pulled(&mut self, now_ns: u64, eui: u64, path: SocketAddr) {
        if let Some(gateway) = self.list.iter_mut().find(|gateway| gateway.eui == eui) {
            (gateway.path, gateway.heard_ns) = (path, now_ns);
            return;
        }
        if self.list.len() >= MOST {
            let oldest = self.list.iter().enumerate().min_by_key(|(_, gateway)| gateway.heard_ns);
            if let Some((at, _)) = oldest {
                self.list.swap_remove(at);
            }
        }
        self.list.push(Gateway { eui, path, heard_ns: now_ns });
    }

    fn path(&self, now_ns: u64, eui: u64) -> Option<SocketAddr> {
        let reached =
            |gateway: &&Gateway| gateway.eui == eui && now_ns.saturating_sub(gateway.heard_ns) < REACHED_NS;
        self.list.iter().find(reached).map(|gateway| gateway.path)
    }

    /// The windows after a frame, `delay_s` after it; `None` where this gateway cannot answer it.
    pub fn windows(
        &self,
        now_ns: u64,
        settings: &Settings,
        gateway: u64,
        received: &Received,
        delay_s: u8,
    ) -> Option<Windows> {
        self.path(now_ns, gateway)?;
        let at_us = received.timestamp_us?.wrapping_add(u32::from(delay_s) * 1_000_000);
        let first = received
            .frequency_hz
            .zip(received.data_rate.as_deref())
            .and_then(|(hz, data_rate)| settings.region.first(hz, data_rate));
        let until_ns = (u64::from(delay_s) * 1_000_000_000).saturating_sub(AHEAD_NS).min(LONGEST_NS);
        Some(Windows { gateway, at_us, first, until_ns: now_ns.saturating_add(until_ns) })
    }

    /// Has a frame sent to the meter `key`, in the first window; in the second where there is no first.
    pub fn send(
        &mut self,
        now_ns: u64,
        settings: &Settings,
        key: u64,
        windows: Windows,
        frame: Vec<u8>,
    ) -> Option<Output> {
        let Windows { gateway, at_us, first, until_ns } = windows;
        let answer = |to, bytes| Output::Answer { key, to, bytes, until_ns };
        match first {
            Some(window) => {
                let (to, bytes, token) = self.ask(now_ns, settings, gateway, window, at_us, &frame)?;
                if self.waiting.len() >= MOST_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(Waiting { token, gateway, key, frame, at_us });
                Some(answer(to, bytes))
            }
            None => {
                let at_us = at_us.wrapping_add(BETWEEN_US);
                self.ask(now_ns, settings, gateway, settings.region.second(), at_us, &frame)
                    .map(|(to, bytes, _)| answer(to, bytes))
            }
        }
    }

    /// What became of it: one that came too late for the first window, or was not possible there, is sent in the
    /// second.
    pub fn sent(
        &mut self,
        now_ns: u64,
        settings: &Settings,
        gateway: u64,
        token: [u8; 2],
        failed: bool,
    ) -> Option<Output> {
        let same = |waiting: &Waiting| waiting.token == token && waiting.gateway == gateway;
        let waiting = self.waiting.iter().position(same).and_then(|at| self.waiting.remove(at))?;
        if !failed {
            return None;
        }
        let at_us = waiting.at_us.wrapping_add(BETWEEN_US);
        let window = settings.region.second();
        let (to, bytes, _) = self.ask(now_ns, settings, gateway, window, at_us, &waiting.frame)?;
        // Whoever says that it came too late need not have been asked: it is kept by now, or not sent now either.
        Some(Output::Answer { key: waiting.key, to, bytes, until_ns: now_ns })
    }

    fn ask(
        &mut self,
        now_ns: u64,
        settings: &Settings,
        gateway: u64,
        window: Window,
        at_us: u32,
        frame: &[u8],
    ) -> Option<(SocketAddr, Vec<u8>, [u8; 2])> {
        let to = self.path(now_ns, gateway)?;
        self.token = self.token.wrapping_add(1);
        let token = self.token.to_be_bytes();
        let transmission = Transmission {
            frame,
            when: When::At(at_us),
            frequency_hz: window.frequency_hz,
            radio: 0,
            power_dbm: settings.power_dbm.unwrap_or(settings.region.power_dbm()),
            data_rate: window.data_rate,
            coding: "4/5",
        };
        let bytes = Datagram::send(token, &transmission).ok()?;
        Some((to, bytes, token))
    }
}
