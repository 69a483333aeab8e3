// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wireless M-Bus from both ends: what is sealed is opened, what is damaged or forged is refused.

mod common;

use aes::Aes128;
use cmac::{Cmac, KeyInit, Mac};
use common::own;
use gasd_meters::mbus::{Address, Frame, Link, decode};
use gasd_meters::wmbus::{
    Access, Content, Format, Formats, Key, Lock, Received, Receiver, Replay, Seal, Security, Telegram,
};
use gasd_meters::{Error, Explanation, Fault, Kind, Value, crc, hex};
use proptest::prelude::*;

const KEY: [u8; 16] = [0x11; 16];
/// Volume, clock, error flags.
const RECORDS: &[u8] =
    &[0x0C, 0x13, 0x27, 0x04, 0x85, 0x02, 0x04, 0x6D, 0x32, 0x37, 0x1F, 0x15, 0x02, 0xFD, 0x17, 0, 0];

fn meter() -> Address {
    "12345678.ELS.33.03".parse().expect("an address")
}

fn radio() -> Address {
    "11223344.IDM.03.37".parse().expect("an address")
}

fn seal(lock: Lock<'_>) -> Seal<'_> {
    Seal { meter: meter(), sender: None, access: 42, status: 0, lock, records: RECORDS, clear: 0 }
}

fn receive(telegram: &Telegram, access: &Access<'_>) -> Result<Content, Error> {
    match Receiver::default().receive(0, telegram, access, &mut ())? {
        Received::New(content) => Ok(content),
        other => panic!("{other:?}"),
    }
}

fn with(key: &Key) -> Access<'_> {
    Access { key: Some(key), plain: false }
}

/// Telegrams of the project, made by its encoder and opened by another program with the key's bytes.
#[test]
fn own_telegrams() {
    for line in own("wmbus.jsonl") {
        let name = &line["name"];
        let telegram = Telegram::parse(&common::bytes(&line, "hex"), None).expect("a telegram");
        let key = Key::from_hex(line["key"].as_str().expect("a key")).expect("a key");
        let content = receive(&telegram, &with(&key)).unwrap_or_else(|why| panic!("{name}: {why}"));
        let said: Vec<_> =
            content.reading.fields.iter().map(|f| format!("{}: {}", f.name(), f.value)).collect();
        let known: Vec<_> =
            line["fields"].as_array().expect("fields").iter().filter_map(|f| f.as_str()).collect();
        assert_eq!(said, known, "{name}");
        assert_eq!(format!("{:?}", content.security), line["security"].as_str().expect("security"), "{name}");
        assert_eq!(content.meter, meter(), "{name}");
    }
}

#[test]
fn a_radio_that_speaks_for_a_meter() {
    let key = Key::new(KEY);
    for lock in [Lock::Open, Lock::Mode5(&key), Lock::Mode7(&key, 7)] {
        let telegram = Seal { sender: Some(radio()), ..seal(lock) }.telegram().unwrap();
        let content = receive(&telegram, &with(&key)).unwrap();
        assert_eq!((content.meter, telegram.sender), (meter(), radio()));
        assert_eq!(content.reading.meter.id, "12345678");
        assert_eq!(content.reading.meter.radio_id.as_deref(), Some("11223344"));
        assert_eq!(content.reading.get(Kind::Volume).unwrap().volume_ul(), Ok(2_850_427_000_000));
    }
}

/// OMS has the same layers on wires.
#[test]
fn a_wired_meter_may_encrypt_too() {
    let key = Key::new(KEY);
    for lock in [Lock::Mode5(&key), Lock::Mode7(&key, 7)] {
        let telegram = Seal { sender: Some(radio()), ..seal(lock) }.telegram().unwrap();
        let frame = Frame::Long(Link { control: 8, address: 1 }, telegram.bytes[10], &telegram.bytes[11..]);
        let mut explanation = Explanation::default();
        let received = Receiver::default().receive_wired(0, &frame, meter(), &with(&key), &mut explanation);
        let Ok(Received::New(content)) = received else { panic!("{received:?}") };
        assert_eq!(content.reading.get(Kind::Volume).unwrap().volume_ul(), Ok(2_850_427_000_000));
        assert!(explanation.to_string().contains("2850.427 m³"), "{explanation}");
        // Without the key, and by who has no keys at all.
        let error = Receiver::default().receive_wired(0, &frame, meter(), &Access::default(), &mut ());
        assert_eq!(error, Err(Error::KeyMissing));
        if telegram.bytes[10] == 0x72 {
            assert_eq!(decode(&frame, &mut ()), Err(Error::KeyMissing));
        }
    }
}

