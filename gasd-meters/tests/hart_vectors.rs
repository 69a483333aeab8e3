// SPDX-License-Identifier: MIT OR Apache-2.0
//! HART frames by others: every one is read as it is known to be, or refused for the right reason.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{bytes, covers, vectors};
use gasd_meters::hart::{
    Address, DEVICE, Frame, Master, Message, Request, Type, decode, encode, find, probe,
};
use gasd_meters::scan::first;
use gasd_meters::{Error, Explanation, Field, Value, hex::Hex};
use serde_json::{Map, Value as Json, json};

fn hex(bytes: &[u8]) -> Json {
    json!(Hex(bytes).to_string())
}

/// A number as the float that it came as.
fn float(field: &Field) -> f64 {
    let Value::Number(number) = field.value else { panic!("{field:?}") };
    number.decimal.to_f64()
}

/// Whether two say the same, floats to seven digits.
fn same(said: &Json, known: &Json) -> bool {
    match (said, known) {
        (Json::Number(a), Json::Number(b)) => {
            format!("{:.6e}", a.as_f64().unwrap()) == format!("{:.6e}", b.as_f64().unwrap())
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn frames_by_others() {
    let Some(lines) = vectors("hart/frames.jsonl") else { return };
    let (mut read, mut refused, mut values) = (0, 0, 0);
    for line in &lines {
        let (id, stream, expect) = (&line["id"], bytes(line, "hex"), &line["expect"]);
        if expect["ok"] == false {
            let error = find(&stream).expect_err("a negative case");
            assert_eq!(error.kind(), expect["error"], "{id}");
            if let (Error::Checksum { want, .. }, Some(known)) = (error, expect["computed"].as_str()) {
                assert_eq!(format!("{want:02X}"), known, "{id}");
            }
            refused += 1;
            continue;
        }
        let (offset, len) = first(&stream, probe).unwrap_or_else(|why| panic!("{id}: {why}"));
        let frame = Frame::parse(&stream[offset..offset + len]).unwrap();
        let mut said = Map::new();
        said.insert("ok".into(), json!(true));
        said.insert("preamble".into(), json!(offset));
        said.insert("trailing".into(), hex(&stream[offset + len..]));
        head(&frame, &mut said);
        let mut explanation = Explanation::default();
        let message = decode(&frame, &mut explanation).unwrap_or_else(|why| panic!("{id}: {why}")).message;
        covers(&explanation, len, id);
        body(&frame, &message, &mut said);
        if let Message::Request(data) = &message {
            let again = encode(frame.master, frame.address, &Request::Raw(frame.command, data), offset);
            assert_eq!(again.unwrap(), stream, "{id}");
        }
        values +=
            usize::from(matches!(message, Message::Data(_) | Message::Identity(_) | Message::Tag { .. }));
        let said = Json::Object(said);
        assert!(same(&said, expect), "{id}:\n{said}\n{expect}");
        read += 1;
    }
    println!("{read} read, {refused} refused, {values} with values");
    assert!(read >= 26 && refused >= 3 && values >= 10);
}

fn head(frame: &Frame<'_>, said: &mut Map<String, Json>) {
    let kind = match frame.kind {
        Type::Burst => "BACK",
        Type::Request => "STX",
        Type::Answer => "ACK",
    };
    said.insert("type".into(), json!(kind));
    said.insert("primary_master".into(), json!(frame.master == Master::Primary));
    said.insert("burst".into(), json!(frame.burst));
    said.insert("command".into(), json!(frame.command));
    said.insert("byte_count".into(), json!(frame.data.len() + if frame.status.is_some() { 2 } else { 0 }));
    said.insert("data".into(), hex(frame.data));
    match frame.address {
        Address::Polling(poll) => {
            said.insert("addressing".into(), json!("polling"));
            said.insert("poll_address".into(), json!(poll));
        }
        Address::Unique { kind, id } => {
            said.insert("addressing".into(), json!("unique"));
            said.insert("expanded_device_type".into(), json!(format!("{kind:04X}")));
            said.insert("device_id".into(), hex(&id));
        }
    }
    let Some(status) = frame.status else { return };
    said.insert("comm_error".into(), json!(status.communication_error().is_some()));
    said.insert("response_code".into(), json!(status.code()));
    said.insert("device_status".into(), hex(&[status.device]));
    let words = DEVICE.iter().filter(|(bit, _)| status.device & bit != 0);
    let words: Vec<_> = words.map(|(_, word)| word.replace(' ', "_")).collect();
    said.insert("device_status_flags".into(), json!(words));
}

fn body(frame: &Frame<'_>, message: &Message, said: &mut Map<String, Json>) {
    match message {
        Message::Identity(who) => {
            let mut ident = json!({
                "expansion": who.expansion,
                "expanded_device_type": format!("{:04X}", who.device_type),
                "min_preambles_req": who.preambles,
                "hart_revision": who.hart,
                "device_revision": who.revision,
                "software_revision": who.software,
                "hw_rev": who.hardware,
                "signalling": who.signalling,
                "flags": format!("{:02X}", who.flags),
                "device_id": Hex(&who.id).to_string(),
            });
            if let Some(changes) = who.changes {
                ident["min_preambles_resp"] = json!(who.preambles_back);
                ident["max_device_vars"] = json!(who.variables);
                ident["config_change_counter"] = json!(changes);
                ident["ext_status"] = json!(format!("{:02X}", who.extended_status.unwrap()));
                ident["manufacturer_id"] = json!(format!("{:04X}", who.manufacturer.unwrap()));
                ident["private_label"] = json!(format!("{:04X}", who.label.unwrap()));
                ident["device_profile"] = json!(who.profile);
            }
            said.insert("ident".into(), ident);
        }
        Message::Data(reading) => {
            let mut fields = reading.fields.iter();
            let unit = |at: usize| frame.data[at];
            match frame.command {
                1 => {
                    let pv = json!({ "unit": unit(0), "value": float(fields.next().unwrap()) });
                    said.insert("pv".into(), pv);
                }
                2 => {
                    let current = float(fields.next().unwrap());
                    let percent = float(fields.next().unwrap());
                    said.insert("loop".into(), json!({ "current_ma": current, "percent": percent }));
                }
                _ => {
                    said.insert("loop_current_ma".into(), json!(float(fields.next().unwrap())));
                    let vars: Vec<_> = fields
                        .enumerate()
                        .map(|(n, field)| json!({ "unit": unit(4 + 5 * n), "value": float(field) }))
                        .collect();
                    said.insert("vars".into(), json!(vars));
                }
            }
        }
        Message::Tag { tag, descriptor, date } => {
            said.insert("tag".into(), json!(tag));
            said.insert("descriptor".into(), json!(descriptor));
            let date = date.unwrap();
            let date = format!("{:02}-{:02}-{}", date.day(), date.month(), date.year());
            said.insert("date".into(), json!(date));
        }
        _ => {}
    }
}
