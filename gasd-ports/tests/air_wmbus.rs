// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wireless M-Bus from the bytes of a receiver to the reading: keys, replays, compact frames, restarts.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{S, bytes, errors, is_in_order, memories, readings, strangers, vectors, volumes};
use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Format, Key, Lock, Seal, Telegram};
use gasd_meters::{Error, crc, hex};
use gasd_ports::air::wmbus::{Device, Framing, IDLE_NS, Settings, Wmbus};
use gasd_ports::air::{Air, NotRestored, Output};
use proptest::prelude::*;

const KEY: u64 = 7;
const SECRET: [u8; 16] = [0x11; 16];
/// Volume, error flags.
const RECORDS: &[u8] = &[0x0C, 0x13, 0x27, 0x04, 0x85, 0x02, 0x02, 0xFD, 0x17, 0, 0];

fn meter() -> Address {
    "12345678.ELS.33.03".parse().unwrap()
}

fn device(secret: Option<[u8; 16]>) -> Device {
    Device { key: KEY, address: meter(), secret: secret.map(Key::new) }
}

fn receiver(secret: Option<[u8; 16]>) -> Wmbus {
    let framing = Framing::Binary(Some(Format::A));
    Wmbus::new(Settings { framing, ..Settings::default() }, vec![device(secret)])
}