/// Wrong key, no key, and a telegram that was changed, for each way of protecting it.
#[test]
fn what_fails_says_why() {
    let (key, wrong) = (Key::new(KEY), Key::new([0x12; 16]));
    for lock in [Lock::LinkLayer(&key, 99), Lock::Mode5(&key), Lock::Mode7(&key, 1)] {
        let telegram = seal(lock).telegram().unwrap();
        assert_eq!(receive(&telegram, &Access::default()), Err(Error::KeyMissing));
        assert_eq!(receive(&telegram, &with(&wrong)), Err(Error::WrongKey));
        assert!(receive(&telegram, &with(&key)).is_ok());
    }
    // Nothing of what failed is explained either.
    let (telegram, mut changed) = [(); 2].map(|()| seal(Lock::Mode7(&key, 1)).telegram().unwrap()).into();
    *changed.bytes.last_mut().unwrap() ^= 1;
    let mut explanation = Explanation::default();
    let error = Receiver::default().receive(0, &changed, &with(&key), &mut explanation);
    assert_eq!(error, Err(Error::Changed));
    assert!(!explanation.to_string().contains("volume"), "{explanation}");
    assert_eq!(receive(&telegram, &with(&key)).unwrap().counter, Some(1));
    // Without its MAC the message is not read: who could vouch for its counter?
    let mut stripped = telegram;
    assert_eq!(stripped.bytes[10..14], [0x90, 15, 0x00, 0x2C]);
    stripped.bytes.drain(19..27);
    stripped.bytes[11] = 7;
    stripped.bytes[13] = 0x28;
    stripped.bytes[0] -= 8;
    assert_eq!(receive(&stripped, &with(&key)).unwrap_err().kind(), "malformed");
}

/// A telegram that says that it is encrypted and is not, is taken only from a source that is trusted.
#[test]
fn deciphered_telegrams_are_taken_only_where_they_are_trusted() {
    let key = Key::new(KEY);
    let mut telegram = seal(Lock::Open).telegram().unwrap();
    // Mode 5, one block, and the check bytes.
    telegram.bytes[13] = 0x10;
    telegram.bytes[14] = 0x05;
    telegram.bytes.splice(15..15, [0x2F, 0x2F]);
    telegram.bytes[0] += 2;
    assert_eq!(receive(&telegram, &Access::default()), Err(Error::KeyMissing));
    assert_eq!(receive(&telegram, &with(&key)), Err(Error::WrongKey));
    let content = receive(&telegram, &Access { key: None, plain: true }).unwrap();
    assert_eq!(content.security, Security::None);
    assert!(content.reading.get(Kind::Volume).is_some());
}

#[test]
fn modes_that_are_not_there_are_told() {
    for mode in [1u8, 2, 8, 13] {
        let mut telegram = seal(Lock::Open).telegram().unwrap();
        telegram.bytes[14] = mode;
        assert_eq!(receive(&telegram, &with(&Key::new(KEY))), Err(Error::UnsupportedMode { mode }));
    }
    let mut telegram = seal(Lock::Open).telegram().unwrap();
    telegram.bytes[10] = 0x80;
    assert_eq!(receive(&telegram, &Access::default()), Err(Error::UnsupportedMode { mode: 0x80 }));
    // An error of the application.
    telegram.bytes[10] = 0x6E;
    telegram.bytes[15] = 8;
    assert_eq!(receive(&telegram, &Access::default()).unwrap_err().kind(), "device_error");
}

