// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scanner with a small protocol of its own: `68 L data.. sum`, FE before it.

use gasd_meters::scan::{CAPACITY, Found, Probe, Scanner, first};
use gasd_meters::{Error, crc};
use proptest::prelude::*;

const IDLE_NS: u64 = 1_000;

fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [0xFE, ..] => Probe::Wake,
        [0x68] => Probe::Need(2),
        [0x68, len, ..] => {
            let len = usize::from(*len) + 3;
            match bytes.get(..len).and_then(<[u8]>::split_last) {
                None => Probe::Need(len),
                Some((&got, head)) if got == crc::sum(head) => Probe::Frame(len),
                Some((&got, head)) => {
                    let (got, want) = (got.into(), crc::sum(head).into());
                    Probe::Bad { len, error: Error::Checksum { got, want } }
                }
            }
        }
        _ => Probe::No,
    }
}

fn frame(data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x68, data.len() as u8];
    frame.extend(data);
    frame.push(crc::sum(&frame));
    frame
}

/// Frames, garbage before each and offset.
fn frames(scanner: &mut Scanner, now_ns: u64, bytes: &[u8]) -> Vec<(Vec<u8>, usize, u64)> {
    let mut all = vec![];
    scanner.push(now_ns, bytes, probe, |found| {
        if let Found::Frame { bytes, garbage, offset } = found {
            all.push((bytes.to_vec(), garbage, offset));
        }
    });
    all
}

#[test]
fn wake_up_bytes_are_no_garbage() {
    let wanted = frame(b"gas");
    let bytes = [&[0xFE, 0xFE, 0x00, 0xFE][..], &wanted].concat();
    let mut scanner = Scanner::new(IDLE_NS);
    assert_eq!(frames(&mut scanner, 0, &bytes), [(wanted.clone(), 1, 4)]);
    assert_eq!(first(&bytes, probe), Ok((4, wanted.len())));
    assert_eq!((scanner.garbage(), scanner.due_ns()), (0, None));
}

#[test]
fn a_false_header_hides_no_frame() {
    // It claims 201 bytes that never come.
    let wanted = frame(b"gas");
    let bytes = [&[0x68, 201][..], &wanted].concat();
    let mut scanner = Scanner::new(IDLE_NS);
    assert_eq!(frames(&mut scanner, 5, &bytes), []);
    assert_eq!((scanner.due_ns(), scanner.pending().len()), (Some(5 + IDLE_NS), bytes.len()));
    let mut found = vec![];
    scanner.tick(4 + IDLE_NS, probe, |_| panic!("before its time"));
    scanner.tick(5 + IDLE_NS, probe, |f| found.push(format!("{f:?}")));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("Frame") && found[0].ends_with("garbage: 2, offset: 2 }"), "{found:?}");
    assert_eq!(scanner.due_ns(), None);
    // As soon as others fill the length that it claims, nobody waits.
    let mut scanner = Scanner::new(IDLE_NS);
    let many = [&bytes[..], &wanted.repeat(40)].concat();
    assert_eq!(frames(&mut scanner, 0, &many).len(), 41);
}

#[test]
fn half_a_frame_is_given_up_when_the_next_comes_late() {
    let wanted = frame(b"gas");
    let mut scanner = Scanner::new(IDLE_NS);
    assert_eq!(frames(&mut scanner, 0, &wanted[..3]), []);
    assert_eq!(frames(&mut scanner, IDLE_NS, &wanted), [(wanted.clone(), 3, 3)]);
    // In time it is one frame.
    assert_eq!(frames(&mut scanner, 2 * IDLE_NS, &wanted[..3]), []);
    assert_eq!(frames(&mut scanner, 3 * IDLE_NS - 1, &wanted[3..]).len(), 1);
}

#[test]
fn what_is_no_frame_says_why() {
    let mut bad = frame(b"gas");
    bad[2] ^= 1;
    assert!(matches!(first(&bad, probe), Err(Error::Checksum { .. })));
    assert_eq!(first(&frame(b"gas")[..4], probe), Err(Error::Truncated { need: 2 }));
    assert_eq!(first(&[1, 2, 0xFE], probe), Err(Error::NoFrame { garbage: 2 }));
    assert_eq!(first(&[], probe), Err(Error::NoFrame { garbage: 0 }));
    let mut rejected = vec![];
    Scanner::new(IDLE_NS).push(0, &bad, probe, |found| match found {
        Found::Rejected { bytes, error, offset } => rejected.push((bytes.to_vec(), error.kind(), offset)),
        Found::Frame { .. } => panic!("{found:?}"),
    });
    assert_eq!(rejected, [(bad, "checksum", 0)]);
}

