// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated CJ/T 188 meters, asked and read by gasd-meters.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{MS, SECOND, exchange, patience, truth};
use gasd_lab::cjt188::{GasMeter, Quirks, Settings};
use gasd_lab::truth::{Motor, look};
use gasd_lab::{Bus, Habits, Line, Noise, Shared};
use gasd_meters::cjt188::{
    Address, Frame, Leniency, Message, Order, Profile, Request, Target, ValveCommand, check_answer,
    check_valve, decode, encode, probe, resolve,
};
use gasd_meters::{Error, Kind, Reading, Valve};
use proptest::prelude::*;

fn address(n: u64) -> Address {
    format!("3378{n:010}").parse().unwrap()
}

/// Eight meters on one line.
fn bus(
    line: Line,
    settings: impl Fn(Settings) -> Settings,
    habits: impl Fn(u64) -> Habits,
) -> (Bus, Vec<Shared>) {
    let truths: Vec<Shared> = (0..8).map(truth).collect();
    let meters = (0..).zip(&truths).map(|(n, truth)| {
        Box::new(GasMeter::new(settings(Settings::new(address(n))), habits(n), truth.clone())) as Box<_>
    });
    (Bus::new(line, meters.collect()), truths)
}

fn target(n: u64) -> Target {
    Target { kind: 0x30, address: address(n), order: Order::LowFirst }
}

/// Asks, and returns the whole answer with what differed; and when it was over.
fn ask(
    bus: &mut Bus,
    now_ns: u64,
    target: Target,
    profile: &Profile,
    request: &Request<'_>,
) -> (Result<(Vec<u8>, Leniency), Error>, u64) {
    let bytes = encode(&target, profile, 9, request, 2).unwrap();
    let asked = Frame::parse(&bytes[2..]).unwrap();
    let mut lenient = Leniency::default();
    let judge = |answer: &[u8]| {
        lenient = check_answer(&asked, &Frame::parse(answer)?, None)?;
        Ok(())
    };
    let (outcome, now_ns) = exchange(bus, now_ns, &bytes, patience(), probe, judge);
    (outcome.result.map(|answer| (answer, lenient)), now_ns)
}

fn reading(answer: &[u8], profile: &Profile) -> Reading {
    let decoded = decode(&Frame::parse(answer).unwrap(), profile, None, &mut ()).unwrap();
    decoded.message.into_reading().unwrap()
}

fn volume(reading: &Reading) -> i64 {
    reading.get(Kind::Volume).unwrap().volume_ul().unwrap()
}

#[test]
fn each_of_eight_answers_what_is_asked_of_it_alone() {
    let (mut bus, truths) = bus(Line::new(2400), |s| s, |seed| Habits { seed, ..Habits::default() });
    let mut now = 5 * SECOND;
    for (n, truth) in (0..).zip(&truths) {
        for order in [Order::LowFirst, Order::HighFirst] {
            let target = Target { order, ..target(n) };
            let (answer, until) = ask(&mut bus, now, target, &Profile::STANDARD, &Request::Read(0x901F));
            let (answer, lenient) = answer.unwrap();
            assert_eq!(lenient, Leniency::default());
            assert_eq!(resolve([answer[11], answer[12]], None).1, Some(order), "as it was asked");
            let reading = reading(&answer, &Profile::STANDARD);
            let (at_ns, register_ul) = *look(truth).answered().last().unwrap();
            assert_eq!(volume(&reading), register_ul as i64);
            assert!((now..until).contains(&at_ns));
            assert_eq!(register_ul, look(truth).register_ul(at_ns));
            assert_eq!(reading.valve, Some(Valve::Open));
            let clock = reading.clock().unwrap().unwrap().to_string();
            assert!(clock.starts_with("2026-01-01T00:00:"), "{clock}");
            now = until + 50 * MS;
        }
        assert_eq!(look(truth).answered().len(), 2, "nobody else was asked");
    }
    assert_eq!(bus.corrupted(), (0, 16 * (18 + 37)));
}

