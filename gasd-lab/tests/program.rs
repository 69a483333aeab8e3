// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as a person starts it.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gasd-lab")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn it_says_which_port_and_which_meters_and_what_became_of_them() {
    let link = std::env::temp_dir().join(format!("gasd-lab-{}", std::process::id()));
    let link_text = link.display().to_string();
    let done = run(&["serial", "--protocol", "mbus", "--count", "2", "--link", &link_text, "--for", "100ms"]);
    let said = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(said.starts_with("/dev/pts/") && said.contains("2 (10000002.GSD.01.03)"), "{said}");
    assert!(said.contains(&format!("{link_text} -> /dev/pts/")), "{said}");
    assert!(said.contains("valve open, 0 values answered, 0 commands carried out"), "{said}");
    assert!(std::fs::symlink_metadata(&link).is_err(), "the link is gone");
}

#[test]
fn radio_meters_say_their_keys_and_what_was_on_the_air() {
    let arguments = ["wmbus", "--count", "2", "--security", "mode7", "--wrong-keys", "1", "--every", "50ms"];
    let done = run(&[&arguments[..], &["--repeated", "100%", "--for", "400ms"]].concat());
    let said = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(said.contains("10000001.GSD.01.03: key 04") && said.contains("/dev/pts/"), "{said}");
    assert!(said.contains("10000002.GSD.01.03: key 04") && said.contains("which is not its own"), "{said}");
    assert!(said.contains(" heard, ") && said.contains(" repeated"), "{said}");
}

#[test]
fn what_cannot_be_is_said_and_fails() {
    let of = |arguments: &[&str]| {
        let done = run(arguments);
        (done.status.success(), text(&done.stderr))
    };
    let (right, said) = of(&["serial", "--protocol", "modbus", "--address", "247", "--count", "2"]);
    assert!(!right && said.contains("address 248 is above 247"), "{said}");
    let (right, said) = of(&["serial", "--protocol", "cjt188", "--noise", "5"]);
    assert!(!right && said.contains("write `5%`"), "{said}");
    let (right, said) = of(&["lwm2m", "--to", "127.0.0.1:9", "--block", "100"]);
    assert!(!right && said.contains("blocks of 100 bytes"), "{said}");
    let (right, said) = of(&["wmbus", "--security", "mode5", "--compact", "3"]);
    assert!(!right && said.contains("no compact telegrams"), "{said}");
    // A file that is no link is nobody's to remove.
    let file = std::env::temp_dir().join(format!("gasd-lab-file-{}", std::process::id()));
    std::fs::write(&file, "mine").unwrap();
    let (right, said) = of(&["serial", "--protocol", "hart", "--link", &file.display().to_string()]);
    assert!(!right && said.contains("exists"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    std::fs::remove_file(&file).unwrap();
}
