// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated DL/T 645 meters of either edition, asked and read by gasd-meters.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::sync::LazyLock;

use common::{MS, SECOND, exchange, patience, truth};
use gasd_lab::dlt645::{Quirks, Settings, SwitchMeter};
use gasd_lab::truth::{Motor, look};
use gasd_lab::{Bus, Habits, Line, Shared};
use gasd_meters::dlt645::{
    Address, Assembly, Authority, Data, Di, Frame, Match, Message, Request, Standard, SwitchCommand,
    check_answer, decode, encode, probe,
};
use gasd_meters::{Date, Direction, Error, Kind, Register, TimeOfDay, Valve};

const FORWARD: Register = Register { direction: Direction::Forward, ..Register::PLAIN };
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new(2, &[1, 2, 3], &[0; 4]));

fn address(n: u64) -> Address {
    format!("2026{n:08}").parse().unwrap()
}

/// One meter of each edition.
fn bus(settings: impl Fn(Settings) -> Settings, habits: &Habits) -> (Bus, Vec<Shared>) {
    let truths = vec![truth(0), truth(1)];
    let meters = [Standard::V2007, Standard::V1997].into_iter().zip(&truths).zip(0..);
    let meters = meters.map(|((standard, truth), n)| {
        let settings = settings(Settings { standard, ..Settings::new(address(n)) });
        Box::new(SwitchMeter::new(settings, habits.clone(), truth.clone())) as Box<_>
    });
    (Bus::new(Line::new(2400), meters.collect()), truths)
}

fn ask(
    bus: &mut Bus,
    now_ns: u64,
    standard: Standard,
    to: Address,
    request: &Request<'_>,
) -> (Result<(Message, Match), Error>, u64) {
    let bytes = encode(standard, to, request, 4).unwrap();
    let asked = Frame::parse(&bytes[4..]).unwrap();
    let mut fits = Match::Exact;
    let judge = |answer: &[u8]| {
        fits = check_answer(&asked, &Frame::parse(answer)?)?;
        Ok(())
    };
    let (outcome, until) = exchange(bus, now_ns, &bytes, patience(), probe, judge);
    let message = outcome.result.map(|bytes| {
        let frame = Frame::parse(&bytes).unwrap();
        (decode(&frame, Some(standard), &mut ()).unwrap(), fits)
    });
    (message, until + 50 * MS)
}

fn data(message: Message) -> Data {
    let Message::Data(data) = message else { panic!("{message:?}") };
    data
}

fn read(di: Di) -> Request<'static> {
    Request::Read { di, blocks: None }
}

/// Hundredths.
fn total(data: &Data) -> i64 {
    let field = data.reading.get_at(Kind::ActiveEnergy, FORWARD).unwrap();
    field.value.number().unwrap().decimal.at(-2).unwrap()
}

#[test]
fn either_edition_is_read_and_does_not_hear_the_other() {
    let (mut bus, truths) = bus(|s| s, &Habits::default());
    let of = [(Standard::V2007, Di::Long(0x0001_0000)), (Standard::V1997, Di::Short(0x9010))];
    let mut now = 0;
    for (n, (standard, di)) in (0..).zip(of) {
        let (answer, until) = ask(&mut bus, now, standard, address(n), &read(di));
        let (message, fits) = answer.unwrap();
        let logged = look(&truths[n as usize]).answered()[0].1;
        assert_eq!((fits, total(&data(message))), (Match::Exact, (logged / 10_000_000) as i64));
        let (other, other_di) = of[1 - n as usize];
        let (answer, until) = ask(&mut bus, until, other, address(n), &read(other_di));
        assert_eq!(answer.unwrap_err(), Error::Timeout);
        let wanted = if standard == Standard::V2007 { Di::Long(0x0400_0401) } else { Di::Short(0xC032) };
        let (answer, until) = ask(&mut bus, until, standard, address(n), &read(wanted));
        let reading = data(answer.unwrap().0).reading;
        assert!(reading.fields[0].value.to_string().contains(&address(n).digits()), "{reading:?}");
        now = until;
    }
    let (answer, until) = ask(&mut bus, now, Standard::V2007, Address::WILDCARD, &Request::ReadAddress);
    assert_eq!(answer.unwrap().0, Message::Address(address(0)));
    let (answer, _) = ask(&mut bus, until, Standard::V2007, address(0), &read(Di::Long(0x0999_0000)));
    assert_eq!(answer.unwrap().0, Message::Refused(0x11, 2));
}