#[test]
fn addresses_are_told_and_what_it_does_not_have_is_refused() {
    let (mut bus, _) = bus(Line::new(2400), |s| s, |_| Habits::default());
    let (answer, now) = ask(&mut bus, 0, target(3), &Profile::STANDARD, &Request::ReadAddress);
    let decoded =
        decode(&Frame::parse(&answer.unwrap().0).unwrap(), &Profile::STANDARD, None, &mut ()).unwrap();
    assert_eq!(decoded.message, Message::Address(address(3)));
    let (answer, _) = ask(&mut bus, now + SECOND, target(3), &Profile::STANDARD, &Request::Read(0x8102));
    let decoded =
        decode(&Frame::parse(&answer.unwrap().0).unwrap(), &Profile::STANDARD, None, &mut ()).unwrap();
    assert!(matches!(decoded.message, Message::Refused(_)));
    let strange = Target { address: address(77), ..target(0) };
    let (answer, _) = ask(&mut bus, now + 3 * SECOND, strange, &Profile::STANDARD, &Request::Read(0x901F));
    assert_eq!(answer.unwrap_err(), Error::Timeout);
}

#[test]
fn all_who_answer_a_wildcard_collide() {
    let (mut bus, truths) = bus(Line::new(2400), |s| s, |seed| Habits { seed, ..Habits::default() });
    let any = Target { kind: 0xAA, address: Address::WILDCARD, order: Order::LowFirst };
    let (answer, _) = ask(&mut bus, 0, any, &Profile::STANDARD, &Request::Read(0x901F));
    assert!(answer.is_err(), "{answer:?}");
    assert!(truths.iter().all(|truth| look(truth).answered().len() == 1), "all have heard it");
    // One alone is read.
    let one = GasMeter::new(Settings::new(address(5)), Habits::default(), truth(5));
    let mut alone = Bus::new(Line::new(2400), vec![Box::new(one)]);
    let (answer, _) = ask(&mut alone, 0, any, &Profile::STANDARD, &Request::Read(0x901F));
    let (answer, _) = answer.unwrap();
    assert_eq!(Frame::parse(&answer).unwrap().address, address(5));
}

#[test]
fn quirks_are_borne_and_told() {
    let quirky = |s| Settings {
        quirks: Quirks::ALL,
        profile: Profile::CLOCK_HIGH_FIRST,
        order: Order::HighFirst,
        ..s
    };
    let (mut bus, truths) = bus(Line::new(2400), quirky, |seed| Habits::quirky(seed, 500 * MS));
    let mut now = 0;
    for round in 0..20 {
        for (n, truth) in (0..).zip(&truths) {
            let (answer, until) = ask(&mut bus, now, target(n), &Profile::STANDARD, &Request::Read(0x901F));
            let (answer, lenient) = answer.unwrap_or_else(|e| panic!("meter {n}, round {round}: {e}"));
            assert_eq!(lenient, Leniency { kind: true, ser: true, order: true, address: false });
            let plain = reading(&answer, &Profile::STANDARD);
            assert!(plain.get(Kind::Volume).unwrap().volume_ul().is_err(), "a unit of 00 is no volume");
            let reading = reading(&answer, &Profile::CLOCK_HIGH_FIRST);
            assert_eq!(volume(&reading), look(truth).answered().last().unwrap().1 as i64);
            assert!(reading.clock().unwrap().is_ok());
            now = until + 50 * MS;
        }
    }
}

#[test]
fn a_valve_is_moved_once_for_each_command_in_every_profile() {
    for profile in gasd_meters::cjt188::PROFILES.iter().filter(|p| p.status.valve != 0) {
        let (mut bus, truths) =
            bus(Line::new(2400), |s| Settings { profile: *profile, ..s }, |_| Habits::default());
        for (at, command, wanted) in
            [(0, ValveCommand::Close, Valve::Closed), (60, ValveCommand::Open, Valve::Open)]
        {
            let now = at * SECOND;
            let bytes = encode(&target(2), profile, 9, &Request::Valve(command), 2).unwrap();
            let asked = Frame::parse(&bytes[2..]).unwrap();
            let (answer, until) = ask(&mut bus, now, target(2), profile, &Request::Valve(command));
            let (answer, _) = answer.unwrap();
            check_valve(&asked, &Frame::parse(&answer).unwrap(), profile, None).unwrap();
            let mut valve = |now| {
                let (answer, _) = ask(&mut bus, now, target(2), profile, &Request::Read(0x901F));
                reading(&answer.unwrap().0, profile).valve
            };
            assert_eq!(valve(until + 100 * MS), Some(Valve::Abnormal), "it is on its way");
            assert_eq!(valve(until + 10 * SECOND), Some(wanted));
        }
        let executed: Vec<Valve> = look(&truths[2]).executed().map(|(_, to)| to).collect();
        assert_eq!(executed, [Valve::Closed, Valve::Open]);
        assert_eq!(look(&truths[3]).commands().len(), 0);
    }
}

