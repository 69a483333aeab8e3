// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers that come too late, on a line of meters that are alike: none is taken for another's.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use gasd_meters::drive::{Device, Memory};
use gasd_meters::poll::Settings;
use gasd_meters::{Error, cjt188, hex, mbus};
use gasd_ports::bus::{Bus, Counts, Event, Odd, Pace, Spec, Step};

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

fn meter(n: u8) -> Spec {
    let address = cjt188::Address([n, 0, 0, 0, 0, 0x78, 0x33]);
    Spec {
        key: n.into(),
        device: Device::Cjt188 { address, kind: 0x30, profile: cjt188::Profile::STANDARD },
        others: Vec::new(),
        every_ns: 600 * SECOND,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

/// What a meter with this address answers to a request. The order of the identifier and the sequence number are those of the
/// request: meters of one line are asked in step.
fn answer(request: &[u8], n: u8) -> Vec<u8> {
    let request = cjt188::find(request).unwrap();
    let mut bytes = vec![0x68, 0x30, n, 0, 0, 0, 0, 0x78, 0x33, 0x81, 0x16];
    bytes.extend(&request[11..14]);
    bytes.extend(hex::parse("003456122C003456122C310122110515202184").unwrap());
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    bytes.extend([sum, 0x16]);
    bytes
}

/// Asks until this meter's request goes out; returns it.
fn request_of(bus: &mut Bus, n: u8, now_ns: &mut u64) -> Vec<u8> {
    loop {
        match bus.step(*now_ns) {
            Step::Send(bytes) => {
                let request = cjt188::find(&bytes).unwrap();
                if cjt188::Frame::parse(request).unwrap().address.0[0] == n {
                    return bytes.to_vec();
                }
            }
            Step::Wait { until_ns } => *now_ns = until_ns.max(*now_ns + 1),
        }
    }
}

/// Whether meter 2 is read when this address answers it.
fn takes(n: u8) -> bool {
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(2_400, 11), vec![meter(1), meter(2)], now_ns);
    let request = request_of(&mut bus, 2, &mut now_ns);
    // It is sent, and its echo, if there is one, is over.
    now_ns += 300_000_000;
    let _ = bus.step(now_ns);
    let _ = bus.events().count();
    bus.heard(now_ns, &answer(&request, n));
    let until_ns = now_ns + 400_000_000;
    while now_ns < until_ns {
        now_ns += 20_000_000;
        let _ = bus.step(now_ns);
        if bus.events().any(|event| matches!(event, Event::Read { key: 2, .. })) {
            return true;
        }
    }
    false
}

#[test]
fn the_answer_of_another_meter_of_the_line_is_not_taken_for_this_ones() {
    assert!(!takes(1), "meter 1 is on this line, too, and was late");
    assert!(takes(2));
    assert!(takes(9), "nobody has this address: such meters are about");
}

/// What came of a line that was played.
#[derive(Debug)]
struct Played {
    errors: Vec<Error>,
    odd: Vec<(u64, Odd)>,
    read: usize,
    counts: Counts,
}

/// Plays a line for a time: what is said to each request, and how long after it began, ns.
fn play(specs: Vec<Spec>, for_ns: u64, mut said: impl FnMut(&[u8]) -> Vec<(u64, Vec<u8>)>) -> Played {
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(2_400, 11), specs, now_ns);
    let mut played = Played { errors: vec![], odd: vec![], read: 0, counts: Counts::default() };
    let mut due: Vec<(u64, Vec<u8>)> = Vec::new();
    let until_ns = now_ns + for_ns;
    while now_ns < until_ns {
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) => {
                due.extend(said(&bytes).into_iter().map(|(after_ns, bytes)| (now_ns + after_ns, bytes)));
                due.sort_by_key(|(at_ns, _)| *at_ns);
                continue;
            }
            Step::Wait { until_ns } => until_ns,
        };
        for event in bus.events() {
            match event {
                Event::Failed { error, .. } => played.errors.push(error),
                Event::Odd { key, odd, .. } => played.odd.push((key, odd)),
                Event::Read { .. } => played.read += 1,
                _ => {}
            }
        }
        now_ns = due.first().map_or(next_ns, |(at_ns, _)| next_ns.min(*at_ns)).max(now_ns + 1);
        if due.first().is_some_and(|(at_ns, _)| now_ns >= *at_ns) {
            bus.heard(now_ns, &due.remove(0).1);
        }
    }
    played.counts = bus.counts();
    played
}

