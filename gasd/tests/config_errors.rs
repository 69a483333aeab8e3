// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every way a configuration can be unreadable, with the line a person reads.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod config_support;

use config_support::{meter, only, refused, valve, whole};
use gasd::config::error::ErrorKind;
use gasd::config::load::FileError;
use gasd::config::sense::{First, Sense};
use gasd::config::units::UnitError;
use gasd::config::{Place, load, parse};

const DURATION: &str = "(expected a duration like \"20 ms\")";

#[test]
fn what_is_not_toml() {
    let lines = refused("[[meter]]\nid = kitchen\"\n");
    assert!(lines[0].starts_with("gasd.toml:2:6: "), "{lines:?}");
    assert!(lines[0].contains("this is not TOML"), "{lines:?}");
    let lines = refused("[[meter]]\nid = \"a\"\nid = \"b\"\n");
    only(lines, "3:1: id: this is not TOML: duplicate key");
    let many = "= 1\n".repeat(50);
    let lines = refused(&many);
    assert_eq!(lines.len(), 11);
    assert!(lines[10].contains("more syntax errors are not listed"), "{lines:?}");
}

#[test]
fn unknown_keys_with_the_nearest_or_all_known() {
    only(
        whole("filter = { min_intervall = \"20 ms\" }"),
        "8:12: filter: unknown key `min_intervall`; did you mean `min_interval`?",
    );
    only(
        whole("colour = 1"),
        "8:1: meter \"m\": unknown key `colour`; known are `id`, `source`, `port`, `device`, `gpio`, `line`, `readings`, \
         `pulse_volume`, `max_flow`, `filter`, `thresholds`, `profile`, `rules`, `valve`, `alarm`",
    );
    only(refused("[stroe]\n"), "1:2: unknown key `stroe`; did you mean `store`?");
    only(refused("[kernel]\npin = \"/x\"\n"), "2:1: kernel: unknown key `pin`; did you mean `pins`?");
    only(
        valve("actuator = { gpio = { line = 1, activ = \"low\" }, closed = \"high\" }"),
        "3:33: actuator.gpio: unknown key `activ`; did you mean `active`?",
    );
}

#[test]
fn missing_keys() {
    assert_eq!(
        refused("\n[[meter]]\n"),
        [
            "gasd.toml:2:1: meter: the key `id` is missing (expected a name like \"kitchen\")",
            "gasd.toml:2:1: meter: the key `gpio` is missing (expected a line like \
             { chip = \"gpiochip0\", line = 4 })",
            "gasd.toml:2:1: meter: the key `pulse_volume` is missing (expected the volume of one \
             pulse, like \"10 L\" or \"100 imp/m3\")",
        ]
    );
    only(
        valve(""),
        "1:1: valve \"v\": the key `actuator` is missing (expected \"simulated\", { gpio = \
         { chip = \"gpiochip0\", line = 7 }, closed = \"high\" }, or { meter = \"flat-3\" })",
    );
    only(
        valve("actuator = { gpio = { line = 7 } }"),
        "3:12: actuator: the key `closed` is missing (expected the level that closes the valve, \
         \"high\" or \"low\"; there is no safe default)",
    );
    only(
        meter("gpio = { chip = \"gpiochip0\" }\npulse_volume = \"10 L\""),
        "6:8: gpio: the key `line` is missing (expected the line's offset on its chip, like 4)",
    );
}

#[test]
fn wrong_types() {
    only(
        whole("filter = 3"),
        "8:10: filter: 3: is an integer (expected a table like { min_interval = \"20 ms\", \
         min_width = \"10 ms\" })",
    );
    only(
        refused("[meter]\nid = \"m\"\n"),
        "1:1: meter: is a table (expected one or more tables, each headed [[meter]])",
    );
    only(
        refused("valve = [true]\n"),
        "1:10: valve: true: is a boolean (expected one or more tables, each headed [[valve]])",
    );
    only(whole("valve = 1.5"), "8:9: valve: 1.5: is a float (expected the id of a [[valve]], like \"main\")");
    only(
        whole("thresholds = []"),
        "8:14: thresholds: is an array (expected a table like { suspect = \"5.0 m3/h\", confirm \
         = \"3.2 m3/h\", sustain = \"1.8 m3/h\" })",
    );
    only(
        whole("max_flow = 1979-05-27"),
        "8:12: max_flow: 1979-05-27: is a date or time (expected a flow like \"6 m3/h\")",
    );
    only(
        refused("[store]\npath = true\n"),
        "2:8: store.path: true: is a boolean (expected an absolute path)",
    );
}

