// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated M-Bus meters, asked, searched and read by gasd-meters.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{MS, SECOND, exchange, patience, truth};
use gasd_lab::mbus::{GasMeter, Quirks, Settings};
use gasd_lab::truth::{Motor, look};
use gasd_lab::{Bus, Habits, Line, Shared};
use gasd_meters::mbus::{
    Address, Frame, FrameCount, Heard, Message, Progress, Readout, Request, Search, Step, Target,
    ValveOutput, decode, find, probe, probe_ack,
};
use gasd_meters::{Error, Kind, Reading, Valve};

const OUTPUT: ValveOutput = ValveOutput { mask: 1, open: 0, closed: 1 };

fn bus(
    numbers: &[[u8; 4]],
    settings: impl Fn(Settings) -> Settings,
    habits: impl Fn(u64) -> Habits,
) -> (Bus, Vec<Shared>) {
    let truths: Vec<Shared> = (0..numbers.len() as u64).map(truth).collect();
    let meters = numbers.iter().zip(&truths).enumerate().map(|(n, (number, truth))| {
        let settings = settings(Settings::new(n as u8 + 1, *number));
        Box::new(GasMeter::new(settings, habits(n as u64), truth.clone())) as Box<_>
    });
    (Bus::new(Line::new(2400), meters.collect()), truths)
}

/// What answers `request`; and when that is over, ns.
fn ask(bus: &mut Bus, now_ns: u64, request: &Request<'_>, target: Target) -> (Result<Vec<u8>, Error>, u64) {
    let bytes = request.encode(target).unwrap();
    let probe = if matches!(request, Request::Data { .. }) { probe } else { probe_ack };
    let (outcome, now_ns) = exchange(bus, now_ns, &bytes, patience(), probe, |_| Ok(()));
    (outcome.result, now_ns + 20 * MS)
}

/// A reading of all its telegrams; how many those were.
fn read(bus: &mut Bus, mut now_ns: u64, target: Target) -> (Reading, u32, u64) {
    let (ack, until) = ask(bus, now_ns, &Request::Reset, target);
    assert_eq!(ack.unwrap(), [0xE5]);
    now_ns = until;
    let (mut count, mut readout, mut telegrams) = (FrameCount::after_reset(), Readout::new(), 0);
    loop {
        let (answer, until) = ask(bus, now_ns, &Request::Data { fcb: count.bit() }, target);
        now_ns = until;
        let message = decode(&Frame::parse(&answer.unwrap()).unwrap(), &mut ()).unwrap();
        telegrams += 1;
        count.answered();
        if readout.push(message).unwrap() == Progress::Done {
            return (readout.finish().unwrap(), telegrams, now_ns);
        }
    }
}

fn volume(reading: &Reading) -> i64 {
    reading.get(Kind::Volume).unwrap().volume_ul().unwrap()
}

#[test]
fn readings_of_one_and_of_several_telegrams() {
    for telegrams in [1, 2, 5] {
        let numbers = [[0x78, 0x56, 0x34, 0x12], [0x79, 0x56, 0x34, 0x12]];
        let (mut bus, truths) = bus(&numbers, |s| Settings { telegrams, ..s }, |_| Habits::default());
        let mut now = 10 * SECOND;
        for (primary, truth) in (1..).zip(&truths) {
            let (reading, n, until) = read(&mut bus, now, Target::Primary(primary));
            now = until;
            assert_eq!(n, u32::from(telegrams));
            assert_eq!(volume(&reading), look(truth).answered()[0].1 as i64);
            assert_eq!(reading.meter.manufacturer.as_deref(), Some("GSD"));
            assert_eq!(OUTPUT.valve(&reading), Some(Valve::Open));
            let flow = reading.get(Kind::Flow).unwrap().value.to_string();
            assert_eq!(flow, "1.800 m³/h");
            assert_eq!(reading.clock().unwrap().unwrap().to_string(), "2026-01-01T00:00");
            assert_eq!(look(truth).answered().len(), 1);
        }
    }
}

