// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes in any pieces at any times on a line of two protocols: the same frames as in one piece
//! while no piece is late, each where it is said to be, and no more work than a few looks a byte.
#![no_main]

use arbitrary::Arbitrary;
use gasd_meters::scan::{CAPACITY, Found, Probe, Scanner};
use gasd_meters::{cjt188, dlt645};
use libfuzzer_sys::fuzz_target;

/// ns
const IDLE_NS: u64 = 1000;

#[derive(Debug, Arbitrary)]
struct Piece {
    bytes: Vec<u8>,
    /// Since the one before, ns.
    wait_ns: u16,
    tick: bool,
}

fn probe(bytes: &[u8]) -> Probe {
    dlt645::probe(bytes).or(cjt188::probe(bytes))
}

/// Offset and length of the frames, and how often a probe looked.
fn frames(all: &[u8], pieces: &[(u64, bool, &[u8])]) -> (Vec<(u64, usize)>, usize) {
    let (mut scanner, mut found, mut looks, mut now_ns) = (Scanner::new(IDLE_NS), vec![], 0, 0u64);
    let mut end = 0;
    let mut take = |f: Found<'_>| match f {
        Found::Frame { bytes, garbage, offset } => {
            let at = offset as usize;
            assert_eq!(bytes, &all[at..at + bytes.len()]);
            assert!(at >= end + garbage);
            end = at + bytes.len();
            found.push((offset, bytes.len()));
        }
        Found::Rejected { bytes, offset, .. } => {
            let at = offset as usize;
            assert_eq!(bytes, &all[at..at + bytes.len()]);
        }
    };
    for &(wait_ns, tick, bytes) in pieces {
        now_ns = now_ns.saturating_add(wait_ns);
        if tick {
            scanner.tick(now_ns, |b| (looks += 1, probe(b)).1, &mut take);
        }
        scanner.push(now_ns, bytes, |b| (looks += 1, probe(b)).1, &mut take);
        assert!(scanner.pending().len() <= CAPACITY);
        assert_eq!(scanner.due_ns().is_none(), scanner.pending().is_empty());
    }
    scanner.flush(|b| (looks += 1, probe(b)).1, &mut take);
    assert!(scanner.pending().is_empty());
    (found, looks)
}

fuzz_target!(|pieces: Vec<Piece>| {
    let all: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.clone()).collect();
    let in_time: Vec<_> = pieces.iter().map(|p| (0, false, &p.bytes[..])).collect();
    let late: Vec<_> = pieces.iter().map(|p| (u64::from(p.wait_ns), p.tick, &p.bytes[..])).collect();
    let whole = frames(&all, &[(0, false, &all)]);
    let (cut, looks) = frames(&all, &in_time);
    assert_eq!(cut, whole.0);
    // One look when it comes, up to three as a candidate grows.
    assert!(looks <= 4 * all.len(), "{looks} looks at {} bytes", all.len());
    frames(&all, &late);
});
