// SPDX-License-Identifier: MIT OR Apache-2.0
//! An order that a newer one takes the place of before its command is out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::truth::look;
use gasd_lab::{Habits, Line};
use gasd_meters::drive::{Device, Memory, ModbusValve, ProcedureSettings};
use gasd_meters::modbus::RegisterMap;
use gasd_meters::poll::Settings;
use gasd_meters::{Valve, crc};
use gasd_ports::bus::{Bus, Event, NotMoved, Pace, Spec, Step};
use house::{MS, SECOND, Wire, cjt188, mbus};

fn spec() -> Spec {
    let valve = ModbusValve::Register { address: 40, open: 0, closed: 1 };
    Spec {
        key: 1,
        device: Device::Modbus { unit: 1, map: RegisterMap::new(Vec::new()), valve: Some(valve) },
        others: Vec::new(),
        every_ns: 60 * SECOND,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

/// These orders, at these times after the first, while somebody sends without end from the moment the first one's valve was
/// read, for so long. Returns the commands that went out: when, after the first order, and where to.
fn ordered(orders: &[(u64, Valve)], at: u8, babble_ns: u64) -> Vec<(u64, Valve)> {
    let begin_ns = 110 * SECOND;
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(9_600, 11), vec![spec()], now_ns);
    let (mut due, mut valve): (Option<(u64, Vec<u8>)>, u8) = (None, at);
    let mut orders = orders.iter().map(|(after_ns, to)| (begin_ns + after_ns, *to)).peekable();
    let (mut noise, mut first) = (None::<(u64, u64)>, true);
    let mut writes = Vec::new();
    while now_ns < 250 * SECOND {
        if let Some((_, to)) = orders.next_if(|(at_ns, _)| *at_ns <= now_ns) {
            assert!(bus.move_valve(1, to, ProcedureSettings::default(), now_ns));
        }
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) => {
                let mut answer = match bytes[1] {
                    3 => vec![1, 3, 2, 0, valve],
                    6 => {
                        valve = bytes[5];
                        writes
                            .push((now_ns - begin_ns, if valve == 0 { Valve::Open } else { Valve::Closed }));
                        bytes[..6].to_vec()
                    }
                    function => panic!("function {function}"),
                };
                answer.extend(crc::modbus(&answer).to_le_bytes());
                due = Some((now_ns + 50 * MS, answer));
                continue;
            }
            Step::Wait { until_ns } => until_ns,
        };
        bus.events().for_each(drop);
        if let Some((noise_ns, end_ns)) = &mut noise
            && *noise_ns <= now_ns
            && now_ns < *end_ns
        {
            bus.heard(now_ns, &[0xAA]);
            *noise_ns = now_ns + MS;
        }
        let noise_ns = noise.filter(|(next, end)| next < end).map_or(u64::MAX, |(next, _)| next);
        let due_ns = due.as_ref().map_or(u64::MAX, |(at_ns, _)| *at_ns);
        let order_ns = orders.peek().map_or(u64::MAX, |(at_ns, _)| *at_ns);
        now_ns = next_ns.min(due_ns).min(noise_ns).min(order_ns).max(now_ns + 1);
        if let Some((_, answer)) = due.take_if(|(at_ns, _)| *at_ns <= now_ns) {
            bus.heard(now_ns, &answer);
            if now_ns >= begin_ns && std::mem::take(&mut first) {
                noise = Some((now_ns + MS / 2, now_ns + babble_ns));
            }
        }
    }
    writes
}

#[test]
fn an_opening_whose_command_is_not_out_is_not_sent_after_a_closing_was_ordered() {
    let writes = ordered(&[(0, Valve::Open), (300 * MS, Valve::Closed)], 1, 600 * MS);
    assert!(writes.iter().all(|(_, to)| *to == Valve::Closed), "{writes:?}");
}

#[test]
fn a_closing_waits_for_none_that_was_never_sent() {
    let orders = [(0, Valve::Closed), (300 * MS, Valve::Open), (400 * MS, Valve::Closed)];
    for babble in [600 * MS, 5 * SECOND, 10 * SECOND] {
        let writes = ordered(&orders, 0, babble);
        let first = writes.iter().find(|(_, to)| *to == Valve::Closed);
        assert!(first.is_some_and(|(at_ns, _)| *at_ns < babble + 4 * SECOND), "{babble}: {writes:?}");
    }
}

#[test]
fn an_opening_of_two_requests_is_not_sent_after_a_closing_was_ordered() {
    let mut wire = Wire::new(Line::new(2_400), vec![mbus(1, true, Habits::default())]);
    wire.run(wire.now_ns() + 20 * SECOND);
    let settings = ProcedureSettings::default();
    assert!(wire.bus.move_valve(1, Valve::Closed, settings, wire.now_ns()));
    wire.run(wire.now_ns() + 40 * SECOND);
    assert!(wire.bus.move_valve(1, Valve::Open, settings, wire.now_ns()));
    let mut is_commanded = false;
    while !is_commanded {
        let events = wire.run(wire.now_ns() + MS);
        is_commanded = events.iter().any(|event| matches!(event, Event::Commanded { to: Valve::Open, .. }));
    }
    // The meter is being selected for the command, and a leak is found.
    let closing_ns = wire.now_ns();
    assert!(wire.bus.move_valve(1, Valve::Closed, settings, closing_ns));
    wire.run(wire.now_ns() + 60 * SECOND);
    let opened: Vec<_> = look(&wire.meters[0].truth)
        .commands()
        .iter()
        .filter(|command| format!("{command:?}").contains("Open"))
        .map(|command| format!("{command:?}, closing ordered at {closing_ns}"))
        .collect();
    assert!(opened.is_empty(), "{opened:?}");
}

