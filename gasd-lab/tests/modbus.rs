// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated Modbus units, asked and read by gasd-meters.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{MS, SECOND, exchange, patience, truth};
use gasd_lab::modbus::{Corrector, Quirks, Settings};
use gasd_lab::truth::{Motor, look};
use gasd_lab::{Bus, Habits, Line, Register, Shared, Truth};
use gasd_meters::modbus::{
    Answer, Frame, Memory, Order, Readout, Request, Space, Step, Type, check_answer, decode_answer, encode,
    probe_answer,
};
use gasd_meters::poll::Echo;
use gasd_meters::{Error, Kind, Reading};

const LINE: Line = Line::new(9600);

fn bus(settings: &[Settings], habits: &Habits, truth: impl Fn(u64) -> Shared) -> (Bus, Vec<Shared>) {
    let truths: Vec<Shared> = (0..settings.len() as u64).map(truth).collect();
    let meters = settings.iter().zip(&truths).map(|(settings, truth)| {
        Box::new(Corrector::new(*settings, habits.clone(), truth.clone())) as Box<_>
    });
    (Bus::new(LINE, meters.collect()), truths)
}

fn ask(bus: &mut Bus, now_ns: u64, request: &[u8]) -> (Result<Vec<u8>, Error>, u64) {
    let asked = Frame::parse(request).unwrap();
    let line =
        gasd_meters::poll::Line { byte_ns: LINE.byte_ns, gap_ns: 100 * MS, echo: Echo::Never, ..patience() };
    let judge = |answer: &[u8]| check_answer(&asked, &Frame::parse(answer)?);
    let (outcome, until) = exchange(bus, now_ns, request, line, probe_answer, judge);
    (outcome.result, until + 10 * MS)
}

