// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl scan` on lines with simulated meters.
#![allow(clippy::unwrap_used, reason = "test code")]

mod lines;
#[path = "../../gasd/tests/bus_support.rs"]
mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use gasd_lab::pty::Pty;
use gasd_lab::{Habits, Noise};
use lines::{MS, alone, held, line, meter, quiet, told};
use serde_json::Value;
use support::PrivateBus;

const ALL: [&str; 5] = ["cjt188", "dlt645", "mbus", "hart", "modbus"];

fn scan(pty: &Pty, args: &[&str]) -> Output {
    let device = pty.path().to_str().unwrap();
    alone(&[&["scan", device, "--baud", "38400"][..], args].concat()).output().unwrap()
}

/// The line that names a meter.
fn of<'a>(out: &'a str, protocol: &str, address: &str) -> Option<&'a str> {
    out.lines().find(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(protocol) && words.next() == Some(address)
    })
}

#[test]
fn every_protocol_is_found_on_a_good_line() {
    std::thread::scope(|scope| {
        for protocol in ALL {
            scope.spawn(move || {
                let (meter, address) = meter(protocol, Habits::default());
                let pty = line(Noise::NONE, false, vec![meter]);
                let (code, out, err) = told(&scan(&pty, &["--protocol", protocol, "--timeout", "6"]));
                assert_eq!(code, 0, "{protocol}: {out}{err}");
                assert!(of(&out, protocol, address).is_some(), "{protocol}: {out}{err}");
                assert!(out.contains("[[port]]") && out.contains("[[meter]]"), "{protocol}: {out}");
                assert!(!err.contains('\x1b') && !out.contains('\x1b'), "no progress where nobody watches");
            });
        }
    });
}

#[test]
fn every_protocol_is_found_where_meters_are_as_meters_are_and_the_adapter_hears_itself() {
    std::thread::scope(|scope| {
        for protocol in ALL {
            scope.spawn(move || {
                // What is asked once must not be spoiled: noise is for those that are asked several times.
                let noise = Noise { corrupt_ppm: 1_000, burst: 1, stray_ppm: 300 };
                let (habits, noise) = match protocol {
                    "cjt188" | "dlt645" => (Habits::quirky(3, 400 * MS), noise),
                    "hart" => (Habits { think_ns: (20 * MS, 200 * MS), ..Habits::default() }, Noise::NONE),
                    "mbus" => (Habits { think_ns: (20 * MS, 150 * MS), ..Habits::default() }, Noise::NONE),
                    _ => (Habits { think_ns: (20 * MS, 500 * MS), ..Habits::default() }, Noise::NONE),
                };
                let (meter, address) = meter(protocol, habits);
                let pty = line(noise, true, vec![meter]);
                let (code, out, err) = told(&scan(&pty, &["--protocol", protocol, "--timeout", "8"]));
                assert_eq!(code, 0, "{protocol}: {out}{err}");
                assert!(of(&out, protocol, address).is_some(), "{protocol}: {out}{err}");
            });
        }
    });
}

#[test]
fn an_empty_line_is_status_five_and_says_what_to_do() {
    let pty = line(Noise::NONE, false, Vec::new());
    let (code, out, err) = told(&scan(&pty, &["--protocol", "cjt188", "--protocol", "dlt645"]));
    assert_eq!((code, out.as_str()), (5, ""), "{err}");
    assert!(err.contains("no meter was found") && err.contains("gasctl doctor"), "{err}");
}

#[test]
fn without_a_speed_the_first_at_which_somebody_answers_is_taken() {
    let pty = lines::line_at(2_400);
    let args = ["scan", pty.path().to_str().unwrap(), "--protocol", "cjt188"];
    let (code, out, err) = told(&alone(&args).output().unwrap());
    // A pseudo-terminal has any speed.
    assert_eq!(code, 0, "{out}{err}");
    assert!(of(&out, "cjt188", "33781122334455").unwrap().ends_with("(2400 baud 8E1)"), "{out}");
    assert!(out.contains("baud = 2400 }"), "{out}");
}