#[test]
fn quantities_that_cannot_be_read() {
    let volume = "(expected the volume of one pulse, like \"10 L\" or \"100 imp/m3\")";
    let units = "known are `L`, `mL`, `uL`, `m3`, `dm3`, `cm3`, `imp/m3`, `imp/L`";
    for (value, message) in [
        ("\"10 Lt\"", "unknown unit `Lt`; did you mean `L`?".to_owned()),
        ("\"10 gallons\"", format!("unknown unit `gallons`; {units}")),
        ("\"10\"", format!("the unit is missing; {units}")),
        ("10", format!("the unit is missing; {units}")),
        ("0.01", format!("the unit is missing; {units}")),
        ("\"0,01 m3\"", "a comma is no decimal point here; write `.`, and do not group thousands".to_owned()),
        ("\"-1 L\"", "must not be negative".to_owned()),
        ("-1", "must not be negative".to_owned()),
        ("\"0 L\"", "must be more than zero".to_owned()),
        ("\"ten L\"", "does not begin with a plain number".to_owned()),
        ("\"\"", "does not begin with a plain number".to_owned()),
        ("\"1.2.3 L\"", "does not begin with a plain number".to_owned()),
        ("\"0.0001 mL\"", "is not a whole number of uL, the smallest step gasd counts in".to_owned()),
        ("\"99999999999999999999 m3\"", "is too large".to_owned()),
        (
            "\"3 imp/m3\"",
            "one pulse would be no whole number of uL; write the volume of one pulse yourself \
             (nearest: \"333.333333 L\")"
                .to_owned(),
        ),
    ] {
        only(
            meter(&format!("line = 4\npulse_volume = {value}")),
            &format!("7:16: pulse_volume: {value}: {message} {volume}"),
        );
    }
}

#[test]
fn units_of_flow_time_and_rate() {
    only(
        whole("filter.min_interval = \"20 mss\""),
        &format!("8:23: filter.min_interval: \"20 mss\": unknown unit `mss`; did you mean `ms`? {DURATION}"),
    );
    only(
        whole("filter.poll = \"5 seconds\""),
        &format!("8:15: filter.poll: \"5 seconds\": unknown unit `seconds`; did you mean `s`? {DURATION}"),
    );
    only(
        whole("max_flow = \"6 m3\""),
        "8:12: max_flow: \"6 m3\": unknown unit `m3`; known are `m3/h`, `m3/min`, `L/h`, \
         `L/min`, `L/s`, `dm3/h`, `mL/min`, `mL/s` (expected a flow like \"6 m3/h\")",
    );
    only(
        whole("thresholds = { suspect = \"5 m3/hr\" }"),
        "8:26: thresholds.suspect: \"5 m3/hr\": unknown unit `m3/hr`; did you mean `m3/h`? \
         (expected a flow like \"6 m3/h\")",
    );
    let storm = "(expected edges a second, like 1000 or \"1000 /s\")";
    only(
        whole("filter.storm_limit = \"1000 Hz\""),
        &format!("8:22: filter.storm_limit: \"1000 Hz\": unknown unit `Hz`; did you mean `/s`? {storm}"),
    );
    for value in ["-1", "4294967296", "\"4294967296 /s\""] {
        only(
            whole(&format!("filter.storm_limit = {value}")),
            &format!(
                "8:22: filter.storm_limit: {value}: must be a whole number from 0 to 4294967295 {storm}"
            ),
        );
    }
}

#[test]
fn a_register_that_cannot_be_read_so() {
    let read =
        |readings: &str, more: &str| meter(&format!("source = \"stack\"\nreadings = {readings}\n{more}"));
    let all = "{ every = \"1 min\", resolution = \"1 L\" }";
    only(
        meter(&format!("gpio = {{ line = 4 }}\nreadings = {all}")),
        "7:12: readings: { every = \"1 min\", resolution = \"1 L\" }: nobody reads this meter: add port and \
         device, for gasd to read it, or source = \"stack\", for a program that hands its readings in over a feed",
    );
    only(
        read(all, "pulse_volume = \"10 L\""),
        "8:16: pulse_volume: \"10 L\": goes with no `readings`; keep one of them",
    );
    only(
        read("{ every = \"1 min\" }", ""),
        "7:12: readings: the key `resolution` is missing (expected the smallest step of the register, like \"1 L\")",
    );
    only(
        read("{ every = \"1 ms\", resolution = \"1 L\" }", ""),
        "7:22: readings.every: \"1 ms\": 1 ms is outside 1 s to 2678400 s: how often a register is read",
    );
    only(
        read("{ every = \"1 h\", resolution = \"1 L\", rollover = \"10 m3\" }", ""),
        "7:60: readings.rollover: \"10 m3\": a register that begins anew at 10 m3 may turn over unseen, because \
         50.334333333 m3 can pass between two readings; correct it, or read more often (`every`)",
    );
    only(
        read("{ every = \"1 h\", resolution = \"20 m3\" }", ""),
        "7:42: readings.resolution: \"20 m3\": a register that moves in steps of 20 m3 is coarser than any \
         (expected at most 10 m3)",
    );
}

