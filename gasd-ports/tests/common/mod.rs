// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tests of meters that speak by themselves have in common.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::net::SocketAddr;
use std::path::PathBuf;

use gasd_meters::{Error, Kind, Reading};
use gasd_ports::Kept;
use gasd_ports::air::{Event, Output};
use serde_json::Value;

/// A second, ns.
pub const S: u64 = 1_000_000_000;

/// A file of frames by others; `None`, said aloud, where it is not there.
pub fn shared(path: &str) -> Option<String> {
    let shared = std::env::var_os("GASD_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let path = shared.join("vectors").join(path);
    if !path.exists() {
        eprintln!("SKIPPED: no frames by others: {} is not there", path.display());
        return None;
    }
    Some(std::fs::read_to_string(path).unwrap())
}

/// The lines of such a file.
pub fn vectors(path: &str) -> Option<Vec<Value>> {
    shared(path).map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The bytes of a member that is hexadecimal text.
pub fn bytes(line: &Value, member: &str) -> Vec<u8> {
    gasd_meters::hex::parse(line[member].as_str().unwrap()).unwrap()
}

/// The readings among outputs, with the meter's key.
pub fn readings(outputs: &[Output]) -> Vec<(u64, &Reading)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Event(Event::Read { key, reading, .. }) => Some((*key, &**reading)),
            _ => None,
        })
        .collect()
}

/// Whether each reading among outputs may have been told before a restart.
pub fn again(outputs: &[Output]) -> Vec<bool> {
    let again = |output: &Output| match output {
        Output::Event(Event::Read { again, .. }) => Some(*again),
        _ => None,
    };
    outputs.iter().filter_map(again).collect()
}

/// The volumes among outputs, µL.
pub fn volumes(outputs: &[Output]) -> Vec<i64> {
    let volume = |reading: &Reading| reading.get(Kind::Volume)?.volume_ul().ok();
    readings(outputs).into_iter().filter_map(|(_, reading)| volume(reading)).collect()
}

/// What failed.
pub fn errors(outputs: &[Output]) -> Vec<(u64, Error)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Event(Event::Failed { key, error, .. }) => Some((*key, *error)),
            _ => None,
        })
        .collect()
}

/// What is to be kept.
pub fn memories(outputs: &[Output]) -> Vec<(u64, Kept)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Event(Event::Memory { key, bytes }) => Some((*key, bytes.clone())),
            _ => None,
        })
        .collect()
}

/// What is sent.
pub fn sent(outputs: &[Output]) -> Vec<(SocketAddr, Vec<u8>)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Send { to, bytes } | Output::Answer { to, bytes, .. } => Some((*to, bytes.clone())),
            Output::Event(_) => None,
        })
        .collect()
}

/// Who is told to be strange.
pub fn strangers(outputs: &[Output]) -> Vec<String> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Event(Event::Stranger { what, .. }) => Some(what.clone()),
            _ => None,
        })
        .collect()
}

/// What must survive comes before the readings, and what acknowledges them behind: of what a single frame brings.
pub fn is_in_order(outputs: &[Output]) -> bool {
    let rank = |output: &Output| match output {
        Output::Event(Event::Memory { .. }) => 0,
        Output::Event(_) => 1,
        Output::Send { .. } | Output::Answer { .. } => 2,
    };
    outputs.iter().map(rank).is_sorted()
}
