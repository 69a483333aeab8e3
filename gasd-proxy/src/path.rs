// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ids and object paths, both ways.
//!
//! A leaf is escaped as `sd_bus_path_encode(3)` does it: every byte but `[A-Za-z0-9]`, and a digit
//! at the start, becomes `_` and two hexadecimal digits; the empty id becomes `_`. No two ids share
//! a path.

use std::fmt::Write;

use crate::ROOT;

/// What an object path names. Ids are unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// The service.
    Manager,
    /// A meter, by its id.
    Meter(String),
    /// A valve, by its id.
    Valve(String),
    /// A port, by its id.
    Port(String),
    /// A verdict, by its number.
    Verdict(u64),
}

impl Object {
    /// Reads a path of `io.gasd1`; `None` for any other.
    #[must_use]
    pub fn parse(path: &str) -> Option<Object> {
        let rest = path.strip_prefix(ROOT)?;
        if rest.is_empty() {
            return Some(Object::Manager);
        }
        let (folder, leaf) = rest.strip_prefix('/')?.split_once('/')?;
        match folder {
            "meters" => unleaf(leaf).map(Object::Meter),
            "ports" => unleaf(leaf).map(Object::Port),
            "valves" => unleaf(leaf).map(Object::Valve),
            // Only the one way of writing a number counts: `+7` and `007` are nobody's path.
            "verdicts" => leaf.parse().ok().filter(|id: &u64| id.to_string() == leaf).map(Object::Verdict),
            _ => None,
        }
    }
}

/// Escapes an id to the last element of a path.
#[must_use]
pub fn leaf(id: &str) -> String {
    if id.is_empty() {
        return "_".to_owned();
    }
    let mut out = String::with_capacity(id.len());
    for (at, byte) in id.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (byte.is_ascii_digit() && at > 0) {
            out.push(byte as char);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "_{byte:02x}");
        }
    }
    out
}

/// The id behind the last element of a path; `None` when it was not made by [`leaf`].
#[must_use]
pub fn unleaf(leaf: &str) -> Option<String> {
    if leaf == "_" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(leaf.len());
    let mut rest = leaf.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'_' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else if byte.is_ascii_alphanumeric() {
            bytes.push(byte);
            rest = tail;
        } else {
            return None;
        }
    }
    // Only the one way of writing an id counts.
    String::from_utf8(bytes).ok().filter(|id| self::leaf(id) == leaf)
}

/// Path of a meter.
#[must_use]
pub fn meter_path(id: &str) -> String {
    format!("{ROOT}/meters/{}", leaf(id))
}

/// Path of a valve.
#[must_use]
pub fn valve_path(id: &str) -> String {
    format!("{ROOT}/valves/{}", leaf(id))
}

/// Path of a port.
#[must_use]
pub fn port_path(id: &str) -> String {
    format!("{ROOT}/ports/{}", leaf(id))
}

/// Path of a verdict. The number stands as it is: a path element may start with a digit.
#[must_use]
pub fn verdict_path(id: u64) -> String {
    format!("{ROOT}/verdicts/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_valid_and_distinct() {
        let ids = ["kitchen", "a-b", "a_b", "a_2db", "7", "", "_", "1st-floor", "Gaszähler"];
        let mut seen = std::collections::BTreeSet::new();
        for id in ids {
            let leaf = leaf(id);
            assert!(leaf.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{leaf}");
            assert_eq!(unleaf(&leaf).as_deref(), Some(id));
            assert!(seen.insert(leaf));
        }
        assert_eq!(leaf("boiler-1"), "boiler_2d1");
    }

    #[test]
    fn paths_are_read_back() {
        assert_eq!(Object::parse("/io/gasd1"), Some(Object::Manager));
        assert_eq!(Object::parse(&meter_path("a-b")), Some(Object::Meter("a-b".into())));
        assert_eq!(Object::parse(&valve_path("main")), Some(Object::Valve("main".into())));
        assert_eq!(Object::parse(&verdict_path(7)), Some(Object::Verdict(7)));
        for other in ["/", "/io", "/io/gasd12", "/io/gasd1/meters", "/io/gasd1/x/y", "/io/gasd1/verdicts/x"] {
            assert_eq!(Object::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_verdict_has_one_path() {
        for other in ["000000", "07", "+7", "", "18446744073709551616"] {
            let path = format!("/io/gasd1/verdicts/{other}");
            assert_eq!(Object::parse(&path), None, "{path}");
        }
        assert_eq!(Object::parse(&verdict_path(u64::MAX)), Some(Object::Verdict(u64::MAX)));
    }

    #[test]
    fn broken_leaves_are_refused() {
        for broken in ["a_", "a_2", "a_zz", "a-b", "_+1"] {
            assert_eq!(unleaf(broken), None, "{broken}");
        }
    }
}
