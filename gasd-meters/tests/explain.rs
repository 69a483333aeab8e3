// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames of LoRaWAN and content of LwM2M are explained byte by byte, and nothing encrypted comes out of one whose MIC
//! was not right.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{bytes, covers, own};
use gasd_meters::lorawan::payload::{JOOBY, Profile, UGM};
use gasd_meters::lorawan::{
    Direction, Draft, JoinAccept, JoinRequest, Key, Keys, Mic, Phy, Radio, Signed, join_integrity_key,
};
use gasd_meters::nbiot::{TlvKind, explain_items, items};
use gasd_meters::{Error, Explanation, Kind, Trace, hex::Hex};
use proptest::prelude::*;

fn keys(new: bool, application: bool) -> Keys {
    let application = application.then(|| Key::new([2; 16]));
    if new {
        let key = |n: u8| Key::new([n; 16]);
        Keys::V1_1 { forwarding: key(1), serving: key(3), encryption: key(4), application }
    } else {
        Keys::V1_0 { network: Key::new([1; 16]), application }
    }
}

fn meaning<'a>(explanation: &'a Explanation, name: &str) -> &'a str {
    &explanation.0.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{name}")).meaning
}

#[test]
fn a_payload_is_explained_in_its_place() {
    let line = own("lorawan.jsonl").into_iter().find(|line| line["name"] == "ugm, two records").unwrap();
    let plain = bytes(&line, "hex");
    let draft = Draft {
        direction: Direction::Up,
        confirmed: true,
        dev_addr: 0x2601_1234,
        control: 0x80,
        counter: 0x1_0002,
        options: &[2],
        payload: Some((10, &plain)),
    };
    let air = draft.seal(&keys(false, true), Radio::default()).unwrap();
    let Phy::Data(frame) = Phy::parse(&air).unwrap() else { panic!() };
    let opened = keys(false, true).open(&frame, 0x1_0002, Radio::default()).unwrap();
    let mut explanation = Explanation::default();
    let readings = frame.explain(Mic::Right, Some(&opened), Profile::named(UGM), &mut explanation).unwrap();
    covers(&explanation, air.len(), &"ugm");
    assert_eq!(readings.len(), 2);
    assert_eq!(readings[0].get(Kind::Volume).unwrap().value.to_string(), "1234.567 m³");
    assert_eq!(meaning(&explanation, "DevAddr"), "26011234");
    assert_eq!(meaning(&explanation, "type"), "confirmed data up");
    assert_eq!(meaning(&explanation, "control"), "ADR, 1 bytes of options");
    assert_eq!(meaning(&explanation, "frame counter"), "65538");
    assert_eq!(meaning(&explanation, "MIC"), "right");

    // Another maker's profile costs the readings, not the rest; and half of its fields do not stand for it.
    let mut explanation = Explanation::default();
    let failed = frame.explain(Mic::Right, Some(&opened), Profile::named(JOOBY), &mut explanation);
    assert_eq!(failed.unwrap_err().kind(), "checksum");
    covers(&explanation, air.len(), &"jooby");
    assert_eq!(meaning(&explanation, "payload"), Hex(&plain).to_string());

    // Without a key nothing of it is plain.
    let mut explanation = Explanation::default();
    Phy::Data(frame).explain(&mut explanation);
    covers(&explanation, air.len(), &"no key");
    assert_eq!(meaning(&explanation, "payload"), format!("{} bytes, encrypted", plain.len()));
    assert_eq!(meaning(&explanation, "frame counter"), "2, its low half");
    assert_eq!(meaning(&explanation, "MIC"), "not checked, there is no key");
}

