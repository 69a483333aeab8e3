// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl decode` of LoRaWAN and CoAP: frames within datagrams, what keys open, and what is never guessed.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::process::{Command, Output};

use gasd_meters::hex::{self, Hex};
use gasd_meters::lorawan::{
    Direction, Draft, JoinAccept, JoinRequest, Key, Keys, Radio, base64, payload::UGM,
};
use gasd_meters::nbiot::{Code, Message, Type, option};
use serde_json::{Value, json};

const NETWORK: &str = "44024241ED4CE9A68C6A8BC055233FD3";
const APPLICATION: &str = "EC925802AE430CA77FD3DD73CB2CC588";
/// By others: a 1.0 frame of device 49BE7DF1 with counter 2, "test" on port 1.
const BY_OTHERS: &str = "40F17DBE4900020001954378762B11FF0D";
/// Two records of an ultrasonic gas meter (port 10).
const RECORDS: &str =
    "FF1E692972A0011E69296490280012D68729007D2A651FFE001500021E692972A0280012D7042900002A661F08661501";
const WATER: &str = "68104433221100337881161F9000007766552C007766552C3101221105152021841316";

fn decode(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gasctl")).arg("decode").args(args).output().unwrap()
}

fn object(args: &[&str]) -> Value {
    let output =
        Command::new(env!("CARGO_BIN_EXE_gasctl")).args(["--json", "decode"]).args(args).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn key(text: &str) -> Key {
    Key::from_hex(text).unwrap()
}

fn session() -> Keys {
    Keys::V1_0 { network: key(NETWORK), application: Some(key(APPLICATION)) }
}

fn typed() -> [String; 4] {
    ["--key".to_owned(), format!("NwkSKey={NETWORK}"), "--key".to_owned(), format!("AppSKey={APPLICATION}")]
}

/// With the session's keys.
fn opened<'a>(args: &[&'a str], keys: &'a [String; 4]) -> Vec<&'a str> {
    args.iter().copied().chain(keys.iter().map(String::as_str)).collect()
}

fn records(counter: u32) -> Vec<u8> {
    let plain = hex::parse(RECORDS).unwrap();
    let draft = Draft {
        direction: Direction::Up,
        confirmed: false,
        dev_addr: 0x49BE_7DF1,
        control: 0x80,
        counter,
        options: &[],
        payload: Some((10, &plain)),
    };
    draft.seal(&session(), Radio::default()).unwrap()
}

