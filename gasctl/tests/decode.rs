// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl decode` as its users type it: what it says, and how it ends.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use gasd_meters::hex::{self, Hex};
use gasd_meters::wmbus::{Format, Telegram};

const WATER: &str = "FEFEFEFE68104433221100337881161F9000007766552C007766552C3101221105152021841316";

fn decode(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gasctl")).arg("decode").args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_frame_is_explained_field_by_field_behind_its_wake_up_bytes() {
    let output = decode(&[WATER]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let said = said(&output);
    for line in [
        "CJ/T 188, 35 bytes at 4: answers with data",
        "   2  44332211003378  address: 78330011223344",
        "  14  007766552C      volume: 556677.00 m³",
        "  valve: closed",
    ] {
        assert!(said.lines().any(|it| it == line), "{line:?} is not in\n{said}");
    }
}

#[test]
fn an_answer_that_says_that_more_follows_is_shown_with_its_values() {
    let output = decode(&[&WATER.replace("337881", "3378A1").replace("841316", "843316")]);
    assert_eq!(output.status.code(), Some(0));
    for line in ["answers with data, and says that more follows", "556677.00 m³", "valve: closed"] {
        assert!(said(&output).contains(line), "{line:?} is not in\n{}", said(&output));
    }
}

#[test]
fn as_json_numbers_are_exact_and_every_byte_is_named() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_gasctl")).args(["--json", "decode", WATER]).output().unwrap();
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let frame = &object["frames"][0];
    assert_eq!(frame["protocol"], "cjt188");
    let volume = &frame["reading"]["values"][0];
    assert_eq!((&volume["value"], &volume["unit"]), (&"556677.00".into(), &"m³".into()));
    assert_eq!(volume["volume_ul"], 556_677_000_000_000_u64);
    let bytes: usize =
        frame["fields"].as_array().unwrap().iter().map(|f| f["raw"].as_str().unwrap().len() / 2).sum();
    assert_eq!(bytes, 35);
}

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_its_reason() {
    let damaged = WATER.replace("841316", "840816");
    let output = decode(&[&damaged]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("at byte 4: no CJ/T 188 frame: the checksum is 08 but the bytes make 13"),
        "{}",
        said(&output)
    );
    assert!(complaint(&output).contains("damaged on the line"), "{}", complaint(&output));

    assert_eq!(decode(&["00112233"]).status.code(), Some(1));
}

