// SPDX-License-Identifier: MIT OR Apache-2.0
//! LoRaWAN devices that join: both versions, restarts, and everything that must not be let in.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/gateway.rs"]
mod gateway;

use std::net::SocketAddr;

use common::{S, bytes, errors, is_in_order, memories, readings, sent, strangers, vectors, volumes};
use gasd_meters::Error;
use gasd_meters::lorawan::payload::{GM2, Profile};
use gasd_meters::lorawan::{JoinAccept, JoinRequest, Key, Keys, Phy, Radio, Signed, join_integrity_key};
use gasd_ports::air::Air as _;
use gasd_ports::air::lorawan::{Activation, Device, Network, Region, Root, Settings};
use gasd_ports::air::{Event, NotRestored, Output};
use gateway::{Air, Asked, asked, data, gm2, keys_1_0, pull, up};
use proptest::prelude::*;

const KEY: u64 = 7;
const DEV_EUI: u64 = 0x1112_1314_1516_1718;
const JOIN_EUI: u64 = 0x0102_0304_0506_0708;

fn from() -> SocketAddr {
    "192.0.2.1:40000".parse().unwrap()
}

fn app_key() -> Key {
    Key::new([0x51; 16])
}

fn nwk_key() -> Key {
    Key::new([0x52; 16])
}

fn device(minor: u8) -> Device {
    let root = match minor {
        0 => Root::V1_0 { app_key: app_key() },
        _ => Root::V1_1 { nwk_key: nwk_key(), app_key: app_key() },
    };
    let activation = Activation::OverTheAir { join_eui: Some(JOIN_EUI), root };
    Device { key: KEY, dev_eui: DEV_EUI, activation, profile: *Profile::named(GM2).unwrap() }
}

fn network(minor: u8) -> Network {
    let settings = Settings { extra_hz: vec![867_100_000], delay_s: 2, net_id: 1, ..Settings::default() };
    let mut network = Network::new(settings, vec![device(minor)]);
    network.heard(0, from(), &pull(1));
    network
}

fn root(minor: u8) -> Key {
    if minor == 0 { app_key() } else { nwk_key() }
}

fn request(minor: u8, dev_nonce: u16) -> Vec<u8> {
    JoinRequest::build(JOIN_EUI, DEV_EUI, dev_nonce, &root(minor))
}

fn hear(network: &mut Network, at_ns: u64, bytes: &[u8]) -> Vec<Output> {
    network.heard(at_ns, from(), &Air::default().push(bytes))
}

/// What the device makes of the answer.
fn joined(minor: u8, dev_nonce: u16, answer: &Asked) -> (JoinAccept, Keys) {
    assert!(matches!(Phy::parse(&answer.frame), Ok(Phy::JoinAccept(_))));
    let integrity = join_integrity_key(&nwk_key(), DEV_EUI);
    let signed = Signed { key: &integrity, request: 0xFF, join_eui: JOIN_EUI, dev_nonce };
    let accept = JoinAccept::open(&answer.frame, &root(minor), Some(signed)).unwrap();
    assert_eq!(accept.settings & 0x80 != 0, minor == 1);
    let keys = match minor {
        0 => accept.keys_1_0(&app_key(), dev_nonce),
        _ => accept.keys_1_1(&nwk_key(), &app_key(), JOIN_EUI, dev_nonce),
    };
    (accept, keys)
}

fn radio(minor: u8) -> Radio {
    Radio { acknowledged: 0, data_rate: 5 * minor, channel: 0 }
}

