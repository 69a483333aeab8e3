// SPDX-License-Identifier: MIT OR Apache-2.0
//! Telegrams in every framing, whole and in pieces, with noise before and damage inside.

use gasd_meters::crc;
use gasd_meters::hex::Hex;
use gasd_meters::wmbus::{Lock, Seal};
use proptest::prelude::*;

use super::*;

const RECORDS: &[u8] = &[0x0C, 0x13, 0x27, 0x04, 0x85, 0x02];

fn telegram(access: u8, records: &[u8]) -> Telegram {
    let meter = "12345678.ELS.33.03".parse().unwrap();
    Seal { meter, sender: None, access, status: 0, lock: Lock::Open, records, clear: 0 }.telegram().unwrap()
}

/// How a receiver of each kind writes a telegram.
fn written(kind: usize, telegram: &Telegram) -> Vec<u8> {
    let of = |format| telegram.encode(format).unwrap();
    match kind {
        0 => of(Format::A),
        1 => of(Format::B),
        2 => of(Format::Plain),
        3 => {
            let digits = Hex(&telegram.bytes).to_string();
            format!("T1;1;1;2026-01-01 00:00:00.000;97;148;12345678;0x{}\n", digits.to_lowercase()).into()
        }
        4 => format!("b{}7F20\r\n", Hex(&of(Format::A))).into(),
        5 => format!("bY{}\r\n", Hex(&of(Format::B))).into(),
        6 => format!("telegram=|{}|+12\n", Hex(&telegram.bytes)).into(),
        7 => format!("{}\n", Hex(&of(Format::A))).into(),
        _ => {
            let mut bytes = vec![0xFF, 0x03];
            bytes.extend(&telegram.bytes);
            bytes.push(crc::xor(&bytes));
            bytes
        }
    }
}

const KINDS: usize = 9;

fn framing(kind: usize) -> Framing {
    match kind {
        0 => Framing::Binary(Some(Format::A)),
        1 => Framing::Binary(Some(Format::B)),
        2 => Framing::Binary(Some(Format::Plain)),
        3..=7 => Framing::Lines,
        _ => Framing::Commands { rssi: false },
    }
}

/// All that comes of bytes in pieces, and of a pause behind them.
fn all(framer: &mut Framer, bytes: &[u8], piece: usize) -> Vec<Framed> {
    let mut found: Vec<Framed> = bytes.chunks(piece).flat_map(|part| framer.push(0, part)).collect();
    found.extend(framer.tick(IDLE_NS));
    assert!(framer.due_ns().is_none() && framer.buffer.is_empty());
    found
}

#[test]
fn every_framing_is_read_and_found_out() {
    for kind in 0..KINDS {
        for framing in [framing(kind), Framing::Found] {
            for piece in [1, 7, 1_000] {
                let telegrams: Vec<Telegram> = (0..3).map(|n| telegram(n, RECORDS)).collect();
                let stream: Vec<u8> = telegrams.iter().flat_map(|telegram| written(kind, telegram)).collect();
                let mut framer = Framer::new(framing);
                let found = all(&mut framer, &stream, piece);
                let bytes: Vec<_> = found.iter().map(|framed| &framed.telegram.bytes).collect();
                let known: Vec<_> = telegrams.iter().map(|telegram| &telegram.bytes).collect();
                assert_eq!(bytes, known, "{kind} {framing:?} {piece}");
                assert_eq!(framer.garbage(), 0, "{kind} {framing:?}");
                assert_eq!(found[0].rssi_dbm, (kind == 4).then_some(-58));
            }
        }
    }
}

#[test]
fn what_is_checked_is_found_behind_garbage() {
    for kind in [0, 1, 3, 4, 5, 8] {
        for framing in [framing(kind), Framing::Found] {
            let mut stream = b"V 1.67 nanoCUL868\r\n".to_vec();
            if !matches!(kind, 3..=7) {
                stream.extend([0xFF, 0x00, 0x44, 0x44, 0x30, 0x44, 0x68, 0xFF, 0x03]);
            }
            // Half a telegram, then two.
            let other = written(kind, &telegram(0x42, RECORDS));
            // An even cut would make the checksum fit, as each byte came twice.
            stream.extend(&other[..other.len() / 2 + 3]);
            if matches!(kind, 3..=7) {
                stream.push(b'\n');
            }
            stream.extend(written(kind, &telegram(1, RECORDS)));
            stream.extend(written(kind, &telegram(2, RECORDS)));
            let mut framer = Framer::new(framing);
            let found = all(&mut framer, &stream, 5);
            let accesses: Vec<u8> = found.iter().map(|framed| framed.telegram.bytes[11]).collect();
            assert_eq!(accesses, [1, 2], "{kind} {framing:?}");
        }
    }
}

