// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated LoRaWAN devices behind a packet forwarder, heard by a network made of gasd-meters' parts.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::collections::HashMap;
use std::net::UdpSocket;
use std::time::Duration;

use common::{MS, SECOND, truth};
use gasd_lab::Shared;
use gasd_lab::lorawan::{Activation, Counts, Device, Forwarder, Payload, Settings};
use gasd_lab::loss::{Loss, Lossy};
use gasd_lab::truth::look;
use gasd_lab::udp::Peer;
use gasd_meters::lorawan::payload::Profile;
use gasd_meters::lorawan::{
    Counter, Datagram, Direction, Draft, JoinAccept, Key, Keys, Phy, Radio, Session, Transmission, When,
};
use gasd_meters::{Kind, Valve};

const GATEWAY: u64 = 0xAA55_5A00_0000_0101;

fn key(n: u64) -> Key {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Key::new(bytes)
}

/// Devices with sessions from the start (even) and such that join (odd), of either make.
fn devices(n: u64, change: impl Fn(Settings) -> Settings) -> (Vec<Device>, Vec<Shared>) {
    let truths: Vec<Shared> = (0..n).map(truth).collect();
    let devices = (0..n).zip(&truths).map(|(n, truth)| {
        let activation = match n % 2 {
            0 => Activation::Session {
                dev_addr: n as u32,
                network: key(100 + n),
                application: key(200 + n),
                counter: 0xFFFE,
            },
            _ => Activation::Join { join_eui: 1, key: key(n) },
        };
        let settings = change(Settings {
            dev_eui: n,
            activation,
            payload: if n % 4 < 2 { Payload::Ugm } else { Payload::Gm2 },
            every_ns: 60 * SECOND,
            confirmed: false,
            always_listens: false,
            unheard_ppm: 0,
        });
        Device::new(settings, truth.clone(), n * 700 * MS, n)
    });
    (devices.collect(), truths)
}

/// A network: its sessions, and what it was told.
#[derive(Default)]
struct Network {
    sessions: HashMap<u32, (Session, u32)>,
    told: HashMap<u32, Vec<(i64, Option<Valve>)>>,
    token: u8,
    /// Answers each frame with one on this port.
    answer: Option<u8>,
    acks: Vec<String>,
    replays: u32,
}

impl Network {
    fn new(n: u64) -> Self {
        let mut network = Self::default();
        for n in (0..n).step_by(2) {
            let keys = Keys::V1_0 { network: key(100 + n), application: Some(key(200 + n)) };
            let session = Session { dev_addr: n as u32, keys, up: Counter::after(0xFFFD) };
            network.sessions.insert(n as u32, (session, 0));
        }
        network
    }

    fn send(&mut self, frame: &[u8], when: When) -> Vec<u8> {
        self.token = self.token.wrapping_add(1);
        let transmission = Transmission {
            frame,
            when,
            frequency_hz: 868_100_000,
            radio: 0,
            power_dbm: 14,
            data_rate: "SF9BW125",
            coding: "4/5",
        };
        Datagram::send([self.token, 1], &transmission).unwrap()
    }

    fn heard(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let datagram = Datagram::parse(bytes).unwrap();
        let mut out: Vec<Vec<u8>> = datagram.acknowledgement().iter().map(|ack| ack.to_vec()).collect();
        match datagram {
            Datagram::Push { heard, gateway, .. } => {
                assert_eq!(gateway, GATEWAY);
                for frame in heard.frames {
                    let frame = frame.unwrap();
                    out.extend(self.frame(&frame.frame, frame.timestamp_us.unwrap()));
                }
            }
            Datagram::Sent { error, .. } => self.acks.push(error.unwrap_or_default()),
            Datagram::Pull { .. } => {}
        }
        out
    }