#[test]
fn a_frame_of_the_air_says_what_it_can_without_keys_and_all_with_them() {
    let output = decode(&[BY_OTHERS, "--protocol", "lorawan"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    for line in ["DevAddr: 49BE7DF1", "payload: 4 bytes, encrypted", "MIC: not checked, there is no key"] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(text.contains("no key is configured"), "{text}");

    let keys = typed();
    let output = decode(&opened(&[BY_OTHERS, "--protocol", "lorawan"], &keys));
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let text = said(&output);
    for line in [
        "LoRaWAN, 17 bytes at 0: data from device 49BE7DF1, frame counter 2, its MIC is right",
        "payload: 74657374",
        "MIC: right",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    // A MIC that is right leaves no doubt: no name is needed.
    assert_eq!(decode(&opened(&[BY_OTHERS], &keys)).status.code(), Some(0));
    assert_eq!(decode(&[BY_OTHERS]).status.code(), Some(1));
    let unnamed = said(&decode(&[BY_OTHERS]));
    assert!(!unnamed.contains("LoRaWAN"), "{unnamed}");
    // The payload alone stays closed without its key.
    let network = format!("nwkskey={NETWORK}");
    let output = decode(&[BY_OTHERS, "--protocol", "lorawan", "--key", &network]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("MIC: right") && said(&output).contains("4 bytes, encrypted"));
}

#[test]
fn of_a_wrong_key_or_a_changed_frame_nothing_comes_out() {
    let keys = typed();
    let changed = BY_OTHERS.replace("9543", "9643");
    let wrong = [
        "--key".to_owned(),
        format!("NwkSKey={APPLICATION}"),
        "--key".to_owned(),
        format!("AppSKey={NETWORK}"),
    ];
    for args in [
        opened(&[&changed, "--protocol", "lorawan"], &keys),
        opened(&[BY_OTHERS, "--protocol", "lorawan"], &wrong),
    ] {
        let output = decode(&args);
        assert_eq!(output.status.code(), Some(1));
        let text = said(&output);
        assert!(text.contains("MIC: does not fit: a wrong key, or a frame that was changed"), "{text}");
        assert!(text.contains("4 bytes, encrypted") && !text.contains("74657374"), "{text}");
        for secret in [NETWORK, APPLICATION] {
            let both = (text.to_uppercase() + &complaint(&output)).to_uppercase();
            assert!(!both.contains(secret), "a key is not repeated");
        }
    }
}

#[test]
fn keys_say_which_protocol_is_meant_and_are_read_from_a_file_of_gasds() {
    let wrong = format!("nwk_s_key={APPLICATION}");
    let output = decode(&[BY_OTHERS, "--key", &wrong]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("MIC: does not fit: a wrong key"),
        "{}{}",
        said(&output),
        complaint(&output)
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("device.keys");
    std::fs::write(&file, format!("# a session\nnwk_s_key = {NETWORK}\napp_s_key = \"{APPLICATION}\"\n"))
        .unwrap();
    let output = decode(&[BY_OTHERS, "--key-file", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(said(&output).contains("payload: 74657374"), "{}", said(&output));
    // What no key of LoRaWAN opens is not told as damaged in another protocol.
    let output = decode(&[WATER, "--key", &wrong]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!said(&output).contains("CJ/T 188"), "{}", said(&output));
}

#[test]
fn a_datagram_of_a_forwarder_is_read_with_the_frames_in_it() {
    // The counter's high half is not in the frame: the MIC says it.
    let good = records(0x2_0007);
    let json = json!({
        "rxpk": [
            { "tmst": 1, "freq": 868.1, "datr": "SF7BW125", "codr": "4/5", "rssi": -57, "lsnr": 9.5, "stat": 1,
              "size": good.len(), "data": base64::encode(&good) },
            { "tmst": 2, "stat": -1, "data": base64::encode(&good[..good.len() - 1]) },
            { "tmst": 3, "data": "?" },
        ],
        "stat": { "rxnb": 3, "rxok": 2, "rxfw": 3 },
    });
    let mut datagram = hex::parse("02ABCD00AA555A0000000101").unwrap();
    datagram.extend(json.to_string().as_bytes());
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let keys = format!("# mine\nNwkSKey = {NETWORK}\nAppSKey = {APPLICATION}\n");
    let (file, keys) = (write("push.bin", &datagram), write("device.keys", keys.as_bytes()));
    // Found out, as no other protocol is JSON with frames in it.
    let args = [file.as_str(), "--key-file", &keys, "--payload", UGM];
    let output = decode(&args);
    assert_eq!(output.status.code(), Some(1), "two of its frames are damaged");
    let text = said(&output);
    for line in [
        "PUSH_DATA, what was heard, gateway AA555A0000000101",
        "3 frames; the gateway counts 3 received, 2 right, 3 forwarded",
        "frame 1 of 3, 868.100 MHz, SF7BW125, -57 dBm, SNR 9.5 dB: data from device 49BE7DF1, frame counter 131079",
        "  volume: 1234.567 m³",
        "  volume: 1234.692 m³",
        "frame 2 of 3, the radio's CRC is wrong: damaged on the air: cannot be read",
        "frame 3 of 3: cannot be read",
        "its data are no base64",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(complaint(&output).contains("2 of 4 frames could not be read"), "{}", complaint(&output));

    let found = object(&args);
    let frame = &found["frames"][1];
    assert_eq!(frame["protocol"], "lorawan");
    assert_eq!(frame["readings"].as_array().unwrap().len(), 2);
    assert_eq!(frame["reading"], frame["readings"][0]);
    let bytes: usize =
        frame["fields"].as_array().unwrap().iter().map(|f| f["raw"].as_str().unwrap().len() / 2).sum();
    assert_eq!(bytes, good.len(), "every byte is named");

    // The JSON alone, and the frame as the JSON has it.
    let text = write("rxpk.json", json.to_string().as_bytes());
    assert_eq!(object(&[&text, "--key-file", &keys])["frames"].as_array().unwrap().len(), 4);
    let output =
        decode(&[&base64::encode(&good), "--protocol", "lorawan", "--key-file", &keys, "--payload", UGM]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert_eq!(decode(&[&base64::encode(&good), "--key-file", &keys]).status.code(), Some(2), "not guessed");
    // A payload of another maker costs the reading.
    let output = decode(&[&Hex(&good).to_string(), "--key-file", &keys, "--payload", "jooby-mxi"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("MIC: right"), "{}", said(&output));
}

#[test]
fn joins_are_explained_and_checked() {
    let device = format!("AppKey={NETWORK}");
    let request = Hex(&JoinRequest::build(7, 0x70B3_D57E_D000_0001, 513, &key(NETWORK))).to_string();
    let accept = JoinAccept {
        join_nonce: 3,
        net_id: 0x13,
        dev_addr: 0x2601_1234,
        settings: 0,
        delay: 1,
        channels: None,
    };
    let accept = Hex(&accept.build(&key(NETWORK), None)).to_string();
    for (frame, words) in [
        (&request, "device 70B3D57ED0000001 asks to join; its MIC is right"),
        (&accept, "a device may join and is 26011234; the MIC is right"),
    ] {
        let output = decode(&[frame, "--key", &device]);
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        let other = format!("AppKey={APPLICATION}");
        let output = decode(&[frame, "--key", &other, "--protocol", "lorawan"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("authentication code does not fit"), "{}", said(&output));
    }
    let output = decode(&[&request, "--protocol", "lorawan"]);
    assert_eq!(output.status.code(), Some(0), "all of it is plain");
    assert!(said(&output).contains("its MIC is not checked, there is no key"), "{}", said(&output));
    assert_eq!(decode(&[&accept, "--protocol", "lorawan"]).status.code(), Some(1));
}

#[test]
fn a_frame_of_1_1_is_opened_with_what_its_mic_has_of_the_radio() {
    let third = "000102030405060708090A0B0C0D0E0F";
    let keys = Keys::V1_1 {
        forwarding: key(NETWORK),
        serving: key(APPLICATION),
        encryption: key(third),
        application: Some(key(third)),
    };
    let draft = Draft {
        direction: Direction::Up,
        confirmed: false,
        dev_addr: 1,
        control: 0x20,
        counter: 9,
        options: &[2, 3],
        payload: Some((1, b"x")),
    };
    let radio = Radio { acknowledged: 700, data_rate: 5, channel: 2 };
    let air = Hex(&draft.seal(&keys, radio).unwrap()).to_string();
    let typed = [
        format!("FNwkSIntKey={NETWORK}"),
        format!("SNwkSIntKey={APPLICATION}"),
        format!("NwkSEncKey={third}"),
        format!("AppSKey={third}"),
    ];
    let mut args = vec![air.as_str(), "--protocol", "lorawan"];
    args.extend(typed.iter().flat_map(|key| ["--key", key]));
    assert_eq!(decode(&args).status.code(), Some(1));
    args.extend(["--radio", "5,2,700"]);
    let output = decode(&args);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("options: 0203"), "{}", said(&output));
}

#[test]
fn a_coap_message_is_explained_down_to_the_meters_own_frame() {
    let water = hex::parse(WATER).unwrap();
    // Object instance 0 of object 19 with resource 0: the frame.
    let mut tlv = vec![0x08, 0, water.len() as u8 + 3, 0xC8, 0, water.len() as u8];
    tlv.extend(&water);
    let message = |format: u32, payload: &[u8]| {
        let mut message = Message::new(Type::NonConfirmable, Code::CONTENT, 9, &[7, 8])
            .with_number(option::OBSERVE, 12)
            .with_number(option::CONTENT_FORMAT, format);
        message.payload = payload.to_vec();
        Hex(&message.encode().unwrap()).to_string()
    };
    let sent = message(11_542, &tlv);
    let output = decode(&[&sent, "--protocol", "coap", "--path", "19/0"]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let text = said(&output);
    for line in [
        "2.05 Content of /19/0",
        "Observe: 12",
        "Content-Format: 11542, LwM2M TLV",
        "token: 0708",
        "instance of the object 0: 38 bytes",
        "resource 0: 35 bytes",
        "CJ/T 188, 35 bytes, in the CoAP message: answers with data",
        "  volume: 556677.00 m³",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    // Every byte once, and the frame in its place; an answer that says no path is looked through as well.
    for args in [&[&sent[..], "--protocol", "coap"][..], &[&message(42, &water), "--protocol", "coap"]] {
        let found = object(args);
        let frames = found["frames"].as_array().unwrap();
        let (outer, inner) = (&frames[0], &frames[1]);
        let bytes: usize =
            outer["fields"].as_array().unwrap().iter().map(|f| f["raw"].as_str().unwrap().len() / 2).sum();
        assert_eq!(bytes as u64, found["bytes"].as_u64().unwrap());
        let at = inner["at"].as_u64().unwrap() as usize * 2;
        let whole = outer["hex"].as_str().unwrap();
        assert_eq!(inner["hex"].as_str().unwrap(), &whole[at..at + WATER.len()]);
        assert_eq!(inner["protocol"], "cjt188");
    }
    // Never guessed; and what another object says is no frame.
    let found = object(&[&sent]);
    assert!(found["frames"].as_array().unwrap().iter().all(|frame| frame["protocol"] == "cjt188"));
    assert_eq!(
        object(&[&sent, "--protocol", "coap", "--path", "3/0"])["frames"].as_array().unwrap().len(),
        1
    );
    // A frame that is damaged is told.
    let mut damaged = water.clone();
    damaged[20] ^= 1;
    let output = decode(&[&message(42, &damaged), "--protocol", "coap"]);
    assert!(said(&output).contains("no CJ/T 188 frame: the checksum is 13"), "{}", said(&output));
}

#[test]
fn requests_registrations_and_what_is_no_message_are_told() {
    let mut register = Message::new(Type::Confirmable, Code::POST, 1, &[7])
        .with(option::URI_PATH, b"rd")
        .with(option::URI_QUERY, b"ep=86400001")
        .with(option::URI_QUERY, b"lt=86400");
    register.payload = b"</3/0>,</19/0>".into();
    let battery = Message {
        payload: vec![0xC1, 9, 93],
        ..Message::new(Type::Acknowledgement, Code::CONTENT, 1, &[7])
            .with_number(option::CONTENT_FORMAT, 11_542)
    };
    for (message, path, words) in [
        (register, "", "POST /rd: \"86400001\" registers, with /3/0 /19/0"),
        (Message::new(Type::Confirmable, Code::GET, 2, &[]).with(option::URI_PATH, b"3"), "", "GET /3"),
        (Message::new(Type::Reset, Code::EMPTY, 3, &[]), "", "was not understood"),
        (battery, "3/0", "  battery: 93 %"),
    ] {
        let sent = Hex(&message.encode().unwrap()).to_string();
        let mut args = vec![sent.as_str(), "--protocol", "coap"];
        if !path.is_empty() {
            args.extend(["--path", path]);
        }
        let output = decode(&args);
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
        assert!(said(&output).contains(words), "{words:?} is not in\n{}", said(&output));
    }
    for (wrong, words) in [("80010001", "mode 2 is not supported"), ("490100010102", "more than 8 bytes")] {
        let output = decode(&[wrong, "--protocol", "coap"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    // TLV that breaks off costs what it says, not the header.
    let cut = Message {
        payload: vec![0xC8, 0, 40, 1],
        ..Message::new(Type::NonConfirmable, Code::CONTENT, 1, &[])
            .with_number(option::CONTENT_FORMAT, 11_542)
    };
    let output = decode(&[&Hex(&cut.encode().unwrap()).to_string(), "--protocol", "coap"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("payload: C8002801"), "{}", said(&output));
}

#[test]
fn wrong_usage_says_what_is_right() {
    for (args, words) in [
        (&["00", "--payload", "mine"][..], "there is: ugm, jooby-mxi, vega-gm2"),
        (&["00", "--radio", "16,0"], "data rate 0 to 15"),
        (&["00", "--path", "rd"], "up to four numbers"),
        (&["00", "--key", "AppSKey=44024241ED4CE9A68C6A8BC055233FD3"], "no MIC can be checked"),
        (&["00", "--key", "44024241ED4CE9A68C6A8BC055233FD3=NwkSKey"], "32 hexadecimal digits"),
    ] {
        let output = decode(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(complaint(&output).contains(words), "{args:?}: {}", complaint(&output));
        assert!(!complaint(&output).contains("44024241"), "a key is not repeated");
    }
}
