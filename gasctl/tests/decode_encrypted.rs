// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl decode --key`: what is opened, and what of it is anybody's.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::process::{Command, Output};

use gasd_meters::hex::Hex;
use gasd_meters::wmbus::{Format, Key, Lock, Seal};

const SECRET: [u8; 16] = [0x11; 16];
const KEY: &str = "11111111111111111111111111111111";
/// A clock, and a volume of 2850.427 m³.
const RECORDS: &[u8] = &[0x04, 0x6D, 0x32, 0x37, 0x1F, 0x15, 0x0C, 0x13, 0x27, 0x04, 0x85, 0x02];

fn gasctl(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gasctl")).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn telegram(lock: Lock<'_>, clear: usize) -> String {
    let meter = "12345678.ELS.33.03".parse().unwrap();
    let seal = Seal { meter, sender: None, access: 7, status: 0, lock, records: RECORDS, clear };
    Hex(&seal.telegram().unwrap().encode(Format::A).unwrap()).to_string()
}

#[test]
fn what_is_not_encrypted_is_shown_with_a_warning() {
    let key = Key::new(SECRET);
    let part = telegram(Lock::Mode5(&key), 6);
    let output = gasctl(&["decode", &part, "--key", KEY]);
    assert_eq!(output.status.code(), Some(0));
    let text = said(&output);
    assert!(text.contains("volume: 2850.427 m³  (not encrypted, anybody can write it)"), "{text}");
    assert!(text.lines().any(|line| line == "  clock: 2008-05-31T23:50"), "{text}");
    let object: serde_json::Value =
        serde_json::from_slice(&gasctl(&["--json", "decode", &part, "--key", KEY]).stdout).unwrap();
    let volume = &object["frames"][0]["reading"]["values"][1];
    assert_eq!(volume["doubt"], "not encrypted, anybody can write it", "{object}");
    assert_eq!(volume.get("volume_ul"), None, "{object}");
    // All of it encrypted, and a code over all of it.
    for sure in [telegram(Lock::Mode5(&key), 0), telegram(Lock::Mode7(&key, 1), 6)] {
        let text = said(&gasctl(&["decode", &sure, "--key", KEY]));
        assert!(text.contains("volume: 2850.427 m³") && !text.contains("anybody"), "{text}");
    }
}

/// As a wired meter answers, with a long header.
fn wired(lock: Lock<'_>) -> String {
    let meter = "12345678.ELS.33.03".parse().unwrap();
    let seal = Seal { meter, sender: Some(meter), access: 7, status: 0, lock, records: RECORDS, clear: 0 };
    let body = [&[0x08, 0x05][..], &seal.telegram().unwrap().bytes[10..]].concat();
    let length = body.len() as u8;
    let sum = body.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    Hex(&[&[0x68, length, length, 0x68][..], &body, &[sum, 0x16]].concat()).to_string()
}

#[test]
fn a_wired_answer_is_opened_whether_its_protocol_is_named_or_not() {
    let key = Key::new(SECRET);
    for lock in [Lock::Mode5(&key), Lock::Mode7(&key, 9)] {
        let frame = wired(lock);
        for named in [&[][..], &["--protocol", "mbus"]] {
            let decode = |key: &[&str]| gasctl(&[&["decode", &frame][..], key, named].concat());
            let output = decode(&["--key", KEY]);
            let text = said(&output);
            assert_eq!(output.status.code(), Some(0), "{text}");
            assert!(
                text.contains("volume: 2850.427 m³") && text.contains("answers with data, encrypted"),
                "{text}"
            );
            for (key, words) in [
                (&["--key", "12121212121212121212121212121212"][..], "is not its key"),
                (&[], "no key is configured"),
            ] {
                let output = decode(key);
                let all = format!("{}{}", said(&output), String::from_utf8_lossy(&output.stderr));
                assert_eq!(output.status.code(), Some(1), "{all}");
                assert!(all.contains(words) && !all.contains("2850"), "{all}");
            }
        }
    }
}