#[test]
fn a_device_joins_and_is_read() {
    for minor in [0, 1] {
        let mut network = network(minor);
        let out = hear(&mut network, S, &request(minor, 100));
        assert!(is_in_order(&out[1..]) && memories(&out).len() == 1, "kept before it is answered");
        let answer = asked(&out).remove(0);
        assert_eq!((&answer.txpk["tmst"], &answer.txpk["freq"]), (&6_000_000.into(), &868.1.into()));
        let (accept, keys) = joined(minor, 100, &answer);
        assert_eq!((accept.join_nonce, accept.net_id, accept.delay), (1, 1, 2));
        assert_eq!((accept.dev_addr >> 25, accept.frequencies_hz()), (1, vec![867_100_000]));
        let frame = up(&keys, accept.dev_addr, 0, true, &gm2(70), radio(minor));
        let out = hear(&mut network, 10 * S, &frame);
        assert_eq!(volumes(&out), [700_000_000]);
        let answer = asked(&out).remove(0);
        assert_eq!(answer.txpk["tmst"], 3_000_000, "the window that it was told of");
        assert!(keys.open(&data(&answer.frame), 0, Radio::default()).is_ok());
        // It joins anew: the session before goes on until the new one is used.
        let out = hear(&mut network, 20 * S, &request(minor, 101));
        let (again, new_keys) = joined(minor, 101, &asked(&out)[0]);
        assert_eq!((again.join_nonce, again.dev_addr), (2, accept.dev_addr));
        let frame = up(&keys, accept.dev_addr, 1, false, &gm2(71), radio(minor));
        assert_eq!(volumes(&hear(&mut network, 30 * S, &frame)), [710_000_000]);
        let frame = up(&new_keys, again.dev_addr, 0, false, &gm2(72), radio(minor));
        assert_eq!(volumes(&hear(&mut network, 40 * S, &frame)), [720_000_000]);
        let old = up(&keys, accept.dev_addr, 2, false, &gm2(73), radio(minor));
        assert_eq!(errors(&hear(&mut network, 50 * S, &old)), [(KEY, Error::Mac)], "it is over");
    }
}

#[test]
fn no_join_counts_twice() {
    for minor in [0, 1] {
        let mut network = network(minor);
        assert_eq!(asked(&hear(&mut network, 0, &request(minor, 5))).len(), 1);
        let other = Air { gateway: 2, ..Air::default() }.push(&request(minor, 5));
        network.heard(0, from(), &pull(2));
        let out = network.heard(S, from(), &other);
        assert!(asked(&out).is_empty() && errors(&out).is_empty(), "another gateway has heard it, too");
        let out = hear(&mut network, 60 * S, &request(minor, 5));
        assert_eq!(errors(&out), [(KEY, Error::Replay { got: 5, last: 5 })]);
        assert!(asked(&out).is_empty() && memories(&out).is_empty());
        // Nor after a restart, and the numbers of the network go on.
        let kept = network.memory(KEY);
        let mut after = self::network(minor);
        after.restore(KEY, &kept, 0).unwrap();
        assert_eq!(errors(&hear(&mut after, S, &request(minor, 5)))[0].1.kind(), "replay");
        let out = hear(&mut after, 2 * S, &request(minor, 4));
        assert_eq!(joined(minor, 4, &asked(&out)[0]).0.join_nonce, 2);
    }
}

#[test]
fn a_session_outlives_a_restart() {
    for minor in [0, 1] {
        let mut before = network(minor);
        let out = hear(&mut before, 0, &request(minor, 9));
        let (accept, keys) = joined(minor, 9, &asked(&out)[0]);
        // Before it is used, and after.
        let mut unused = network(minor);
        unused.restore(KEY, &memories(&out)[0].1, 0).unwrap();
        let frame = |counter| up(&keys, accept.dev_addr, counter, false, &gm2(counter), radio(minor));
        assert_eq!(volumes(&hear(&mut unused, S, &frame(0))).len(), 1);
        let out = hear(&mut before, S, &frame(3));
        let mut used = network(minor);
        let kept = memories(&out).remove(0).1;
        used.restore(KEY, &kept, 0).unwrap();
        assert_eq!(errors(&hear(&mut used, 2 * S, &frame(3))), [(KEY, Error::Replay { got: 3, last: 3 })]);
        assert_eq!(volumes(&hear(&mut used, 3 * S, &frame(4))).len(), 1);
        assert_eq!(network(1 - minor).restore(KEY, &kept, 0), Err(NotRestored::OtherKey));
        for end in 1..kept.len() {
            assert_eq!(
                network(minor).restore(KEY, &kept[..end], 0),
                Err(NotRestored::Damaged),
                "{end} bytes"
            );
        }
        // The keys are in what is kept, and nowhere else.
        let (Keys::V1_0 { network: key, .. } | Keys::V1_1 { forwarding: key, .. }) = &keys;
        assert!(kept.windows(16).any(|window| window == key.expose()));
        let digits = gasd_meters::hex::Hex(key.expose()).to_string();
        let listed = format!("{:?}", key.expose());
        for shown in [
            format!("{out:?}"),
            format!("{:?}", device(minor)),
            format!("{:?}", Event::Memory { key: KEY, bytes: kept }),
        ] {
            assert!(!shown.contains(&digits) && !shown.contains(listed.trim_matches(['[', ']'])), "{shown}");
        }
    }
}

