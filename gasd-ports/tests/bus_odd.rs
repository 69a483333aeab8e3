// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers from whom nobody asked are told, and change no reading.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod house;

use gasd_lab::{Habits, Line, Meter};
use gasd_meters::{cjt188, dlt645, drive};
use gasd_ports::bus::{Event, Odd};
use house::{MS, One, SECOND, START, Wire, truth};

/// A meter that thinks so long.
fn thinks(ms: u64) -> Habits {
    Habits { think_ns: (ms * MS, ms * MS), ..Habits::default() }
}

fn simulated(address: u8, register: u64, ms: u64) -> Box<dyn Meter> {
    let address = cjt188::Address([address, 0x34, 0x12, 0, 0, 0x78, 0x33]);
    let settings = gasd_lab::cjt188::Settings::new(address);
    Box::new(gasd_lab::cjt188::GasMeter::new(settings, thinks(ms), truth(register)))
}

/// Half an hour of a line of CJ/T 188 with these meters, each its address, register and time to think, of which the first is
/// asked: what is odd, and how many readings there were.
fn odd(meters: &[(u8, u64, u64)]) -> (Vec<Odd>, usize) {
    let (_, one) = house::cjt188(1, Habits::default());
    let simulated: Vec<_> = meters.iter().map(|(address, key, ms)| simulated(*address, *key, *ms)).collect();
    let mut wire = Wire::new(Line::new(2_400), Vec::new());
    wire.lab = gasd_lab::Bus::new(Line::new(2_400), simulated);
    wire.bus.set_meters(vec![house::spec(&one)], START);
    happened(&mut wire)
}

fn happened(wire: &mut Wire) -> (Vec<Odd>, usize) {
    let events = wire.run(START + 1_800 * SECOND);
    let read = events.iter().filter(|event| matches!(event, Event::Read { .. })).count();
    let odd = |event| match event {
        Event::Odd { odd, .. } => Some(odd),
        _ => None,
    };
    (events.into_iter().filter_map(odd).collect(), read)
}

#[test]
fn two_meters_of_one_address_that_answer_one_behind_the_other_are_told() {
    let (odd, read) = odd(&[(1, 1, 30), (1, 2, 400)]);
    let twice = Odd::Twice { address: "33780000123401".into(), alike: false };
    assert!(odd.len() >= 25 && odd.iter().all(|odd| *odd == twice), "{odd:?}");
    assert!(read >= 29, "{read}");
    let (odd, _) = self::odd(&[(1, 1, 30), (1, 1, 400)]);
    assert!(odd.contains(&Odd::Twice { address: "33780000123401".into(), alike: true }), "{odd:?}");
}

#[test]
fn a_line_in_order_has_nothing_odd_and_of_a_slow_meter_it_is_told_that_it_is_late() {
    assert_eq!(odd(&[(1, 1, 30), (2, 2, 30)]).0, []);
    let mut late = thinks(30);
    late.late = Some(gasd_lab::habits::Late { ppm: 500_000, after_ns: 2_500 * MS });
    let mut wire = Wire::new(Line::new(2_400), vec![house::cjt188(1, late)]);
    let (odd, read) = happened(&mut wire);
    assert!(!odd.is_empty() && odd.iter().all(|odd| matches!(odd, Odd::Late { .. })), "{odd:?}");
    assert!(read > 10, "{read}");
    assert_eq!(wire.bus.counts().garbage, 0);
}

#[test]
fn an_answer_from_another_address_is_told_whether_it_is_taken_or_not() {
    // Meters of CJ/T 188 are about that answer with a number that nobody has.
    let key = 1;
    let request = |request: &[u8]| cjt188::find(request).unwrap().to_vec();
    let mut wire = Wire::new(Line::new(2_400), vec![house::cjt188(key, Habits::default())]);
    let mut now_ns = START;
    let mut told = Vec::new();
    for taken in [true, false] {
        let bytes = loop {
            match wire.bus.step(now_ns) {
                gasd_ports::bus::Step::Send(bytes) => break request(&bytes),
                gasd_ports::bus::Step::Wait { until_ns } => now_ns = until_ns,
            }
        };
        now_ns += 300 * MS;
        let mut answer = vec![0x68, 0x30, if taken { 9 } else { 2 }, 0, 0, 0, 0, 0x78, 0x33, 0x81, 0x16];
        answer.extend(&bytes[11..14]);
        answer.extend(gasd_meters::hex::parse("003456122C003456122C310122110515202184").unwrap());
        answer.extend([answer.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)), 0x16]);
        wire.bus.heard(now_ns, &answer);
        let _ = wire.bus.step(now_ns);
        told.extend(wire.bus.events());
        // The next time that number is another meter's of this line.
        let (_, mut other) = house::cjt188(2, Habits::default());
        let address = cjt188::Address([2, 0, 0, 0, 0, 0x78, 0x33]);
        other.device = drive::Device::Cjt188 { address, kind: 0x30, profile: cjt188::Profile::STANDARD };
        let specs = [&wire.meters[0], &other].map(house::spec);
        wire.bus.set_meters(specs.to_vec(), now_ns);
        now_ns += 61 * SECOND;
    }
    for _ in 0..100 {
        if let gasd_ports::bus::Step::Wait { until_ns } = wire.bus.step(now_ns) {
            now_ns = until_ns;
        }
    }
    told.extend(wire.bus.events());
    let odd: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            Event::Odd { key, odd: Odd::Address { asked, answered, taken }, .. } => {
                Some((*key, asked.as_str(), answered.as_str(), *taken))
            }
            _ => None,
        })
        .collect();
    let asked = "33780000123401";
    assert_eq!(odd, [(key, asked, "33780000000009", true), (key, asked, "33780000000002", false)]);
}

#[test]
fn a_second_answer_of_dlt645_is_told_as_well() {
    let address = dlt645::Address([1, 0x90, 0x78, 0x56, 0x34, 0x12]);
    let settings = gasd_lab::dlt645::Settings::new(address);
    let meter = |key, ms| -> Box<dyn Meter> {
        Box::new(gasd_lab::dlt645::SwitchMeter::new(settings, thinks(ms), truth(key)))
    };
    let (_, one): (_, One) = house::dlt645(1, Habits::default());
    let mut wire = Wire::new(Line::new(2_400), Vec::new());
    wire.lab = gasd_lab::Bus::new(Line::new(2_400), vec![meter(1, 30), meter(2, 450)]);
    wire.bus.set_meters(vec![house::spec(&one)], START);
    let (odd, read) = happened(&mut wire);
    assert!(odd.contains(&Odd::Twice { address: address.to_string(), alike: false }), "{odd:?}");
    assert!(read >= 29, "{read}");
}
