// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semtech's packet forwarder (protocol version 2): PUSH_DATA with what was heard, PULL_DATA so that it can be reached,
//! TX_ACK to what it is asked to send.

use serde_json::{Value, json};

use super::base64;
use super::device::Device;
use crate::loss::Endpoint;
use crate::rng::Rng;

const SECOND_NS: u64 = 1_000_000_000;

/// How often it says that it is there, ns.
const PULL_NS: u64 = 10 * SECOND_NS;

/// How far ahead it takes what it is to send, µs.
const AHEAD_US: u32 = 60_000_000;

/// What a forwarder has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// PUSH_DATA that it sent.
    pub pushed: u64,
    /// PUSH_ACK.
    pub push_acknowledged: u64,
    /// PULL_DATA that it sent.
    pub pulled: u64,
    /// PULL_ACK.
    pub pull_acknowledged: u64,
    /// PULL_RESP: what it was asked to send.
    pub asked: u64,
    /// Of these refused: too late, too early, or nonsense.
    pub refused: u64,
    /// Of these heard by a device.
    pub heard: u64,
    /// Of these heard by none: in no window, with a wrong key, or seen before.
    pub unheard: u64,
}

/// Something that is to be sent later.
struct Planned {
    at_ns: u64,
    us: u32,
    bytes: Vec<u8>,
}

/// A gateway with its devices.
pub struct Forwarder {
    gateway: u64,
    devices: Vec<Device>,
    rng: Rng,
    pull_ns: u64,
    planned: Vec<Planned>,
    counts: Counts,
}

impl Forwarder {
    /// A gateway of this number, that begins at `from_ns`; `seed` is for what is drawn.
    #[must_use]
    pub fn new(gateway: u64, devices: Vec<Device>, from_ns: u64, seed: u64) -> Self {
        let (rng, planned) = (Rng::new(seed, 6), Vec::new());
        Self { gateway, devices, rng, pull_ns: from_ns, planned, counts: Counts::default() }
    }

    /// The devices.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The devices, to be changed.
    pub fn devices_mut(&mut self) -> &mut [Device] {
        &mut self.devices
    }

    /// What it has counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn token(&mut self) -> [u8; 2] {
        [self.rng.byte(), self.rng.byte()]
    }

    fn head(&self, [a, b]: [u8; 2], kind: u8) -> Vec<u8> {
        let mut bytes = vec![2, a, b, kind];
        bytes.extend(self.gateway.to_be_bytes());
        bytes
    }

    fn push(&mut self, us: u32, frame: &[u8]) -> Vec<u8> {
        let channel = self.rng.below(3);
        let heard = json!({"rxpk": [{
            "tmst": us,
            "chan": channel,
            "rfch": 0,
            // Three channels that every device of Europe has.
            "freq": 868.1 + 0.2 * channel as f64,
            "stat": 1,
            "modu": "LORA",
            "datr": "SF9BW125",
            "codr": "4/5",
            "rssi": -60 - self.rng.below(50) as i64,
            "lsnr": 7.5,
            "size": frame.len(),
            "data": base64::encode(frame),
        }]});
        let token = self.token();
        let mut bytes = self.head(token, 0x00);
        bytes.extend(heard.to_string().into_bytes());
        self.counts.pushed += 1;
        bytes
    }

    /// What it is asked to send: the frame and when; or why not.
    fn plan(&mut self, now_ns: u64, json: &[u8]) -> Result<(), &'static str> {
        // Some servers end it with a zero, as C has text.
        let json = json.strip_suffix(&[0]).unwrap_or(json);
        let value: Value = serde_json::from_slice(json).map_err(|_| "TX_FREQ")?;
        let what = value.get("txpk").ok_or("TX_FREQ")?;
        let data = what.get("data").and_then(Value::as_str).and_then(base64::decode);
        let frame = data.filter(|frame| !frame.is_empty()).ok_or("TX_FREQ")?;
        if what.get("size").is_some_and(|size| size.as_u64() != Some(frame.len() as u64)) {
            return Err("TX_FREQ");
        }
        if what.get("imme").and_then(Value::as_bool) == Some(true) {
            self.air(now_ns, None, &frame);
            return Ok(());
        }
        let us = what.get("tmst").and_then(Value::as_u64).ok_or("TOO_LATE")? as u32;
        let ahead = us.wrapping_sub(micros(now_ns));
        if ahead > u32::MAX / 2 {
            return Err("TOO_LATE");
        }
        if ahead > AHEAD_US {
            return Err("TOO_EARLY");
        }
        let at_ns = now_ns.saturating_add(u64::from(ahead) * 1_000);
        self.planned.push(Planned { at_ns, us, bytes: frame });
        Ok(())
    }

    fn air(&mut self, now_ns: u64, us: Option<u32>, frame: &[u8]) {
        // All of them hear it, one takes it.
        let taken = self.devices.iter_mut().any(|device| device.hear(now_ns, us, frame));
        self.counts.heard += u64::from(taken);
        self.counts.unheard += u64::from(!taken);
    }
}

/// The gateway's counter of µs, which turns over after 71 minutes.
const fn micros(now_ns: u64) -> u32 {
    (now_ns / 1_000) as u32
}

impl Endpoint for Forwarder {
    fn due_ns(&self) -> Option<u64> {
        let devices = self.devices.iter().map(Device::due_ns);
        let planned = self.planned.iter().map(|planned| planned.at_ns);
        devices.chain(planned).chain([self.pull_ns]).min()
    }

    fn tick(&mut self, now_ns: u64) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        if self.pull_ns <= now_ns {
            let token = self.token();
            out.push(self.head(token, 0x02));
            self.counts.pulled += 1;
            self.pull_ns = now_ns.saturating_add(PULL_NS);
        }
        while let Some(n) = self.planned.iter().position(|planned| planned.at_ns <= now_ns) {
            let planned = self.planned.swap_remove(n);
            self.air(now_ns, Some(planned.us), &planned.bytes);
        }
        let us = micros(now_ns);
        for n in 0..self.devices.len() {
            let due = self.devices.get_mut(n).filter(|device| device.due_ns() <= now_ns);
            if let Some(frame) = due.and_then(|device| device.send(now_ns, us)) {
                out.push(self.push(us, &frame));
            }
        }
        out
    }

    fn datagram(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Vec<u8>> {
        let &[1 | 2, a, b, kind, ref json @ ..] = bytes else { return Vec::new() };
        match kind {
            0x01 => self.counts.push_acknowledged += 1,
            0x04 => self.counts.pull_acknowledged += 1,
            0x03 => {
                self.counts.asked += 1;
                let error = self.plan(now_ns, json).err();
                self.counts.refused += u64::from(error.is_some());
                let said = json!({"txpk_ack": {"error": error.unwrap_or("NONE")}});
                let mut answer = self.head([a, b], 0x05);
                answer.extend(said.to_string().into_bytes());
                return vec![answer];
            }
            _ => {}
        }
        Vec::new()
    }
}