#[test]
fn joins_are_explained() {
    let (key, eui) = (Key::new([9; 16]), 0x70B3_D57E_D000_0001);
    let air = JoinRequest::build(7, eui, 513, &key);
    let Phy::JoinRequest(request) = Phy::parse(&air).unwrap() else { panic!() };
    let mut explanation = Explanation::default();
    request.explain(Mic::Wrong, &mut explanation);
    covers(&explanation, 23, &"request");
    assert_eq!(meaning(&explanation, "DevEUI"), "70B3D57ED0000001");
    assert_eq!(meaning(&explanation, "DevNonce"), "513");
    assert!(meaning(&explanation, "MIC").starts_with("does not fit"));

    let integrity = join_integrity_key(&key, eui);
    let signed = Some(Signed { key: &integrity, request: 0xFF, join_eui: 7, dev_nonce: 513 });
    let mut list = [0; 16];
    list[..3].copy_from_slice(&[0x18, 0x4F, 0x84]);
    for (settings, channels) in [(0x12, None), (0x12, Some(list)), (0x92, Some([1; 16]))] {
        let accept =
            JoinAccept { join_nonce: 3, net_id: 0x13, dev_addr: 0x2601_1234, settings, delay: 0, channels };
        let air = accept.build(&key, signed);
        let mut explanation = Explanation::default();
        Phy::parse(&air).unwrap().explain(&mut explanation);
        covers(&explanation, air.len(), &"accept, sealed");
        assert_eq!(explanation.0.len(), 2);
        let opened = JoinAccept::open(&air, &key, signed).unwrap();
        let mut explanation = Explanation::default();
        opened.explain(&air, &key, &mut explanation);
        covers(&explanation, air.len(), &"accept");
        assert_eq!(meaning(&explanation, "delay"), "1 s");
        assert_eq!(meaning(&explanation, "settings").contains("1.1"), settings & 0x80 != 0);
        if channels == Some(list) {
            assert_eq!(meaning(&explanation, "channels"), "[867100000] Hz");
        }
    }
}

#[test]
fn tlv_is_explained_with_what_lies_inside() {
    // Object instance 0 with resource 0 (two bytes), and a resource with two values, one of them long.
    let mut inner = vec![0xC2, 0, b'o', b'k', 0x88, 6, 16, 0x41, 0, 1, 0x48, 1, 10];
    inner.extend([0xAA; 10]);
    let mut all = vec![0x08, 0, inner.len() as u8];
    all.extend(&inner);
    let mut explanation = Explanation::default();
    let found = explain_items(&all, &mut explanation).unwrap();
    covers(&explanation, all.len(), &"tlv");
    assert_eq!(found, items(&all).unwrap());
    assert_eq!(found[4].path, [0, 6, 1]);
    assert_eq!(found[4].kind, TlvKind::ResourceInstance);
    assert_eq!(meaning(&explanation, "value"), "\"ok\"");
    assert_eq!(meaning(&explanation, "instance of the resource 1"), "10 bytes");
}

/// Keeps nothing, and counts.
struct Counted(usize);

impl Trace for Counted {
    fn field(&mut self, at: usize, raw: &[u8], _: std::fmt::Arguments<'_>, _: std::fmt::Arguments<'_>) {
        assert_eq!(at, self.0);
        self.0 += raw.len();
    }
}

proptest! {
    #[test]
    fn any_frame_is_explained_whole(
        new in any::<bool>(), down in any::<bool>(), application in any::<bool>(), control in any::<u8>(),
        counter in any::<u32>(), options in prop::collection::vec(any::<u8>(), 0..15),
        port in prop::option::of(1u8..), plain in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let direction = if down { Direction::Down } else { Direction::Up };
        let draft = Draft {
            direction, confirmed: new, dev_addr: counter, control, counter,
            options: &options, payload: port.map(|port| (port, &plain[..])),
        };
        let air = draft.seal(&keys(new, true), Radio::default()).unwrap();
        let Phy::Data(frame) = Phy::parse(&air).unwrap() else { panic!() };
        let opened = keys(new, application).open(&frame, counter, Radio::default()).unwrap();
        for opened in [None, Some(&opened)] {
            let mut explanation = Explanation::default();
            let _ = frame.explain(Mic::Right, opened, Profile::named(UGM), &mut explanation);
            covers(&explanation, air.len(), &Hex(&air));
        }
        prop_assert_eq!(keys(!new, true).open(&frame, counter, Radio::default()), Err(Error::Mac));
    }

    #[test]
    fn any_bytes_are_explained_as_far_as_they_are_tlv(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut counted = Counted(0);
        let found = explain_items(&bytes, &mut counted);
        prop_assert_eq!(&found, &items(&bytes));
        if found.is_ok() {
            prop_assert_eq!(counted.0, bytes.len());
        }
    }

    #[test]
    fn any_phy_is_explained_whole(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(phy) = Phy::parse(&bytes) {
            let mut explanation = Explanation::default();
            phy.explain(&mut explanation);
            covers(&explanation, bytes.len(), &Hex(&bytes));
        }
    }
}
