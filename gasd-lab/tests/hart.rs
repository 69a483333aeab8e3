// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated HART devices, asked and read by gasd-meters.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{MS, exchange, truth};
use gasd_lab::hart::{FlowComputer, Quirks, Settings};
use gasd_lab::truth::look;
use gasd_lab::{Bus, Habits, Line, Shared};
use gasd_meters::hart::{
    Address, Decoded, Frame, Master, Message, Request, check_answer, decode, encode, find,
    probe_after_preamble,
};
use gasd_meters::poll::Echo;
use gasd_meters::{Error, Flag, Kind, Register};

const LINE: Line = Line { echo: true, ..Line::new(1200) };

fn bus(quirks: Quirks, habits: &Habits) -> (Bus, Vec<Shared>) {
    let truths: Vec<Shared> = (0..3).map(truth).collect();
    let meters = (0..).zip(&truths).map(|(n, truth)| {
        let settings = Settings { quirks, ..Settings::new(n, 100 + u16::from(n)) };
        Box::new(FlowComputer::new(settings, habits.clone(), truth.clone())) as Box<_>
    });
    (Bus::new(LINE, meters.collect()), truths)
}

fn ask(
    bus: &mut Bus,
    now_ns: u64,
    master: Master,
    address: Address,
    request: &Request<'_>,
) -> (Result<Decoded, Error>, u64) {
    let bytes = encode(master, address, request, 10).unwrap();
    let asked = Frame::parse(&bytes[10..]).unwrap();
    let line = gasd_meters::poll::Line {
        byte_ns: LINE.byte_ns,
        answer_ns: 305 * MS,
        gap_ns: 100 * MS,
        quiet_ns: 75 * MS,
        babble_ns: 2_000 * MS,
        echo: Echo::Always,
    };
    let judge = |answer: &[u8]| check_answer(&asked, &Frame::parse(find(answer)?)?);
    let (outcome, until) = exchange(bus, now_ns, &bytes, line, probe_after_preamble, judge);
    let decoded =
        outcome.result.map(|bytes| decode(&Frame::parse(find(&bytes).unwrap()).unwrap(), &mut ()).unwrap());
    (decoded, until)
}

fn variable(n: u32) -> Register {
    Register { subunit: n, ..Register::PLAIN }
}

#[test]
fn a_device_is_polled_named_and_read_by_either_master() {
    let (mut bus, truths) = bus(Quirks::default(), &Habits::default());
    let mut now = 0;
    for (poll, truth) in (0..).zip(&truths) {
        for master in [Master::Primary, Master::Secondary] {
            let (answer, until) = ask(&mut bus, now, master, Address::Polling(poll), &Request::Identify);
            let Message::Identity(who) = answer.unwrap().message else { panic!() };
            assert_eq!((who.hart, who.id, who.preambles_back), (7, [0x4C, 0, 100 + poll], Some(5)));
            let (answer, until) = ask(&mut bus, until, master, who.address(), &Request::Dynamic);
            let reading = answer.unwrap().message.into_reading().unwrap();
            let volume = reading.get_at(Kind::Volume, variable(2)).unwrap();
            assert_eq!(volume.volume_ul(), Ok(look(truth).answered().last().unwrap().1 as i64));
            let flow = reading.get_at(Kind::Flow, variable(0)).unwrap();
            assert_eq!(flow.value.to_string(), "1.8 m³/h");
            assert!(reading.get_at(Kind::Temperature, variable(3)).unwrap().value.number().is_some());
            let (answer, until) = ask(&mut bus, until, master, who.address(), &Request::Tag);
            let Message::Tag { tag, .. } = answer.unwrap().message else { panic!() };
            assert_eq!(tag, format!("FT-{:05}", 100 + u16::from(poll)));
            now = until;
        }
    }
    let tag = Request::IdentifyByTag("FT-00101");
    let (answer, now) = ask(&mut bus, now, Master::Primary, Address::BROADCAST, &tag);
    let Message::Identity(who) = answer.unwrap().message else { panic!() };
    assert_eq!(who.id, [0x4C, 0, 101]);
    let (answer, now) = ask(&mut bus, now, Master::Primary, who.address(), &Request::Message);
    assert!(matches!(answer.unwrap().message, Message::Refused(Error::DeviceError { code: 64, .. })));
    let (answer, now) = ask(&mut bus, now, Master::Primary, Address::Polling(1), &Request::Dynamic);
    assert_eq!(answer.unwrap_err(), Error::Timeout, "its short address is for command 0");
    let (answer, _) = ask(&mut bus, now, Master::Primary, Address::Polling(9), &Request::Identify);
    assert_eq!(answer.unwrap_err(), Error::Timeout);
}

#[test]
fn quirks_are_borne() {
    let habits = Habits { wake: (0, 0), ..Habits::quirky(5, 250 * MS) };
    let (mut bus, truths) = bus(Quirks::ALL, &habits);
    let mut now = 0;
    for round in 0..30 {
        let poll = (round % 3) as u8;
        let (answer, until) = ask(&mut bus, now, Master::Primary, Address::Polling(poll), &Request::Dynamic);
        let reading = answer.unwrap_or_else(|e| panic!("{round}: {e}")).message.into_reading().unwrap();
        let volume = reading.get_at(Kind::Volume, variable(2)).unwrap();
        let logged = look(&truths[usize::from(poll)]).answered().last().unwrap().1;
        assert_eq!(volume.volume_ul(), Ok(logged as i64));
        assert_eq!(reading.flags.get(Flag::Restarted), Some(true));
        assert!(
            reading
                .fields
                .iter()
                .any(|field| field.register == variable(1) && field.value.number().is_none())
        );
        now = until;
    }
}
