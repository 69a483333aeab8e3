// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd check-config` looks at key files: what is wrong with one is a warning that says what to do.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

const CONFIG: &str = r#"
[[port]]
id = "air"
wmbus = { address = "192.0.2.1:4001" }

[[port]]
id = "lora"
lorawan = { listen = "127.0.0.1:1700" }

[[port]]
id = "wire"
tcp = { address = "192.0.2.2:4001", baud = 2400 }

[[meter]]
id = "radio"
port = "air"
device = { protocol = "wmbus", address = "12345678", key_file = "DIR/key" }
readings = { every = "15 min", resolution = "1 L" }

[[meter]]
id = "far"
port = "lora"
device = { protocol = "lorawan", address = "01020304", payload = "ugm", key_file = "DIR/lora" }
readings = { every = "15 min", resolution = "1 L" }

[[meter]]
id = "asked"
port = "wire"
device = { protocol = "dlt645", address = "123456789012", register = "00010000", unit = "m3", key_file = "DIR/password" }
readings = { every = "15 min", resolution = "1 L" }

[[meter]]
id = "sealed"
port = "wire"
device = { protocol = "mbus", address = 5, key_file = "DIR/wired" }
readings = { every = "15 min", resolution = "1 L" }
"#;

const RIGHT: [(&str, &str); 4] = [
    ("key", "000102030405060708090a0b0c0d0e0f"),
    ("lora", "nwk_s_key = 000102030405060708090a0b0c0d0e0f\napp_s_key = 000102030405060708090a0b0c0d0e0f"),
    ("password", "password = 0200000011223344"),
    ("wired", "000102030405060708090a0b0c0d0e0f"),
];

fn write(dir: &Path, name: &str, text: &str, mode: u32) {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn check(dir: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gasd"));
    let output =
        command.args(["check-config", "--config"]).arg(dir.join("gasd.toml")).args(more).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code(), text)
}

#[test]
fn a_key_file_that_is_not_right_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    fs::write(at.join("gasd.toml"), CONFIG.replace("DIR", at.to_str().unwrap())).unwrap();
    let all_right = || RIGHT.iter().for_each(|(name, text)| write(at, name, text, 0o600));
    all_right();
    let (code, said) = check(at, &[]);
    assert!(code == Some(0) && !said.contains("warning: meter"), "{said}");
    for (name, text, mode, meter, words) in [
        ("key", RIGHT[0].1, 0o644, "radio", "chmod o="),
        ("key", "0001", 0o600, "radio", "32 digits"),
        ("key", "app_key = 000102030405060708090a0b0c0d0e0f", 0o600, "radio", "has no key"),
        ("key", "", 0o600, "radio", "there is no key"),
        ("lora", RIGHT[0].1, 0o600, "far", "has no f_nwk_s_int_key"),
        ("lora", RIGHT[1].1, 0o604, "far", "it is not read until that is right"),
        (
            "wired",
            "password = 0200000011223344",
            0o600,
            "sealed",
            "has no key; it is not read until that is right",
        ),
        ("password", RIGHT[0].1, 0o600, "asked", "has no password"),
        ("password", "password = 02", 0o600, "asked", "its valve cannot be moved until that is right"),
    ] {
        all_right();
        write(at, name, text, mode);
        let (code, said) = check(at, &[]);
        assert_eq!(code, Some(0), "{said}");
        let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning: meter \"")).collect();
        let wanted = format!("warning: meter \"{meter}\": ");
        assert!(
            matches!(warnings[..], [line] if line.starts_with(&wanted) && line.contains(words)),
            "{name} {mode:o}: {said}"
        );
        assert!(!said.contains("000102"), "{said}");
        let (_, json) = check(at, &["--json"]);
        assert!(json.contains(&format!("meter \\\"{meter}\\\"")), "{json}");
    }
    all_right();
    fs::remove_file(at.join("key")).unwrap();
    let (code, said) = check(at, &[]);
    assert!(
        code == Some(0) && said.contains("is not there") && said.contains("install -m 640 -g gasd"),
        "{said}"
    );
}