#[test]
fn a_telegram_whose_answer_was_lost_is_repeated_and_no_other() {
    let (mut bus, truths) = bus(&[[1, 0, 0, 0]], |s| Settings { telegrams: 3, ..s }, |_| Habits::default());
    let (_, mut now) = ask(&mut bus, 0, &Request::Reset, Target::Primary(1));
    let mut data = |fcb| {
        let (answer, until) = ask(&mut bus, now, &Request::Data { fcb }, Target::Primary(1));
        now = until;
        answer.unwrap()
    };
    let (a, b, c, d, e) = (data(true), data(true), data(false), data(false), data(true));
    assert_eq!((&a, &c), (&b, &d), "byte for byte, with the same access number");
    assert!(a != c && c != e && a != e);
    assert_eq!(look(&truths[0]).answered().len(), 1, "the value is the one that was told");
    let again = data(false);
    assert_ne!(again, a, "after the last comes the first, read anew");
    assert_eq!(look(&truths[0]).answered().len(), 2);
    // After SND_NKE either bit is new.
    for fcb in [false, true] {
        let (_, now) = ask(&mut bus, 100 * SECOND, &Request::Reset, Target::Primary(1));
        let (answer, _) = ask(&mut bus, now, &Request::Data { fcb }, Target::Primary(1));
        let message = decode(&Frame::parse(&answer.unwrap()).unwrap(), &mut ()).unwrap();
        assert!(message.into_reading().unwrap().get(Kind::Volume).is_some());
    }
}

#[test]
fn meters_are_found_by_their_secondary_addresses() {
    // Two that differ in the last digit, and others that do not.
    let numbers =
        [[0x78, 0x56, 0x34, 0x12], [0x79, 0x56, 0x34, 0x12], [0x78, 0x56, 0x34, 0x92], [1, 0, 0, 0]];
    let (mut bus, truths) = bus(&numbers, |s| s, |seed| Habits { seed, ..Habits::default() });
    let (mut search, mut now) = (Search::new(Address::ANY, 0), 0);
    while let Some(step) = search.step() {
        let any = Target::Selected(Address::ANY);
        let (answer, until) = match step {
            Step::Select(address) => ask(&mut bus, now, &Request::Select, Target::Selected(address)),
            Step::Read => ask(&mut bus, now, &Request::Data { fcb: true }, any),
        };
        now = until;
        let heard = match (step, answer) {
            (_, Err(Error::Timeout)) => Heard::Nothing,
            (_, Err(_)) => Heard::Collision,
            (Step::Select(_), Ok(bytes)) => {
                if bytes == [0xE5] {
                    Heard::Ack
                } else {
                    Heard::Collision
                }
            }
            (Step::Read, Ok(bytes)) => match decode(&Frame::parse(&bytes).unwrap(), &mut ()) {
                Ok(Message::Data(Some(header), _)) => Heard::Meter(header.meter.unwrap()),
                _ => Heard::Collision,
            },
        };
        search.heard(heard);
    }
    let mut found: Vec<[u8; 4]> = search.found().iter().map(|address| address.id).collect();
    found.sort_unstable();
    let mut wanted = numbers.to_vec();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "after {} selects", search.selects());
    // One that is selected is read, and the others keep silent.
    let before: Vec<usize> = truths.iter().map(|truth| look(truth).answered().len()).collect();
    let address = Address { id: numbers[2], ..Address::ANY };
    let (ack, now) = ask(&mut bus, now, &Request::Select, Target::Selected(address));
    assert_eq!(ack.unwrap(), [0xE5]);
    let (reading, _, _) = read_selected(&mut bus, now, address);
    assert_eq!(reading.meter.id, "92345678");
    let after: Vec<usize> = truths.iter().map(|truth| look(truth).answered().len()).collect();
    assert_eq!(after, [before[0], before[1], before[2] + 1, before[3]]);
}

fn read_selected(bus: &mut Bus, now_ns: u64, address: Address) -> (Reading, u32, u64) {
    let (answer, until) = ask(bus, now_ns, &Request::Data { fcb: true }, Target::Selected(address));
    let message = decode(&Frame::parse(&answer.unwrap()).unwrap(), &mut ()).unwrap();
    (message.into_reading().unwrap(), 1, until)
}