#[test]
fn valves_refuse_are_stuck_and_lose_their_answers() {
    let valve = |motor: Motor, answer_lost_ppm| {
        let mut habits = Habits::default();
        (habits.valve.motor, habits.valve.answer_lost_ppm) = (motor, answer_lost_ppm);
        let (mut bus, truths) = bus(Line::new(2400), |s| s, |_| habits.clone());
        let close = Request::Valve(ValveCommand::Close);
        let (answer, now) = ask(&mut bus, 0, target(1), &Profile::STANDARD, &close);
        let (read, _) =
            ask(&mut bus, now + 10 * SECOND, target(1), &Profile::STANDARD, &Request::Read(0x901F));
        let position = reading(&read.unwrap().0, &Profile::STANDARD).valve.unwrap();
        let executed = look(&truths[1]).executed().count();
        (answer.map(|(answer, _)| Frame::parse(&answer).unwrap().abnormal()), position, executed)
    };
    let motor = Habits::default().valve.motor;
    assert_eq!(valve(motor, 0), (Ok(false), Valve::Closed, 1));
    assert_eq!(valve(Motor { refuses: true, ..motor }, 0), (Ok(true), Valve::Open, 0));
    assert_eq!(valve(Motor { stuck: true, ..motor }, 0), (Ok(false), Valve::Abnormal, 0));
    assert_eq!(
        valve(motor, 1_000_000),
        (Err(Error::Timeout), Valve::Closed, 1),
        "carried out, and never said"
    );
}

#[test]
fn each_command_that_arrives_whole_is_carried_out_once() {
    let noise = Noise { corrupt_ppm: 20_000, burst: 2, stray_ppm: 2_000 };
    // With echo the adapter hears what the meters hear.
    let line = Line { echo: true, noise, ..Line::new(2400) };
    let habits = |seed| {
        let mut habits = Habits::quirky(seed, 300 * MS);
        habits.valve.answer_lost_ppm = 300_000;
        habits
    };
    let (mut bus, truths) = bus(line, |s| s, habits);
    let (mut whole, mut at) = (Vec::new(), 0);
    for n in 0..400u64 {
        let command = if n % 3 == 0 { ValveCommand::Open } else { ValveCommand::Close };
        let request = encode(&target(n % 8), &Profile::STANDARD, 1, &Request::Valve(command), 0).unwrap();
        bus.sent(at, &request);
        let heard = bus.take(at + request.len() as u64 * line.byte_ns);
        if heard.windows(request.len()).any(|part| part == request) {
            whole.push((n % 8, if n % 3 == 0 { Valve::Open } else { Valve::Closed }));
        }
        at += 2 * SECOND;
        bus.take(at);
    }
    assert!((200..380).contains(&whole.len()), "{}", whole.len());
    for (n, truth) in (0..).zip(&truths) {
        let executed: Vec<Valve> = look(truth).executed().map(|(_, to)| to).collect();
        let wanted: Vec<Valve> = whole.iter().filter(|(m, _)| *m == n).map(|(_, to)| *to).collect();
        assert_eq!(executed, wanted, "meter {n}");
    }
}

#[test]
fn late_answers_land_in_the_next_request() {
    let late = Some(gasd_lab::habits::Late { ppm: 1_000_000, after_ns: 700 * MS });
    let (mut bus, _) = bus(Line::new(2400), |s| s, |_| Habits { late, ..Habits::default() });
    let first = encode(&target(1), &Profile::STANDARD, 1, &Request::Read(0x901F), 2).unwrap();
    let second = encode(&target(2), &Profile::STANDARD, 2, &Request::Read(0x901F), 2).unwrap();
    bus.sent(0, &first);
    assert!(bus.take(700 * MS).is_empty(), "the master gives up");
    bus.sent(1_100 * MS, &second);
    let answer = bus.take(1_300 * MS);
    let answer = gasd_meters::cjt188::find(&answer).unwrap();
    assert_eq!(Frame::parse(answer).unwrap().address, address(1), "of the first");
}