#[test]
fn a_device_that_is_in_use_or_none_is_status_six() {
    let pty = quiet("cjt188");
    let first = held(&pty);
    let (code, out, err) = told(&scan(&pty, &[]));
    assert_eq!((code, out.as_str()), (6, ""), "{err}");
    assert!(err.contains("is in use by another program") && err.contains("fuser"), "{err}");
    // Neither is a speed looked for on it.
    let (code, _, err) = told(&alone(&["scan", pty.path().to_str().unwrap()]).output().unwrap());
    assert_eq!(code, 6, "{err}");
    drop(first);
    for (device, what) in [("/dev/no-such-tty", "there is no device"), ("/dev/null", "no serial device")] {
        let (code, _, err) = told(&alone(&["scan", device]).output().unwrap());
        assert_eq!(code, 6, "{err}");
        assert!(err.contains(what), "{err}");
        // Nothing was asked, so nothing was broken off.
        assert!(err.starts_with("gasctl: ") && err.lines().count() == 1, "{err}");
    }
    let (code, _, err) = told(&alone(&["--json", "scan", "127.0.0.1:1", "--baud", "2400"]).output().unwrap());
    let error: Value = serde_json::from_str(&err).unwrap();
    assert_eq!((code, &error["error"], &error["exit"]), (6, &"Unusable".into(), &6.into()), "{err}");
}

#[test]
fn what_makes_no_sense_is_status_two_and_an_id_without_gasd_three() {
    for args in [
        &["scan"][..],
        &["scan", "a b"],
        &["scan", "/dev/null", "--protocol", "wmbus"],
        &["scan", "/dev/null", "--baud", "77"],
        &["scan", "192.0.2.7:4001", "--baud", "auto"],
        &["scan", "192.0.2.7:4001", "--parity", "odd"],
    ] {
        let (code, _, err) = told(&alone(args).output().unwrap());
        assert_eq!(code, 2, "{args:?}: {err}");
    }
    assert_eq!(told(&alone(&["scan", "cellar"]).output().unwrap()).0, 3);
}