#[test]
fn replays_and_repetitions() {
    let key = Key::new(KEY);
    let telegram = |counter, access| Seal { access, ..seal(Lock::Mode7(&key, counter)) }.telegram().unwrap();
    let mut receiver = Receiver::default();
    let mut at = |now, telegram: &Telegram| receiver.receive(now, telegram, &with(&key), &mut ());
    assert!(matches!(at(0, &telegram(5, 1)), Ok(Received::New(_))));
    assert_eq!(at(1, &telegram(5, 1)), Ok(Received::Duplicate));
    assert_eq!(at(200, &telegram(5, 1)), Err(Error::Replay { got: 5, last: 5 }));
    let mut explanation = Explanation::default();
    let error = receiver.receive(200, &telegram(5, 1), &with(&key), &mut explanation);
    assert!(error.is_err() && !explanation.to_string().contains("volume"), "{explanation}");
    let mut at = |now, telegram: &Telegram| receiver.receive(now, telegram, &with(&key), &mut ());
    assert!(matches!(at(201, &telegram(6, 2)), Ok(Received::New(_))));
    assert_eq!(at(202, &telegram(5, 1)), Err(Error::Replay { got: 5, last: 6 }));
    // A forged one with a high counter moves nothing.
    let mut forged = telegram(1000, 3);
    forged.bytes[16] ^= 1;
    assert!(at(203, &forged).is_err());
    assert!(matches!(at(204, &telegram(7, 3)), Ok(Received::New(_))));
    // It outlives a restart.
    let mut again = Receiver::restore(
        Formats::restore(receiver.formats.all().iter().cloned()),
        Replay::restore(receiver.replay.all().iter().copied()),
    );
    let error = again.receive(500, &telegram(7, 4), &with(&key), &mut ());
    assert_eq!(error, Err(Error::Replay { got: 7, last: 7 }));
}

#[test]
fn compact_frames_need_a_full_one_first() {
    let key = Key::new(KEY);
    let heads = hex::parse("0C13 046D 02FD17").unwrap();
    let data = hex::parse("27048502 32371F15 0000").unwrap();
    let signature = crc::en13757(&heads);
    let inner = [&signature.to_le_bytes()[..], &crc::en13757(RECORDS).to_le_bytes(), &data].concat();
    // An open telegram whose CI field says that it is compact.
    let mut compact = Seal { records: &inner, access: 43, ..seal(Lock::Open) }.telegram().unwrap();
    compact.bytes[10] = 0x7B;
    let mut receiver = Receiver::default();
    let access = Access::default();
    assert_eq!(receiver.receive(0, &compact, &access, &mut ()), Err(Error::FormatUnknown { signature }));
    let full = seal(Lock::Mode7(&key, 1)).telegram().unwrap();
    let Ok(Received::New(content)) = receiver.receive(1, &full, &with(&key), &mut ()) else { panic!() };
    assert!(content.learnt);
    let mut explanation = Explanation::default();
    let Ok(Received::New(content)) = receiver.receive(2, &compact, &access, &mut explanation) else {
        panic!()
    };
    assert_eq!(content.reading.get(Kind::Volume).unwrap().volume_ul(), Ok(2_850_427_000_000));
    assert!(explanation.to_string().contains("compact data: 3 fields"), "{explanation}");
    let mut changed = compact;
    *changed.bytes.last_mut().unwrap() ^= 1;
    assert_eq!(receiver.receive(3, &changed, &access, &mut ()).unwrap_err().kind(), "checksum");
}