#[test]
fn what_an_adapter_hears_of_itself() {
    let line = Line { echo: true, ..Line::new(2400) };
    let (mut bus, _) = bus(line, |s| s, |_| Habits::default());
    let request = encode(&target(1), &Profile::STANDARD, 1, &Request::Read(0x901F), 2).unwrap();
    bus.sent(0, &request);
    assert_eq!(bus.due_ns(), Some(line.byte_ns), "byte for byte as it goes out");
    let heard = bus.take(request.len() as u64 * line.byte_ns);
    assert_eq!(heard, request);
    let (answer, _) = ask(&mut bus, 2 * SECOND, target(1), &Profile::STANDARD, &Request::Read(0x901F));
    answer.unwrap();
}

/// What arrives, and when, ns.
type Arrived = Vec<(u64, Vec<u8>)>;

/// What arrives of a fixed course of requests; and how much of it is damaged.
fn course(noise: Noise, seed: u64, rounds: u64) -> (Arrived, (u64, u64)) {
    let line = Line { noise, seed, ..Line::new(2400) };
    let (mut bus, _) = bus(line, |s| s, |seed| Habits::quirky(seed, 300 * MS));
    let mut arrived = Vec::new();
    for n in 0..rounds {
        let now = n * SECOND;
        bus.sent(
            now,
            &encode(&target(n % 8), &Profile::STANDARD, n as u8, &Request::Read(0x901F), 2).unwrap(),
        );
        while let Some(due) = bus.due_ns().filter(|due| *due < now + SECOND) {
            arrived.push((due, bus.take(due)));
        }
    }
    (arrived, bus.corrupted())
}

#[test]
fn the_share_of_damaged_bytes_is_the_one_asked_for() {
    for (ppm, burst) in [(50_000, 1), (10_000, 1), (50_000, 6)] {
        let (_, (corrupted, all)) = course(Noise { corrupt_ppm: ppm, burst, stray_ppm: 0 }, 11, 2_000);
        let (share, wanted) = (corrupted as f64 / all as f64, f64::from(ppm) / 1e6);
        assert!(all > 50_000 && (share - wanted).abs() < 0.15 * wanted, "{share} of {all} for {wanted}");
    }
    assert_eq!(course(Noise::NONE, 11, 20).1.0, 0);
}

#[test]
fn bytes_come_from_nowhere() {
    let stray = Noise { stray_ppm: 20_000, ..Noise::NONE };
    let mut bus = Bus::new(Line { noise: stray, ..Line::new(2400) }, Vec::new());
    let from = 1_000_000 * SECOND;
    assert!(bus.take(from).is_empty());
    let n = bus.take(from + 600 * SECOND).len();
    let wanted = 600.0 * 2400.0 / 11.0 * 0.02;
    assert!((n as f64 - wanted).abs() < 0.1 * wanted, "{n} for {wanted}");
    assert_eq!(bus.corrupted(), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn a_seed_is_a_course(seed in any::<u64>()) {
        let noise = Noise { corrupt_ppm: 30_000, burst: 3, stray_ppm: 5_000 };
        let (first, second) = (course(noise, seed, 40), course(noise, seed, 40));
        prop_assert_eq!(&first, &second);
        prop_assert_ne!(first, course(noise, seed ^ 1, 40));
    }

    #[test]
    fn whatever_is_sent_nothing_breaks(parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..60), 0u64..2_000), 1..20)) {
        let noise = Noise { corrupt_ppm: 30_000, burst: 3, stray_ppm: 5_000 };
        let line = Line { noise, echo: true, ..Line::new(9600) };
        let (mut bus, truths) = bus(line, |s| s, |seed| Habits::quirky(seed, 300 * MS));
        let mut now = 0;
        for (bytes, wait) in parts {
            bus.sent(now, &bytes);
            now += wait * MS;
            bus.take(now);
        }
        bus.take(now + 100 * SECOND);
        prop_assert!(truths.iter().all(|truth| look(truth).executed().count() == 0));
    }
}