#[test]
fn who_must_not_join_does_not() {
    let mut network = network(0);
    let wrong = JoinRequest::build(JOIN_EUI, DEV_EUI, 1, &nwk_key());
    let out = hear(&mut network, 0, &wrong);
    assert_eq!(errors(&out), [(KEY, Error::Mac)]);
    assert!(asked(&out).is_empty());
    let mut altered = request(0, 1);
    altered[17] ^= 1;
    assert_eq!(errors(&hear(&mut network, S, &altered)), [(KEY, Error::Mac)]);
    let other = JoinRequest::build(1, DEV_EUI, 1, &app_key());
    assert_eq!(errors(&hear(&mut network, 2 * S, &other))[0].1.kind(), "answer_mismatch");
    let stranger = JoinRequest::build(JOIN_EUI, 0xAB, 1, &app_key());
    let out = hear(&mut network, 3 * S, &stranger);
    assert_eq!(strangers(&out), ["dev_eui = \"00000000000000AB\""]);
    assert!(network.strangers().iter().next().unwrap().words.contains("-97 dBm"));
    // None of this has used the number up.
    assert_eq!(asked(&hear(&mut network, 10 * S, &request(0, 1))).len(), 1);
    // A gateway that cannot be reached uses none up either, and keeps no other from answering.
    let out = network.heard(20 * S, from(), &Air { gateway: 9, ..Air::default() }.push(&request(0, 2)));
    assert!(memories(&out).is_empty() && errors(&out).is_empty());
    assert_eq!(asked(&hear(&mut network, 20 * S, &request(0, 2))).len(), 1);
}

#[test]
fn addresses_of_devices_that_join_are_their_own() {
    let devices = (0..4u64).map(|n| {
        let root = Root::V1_0 { app_key: app_key() };
        // All four would have the same address.
        let dev_eui = n << 50 | n;
        let activation = Activation::OverTheAir { join_eui: None, root };
        Device { key: n, dev_eui, activation, profile: *Profile::named(GM2).unwrap() }
    });
    let mut network =
        Network::new(Settings { region: Region::Cn470, ..Settings::default() }, devices.collect());
    network.heard(0, from(), &pull(1));
    let mut addresses: Vec<u32> = (0..4u64)
        .map(|n| {
            let request = JoinRequest::build(JOIN_EUI, n << 50 | n, 1, &app_key());
            let air = Air { freq: 470.3, ..Air::default() };
            let answer = asked(&network.heard(n, from(), &air.push(&request))).remove(0);
            assert_eq!(answer.txpk["freq"], 500.3);
            JoinAccept::open(&answer.frame, &app_key(), None).unwrap().dev_addr
        })
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 4);
}

