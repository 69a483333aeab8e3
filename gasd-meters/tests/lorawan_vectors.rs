// SPDX-License-Identifier: MIT OR Apache-2.0
//! LoRaWAN frames by others: MIC and value of every one, and nothing out of those whose MIC is wrong.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{bytes, vectors};
use gasd_meters::lorawan::{
    Counter, DataFrame, Direction, JoinAccept, Key, Keys, Opened, Phy, Radio, Session,
};
use gasd_meters::{Error, hex, hex::Hex};
use serde_json::{Value as Json, json};

fn key(line: &Json, name: &str) -> Option<Key> {
    line["keys"][name].as_str().map(|text| Key::from_hex(text).unwrap())
}

/// A key that the case does not have and does not need.
fn unused() -> Key {
    Key::new([0x5A; 16])
}

fn keys(line: &Json, version: &str) -> Option<Keys> {
    let application = key(line, "AppSKey");
    match version {
        "1.0" => Some(Keys::V1_0 { network: key(line, "NwkSKey")?, application }),
        _ => Some(Keys::V1_1 {
            forwarding: key(line, "FNwkSIntKey").unwrap_or_else(unused),
            serving: key(line, "SNwkSIntKey")?,
            encryption: key(line, "NwkSEncKey")?,
            application,
        }),
    }
}

fn text(bytes: &[u8]) -> Json {
    json!(Hex(bytes).to_string())
}

fn header(frame: &DataFrame<'_>, expect: &Json, id: &Json) {
    let kind = match (frame.direction, frame.confirmed) {
        (Direction::Up, false) => "UnconfirmedDataUp",
        (Direction::Up, true) => "ConfirmedDataUp",
        (Direction::Down, false) => "UnconfirmedDataDown",
        (Direction::Down, true) => "ConfirmedDataDown",
    };
    assert_eq!(expect["mtype"], kind, "{id}");
    assert_eq!(expect["dev_addr"], format!("{:08X}", frame.dev_addr), "{id}");
    assert_eq!(expect["adr"], frame.adr(), "{id}");
    assert_eq!(expect["ack"], frame.ack(), "{id}");
    let (request, other) = match frame.direction {
        Direction::Up => ("adr_ack_req", "class_b"),
        Direction::Down => ("rfu", "f_pending"),
    };
    assert_eq!(expect[request], frame.adr_ack_request(), "{id}");
    assert_eq!(expect[other], frame.class_b_or_pending(), "{id}");
    assert_eq!(expect["fcnt16"], frame.counter, "{id}");
    assert_eq!(expect["fopts"], text(frame.options), "{id}");
    assert_eq!(expect["fport"], json!(frame.port), "{id}");
    assert_eq!(expect["frm_payload_enc"], text(frame.payload), "{id}");
}

fn opened(opened: &Opened, expect: &Json, id: &Json) {
    if let Some(counter) = expect["fcnt32"].as_u64() {
        assert_eq!(u64::from(opened.counter), counter, "{id}");
    }
    if let Some(payload) = expect["frm_payload"].as_str() {
        assert_eq!(Hex(opened.payload.as_ref().unwrap()).to_string(), payload, "{id}");
    }
    if let Some(options) = expect["fopts_plain"].as_str().or(expect["fopts"].as_str()) {
        assert_eq!(Hex(&opened.options).to_string(), options, "{id}");
    }
}

fn data(line: &Json, version: &str) -> &'static str {
    let (id, expect, wire) = (&line["id"], &line["expect"], bytes(line, "hex"));
    let Phy::Data(frame) = Phy::parse(&wire).unwrap() else { panic!("{id}") };
    header(&frame, expect, id);
    let Some(keys) = keys(line, version) else { return "header" };
    let inputs = &expect["mic_inputs"];
    let number = |name: &str| inputs[name].as_u64().unwrap_or(0);
    let radio = Radio {
        acknowledged: number("conf_fcnt") as u16,
        data_rate: number("tx_dr") as u8,
        channel: number("tx_ch") as u8,
    };
    let counter = u32::from(frame.counter);
    if expect["mic_valid"] == false {
        assert_eq!(keys.open(&frame, counter, radio), Err(Error::Mac), "{id}");
        // With the MIC that it should have it opens.
        let mut right = wire[..wire.len() - 4].to_vec();
        right.extend(hex::parse(expect["mic_computed"].as_str().unwrap()).unwrap());
        let Phy::Data(frame) = Phy::parse(&right).unwrap() else { panic!("{id}") };
        opened(&keys.open(&frame, counter, radio).unwrap(), expect, id);
        return "refused";
    }
    opened(&keys.open(&frame, counter, radio).unwrap(), expect, id);
    assert_eq!(keys.open(&frame, counter + 0x1_0000, radio), Err(Error::Mac), "{id}: another counter");
    if frame.direction == Direction::Up {
        let mut session = Session { dev_addr: frame.dev_addr, keys, up: Counter::new() };
        opened(&session.open(&frame, radio).unwrap(), expect, id);
        assert_eq!(session.open(&frame, radio).unwrap_err(), Error::Replay { got: counter, last: counter });
    }
    // Whatever byte is changed, nothing comes out.
    for at in 0..wire.len() {
        let mut changed = wire.clone();
        changed[at] ^= 0x01;
        let Ok(Phy::Data(frame)) = Phy::parse(&changed) else { continue };
        let keys = keys_again(line, version);
        assert!(keys.open(&frame, u32::from(frame.counter), radio).is_err(), "{id}: byte {at}");
    }
    "opened"
}

