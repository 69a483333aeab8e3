// SPDX-License-Identifier: MIT OR Apache-2.0
//! A unit of Modbus that is several meters, like a module that counts the pulses of many: each has its own registers, and
//! however slow the unit is, no meter is given another one's.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use gasd_meters::drive::{Device, Memory, ModbusValve, ProcedureSettings};
use gasd_meters::modbus::{Point, RegisterMap, Type};
use gasd_meters::poll::Settings;
use gasd_meters::{Kind, Unit, Value, Valve, crc};
use gasd_ports::bus::{Bus, Event, Pace, Spec, Step};

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const UNIT: u8 = 7;

/// Each meter's total is at a hundred times its number, and its valve beside that.
fn spec(key: u64) -> Spec {
    let at = key as u16 * 100;
    let point = Point::new(Kind::Volume, at, Type::U16, Unit::CubicMetre);
    let valve = ModbusValve::Register { address: at + 50, open: 0, closed: 1 };
    Spec {
        key,
        device: Device::Modbus { unit: UNIT, map: RegisterMap::new(vec![point]), valve: Some(valve) },
        others: Vec::new(),
        every_ns: 10 * SECOND,
        breaker: Settings::default(),
        most_ul_per_h: 12_000_000_000,
        memory: Memory::default(),
        earlier: None,
    }
}

/// Plays five minutes in which the second meter's valve is closed; how often each was read, and the registers written.
fn play(thinks_ms: &[u64], twice: bool) -> ([usize; 3], Vec<u16>) {
    let mut now_ns = 100 * SECOND;
    let mut bus = Bus::new(Pace::new(9_600, 11), (1..=3).map(spec).collect(), now_ns);
    let (mut due, mut free_ns, mut asked): (Vec<(u64, Vec<u8>)>, _, _) = (Vec::new(), 0, 0);
    let (mut valves, mut written, mut read) = ([0_u16; 3], Vec::new(), [0; 3]);
    let mut order_ns = 160 * SECOND;
    while now_ns < 400 * SECOND {
        if now_ns >= order_ns {
            order_ns = u64::MAX;
            assert!(bus.move_valve(2, Valve::Closed, ProcedureSettings::default(), now_ns));
        }
        let until_ns = match bus.step(now_ns) {
            Step::Send(request) => {
                let at = u16::from_be_bytes([request[2], request[3]]);
                let valve = (at % 100 == 50).then(|| usize::from(at / 100 - 1));
                let mut answer = if request[1] == 6 {
                    written.push(at);
                    valves[valve.unwrap()] = u16::from_be_bytes([request[4], request[5]]);
                    request[..6].to_vec()
                } else {
                    let value = valve.map_or(at, |valve| valves[valve]);
                    vec![UNIT, 3, 2, (value >> 8) as u8, value as u8]
                };
                answer.extend(crc::modbus(&answer).to_le_bytes());
                free_ns = now_ns.max(free_ns) + thinks_ms[asked % thinks_ms.len()] * MS;
                asked += 1;
                due.push((free_ns, answer.clone()));
                if twice {
                    due.push((free_ns + 30 * MS, answer));
                }
                due.sort();
                continue;
            }
            Step::Wait { until_ns } => until_ns.min(order_ns),
        };
        for event in bus.events() {
            let Event::Read { key, reading, .. } = event else { continue };
            read[key as usize - 1] += 1;
            let total = match reading.get(Kind::Volume).map(|field| &field.value) {
                Some(Value::Number(number)) => number.to_string(),
                other => panic!("{other:?}"),
            };
            assert_eq!(total, format!("{} m³", key * 100), "{thinks_ms:?} {twice}, {} ms", now_ns / MS);
            if key != 2 {
                assert!(reading.valve.is_none_or(|valve| valve == Valve::Open), "{key}: {:?}", reading.valve);
            }
        }
        let next_ns = due.first().map_or(u64::MAX, |(at_ns, _)| *at_ns);
        now_ns = until_ns.min(next_ns).max(now_ns + 1);
        if now_ns >= next_ns {
            bus.heard(now_ns, &due.remove(0).1);
        }
    }
    (read, written)
}

#[test]
fn no_meter_of_a_unit_is_given_another_ones_register() {
    for (thinks_ms, twice, least) in [
        (&[50][..], false, 25),
        (&[50], true, 8),
        (&[50, 50, 3_000, 50, 1_200, 50, 50, 4_500, 50], false, 3),
        (&[50, 50, 3_000, 50, 1_200, 50, 50, 4_500, 50], true, 1),
    ] {
        let (read, written) = play(thinks_ms, twice);
        assert!(read.iter().all(|times| *times >= least), "{thinks_ms:?} {twice}: {read:?}");
        assert_eq!(written, [250], "{thinks_ms:?} {twice}");
    }
}