#[test]
fn words_that_are_none() {
    only(
        meter("gpio = { line = 4, bias = \"pullup\" }\npulse_volume = \"10 L\""),
        "6:27: gpio.bias: \"pullup\": unknown word; did you mean `pull-up`?",
    );
    only(
        meter("gpio = { line = 4, active = \"yes\" }\npulse_volume = \"10 L\""),
        "6:29: gpio.active: \"yes\": unknown word; known are `high`, `low`",
    );
    only(
        meter("source = \"stak\"\npulse_volume = \"10 L\""),
        "6:10: source: \"stak\": unknown word; did you mean `stack`?",
    );
    only(
        meter("source = \"stack\"\nline = 4\npulse_volume = \"10 L\""),
        "7:8: line: 4: is given twice, here and as `source`; keep one of them",
    );
    only(
        valve("actuator = \"simulate\""),
        "3:12: actuator: \"simulate\": unknown word; did you mean `simulated`?",
    );
    only(
        valve("actuator = { gpio = { line = 7 }, closed = \"hgih\" }"),
        "3:44: actuator.closed: \"hgih\": unknown word; did you mean `high`?",
    );
}

#[test]
fn all_problems_are_reported_in_the_order_of_the_file() {
    let lines = refused(
        r#"[store]
persist = "10"
[[meter]]
id = "a b"
gpio = { chip = "gpiochip0", lin = 4 }
pulse_volume = "10 Lt"
filter = { min_interval = "20 mss", poll = 3 }
valve = "nowhere"
colour = 1
[[valve]]
id = "main"
actuator = "real"
"#,
    );
    let at: Vec<&str> = lines.iter().map(|l| &l["gasd.toml:".len()..][..4]).collect();
    assert_eq!(
        at,
        ["2:11", "4:6:", "5:8:", "5:30", "6:16", "7:27", "7:44", "8:9:", "9:1:", "12:1"],
        "{lines:#?}"
    );
}

#[test]
fn a_caller_can_match_the_kind_and_the_place() {
    let errors = parse("gasd.toml", "[[meter]]\nid = \"m\"\nline = 4\npulse_volume = \"1 mm3\"\n");
    let errors = errors.unwrap_err();
    let [problem] = errors.problems() else { panic!("{errors}") };
    assert_eq!(problem.place, Some(Place { line: 4, column: 16 }));
    assert_eq!(problem.key, "pulse_volume");
    assert_eq!(problem.value.as_deref(), Some("\"1 mm3\""));
    assert!(matches!(
        &problem.kind,
        ErrorKind::Quantity { error: UnitError::UnknownUnit { near: Some("m3"), .. }, .. }
    ));
    let errors = parse("x", "[[valve]]\nid = \"v\"\nactuator = \"simulated\"\n".repeat(2).as_str());
    let errors = errors.unwrap_err();
    assert!(matches!(
        errors.problems()[0].kind,
        ErrorKind::Sense(Sense::DuplicateId { first: First { line: 2, file: None }, .. })
    ));
}

#[test]
fn columns_count_characters_and_quotes_are_cut_short() {
    only(
        whole("filter = { \"größe\" = 1, poll = \"9 m\\u0007\\n\" }").split_off(1),
        "8:32: filter.poll: \"9 m\\u0007\\n\": unknown unit `m\\u{7}`; did you mean `ms`? \
         (expected a duration like \"20 ms\")",
    );
    let long = "x".repeat(500);
    let lines = whole(&format!("valve = \"{long}\""));
    assert!(lines[0].starts_with(&format!("gasd.toml:8:9: valve: \"{}…: no", "x".repeat(59))));
}

#[test]
fn files_that_cannot_be_had() {
    let dir = tempfile::tempdir().unwrap();
    let kind = |path: &std::path::Path| {
        let errors = load(path).unwrap_err();
        let problem = errors.problems()[0].clone();
        assert!(errors.to_string().starts_with(&format!("{}: ", path.display())));
        match problem.kind {
            ErrorKind::File(error) => error,
            other => panic!("{other}"),
        }
    };
    let path = dir.path().join("gasd.toml");
    assert_eq!(kind(&path), FileError::Missing);
    assert_eq!(kind(std::path::Path::new("/dev/null")), FileError::NotAFile);
    std::fs::write(&path, b"# \xff").unwrap();
    assert_eq!(kind(&path), FileError::NotUtf8(2));
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert_eq!(kind(&path), FileError::TooLarge);
    std::fs::write(&path, "colour = 1\n").unwrap();
    let errors = load(&path).unwrap_err().to_string();
    assert!(errors.contains("gasd.toml:1:1: unknown key `colour`"), "{errors}");
    std::fs::write(&path, "").unwrap();
    assert!(load(&path).is_ok());
}

#[test]
fn a_file_closed_to_this_user_says_whose_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gasd.toml");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let Err(errors) = load(&path) else {
        return; /* root reads everything */
    };
    assert!(errors.to_string().contains("the file "), "{errors}");
    assert!(errors.to_string().contains("with mode 0000"), "{errors}");
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let errors = load(&closed.join("gasd.toml")).unwrap_err().to_string();
    assert!(errors.contains(&format!("the directory {} belongs to", closed.display())), "{errors}");
}
