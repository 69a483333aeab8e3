// SPDX-License-Identifier: MIT OR Apache-2.0
//! LoRaWAN from the gateway's datagram to the reading: sessions, replays, answers, restarts.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/gateway.rs"]
mod gateway;

use std::net::SocketAddr;

use common::{S, errors, is_in_order, memories, readings, sent, strangers, volumes};
use gasd_meters::Error;
use gasd_meters::lorawan::payload::{GM2, Profile};
use gasd_meters::lorawan::{Direction, Draft, Key, Keys, Radio};
use gasd_ports::air::lorawan::{Activation, Device, Network, Region, Settings, words};
use gasd_ports::air::{Air as _, NotRestored};
use gateway::{Air, asked, data, gm2, keys_1_0, keys_1_1, pull, tx_ack, up};

const ADDR: u32 = 0x2601_1234;
const KEY: u64 = 7;

fn from() -> SocketAddr {
    "192.0.2.1:40000".parse().unwrap()
}

fn device(key: u64, dev_addr: u32, keys: Keys) -> Device {
    let profile = *Profile::named(GM2).unwrap();
    Device { key, dev_eui: 0xA0 + key, activation: Activation::Personal { dev_addr, keys }, profile }
}

fn network(keys: Keys) -> Network {
    Network::new(Settings::default(), vec![device(KEY, ADDR, keys)])
}

fn frame(counter: u32) -> Vec<u8> {
    up(&keys_1_0(1), ADDR, counter, false, &gm2(1_000 + counter), Radio::default())
}

fn hear(network: &mut Network, at_ns: u64, bytes: &[u8]) -> Vec<gasd_ports::air::Output> {
    network.heard(at_ns, from(), &Air::default().push(bytes))
}

#[test]
fn a_frame_is_a_reading() {
    let mut network = network(keys_1_0(1));
    let out = hear(&mut network, 5, &frame(1));
    assert_eq!(sent(&out), [(from(), vec![2, 0x12, 0x34, 1])], "PUSH_ACK, and no answer");
    assert_eq!(volumes(&out), [10_010_000_000]);
    let (key, reading) = readings(&out)[0];
    assert_eq!((key, reading.meter.radio_id.as_deref()), (KEY, Some("00000000000000A7")));
    assert_eq!(memories(&out).len(), 1);
    assert!(is_in_order(&out[1..]));
    // Commands of the network alone are no reading and no failure.
    let empty = Draft {
        direction: Direction::Up,
        confirmed: false,
        dev_addr: ADDR,
        control: 0,
        counter: 2,
        options: &[],
        payload: None,
    };
    let out = hear(&mut network, 5 * S, &empty.seal(&keys_1_0(1), Radio::default()).unwrap());
    assert!(readings(&out).is_empty() && errors(&out).is_empty() && memories(&out).len() == 1);
    let counts = network.counts();
    assert_eq!((counts.heard, counts.read, counts.failed), (2, 1, 0));
}

#[test]
fn a_wrong_key_an_altered_frame_and_a_replay_say_what_they_are() {
    let mut wrong = network(keys_1_0(5));
    let out = hear(&mut wrong, 0, &frame(1));
    assert_eq!(errors(&out), [(KEY, Error::Mac)]);
    assert!(readings(&out).is_empty() && memories(&out).is_empty());
    assert!(words(&Error::Mac).contains("wrong key") && words(&Error::Mac).contains("same address"));

    let mut right = network(keys_1_0(1));
    let first = frame(1);
    for at in 0..first.len() * 8 {
        let mut altered = first.clone();
        altered[at / 8] ^= 1 << (at % 8);
        let out = hear(&mut right, at as u64 * 10 * S, &altered);
        assert!(readings(&out).is_empty() && memories(&out).is_empty(), "bit {at}");
        assert!(errors(&out).iter().all(|(_, error)| *error == Error::Mac), "bit {at}");
    }
    let at_ns = 100_000 * S;
    assert_eq!(volumes(&hear(&mut right, at_ns, &first)).len(), 1, "the counter is where it was");
    assert_eq!(volumes(&hear(&mut right, at_ns + S, &frame(3))).len(), 1);
    for (replayed, later_ns) in [(1, 2 * S), (2, 3 * S), (3, 90 * S)] {
        let out = hear(&mut right, at_ns + later_ns, &frame(replayed));
        assert_eq!(errors(&out), [(KEY, Error::Replay { got: replayed, last: 3 })]);
        assert!(readings(&out).is_empty());
    }
    // Where the payload's key is missing, the MIC is right all the same.
    let mut blind = network(Keys::V1_0 { network: Key::new([1; 16]), application: None });
    assert_eq!(errors(&hear(&mut blind, 0, &frame(1))), [(KEY, Error::KeyMissing)]);
    // A payload that is none of the profile's is told with its error, and its counter is taken.
    let bad = up(&keys_1_0(1), ADDR, 20, false, &[1, 2, 3], Radio::default());
    let out = hear(&mut right, at_ns + 200 * S, &bad);
    assert_eq!((errors(&out)[0].1.kind(), memories(&out).len()), ("truncated", 1));
}

