// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames by others, which the project does not carry, and its own.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fmt::Display;
use std::path::{Path, PathBuf};

use gasd_meters::Explanation;
use serde_json::Value;

/// A file or folder of frames by others; `None`, said aloud, where it is not there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("GASD_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let path = shared.join("vectors").join(path);
    if !path.exists() {
        eprintln!("SKIPPED: no frames by others: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// The lines of such a file.
pub fn vectors(file: &str) -> Option<Vec<Value>> {
    shared(file).map(|path| json_lines(&path))
}

/// The lines of a file of the project's own frames.
pub fn own(file: &str) -> Vec<Value> {
    json_lines(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).join(file))
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let lines: Vec<Value> = text
        .lines()
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|why| panic!("{}: {why}: {line}", path.display()))
        })
        .collect();
    assert!(!lines.is_empty(), "{} is empty", path.display());
    lines
}

/// The bytes of a member that is hexadecimal text.
pub fn bytes(line: &Value, member: &str) -> Vec<u8> {
    let text = line[member].as_str().unwrap_or_else(|| panic!("no {member} in {line}"));
    gasd_meters::hex::parse(text).unwrap_or_else(|| panic!("{member} of {line}"))
}

/// The explanation of a frame of `len` bytes has every byte once.
pub fn covers(explanation: &Explanation, len: usize, id: &impl Display) {
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at, "{id}: {field:?}\n{explanation}");
        at += field.raw.len();
    }
    assert_eq!(at, len, "{id}: {explanation}");
}
