// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subscribers: quick, slow, gone, too many; and one in C.
#![allow(clippy::unwrap_used, reason = "test code")]

mod stream_house;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gasd::stream::{House, MOST, MOST_OF_USER, Named, SubscribeError, Wish};
use gasd_abi::records::meter_key;
use gasd_abi::stream::{GAP, HELLO, MAGIC, METER, Message, PULSE, READING, Record, VALVE, VERSION};
use stream_house::{Next, all, kinds, must, next, pulse, stream};

#[test]
fn the_first_records_say_who_is_who_and_how_it_stands() {
    let (stream, shared) = stream();
    shared.write().unwrap().meters[1].volume_ul = 70_000;
    let socket = stream.subscribe(33, &Wish::default()).unwrap();
    let first = all(&socket);
    assert_eq!(kinds(&first), [HELLO, METER, READING, METER, READING, VALVE]);
    assert_eq!(first[0].key, MAGIC);
    let Some(Message::Hello { version, meters, valves, .. }) = first[0].message() else { panic!() };
    assert_eq!((version, meters, valves), (VERSION, 2, 1));
    assert_eq!((first[3].index, first[3].key), (1, meter_key("boiler")));
    let Some(Message::Reading { volume_ul, .. }) = first[4].message() else { panic!() };
    assert_eq!(volume_ul, 70_000);
    stream.tell(pulse(1));
    assert_eq!(must(&socket), pulse(1));
}

#[test]
fn a_choice_is_kept() {
    let (stream, _shared) = stream();
    let wish = Wish { meters: vec!["boiler".into()], kinds: vec!["pulse".into()] };
    let socket = stream.subscribe(33, &wish).unwrap();
    let other = Record { index: 1, key: meter_key("boiler"), ..pulse(2) };
    stream.tell(pulse(1));
    stream.tell(other);
    let records = all(&socket);
    assert_eq!(kinds(&records), [HELLO, METER, PULSE]);
    assert_eq!(records[2], other);
    let unknown = Wish { kinds: vec!["telegram".into()], ..Wish::default() };
    assert!(matches!(stream.subscribe(33, &unknown), Err(SubscribeError::Wish(_))));
}

#[test]
fn a_slow_reader_holds_up_nobody_and_is_told_exactly_what_it_missed() {
    const PULSES: u64 = 5_000;
    let (stream, _shared) = stream();
    let only_pulses = Wish { kinds: vec!["pulse".into(), "reading".into()], ..Wish::default() };
    let slow = stream.subscribe(33, &only_pulses).unwrap();
    let quick = stream.subscribe(33, &only_pulses).unwrap();
    let start = Instant::now();
    for n in 1..=PULSES {
        stream.tell(pulse(n));
        // The quick reader never lets more wait than its buffer holds.
        if n % 100 == 0 {
            let mut seen = n - 100;
            while seen < n {
                let record = must(&quick);
                assert_ne!(record.kind, GAP, "a quick reader misses nothing because of a slow one");
                seen += u64::from(record.kind == PULSE);
            }
        }
    }
    eprintln!("{PULSES} pulses to a quick and a slow reader in {:?}", start.elapsed());

    // What the slow one has: pulses without a hole, then the gap, the state, and no hole again.
    let had = all(&slow);
    let at = had.iter().position(|record| record.kind == GAP).expect("a gap is told");
    let before = had[..at].iter().filter(|record| record.kind == PULSE).count() as u64;
    let Some(Message::Gap { lost, lost_in_all, .. }) = had[at].message() else { panic!() };
    eprintln!("the slow reader's buffer held {at} records, then {lost} were lost");
    assert!(at > 100, "the buffer holds more than {at}");
    assert_eq!(before + lost, PULSES, "each is there or counted");
    assert_eq!(lost, lost_in_all);
    assert_eq!(stream.dropped(), lost);
    assert_eq!(kinds(&had[at + 1..]), [METER, READING, METER, READING], "and the state makes up for it");
    stream.tell(pulse(PULSES + 1));
    assert_eq!(must(&slow), pulse(PULSES + 1));
}

#[test]
fn a_gap_is_told_also_when_nothing_comes_after_it() {
    let (stream, _shared) = stream();
    let socket = stream.subscribe(33, &Wish::default()).unwrap();
    for n in 1..=1_000 {
        stream.tell(pulse(n));
    }
    let mut due = 1;
    for record in all(&socket) {
        match record.message() {
            Some(Message::Gap { lost, .. }) => due += lost,
            Some(Message::Pulse { pulses, .. }) => {
                assert_eq!(pulses, due, "each is there or counted");
                due += 1;
            }
            _ => {}
        }
    }
    assert_eq!(due, 1_001);
}