#[test]
fn a_probe_that_asks_for_nonsense_stops_nothing() {
    for nonsense in [Probe::Need(0), Probe::Need(usize::MAX), Probe::Frame(0), Probe::Frame(9)] {
        let mut scanner = Scanner::new(IDLE_NS);
        scanner.push(0, &[1, 2, 3], |_| nonsense, |found| panic!("{found:?}"));
        assert_eq!((scanner.garbage(), scanner.pending()), (3, &[][..]), "{nonsense:?}");
        assert!(first(&[1, 2, 3], |_| nonsense).is_err());
    }
}

#[test]
fn two_protocols_share_a_line() {
    use Probe::{Frame, Need, No, Wake};
    assert_eq!(Need(9).or(Frame(4)), Frame(4));
    assert_eq!(Need(9).or(Need(4)), Need(4));
    assert_eq!(No.or(Need(4)), Need(4));
    assert_eq!(No.or(Wake), Wake);
    assert_eq!(No.or(No), No);
}

/// Noise of headers only: no byte is looked at more often than a frame is long.
#[test]
fn the_work_for_a_byte_is_bounded() {
    for (noise, n) in [(vec![0x68; 20_000], 20_000), ([0x68, 0xFF].repeat(10_000), 20_000)] {
        for chunk in [1, 7, 512, n] {
            let (mut calls, mut scanner) = (0, Scanner::new(IDLE_NS));
            for bytes in noise.chunks(chunk) {
                scanner.push(0, bytes, |b| (calls += 1, probe(b)).1, |_| ());
            }
            scanner.flush(|b| (calls += 1, probe(b)).1, |_| ());
            assert!(calls <= 3 * n, "{calls} calls for {n} bytes in chunks of {chunk}");
        }
    }
}

proptest! {
    /// However the bytes are cut, the same frames are found, and every byte is accounted for.
    #[test]
    fn cuts_do_not_matter(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..20),
                proptest::collection::vec(any::<u8>(), 0..200).prop_map(|data| frame(&data)),
                Just(vec![0x68; 5]),
            ],
            0..12,
        ),
        chunk in 1..700usize,
    ) {
        let bytes = parts.concat();
        let all = |chunk: usize| {
            let (mut scanner, mut out, mut in_frames, mut wake) = (Scanner::new(IDLE_NS), vec![], 0, 0);
            let mut take = |found: Found<'_>| if let Found::Frame { bytes, offset, .. } = found {
                in_frames += bytes.len();
                out.push((bytes.to_vec(), offset));
            };
            for chunk in bytes.chunks(chunk) {
                scanner.push(0, chunk, |b| { let p = probe(b); wake += usize::from(p == Probe::Wake); p }, &mut take);
                assert!(scanner.pending().len() <= CAPACITY);
            }
            scanner.flush(|b| { let p = probe(b); wake += usize::from(p == Probe::Wake); p }, &mut take);
            assert!(scanner.pending().is_empty());
            (out, in_frames, wake)
        };
        let (whole, in_frames, wake) = all(bytes.len().max(1));
        prop_assert_eq!(&all(chunk).0, &whole);
        prop_assert!(in_frames + wake <= bytes.len());
        for (frame, offset) in &whole {
            prop_assert_eq!(&bytes[*offset as usize..][..frame.len()], &frame[..]);
        }
    }

    #[test]
    fn clean_frames_are_all_found(data in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..8)) {
        let sent: Vec<_> = data.iter().map(|data| frame(data)).collect();
        let found = frames(&mut Scanner::new(IDLE_NS), 0, &sent.concat());
        prop_assert!(found.iter().all(|(_, garbage, _)| *garbage == 0));
        prop_assert_eq!(found.into_iter().map(|f| f.0).collect::<Vec<_>>(), sent);
    }
}