#[test]
fn a_device_without_joins_goes_on_wherever_its_counter_is() {
    // It was at work for long before it was configured here.
    let mut network = network(keys_1_0(1));
    let out = hear(&mut network, S, &frame(0x3_0005));
    assert_eq!((volumes(&out).len(), errors(&out)), (1, vec![]));
    // And was not heard for long, over a restart.
    let kept = memories(&out)[0].1.clone();
    let mut after = self::network(keys_1_0(1));
    after.restore(KEY, &kept, 0).unwrap();
    assert_eq!(volumes(&hear(&mut after, 100 * S, &frame(0x5_0000))).len(), 1);
    let out = hear(&mut after, 200 * S, &frame(0x4_FFFF));
    assert!(readings(&out).is_empty() && errors(&out).len() == 1, "never back");
}

#[test]
fn two_gateways_hear_one_frame() {
    let mut network = network(keys_1_0(1));
    let both = |network: &mut Network, at_ns: u64, bytes: &[u8]| {
        let mut out = network.heard(at_ns, from(), &Air::default().push(bytes));
        let other = Air { gateway: 2, tmst: 77, ..Air::default() };
        out.extend(network.heard(at_ns + S, "192.0.2.2:1".parse().unwrap(), &other.push(bytes)));
        out
    };
    assert_eq!(readings(&both(&mut network, 0, &frame(1))).len(), 1);
    assert_eq!(errors(&both(&mut network, 10 * S, &frame(0))).len(), 1, "a failure is told once, too");
    let stranger = up(&keys_1_0(9), 0x0BAD, 1, false, b"x", Radio::default());
    assert_eq!(strangers(&both(&mut network, 20 * S, &stranger)), ["dev_addr = \"00000BAD\""]);
    assert_eq!(network.counts().repeated, 3);
    assert_eq!(network.strangers().iter().next().unwrap().count, 1);
}

#[test]
fn lost_doubled_and_reordered_frames_never_go_back() {
    let mut network = network(keys_1_0(1));
    let order = [1, 1, 2, 5, 4, 5, 9, 3, 9, 10, 10, 2, 11];
    let mut read = Vec::new();
    for (n, counter) in order.into_iter().enumerate() {
        read.extend(volumes(&hear(&mut network, n as u64 * S / 2, &frame(counter))));
    }
    let known = [1, 2, 5, 9, 10, 11].map(|n| (1_000 + n) * 10_000_000);
    assert_eq!(read, known);
}