/// Frames by others, as a gateway would hand them on.
#[test]
fn frames_by_others() {
    let Some(lines) = vectors("lorawan/frames.jsonl") else { return };
    let key = |line: &serde_json::Value, name: &str| line["keys"][name].as_str().and_then(Key::from_hex);
    let (mut read, mut refused, mut joins) = (0, 0, 0);
    for line in &lines {
        let (id, wire) = (line["id"].as_str().unwrap(), bytes(line, "hex"));
        match Phy::parse(&wire) {
            Ok(Phy::Data(frame)) if frame.direction == gasd_meters::lorawan::Direction::Up => {
                let (Some(nwk), "data-1.0") = (key(line, "NwkSKey"), line["kind"].as_str().unwrap()) else {
                    continue;
                };
                let keys = Keys::V1_0 { network: nwk, application: key(line, "AppSKey") };
                let counter = line["expect"]["fcnt32"].as_u64().unwrap_or(frame.counter.into());
                let activation = Activation::Personal { dev_addr: frame.dev_addr, keys };
                let profile = *Profile::named(GM2).unwrap();
                let mut network = Network::new(
                    Settings::default(),
                    vec![Device { key: KEY, dev_eui: 1, activation, profile }],
                );
                let out = hear(&mut network, 0, &wire);
                if line["expect"]["mic_valid"] == false {
                    assert_eq!(errors(&out), [(KEY, Error::Mac)], "{id}");
                    refused += 1;
                    continue;
                }
                assert_eq!(counter >> 16, 0, "{id}");
                // None of them is a gas meter's: what is wrong is its payload, and the counter is kept.
                assert!(memories(&out).len() == 1 && readings(&out).is_empty(), "{id}");
                assert!(errors(&out).iter().all(|(_, error)| *error != Error::Mac), "{id}: {out:?}");
                assert_eq!(errors(&hear(&mut network, 4_000 * S, &wire))[0].1.kind(), "replay", "{id}");
                read += 1;
            }
            Ok(Phy::JoinRequest(request)) => {
                let Some(app_key) = key(line, "AppKey") else { continue };
                let root = Root::V1_0 { app_key };
                let activation = Activation::OverTheAir { join_eui: Some(request.join_eui), root };
                let profile = *Profile::named(GM2).unwrap();
                let device = Device { key: KEY, dev_eui: request.dev_eui, activation, profile };
                let mut network = Network::new(Settings::default(), vec![device]);
                network.heard(0, from(), &pull(1));
                assert_eq!(asked(&hear(&mut network, 0, &wire)).len(), 1, "{id}");
                joins += 1;
            }
            _ => {
                let mut network = self::network(0);
                let out = hear(&mut network, 0, &wire);
                assert!(
                    sent(&out).len() == 1 && readings(&out).is_empty() && memories(&out).is_empty(),
                    "{id}"
                );
            }
        }
    }
    println!("{read} opened, {refused} refused, {joins} joined");
    assert!(read >= 5 && refused >= 2 && joins >= 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_datagram_is_something_or_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8),
        kind in 0..6u8,
    ) {
        let mut network = network(1);
        let _ = network.heard(0, from(), &bytes);
        let _ = network.heard(0, from(), &[&[2, 0, 0, kind, 0, 0, 0, 0, 0, 0, 0, 1][..], &bytes].concat());
        for frame in &frames {
            let out = hear(&mut network, 0, frame);
            // One acknowledgement, and one thing for each device and session at most.
            prop_assert!(out.len() <= 3, "{:?}", out);
            prop_assert!(readings(&out).is_empty());
        }
        let _ = network.restore(KEY, &bytes, 0);
        let _ = network.restore(KEY, &[&[1, 1][..], &bytes].concat(), 0);
        let kept = network.memory(KEY);
        prop_assert!(network.restore(KEY, &kept, 0).is_ok());
        prop_assert!(network.strangers().iter().count() <= 32);
    }

    #[test]
    fn a_lossy_way_never_reads_twice(seed in prop::collection::vec((0..30u32, 0..3u64, any::<bool>()), 0..60)) {
        let keys = keys_1_0(1);
        let activation = Activation::Personal { dev_addr: 1, keys: keys_1_0(1) };
        let profile = *Profile::named(GM2).unwrap();
        let mut network = Network::new(Settings::default(), vec![Device { key: KEY, dev_eui: 1, activation, profile }]);
        let mut last = None;
        for (n, (counter, gateway, restart)) in seed.into_iter().enumerate() {
            let frame = up(&keys, 1, counter, false, &gm2(counter), Radio::default());
            let out = network.heard(n as u64 * S, from(), &Air { gateway, ..Air::default() }.push(&frame));
            for volume in volumes(&out) {
                prop_assert!(last.is_none_or(|last| volume > last));
                last = Some(volume);
            }
            if restart {
                let kept = network.memory(KEY);
                let activation = Activation::Personal { dev_addr: 1, keys: keys_1_0(1) };
                network = Network::new(Settings::default(), vec![Device { key: KEY, dev_eui: 1, activation, profile }]);
                network.restore(KEY, &kept, 0).unwrap();
            }
        }
    }
}
