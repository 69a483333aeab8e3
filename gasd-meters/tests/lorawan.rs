// SPDX-License-Identifier: MIT OR Apache-2.0
//! LoRaWAN from both ends: what is sealed is opened, nothing else is, and no counter counts twice.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{covers, own};
use gasd_meters::lorawan::payload::{GM2, JOOBY, PROFILES, Profile, UGM};
use gasd_meters::lorawan::{
    Counter, CrcCheck, Datagram, Direction, Draft, JoinAccept, JoinRequest, Key, Keys, Phy, Radio, Session,
    Signed, Transmission, WINDOW, When, join_integrity_key,
};
use gasd_meters::{Decimal, EncodeError, Error, Explanation, Flag, Kind, Reading, Register, Valve, crc, hex};
use proptest::prelude::*;

fn keys(version: u8) -> Keys {
    let key = |n: u8| Key::new([n; 16]);
    match version {
        0 => Keys::V1_0 { network: key(1), application: Some(key(2)) },
        _ => {
            Keys::V1_1 { forwarding: key(1), serving: key(3), encryption: key(4), application: Some(key(2)) }
        }
    }
}

fn draft(counter: u32, payload: &[u8]) -> Draft<'_> {
    Draft {
        direction: Direction::Up,
        confirmed: false,
        dev_addr: 0x2601_1234,
        control: 0x80,
        counter,
        options: &[],
        payload: Some((10, payload)),
    }
}