#[test]
fn a_confirmed_frame_is_answered_in_the_first_window() {
    let mut network = network(keys_1_0(1));
    let path: SocketAddr = "192.0.2.1:50000".parse().unwrap();
    let confirmed = |counter| up(&keys_1_0(1), ADDR, counter, true, &gm2(5), Radio::default());
    // A gateway that has not said where it is cannot answer.
    assert!(asked(&hear(&mut network, 0, &confirmed(1))).is_empty());
    let out = network.heard(S, path, &pull(1));
    assert_eq!(sent(&out), [(path, vec![2, 0x12, 0x34, 4])]);
    let out = hear(&mut network, 10 * S, &confirmed(2));
    assert!(is_in_order(&out[1..]), "the counter down is kept before it is used: {out:?}");
    let answer = asked(&out).remove(0);
    assert_eq!(
        (answer.to, &answer.txpk["tmst"], &answer.txpk["freq"]),
        (path, &2_000_000.into(), &868.1.into())
    );
    assert_eq!((&answer.txpk["datr"], &answer.txpk["ipol"]), (&"SF7BW125".into(), &true.into()));
    let down = data(&answer.frame);
    assert!(down.ack() && !down.confirmed && down.direction == Direction::Down && down.port.is_none());
    assert!(keys_1_0(1).open(&down, 0, Radio::default()).is_ok());
    // Too late for the first window: the second.
    let out = network.heard(11 * S, path, &tx_ack(1, answer.token, "TOO_LATE"));
    let second = asked(&out).remove(0);
    assert_eq!((&second.txpk["tmst"], &second.txpk["freq"]), (&3_000_000.into(), &869.525.into()));
    assert_eq!((&second.txpk["datr"], &second.frame), (&"SF12BW125".into(), &answer.frame));
    assert!(asked(&network.heard(11 * S, path, &tx_ack(1, answer.token, "TOO_LATE"))).is_empty());
    assert!(asked(&network.heard(12 * S, path, &tx_ack(1, second.token, "TOO_LATE"))).is_empty());
    // The device has not heard it and sends the frame again: answered with the next counter, and not read again.
    let again = Air { tmst: 6_000_000, ..Air::default() }.push(&confirmed(2));
    let out = network.heard(14 * S, from(), &again);
    assert!(readings(&out).is_empty() && errors(&out).is_empty());
    let third = asked(&out).remove(0);
    assert!(keys_1_0(1).open(&data(&third.frame), 1, Radio::default()).is_ok());
    assert_eq!(third.txpk["tmst"], 7_000_000);
    // The same datagram twice is no second sending; and nobody is answered for ever.
    assert!(asked(&network.heard(14 * S, from(), &again)).is_empty());
    let answers: usize = (0..50u32)
        .map(|n| {
            let air = Air { tmst: 7_000_000 + n, ..Air::default() };
            asked(&network.heard(15 * S, from(), &air.push(&confirmed(2)))).len()
        })
        .sum();
    assert_eq!(answers, 6);
}

/// At SF12 the air belongs to others for minutes after each frame.
#[test]
fn a_slow_device_that_has_heard_no_answer_is_answered() {
    let mut network = network(keys_1_0(1));
    let confirmed = |counter| up(&keys_1_0(1), ADDR, counter, true, &gm2(5), Radio::default());
    for n in 0..8u32 {
        let at_ns = u64::from(n) * 280 * S;
        network.heard(at_ns, from(), &pull(1));
        let air = Air { tmst: 1 + n * 280_000_000, ..Air::default() };
        let out = network.heard(at_ns, from(), &air.push(&confirmed(2)));
        assert_eq!((asked(&out).len(), readings(&out).len()), (1, usize::from(n == 0)), "{n}: {out:?}");
        assert!(errors(&out).is_empty());
    }
    // What nobody sends again any more is recorded.
    let out = hear(&mut network, 4_000 * S, &confirmed(2));
    assert_eq!(errors(&out), [(KEY, Error::Replay { got: 2, last: 2 })]);
}

#[test]
fn the_gateway_that_can_answer_answers() {
    let mut network = network(keys_1_0(1));
    let path: SocketAddr = "192.0.2.2:50000".parse().unwrap();
    network.heard(0, path, &pull(2));
    let confirmed = up(&keys_1_0(1), ADDR, 1, true, &gm2(5), Radio::default());
    let out = hear(&mut network, S, &confirmed);
    assert!(asked(&out).is_empty() && readings(&out).len() == 1);
    let out = network.heard(S, path, &Air { gateway: 2, tmst: 5, ..Air::default() }.push(&confirmed));
    assert_eq!((asked(&out).len(), readings(&out).len()), (1, 0));
    assert_eq!(memories(&out).len(), 1);
}

#[test]
fn commands_that_want_an_answer_have_one() {
    let mut network = network(keys_1_1(1));
    network.heard(0, from(), &pull(1));
    let radio = Radio { acknowledged: 0, data_rate: 5, channel: 0 };
    let draft = Draft {
        direction: Direction::Up,
        confirmed: false,
        dev_addr: ADDR,
        control: 0x80,
        counter: 1,
        options: &[0x02, 0x0B, 0x01],
        payload: None,
    };
    let out = hear(&mut network, 0, &draft.seal(&keys_1_1(1), radio).unwrap());
    let answer = asked(&out).remove(0);
    let opened = keys_1_1(1).open(&data(&answer.frame), 0, Radio::default()).unwrap();
    assert_eq!(opened.options, [0x02, 12, 1, 0x0B, 1]);
    // A request for a sign of life (ADRACKReq) is answered, too.
    let draft = Draft { control: 0xC0, counter: 2, options: &[], ..draft };
    let out = hear(&mut network, S, &draft.seal(&keys_1_1(1), radio).unwrap());
    assert_eq!(asked(&out).len(), 1);
}