#[test]
fn readers_that_hang_up_are_forgotten_and_their_room_is_free() {
    let (stream, _shared) = stream();
    for _ in 0..1_000 {
        drop(stream.subscribe(33, &Wish::default()).unwrap());
    }
    let socket = stream.subscribe(33, &Wish::default()).unwrap();
    assert_eq!(stream.subscribers(), 1);
    drop(socket);
    stream.tell(pulse(1));
    let start = Instant::now();
    while stream.subscribers() > 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "it is noticed with the next record");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!stream.is_wanted());
}

#[test]
fn there_is_an_end_to_it_for_one_user_and_for_all() {
    let (stream, _shared) = stream();
    let mut open: Vec<_> =
        (0..MOST_OF_USER).map(|_| stream.subscribe(33, &Wish::default()).unwrap()).collect();
    let more = stream.subscribe(33, &Wish::default()).unwrap_err();
    assert_eq!(more, SubscribeError::TooManyOfUser { uid: 33 });
    // Root is bounded by the limit for all only.
    while let Ok(socket) = stream.subscribe(0, &Wish::default()) {
        open.push(socket);
    }
    assert_eq!(open.len(), MOST);
    assert_eq!(stream.subscribe(34, &Wish::default()).unwrap_err(), SubscribeError::TooMany);
    open.pop();
    assert!(stream.subscribe(34, &Wish::default()).is_ok());
}

#[test]
fn a_subscriber_cannot_send() {
    let (stream, _shared) = stream();
    let socket = stream.subscribe(33, &Wish::default()).unwrap();
    let sent = rustix::net::send(&socket, b"x", rustix::net::SendFlags::NOSIGNAL);
    assert_eq!(sent, Err(rustix::io::Errno::PIPE));
    stream.tell(pulse(1));
    assert!(kinds(&all(&socket)).contains(&PULSE), "and its subscription goes on");
}

#[test]
fn a_new_numbering_begins_with_a_hello_between_the_records_of_the_old_and_the_new() {
    let (stream, _shared) = stream();
    let socket = stream.subscribe(33, &Wish::default()).unwrap();
    all(&socket);
    let boiler = Record { key: meter_key("boiler"), ..pulse(1) };
    stream.tell(pulse(1));
    stream.renumber(House { meters: vec![Named::new("boiler", 1_000, false)], valves: vec![] });
    stream.tell(boiler);
    let again = all(&socket);
    assert_eq!(kinds(&again), [PULSE, HELLO, METER, READING, PULSE]);
    assert_eq!((again[0], again[4]), (pulse(1), boiler));
    for record in &again[2..4] {
        assert_eq!((record.index, record.key), (0, meter_key("boiler")));
    }
    let late = all(&stream.subscribe(33, &Wish::default()).unwrap());
    assert_eq!(kinds(&late), [HELLO, METER, READING], "whoever comes later knows the new one only");
}

#[test]
fn the_stream_ends_with_the_service() {
    let (stream, _shared) = stream();
    let socket = stream.subscribe(33, &Wish::default()).unwrap();
    all(&socket);
    drop(stream);
    assert_eq!(next(&socket, Duration::from_secs(5)), Next::End);
}

#[test]
fn a_program_in_c_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let doc = include_str!("../../docs/event-stream.md");
    let declarations = doc.split_once("```c\n").unwrap().1.split_once("```").unwrap().0;
    std::fs::write(dir.path().join("event_stream.h"), declarations).unwrap();
    let program = dir.path().join("reader");
    let compiled = Command::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-I"])
        .arg(dir.path())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c_stream_reader.c"))
        .arg("-o")
        .arg(&program)
        .status();
    match compiled {
        Ok(status) => assert!(status.success(), "it does not compile"),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED a_program_in_c_reads_it: no cc: {error}");
            return;
        }
    }
    let (stream, shared) = stream();
    shared.write().unwrap().valves[0].position = gasd::state::Position::Closed;
    let socket = stream.subscribe(33, &Wish::default()).unwrap();
    let reader = Command::new(program).stdin(socket).stdout(Stdio::piped()).spawn().unwrap();
    stream.tell(pulse(1));
    // A kind of a later version is left out.
    stream.tell(Record { kind: 40, ..Record::default() });
    let verdict = Message::Verdict { id: 9, kind: 1, severity: 4, start_ns: 1, flags: 0 };
    stream.tell(Record::new(0, meter_key("kitchen"), 2, verdict));
    drop(stream);
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (kitchen, boiler) = (meter_key("kitchen"), meter_key("boiler"));
    let expected = format!(
        "hello version 1 bytes 64 meters 2 valves 1 magic gasdstrm\n\
         meter 0 key {kitchen} pulse 10000 uL\nreading 0 total 0 uL 0 flow unknown\n\
         meter 1 key {boiler} pulse 10000 uL\nreading 1 total 0 uL 0 flow unknown\n\
         valve 0 closed holds 0\npulse 0 at 1 total 10000 uL 1\nverdict 9 surge critical\nend\n"
    );
    assert_eq!(text, expected);
}