/// A whole map; how often registers were read again.
fn read(bus: &mut Bus, mut now_ns: u64, settings: &Settings, memory: Memory) -> (Reading, Memory, u32, u64) {
    let map = settings.map();
    let mut readout = Readout::new(&map, settings.unit, memory).unwrap();
    let mut again = 0;
    while let Some(request) = readout.request() {
        let (answer, until) = ask(bus, now_ns, &request.unwrap());
        now_ns = until;
        let answer = answer.unwrap();
        match readout.answer(&Frame::parse(&answer).unwrap(), &mut ()) {
            Ok(step) => again += u32::from(step == Step::Again),
            // It is busy: asked again.
            Err(Error::DeviceError { code: 6, .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let (reading, memory) = readout.finish();
    (reading, memory, again, now_ns)
}

#[test]
fn totals_of_every_type_in_every_order() {
    let types =
        [Type::U32, Type::I32, Type::U64, Type::I64, Type::F32, Type::F64, Type::Bcd(2), Type::Bcd(3)];
    for order in Order::ALL {
        for (format, space) in types.into_iter().zip([Space::Input, Space::Holding].into_iter().cycle()) {
            let exponent = if format == Type::Bcd(2) { -2 } else { -3 };
            let settings = Settings { order, format, space, exponent, address: 3000, ..Settings::new(7) };
            let other = Settings { unit: 8, ..settings };
            let (mut bus, truths) = bus(&[settings, other], &Habits::default(), truth);
            let (reading, ..) = read(&mut bus, SECOND, &settings, Memory::default());
            let volume = reading.get(Kind::VolumeBase).unwrap();
            let log = look(&truths[0]).answered().to_vec();
            assert_eq!(volume.volume_ul(), Ok(log.last().unwrap().1 as i64), "{format:?} {order:?}");
            assert!(log.last().unwrap().1.abs_diff(1_234_567_000_000) < 10_000_000_000);
            let flow = reading.get(Kind::Flow).unwrap().value.to_string();
            assert_eq!(flow, "1800 L/h");
            assert!(look(&truths[1]).answered().is_empty());
        }
    }
}

#[test]
fn a_total_that_tears_is_caught() {
    // 65536 steps of 10 L are passed after nine seconds: the high register changes, 1.2 s late.
    let register =
        Register { base_ul: 654_360_000_000, flow_ul_per_h: 400_000_000_000, ..Register::default() };
    let tears = Quirks { tears_ns: 1_200 * MS, ..Quirks::default() };
    let settings = Settings { quirks: tears, ..Settings::new(1) };
    let habits = Habits { think_ns: (10 * MS, 10 * MS), ..Habits::default() };
    let (mut bus, truths) = bus(&[settings], &habits, |_| Truth::new(register).shared());
    let (_, mut memory, _, mut now) = read(&mut bus, 0, &settings, Memory::default());
    let (mut torn, mut again) = (0, 0);
    for _ in 0..60 {
        let (reading, next, n, until) = read(&mut bus, now, &settings, memory);
        (memory, now, again) = (next, until, again + n);
        let (at_ns, _) = *look(&truths[0]).answered().last().unwrap();
        let field = reading.get(Kind::VolumeBase).unwrap();
        let really = look(&truths[0]).register_ul(at_ns) as i64;
        if let Ok(said) = field.volume_ul() {
            torn += u32::from(said.abs_diff(really) > 100_000_000_000);
        }
    }
    // Once as the high part changed, and for as long as the low one is so small that it may just have begun anew.
    assert!((2..=25).contains(&again), "{again}");
    // While it is late it is the old one, which nobody can tell from a right one.
    assert!((1..=3).contains(&torn), "{torn}");
}

#[test]
fn a_coil_moves_the_valve_and_what_there_is_not_is_an_exception() {
    let settings = Settings::new(1);
    let (mut bus, truths) = bus(&[settings], &Habits::default(), truth);
    let mut now = 0;
    let mut answer = |request: &Request| {
        let (answer, until) = ask(&mut bus, now, &encode(1, request).unwrap());
        now = until + 5 * SECOND;
        decode_answer(&Frame::parse(&answer.unwrap()).unwrap(), &mut ()).unwrap()
    };
    assert_eq!(answer(&Request::ReadCoils(0, 1)), Answer::Bits(vec![0]));
    assert_eq!(answer(&Request::WriteCoil(0, true)), Answer::Coil(0, true));
    assert_eq!(answer(&Request::ReadCoils(0, 1)), Answer::Bits(vec![1]));
    assert_eq!(answer(&Request::ReadInput(4, 1)), Answer::Registers(vec![1]));
    assert_eq!(answer(&Request::WriteCoil(1, true)), Answer::Exception(2));
    assert_eq!(answer(&Request::ReadHolding(0, 2)), Answer::Exception(2));
    assert_eq!(answer(&Request::ReadInput(3, 4)), Answer::Exception(2));
    assert_eq!(answer(&Request::ReadId), Answer::Exception(1));
    assert_eq!(look(&truths[0]).executed().count(), 1);
    // What goes to everyone is done and not answered.
    bus.sent(now, &encode(0, &Request::WriteCoil(0, false)).unwrap());
    assert!(bus.take(now + SECOND).is_empty());
    assert_eq!(look(&truths[0]).executed().count(), 2);
    let mut habits = Habits::default();
    habits.valve.motor = Motor { refuses: true, ..habits.valve.motor };
    let (mut bus, _) = self::bus(&[settings], &habits, truth);
    let (answer, _) = ask(&mut bus, 0, &encode(1, &Request::WriteCoil(0, true)).unwrap());
    assert_eq!(Frame::parse(&answer.unwrap()).unwrap().exception(), Some(4));
}

#[test]
fn quirks_are_borne() {
    let settings = Settings { quirks: Quirks::ALL, ..Settings::new(1) };
    let habits = Habits { wake: (0, 0), ..Habits::quirky(3, 400 * MS) };
    let (mut bus, truths) = bus(&[settings], &habits, truth);
    let (mut memory, mut now) = (Memory::default(), 0);
    for _ in 0..50 {
        let (reading, next, _, until) = read(&mut bus, now, &settings, memory);
        (memory, now) = (next, until);
        let said = reading.get(Kind::VolumeBase).unwrap().volume_ul();
        assert_eq!(said, Ok(look(&truths[0]).answered().last().unwrap().1 as i64));
    }
}
