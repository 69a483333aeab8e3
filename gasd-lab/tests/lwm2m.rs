// SPDX-License-Identifier: MIT OR Apache-2.0
//! Simulated NB-IoT clients, heard by gasd-meters' LwM2M server.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use common::{MS, SECOND, truth};
use gasd_lab::cjt188::{self, GasMeter};
use gasd_lab::loss::{Loss, Lossy};
use gasd_lab::lwm2m::{Client, Settings, State};
use gasd_lab::truth::look;
use gasd_lab::udp::Peer;
use gasd_lab::{Habits, Meter, Shared};
use gasd_meters::cjt188::{
    Frame, Order, Profile, Request, Target, ValveCommand, check_valve, decode, encode, find,
};
use gasd_meters::nbiot::{Code, Event, Message, Output, Path, Said, Server, Type, option, say};
use gasd_meters::{Kind, Valve};

const PEER: fn() -> SocketAddr = || "10.0.0.2:5683".parse().unwrap();

fn meter(truth: &Shared) -> GasMeter {
    let address = "33780000000001".parse().unwrap();
    GasMeter::new(cjt188::Settings::new(address), Habits::default(), truth.clone())
}

fn client(settings: Settings, loss: Loss) -> (Lossy<Client>, Shared) {
    let truth = truth(1);
    (Lossy::new(Client::new(settings, meter(&truth), 0), loss), truth)
}

/// Lets client and server speak until `until_ns`, 40 ms each way; what happened.
fn run(client: &mut Lossy<Client>, server: &mut Server, from_ns: u64, until_ns: u64) -> Vec<(u64, Event)> {
    let mut to_client: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut events = Vec::new();
    let mut now = from_ns;
    loop {
        let times = [client.due_ns(), server.due_ns(), to_client.iter().map(|(at, _)| *at).min()];
        match times.into_iter().flatten().min() {
            Some(due) if due.max(now) <= until_ns => now = due.max(now),
            _ => return events,
        }
        while let Some(n) = to_client.iter().position(|(at, _)| *at <= now) {
            client.sent(now, to_client.remove(n).1);
        }
        let mut outputs = Vec::new();
        for datagram in client.take(now) {
            outputs.extend(server.datagram(now, PEER(), &datagram));
        }
        if server.due_ns().is_some_and(|due| due <= now) {
            outputs.extend(server.tick(now));
        }
        for output in outputs {
            match output {
                Output::Send(_, bytes) => to_client.push((now + 40 * MS, bytes)),
                Output::Event(event) => events.push((now, event)),
            }
        }
    }
}

/// Volumes that were told, µL.
fn volumes(events: &[(u64, Event)]) -> Vec<Vec<i64>> {
    let mut all = Vec::new();
    for (_, event) in events {
        let Event::Said { path, content, .. } = event else { continue };
        if let Said::Frames(frames) = say(*path, content).unwrap() {
            let volume = |frame: &Vec<u8>| {
                let frame = Frame::parse(find(frame).unwrap()).unwrap();
                let decoded = decode(&frame, &Profile::STANDARD, None, &mut ()).unwrap();
                let reading = decoded.message.into_reading().unwrap();
                reading.get(Kind::Volume).unwrap().volume_ul().unwrap()
            };
            all.push(frames.iter().map(volume).collect());
        }
    }
    all
}

fn logged(truth: &Shared) -> Vec<i64> {
    look(truth).answered().iter().map(|(_, ul)| *ul as i64).collect()
}

#[test]
fn it_registers_is_asked_and_tells() {
    let (mut client, truth) = client(Settings::new("866123456789012"), Loss::default());
    let mut server = Server::new(Default::default(), 77);
    let events = run(&mut client, &mut server, 0, 3_000 * SECOND);
    assert_eq!(events[0].1, Event::Registered("866123456789012".into()));
    let updates = events.iter().filter(|(_, event)| matches!(event, Event::Updated(_))).count();
    assert_eq!((updates, client.endpoint.counts().updated), (1, 1), "after half of its lifetime");
    let tells: Vec<String> = client.endpoint.tells().map(|path| path.to_string()).collect();
    assert_eq!(tells, ["/3/0", "/4/0", "/5/0", "/19/0/0"]);
    let told: Vec<i64> = volumes(&events).concat();
    assert_eq!(told, logged(&truth));
    assert_eq!(told.len(), 50, "as it was asked, and once a minute");
    let device = events.iter().find_map(|(_, event)| match event {
        Event::Said { path, content, .. } if *path == Path::new(&[3, 0]) => {
            Some(say(*path, content).unwrap())
        }
        _ => None,
    });
    let Some(Said::Reading(device)) = device else { panic!() };
    assert_eq!(device.meter.id, "866123456789012");
    assert_eq!(device.get(Kind::Battery).unwrap().value.to_string(), "97 %");
    assert_eq!(device.get(Kind::BatteryVoltage).unwrap().value.to_string(), "3600 mV");
    assert!(device.clock().unwrap().is_ok());
    client.endpoint.leave();
    let events = run(&mut client, &mut server, 3_000 * SECOND, 3_010 * SECOND);
    assert_eq!(events[0].1, Event::Left("866123456789012".into()));
    assert_eq!(client.endpoint.state(), &State::Left);
}