fn keys_again(line: &Json, version: &str) -> Keys {
    keys(line, version).unwrap()
}

fn join_request(line: &Json) {
    let (id, expect, wire) = (&line["id"], &line["expect"], bytes(line, "hex"));
    let Phy::JoinRequest(request) = Phy::parse(&wire).unwrap() else { panic!("{id}") };
    assert_eq!(expect["join_eui"], format!("{:016X}", request.join_eui), "{id}");
    assert_eq!(expect["dev_eui"], format!("{:016X}", request.dev_eui), "{id}");
    assert_eq!(expect["dev_nonce"], format!("{:04X}", request.dev_nonce), "{id}");
    assert_eq!(request.verify(&key(line, "AppKey").unwrap()), Ok(()), "{id}");
    assert_eq!(request.verify(&unused()), Err(Error::Mac), "{id}");
}

fn join_accept(line: &Json, plain: bool) -> &'static str {
    let (id, expect, wire) = (&line["id"], &line["expect"], bytes(line, "hex"));
    let key = key(line, "AppKey").unwrap();
    let accept = if plain {
        JoinAccept::from_plain(&wire, &key, None)
    } else {
        assert_eq!(Phy::parse(&wire), Ok(Phy::JoinAccept(&wire)));
        JoinAccept::open(&wire, &key, None)
    };
    if expect["mic_valid"] == false {
        assert_eq!(accept, Err(Error::Mac), "{id}");
        return "refused";
    }
    let accept = accept.unwrap();
    assert_eq!(expect["join_nonce"], format!("{:06X}", accept.join_nonce), "{id}");
    assert_eq!(expect["net_id"], format!("{:06X}", accept.net_id), "{id}");
    assert_eq!(expect["dev_addr"], format!("{:08X}", accept.dev_addr), "{id}");
    assert_eq!(expect["dl_settings"], format!("{:02X}", accept.settings), "{id}");
    assert_eq!(expect["rx_delay"], accept.delay, "{id}");
    assert_eq!(expect["cflist"], text(accept.channels.as_ref().map_or(&[][..], |list| list)), "{id}");
    if !expect["cflist_hz"].is_null() {
        assert_eq!(expect["cflist_hz"], json!(accept.frequencies_hz()), "{id}");
    }
    if let Some(nonce) = expect["dev_nonce_wire"].as_str() {
        let nonce = u16::from_le_bytes(hex::parse(nonce).unwrap().try_into().unwrap());
        let Keys::V1_0 { network, application } = accept.keys_1_0(&key, nonce) else { panic!() };
        assert_eq!(expect["NwkSKey"], text(network.expose()), "{id}");
        assert_eq!(expect["AppSKey"], text(application.unwrap().expose()), "{id}");
    }
    if !plain {
        assert_eq!(accept.build(&key, None), wire, "{id}: what is opened is built");
    }
    "joined"
}

#[test]
fn frames_by_others() {
    let Some(lines) = vectors("lorawan/frames.jsonl") else { return };
    let mut done = std::collections::BTreeMap::new();
    for line in &lines {
        let what = match line["kind"].as_str().unwrap() {
            "data-1.0" => data(line, "1.0"),
            "data-1.1-up" | "data-1.1-down" => data(line, "1.1"),
            "join-request" => {
                join_request(line);
                "request"
            }
            "join-accept" => join_accept(line, false),
            "join-accept-plain" => join_accept(line, true),
            "malformed" => {
                assert_eq!(line["expect"]["error"], "fopts_overrun");
                let error = Phy::parse(&bytes(line, "hex")).unwrap_err();
                assert_eq!(error, Error::Malformed { what: "the options run over the end" });
                "malformed"
            }
            other => panic!("{other}"),
        };
        *done.entry(what).or_insert(0) += 1;
    }
    println!("{done:?}");
    assert!(done["opened"] >= 12 && done["refused"] >= 4 && done["joined"] >= 4 && done["request"] >= 3);
}
