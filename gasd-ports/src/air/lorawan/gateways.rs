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
        Some(Windows { gateway, at_us, first })
    }

    /// Has a frame sent, in the first window; in the second where there is no first.
    pub fn send(
        &mut self,
        now_ns: u64,
        settings: &Settings,
        windows: Windows,
        frame: Vec<u8>,
    ) -> Option<Output> {
        let Windows { gateway, at_us, first } = windows;
        match first {
            Some(window) => {
                let (output, token) = self.ask(now_ns, settings, gateway, window, at_us, &frame)?;
                if self.waiting.len() >= MOST_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(Waiting { token, gateway, frame, at_us });
                Some(output)
            }
            None => {
                let at_us = at_us.wrapping_add(BETWEEN_US);
                self.ask(now_ns, settings, gateway, settings.region.second(), at_us, &frame)
                    .map(|(output, _)| output)
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
        self.ask(now_ns, settings, gateway, window, at_us, &waiting.frame).map(|(output, _)| output)
    }

    fn ask(
        &mut self,
        now_ns: u64,
        settings: &Settings,
        gateway: u64,
        window: Window,
        at_us: u32,
        frame: &[u8],
    ) -> Option<(Output, [u8; 2])> {
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
        Some((Output::Send { to, bytes }, token))
    }
}