#[test]
fn several_at_once_spoil_each_other() {
    let numbers = [[1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0]];
    let (mut bus, truths) = bus(&numbers, |s| s, |seed| Habits { seed, ..Habits::default() });
    bus.sent(0, &Request::Data { fcb: true }.encode(Target::Any).unwrap());
    assert!(find(&bus.take(5 * SECOND)).is_err());
    assert!(truths.iter().all(|truth| look(truth).answered().len() == 1));
    // Meters that think for the same time sound like one.
    let habits = |_| Habits { think_ns: (30 * MS, 30 * MS), ..Habits::default() };
    let (mut bus, _) = self::bus(&numbers, |s| s, habits);
    bus.sent(0, &Request::Reset.encode(Target::Any).unwrap());
    assert_eq!(bus.take(5 * SECOND), [0xE5]);
}

#[test]
fn quirks_are_borne() {
    let numbers = [[0x78, 0x56, 0x34, 0x12], [0x79, 0x56, 0x34, 0x12]];
    let settings = |s| Settings { telegrams: 3, quirks: Quirks::ALL, ..s };
    let habits = |seed| Habits { garbage: (0, 0), ..Habits::quirky(seed, 180 * MS) };
    let (mut bus, truths) = bus(&numbers, settings, habits);
    let mut now = 0;
    for _ in 0..20 {
        for (primary, truth) in (1..).zip(&truths) {
            let (reading, n, until) = read(&mut bus, now, Target::Primary(primary));
            assert_eq!((n, volume(&reading)), (3, look(truth).answered().last().unwrap().1 as i64));
            now = until;
        }
    }
}

#[test]
fn a_valve_behind_the_output() {
    let valve = |settings: fn(Settings) -> Settings, motor: Motor| {
        let mut habits = Habits::default();
        habits.valve.motor = motor;
        let (mut bus, truths) = bus(&[[1, 0, 0, 0], [2, 0, 0, 0]], settings, |_| habits.clone());
        let close = Request::Valve { fcb: true, output: OUTPUT, to: Valve::Closed };
        let (answer, now) = ask(&mut bus, 0, &close, Target::Primary(1));
        let refused = answer.unwrap() != [0xE5];
        let (_, now) = ask(&mut bus, now, &close, Target::Primary(1));
        let (reading, _, _) = read(&mut bus, now + 10 * SECOND, Target::Primary(1));
        assert_eq!(look(&truths[1]).commands().len(), 0);
        (refused, OUTPUT.valve(&reading).unwrap(), look(&truths[0]).executed().count())
    };
    let motor = Habits::default().valve.motor;
    assert_eq!(valve(|s| s, motor), (false, Valve::Closed, 2), "each command is carried out");
    let counts = |s| Settings { quirks: Quirks { counts_sends: true, ..Quirks::default() }, ..s };
    assert_eq!(valve(counts, motor), (false, Valve::Closed, 1), "the second is a repetition");
    assert_eq!(valve(|s| s, Motor { refuses: true, ..motor }), (true, Valve::Open, 0));
}

#[test]
fn a_meter_that_dies_and_one_that_sleeps() {
    let habits =
        |_| Habits { dead: std::iter::once(10 * SECOND..20 * SECOND).collect(), ..Habits::default() };
    let (mut bus, _) = bus(&[[1, 0, 0, 0]], |s| s, habits);
    let mut asked = |at| ask(&mut bus, at * SECOND, &Request::Reset, Target::Primary(1)).0;
    assert_eq!([5, 12, 17, 25].map(|at| asked(at).is_ok()), [true, false, false, true]);
    let sleepy = |_| Habits { sleeps_through: 3, ..Habits::default() };
    let (mut bus, _) = self::bus(&[[1, 0, 0, 0]], |s| s, sleepy);
    let mut asked = |at| ask(&mut bus, at * SECOND, &Request::Reset, Target::Primary(1)).0;
    assert_eq!([1, 3, 5, 7, 9].map(|at| asked(at).is_ok()), [false, true, true, false, true]);
}
