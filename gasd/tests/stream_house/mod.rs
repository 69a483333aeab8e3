// SPDX-License-Identifier: MIT OR Apache-2.0
//! A stream without a daemon, and how to read one.
#![allow(dead_code, reason = "every test binary uses another part of it")]
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use gasd::state::{MeterState, Position, Shared, Snapshot, ValveState};
use gasd::stream::{House, Named, Stream};
use gasd_abi::records::meter_key;
use gasd_abi::stream::{Message, RECORD_BYTES, Record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

/// What the next packet is.
#[derive(Debug, PartialEq)]
pub enum Next {
    Record(Record),
    Nothing,
    End,
}

/// Takes the next packet, waiting at most so long.
pub fn next(socket: impl AsFd, patience: Duration) -> Next {
    let mut fds = [PollFd::new(&socket, PollFlags::IN)];
    let wait = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
    poll(&mut fds, Some(&wait)).unwrap();
    let mut bytes = [0u8; RECORD_BYTES + 1];
    match recv(&socket, &mut bytes[..], RecvFlags::DONTWAIT) {
        Ok((0, _)) => Next::End,
        Ok((n, _)) => {
            assert_eq!(n, RECORD_BYTES, "a packet is a record");
            Next::Record(Record::from_bytes(bytes[..RECORD_BYTES].try_into().unwrap()))
        }
        Err(Errno::AGAIN) => Next::Nothing,
        Err(error) => panic!("recv: {error}"),
    }
}

/// The next record; it must come.
pub fn must(socket: &OwnedFd) -> Record {
    match next(socket, Duration::from_secs(10)) {
        Next::Record(record) => record,
        other => panic!("no record: {other:?}"),
    }
}

/// Everything that comes until nothing comes for a while.
pub fn all(socket: &OwnedFd) -> Vec<Record> {
    let mut records = Vec::new();
    while let Next::Record(record) = next(socket, Duration::from_millis(300)) {
        records.push(record);
    }
    records
}

pub fn kinds(records: &[Record]) -> Vec<u32> {
    records.iter().map(|record| record.kind).collect()
}

/// Two meters and a valve.
pub fn stream() -> (Stream, Shared) {
    let meter = |id: &str| MeterState { id: id.into(), health: "ok".into(), ..MeterState::default() };
    let valve = ValveState {
        id: "main".into(),
        position: Position::Open,
        health: "ok".into(),
        ..ValveState::default()
    };
    let snapshot = Snapshot {
        meters: vec![meter("kitchen"), meter("boiler")],
        valves: vec![valve],
        ..Snapshot::default()
    };
    let shared: Shared = Arc::new(RwLock::new(snapshot));
    let named = |id: &str| Named::new(id, 10_000, false);
    let house =
        House { meters: vec![named("kitchen"), named("boiler")], valves: vec![Named::new("main", 0, false)] };
    (Stream::start(Arc::clone(&shared), house).unwrap(), shared)
}

/// Pulse `n` of the kitchen's meter.
pub fn pulse(n: u64) -> Record {
    let message =
        Message::Pulse { decided_ns: n, interval_ns: 1, pulses: n, volume_ul: n * 10_000, flags: 0 };
    Record::new(0, meter_key("kitchen"), n, message)
}
