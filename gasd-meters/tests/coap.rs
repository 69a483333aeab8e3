// SPDX-License-Identifier: MIT OR Apache-2.0
//! CoAP messages, TLV and the objects of LwM2M: what is written is read, and any bytes say what is wrong.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/coap.rs"]
mod messages;

use common::own;
use gasd_meters::nbiot::{Content, Message, Path, Said, TlvKind, items, objects, say};
use gasd_meters::{Fault, Flag, Kind, Value, hex};
use messages::{any_message, parse};
use proptest::prelude::*;

/// Messages of the project and of the RFCs' examples, with what they say.
#[test]
fn own_messages() {
    for line in own("coap.jsonl") {
        let bytes = common::bytes(&line, "hex");
        let name = &line["name"];
        if let Some(kind) = line["error"].as_str() {
            assert_eq!(Message::parse(&bytes, &mut ()).map_err(|why| why.kind()), Err(kind), "{name}");
            continue;
        }
        let message = parse(&bytes);
        let options: Vec<_> =
            message.options.iter().map(|(n, value)| format!("{n}:{}", hex::Hex(value))).collect();
        assert_eq!(format!("{:?}", message.kind), line["type"], "{name}");
        assert_eq!(message.code.to_string(), line["code"], "{name}");
        assert_eq!(serde_json::json!(message.id), line["id"], "{name}");
        assert_eq!(hex::Hex(&message.token).to_string(), line["token"], "{name}");
        assert_eq!(serde_json::json!(options), line["options"], "{name}");
        assert_eq!(hex::Hex(&message.payload).to_string(), line["payload"], "{name}");
        assert_eq!(message.encode().unwrap(), bytes, "{name}");
    }
}

proptest! {
    #[test]
    fn messages_there_and_back(message in any_message()) {
        let bytes = message.encode().unwrap();
        prop_assert_eq!(&parse(&bytes), &message);
        if message.payload.is_empty() {
            for end in 0..bytes.len() {
                if let Err(why) = Message::parse(&bytes[..end], &mut ()) {
                    prop_assert_eq!(why.kind(), "truncated");
                }
            }
        }
    }

    #[test]
    fn any_datagram_is_something_or_says_why(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::parse(&bytes, &mut ()).map(|message| message.encode());
        let _ = items(&bytes);
        for path in [[3, 0, 9], [4, 0, 2], [5, 0, 3], [19, 0, 0]] {
            for format in [None, Some(0), Some(42), Some(11_542), Some(60)] {
                let _ = say(Path::new(&path), &Content::of(format, bytes.clone()));
                let _ = say(Path::new(&path[..2]), &Content::of(format, bytes.clone()));
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(objects(&text).len() <= 64);
    }
}

#[test]
fn objects_of_a_list() {
    let list =
        "</>;rt=\"oma.lwm2m\";ct=\"1,<2>\",</3/0>,</lwm2m/19/0>,<4>;ver=1.0,</a/b>,</3/x>,</1/2/3/4/5>";
    let paths: Vec<_> = objects(list).iter().map(Path::to_string).collect();
    assert_eq!(paths, ["/3/0", "/19/0", "/4"]);
}

#[test]
fn tlv_of_every_kind_and_length() {
    let nested =
        hex::parse("060BC10950C10101 860B410001410102 D805000002AABB E8010003010203 F001000001FF").unwrap();
    let said: Vec<_> = items(&nested)
        .unwrap()
        .iter()
        .map(|item| format!("{:?} {:?} {}", item.kind, item.path, hex::Hex(item.value)))
        .collect();
    assert_eq!(
        said,
        [
            "ObjectInstance [11] C10950C10101",
            "Resource [11, 9] 50",
            "Resource [11, 1] 01",
            "MultipleResource [11] 410001410102",
            "ResourceInstance [11, 0] 01",
            "ResourceInstance [11, 1] 02",
            "Resource [5] AABB",
            "Resource [256] 010203",
            "Resource [256] FF",
        ]
    );
    for end in 1..6 {
        assert_eq!(items(&nested[..end]).map_err(|why| why.kind()).unwrap_err(), "truncated");
    }
    let deep = hex::parse("08000B 080008 0600 0400 0200 C000").unwrap();
    assert_eq!(items(&deep).map_err(|why| why.kind()), Err("malformed"));
    assert_eq!(items(&[]).unwrap().first().map(|item| item.kind), None::<TlvKind>);
}

#[test]
fn values_of_the_device() {
    let of = |text: &str| {
        let content = Content::of(Some(11_542), hex::parse(text).unwrap());
        let Said::Reading(reading) = say(Path::new(&[3, 0]), &content).unwrap() else { panic!() };
        reading
    };
    // Maker, number, errors (several), time.
    let reading = of("C3004D4B52 C402 38363430 86 0B 41 00 01 41 01 02 C40D 6929 8420");
    assert_eq!((reading.meter.id.as_str(), reading.meter.manufacturer.as_deref()), ("8640", Some("MKR")));
    assert_eq!(
        (reading.flags.get(Flag::BatteryLow), reading.flags.get(Flag::PowerLow)),
        (Some(true), Some(true))
    );
    assert_eq!(reading.clock().unwrap().unwrap().to_string(), "2025-11-28T11:14:40");
    assert_eq!(of("C10965").fields[0].value, Value::Absent(Fault::OutOfRange, vec![0x65]));
    let text = say(Path::new(&[4, 0, 2]), &Content::Text("-87".into())).unwrap();
    let Said::Reading(reading) = text else { panic!() };
    assert_eq!(reading.get(Kind::Signal).unwrap().value.to_string(), "-87 dBm");
    assert_eq!(say(Path::new(&[9, 0]), &Content::Text("1".into())), Ok(Said::Unknown));
    // Several values of resource 0, and its priority, which is no frame.
    let data = Content::Tlv(hex::parse("8700 4200AABB 4101CC C10102").unwrap());
    assert_eq!(say(Path::new(&[19, 0]), &data), Ok(Said::Frames(vec![vec![0xAA, 0xBB], vec![0xCC]])));
}