/// One message in fragments: the header of the first says what it is, the last has the MAC.
fn fragments(message: &[u8], counter: u32, sizes: &[usize]) -> Vec<Telegram> {
    let mac = |key: &[u8; 16], parts: &[&[u8]]| -> [u8; 16] {
        let mut mac = <Cmac<Aes128> as KeyInit>::new(key.into());
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    };
    let (count, length) = (counter.to_le_bytes(), (message.len() as u16).to_le_bytes());
    let kmac = mac(&KEY, &[&[1], &count, &meter().id, &[7; 7]]);
    let tag = mac(&kmac, &[&[0x65], &count, &length, message]);
    let mut rest = message;
    let last = sizes.len();
    (1..=last)
        .zip(sizes)
        .map(|(n, &size)| {
            let (part, later) = rest.split_at(if n == last { rest.len() } else { size });
            rest = later;
            let flags = u16::from(n < last) << 14
                | if n == 1 { 0x3800 } else { 0 }
                | if n == last { 0x0400 } else { 0 }
                | n as u16;
            let mut fields = flags.to_le_bytes().to_vec();
            if n == 1 {
                fields.push(0x65);
                fields.extend(count);
            }
            if n == last {
                fields.extend(&tag[..8]);
            }
            if n == 1 {
                fields.extend(length);
            }
            let mut bytes = vec![0, 0x44];
            bytes.extend(meter().to_radio());
            bytes.extend([0x90, fields.len() as u8]);
            bytes.extend(fields);
            bytes.extend(part);
            bytes[0] = (bytes.len() - 1) as u8;
            Telegram::parse(&bytes, Some(Format::Plain)).expect("a telegram")
        })
        .collect()
}

#[test]
fn fragments_are_put_together() {
    let key = Key::new(KEY);
    // What a telegram in one piece has behind its layer, with the same counter.
    let whole = seal(Lock::Mode7(&key, 9)).telegram().unwrap();
    let message = &whole.bytes[27..];
    assert_eq!(message[0], 0x7A);
    let parts = fragments(message, 9, &[10, 12, 0]);
    let mut receiver = Receiver::default();
    let mut at = |now, part: &Telegram| receiver.receive(now, part, &with(&key), &mut ());
    // The second before the first, one lost, one twice, one too late.
    assert_eq!(at(0, &parts[1]).unwrap_err().kind(), "malformed");
    assert_eq!(at(1, &parts[0]), Ok(Received::Part));
    assert_eq!(at(2, &parts[2]).unwrap_err().kind(), "malformed");
    assert_eq!(at(3, &parts[0]), Ok(Received::Part));
    assert_eq!(at(200, &parts[1]).unwrap_err().kind(), "malformed");
    assert_eq!(at(300, &parts[0]), Ok(Received::Part));
    assert_eq!(at(301, &parts[1]), Ok(Received::Part));
    assert_eq!(at(302, &parts[1]), Ok(Received::Part));
    // What follows the length of the message is no part of it.
    let mut last = parts[2].clone();
    last.bytes.push(0x2F);
    let Ok(Received::New(content)) = at(303, &last) else { panic!() };
    assert_eq!((content.counter, content.security), (Some(9), Security::Mode7));
    assert_eq!(content.reading.get(Kind::Volume).unwrap().volume_ul(), Ok(2_850_427_000_000));
    // A fragment of another message in its place.
    let other = fragments(&[message, &[0]].concat(), 10, &[10, 12, 0]);
    let mut receiver = Receiver::default();
    let mut at = |part: &Telegram| receiver.receive(0, part, &with(&key), &mut ());
    assert_eq!(at(&parts[0]), Ok(Received::Part));
    assert_eq!(at(&other[1]), Ok(Received::Part));
    assert_eq!(at(&other[2]), Err(Error::Changed));
}

