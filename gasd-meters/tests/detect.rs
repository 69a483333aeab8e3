// SPDX-License-Identifier: MIT OR Apache-2.0
//! Protocols are told apart: no frame of one is taken for another's, and noise is none.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{bytes, own, vectors};
use gasd_meters::detect::{Detector, Protocol, Verdict, probe, which};
use gasd_meters::hart::MIN_PREAMBLE;
use gasd_meters::scan::{Found, Probe, Scanner};
use gasd_meters::{hex, modbus};
use proptest::prelude::*;

/// What is heard when `stream` comes in chunks.
fn heard(stream: &[u8], chunk: usize) -> Detector {
    let mut detector = Detector::new(1_500_000_000);
    for bytes in stream.chunks(chunk) {
        detector.push(0, bytes);
    }
    detector.finish();
    detector
}

/// Frames of every protocol by others, with what they are; `None` of radio, which no wire carries.
fn everything() -> Vec<(String, Option<Protocol>, Vec<u8>)> {
    let files = [
        ("dlt645/frames.jsonl", Some(Protocol::Dlt645)),
        ("cjt188/frames.jsonl", Some(Protocol::Cjt188)),
        ("hart/frames.jsonl", Some(Protocol::Hart)),
        ("modbus/frames.jsonl", Some(Protocol::Modbus)),
        ("mbus/link_frames.jsonl", Some(Protocol::Mbus)),
        ("mbus/libmbus_frames.jsonl", Some(Protocol::Mbus)),
        ("lorawan/frames.jsonl", None),
        ("wmbus/lvogt_vectors.jsonl", None),
    ];
    let mut all = vec![];
    for (file, protocol) in files {
        for line in vectors(file).into_iter().flatten() {
            let mut stream = bytes(&line, "hex");
            let mut protocol = protocol.filter(|_| line["expect"]["ok"] != false);
            if file.starts_with("hart") {
                let preamble = stream.iter().take_while(|byte| **byte == 0xFF).count();
                if preamble < MIN_PREAMBLE && protocol.is_some() {
                    // As it was on the line.
                    stream = [vec![0xFF; 5], stream].concat();
                }
            }
            // The single character is a frame only where one is awaited.
            protocol = protocol.filter(|_| stream != [0xE5]);
            let id = if line["id"].is_null() { &line["name"] } else { &line["id"] };
            all.push((format!("{file} {id}"), protocol, stream));
        }
    }
    all
}

#[test]
fn no_frame_by_others_is_taken_for_another_protocol() {
    let (mut right, mut tries, mut alone) = (0, 0, 0);
    for (id, protocol, stream) in everything() {
        for chunk in [1, 7, stream.len().max(1)] {
            let detector = heard(&stream, chunk);
            for candidate in Protocol::ALL {
                let known = u32::from(Some(candidate) == protocol);
                assert!(detector.frames(candidate) >= known, "{id}: {candidate} in chunks of {chunk}");
                if known == 0 {
                    assert_eq!(detector.frames(candidate), 0, "{id}: taken for {candidate}");
                }
            }
        }
        right += u32::from(protocol.is_some());
        // Each probe for itself at every byte, as if no other protocol took the frame before.
        for candidate in Protocol::ALL.into_iter().filter(|candidate| Some(*candidate) != protocol) {
            for at in 0..stream.len() {
                tries += 1;
                alone += u32::from(matches!(candidate.probe(&stream[at..]), Probe::Frame(_)));
            }
        }
    }
    println!("{right} frames told apart; probes of others alone: {alone} of {tries} places taken");
    assert!(right == 0 || right > 250, "{right}");
    assert_eq!(alone, 0);
}

#[test]
fn a_line_with_one_protocol_and_one_with_two() {
    let modbus = modbus::encode(1, &modbus::Request::ReadHolding(0, 2)).unwrap();
    let hart = common::bytes(&own("hart.jsonl")[0], "hex");
    let dlt = common::bytes(&own("dlt645.jsonl")[0], "hex");
    assert_eq!(heard(&[], 1).verdict(), Verdict::Nothing);
    assert_eq!(heard(&[0x55; 300], 9).verdict(), Verdict::Nothing);
    assert_eq!(heard(&hart, 1).verdict(), Verdict::One(Protocol::Hart, 1));
    let stream = [&[1, 2, 3][..], &modbus, &[0xFE], &modbus, &dlt, &modbus].concat();
    let detector = heard(&stream, 4);
    assert_eq!(detector.verdict(), Verdict::Several(Protocol::Modbus, 3));
    assert_eq!((detector.frames(Protocol::Dlt645), detector.garbage()), (1, 3));
    let even = heard(&[modbus, dlt].concat(), 1);
    assert_eq!(even.verdict(), Verdict::Several(Protocol::Dlt645, 1), "the stronger header");
    assert_eq!(which(&hex::parse("010304000A0014DA3E").unwrap()), Some(Protocol::Modbus));
    assert_eq!(which(&[]), None);
    for protocol in Protocol::ALL {
        assert_eq!(Protocol::ALL[protocol as usize], protocol);
        assert_eq!(protocol.to_string(), protocol.name());
    }
}

/// A frame that breaks off does not keep the next one waiting for longer than the pause.
#[test]
fn half_a_frame_is_given_up() {
    let modbus = modbus::encode(1, &modbus::Request::ReadHolding(0, 2)).unwrap();
    let mut detector = Detector::new(100);
    // A read of 250 bytes that breaks off, then silence, then a frame.
    detector.push(0, &[1, 3, 250, 0, 1]);
    detector.tick(99);
    detector.tick(100);
    detector.push(100, &modbus);
    assert_eq!(detector.verdict(), Verdict::One(Protocol::Modbus, 1));
}

proptest! {
    /// However a stream is cut, the same is found; and each frame is one that its protocol takes.
    #[test]
    fn any_stream(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x68), Just(0xFF), Just(0x16), Just(3)], 0..400), chunk in 1..40usize) {
        let (mut scanner, mut frames) = (Scanner::new(1), 0);
        scanner.push(0, &bytes, probe, |found| {
            if let Found::Frame { bytes, .. } = found {
                assert!(which(bytes).is_some());
                frames += 1;
            }
        });
        scanner.flush(probe, |found| frames += u32::from(matches!(found, Found::Frame { .. })));
        let detector = heard(&bytes, chunk);
        let sum: u32 = Protocol::ALL.iter().map(|protocol| detector.frames(*protocol)).sum();
        prop_assert_eq!(sum, frames);
    }
}