#[test]
fn without_crcs_a_pause_is_the_only_beginning() {
    let whole = written(2, &telegram(1, RECORDS));
    let mut framer = Framer::new(Framing::Found);
    // Garbage, a pause, a telegram.
    assert!(all(&mut framer, &[0xAA, 0x00, 0x13], 1).is_empty());
    assert_eq!(all(&mut framer, &whole, 3).len(), 1);
    // In the middle of something it is not believed, where the framing was not said.
    assert!(all(&mut framer, &[&[0x00][..], &whole].concat(), 100).is_empty());
    let mut framer = Framer::new(Framing::Binary(Some(Format::Plain)));
    assert_eq!(all(&mut framer, &[&[0x00, 0xFF][..], &whole].concat(), 100).len(), 1);
    // Once CRCs were there, none is taken without; on another line it may be.
    let mut framer = Framer::new(Framing::Found);
    assert_eq!(all(&mut framer, &written(0, &telegram(1, RECORDS)), 100).len(), 1);
    assert!(all(&mut framer, &whole, 100).is_empty());
    framer.lost();
    assert_eq!(all(&mut framer, &whole, 100).len(), 1);
}

#[test]
fn a_damaged_telegram_is_none() {
    for kind in [0, 1, 3, 4, 5, 8] {
        let whole = written(kind, &telegram(1, RECORDS));
        for framing in [framing(kind), Framing::Found] {
            let mut framer = Framer::new(framing);
            // What the framing is, is known.
            assert_eq!(all(&mut framer, &whole, 100).len(), 1);
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x01;
                let found = all(&mut framer, &damaged, 100);
                // Of rtl_wmbus nothing is checked here but that it was; behind a stick's CRCs is only the strength.
                let unchecked = kind == 3 || (kind == 4 && at >= whole.len() - 6) || damaged[at] == b'\n';
                assert!(found.is_empty() || unchecked, "{kind} {framing:?} byte {at}");
            }
        }
    }
    let flagged = String::from_utf8(written(3, &telegram(1, RECORDS))).unwrap();
    for flags in ["T1;0;1", "T1;1;0"] {
        let mut framer = Framer::new(Framing::Lines);
        assert!(all(&mut framer, flagged.replace("T1;1;1", flags).as_bytes(), 100).is_empty());
    }
}

#[test]
fn a_module_counts_the_strength_of_the_signal_or_does_not() {
    let telegram = telegram(1, RECORDS);
    let frame = |counted: u8| {
        let mut bytes = vec![0xFF, 0x03];
        bytes.extend(&telegram.bytes);
        bytes[2] += counted;
        bytes.push(0xC8);
        bytes.push(crc::xor(&bytes));
        bytes
    };
    for (rssi, counted) in [(false, 0), (true, 1)] {
        let mut framer = Framer::new(Framing::Commands { rssi });
        let found = all(&mut framer, &frame(counted), 1);
        assert_eq!((&found[0].telegram.bytes, found[0].rssi_dbm), (&telegram.bytes, Some(-102)), "{counted}");
    }
    // An answer to a command is no telegram and no garbage.
    let mut framer = Framer::new(Framing::Commands { rssi: false });
    let mut answer = vec![0xFF, 0x84, 1, 0];
    answer.push(crc::xor(&answer));
    assert_eq!(all(&mut framer, &[answer, frame(0)].concat(), 100).len(), 1);
    assert_eq!(framer.garbage(), 0);
}

/// Noise that waits for as much as it can: it is given up in time, and what comes behind it is read.
#[test]
fn noise_is_given_up() {
    let noises = [
        vec![b'A'; 5_000],
        vec![0xFF; 5_000],
        [0xFF, 0x44].repeat(2_500),
        [0x30, 0x44, 0xFF, 0x03].repeat(1_250),
        [0xFF, 0x03, 0xFF].repeat(1_700),
    ];
    for noise in noises {
        for kind in [0, 1, 3, 8] {
            for framing in [framing(kind), Framing::Found] {
                let mut framer = Framer::new(framing);
                for part in noise.chunks(100) {
                    framer.push(0, part);
                    assert!(framer.buffer.len() <= CAPACITY / 2);
                }
                framer.tick(IDLE_NS);
                let found = all(&mut framer, &written(kind, &telegram(1, RECORDS)), 9);
                assert_eq!(found.len(), 1, "{kind} {framing:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..30),
        kind in 0..KINDS,
        found: bool,
    ) {
        let mut framer = Framer::new(if found { Framing::Found } else { framing(kind) });
        for (n, piece) in pieces.iter().enumerate() {
            framer.push(n as u64 * IDLE_NS / 3, piece);
            prop_assert!(framer.buffer.len() <= CAPACITY);
        }
        framer.tick(u64::MAX);
        prop_assert!(framer.buffer.is_empty());
    }

    #[test]
    fn pieces_do_not_matter(
        sizes in prop::collection::vec(0..120usize, 1..6),
        cuts in prop::collection::vec(1..60usize, 1..20),
        kind in 0..KINDS,
    ) {
        let telegrams: Vec<Telegram> =
            sizes.iter().enumerate().map(|(n, size)| telegram(n as u8, &vec![0x2F; *size])).collect();
        let stream: Vec<u8> = telegrams.iter().flat_map(|telegram| written(kind, telegram)).collect();
        let mut framer = Framer::new(framing(kind));
        let (mut found, mut rest) = (0, &stream[..]);
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            found += framer.push(0, now).len();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        found += framer.tick(IDLE_NS).len();
        prop_assert_eq!(found, telegrams.len());
    }
}