/// The last block is shorter than a block: what comes before it is read, and the rest is said to be lost.
#[test]
fn a_last_block_that_is_cut_costs_only_itself() {
    let key = Key::new(KEY);
    let records = [RECORDS, &[0x04, 0x13, 1, 2, 3, 4]].concat();
    let mut telegram = Seal { records: &records, ..seal(Lock::Mode5(&key)) }.telegram().unwrap();
    telegram.bytes.truncate(telegram.bytes.len() - 9);
    telegram.bytes[0] -= 9;
    let content = receive(&telegram, &with(&key)).unwrap();
    let fields = &content.reading.fields;
    assert_eq!((fields.len(), fields[0].kind, fields[1].kind), (3, Kind::Volume, Kind::Clock));
    assert!(matches!(&fields[2].value, Value::Absent(Fault::Length, lost) if lost.len() == 9), "{fields:?}");
    telegram.bytes.truncate(telegram.bytes.len() - 7);
    telegram.bytes[0] -= 7;
    assert_eq!(receive(&telegram, &with(&key)), Err(Error::Truncated { need: 16 }));
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(
        volume in 0u32..0x7FFF_FFFF,
        filler in 0usize..40,
        clear in 0usize..20,
        counter in any::<u32>(),
        key in any::<[u8; 16]>(),
        which in 0..4,
        through_radio in any::<bool>(),
    ) {
        let key = Key::new(key);
        let records = [&[0x04, 0x13][..], &volume.to_le_bytes(), &vec![0x2F; filler]].concat();
        let lock = match which {
            0 => Lock::Open,
            1 => Lock::LinkLayer(&key, counter),
            2 => Lock::Mode5(&key),
            _ => Lock::Mode7(&key, counter),
        };
        let sender = (through_radio && which != 1).then(radio);
        // What stays clear is whole records.
        let seal = Seal { sender, records: &records, clear: clear.min(filler), ..seal(lock) };
        let telegram = seal.telegram().expect("short enough");
        for format in [Format::A, Format::B, Format::Plain] {
            let bytes = telegram.encode(format).expect("short enough");
            for asked in [None, Some(format)] {
                let came = Telegram::parse(&bytes, asked).expect("a telegram");
                prop_assert_eq!((came.format, &came.bytes), (format, &telegram.bytes));
                let content = receive(&came, &with(&key)).expect("it opens");
                prop_assert_eq!(content.meter, meter());
                prop_assert_eq!(content.reading.fields[0].volume_ul(), Ok(i64::from(volume) * 1_000_000));
                prop_assert_eq!(content.reading.fields.len(), 1);
            }
        }
    }

    /// No bit of a telegram with a MAC can be changed without a word.
    #[test]
    fn one_changed_bit_gives_nothing(bit in any::<prop::sample::Index>()) {
        let key = Key::new(KEY);
        let telegram = seal(Lock::Mode7(&key, 1)).telegram().expect("short enough");
        let mut changed = telegram.clone();
        // Behind the address of the sender, whose link layer has CRCs for it.
        let bit = 80 + bit.index(telegram.bytes.len() * 8 - 80);
        changed.bytes[bit / 8] ^= 1 << (bit % 8);
        match Receiver::default().receive(0, &changed, &with(&key), &mut ()) {
            // It waits for a part that never comes.
            Err(_) | Ok(Received::Part) => {}
            // Another kind of telegram, in the manufacturer's own format: bytes, that nothing vouches for.
            Ok(Received::New(content)) if content.security == Security::None => {
                prop_assert!(content.reading.fields.iter().all(|f| matches!(f.value, Value::Raw(_))));
            }
            // A bit of the layer that nothing hangs on (the number of a message in one piece).
            Ok(Received::New(content)) => {
                prop_assert_eq!(content, receive(&telegram, &with(&key)).expect("it opens"));
            }
            Ok(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        format in prop_oneof![Just(None), Just(Some(Format::A)), Just(Some(Format::B)), Just(Some(Format::Plain))],
    ) {
        let _ = Telegram::parse(&bytes, format);
    }

    #[test]
    fn any_payload_is_read_or_refused(
        ci in prop_oneof![any::<u8>(), Just(0x72), Just(0x7A), Just(0x78), Just(0x8D), Just(0x8F), Just(0x90), Just(0x7B)],
        body in proptest::collection::vec(any::<u8>(), 0..240),
        plain in any::<bool>(),
    ) {
        let key = Key::new(KEY);
        let mut bytes = vec![(body.len() + 10) as u8, 0x44];
        bytes.extend(meter().to_radio());
        bytes.push(ci);
        bytes.extend(&body);
        let telegram = Telegram::parse(&bytes, Some(Format::Plain)).expect("a telegram");
        let mut explanation = Explanation::default();
        let access = Access { key: Some(&key), plain };
        let received = Receiver::default().receive(0, &telegram, &access, &mut explanation);
        if let Ok(Received::New(_)) = received {
            let mut at = 0;
            for field in &explanation.0 {
                prop_assert_eq!(field.at, at, "{}", explanation);
                at += field.raw.len();
            }
            prop_assert_eq!(at, bytes.len(), "{}", explanation);
        }
    }
}