    fn frame(&mut self, bytes: &[u8], us: u32) -> Option<Vec<u8>> {
        match Phy::parse(bytes).unwrap() {
            Phy::JoinRequest(request) => {
                let n = request.dev_eui;
                request.verify(&key(n)).unwrap();
                let dev_addr = 0x100 + n as u32;
                let accept = JoinAccept {
                    join_nonce: u32::from(request.dev_nonce),
                    net_id: 1,
                    dev_addr,
                    settings: 0,
                    delay: 1,
                    channels: None,
                };
                let keys = accept.keys_1_0(&key(n), request.dev_nonce);
                self.sessions.insert(dev_addr, (Session { dev_addr, keys, up: Counter::new() }, 0));
                Some(self.send(&accept.build(&key(n), None), When::At(us.wrapping_add(5_000_000))))
            }
            Phy::Data(frame) => {
                let (session, down) = self.sessions.get_mut(&frame.dev_addr)?;
                let answer = match session.open(&frame, Radio::default()) {
                    Ok(opened) => {
                        let device = u64::from(frame.dev_addr & 0xFF);
                        let payload = if device % 4 < 2 { Payload::Ugm } else { Payload::Gm2 };
                        let profile = Profile::named(payload.profile()).unwrap();
                        let payload = opened.payload.unwrap();
                        let readings = profile.decode(opened.port.unwrap(), &payload, &mut ()).unwrap();
                        let reading = &readings[0];
                        let volume = reading.get(Kind::Volume).unwrap().volume_ul().unwrap();
                        self.told.entry(frame.dev_addr).or_default().push((volume, reading.valve));
                        true
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), "replay");
                        self.replays += 1;
                        frame.confirmed
                    }
                };
                let port = self.answer;
                if !answer || !(frame.confirmed || port.is_some()) {
                    return None;
                }
                let draft = Draft {
                    direction: Direction::Down,
                    confirmed: false,
                    dev_addr: frame.dev_addr,
                    control: if frame.confirmed { 0x20 } else { 0 },
                    counter: *down,
                    options: &[],
                    payload: port.map(|port| (port, &b"down"[..])),
                };
                *down += 1;
                let air = draft.seal(&session.keys, Radio::default()).unwrap();
                Some(self.send(&air, When::At(us.wrapping_add(1_000_000))))
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Lets `peer` and `network` speak until `until_ns`; an answer is `delay_ns` on its way.
fn run(peer: &mut Lossy<Forwarder>, network: &mut Network, until_ns: u64, delay_ns: u64) {
    let mut under_way: Vec<(u64, Vec<u8>)> = Vec::new();
    while let Some(now) = [peer.due_ns(), under_way.iter().map(|(at, _)| *at).min()]
        .into_iter()
        .flatten()
        .min()
        .filter(|due| *due <= until_ns)
    {
        while let Some(n) = under_way.iter().position(|(at, _)| *at <= now) {
            peer.sent(now, under_way.swap_remove(n).1);
        }
        for datagram in peer.take(now) {
            under_way.extend(network.heard(&datagram).into_iter().map(|answer| (now + delay_ns, answer)));
        }
    }
}

#[test]
fn sessions_joins_and_both_makes_are_read() {
    let (devices, truths) = devices(8, |s| s);
    let mut peer = Lossy::new(Forwarder::new(GATEWAY, devices, 0, 1), Loss::default());
    let mut network = Network::new(8);
    run(&mut peer, &mut network, 605 * SECOND, 50 * MS);
    assert!(peer.endpoint.devices().iter().all(Device::is_joined));
    for (n, truth) in (0u32..).zip(&truths) {
        let told = &network.told[&if n % 2 == 0 { n } else { 0x100 + n }];
        let really: Vec<i64> = look(truth).answered().iter().map(|(_, ul)| *ul as i64).collect();
        assert_eq!(told.iter().map(|(ul, _)| *ul).collect::<Vec<_>>(), really, "device {n}");
        assert!(told.len() >= 9);
        assert_eq!(told[0].1, (n % 4 < 2).then_some(Valve::Open));
    }
    let counts = peer.endpoint.counts();
    assert_eq!((counts.pushed, counts.pulled), (counts.push_acknowledged, counts.pull_acknowledged));
    assert_eq!((counts.asked, counts.heard, counts.refused, counts.unheard), (4, 4, 0, 0));
    assert_eq!(peer.lost().0, 0);
}

#[test]
fn downlinks_are_heard_in_their_windows_alone() {
    let counts = |delay_ns, always_listens| -> (Counts, usize, usize) {
        let (devices, _) = devices(1, |s| Settings { always_listens, ..s });
        let mut peer = Lossy::new(Forwarder::new(GATEWAY, devices, 0, 1), Loss::default());
        let mut network = Network { answer: Some(7), ..Network::new(1) };
        run(&mut peer, &mut network, 590 * SECOND, delay_ns);
        let late = network.acks.iter().filter(|why| *why == "TOO_LATE").count();
        let heard = peer.endpoint.devices()[0].heard();
        assert!(heard.iter().all(|down| down.port == Some(7) && down.payload == b"down"));
        (peer.endpoint.counts(), heard.len(), late)
    };
    let (in_time, heard, late) = counts(100 * MS, false);
    assert_eq!((in_time.asked, in_time.heard, heard, late), (10, 10, 10, 0));
    let (too_late, heard, late) = counts(1_100 * MS, false);
    assert_eq!((too_late.refused, too_late.heard, heard, late), (10, 0, 0, 10));
    // At once: heard by a device that always listens, and by no other.
    for (always_listens, wanted) in [(true, 1), (false, 0)] {
        let (devices, _) = devices(1, |s| Settings { always_listens, ..s });
        let mut peer = Lossy::new(Forwarder::new(GATEWAY, devices, 0, 1), Loss::default());
        let mut network = Network::new(1);
        run(&mut peer, &mut network, 30 * SECOND, 50 * MS);
        let keys = Keys::V1_0 { network: key(100), application: Some(key(200)) };
        let draft = Draft {
            direction: Direction::Down,
            confirmed: false,
            dev_addr: 0,
            control: 0,
            counter: 5,
            options: &[],
            payload: Some((3, b"now")),
        };
        let air = draft.seal(&keys, Radio::default()).unwrap();
        for _ in 0..2 {
            peer.sent(31 * SECOND, network.send(&air, When::Now));
            run(&mut peer, &mut network, 32 * SECOND, 50 * MS);
        }
        assert_eq!(peer.endpoint.devices()[0].heard().len(), wanted, "and only once");
        assert_eq!(peer.endpoint.counts().unheard, 2 - wanted as u64);
    }
}

#[test]
fn what_is_lost_is_sent_again_and_comes_once() {
    let loss = Loss { drop_ppm: 150_000, duplicate_ppm: 100_000, reorder_ppm: 50_000, seed: 5 };
    let (devices, truths) = devices(4, |s| Settings { confirmed: true, unheard_ppm: 100_000, ..s });
    let mut peer = Lossy::new(Forwarder::new(GATEWAY, devices, 0, 1), loss);
    let mut network = Network::new(4);
    run(&mut peer, &mut network, 3_600 * SECOND, 100 * MS);
    assert!(peer.lost().0 > 50 && network.replays > 10, "{:?} {}", peer.lost(), network.replays);
    for (n, truth) in (0u32..).zip(&truths) {
        let told: Vec<i64> =
            network.told[&if n % 2 == 0 { n } else { 0x100 + n }].iter().map(|(ul, _)| *ul).collect();
        let really: Vec<i64> = look(truth).answered().iter().map(|(_, ul)| *ul as i64).collect();
        // Each value once, in its order, and hardly one is missing after eight times.
        let mut rest = really.iter();
        assert!(told.iter().all(|ul| rest.any(|other| other == ul)), "device {n}");
        assert!(told.len() + 2 >= really.len(), "{} of {}", told.len(), really.len());
    }
}

#[test]
fn a_device_that_forgets_joins_anew() {
    let (devices, _) = devices(2, |s| s);
    let mut peer = Lossy::new(Forwarder::new(GATEWAY, devices, 0, 1), Loss::default());
    let mut network = Network::new(2);
    run(&mut peer, &mut network, 100 * SECOND, 50 * MS);
    peer.endpoint.devices_mut()[1].forget(100 * SECOND);
    assert!(!peer.endpoint.devices()[1].is_joined());
    run(&mut peer, &mut network, 200 * SECOND, 50 * MS);
    assert_eq!((peer.endpoint.devices()[1].joins(), peer.endpoint.devices()[0].joins()), (2, 0));
}

#[test]
fn a_seed_is_a_course() {
    let course = |seed| {
        let loss = Loss { drop_ppm: 100_000, duplicate_ppm: 50_000, reorder_ppm: 50_000, seed };
        let (devices, _) = devices(4, |s| s);
        let mut peer = Lossy::new(Forwarder::new(GATEWAY, devices, 0, seed), loss);
        let mut all = Vec::new();
        while let Some(now) = peer.due_ns().filter(|due| *due < 300 * SECOND) {
            all.push((now, peer.take(now)));
        }
        all
    };
    assert_eq!(course(1), course(1));
    assert_ne!(course(1), course(2));
}

#[test]
fn over_a_socket() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let now = gasd_lab::clock::now_ns();
    let device = |n| {
        let activation = Activation::Session {
            dev_addr: n,
            network: key(100 + u64::from(n)),
            application: key(200 + u64::from(n)),
            counter: 0xFFFE,
        };
        let settings = Settings {
            dev_eui: n.into(),
            activation,
            payload: Payload::Ugm,
            every_ns: 50 * MS,
            confirmed: false,
            always_listens: false,
            unheard_ppm: 0,
        };
        Device::new(settings, truth(0), now, n.into())
    };
    let forwarder = Forwarder::new(GATEWAY, vec![device(0)], now, 1);
    let peer = Peer::open(server.local_addr().unwrap(), Lossy::new(forwarder, Loss::default())).unwrap();
    let mut network = Network::new(1);
    let mut buffer = [0; 2048];
    while network.told.get(&0).map_or(0, Vec::len) < 3 {
        let (n, from) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(from.port(), peer.local().port());
        for answer in network.heard(&buffer[..n]) {
            server.send_to(&answer, from).unwrap();
        }
    }
    assert!(peer.endpoint().endpoint.counts().push_acknowledged >= 1);
}

proptest::proptest! {
    #[test]
    fn no_forwarder_breaks_whatever_it_hears(
        datagrams in proptest::collection::vec((0u8..6, "(\\{\"txpk\":\\{\"(imme|tmst)\":(true|[0-9]{1,12}),\"data\":\"[A-Za-z0-9+/=]{0,40}\"\\}\\})|.{0,40}", 0u64..90), 1..30),
    ) {
        let (devices, _) = devices(4, |s| Settings { always_listens: true, ..s });
        let mut peer = Lossy::new(Forwarder::new(GATEWAY, devices, 0, 1), Loss::default());
        let mut now = 0;
        for (kind, json, wait) in datagrams {
            peer.take(now);
            peer.sent(now, [&[2, 0, 0, kind][..], json.as_bytes()].concat());
            peer.sent(now, json.into_bytes());
            peer.take(now);
            now += wait * SECOND;
        }
    }
}
