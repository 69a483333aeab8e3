// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modbus units, spoken to over a line that is played.

#[path = "common/line.rs"]
mod line;

use std::collections::BTreeMap;

use gasd_meters::drive::{Device, Memory, ModbusValve, NoValve, Unfit, volume_ul};
use gasd_meters::modbus::{Frame, MapError, Point, RegisterMap, Request, Type, decode_request};
use gasd_meters::{EncodeError, Error, Kind, Unit, Valve, crc};
use line::talk;

const COIL: ModbusValve = ModbusValve::Coil { address: 9, open: false };
const REGISTER: ModbusValve = ModbusValve::Register { address: 21, open: 0x55, closed: 0x99 };

fn map() -> RegisterMap {
    let points = vec![
        Point::new(Kind::Volume, 11, Type::U32, Unit::Litre),
        Point::new(Kind::Temperature, 201, Type::I16, Unit::Celsius),
    ];
    RegisterMap { first: 1, ..RegisterMap::new(points) }
}

fn device(valve: Option<ModbusValve>) -> Device {
    Device::Modbus { unit: 7, map: map(), valve }
}

/// A unit that is played: its registers and coils as on the wire.
struct Unit7 {
    registers: BTreeMap<u16, u16>,
    coils: BTreeMap<u16, bool>,
    /// Exceptions that come before anything else.
    exceptions: Vec<u8>,
    writes: usize,
}

impl Unit7 {
    fn new() -> Self {
        let registers = BTreeMap::from([(10, 1), (11, 2), (200, 21), (20, 0x55)]);
        Self { registers, coils: BTreeMap::from([(8, false)]), exceptions: vec![], writes: 0 }
    }

    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let request = Frame::parse(request).expect("a frame");
        if request.unit != 7 {
            return vec![];
        }
        if let Some(code) = self.exceptions.pop() {
            return frame(7, request.function | 0x80, &[code]);
        }
        match decode_request(&request, &mut ()).expect("a request") {
            Request::ReadHolding(at, n) => {
                let words: Option<Vec<u16>> =
                    (at..at + n).map(|at| self.registers.get(&at).copied()).collect();
                let Some(words) = words else { return frame(7, 0x83, &[2]) };
                let mut data = vec![2 * n as u8];
                data.extend(words.iter().flat_map(|word| word.to_be_bytes()));
                frame(7, 3, &data)
            }
            Request::ReadCoils(at, 1) => match self.coils.get(&at) {
                Some(&on) => frame(7, 1, &[1, u8::from(on)]),
                None => frame(7, 0x81, &[2]),
            },
            Request::WriteCoil(at, on) => {
                self.writes += 1;
                self.coils.insert(at, on);
                request.bytes.to_vec()
            }
            Request::WriteRegister(at, value) => {
                self.writes += 1;
                self.registers.insert(at, value);
                request.bytes.to_vec()
            }
            other => panic!("{other:?}"),
        }
    }
}

fn frame(unit: u8, function: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![unit, function];
    bytes.extend(data);
    bytes.extend(crc::modbus(&bytes).to_le_bytes());
    bytes
}

#[test]
fn a_map_is_read_and_its_totals_remembered() {
    let mut unit = Unit7::new();
    let (finished, asked) = talk(device(None).read(&Memory::default()), |request| unit.answer(request));
    // Nothing was known of the total, so it is read twice.
    assert_eq!((asked.len(), finished.oddities.is_clean()), (3, true));
    let reading = finished.result.unwrap();
    assert_eq!((reading.fields.len(), reading.valve, reading.meter.id.as_str()), (2, None, "7"));
    assert_eq!(volume_ul(&reading, None, None), Ok(65_538_000_000));
    let kept = Memory::from_bytes(&finished.memory.to_bytes()).unwrap();
    assert_eq!(kept, finished.memory.lasting());
    let (finished, asked) = talk(device(None).read(&finished.memory), |request| unit.answer(request));
    assert!(asked.len() == 2 && finished.result.is_ok());
    // The lowest register is not kept, and here as small as after a carry.
    let (finished, asked) = talk(device(None).read(&kept), |request| unit.answer(request));
    assert!(asked.len() == 3 && finished.result.is_ok());
    // The high part changes: once more.
    unit.registers.insert(10, 2);
    let (finished, asked) = talk(device(None).read(&finished.memory), |request| unit.answer(request));
    assert_eq!((asked.len(), finished.oddities.torn), (3, 1));
}

#[test]
fn a_valve_is_read_with_the_map_and_written_once() {
    for valve in [COIL, REGISTER] {
        let mut unit = Unit7::new();
        let device = device(Some(valve));
        for to in [Valve::Closed, Valve::Closed, Valve::Open] {
            let writes = unit.writes;
            let dialogue = device.valve(to, &Memory::default()).unwrap();
            let (finished, asked) = talk(dialogue, |request| unit.answer(request));
            assert_eq!((asked.len(), unit.writes), (1, writes + 1));
            assert_eq!(finished.result.unwrap().valve, Some(to));
            let (finished, _) = talk(device.read(&Memory::default()), |request| unit.answer(request));
            assert_eq!(finished.result.unwrap().valve, Some(to));
        }
    }
    let mut unit = Unit7::new();
    unit.registers.insert(20, 7);
    let (finished, _) = talk(device(Some(REGISTER)).read(&Memory::default()), |request| unit.answer(request));
    assert_eq!(finished.result.unwrap().valve, Some(Valve::Abnormal));
}