/// A line of one M-Bus meter that acknowledges each reset so late, ns, and says nothing else.
fn acknowledges_after(late_ns: u64) -> Played {
    let target = mbus::Target::Primary(1);
    let spec = Spec { device: Device::Mbus { target, valve: None }, ..meter(1) };
    play(
        vec![spec],
        30 * SECOND,
        |request| {
            if request[1] == 0x40 { vec![(late_ns, vec![mbus::ACK])] } else { vec![] }
        },
    )
}

#[test]
fn an_acknowledgement_that_comes_too_late_is_no_noise() {
    let mut where_it_came = [false; 2];
    for late_ms in (100..4_000).step_by(50) {
        let Played { errors, counts, .. } = acknowledges_after(late_ms * MS);
        assert!(
            !errors.is_empty() && errors.iter().all(|error| *error == Error::Timeout),
            "{late_ms} ms: {errors:?}"
        );
        assert_eq!(counts.garbage, 0, "{late_ms} ms");
        where_it_came[usize::from(counts.others + counts.late > 0)] = true;
    }
    assert_eq!(where_it_came, [true; 2], "in time, and too late");
}

/// Bytes in parts of so many, one part each 10 ms.
fn in_parts(bytes: &[u8], size: usize, at_ns: u64) -> Vec<(u64, Vec<u8>)> {
    let at = |(n, part): (usize, &[u8])| (at_ns + 10 * MS * n as u64, part.to_vec());
    bytes.chunks(size).enumerate().map(at).collect()
}

#[test]
fn an_answer_that_comes_too_late_is_told_as_one_however_it_is_split() {
    // A second is waited, and a second of silence asked for before the request is repeated.
    for (late_ms, echo) in [(1_300, false), (1_700, false), (2_000, false), (1_400, true), (2_000, true)] {
        for size in [1, 2, 7, 100] {
            let played = play(vec![meter(1)], 20 * SECOND, |request| {
                let own = if echo { in_parts(request, size, 5 * MS) } else { vec![] };
                own.into_iter().chain(in_parts(&answer(request, 1), size, late_ms * MS)).collect()
            });
            let Played { odd, counts, .. } = &played;
            assert_eq!(
                (counts.garbage, counts.others, counts.answers),
                (0, 0, 0),
                "{late_ms} {size}: {counts:?}"
            );
            assert_eq!(counts.late, counts.requests, "{late_ms} {size}");
            assert_eq!(odd.len() as u64, counts.late, "{late_ms} {size}");
            assert!(
                odd.iter().all(|(key, odd)| *key == 1
                    && matches!(odd, Odd::Late { after_ns: Some(ns) } if *ns >= late_ms * MS && *ns < late_ms * MS + SECOND)),
                "{odd:?}"
            );
        }
    }
}

#[test]
fn the_late_answer_names_its_meter_though_another_was_asked_meanwhile() {
    // Meter 1 answers when meter 2 has been asked, and has answered.
    let played = play(vec![meter(1), meter(2)], 30 * SECOND, |request| {
        let n = cjt188::Frame::parse(cjt188::find(request).unwrap()).unwrap().address.0[0];
        vec![(if n == 1 { 2_700 * MS } else { 300 * MS }, answer(request, n))]
    });
    let Played { odd, counts, read, .. } = &played;
    assert!(*read > 0 && counts.late > 0 && counts.garbage == 0, "{played:?}");
    assert!(odd.iter().any(|(key, odd)| *key == 1 && matches!(odd, Odd::Late { .. })), "{played:?}");
    assert!(odd.iter().all(|(key, odd)| *key == 1 || !matches!(odd, Odd::Late { .. })), "{played:?}");
}