#[test]
fn it_ends_well_only_where_every_frame_was_read() {
    let damaged = WATER.replace("841316", "840816");
    for bad in [
        format!("{damaged}{WATER}"),
        format!("{WATER}{damaged}"),
        format!("{WATER}{}", &WATER[..50]),
        format!("00 11 22 {WATER} 68 10 44"),
    ] {
        for json in [&["decode", &bad][..], &["--json", "decode", &bad]] {
            let output = Command::new(env!("CARGO_BIN_EXE_gasctl")).args(json).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{bad}: {}", said(&output));
            assert!(
                complaint(&output).contains("1 of 2 frames could not be read"),
                "{bad}: {}",
                complaint(&output)
            );
        }
    }
    // Noise is no frame.
    let output = decode(&[&format!("00 11 22 {WATER} 33 44 55 {WATER}")]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(said(&output).contains("6 bytes belong to no frame"), "{}", said(&output));
}

#[test]
fn wrong_usage_says_what_is_right() {
    for (args, words) in [
        (&["68AZ"][..], "`Z` is no hexadecimal digit"),
        (&["68", "--protocol", "cjt"], "there is: mbus, dlt645, cjt188, hart, modbus, wmbus, lorawan, coap"),
        (&["68", "--profile", "mine"], "there is: standard, "),
        (&["68", "--key", "0011"], "a key is 32 hexadecimal digits"),
    ] {
        let output = decode(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(complaint(&output).contains(words), "{args:?}: {}", complaint(&output));
        assert!(!complaint(&output).contains("0011"), "a key is not repeated");
    }
}

#[test]
fn standard_input_and_files_are_read() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gasctl"))
        .args(["decode", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("# a capture\n{WATER}\n").as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let dir = tempfile::tempdir().unwrap();
    let raw: Vec<u8> =
        (0..WATER.len() / 2).map(|i| u8::from_str_radix(&WATER[2 * i..2 * i + 2], 16).unwrap()).collect();
    let file = dir.path().join("capture.bin");
    std::fs::write(&file, raw).unwrap();
    assert_eq!(decode(&[file.to_str().unwrap()]).status.code(), Some(0));
}

/// Frames by others: read where they can be, refused where they cannot.
#[test]
fn frames_by_others_end_as_they_should() {
    let shared = std::env::var_os("GASD_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let mut tried = 0;
    for (folder, protocol) in [("cjt188", "cjt188"), ("dlt645", "dlt645"), ("hart", "hart")] {
        let path = shared.join("vectors").join(folder).join("frames.jsonl");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: {} is not there: its frames are NOT TESTED", path.display());
            continue;
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let frame: serde_json::Value = serde_json::from_str(line).unwrap();
            let output = decode(&[frame["hex"].as_str().unwrap(), "--protocol", protocol]);
            let wanted = if frame["expect"]["ok"] == true { 0 } else { 1 };
            assert_eq!(output.status.code(), Some(wanted), "{}: {}", frame["id"], complaint(&output));
            tried += 1;
        }
    }
    eprintln!("{tried} frames by others were tried");
}

/// Bytes without a meaning, always the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 32) as u8
    };
    (0..length).map(|_| next(&mut state)).collect()
}

#[test]
fn noise_is_no_frame_of_hart() {
    let dir = tempfile::tempdir().unwrap();
    for length in [5_000, 1_000_000] {
        let file = dir.path().join("noise.bin");
        std::fs::write(&file, noise(length)).unwrap();
        let output = decode(&[file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{length}: {}", said(&output));
        assert!(complaint(&output).contains("no frame in"), "{length}: {}", complaint(&output));
        assert!(output.stdout.len() < 100_000, "{length}: {} bytes of it", output.stdout.len());
    }
    // Behind a preamble, or alone, it is one; among other bytes it is named.
    let request = "0280000082";
    for (bytes, status) in
        [(format!("11 FFFF{request}"), 0), (request.to_owned(), 0), (format!("11 {request}"), 1)]
    {
        assert_eq!(decode(&[&bytes]).status.code(), Some(status), "{bytes}");
        assert_eq!(decode(&[&bytes, "--protocol", "hart"]).status.code(), Some(0), "{bytes}");
    }
}

#[test]
fn what_is_not_read_is_told_as_what_it_most_likely_is() {
    // CRC of the second block, and one of the first that fits.
    let plain = hex::parse("1E44931578563412033378046D2F2F2F2F04132F2F2F2F2F2F2F2F2F2F2F2F").unwrap();
    let mut radio = Telegram::parse(&plain, Some(Format::Plain)).unwrap().encode(Format::A).unwrap();
    radio[15] ^= 1;
    let radio = Hex(&radio).to_string();
    for (bytes, words) in [
        (&*WATER.replace("841316", "840816"), "most likely CJ/T 188: the checksum is 08"),
        // 68 L L 68, whose sum is wrong.
        ("68 03 03 68 40 01 51 93 16", "most likely M-Bus: the checksum is 93 but the bytes make 92"),
        ("68 12 34 56 78 90 12 68 11 04 33 33", "most likely DL/T 645: the frame breaks off"),
        // A request of Modbus, its CRC swapped and wrong.
        (
            "010300000002 0BC4",
            "most likely Modbus RTU: the frame contradicts itself: its CRC has its two bytes swapped",
        ),
        ("010300000002 C40C", "most likely Modbus RTU: the checksum is"),
        (&radio, "most likely wireless M-Bus: the CRC of block 1 is"),
        ("00112233445566778899AABBCCDDEEFF", "no frame in 16 bytes"),
    ] {
        let output = decode(&[bytes]);
        assert_eq!(output.status.code(), Some(1), "{bytes}");
        assert!(complaint(&output).contains(words), "{bytes}: {}", complaint(&output));
        assert!(!said(&output).contains("HART"), "{}", said(&output));
        let named = complaint(&output);
        assert!(named.contains("--protocol "), "{named}");
    }
}

#[test]
fn modbus_is_found_out_where_all_bytes_are_its_frames() {
    let (request, answer) = ("010300000002C40B", "010304000A0014DA3E");
    for bytes in [request.to_owned(), answer.to_owned(), format!("{request}{answer}")] {
        let output = decode(&[&bytes]);
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
        assert!(said(&output).starts_with("Modbus RTU, "), "{}", said(&output));
    }
    // Any bytes have something like it in them: among others it is named.
    let among = format!("AA {request}");
    assert_eq!(decode(&[&among]).status.code(), Some(1));
    let output = decode(&[&among, "--protocol", "modbus"]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(said(&output).starts_with("Modbus RTU, 8 bytes at 1: a request"), "{}", said(&output));
}

#[test]
fn the_single_character_acknowledges() {
    for args in [
        &["E5"][..],
        &["E5", "--protocol", "mbus"],
        &["1040FD3D16 E5"],
        &["E5 1040FD3D16", "--protocol", "mbus"],
    ] {
        let output = decode(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", complaint(&output));
        assert!(said(&output).contains("M-Bus, 1 bytes at "), "{args:?}: {}", said(&output));
    }
    // Any byte may be one.
    assert_eq!(decode(&["AA E5"]).status.code(), Some(1));
}

/// A radio meter that may be asked now says so, and nothing else.
#[test]
fn a_telegram_of_its_link_layer_alone_has_no_data() {
    for layer in ["8C2001", "8E20019315785634123303"] {
        let mut plain = hex::parse(&format!("00489315785634123303{layer}")).unwrap();
        plain[0] = plain.len() as u8 - 1;
        let telegram = Telegram::parse(&plain, Some(Format::Plain)).unwrap().encode(Format::A).unwrap();
        let output = decode(&[&Hex(&telegram).to_string(), "--protocol", "wmbus"]);
        assert_eq!(output.status.code(), Some(0), "{}{}", said(&output), complaint(&output));
        assert!(said(&output).contains("a telegram without data"), "{}", said(&output));
        assert!(said(&output).contains("access number: 1") && !said(&output).contains("breaks off"));
    }
}