/// Whatever a talk is at when the closing is ordered: no opening goes out after it, and the valve is closed once.
#[test]
fn no_opening_goes_out_after_a_closing_whenever_that_is_ordered() {
    let settings = ProcedureSettings::default();
    // The longest request of these takes no longer than that.
    let on_its_way_ns = 150 * MS;
    let mut opened = 0;
    for after_ms in (0..2_000).step_by(40) {
        for meter in [
            cjt188(1, Habits::default()),
            mbus(1, false, Habits::default()),
            mbus(1, true, Habits::default()),
        ] {
            let mut wire = Wire::new(Line::new(2_400), vec![meter]);
            wire.run(wire.now_ns() + 20 * SECOND);
            assert!(wire.bus.move_valve(1, Valve::Closed, settings, wire.now_ns()));
            wire.run(wire.now_ns() + 40 * SECOND);
            assert!(wire.bus.move_valve(1, Valve::Open, settings, wire.now_ns()));
            wire.run(wire.now_ns() + after_ms * MS);
            let closing_ns = wire.now_ns();
            assert!(wire.bus.move_valve(1, Valve::Closed, settings, closing_ns));
            let events = wire.run(closing_ns + 60 * SECOND);
            let truth = look(&wire.meters[0].truth);
            let openings: Vec<_> =
                truth.commands().iter().filter(|command| command.to == Valve::Open).collect();
            assert!(openings.len() <= 1, "{after_ms} ms: {openings:?}");
            assert!(
                openings.iter().all(|command| command.at_ns < closing_ns + on_its_way_ns),
                "{after_ms} ms: {openings:?}, closing ordered at {closing_ns}"
            );
            opened += openings.len();
            assert_eq!(truth.valve(wire.now_ns()), Valve::Closed, "{after_ms} ms");
            let closed = truth.executed().filter(|(at_ns, to)| *to == Valve::Closed && *at_ns > closing_ns);
            assert!(closed.count() <= 1, "{after_ms} ms");
            let moved = events.iter().filter(|event| matches!(event, Event::Moved { .. }));
            assert_eq!(moved.count(), 1, "{after_ms} ms");
        }
    }
    assert!((20..120).contains(&opened), "some openings were overtaken, some not: {opened}");
}

/// What is kept of commands for after a crash is of those that went out, or are about to.
#[test]
fn a_command_that_was_told_and_is_not_sent_is_taken_back() {
    let mut wire = Wire::new(Line::new(2_400), vec![mbus(1, true, Habits::default())]);
    wire.run(wire.now_ns() + 20 * SECOND);
    // Orders after a pause, and what is told until a command is: then the meter is being selected for it.
    let mut told = |pause_ns, to| {
        wire.run(wire.now_ns() + pause_ns);
        assert!(wire.bus.move_valve(1, to, ProcedureSettings::default(), wire.now_ns()));
        let (mut told, until_ns) = (Vec::new(), wire.now_ns() + 5 * SECOND);
        while wire.now_ns() < until_ns && !matches!(told.last(), Some(Event::Commanded { .. })) {
            let is_told =
                |event: &Event| matches!(event, Event::Commanded { .. } | Event::NotCommanded { .. });
            told.extend(wire.run(wire.now_ns() + MS).into_iter().filter(is_told));
        }
        told
    };
    let commanded = |to| Event::Commanded { key: 1, to };
    let taken_back = |earlier| Event::NotCommanded { key: 1, earlier };
    assert_eq!(told(0, Valve::Closed), [commanded(Valve::Closed)]);
    // It is open already: nothing is commanded.
    assert_eq!(told(0, Valve::Open), [taken_back(None)]);
    assert_eq!(told(0, Valve::Closed), [commanded(Valve::Closed)]);
    // It goes out in that time, and is at work.
    assert_eq!(told(SECOND, Valve::Open), [commanded(Valve::Open)]);
    assert_eq!(told(0, Valve::Closed), [taken_back(Some(Valve::Closed))]);
}

/// It may be on another port now, where it is told to close.
#[test]
fn an_opening_of_a_meter_that_is_gone_ends_and_its_command_does_not_go_out() {
    let mut wire = Wire::new(Line::new(2_400), vec![mbus(1, true, Habits::default())]);
    wire.run(wire.now_ns() + 20 * SECOND);
    let settings = ProcedureSettings::default();
    assert!(wire.bus.move_valve(1, Valve::Closed, settings, wire.now_ns()));
    wire.run(wire.now_ns() + 40 * SECOND);
    assert!(wire.bus.move_valve(1, Valve::Open, settings, wire.now_ns()));
    while !wire
        .run(wire.now_ns() + MS)
        .iter()
        .any(|event| matches!(event, Event::Commanded { to: Valve::Open, .. }))
    {}
    // The meter is being selected for the command.
    wire.bus.set_meters(Vec::new(), wire.now_ns());
    let told = wire.run(wire.now_ns() + 60 * SECOND);
    let moved: Vec<_> = told.iter().filter(|event| matches!(event, Event::Moved { .. })).collect();
    let ended = Event::Moved { key: 1, to: Valve::Open, result: Err(NotMoved::NoLine), at_work: None };
    assert_eq!(moved, [&ended]);
    assert!(look(&wire.meters[0].truth).commands().iter().all(|command| command.to == Valve::Closed));
}
