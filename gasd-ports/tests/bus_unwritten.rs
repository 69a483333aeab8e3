// SPDX-License-Identifier: MIT OR Apache-2.0
//! A command that the line did not take: a serial server was restarted, an adapter was pulled.
#![allow(clippy::unwrap_used, reason = "test code")]

use gasd_meters::drive::{Device, Earlier, Memory, ModbusValve, ProcedureSettings};
use gasd_meters::modbus::RegisterMap;
use gasd_meters::poll::Settings;
use gasd_meters::{Valve, crc};
use gasd_ports::bus::{Bus, Event, NotMoved, Pace, Spec, Step};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const BEGIN_NS: u64 = 110 * SECOND;

fn spec(earlier: Option<Earlier>) -> Spec {
    let valve = ModbusValve::Register { address: 40, open: 0, closed: 1 };
    Spec {
        key: 1,
        device: Device::Modbus { unit: 1, map: RegisterMap::new(Vec::new()), valve: Some(valve) },
        others: Vec::new(),
        every_ns: 60 * SECOND,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier,
    }
}

/// A closing is ordered, the line is lost as its command is to be written, and it is ordered once more a second later, as
/// a valve's thread does. Returns what was told, and how long after the first the second command went out, ms.
fn close(earlier: Option<Earlier>, written: bool) -> (Vec<Event>, u64) {
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(9_600, 11), vec![spec(earlier)], now_ns);
    let order = |bus: &mut Bus, now_ns| {
        assert!(bus.move_valve(1, Valve::Closed, ProcedureSettings::default(), now_ns));
    };
    let (mut due, mut order_ns, mut failed) = (None::<(u64, Vec<u8>)>, BEGIN_NS, None);
    let mut told = Vec::new();
    while now_ns < 200 * SECOND {
        if now_ns >= order_ns {
            order_ns = u64::MAX;
            order(&mut bus, now_ns);
        }
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) if bytes[1] == 6 => match failed {
                Some(failed_ns) => return (told, (now_ns - failed_ns) / MS),
                None => {
                    failed = Some(now_ns);
                    if !written {
                        bus.not_written(now_ns);
                    }
                    bus.lost(now_ns);
                    bus.drop_orders(now_ns);
                    order_ns = now_ns + SECOND;
                    continue;
                }
            },
            Step::Send(bytes) => {
                let mut answer = vec![1, 3, 2, 0, 0];
                assert_eq!(bytes[1], 3, "{bytes:?}");
                answer.extend(crc::modbus(&answer).to_le_bytes());
                due = Some((now_ns + 50 * MS, answer));
                continue;
            }
            Step::Wait { until_ns } => until_ns,
        };
        told.extend(bus.events());
        let due_ns = due.as_ref().map_or(u64::MAX, |(at, _)| *at);
        now_ns = next_ns.min(due_ns).min(order_ns).max(now_ns + 1);
        if let Some((_, answer)) = due.take_if(|(at, _)| *at <= now_ns) {
            bus.heard(now_ns, &answer);
        }
    }
    panic!("it was never closed: {told:?}");
}

/// Which command was told to be at work still when another one did not go out.
fn not_commanded(told: &[Event]) -> Vec<Option<Valve>> {
    let is = |event: &Event| match event {
        Event::NotCommanded { earlier, .. } => Some(*earlier),
        _ => None,
    };
    told.iter().filter_map(is).collect()
}

/// How the first order ended, and what was told to be at work then.
fn ended(told: &[Event]) -> Option<(&NotMoved, Option<Valve>)> {
    told.iter().find_map(|event| match event {
        Event::Moved { result: Err(why), at_work, .. } => Some((why, *at_work)),
        _ => None,
    })
}

#[test]
fn a_closing_waits_for_none_that_the_line_did_not_take() {
    let (told, took_ms) = close(None, false);
    assert!(took_ms < 5_000, "{took_ms} ms");
    assert_eq!(ended(&told), Some((&NotMoved::NoLine, None)));
    assert_eq!(not_commanded(&told), [None], "{told:?}");
}

#[test]
fn a_closing_waits_for_one_that_was_written_and_may_have_been_heard() {
    let (told, took_ms) = close(None, true);
    assert!((29_000..32_000).contains(&took_ms), "{took_ms} ms");
    assert_eq!(ended(&told), Some((&NotMoved::LineLost, Some(Valve::Closed))));
    assert_eq!(not_commanded(&told), []);
}

#[test]
fn what_was_at_work_before_a_command_that_was_not_written_is_so_still() {
    let opening = Earlier { to: Valve::Open, until_ns: BEGIN_NS + 20 * SECOND };
    let (told, took_ms) = close(Some(opening), false);
    assert!(took_ms < 5_000, "{took_ms} ms");
    assert_eq!(not_commanded(&told), [Some(Valve::Open)], "{told:?}");
    assert_eq!(ended(&told), Some((&NotMoved::NoLine, Some(Valve::Open))));
}

#[test]
fn a_meter_whose_line_was_lost_while_it_was_read_is_read_when_that_is_back() {
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(9_600, 11), vec![spec(None)], now_ns);
    let mut asked_ns = |bus: &mut Bus| loop {
        match bus.step(now_ns) {
            Step::Send(_) => return now_ns,
            Step::Wait { until_ns } => now_ns = until_ns.max(now_ns + 1),
        }
    };
    let first_ns = asked_ns(&mut bus);
    bus.lost(first_ns);
    let again_ns = asked_ns(&mut bus);
    assert!(again_ns - first_ns < 5 * SECOND, "{} ms", (again_ns - first_ns) / MS);
}