#[test]
fn channel_and_data_rate_enter_the_mic_of_1_1() {
    for (freq, datr, radio) in [
        (868.5, "SF12BW125", Radio { acknowledged: 0, data_rate: 0, channel: 2 }),
        (867.3, "SF9BW125", Radio { acknowledged: 0, data_rate: 3, channel: 4 }),
        // A channel that the network does not know is found.
        (867.9, "SF7BW125", Radio { acknowledged: 0, data_rate: 5, channel: 15 }),
    ] {
        let settings = Settings { extra_hz: vec![867_100_000, 867_300_000], ..Settings::default() };
        let mut network = Network::new(settings, vec![device(KEY, ADDR, keys_1_1(1))]);
        let bytes = up(&keys_1_1(1), ADDR, 1, true, &gm2(1), radio);
        network.heard(0, from(), &pull(1));
        let out = network.heard(0, from(), &Air { freq, datr, ..Air::default() }.push(&bytes));
        assert_eq!(volumes(&out).len(), 1, "{freq}");
        let answer = asked(&out).remove(0);
        let acknowledged = Radio { acknowledged: 1, ..Radio::default() };
        assert!(keys_1_1(1).open(&data(&answer.frame), 0, acknowledged).is_ok());
        assert!(keys_1_1(1).open(&data(&answer.frame), 0, Radio::default()).is_err());
        let wrong = up(&keys_1_1(1), ADDR, 2, false, &gm2(1), Radio { data_rate: 6, ..radio });
        let out = network.heard(S, from(), &Air { freq, datr, ..Air::default() }.push(&wrong));
        assert_eq!(errors(&out), [(KEY, Error::Mac)]);
    }
}

/// gasd ended between the counter and its answer, or the reading: the device sends it again.
#[test]
fn after_a_restart_the_last_frame_is_read_and_answered() {
    for (version, confirmed) in [(0, true), (1, true), (0, false)] {
        let keys = || if version == 0 { keys_1_0(1) } else { keys_1_1(1) };
        let radio = Radio { acknowledged: 0, data_rate: 5, channel: 0 };
        let frame = |counter: u32| up(&keys(), ADDR, counter, confirmed, &gm2(counter), radio);
        for counter in [0, 5, 0x1_0000] {
            let mut before = network(keys());
            before.heard(0, from(), &pull(1));
            let (_, kept) = memories(&hear(&mut before, 0, &frame(counter))).remove(0);
            let mut after = network(keys());
            after.restore(KEY, &kept, 500 * S).unwrap();
            after.heard(500 * S, from(), &pull(1));
            assert_eq!(after.memory(KEY), kept);
            let again = |tmst| Air { tmst, ..Air::default() }.push(&frame(counter));
            let out = after.heard(501 * S, from(), &again(77));
            if !confirmed {
                assert_eq!(errors(&out), [(KEY, Error::Replay { got: counter, last: counter })]);
                continue;
            }
            assert_eq!((volumes(&out).len(), asked(&out).len(), errors(&out)), (1, 1, vec![]), "{counter}");
            assert_eq!(common::again(&out), [true], "it may have been read before");
            assert!(is_in_order(&out[1..]) && memories(&out).len() == 1);
            let acknowledged = Radio { acknowledged: counter as u16, ..Radio::default() };
            assert!(keys().open(&data(&asked(&out)[0].frame), 1, acknowledged).is_ok());
            // Once more it is answered, and not read.
            let out = after.heard(600 * S, from(), &again(99));
            assert_eq!((volumes(&out).len(), asked(&out).len()), (0, 1));
            // Altered it is nobody's.
            let mut altered = frame(counter);
            altered[9] ^= 1;
            let out = hear(&mut after, 700 * S, &altered);
            assert!(volumes(&out).is_empty() && asked(&out).is_empty());
            assert_eq!(volumes(&hear(&mut after, 800 * S, &frame(counter + 1))).len(), 1);
        }
    }
}

