// SPDX-License-Identifier: MIT OR Apache-2.0
//! A unit of Modbus that thinks for longer than is waited, however long: no register's value is taken for another's, and no
//! valve is said to be where another register says.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use gasd_meters::drive::{Device, Memory, ModbusValve, ProcedureSettings};
use gasd_meters::modbus::{Point, RegisterMap, Type};
use gasd_meters::poll::Settings;
use gasd_meters::{Kind, Unit, Value, Valve, crc};
use gasd_ports::bus::{Bus, Event, Pace, Spec, Step};

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const KEY: u64 = 1;

/// Three registers far from each other, each read by a request of its own that looks like the others but for its address,
/// and a valve in one more.
const POINTS: [(Kind, u16, u16); 3] =
    [(Kind::Volume, 100, 7), (Kind::VolumeBase, 300, 9), (Kind::Status, 600, 1)];
const VALVE: u16 = 40;

fn spec(every_ns: u64) -> Spec {
    let unit = |kind| if kind == Kind::Status { Unit::One } else { Unit::CubicMetre };
    let points = POINTS.map(|(kind, at, _)| {
        Point::new(kind, at, if kind == Kind::Status { Type::Bits } else { Type::U16 }, unit(kind))
    });
    let valve = ModbusValve::Register { address: VALVE, open: 0, closed: 1 };
    Spec {
        key: KEY,
        device: Device::Modbus { unit: 1, map: RegisterMap::new(points.into()), valve: Some(valve) },
        others: Vec::new(),
        every_ns,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

/// The unit: takes one request after the other, and each for as long.
struct Unit1 {
    thinks_ns: u64,
    free_ns: u64,
    valve: u16,
    writes: usize,
    due: Vec<(u64, Vec<u8>)>,
    /// When it was commanded, ns.
    written_ns: u64,
}

impl Unit1 {
    fn asked(&mut self, request: &[u8], now_ns: u64) {
        let at = u16::from_be_bytes([request[2], request[3]]);
        let mut answer = match request[1] {
            3 => {
                let known = POINTS.iter().find(|(_, register, _)| *register == at).map(|(.., value)| *value);
                let value = if at == VALVE { self.valve } else { known.expect("a register that there is") };
                vec![1, 3, 2, (value >> 8) as u8, value as u8]
            }
            6 => {
                self.writes += 1;
                self.written_ns = now_ns;
                self.valve = u16::from_be_bytes([request[4], request[5]]);
                request[..6].to_vec()
            }
            function => panic!("function {function}"),
        };
        answer.extend(crc::modbus(&answer).to_le_bytes());
        self.free_ns = self.free_ns.max(now_ns) + self.thinks_ns;
        self.due.push((self.free_ns, answer));
    }
}

/// Plays for a time; `order` is given after a minute. Returns what was told, and the unit.
fn play(every_ns: u64, thinks_ns: u64, order: Option<Valve>) -> (Vec<Event>, Unit1) {
    let mut now_ns = 100 * SECOND;
    let until_ns = now_ns + 300 * SECOND;
    let mut order_ns = order.map_or(u64::MAX, |_| now_ns + 60 * SECOND);
    let mut bus = Bus::new(Pace::new(9_600, 11), vec![spec(every_ns)], now_ns);
    let mut unit = Unit1 { thinks_ns, free_ns: 0, valve: 0, writes: 0, due: vec![], written_ns: 0 };
    let mut told = Vec::new();
    let mut steps = 0u64;
    while now_ns < until_ns {
        steps += 1;
        assert!(steps < 200_000, "{now_ns} {thinks_ns}");
        if let Some(to) = order.filter(|_| now_ns >= order_ns) {
            order_ns = u64::MAX;
            assert!(bus.move_valve(KEY, to, ProcedureSettings::default(), now_ns));
        }
        let next_ns = match bus.step(now_ns) {
            Step::Send(bytes) => {
                unit.asked(&bytes, now_ns);
                continue;
            }
            Step::Wait { until_ns } => until_ns.min(order_ns),
        };
        told.extend(bus.events());
        let due_ns = unit.due.first().map_or(u64::MAX, |(at_ns, _)| *at_ns);
        now_ns = next_ns.min(due_ns).max(now_ns + 1);
        if now_ns >= due_ns {
            bus.heard(now_ns, &unit.due.remove(0).1);
        }
    }
    (told, unit)
}

/// Whether a reading tells what the registers are; `None` for what is no reading.
fn is_right(event: &Event) -> Option<bool> {
    let Event::Read { reading, .. } = event else { return None };
    Some(POINTS.iter().all(|(kind, _, value)| match reading.get(*kind).map(|field| &field.value) {
        Some(Value::Bits(bits)) => *bits == u64::from(*value),
        Some(Value::Number(number)) => number.to_string() == format!("{value} m³"),
        _ => false,
    }))
}

#[test]
fn no_registers_value_is_taken_for_anothers() {
    let mut read = [0; 2];
    for every_s in [2, 15, 60] {
        for thinks_ms in (50..7_000).step_by(70) {
            let (told, _) = play(every_s * SECOND, thinks_ms * MS, None);
            for event in &told {
                let Some(right) = is_right(event) else { continue };
                assert!(right, "every {every_s} s, thinks {thinks_ms} ms: {event:?}");
                read[usize::from(thinks_ms > 1_000)] += 1;
            }
        }
    }
    assert!(read[0] > 1_000 && read[1] > 100, "{read:?}");
}

#[test]
fn a_valve_is_where_it_is_told_and_is_closed_once() {
    let mut worst_ns = 0;
    for thinks_ms in (50..4_000).step_by(70) {
        let (told, unit) = play(15 * SECOND, thinks_ms * MS, Some(Valve::Closed));
        let moved: Vec<&Event> = told
            .iter()
            .filter(|event| matches!(event, Event::Moved { .. } | Event::Commanded { .. }))
            .collect();
        assert_eq!((unit.valve, unit.writes), (1, 1), "thinks {thinks_ms} ms: {moved:?}");
        worst_ns = worst_ns.max(unit.written_ns - 160 * SECOND);
        for event in &told {
            match event {
                Event::Moved { result, .. } => {
                    assert!(*result == Ok(Valve::Closed) || thinks_ms > 1_000, "{thinks_ms} ms: {result:?}");
                }
                Event::Read { t_ns, reading, .. } => {
                    let closed = reading.valve == Some(Valve::Closed);
                    assert!(!closed || *t_ns > 160 * SECOND, "{thinks_ms} ms: closed before it was");
                }
                _ => {}
            }
        }
    }
    // Two readings that fail, of four requests each of which one was repeated; no answer that may still come is waited for.
    assert!(worst_ns < 21 * SECOND, "a closing waited for {} ms", worst_ns / MS);
}
