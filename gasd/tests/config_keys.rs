// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever the parser knows is in gasd.toml(5), each key in the part about its table, and in docs/configuration.md.
#![allow(clippy::unwrap_used, reason = "a test may")]

use gasd::config::{ErrorKind, parse};
use gasd_meters::key_name::NAMES;

const MAN: &str = include_str!("../../docs/man/gasd.toml.5");
const PAGE: &str = include_str!("../../docs/configuration.md");

/// Each table with a key that no table has, so that the parser lists those that it knows; and the parts of the manual
/// that are about it.
const TABLES: &[(&str, &[&str])] = &[
    ("zzzzzzzz = 1", &["METERS", "VALVES", "PORTS", "STORE AND KERNEL"]),
    ("[store]\nzzzzzzzz = 1", &["STORE AND KERNEL"]),
    ("[kernel]\nzzzzzzzz = 1", &["STORE AND KERNEL"]),
    ("[[meter]]\nzzzzzzzz = 1", &["METERS"]),
    ("[[meter]]\ngpio = { zzzzzzzz = 1 }", &["LINES"]),
    ("[[meter]]\nfilter = { zzzzzzzz = 1 }", &["METERS"]),
    ("[[meter]]\nthresholds = { zzzzzzzz = 1 }", &["METERS"]),
    ("[[meter]]\nrules = { zzzzzzzz = 1 }", &["METERS"]),
    ("[[meter]]\nrules = { use_time = [{ zzzzzzzz = 1 }] }", &["METERS"]),
    ("[[meter]]\nreadings = { zzzzzzzz = 1 }", &["METERS"]),
    ("[[meter]]\nport = \"p\"\ndevice = { zzzzzzzz = 1 }", &["DEVICES"]),
    (
        "[[meter]]\nport = \"p\"\ndevice = { protocol = \"modbus\", address = 1, registers = [{ zzzzzzzz = 1 }] }",
        &["Registers"],
    ),
    (
        "[[meter]]\nport = \"p\"\ndevice = { protocol = \"modbus\", address = 1, valve = { zzzzzzzz = 1 } }",
        &["Valve of a device"],
    ),
    (
        "[[meter]]\nport = \"p\"\ndevice = { protocol = \"mbus\", address = 1, valve = { zzzzzzzz = 1 } }",
        &["Valve of a device"],
    ),
    ("[[port]]\nzzzzzzzz = 1", &["PORTS"]),
    ("[[port]]\nserial = { zzzzzzzz = 1 }", &["PORTS"]),
    ("[[port]]\ntcp = { zzzzzzzz = 1 }", &["PORTS"]),
    ("[[port]]\nwmbus = { zzzzzzzz = 1 }", &["PORTS"]),
    ("[[port]]\nlorawan = { zzzzzzzz = 1 }", &["PORTS"]),
    ("[[port]]\nlwm2m = { zzzzzzzz = 1 }", &["PORTS"]),
    ("[[port]]\nbreaker = { zzzzzzzz = 1 }", &["PORTS"]),
    ("[[valve]]\nzzzzzzzz = 1", &["VALVES"]),
    ("[[valve]]\nactuator = { zzzzzzzz = 1 }", &["VALVES"]),
];

/// What the parser knows in the table that has the wrong key.
fn known(text: &str) -> Vec<&'static str> {
    let errors = parse("x", text).unwrap_err();
    let keys = errors.problems().iter().find_map(|problem| match &problem.kind {
        ErrorKind::UnknownKey { known, .. } => Some(known.to_vec()),
        _ => None,
    });
    keys.unwrap_or_else(|| panic!("{errors}\n{text}"))
}

/// A part of the manual, up to the next one's heading.
fn part(heading: &str) -> String {
    let begin = [".SH ", ".SS "].iter().find_map(|level| {
        let line = format!("\n{level}{heading}\n");
        MAN.find(&line).map(|at| at + line.len())
    });
    let rest = &MAN[begin.unwrap_or_else(|| panic!("no part {heading}"))..];
    let end = rest.find("\n.S").unwrap_or(rest.len());
    format!("\n{}", &rest[..end])
}

/// What a part sets in bold: keys, and the words that values may be.
fn bold(part: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in part.lines() {
        let Some((how, rest)) = line.strip_prefix('.').and_then(|line| line.split_once(' ')) else {
            continue;
        };
        if !["B", "BR", "RB", "BI"].contains(&how) {
            continue;
        }
        let words = rest.replace("\\(dq", "").replace("\\-", "-").replace("\\ ", " ");
        all.extend(words.split(|c: char| !c.is_alphanumeric() && !"_.-[]".contains(c)).map(str::to_owned));
    }
    all
}

#[test]
fn every_key_is_in_the_manual_where_its_table_is() {
    for (text, parts) in TABLES {
        let named: Vec<String> = parts.iter().flat_map(|heading| bold(&part(heading))).collect();
        for key in known(text) {
            let ways =
                [key.to_owned(), format!("[[{key}]]"), format!("store.{key}"), format!("kernel.{key}")];
            let section = named.iter().any(|word| word.starts_with(&format!("{key}.")));
            assert!(
                section || ways.iter().any(|way| named.contains(way)),
                "{key} of {text:?} is not in {parts:?}"
            );
        }
    }
}

#[test]
fn every_protocol_and_every_name_of_a_key_is_in_the_manual() {
    let text = "[[meter]]\nport = \"p\"\ndevice = { protocol = \"zzzzzzzz\", address = 1 }";
    let errors = parse("x", text).unwrap_err();
    let protocols = errors.problems().iter().find_map(|problem| match &problem.kind {
        ErrorKind::UnknownWord { known, .. } => Some(known.clone()),
        _ => None,
    });
    let named = bold(&part("DEVICES"));
    for protocol in protocols.unwrap() {
        assert!(named.iter().any(|word| word == protocol), "{protocol}");
    }
    let named = bold(&part("KEY FILES"));
    for name in NAMES {
        assert!(named.iter().any(|word| word == name), "{name}");
    }
}

#[test]
fn every_key_is_in_the_documentation() {
    for (text, _) in TABLES {
        for key in known(text) {
            let ways = [
                format!("`{key}`"),
                format!("[[{key}]]"),
                format!("[{key}]"),
                format!(".{key}`"),
                format!("{{ {key} = "),
                format!(", {key} = "),
            ];
            assert!(ways.iter().any(|way| PAGE.contains(way)), "{key} of {text:?} is not described");
        }
    }
}

#[test]
fn the_example_in_the_manual_parses() {
    let example = part("EXAMPLE");
    let example = example.split(".nf\n").nth(1).unwrap().split("\n.fi").next().unwrap();
    let config = parse("gasd.toml.5", example).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!((config.meters.len(), config.ports.len(), config.valves.len()), (2, 1, 2));
}