#[test]
fn json_is_one_object_a_line_and_ends_with_all_of_it() {
    let pty = quiet("cjt188");
    let device = pty.path().to_str().unwrap();
    let args = ["--json", "scan", device, "--baud", "38400", "--protocol", "cjt188"];
    let (code, out, err) = told(&alone(&args).output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!((events[0], events[1], *events.last().unwrap()), ("setting", "asking", "done"));
    let found = lines.iter().find(|line| line["event"] == "found").unwrap();
    assert_eq!((&found["protocol"], &found["address"]), (&"cjt188".into(), &"33781122334455".into()));
    assert_eq!((&found["baud"], &found["parity"]), (&38_400.into(), &"even".into()));
    let done = lines.last().unwrap();
    assert_eq!((&done["ended"], &done["found"], &done["written"]), (&"all".into(), &1.into(), &Value::Null));
    let toml = done["toml"].as_str().unwrap();
    let config = gasd::config::parse("50-x.toml", toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    assert_eq!((config.ports.len(), config.meters.len()), (1, 1));

    let (_, out, _) = told(&alone(&[&args[..], &["--quiet"]].concat()).output().unwrap());
    assert_eq!(out.lines().count(), 2, "{out}");
}

#[test]
fn interrupted_it_shows_what_was_found_and_gives_the_line_back() {
    let pty = quiet("mbus");
    let device = pty.path().to_str().unwrap();
    let mut child = alone(&["scan", device, "--baud", "38400", "--protocol", "mbus"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert!(of(&first, "mbus", "1").is_some(), "{first}");
    let began = Instant::now();
    // SAFETY: kill has no memory to spoil; the child is ours and not yet waited for.
    unsafe { libc::kill(child.id().try_into().unwrap(), libc::SIGINT) };
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(rest.contains("[[meter]]") && rest.contains("address = \"1\""), "{rest}");
    assert!(err.contains("interrupted"), "{err}");
    drop(held(&pty));
}

#[test]
fn tables_are_written_once_and_never_over_a_file() {
    let pty = quiet("cjt188");
    // No gasd is beside this gasctl, and none in the path: the file is written unchecked, which is said.
    let dir = tempfile::tempdir().unwrap();
    let gasctl = dir.path().join("gasctl");
    std::fs::copy(env!("CARGO_BIN_EXE_gasctl"), &gasctl).unwrap();
    let file = dir.path().join("50-found.toml");
    let scan = || {
        let device = pty.path().to_str().unwrap();
        let args =
            ["scan", device, "--baud", "38400", "--protocol", "cjt188", "--write", file.to_str().unwrap()];
        let mut command = std::process::Command::new(&gasctl);
        command.args(["--bus", "unix:path=/no/such/bus"]).args(args).env("PATH", dir.path());
        told(&command.output().unwrap())
    };
    let (code, out, err) = scan();
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("50-found.toml: written") && err.contains("not checked"), "{out}{err}");
    let text = std::fs::read_to_string(&file).unwrap();
    let config =
        gasd::config::parse("50-found.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(config.meters.len(), 1);
    let (code, out, err) = scan();
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("is there already"), "{err}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn several_that_answer_at_once_are_told_with_what_to_do_and_nothing_is_written() {
    let bus = PrivateBus::start();
    let _gasd = lines::searching(&bus, support::snapshot(), Some(SEVERAL));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("50-found.toml");
    let (code, out, err) = on_bus(&bus, &["scan", "rs485", "--write", file.to_str().unwrap()]);
    assert!(out.contains("several answer at once"), "{out}{err}");
    assert_eq!(code, 5, "{out}{err}");
    for words in ["connect one meter at a time", "from the labels", "is not written"] {
        assert!(err.contains(words), "{words:?} is not in {err}");
    }
    assert!(!file.exists());
    let (code, out, err) = on_bus(&bus, &["scan", "rs485"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(err.contains("connect one meter at a time"), "{err}");
}

#[test]
fn a_serial_server_is_searched_too() {
    let pty = quiet("cjt188");
    let server = lines::server(&pty);
    let args = ["scan", &server, "--baud", "38400", "--protocol", "cjt188"];
    let (code, out, err) = told(&alone(&args).output().unwrap());
    assert_eq!(code, 0, "{out}{err}");
    assert!(of(&out, "cjt188", "33781122334455").is_some(), "{out}");
    assert!(out.contains(&format!("tcp = {{ address = \"{server}\"")), "{out}");
}

const FOUND: &[&str] = &[
    r#"{"asking":"CJ/T 188: the address, high byte first"}"#,
    r#"{"new":"what a later version says"}"#,
    r#"{"found":{"protocol":"cjt188","address":"33780012345678","words":"type 31, gas","keys":"type = 0x31"}}"#,
    r#"{"found":{"protocol":"mbus","address":null,"words":"several answer at once","keys":""}}"#,
    r#"{"done":true}"#,
];

const SEVERAL: &[&str] = &[
    r#"{"found":{"protocol":"cjt188","address":null,"words":"several answer at once","keys":""}}"#,
    r#"{"done":true}"#,
];

fn on_bus(bus: &PrivateBus, args: &[&str]) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gasctl"));
    told(&command.args(["--bus", &bus.address()]).args(args).output().unwrap())
}

#[test]
fn a_port_of_gasds_is_gasds_to_search_on_by_its_id_and_by_its_device() {
    let bus = PrivateBus::start();
    let _gasd = lines::searching(&bus, support::snapshot(), Some(FOUND));
    // The device is not there on this machine: whoever opened it would fail.
    for port in ["rs485", "/dev/ttyUSB0"] {
        if port.starts_with('/') && Path::new(port).exists() {
            eprintln!("skipped: this machine has a {port}");
            continue;
        }
        let (code, out, err) = on_bus(&bus, &["scan", port]);
        assert_eq!(code, 0, "{out}{err}");
        assert!(err.contains("gasd searches on port \"rs485\""), "{err}");
        assert!(of(&out, "cjt188", "33780012345678").is_some() && of(&out, "mbus", "?").is_some(), "{out}");
        assert!(out.contains("port = \"rs485\"") && out.contains("type = 0x31"), "{out}");
        assert!(!out.contains("[[port]]"), "it is configured: {out}");
    }
    assert_eq!(on_bus(&bus, &["scan", "rs485", "--baud", "2400"]).0, 2);
    let (code, _, err) = on_bus(&bus, &["scan", "attic"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("there is: rs485"), "{err}");
}

#[test]
fn a_search_that_gasd_breaks_off_is_status_one_and_one_that_never_ends_can_be_ended() {
    let bus = PrivateBus::start();
    let gasd = lines::searching(&bus, support::snapshot(), Some(&FOUND[..3]));
    let (code, out, err) = on_bus(&bus, &["scan", "rs485"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(of(&out, "cjt188", "33780012345678").is_some() && err.contains("broke off"), "{out}{err}");
    drop(gasd);
    let _gasd = lines::searching(&bus, support::snapshot(), None);
    let (code, out, err) = on_bus(&bus, &["scan", "rs485", "--timeout", "1"]);
    assert_eq!((code, out.as_str()), (5, ""), "{err}");
}

#[test]
fn on_a_port_where_nobody_is_asked_strangers_are_shown() {
    let bus = PrivateBus::start();
    let mut snapshot = support::snapshot();
    snapshot.ports[0].kind = "wmbus".into();
    snapshot.ports[0].strangers = vec![("12345678.ELS.33.03".into(), "heard 3 times".into())];
    let gasd = lines::searching(&bus, snapshot, None);
    let (code, out, err) = on_bus(&bus, &["scan", "rs485"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        err.contains("nobody can be asked") && of(&out, "wmbus", "12345678.ELS.33.03").is_some(),
        "{out}{err}"
    );
    assert_eq!(on_bus(&bus, &["scan", "rs485", "--protocol", "mbus"]).0, 2);
    gasd.shared.write().unwrap().ports[0].strangers.clear();
}