#[test]
fn data_come_in_parts_and_a_part_is_sent_again() {
    // A total and 60 tariffs: 244 bytes in parts of 50.
    let settings = |s| Settings { tariffs: 60, part: 50, ..s };
    let (mut bus, truths) = bus(settings, &Habits::default());
    let of = [(Standard::V2007, Di::Long(0x0001_FF00), 244), (Standard::V1997, Di::Short(0x901F), 245)];
    let mut now = 0;
    for (n, (standard, di, bytes)) in (0..).zip(of) {
        let (answer, until) = ask(&mut bus, now, standard, address(n), &read(di));
        now = until;
        let first = data(answer.unwrap().0);
        let mut assembly = Assembly::begin(&first);
        let mut payload = first.payload.len();
        let mut parts = 1;
        while let Some(seq) = assembly.wanted() {
            let next = Request::ReadNext { di, seq };
            let (answer, until) = ask(&mut bus, now, standard, address(n), &next);
            let part = data(answer.unwrap().0);
            // A master of 2007 says which part it wants, so that one may be asked for twice.
            let (again, until) = match standard {
                Standard::V2007 => ask(&mut bus, until, standard, address(n), &next),
                Standard::V1997 => ask(&mut bus, until, standard, address(n), &Request::ReadAgain),
            };
            if standard == Standard::V2007 {
                assert_eq!(data(again.unwrap().0), part);
            } else {
                assert!(matches!(again.unwrap().0, Message::Data(_)));
            }
            assembly.push(&part).unwrap();
            payload += part.payload.len();
            parts += 1;
            now = until;
        }
        assert_eq!((parts, payload), (5, bytes));
        let reading = assembly.finish(address(n));
        let first = reading.get_at(Kind::ActiveEnergy, FORWARD).unwrap().value.number().unwrap();
        let logged = look(&truths[n as usize]).answered()[0].1;
        assert_eq!(first.decimal.at(-2), Ok((logged / 10_000_000) as i64));
        assert_eq!(look(&truths[n as usize]).answered().len(), 1);
    }
}

#[test]
fn a_breaker_is_moved_once_for_each_command() {
    let moved = |password, motor| {
        let mut habits = Habits::default();
        habits.valve.motor = motor;
        let (mut bus, truths) = bus(|s| Settings { password, ..s }, &habits);
        let expires = (Date::new(2026, 12, 31).unwrap(), TimeOfDay::new(0, 0, Some(0)).unwrap());
        let trip = Request::Switch { command: SwitchCommand::Trip, authority: &AUTHORITY, expires };
        let (answer, now) = ask(&mut bus, 0, Standard::V2007, address(0), &trip);
        let status = read(Di::Long(0x0400_0503));
        let (answered, _) = ask(&mut bus, now + 10 * SECOND, Standard::V2007, address(0), &status);
        let tripped = data(answered.unwrap().0).payload[0] & 0x10 != 0;
        let executed: Vec<Valve> = look(&truths[0]).executed().map(|(_, to)| to).collect();
        assert!(look(&truths[1]).commands().is_empty());
        (answer.unwrap().0, tripped, executed)
    };
    let motor = Habits::default().valve.motor;
    let done = Message::Done(0x1C, Vec::new());
    assert_eq!(moved(Some([1, 2, 3]), motor), (done.clone(), true, vec![Valve::Closed]));
    assert_eq!(moved(None, motor), (done, true, vec![Valve::Closed]));
    let refused = Message::Refused(0x1C, 4);
    assert_eq!(moved(Some([1, 2, 4]), motor), (refused.clone(), false, vec![]));
    assert_eq!(moved(None, Motor { refuses: true, ..motor }), (refused, false, vec![]));
}

#[test]
fn quirks_are_borne_and_told() {
    let real = truth(0);
    let habits = Habits::quirky(7, 500 * MS);
    let one =
        SwitchMeter::new(Settings { quirks: Quirks::ALL, ..Settings::new(address(0)) }, habits, real.clone());
    let mut bus = Bus::new(Line::new(2400), vec![Box::new(one)]);
    let mut now = 0;
    for round in 0..40 {
        let to = if round % 2 == 0 { address(0) } else { Address::WILDCARD };
        let (answer, until) = ask(&mut bus, now, Standard::V2007, to, &read(Di::Long(0x0001_0000)));
        let (message, fits) = answer.unwrap_or_else(|e| panic!("round {round}: {e}"));
        assert_eq!(fits, if round % 2 == 0 { Match::Exact } else { Match::Wildcard });
        let logged = look(&real).answered().last().unwrap().1;
        assert_eq!(total(&data(message)), (logged / 10_000_000) as i64);
        let (answer, until) = ask(&mut bus, until, Standard::V2007, to, &read(Di::Long(0x0201_0100)));
        let reading = data(answer.unwrap().0).reading;
        assert!(reading.fields[0].value.number().is_none(), "FF is no voltage");
        now = until;
    }
}
