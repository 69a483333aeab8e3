// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gateway's packet forwarder, and what it is asked to send.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::net::SocketAddr;

use gasd_meters::lorawan::{DataFrame, Direction, Draft, Key, Keys, Phy, Radio};
use gasd_ports::air::Output;
use serde_json::{Value, json};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let word =
            part.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for n in 0..4 {
            let digit = char::from(ALPHABET[(word >> (18 - 6 * n) & 0x3F) as usize]);
            text.push(if n <= part.len() { digit } else { '=' });
        }
    }
    text
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |digit: u8| ALPHABET.iter().position(|known| *known == digit).unwrap() as u32;
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        word = word << 6 | value(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
        }
    }
    bytes
}

/// A datagram of a gateway of this number.
fn datagram(kind: u8, gateway: u64, json: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0x12, 0x34, kind];
    bytes.extend(gateway.to_be_bytes());
    bytes.extend(json);
    bytes
}

pub fn pull(gateway: u64) -> Vec<u8> {
    datagram(2, gateway, b"")
}

/// What became of a transmission.
pub fn tx_ack(gateway: u64, token: [u8; 2], error: &str) -> Vec<u8> {
    let json = json!({ "txpk_ack": { "error": error } }).to_string();
    let mut bytes = datagram(5, gateway, json.as_bytes());
    bytes[1..3].copy_from_slice(&token);
    bytes
}

/// A frame as a gateway heard it.
pub struct Air {
    pub gateway: u64,
    pub tmst: u32,
    pub freq: f64,
    pub datr: &'static str,
}

impl Default for Air {
    fn default() -> Self {
        Self { gateway: 1, tmst: 1_000_000, freq: 868.1, datr: "SF7BW125" }
    }
}

impl Air {
    pub fn push(&self, frame: &[u8]) -> Vec<u8> {
        let json = json!({ "rxpk": [{
            "tmst": self.tmst, "chan": 2, "rfch": 0, "freq": self.freq, "stat": 1, "modu": "LORA",
            "datr": self.datr, "codr": "4/5", "rssi": -97, "lsnr": 5.1,
            "size": frame.len(), "data": base64(frame),
        }] });
        datagram(0, self.gateway, json.to_string().as_bytes())
    }
}

/// What a gateway is asked to send.
pub struct Asked {
    pub to: SocketAddr,
    pub token: [u8; 2],
    pub txpk: Value,
    pub frame: Vec<u8>,
}

/// The requests to send among outputs; acknowledgements are none.
pub fn asked(outputs: &[Output]) -> Vec<Asked> {
    super::common::sent(outputs)
        .into_iter()
        .filter(|(_, bytes)| bytes[3] == 3)
        .map(|(to, bytes)| {
            let json: Value = serde_json::from_slice(&bytes[4..]).unwrap();
            let txpk = json["txpk"].clone();
            let frame = unbase64(txpk["data"].as_str().unwrap());
            assert_eq!(txpk["size"], frame.len());
            Asked { to, token: [bytes[1], bytes[2]], txpk, frame }
        })
        .collect()
}

pub fn data(bytes: &[u8]) -> DataFrame<'_> {
    match Phy::parse(bytes) {
        Ok(Phy::Data(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

pub fn keys_1_0(n: u8) -> Keys {
    Keys::V1_0 { network: Key::new([n; 16]), application: Some(Key::new([n + 1; 16])) }
}

pub fn keys_1_1(n: u8) -> Keys {
    let key = |m: u8| Key::new([n + m; 16]);
    Keys::V1_1 { forwarding: key(0), serving: key(2), encryption: key(3), application: Some(key(1)) }
}

/// A payload of `vega-gm2` with this register, hundredths of a m³.
pub fn gm2(register: u32) -> Vec<u8> {
    let mut bytes = vec![99, 0, 0, 0, 0, 20, 1, 0, 0, 0, 0, 0, 0];
    bytes.extend(register.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes
}

/// A frame of a device.
pub fn up(
    keys: &Keys,
    dev_addr: u32,
    counter: u32,
    confirmed: bool,
    payload: &[u8],
    radio: Radio,
) -> Vec<u8> {
    let draft = Draft {
        direction: Direction::Up,
        confirmed,
        dev_addr,
        control: 0,
        counter,
        options: &[],
        payload: Some((2, payload)),
    };
    draft.seal(keys, radio).unwrap()
}