fn seal(lock: Lock<'_>, access: u8) -> Seal<'_> {
    Seal { meter: meter(), sender: None, access, status: 0, lock, records: RECORDS, clear: 0 }
}

fn air(telegram: &Telegram) -> Vec<u8> {
    telegram.encode(Format::A).unwrap()
}

fn sealed(lock: Lock<'_>, access: u8) -> Vec<u8> {
    air(&seal(lock, access).telegram().unwrap())
}

#[test]
fn a_telegram_is_a_reading() {
    let key = Key::new(SECRET);
    for (n, lock) in
        [Lock::LinkLayer(&key, 99), Lock::Mode5(&key), Lock::Mode7(&key, 1)].into_iter().enumerate()
    {
        let mut receiver = receiver(Some(SECRET));
        let out = receiver.heard(S, &sealed(lock, 1));
        assert_eq!(volumes(&out), [2_850_427_000_000]);
        assert!(is_in_order(&out));
        assert_eq!(readings(&out)[0].0, KEY);
        // The same from a repeater is none.
        assert!(receiver.heard(2 * S, &sealed(lock, 1)).is_empty());
        assert_eq!((receiver.counts().repeated, receiver.counts().read), (1, 1), "{n}");
    }
    assert_eq!(volumes(&receiver(None).heard(S, &sealed(Lock::Open, 1))).len(), 1);
}

#[test]
fn no_key_a_wrong_one_an_altered_telegram_and_a_replay_say_what_they_are() {
    let key = Key::new(SECRET);
    for lock in [Lock::LinkLayer(&key, 99), Lock::Mode5(&key), Lock::Mode7(&key, 1)] {
        for (secret, error) in [(None, Error::KeyMissing), (Some([0x12; 16]), Error::WrongKey)] {
            let mut receiver = receiver(secret);
            let out = receiver.heard(S, &sealed(lock, 1));
            assert_eq!(errors(&out), [(KEY, error)]);
            assert!(readings(&out).is_empty() && memories(&out).is_empty());
            assert!(!format!("{out:?}").contains("2850427"));
            // A repeater's copy is not told again, the next one is.
            assert!(receiver.heard(2 * S, &sealed(lock, 1)).is_empty());
            assert_eq!(errors(&receiver.heard(9 * S, &sealed(lock, 1))), [(KEY, error)]);
        }
    }
    // The MAC, access number and status: the CRCs of the radio are made anew.
    let whole = seal(Lock::Mode7(&key, 1), 1).telegram().unwrap();
    let mut receiver = receiver(Some(SECRET));
    for at in [20, 28, 29] {
        let mut altered = whole.clone();
        altered.bytes[at] ^= 1;
        assert_eq!(
            errors(&receiver.heard(at as u64 * S, &air(&altered))),
            [(KEY, Error::Changed)],
            "byte {at}"
        );
    }
    assert_eq!(volumes(&receiver.heard(100 * S, &air(&whole))).len(), 1);
    assert_eq!(volumes(&receiver.heard(200 * S, &sealed(Lock::Mode7(&key, 5), 2))).len(), 1);
    for counter in [5, 4, 1] {
        let out = receiver.heard(1_000 * S + u64::from(counter), &sealed(Lock::Mode7(&key, counter), 3));
        assert_eq!(errors(&out), [(KEY, Error::Replay { got: counter, last: 5 })]);
    }
    // Damage on the air is no failure of the meter, and no reading.
    let mut damaged = sealed(Lock::Mode7(&key, 6), 4);
    damaged[15] ^= 1;
    assert!(receiver.heard(2_000 * S, &damaged).is_empty() && receiver.tick(2_001 * S).is_empty());
    assert!(receiver.counts().garbage >= damaged.len() as u64);
}

/// From one telegram that was recorded: its first block, and behind it what anybody likes.
#[test]
fn what_stands_in_the_clear_behind_a_block_is_never_read() {
    let key = Key::new(SECRET);
    // A clock and error flags fill the first block.
    let records = [0x04, 0x6D, 0x32, 0x37, 0x1F, 0x15, 0x02, 0xFD, 0x17, 0, 0, 0x2F, 0x2F, 0x2F];
    let records = [&records[..], &RECORDS[..6]].concat();
    let whole = Seal { records: &records, ..seal(Lock::Mode5(&key), 1) }.telegram().unwrap();
    let mut forged = whole.clone();
    forged.bytes[13] = 0x10;
    forged.bytes.truncate(15 + 16);
    forged.bytes.extend([0x0C, 0x13, 0x99, 0x99, 0x99, 0x99]);
    forged.bytes[0] = forged.bytes.len() as u8 - 1;
    let mut receiver = receiver(Some(SECRET));
    assert_eq!(volumes(&receiver.heard(S, &air(&whole))), [2_850_427_000_000]);
    let out = receiver.heard(9 * S, &air(&forged));
    assert_eq!(readings(&out).len(), 1);
    assert_eq!(readings(&out)[0].1.fields.len(), 2, "the clock and the flags are the meter's");
    assert!(volumes(&out).is_empty(), "{out:?}");
    assert!(errors(&out)[0].1.to_string().contains("anybody can have written it"), "{out:?}");
    // A code covers what is not encrypted.
    let lock = Lock::Mode7(&key, 1);
    let part = Seal { records: &records, clear: 6, ..seal(lock, 2) }.telegram().unwrap();
    assert_eq!(volumes(&receiver.heard(20 * S, &air(&part))), [2_850_427_000_000]);
}

#[test]
fn a_meter_with_a_key_is_not_read_without_it() {
    let key = Key::new(SECRET);
    let mut receiver = receiver(Some(SECRET));
    let out = receiver.heard(S, &sealed(Lock::Open, 1));
    assert_eq!(errors(&out)[0].1.kind(), "not_encrypted");
    assert!(errors(&out)[0].1.to_string().contains("not encrypted"));
    assert!(readings(&out).is_empty() && memories(&out).is_empty());
    assert!(receiver.memory(KEY).is_empty(), "it leaves no trace");
    assert_eq!(volumes(&receiver.heard(9 * S, &sealed(Lock::Mode5(&key), 1))).len(), 1);
    // A receiver that deciphers says so in the configuration.
    let settings = Settings { deciphers: true, framing: Framing::Binary(None), ..Settings::default() };
    let mut trusted = Wmbus::new(settings, vec![device(Some(SECRET))]);
    assert_eq!(volumes(&trusted.heard(S, &sealed(Lock::Open, 1))).len(), 1);
}

/// A full telegram and the compact one that it explains.
fn compact(access: u8, volume: u8) -> Vec<u8> {
    let heads = [0x0C, 0x13, 0x02, 0xFD, 0x17];
    let full = [&[0x0C, 0x13, volume, 4, 0x85, 2][..], &[0x02, 0xFD, 0x17, 0, 0]].concat();
    let mut bytes = vec![0, 0x44];
    bytes.extend(meter().to_radio());
    bytes.extend([0x7B, access, 0, 0, 0]);
    bytes.extend(crc::en13757(&heads).to_le_bytes());
    bytes.extend(crc::en13757(&full).to_le_bytes());
    bytes.extend([volume, 4, 0x85, 2, 0, 0]);
    bytes[0] = bytes.len() as u8 - 1;
    air(&Telegram { format: Format::Plain, control: 0x44, sender: meter(), bytes })
}

#[test]
fn compact_frames_open_after_a_restart() {
    let mut before = receiver(None);
    let out = before.heard(S, &compact(1, 0x28));
    assert_eq!(errors(&out)[0].1.kind(), "format_unknown");
    let out = before.heard(10 * S, &sealed(Lock::Open, 2));
    let kept = memories(&out).remove(0);
    assert_eq!(kept, (KEY, before.memory(KEY)));
    assert_eq!(volumes(&before.heard(20 * S, &compact(3, 0x28))), [2_850_428_000_000]);
    let mut after = receiver(None);
    after.restore(KEY, &kept.1, 0).unwrap();
    assert_eq!(volumes(&after.heard(S, &compact(4, 0x29))), [2_850_429_000_000]);
    // Without a counter and without a new format nothing is written.
    assert!(memories(&after.heard(10 * S, &compact(5, 0x30))).is_empty());
}

#[test]
fn after_a_restart_an_old_telegram_is_a_replay() {
    let key = Key::new(SECRET);
    let mut before = receiver(Some(SECRET));
    let out = before.heard(S, &sealed(Lock::Mode7(&key, 9), 1));
    let kept = memories(&out).remove(0).1;
    let mut after = receiver(Some(SECRET));
    after.restore(KEY, &kept, 0).unwrap();
    assert_eq!(after.memory(KEY), kept);
    let out = after.heard(1_000 * S, &sealed(Lock::Mode7(&key, 9), 1));
    assert_eq!(errors(&out), [(KEY, Error::Replay { got: 9, last: 9 })]);
    assert_eq!(volumes(&after.heard(1_010 * S, &sealed(Lock::Mode7(&key, 10), 2))).len(), 1);
    // Another key has counters of its own.
    assert_eq!(receiver(Some([3; 16])).restore(KEY, &kept, 0), Err(NotRestored::OtherKey));
    assert_eq!(receiver(None).restore(KEY, &kept, 0), Err(NotRestored::OtherKey));
    assert_eq!(receiver(None).restore(8, &kept, 0), Err(NotRestored::NoMeter));
    for end in 1..kept.len() {
        assert_eq!(receiver(Some(SECRET)).restore(KEY, &kept[..end], 0), Err(NotRestored::Damaged), "{end}");
    }
    assert!(!kept.windows(8).any(|window| window == &SECRET[..8]), "the key is configured, not kept");
}

#[test]
fn a_radio_speaks_for_meters() {
    let radio: Address = "11223344.IDM.03.37".parse().unwrap();
    let other: Address = "99887766.ELS.33.03".parse().unwrap();
    let mut devices = vec![device(None)];
    devices.push(Device { key: 8, address: other, secret: None });
    // The radio itself, and any meter of this maker: those that are named go first.
    devices.push(Device { key: 9, address: radio, secret: None });
    devices.insert(0, Device { key: 10, address: "FFFFFFFF.ELS.FF.FF".parse().unwrap(), secret: None });
    let framing = Framing::Binary(Some(Format::A));
    let mut receiver = Wmbus::new(Settings { framing, ..Settings::default() }, devices);
    for (n, (meter, key)) in [
        (meter(), 7),
        (other, 8),
        ("00000001.KAM.01.03".parse().unwrap(), 9),
        ("00000001.ELS.01.03".parse().unwrap(), 10),
    ]
    .into_iter()
    .enumerate()
    {
        let telegram = Seal { meter, sender: Some(radio), ..seal(Lock::Open, 1) }.telegram().unwrap();
        let out = receiver.heard(n as u64 * S, &air(&telegram));
        let [(read, reading)] = readings(&out)[..] else { panic!("{meter}: {out:?}") };
        assert_eq!((read, reading.meter.radio_id.as_deref()), (key, Some("11223344")));
    }
}

/// A message in two fragments by a radio: the second one does not say whose it is.
#[test]
fn fragments_of_a_radio_find_their_meter() {
    let radio: Address = "11223344.IDM.03.37".parse().unwrap();
    let message = [&[0x72][..], &meter().to_wire(), &[1, 0, 0, 0], RECORDS].concat();
    let part = |flags: u16, bytes: &[u8]| {
        let mut telegram = vec![0, 0x44];
        telegram.extend(radio.to_radio());
        telegram.extend([0x90, 2]);
        telegram.extend(flags.to_le_bytes());
        telegram.extend(bytes);
        telegram[0] = telegram.len() as u8 - 1;
        air(&Telegram { format: Format::Plain, control: 0x44, sender: radio, bytes: telegram })
    };
    let mut receiver = receiver(None);
    assert!(receiver.heard(S, &part(0x4001, &message[..15])).is_empty());
    assert_eq!(volumes(&receiver.heard(2 * S, &part(0x0002, &message[15..]))).len(), 1);
}

#[test]
fn who_is_not_configured_is_noted() {
    let mut receiver = receiver(None);
    let telegram = Seal { meter: "00000001.KAM.01.16".parse().unwrap(), ..seal(Lock::Open, 1) };
    let mut telegram = telegram.telegram().unwrap();
    telegram.bytes[1] = 0x46;
    for n in 0..4 {
        let out = receiver.heard(n * 2 * S, &air(&telegram));
        assert!(readings(&out).is_empty());
        assert_eq!(strangers(&out).len(), usize::from(n != 2), "once, twice, four times");
    }
    let stranger = receiver.strangers().iter().next().unwrap();
    assert_eq!((stranger.what.as_str(), stranger.count), ("address = \"00000001.KAM.01.16\"", 4));
    assert!(stranger.words.contains("asks to be installed"), "{}", stranger.words);
}

#[test]
fn what_is_shown_has_no_key() {
    let shown = format!("{:?}", device(Some([0xC3; 16])));
    assert_eq!(shown, r#"Device { key: 7, address: "12345678.ELS.33.03", encrypted: true }"#);
}

/// Telegrams by others through every framing: read with the key, and not without it.
#[test]
fn telegrams_by_others() {
    let Some(lines) = vectors("wmbus/lvogt_vectors.jsonl") else { return };
    let (mut read, mut refused) = (0, 0);
    for line in &lines {
        let name = line["name"].as_str().unwrap();
        let telegram = Telegram::parse(&bytes(line, "hex"), None).unwrap();
        let plain = telegram.encode(Format::Plain).unwrap();
        let mut command = [&[0xFF, 0x03][..], &plain].concat();
        command.push(crc::xor(&command));
        let text = |bytes: &[u8]| hex::Hex(bytes).to_string();
        let columns = format!("T1;1;1;2026-01-01 00:00:00.000;9;9;12345678;0x{}\n", text(&plain));
        let stick = format!("b{}\r\n", text(&telegram.encode(Format::A).unwrap()));
        let stick_b = telegram.encode(Format::B).map(|bytes| format!("bY{}\r\n", text(&bytes)));
        let mut ways = vec![bytes(line, "hex"), plain, air(&telegram), command, columns.into(), stick.into()];
        ways.extend(stick_b.ok().map(String::into_bytes));
        for way in ways {
            let secret =
                line["key"].as_str().map(|key| <[u8; 16]>::try_from(hex::parse(key).unwrap()).unwrap());
            let address = Address { medium: 0xFF, ..telegram.sender };
            let wmbus = |secret: Option<[u8; 16]>| {
                let device = Device { key: KEY, address, secret: secret.map(Key::new) };
                Wmbus::new(Settings { deciphers: true, ..Settings::default() }, vec![device])
            };
            let hear = |mut wmbus: Wmbus| {
                let mut out = wmbus.heard(S, &way);
                out.extend(wmbus.tick(S + IDLE_NS));
                out
            };
            let out = hear(wmbus(secret));
            assert_eq!(readings(&out).len(), 1, "{name}: {out:?}");
            assert!(!readings(&out)[0].1.fields.is_empty(), "{name}");
            read += 1;
            if let Some(secret) = secret {
                let out = hear(wmbus(None));
                if readings(&out).is_empty() {
                    assert_eq!(errors(&out), [(KEY, Error::KeyMissing)], "{name}");
                    let wrong = hear(wmbus(Some(secret.map(|byte| byte ^ 0x55))));
                    assert_eq!(errors(&wrong), [(KEY, Error::WrongKey)], "{name}");
                    refused += 1;
                }
            }
        }
    }
    println!("{read} read, {refused} refused without their key and with a wrong one");
    assert!(read >= 100 && refused >= 30);
}

fn mangled(telegrams: &[Vec<u8>], plan: &[(usize, u8, u8)]) -> Vec<Vec<u8>> {
    let pick = |(n, what, at): &(usize, u8, u8)| {
        let mut bytes = telegrams[n % telegrams.len()].clone();
        let at = usize::from(*at) % bytes.len();
        match what % 4 {
            0 => bytes[at] ^= 1 << (what >> 5),
            1 => bytes.truncate(at),
            _ => {}
        }
        bytes
    };
    plan.iter().map(pick).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn a_lossy_air_never_goes_back(plan in prop::collection::vec((0..20usize, any::<u8>(), any::<u8>()), 0..60), restart in 0..60usize) {
        let key = Key::new(SECRET);
        let telegrams: Vec<Vec<u8>> = (0..20u32)
            .map(|n| {
                let records = [0x0C, 0x13, (n % 10) as u8 | ((n / 10) as u8) << 4, 0, 0, 0];
                air(&Seal { records: &records, ..seal(Lock::Mode7(&key, n + 1), n as u8) }.telegram().unwrap())
            })
            .collect();
        let mut wmbus = receiver(Some(SECRET));
        let mut last = -1;
        for (n, bytes) in mangled(&telegrams, &plan).iter().enumerate() {
            if n == restart {
                let kept = wmbus.memory(KEY);
                wmbus = receiver(Some(SECRET));
                wmbus.restore(KEY, &kept, 0).unwrap();
            }
            let at_ns = n as u64 * 3 * S;
            let mut out: Vec<Output> = wmbus.heard(at_ns, bytes);
            out.extend(wmbus.tick(at_ns + IDLE_NS));
            for volume in volumes(&out) {
                prop_assert!(volume > last);
                last = volume;
            }
        }
    }

    #[test]
    fn any_bytes_are_something_or_nothing(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..10)) {
        let mut wmbus = Wmbus::new(Settings::default(), vec![device(Some(SECRET))]);
        for (n, piece) in pieces.iter().enumerate() {
            let out = Air::heard(&mut wmbus, n as u64 * S, None, piece);
            prop_assert!(readings(&out).is_empty());
            let _ = wmbus.restore(KEY, piece, 0);
            let _ = wmbus.restore(KEY, &[&[1, 0, 0, 0, 0][..], piece].concat(), 0);
        }
    }
}

/// Meters that can be asked say so between their readings, and new ones want to be installed: nothing is wrong with that.
#[test]
fn what_has_no_data_is_no_failure() {
    for (control, body, state) in [
        (0x48, "8C2001", false),
        (0x47, "8C8001 7A01040000", true),
        (0x46, "7A01040000", true),
        (0x48, "8E2001 9315785634123303 72 78563412931533030104 0000", true),
        (0x08, "8A01000000", false),
    ] {
        let body = hex::parse(body).unwrap();
        let bytes = [&[10 + body.len() as u8 - 1, control][..], &meter().to_radio(), &body].concat();
        let telegram = air(&Telegram::parse(&bytes, Some(Format::Plain)).unwrap());
        let mut keyed = receiver(Some(SECRET));
        assert_eq!(keyed.heard(S, &telegram), [], "{control:02X} {body:02X?}");
        assert_eq!((keyed.counts().heard, keyed.counts().failed), (1, 0));
        // Without a key its state is believed as its readings are.
        let out = receiver(None).heard(S, &telegram);
        assert!(errors(&out).is_empty() && readings(&out).len() == usize::from(state), "{out:?}");
    }
}