#[test]
fn long_bodies_go_in_blocks_there_and_back() {
    // Registration in blocks of 32; ten readings in blocks as well.
    let settings = Settings { block: 1, readings: 10, ..Settings::new("blocks") };
    let (mut client, truth) = client(settings, Loss::default());
    let mut server = Server::new(Default::default(), 78);
    let events = run(&mut client, &mut server, 0, 1_500 * SECOND);
    assert_eq!(server.clients()[0].objects.len(), 6);
    let told = volumes(&events);
    let log = logged(&truth);
    assert!(told.len() >= 20 && told.last().unwrap().len() == 10, "{told:?}");
    for (n, report) in (1..).zip(&told) {
        assert_eq!(report[..], log[usize::saturating_sub(n, 10)..n], "the newest and those before it");
    }
}

#[test]
fn losses_are_made_good() {
    for confirmable in [true, false] {
        let loss = Loss { drop_ppm: 250_000, duplicate_ppm: 100_000, reorder_ppm: 100_000, seed: 9 };
        let settings = Settings { confirmable, report_ns: 120 * SECOND, ..Settings::new("lossy") };
        let (mut client, truth) = client(settings, loss);
        let mut server = Server::new(Default::default(), 79);
        let events = run(&mut client, &mut server, 0, 20_000 * SECOND);
        let told: Vec<i64> = volumes(&events).concat();
        let log = logged(&truth);
        let mut rest = log.iter();
        assert!(told.iter().all(|ul| rest.any(|other| other == ul)), "each once, in its order");
        let share = told.len() as f64 / log.len() as f64;
        assert!(
            if confirmable { share > 0.97 } else { (0.6..0.9).contains(&share) },
            "{confirmable} {share}"
        );
        assert_eq!(client.endpoint.counts().again > 20, confirmable);
    }
}

#[test]
fn a_client_that_was_forgotten_registers_anew() {
    let (mut client, _) = client(Settings::new("forgotten"), Loss::default());
    run(&mut client, &mut Server::new(Default::default(), 80), 0, 100 * SECOND);
    let mut server = Server::new(Default::default(), 81);
    let events = run(&mut client, &mut server, 100 * SECOND, 2_500 * SECOND);
    assert!(events.iter().any(|(_, event)| matches!(event, Event::Registered(_))));
    assert_eq!(client.endpoint.counts().registered, 2);
    assert!(!volumes(&events).is_empty());
}

#[test]
fn nobody_answers() {
    let (mut client, _) = client(Settings::new("alone"), Loss::default());
    let mut times = Vec::new();
    while let Some(now) = client.due_ns().filter(|due| *due < 300 * SECOND) {
        times.extend(client.take(now).iter().map(|_| now));
    }
    // 5 times with 2 to 3 s, 4 to 6, 8 to 12, 16 to 24 between, then after 32 to 48 s and a rest of 30 s anew.
    assert!((11..=15).contains(&times.len()), "{times:?}");
    let waits: Vec<u64> = times.windows(2).take(4).map(|pair| pair[1] - pair[0]).collect();
    assert!((2 * SECOND..3 * SECOND).contains(&waits[0]), "{waits:?}");
    assert!(waits.windows(2).all(|pair| pair[1] == 2 * pair[0]), "{waits:?}");
    assert!(client.endpoint.counts().given_up >= 2);
}