fn frame(bytes: &[u8]) -> gasd_meters::lorawan::DataFrame<'_> {
    match Phy::parse(bytes) {
        Ok(Phy::Data(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_counter_goes_on_and_never_back() {
    let mut session = Session { dev_addr: 0x2601_1234, keys: keys(0), up: Counter::after(0x1_2AFD) };
    let mut open = |counter: u32| {
        let bytes = draft(counter, b"x").seal(&keys(0), Radio::default()).unwrap();
        session.open(&frame(&bytes), Radio::default()).map(|opened| opened.counter)
    };
    assert_eq!(open(0x1_2AFF), Ok(0x1_2AFF));
    assert_eq!(open(0x1_2AFF), Err(Error::Replay { got: 0x1_2AFF, last: 0x1_2AFF }));
    assert_eq!(open(0x1_2AFE), Err(Error::Replay { got: 0x1_2AFE, last: 0x1_2AFF }));
    assert_eq!(open(0x0_2B00), Err(Error::Mac), "of an age ago");
    assert_eq!(
        open(0x1_2AFF + WINDOW + 1),
        Err(Error::CounterGap { got: 0x1_2B00 + WINDOW, last: 0x1_2AFF })
    );
    assert_eq!(open(0x1_2AFF + WINDOW), Ok(0x1_2AFF + WINDOW));
    assert_eq!(open(0x1_F000), Err(Error::CounterGap { got: 0x1_F000, last: 0x1_2AFF + WINDOW }));
    let mut at = 0x1_2AFF + WINDOW;
    while at < 0x2_0000 {
        at += WINDOW;
        assert_eq!(open(at), Ok(at), "the low half turned over");
    }
    assert_eq!(session.up.last(), Some(at));
    let mut last = Session { up: Counter::after(u32::MAX - 1), ..session };
    let bytes = draft(u32::MAX, b"x").seal(&keys(0), Radio::default()).unwrap();
    assert!(last.open(&frame(&bytes), Radio::default()).is_ok());
    assert!(last.open(&frame(&bytes), Radio::default()).is_err());
}

#[test]
fn a_session_without_joins_is_found_wherever_its_counter_is_and_goes_on_from_there() {
    for (n, before) in [(0, 0x0003_0005), (1, 0x00FF_FFFF), (0, 0)] {
        let up = Counter::new().without_joins();
        let mut session = Session { dev_addr: 0x2601_1234, keys: keys(n), up };
        let mut open = |counter: u32| {
            let bytes = draft(counter, b"x").seal(&keys(n), Radio::default()).unwrap();
            session.open(&frame(&bytes), Radio::default()).map(|opened| opened.counter)
        };
        assert_eq!(open(0x0100_0000), Err(Error::Mac), "beyond what any device counts to");
        assert_eq!(open(before), Ok(before));
        assert_eq!(open(before), Err(Error::Replay { got: before, last: before }));
        // Nobody heard it for so long: there is no way back but on.
        for gap in [WINDOW + 1, 0x3_0000, 0x8_0000 - 0x1_0000] {
            let last = session.up.last().unwrap();
            let mut open = |counter: u32| {
                let bytes = draft(counter, b"x").seal(&keys(n), Radio::default()).unwrap();
                session.open(&frame(&bytes), Radio::default()).map(|opened| opened.counter)
            };
            assert_eq!(open(last + gap), Ok(last + gap));
            assert!(matches!(open(last + 1), Err(Error::Replay { .. } | Error::Mac)), "it never goes back");
        }
        assert!(session.up.last() > Some(before));
    }
    // The MIC decides: another key's frame is none, whatever its counter.
    let up = Counter::new().without_joins();
    let mut session = Session { dev_addr: 0x2601_1234, keys: keys(0), up };
    let other = Keys::V1_0 { network: Key::new([7; 16]), application: None };
    for low in 0..20 {
        let bytes = Draft { payload: None, ..draft(low, b"") }.seal(&other, Radio::default()).unwrap();
        assert_eq!(session.open(&frame(&bytes), Radio::default()), Err(Error::Mac));
    }
    let mut last = Session { up: Counter::after(u32::MAX - 1).without_joins(), ..session };
    let bytes = draft(u32::MAX, b"x").seal(&keys(0), Radio::default()).unwrap();
    assert!(last.open(&frame(&bytes), Radio::default()).is_ok());
}

#[test]
fn a_wrong_frame_leaves_the_counter_where_it_was() {
    let mut session = Session { dev_addr: 0x2601_1234, keys: keys(1), up: Counter::after(7) };
    let radio = Radio { acknowledged: 3, data_rate: 5, channel: 2 };
    let bytes = Draft { control: 0x20, ..draft(8, b"gas") }.seal(&keys(1), radio).unwrap();
    for wrong in
        [Radio { acknowledged: 4, ..radio }, Radio { data_rate: 4, ..radio }, Radio { channel: 3, ..radio }]
    {
        assert_eq!(session.open(&frame(&bytes), wrong), Err(Error::Mac));
    }
    let other = Draft { dev_addr: 1, ..draft(8, b"gas") }.seal(&keys(1), radio).unwrap();
    assert_eq!(session.open(&frame(&other), radio), Err(Error::AddressMismatch));
    let down = Draft { direction: Direction::Down, ..draft(8, b"gas") }.seal(&keys(1), radio).unwrap();
    assert!(matches!(session.open(&frame(&down), radio), Err(Error::AnswerMismatch { .. })));
    assert_eq!(session.up, Counter::after(7));
    assert_eq!(session.open(&frame(&bytes), radio).unwrap().payload.as_deref(), Some(&b"gas"[..]));
    // Without the key of the payload the rest is checked all the same.
    let bytes = draft(1, b"gas").seal(&keys(0), Radio::default()).unwrap();
    let blind = Keys::V1_0 { network: Key::new([1; 16]), application: None };
    assert_eq!(blind.open(&frame(&bytes), 1, Radio::default()).unwrap().payload, None);
    assert_eq!(draft(1, b"gas").seal(&blind, Radio::default()), Err(EncodeError::Key));
}

#[test]
fn joining_makes_the_same_keys_on_both_sides() {
    let root = Key::new([9; 16]);
    let wire = JoinRequest::build(0x0102_0304_0506_0708, 0x1112_1314_1516_1718, 0xBEEF, &root);
    let Phy::JoinRequest(request) = Phy::parse(&wire).unwrap() else { panic!() };
    assert_eq!(request.verify(&root), Ok(()));
    assert_eq!((request.dev_eui, request.dev_nonce), (0x1112_1314_1516_1718, 0xBEEF));
    let accept = JoinAccept {
        join_nonce: 0x00AB_CDEF,
        net_id: 0x13,
        dev_addr: 0x2601_1234,
        settings: 0x83,
        delay: 5,
        channels: Some([0x18, 0x4F, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    };
    let key = join_integrity_key(&root, request.dev_eui);
    let signed =
        Signed { key: &key, request: 0xFF, join_eui: request.join_eui, dev_nonce: request.dev_nonce };
    let wire = accept.build(&root, Some(signed));
    assert_eq!(JoinAccept::open(&wire, &root, Some(signed)), Ok(accept.clone()));
    assert_eq!(accept.frequencies_hz(), [867_100_000]);
    assert_eq!(JoinAccept::open(&wire, &root, None), Err(Error::KeyMissing));
    let other = Signed { dev_nonce: 1, ..signed };
    assert_eq!(JoinAccept::open(&wire, &root, Some(other)), Err(Error::Mac));
    assert_eq!(JoinAccept::open(&wire, &Key::new([8; 16]), Some(signed)).map_err(|e| e.kind()), Err("mac"));
    // What the network seals with its keys the device opens with its own.
    let app = Key::new([7; 16]);
    let ours = accept.keys_1_1(&root, &app, request.join_eui, request.dev_nonce);
    let theirs = accept.keys_1_1(&root, &app, request.join_eui, request.dev_nonce);
    let bytes = draft(1, b"gas").seal(&ours, Radio::default()).unwrap();
    assert!(theirs.open(&frame(&bytes), 1, Radio::default()).is_ok());
    let not = accept.keys_1_1(&root, &app, request.join_eui, 1);
    assert_eq!(not.open(&frame(&bytes), 1, Radio::default()), Err(Error::Mac));
}

proptest! {
    #[test]
    fn sealed_is_opened(
        version in 0..2u8, up: bool, confirmed: bool, dev_addr: u32, control: u8, counter: u32,
        options in prop::collection::vec(any::<u8>(), 0..16), port: u8,
        payload in prop::collection::vec(any::<u8>(), 0..=242),
        acknowledged: u16, data_rate: u8, channel: u8, bit in 0..2048usize,
    ) {
        let radio = Radio { acknowledged, data_rate, channel };
        let direction = if up { Direction::Up } else { Direction::Down };
        let options = if port == 0 { vec![] } else { options };
        let draft = Draft { direction, confirmed, dev_addr, control, counter, options: &options, payload: Some((port, &payload)) };
        let bytes = draft.seal(&keys(version), radio).unwrap();
        let opened = keys(version).open(&frame(&bytes), counter, radio).unwrap();
        prop_assert_eq!(opened.options, options);
        prop_assert_eq!((opened.port, opened.payload), (Some(port), Some(payload)));
        let mut changed = bytes.clone();
        let bit = bit % (8 * bytes.len());
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(Phy::Data(frame)) = Phy::parse(&changed) {
            let whole = counter & 0xFFFF_0000 | u32::from(frame.counter);
            prop_assert!(keys(version).open(&frame, whole, radio).is_err(), "bit {}", bit);
        }
    }

    #[test]
    fn any_bytes_are_something_or_say_why(bytes in prop::collection::vec(any::<u8>(), 0..300), port: u8) {
        if let Err(why) = Phy::parse(&bytes) {
            prop_assert!(!why.to_string().is_empty());
        }
        let _ = JoinAccept::open(&bytes, &Key::new([1; 16]), None);
        let _ = (Datagram::parse(&bytes), Datagram::parse(&[&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &bytes].concat()));
        for profile in PROFILES {
            let mut explanation = Explanation::default();
            let read = profile.decode(port, &bytes, &mut explanation);
            prop_assert_eq!(&read, &profile.decode(port, &bytes, &mut ()));
        }
    }

    /// Whatever is in a message whose LRC fits.
    #[test]
    fn any_jooby_message(mut bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        bytes.push(crc::xor(&bytes) ^ 0x55);
        let mut explanation = Explanation::default();
        if Profile::named(JOOBY).unwrap().decode(1, &bytes, &mut explanation).is_ok() {
            covers(&explanation, bytes.len(), &hex::Hex(&bytes));
        }
    }
}

fn payload(name: &str, pulse: Option<Decimal>, port: u8, text: &str) -> Vec<Reading> {
    let bytes = hex::parse(text).unwrap();
    let profile = Profile { pulse, ..*Profile::named(name).unwrap() };
    let mut explanation = Explanation::default();
    let readings =
        profile.decode(port, &bytes, &mut explanation).unwrap_or_else(|why| panic!("{text}: {why}"));
    covers(&explanation, bytes.len(), &text);
    readings
}

/// Payloads of the project, with what they say.
#[test]
fn own_payloads() {
    for line in own("lorawan.jsonl") {
        let readings = payload(
            line["profile"].as_str().unwrap(),
            None,
            line["port"].as_u64().unwrap() as u8,
            line["hex"].as_str().unwrap(),
        );
        let said: Vec<Vec<_>> = readings
            .iter()
            .map(|r| r.fields.iter().map(|f| format!("{}: {}", f.name(), f.value)).collect())
            .collect();
        assert_eq!(serde_json::json!(said), line["readings"], "{}", line["name"]);
        let valves: Vec<_> = readings.iter().map(|r| r.valve.map(|valve| valve.to_string())).collect();
        assert_eq!(serde_json::json!(valves), line["valves"], "{}", line["name"]);
        let set: Vec<_> = readings.iter().map(|r| r.flags.to_string()).collect();
        assert_eq!(serde_json::json!(set), line["set"], "{}", line["name"]);
    }
}

/// The examples of the maker's documents.
#[test]
fn jooby_examples() {
    let of = |text| payload(JOOBY, None, 1, text);
    let current = of("07 04 80 00 01 56 81");
    assert_eq!(current[0].get(Kind::Count).unwrap().value.to_string(), "342", "the magnet's bit is no pulse");
    assert_eq!(current[0].flags.get(Flag::Magnet), Some(true));
    let day = of("26 2f 97 80 00 00 7a 31");
    assert_eq!(day[0].fields[0].value.to_string(), "2023-12-23T00:00");
    assert_eq!(day[0].fields[1].value.to_string(), "122");
    assert_eq!(of("09 05 4d 2b bd 98 ad b7")[0].fields[0].value.to_string(), "2023-04-03T14:01:17");
    let status = of("14 0c 02 0a 03 01 c5 6d c2 27 32 0e 68 22 7c");
    assert_eq!(status[0].get(Kind::BatteryVoltage).unwrap().value.to_string(), "3522 mV");
    assert_eq!(status[0].get(Kind::Battery).unwrap().value.to_string(), "40.9 %");
    assert_eq!(status[0].get(Kind::MeterTemperature).unwrap().value.to_string(), "14 °C");
    assert_eq!(of("15 06 01 02 2b c0 31 60 ff")[0].flags.get(Flag::Magnet), Some(true));
    assert_eq!(of("15 04 05 02 0c ec a3")[0].flags.get(Flag::BatteryLow), Some(true));
    let volume = payload(JOOBY, Some(Decimal::new(1, -2)), 1, "07 04 00 00 01 56 01");
    assert_eq!(volume[0].get(Kind::Volume).unwrap().volume_ul(), Ok(3_420_000_000));
    let damaged = hex::parse("07 04 80 00 01 57 81").unwrap();
    let error = Profile::named(JOOBY).unwrap().decode(1, &damaged, &mut ()).unwrap_err();
    assert_eq!(error, Error::Checksum { got: 0x81, want: 0x80 });
}

#[test]
fn what_a_payload_must_not_be() {
    let error = |name: &str, port, text: &str| {
        let bytes = hex::parse(text).unwrap();
        Profile::named(name).unwrap().decode(port, &bytes, &mut ()).unwrap_err().kind()
    };
    assert_eq!(error(UGM, 99, "FF"), "unsupported_mode");
    assert_eq!(error(UGM, 10, "FF1E00000000 01 28"), "truncated");
    assert_eq!(error(UGM, 10, &format!("01 77 {}", "00".repeat(19))), "malformed");
    assert_eq!(error(UGM, 50, "FE 01 00 00"), "malformed");
    assert_eq!(error(GM2, 3, "00"), "unsupported_mode");
    assert_eq!(error(GM2, 2, "00"), "truncated");
    assert!(Profile::named("nobody").is_none());
    let valve = payload(UGM, None, 1, "01 15 01 01 28 01 01 16 00");
    assert_eq!((valve[0].valve, valve[0].flags.get(Flag::Leak)), (Some(Valve::Closed), Some(true)));
    assert_eq!(valve[0].flags.get(Flag::Tamper), Some(false));
    assert_eq!(Register::PLAIN, Register::default());
}

const PUSH: &str = r#"{"rxpk":[
 {"time":"2026-11-28T10:00:00.000Z","tmst":3512348611,"chan":2,"rfch":0,"freq":866.349812,"stat":1,
  "modu":"LORA","datr":"SF7BW125","codr":"4/6","rssi":-35,"lsnr":5.1,"size":17,
  "data":"QPF9vkkAAgABlUN4disR/w0="},
 {"tmst":1,"freq":868.1,"stat":-1,"datr":50000,"data":"AA"},
 {"size":3,"data":"AA=="}, {"data":"?"}, {}],
 "stat":{"rxnb":4,"rxok":3,"rxfw":2}}"#;

#[test]
fn what_a_packet_forwarder_says() {
    let head = [1, 0xAB, 0xCD, 0, 0xAA, 0x55, 0x5A, 0, 0, 0, 1, 1];
    let datagram = Datagram::parse(&[&head[..], PUSH.as_bytes()].concat()).unwrap();
    assert_eq!(datagram.acknowledgement(), Some([2, 0xAB, 0xCD, 1]));
    let Datagram::Push { gateway, heard, .. } = datagram else { panic!() };
    assert_eq!(gateway, 0xAA55_5A00_0000_0101);
    let statistics = heard.statistics.unwrap();
    assert_eq!((statistics.received, statistics.right, statistics.forwarded), (4, 3, 2));
    let [first, second, size, base64, none] = &heard.frames[..] else { panic!("{:?}", heard.frames) };
    let first = first.as_ref().unwrap();
    assert_eq!(hex::Hex(&first.frame).to_string(), "40F17DBE4900020001954378762B11FF0D");
    assert_eq!((first.frequency_hz, first.rssi_dbm), (Some(866_349_812), Some(-35)));
    assert_eq!((first.crc, first.snr_db), (CrcCheck::Right, Some(Decimal::new(51, -1))));
    assert_eq!((first.data_rate.as_deref(), first.timestamp_us), (Some("SF7BW125"), Some(3_512_348_611)));
    let second = second.as_ref().unwrap();
    assert_eq!((second.crc, second.frequency_hz), (CrcCheck::Wrong, Some(868_100_000)));
    assert_eq!(second.data_rate.as_deref(), Some("50000"));
    for wrong in [size, base64, none] {
        assert_eq!(wrong.as_ref().unwrap_err().kind(), "malformed", "one that is wrong costs only itself");
    }
    let pull = Datagram::parse(&[2, 1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 9]).unwrap();
    assert_eq!(pull, Datagram::Pull { token: [1, 2], gateway: 9 });
    assert_eq!(pull.acknowledgement(), Some([2, 1, 2, 4]));
    let sent =
        |json: &str| Datagram::parse(&[&[2, 1, 2, 5, 0, 0, 0, 0, 0, 0, 0, 9][..], json.as_bytes()].concat());
    let of = |error: Option<&str>| {
        Ok(Datagram::Sent { token: [1, 2], gateway: 9, error: error.map(String::from) })
    };
    assert_eq!(sent(""), of(None));
    assert_eq!(sent(r#"{"txpk_ack":{"error":"NONE"}}"#), of(None));
    assert_eq!(sent(r#"{"txpk_ack":{"error":"TOO_LATE"}}"#), of(Some("TOO_LATE")));
    assert_eq!(sent("{").unwrap_err().kind(), "malformed");
    assert_eq!(Datagram::parse(&[3, 1, 2, 2]).unwrap_err(), Error::UnsupportedMode { mode: 3 });
    assert_eq!(Datagram::parse(&[2, 1, 2, 3]).unwrap_err().kind(), "malformed");
    assert_eq!(Datagram::parse(&[2, 1, 2, 2, 0]).unwrap_err(), Error::Truncated { need: 7 });
}

#[test]
fn what_a_packet_forwarder_is_asked() {
    let transmission = Transmission {
        frame: b"foobar",
        when: When::At(4_294_967_295),
        frequency_hz: 869_525_000,
        radio: 0,
        power_dbm: 14,
        data_rate: "SF12BW125",
        coding: "4/5",
    };
    let bytes = Datagram::send([7, 8], &transmission).unwrap();
    assert_eq!(bytes[..4], [2, 7, 8, 3]);
    let json: serde_json::Value = serde_json::from_slice(&bytes[4..]).unwrap();
    let known = serde_json::json!({"txpk": {
        "tmst": 4_294_967_295u32, "freq": 869.525, "rfch": 0, "powe": 14, "modu": "LORA",
        "datr": "SF12BW125", "codr": "4/5", "ipol": true, "size": 6, "data": "Zm9vYmFy",
    }});
    assert_eq!(json, known);
    let now = Transmission { when: When::Now, ..transmission }.to_json().unwrap();
    assert!(now.contains(r#""imme":true"#));
    let forged = Transmission { data_rate: "x\",\"powe\":\"27", ..transmission };
    assert!(matches!(forged.to_json(), Err(EncodeError::OutOfRange { .. })));
    assert!(Transmission { frame: &[0; 256], ..transmission }.to_json().is_err());
}
