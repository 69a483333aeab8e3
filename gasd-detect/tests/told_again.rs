// SPDX-License-Identifier: MIT OR Apache-2.0
//! A telling that was read and not acknowledged, as gasd ended in between, comes again: it is no flow, and confirms nothing.

mod common;

use common::{SECOND, register::*};
use gasd_detect::{Profile, Readings, ReadingsConfig, Severity, Taken, Verdict};

const MS: u64 = SECOND / 1_000;

fn telling(every_ns: u64) -> ReadingsConfig {
    ReadingsConfig { tells_late: true, ..config(L, every_ns, Profile::EuG4) }
}

/// What whoever takes readings in does with one that may have been read before.
fn read_again(front: &mut Readings, register_ul: u64, t_ns: u64) -> Vec<Verdict> {
    if front.has_shown(register_ul) { Vec::new() } else { read(front, register_ul, t_ns).1 }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    every_ns: u64,
    m3_per_h: f64,
    /// It comes again so long after it was read, ns.
    after_ns: u64,
    /// What is told next comes so long after that at the earliest, ns: the client waits for the acknowledgement.
    next_ns: u64,
    /// So many readings before the end are not in the state that was stored; `None`: what detects goes on.
    lost: Option<u64>,
    again: bool,
}

/// Readings of an idle meter, a use of a quarter of an hour six readings before the end, and what was said that is grave.
fn critical(c: Case) -> usize {
    let mut front = readings(telling(c.every_ns));
    let n = (6 * HOUR / c.every_ns).max(30);
    let begin_ns = SECOND + (n - 6) * c.every_ns;
    let register = |t_ns: u64| {
        let flowed_ns = t_ns.saturating_sub(begin_ns).min(900 * SECOND);
        100_000 * L + (flowed_ns as f64 / 1e9 * c.m3_per_h / 3.6) as u64 * L
    };
    let (mut saved, mut said) = (front.save(), Vec::new());
    for i in 0..=n {
        let t_ns = SECOND + i * c.every_ns;
        said.extend(read(&mut front, register(t_ns), t_ns).1);
        if c.lost == Some(n - i) {
            saved = front.save();
        }
    }
    let last_ns = SECOND + n * c.every_ns;
    if c.lost.is_some() {
        front = Readings::restore(*front.config(), &saved).expect("it was stored");
        front.set_civil_offset(CIVIL);
        // Its total was on the disk before it was answered.
        front.resume(register(last_ns), last_ns);
    }
    let again_ns = last_ns + c.after_ns;
    if c.again {
        said.extend(read_again(&mut front, register(last_ns), again_ns));
    }
    for i in 1..60 {
        let of_ns = last_ns + i * c.every_ns;
        let at_ns = of_ns.max(again_ns + i * c.next_ns);
        said.extend(read(&mut front, register(of_ns), at_ns).1);
    }
    said.iter().filter(|verdict| verdict.severity == Severity::Critical).count()
}

#[test]
fn a_telling_that_comes_again_is_no_flow() {
    let mut bad = Vec::new();
    for lost in [None, Some(0), Some(3), Some(20)] {
        for every_ns in [10, 30, 60, 300, 900].map(|s| s * SECOND) {
            for m3_per_h in [0.5, 1.5, 2.5] {
                // CoAP: T, 3 T, 7 T, 15 T and 31 T behind the first, with T between 2 and 3 s.
                for after_ns in [2, 6, 14, 29, 45, 59, 93].map(|s| s * SECOND) {
                    for next_ns in [200 * MS, SECOND, 3 * SECOND] {
                        let case = Case { every_ns, m3_per_h, after_ns, next_ns, lost, again: true };
                        let counts = (critical(Case { again: false, ..case }), critical(case));
                        if counts.1 > counts.0 {
                            bad.push((case, counts));
                        }
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}: {:#?}", bad.len(), bad.first());
}

/// A reading that nobody believes waits for one that says the same; the same telling once more is none.
#[test]
fn a_telling_that_comes_again_does_not_confirm_itself() {
    let mut waited = 0;
    for wrong in (1..60u64).map(|n| 101_000 + 500 * n) {
        let mut front = readings(telling(HOUR));
        for i in 0..50u64 {
            read(&mut front, (100_000 + 20 * i) * L, SECOND + i * HOUR);
        }
        let t_ns = SECOND + 50 * HOUR;
        if read(&mut front, wrong * L, t_ns).0 != Taken::Held {
            continue;
        }
        waited += 1;
        let mut front = Readings::restore(*front.config(), &front.save()).expect("it was stored");
        assert_eq!(read_again(&mut front, wrong * L, t_ns + 14 * SECOND), [], "{wrong}");
        let before = *front.counts();
        // One that is right says what it was.
        let (_, said) = read(&mut front, 101_020 * L, t_ns + HOUR);
        assert!(!said.iter().any(|verdict| verdict.severity == Severity::Critical), "{wrong}: {said:?}");
        assert_eq!(front.counts().misread, before.misread + 1, "{wrong}");
    }
    assert!(waited > 0);
}

#[test]
fn what_was_told_and_never_read_is_a_reading() {
    let mut front = readings(telling(HOUR));
    assert!(!front.has_shown(0), "nothing was read");
    read(&mut front, 100_000 * L, SECOND);
    assert!(front.has_shown(100_000 * L));
    assert!(!front.has_shown(100_001 * L));
    front.exchanged();
    assert!(!front.has_shown(100_000 * L), "the new register may begin there");
}