#[test]
fn a_sleeper_hears_after_it_spoke() {
    let settings = Settings { awake_ns: Some(5 * SECOND), ..Settings::new("sleeper") };
    let (mut client, _) = client(settings, Loss::default());
    let mut server = Server::new(Default::default(), 82);
    run(&mut client, &mut server, 0, 130 * SECOND);
    assert!(server.clients()[0].sleeps && client.endpoint.tells().count() == 4);
    let ping =
        Message::new(Type::Confirmable, Code::GET, 4711, &[1]).with(option::URI_PATH, b"3").encode().unwrap();
    let spoke = client.endpoint.counts().told;
    client.sent(150 * SECOND, ping);
    assert!(client.take(150 * SECOND).is_empty());
    assert_eq!((client.endpoint.counts().slept_through, client.endpoint.counts().told), (1, spoke));
}

#[test]
fn a_frame_that_is_written_moves_the_valve_once() {
    let (mut client, truth) = client(Settings::new("valve"), Loss::default());
    let mut server = Server::new(Default::default(), 83);
    run(&mut client, &mut server, 0, 65 * SECOND);
    let target = Target { kind: 0x30, address: "33780000000001".parse().unwrap(), order: Order::LowFirst };
    let close = encode(&target, &Profile::STANDARD, 9, &Request::Valve(ValveCommand::Close), 0).unwrap();
    let mut write = Message::new(Type::Confirmable, Code::PUT, 99, &[5]);
    for part in ["19", "1", "0"] {
        write = write.with(option::URI_PATH, part.as_bytes());
    }
    write.payload = close.clone();
    let mut answers = Vec::new();
    for _ in 0..2 {
        client.sent(70 * SECOND, write.encode().unwrap());
        answers.extend(client.take(70 * SECOND));
    }
    let codes: Vec<Code> = answers.iter().map(|a| Message::parse(a, &mut ()).unwrap().code).collect();
    assert_eq!(codes, [Code::CHANGED, Code::CHANGED], "the second is a repetition");
    let events = run(&mut client, &mut server, 70 * SECOND, 75 * SECOND);
    let frame = events.iter().find_map(|(_, event)| match event {
        Event::Said { path, content, .. } => match say(*path, content).unwrap() {
            Said::Frames(frames) => frames.into_iter().next(),
            _ => None,
        },
        _ => None,
    });
    let frame = frame.unwrap();
    let (asked, answer) = (Frame::parse(&close).unwrap(), Frame::parse(find(&frame).unwrap()).unwrap());
    check_valve(&asked, &answer, &Profile::STANDARD, None).unwrap();
    assert_eq!(look(&truth).executed().map(|(_, to)| to).collect::<Vec<_>>(), [Valve::Closed]);
    assert_eq!(look(client.endpoint.meter().truth()).valve(80 * SECOND), Valve::Closed);
}

#[test]
fn over_a_socket() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let now = gasd_lab::clock::now_ns();
    let settings = Settings { report_ns: 50 * MS, ..Settings::new("socket") };
    let client = Lossy::new(Client::new(settings, meter(&truth(0)), now), Loss::default());
    let peer = Peer::open(socket.local_addr().unwrap(), client).unwrap();
    let mut server = Server::new(Default::default(), 84);
    let mut events = Vec::new();
    let mut buffer = [0; 2048];
    while volumes(&events).len() < 3 {
        let (n, from) = socket.recv_from(&mut buffer).unwrap();
        let now = gasd_lab::clock::now_ns();
        for output in server.datagram(now, from, &buffer[..n]) {
            match output {
                Output::Send(to, bytes) => drop(socket.send_to(&bytes, to).unwrap()),
                Output::Event(event) => events.push((now, event)),
            }
        }
    }
    assert!(matches!(peer.endpoint().endpoint.state(), State::Registered(_)));
}

proptest::proptest! {
    #[test]
    fn no_client_breaks_whatever_it_hears(
        messages in proptest::collection::vec((0u8..4, proptest::num::u8::ANY, proptest::num::u16::ANY, 0u16..40, proptest::collection::vec(proptest::num::u8::ANY, 0..24), 0u64..90), 1..30),
    ) {
        let (mut client, _) = client(Settings { block: 0, readings: 5, ..Settings::new("x") }, Loss::default());
        let mut now = 0;
        for (kind, code, id, number, bytes, wait) in messages {
            client.take(now);
            let kind = [Type::Confirmable, Type::NonConfirmable, Type::Acknowledgement, Type::Reset][usize::from(kind)];
            let mut message = Message::new(kind, Code(code), id, &[1, 2]).with(option::URI_PATH, b"19").with(option::URI_PATH, b"0");
            message = message.with(option::URI_PATH, b"0").with(number, &bytes);
            message.payload = bytes.clone();
            client.sent(now, message.encode().unwrap());
            client.sent(now, bytes);
            client.take(now);
            now += wait * SECOND;
        }
    }
}
