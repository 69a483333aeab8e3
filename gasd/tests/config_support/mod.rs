// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small configurations with one thing wrong.
#![allow(dead_code, reason = "each test program uses some of it")]

use gasd::config::parse;

/// What the parser says, a line a problem.
pub fn refused(text: &str) -> Vec<String> {
    match parse("gasd.toml", text) {
        Ok(config) => panic!("accepted: {config:?}"),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    }
}

/// A good meter in five lines, whose sixth and later are `keys`.
pub fn meter(keys: &str) -> Vec<String> {
    refused(&format!("[[valve]]\nid = \"main\"\nactuator = \"simulated\"\n[[meter]]\nid = \"m\"\n{keys}\n"))
}

/// A good meter with line and volume in seven lines, whose eighth and later are `keys`.
pub fn whole(keys: &str) -> Vec<String> {
    meter(&format!("line = 4\npulse_volume = \"10 L\"\n{keys}"))
}

/// A valve in two lines, whose third is `keys`.
pub fn valve(keys: &str) -> Vec<String> {
    refused(&format!("[[valve]]\nid = \"v\"\n{keys}\n"))
}

/// There is one problem, and this is its line after the file's name.
#[track_caller]
pub fn only(lines: Vec<String>, expected: &str) {
    assert_eq!(lines, [format!("gasd.toml:{expected}")]);
}