#[test]
fn what_is_no_frame_is_noise_and_nobody_is_late() {
    type Said = fn(&[u8]) -> Vec<u8>;
    let damaged = |request: &[u8]| {
        let mut answer = answer(request, 1);
        answer[20] ^= 0x40;
        answer
    };
    let noise = |_: &[u8]| vec![0x55; 700];
    let half = |request: &[u8]| answer(request, 1)[..20].to_vec();
    let kinds: [(&str, Said); 3] = [("damaged", damaged), ("noise", noise), ("half", half)];
    for (name, said) in kinds {
        let mut bytes = 0;
        let played = play(vec![meter(1)], 20 * SECOND, |request| {
            let said = said(request);
            bytes += said.len() as u64;
            in_parts(&said, 64, 1_300 * MS)
        });
        assert_eq!((played.counts.late, played.counts.others), (0, 0), "{name}");
        assert_eq!(played.counts.garbage, bytes, "{name}");
        assert_eq!(played.odd, [], "{name}");
    }
}

#[test]
fn a_second_answer_is_none_that_is_late_though_another_meter_is_silent() {
    let played = play(vec![meter(1), meter(2)], 30 * SECOND, |request| {
        let n = cjt188::Frame::parse(cjt188::find(request).unwrap()).unwrap().address.0[0];
        match n {
            1 => vec![],
            _ => vec![(300 * MS, answer(request, n)), (650 * MS, answer(request, n))],
        }
    });
    let Played { odd, counts, .. } = &played;
    assert_eq!((counts.garbage, counts.late, counts.others), (0, 0, counts.answers), "{played:?}");
    assert!(
        !odd.is_empty() && odd.iter().all(|(key, odd)| *key == 2 && matches!(odd, Odd::Twice { .. })),
        "{odd:?}"
    );
}

#[test]
fn the_requests_of_another_master_are_told_from_answers() {
    let target = cjt188::Target {
        kind: 0x30,
        address: cjt188::Address([7, 0, 0, 0, 0, 0x78, 0x33]),
        order: cjt188::Order::LowFirst,
    };
    let theirs =
        cjt188::encode(&target, &cjt188::Profile::STANDARD, 9, &cjt188::Request::Read(0x901F), 4).unwrap();
    let spec = Spec { every_ns: 10 * SECOND, ..meter(1) };
    let played = play(vec![spec], 100 * SECOND, |request| {
        vec![(300 * MS, answer(request, 1)), (3_000 * MS, theirs.clone()), (3_300 * MS, answer(&theirs, 7))]
    });
    let Played { odd, counts, .. } = &played;
    assert_eq!((counts.garbage, counts.late), (0, 0), "{played:?}");
    assert_eq!((counts.masters, counts.others), (counts.answers, counts.answers), "{played:?}");
    assert_eq!(*odd, []);
}

#[test]
fn a_frame_that_begins_before_a_request_is_out_and_ends_behind_it_is_no_noise() {
    // The echo of three answers in time tells that there is none. Then each answer comes while the next request goes out.
    for (late_ms, size) in [(2_120, 7), (2_140, 1), (2_160, 16)] {
        let mut n = 0;
        let spec = Spec { every_ns: 10 * SECOND, ..meter(1) };
        let played = play(vec![spec], 1_000 * SECOND, |request| {
            n += 1;
            let after_ns = if n <= 6 { 200 * MS } else { late_ms * MS };
            in_parts(&answer(request, 1), size, after_ns)
        });
        let Played { counts, errors, .. } = &played;
        assert!(counts.others > 0 && counts.late > 0, "{late_ms}: {counts:?}");
        assert_eq!((counts.garbage, counts.damaged, counts.collisions), (0, 0, 0), "{late_ms}: {counts:?}");
        assert!(errors.iter().all(|error| *error == Error::Timeout), "{late_ms}: {errors:?}");
    }
}

#[test]
fn a_request_that_finds_no_silence_is_counted_as_such_and_not_as_damaged() {
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(2_400, 11), vec![meter(1)], now_ns);
    let until_ns = now_ns + 60 * SECOND;
    while now_ns < until_ns {
        assert!(matches!(bus.step(now_ns), Step::Wait { .. }), "nobody talks into a babble");
        bus.heard(now_ns, &[0x55]);
        now_ns += 5 * MS;
    }
    let counts = bus.counts();
    assert!(counts.busy >= 3, "{counts:?}");
    assert_eq!((counts.requests, counts.damaged, counts.timeouts), (0, 0, 0), "{counts:?}");
}