#[test]
fn after_a_restart_an_old_frame_is_a_replay() {
    for version in [0, 1] {
        let keys = || if version == 0 { keys_1_0(1) } else { keys_1_1(1) };
        let radio = Radio { acknowledged: 0, data_rate: 5, channel: 0 };
        let frame = |counter| up(&keys(), ADDR, counter, true, &gm2(counter), radio);
        let mut before = network(keys());
        before.heard(0, from(), &pull(1));
        let out = hear(&mut before, 0, &frame(0x1_0005 & 0xFFFF));
        let (_, kept) = memories(&out).remove(0);
        assert_eq!(kept, before.memory(KEY), "what is told is what is to be kept");
        let mut after = network(keys());
        after.restore(KEY, &kept, 0).unwrap();
        after.heard(0, from(), &pull(1));
        assert_eq!(
            errors(&hear(&mut after, 4_000 * S, &frame(5))),
            [(KEY, Error::Replay { got: 5, last: 5 })]
        );
        let mut after = network(keys());
        after.restore(KEY, &kept, 0).unwrap();
        after.heard(0, from(), &pull(1));
        let out = hear(&mut after, 2 * S, &frame(6));
        assert_eq!(volumes(&out).len(), 1);
        let acknowledged = Radio { acknowledged: 6, ..Radio::default() };
        assert!(
            keys().open(&data(&asked(&out)[0].frame), 1, acknowledged).is_ok(),
            "the counter down goes on"
        );
        // Of other keys, of another address, of another kind, of nobody.
        assert_eq!(network(keys_1_0(8)).restore(KEY, &kept, 0), Err(NotRestored::OtherKey));
        let mut other = Network::new(Settings::default(), vec![device(KEY, 1, keys())]);
        assert_eq!(other.restore(KEY, &kept, 0), Err(NotRestored::OtherMeter));
        assert_eq!(other.restore(8, &kept, 0), Err(NotRestored::NoMeter));
        assert_eq!(network(keys()).restore(KEY, &[9, 9], 0), Err(NotRestored::Version { got: 9, want: 2 }));
        for end in 1..kept.len() {
            assert_eq!(
                network(keys()).restore(KEY, &kept[..end], 0),
                Err(NotRestored::Damaged),
                "{end} bytes"
            );
        }
        assert_eq!(network(keys()).restore(KEY, &[&kept[..], &[0]].concat(), 0), Err(NotRestored::Damaged));
        assert_eq!(network(keys()).restore(KEY, &[], 0), Ok(()));
    }
}

#[test]
fn two_devices_of_one_address_are_told_apart_by_their_keys() {
    let devices = vec![device(1, ADDR, keys_1_0(1)), device(2, ADDR, keys_1_0(3))];
    let mut network = Network::new(Settings::default(), devices);
    let second = up(&keys_1_0(3), ADDR, 4, false, &gm2(9), Radio::default());
    assert_eq!(readings(&hear(&mut network, 0, &second))[0].0, 2);
    assert_eq!(errors(&hear(&mut network, 100 * S, &second)), [(2, Error::Replay { got: 4, last: 4 })]);
    let neither = up(&keys_1_0(5), ADDR, 5, false, &gm2(9), Radio::default());
    assert_eq!(errors(&hear(&mut network, 200 * S, &neither)), [(1, Error::Mac), (2, Error::Mac)]);
}

#[test]
fn only_gateways_that_are_configured_are_listened_to() {
    let settings = Settings { gateways: vec![1], region: Region::Eu868, ..Settings::default() };
    let mut network = Network::new(settings, vec![device(KEY, ADDR, keys_1_0(1))]);
    let other = Air { gateway: 0xAB, ..Air::default() };
    let out = network.heard(0, from(), &other.push(&frame(1)));
    assert_eq!(strangers(&out), ["gateways = [\"00000000000000AB\"]"]);
    assert!(sent(&out).is_empty() && readings(&out).is_empty());
    assert_eq!(readings(&hear(&mut network, S, &frame(1))).len(), 1);
}

#[test]
fn what_is_shown_has_no_key() {
    let secret = [0xC3; 16];
    let keys = Keys::V1_0 { network: Key::new(secret), application: Some(Key::new(secret)) };
    let shown = format!("{:?}", device(KEY, ADDR, keys));
    assert_eq!(
        shown,
        r#"Device { key: 7, dev_eui: 00000000000000A7, activation: "ABP 26011234", profile: "vega-gm2" }"#
    );
    let mut network = network(keys_1_0(0xC3));
    for bytes in [up(&keys_1_0(0xC3), ADDR, 1, false, &gm2(1), Radio::default()), frame(2)] {
        let shown = format!("{:?}", hear(&mut network, 0, &bytes)).to_uppercase();
        assert!(
            !shown.contains("C3C3C3") && !shown.contains("C4C4C4") && !shown.contains("195, 195"),
            "{shown}"
        );
    }
}
