// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters that think longer than their protocol has it are found, told to be slow, and never taken for somebody else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::{Habits, Line, Meter};
use gasd_meters::Valve;
use gasd_meters::detect::Protocol;
use gasd_meters::drive::ProcedureSettings;
use gasd_meters::drive::scan::{Bounds, Search};
use gasd_ports::bus::{Event, Searched};
use house::{MINUTE, MS, One, SECOND, START, Wire};

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    /// Addresses, and the words of what has none.
    who: Vec<String>,
    /// How slow each was at the most, ms.
    slow: Vec<(String, u64)>,
    marked: usize,
}

fn thinks(ms: u64, n: u64) -> Habits {
    Habits { seed: n, think_ns: (ms * MS, ms * MS), ..Habits::default() }
}

/// A meter of the protocol, and its address as it is found.
fn meter(protocol: Protocol, key: u64, ms: u64) -> (Box<dyn Meter>, One) {
    let habits = thinks(ms, key);
    match protocol {
        Protocol::Cjt188 => house::cjt188(key, habits),
        Protocol::Dlt645 => house::dlt645(key, habits),
        Protocol::Mbus => house::mbus(key, false, habits),
        Protocol::Modbus => house::modbus(key, habits),
        Protocol::Hart => house::hart(key, habits),
    }
}

fn search(protocol: Protocol, meters: &[(u64, u64)], bounds: &Bounds) -> Found {
    let mut wire = Wire::new(Line::new(2_400), Vec::new());
    let simulated = meters.iter().map(|(key, ms)| meter(protocol, *key, *ms).0).collect();
    wire.lab = gasd_lab::Bus::new(Line::new(2_400), simulated);
    wire.bus.search(Search::new(&[protocol], bounds));
    let mut found = Found::default();
    for half in 1..120 {
        wire.run(START + half * MINUTE / 2);
        for searched in wire.bus.searched() {
            match searched {
                Searched::Found(meter) => {
                    found.marked += usize::from(meter.words.contains("it is slow"));
                    found.who.push(meter.address.unwrap_or(meter.words));
                }
                Searched::Slow { address, ns, .. } => {
                    let address = address.unwrap();
                    found.slow.retain(|(other, _)| *other != address);
                    found.slow.push((address, ns / MS));
                }
                Searched::Asking(_) => {}
                Searched::Done => {
                    found.who.sort();
                    found.slow.sort();
                    return found;
                }
            }
        }
    }
    panic!("a search without an end: {found:?}");
}

fn address(protocol: Protocol, key: u64) -> String {
    match protocol {
        Protocol::Cjt188 => format!("337800001234{key:02}"),
        _ => format!("1234567890{key:02}"),
    }
}

/// What a meter that thinks so long is said to take, ms.
fn is_about(told: u64, ms: u64) -> bool {
    (ms.saturating_sub(10)..ms + 100).contains(&told)
}

#[test]
fn slow_meters_that_a_wildcard_asks_are_found_and_told_to_be_slow() {
    for (protocol, usual_ms) in [(Protocol::Cjt188, 1_000), (Protocol::Dlt645, 600)] {
        for ms in [400, 550, 700, 900, 1_000, 1_100, 1_300, 1_600, 1_900, 2_050, 2_200, 2_500] {
            let found = search(protocol, &[(1, ms)], &Bounds::default());
            assert_eq!(found.who, [address(protocol, 1)], "{protocol}, {ms}: {found:?}");
            let slow = ms * 10 > usual_ms * 8;
            assert_eq!(
                (found.slow.len(), found.marked),
                (usize::from(slow), usize::from(slow)),
                "{ms}: {found:?}"
            );
            assert!(found.slow.iter().all(|(_, told)| is_about(*told, ms)), "{ms}: {found:?}");
        }
    }
}

#[test]
fn two_meters_of_which_one_or_both_are_slow_are_both_found() {
    for protocol in [Protocol::Cjt188, Protocol::Dlt645] {
        for (one, other) in
            [(400, 1_100), (400, 2_500), (900, 1_600), (1_100, 1_900), (1_300, 2_050), (2_200, 2_500)]
        {
            let found = search(protocol, &[(1, one), (2, other)], &Bounds::default());
            let both = [address(protocol, 1), address(protocol, 2)];
            assert_eq!(found.who, both, "{protocol}, {one}, {other}: {found:?}");
            assert!(
                found.slow.iter().any(|(who, told)| *who == both[1] && is_about(*told, other)),
                "{found:?}"
            );
        }
    }
}

#[test]
fn slow_meters_that_answer_at_once_are_found_by_parts_of_their_addresses() {
    let found = search(Protocol::Dlt645, &[(1, 1_500), (2, 1_500)], &Bounds::default());
    assert_eq!(found.who, [1, 2].map(|key| address(Protocol::Dlt645, key)), "{found:?}");
}

#[test]
fn a_late_answer_finds_its_meter_or_nobody_and_no_ghost_at_another_address() {
    let bounds =
        Bounds { mbus_primary: 1..=7, mbus_secondary: None, modbus: 1..=7, hart: 1..=7, ..Bounds::default() };
    for (protocol, found_ms) in [(Protocol::Mbus, 700), (Protocol::Modbus, 1_900), (Protocol::Hart, 750)] {
        for ms in (100..4_500).step_by(100) {
            let found = search(protocol, &[(3, ms)], &bounds);
            assert!(found.who.is_empty() || found.who == ["3"], "{protocol}, {ms}: {found:?}");
            assert!(ms > found_ms || found.who == ["3"], "{protocol}, {ms}: {found:?}");
        }
        let patient = Bounds { answer_ns: 5 * SECOND, ..bounds.clone() };
        let found = search(protocol, &[(3, 4_500)], &patient);
        assert_eq!((found.who.len(), found.marked), (1, 1), "{protocol}: {found:?}");
    }
}

#[test]
fn a_valve_does_not_wait_until_a_search_has_listened_for_slow_meters() {
    // How long it takes that a valve has moved, ms, where a search began so long before; `None`: none is under way.
    let moves = |search_ms: Option<u64>| {
        let mut wire = Wire::new(Line::new(2_400), vec![house::mbus(2, false, thinks(50, 2))]);
        let mut now_ns = START + 20 * SECOND;
        wire.run(now_ns);
        if let Some(ms) = search_ms {
            wire.bus.search(Search::new(&[Protocol::Cjt188], &Bounds::default()));
            now_ns += ms * MS;
            wire.run(now_ns);
        }
        assert!(wire.bus.move_valve(2, Valve::Closed, ProcedureSettings::default(), now_ns));
        (1..2_000)
            .map(|n| n * 20)
            .find(|ms| {
                let events = wire.run(now_ns + ms * MS);
                events.iter().any(|event| matches!(event, Event::Moved { result: Ok(Valve::Closed), .. }))
            })
            .unwrap()
    };
    let alone = moves(None);
    for ms in (100..7_000).step_by(300) {
        // A question, its listening as of any talk, and as long a silence.
        let beside = moves(Some(ms));
        assert!(beside <= alone + 1_700, "{ms}: {beside} ms, and {alone} ms alone");
    }
}