#[test]
fn a_unit_that_does_not_show_its_valve_is_read_all_the_same() {
    let mut unit = Unit7::new();
    unit.coils.clear();
    let (finished, _) = talk(device(Some(COIL)).read(&Memory::default()), |request| unit.answer(request));
    let reading = finished.result.unwrap();
    assert_eq!((reading.valve, reading.fields.len(), finished.oddities.valve), (None, 2, 1));
}

#[test]
fn a_unit_that_is_nothing_but_a_valve() {
    let only = Device::Modbus { unit: 7, map: RegisterMap::new(vec![]), valve: Some(COIL) };
    assert_eq!(only.check(), Ok(()));
    let mut unit = Unit7::new();
    unit.coils = BTreeMap::from([(9, true)]);
    let (finished, _) = talk(only.read(&Memory::default()), |request| unit.answer(request));
    let reading = finished.result.unwrap();
    assert_eq!((reading.valve, reading.meter.id.as_str()), (Some(Valve::Closed), "7"));
    let (look, asked) = talk(only.look(&Memory::default()), |request| unit.answer(request));
    assert!(asked.len() == 1 && look.result.is_ok());
    let (finished, _) = talk(only.read(&Memory::default()), |_| vec![]);
    assert_eq!(finished.result, Err(Error::Timeout));
}

#[test]
fn only_an_exception_that_asks_for_patience_is_asked_again() {
    for (exceptions, asked, good) in [(vec![6, 5], 5, true), (vec![6, 6, 6], 3, false), (vec![2], 1, false)] {
        let mut unit = Unit7 { exceptions, ..Unit7::new() };
        let (finished, all) = talk(device(None).read(&Memory::default()), |request| unit.answer(request));
        assert_eq!((all.len(), finished.result.is_ok()), (asked, good));
    }
    // But a command is not: one that was accepted may have been carried out.
    for (code, result) in [(5, Ok(None)), (6, Err(6)), (1, Err(1))] {
        let mut unit = Unit7 { exceptions: vec![code], ..Unit7::new() };
        let dialogue = device(Some(COIL)).valve(Valve::Closed, &Memory::default()).unwrap();
        let (finished, all) = talk(dialogue, |request| unit.answer(request));
        assert_eq!((all.len(), unit.writes), (1, 0));
        match (finished.result, result) {
            (Ok(reading), Ok(valve)) => assert_eq!(reading.valve, valve),
            (Err(Error::DeviceError { code, .. }), Err(want)) => assert_eq!(code, want),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_echo_that_is_not_the_commands_is_no_answer() {
    let mut unit = Unit7::new();
    let dialogue = device(Some(COIL)).valve(Valve::Closed, &Memory::default()).unwrap();
    let (finished, asked) = talk(dialogue, |request| {
        unit.answer(request);
        frame(7, 5, &[0, 8, 0, 0])
    });
    assert_eq!(asked.len(), 1);
    assert!(matches!(finished.result, Err(Error::AnswerMismatch { .. })));
}

#[test]
fn a_refusal_says_that_the_unit_is_there() {
    let (look, asked) = talk(device(None).look(&Memory::default()), |_| frame(7, 0x83, &[2]));
    assert_eq!(asked.len(), 1);
    assert!(matches!(look.result, Err(Error::DeviceError { code: 2, .. })));
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let with = |unit, map, valve| Device::Modbus { unit, map, valve };
    let empty = with(7, RegisterMap::new(vec![]), None);
    assert_eq!(empty.check(), Err(Unfit::Map(MapError::Empty)));
    assert_eq!(with(0, map(), None).check(), Err(Unfit::Encode(EncodeError::Wildcard)));
    assert_eq!(with(248, map(), None).check(), Err(Unfit::Encode(EncodeError::Address)));
    let below = ModbusValve::Coil { address: 0, open: true };
    assert!(with(7, map(), Some(below)).check().is_err());
    for device in [empty, with(248, map(), None), with(7, map(), Some(below))] {
        let (finished, asked) = talk(device.read(&Memory::default()), |_| vec![]);
        assert!(asked.is_empty() && matches!(finished.result, Err(Error::Unaskable(_))));
    }
    let valve = |unit, valve, to| with(unit, map(), valve).valve(to, &Memory::default()).map(drop);
    assert_eq!(valve(7, None, Valve::Closed), Err(NoValve::NotConfigured));
    assert_eq!(valve(0, Some(COIL), Valve::Closed), Err(NoValve::Wildcard));
    assert_eq!(valve(7, Some(COIL), Valve::Abnormal), Err(NoValve::Position));
    let same = ModbusValve::Register { address: 21, open: 1, closed: 1 };
    assert_eq!(valve(7, Some(same), Valve::Closed), Err(NoValve::NotConfigured));
}
