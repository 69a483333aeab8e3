// SPDX-License-Identifier: MIT OR Apache-2.0
//! A LwM2M server: a meter registers, tells its frames and goes, on a net that loses, doubles and delays.
#![allow(clippy::unwrap_used, reason = "test code")]

#[path = "common/coap.rs"]
mod messages;

use std::net::SocketAddr;

use gasd_meters::nbiot::{
    Block, Client, Code, Content, Event, Message, Output, Path, Said, Server, Settings, Type, option, say,
};
use gasd_meters::{Kind, cjt188, hex};
use messages::{any_message, parse};
use proptest::prelude::*;

const S: u64 = 1_000_000_000;

fn peer(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], port))
}

proptest! {
    /// Whatever comes from whom: no more clients than there may be, and no answer to nobody.
    #[test]
    fn a_server_holds_its_bounds(
        datagrams in prop::collection::vec((0..12u16, any_message(), 0..3usize), 1..60),
    ) {
        let mut server = Server::new(Settings { clients: 4, ..Settings::default() }, 1);
        for (n, (port, mut message, how)) in datagrams.into_iter().enumerate() {
            if how > 0 {
                let ep = format!("ep={}", n % 9);
                message.kind = Type::Confirmable;
                message.code = Code::POST;
                message.options = vec![(option::URI_PATH, b"rd".into()), (option::URI_QUERY, ep.into())];
                message.payload = b"</3/0>,</19/0>".into();
            }
            let out = server.datagram(n as u64 * S, peer(port), &message.encode().unwrap());
            prop_assert!(out.iter().all(|o| !matches!(o, Output::Send(to, _) if *to != peer(port))));
            server.tick(n as u64 * S);
            prop_assert!(server.clients().len() <= 4);
            prop_assert!(server.clients().is_empty() || server.due_ns().is_some());
        }
    }
}

/// What a server does, apart.
fn split(out: Vec<Output>) -> (Vec<Message>, Vec<Event>) {
    let (mut sent, mut events) = (vec![], vec![]);
    for output in out {
        match output {
            Output::Send(_, bytes) => sent.push(parse(&bytes)),
            Output::Event(event) => events.push(event),
        }
    }
    (sent, events)
}

fn register(id: u16, endpoint: &str) -> Message {
    let ep = format!("ep={endpoint}");
    Message {
        payload: b"</>;rt=\"oma.lwm2m,x\",</3/0>,</19/0>".into(),
        ..Message::new(Type::Confirmable, Code::POST, id, &[7])
    }
    .with(option::URI_PATH, b"rd")
    .with_number(option::CONTENT_FORMAT, 40)
    .with(option::URI_QUERY, ep.as_bytes())
    .with(option::URI_QUERY, b"lt=400")
    .with(option::URI_QUERY, b"b=UQ")
    .with(option::URI_QUERY, b"lwm2m=1.0")
}

fn send(server: &mut Server, now_ns: u64, message: &Message) -> (Vec<Message>, Vec<Event>) {
    split(server.datagram(now_ns, peer(5683), &message.encode().unwrap()))
}

/// A server with a client that is registered; and the request for the first thing that it has.
fn registered() -> (Server, Message) {
    let mut server = Server::new(Settings::default(), 0x1234_5678_9ABC_DEF0);
    let (sent, events) = send(&mut server, 0, &register(1, "864000000000001"));
    assert_eq!(events, [Event::Registered("864000000000001".into())]);
    let [created, observe] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((created.kind, created.code, created.id), (Type::Acknowledgement, Code::CREATED, 1));
    assert_eq!(created.token, [7]);
    let location = server.clients()[0].location.to_string();
    assert_eq!(created.texts(option::LOCATION_PATH).collect::<Vec<_>>(), ["rd", &location]);
    let observe = observe.clone();
    (server, observe)
}

/// The answer to a request, sent along with the acknowledgement.
fn content(request: &Message, number: Option<u32>, format: u32, payload: &[u8]) -> Message {
    let mut message = Message::new(Type::Acknowledgement, Code::CONTENT, request.id, &request.token);
    if let Some(number) = number {
        message = message.with_number(option::OBSERVE, number);
    }
    Message { payload: payload.into(), ..message.with_number(option::CONTENT_FORMAT, format) }
}

/// A client whose objects 3 and 19 are observed; the token of the latter.
fn observed() -> (Server, Vec<u8>) {
    let (mut server, device) = registered();
    assert_eq!((device.code, device.number(option::OBSERVE)), (Code::GET, Some(0)));
    assert_eq!(device.texts(option::URI_PATH).collect::<Vec<_>>(), ["3", "0"]);
    let (sent, events) =
        send(&mut server, S, &content(&device, Some(1), 11_542, &hex::parse("C10950C2070E10").unwrap()));
    let [Event::Said { path, content: said, late: false, .. }] = &events[..] else { panic!("{events:?}") };
    let Said::Reading(reading) = say(*path, said).unwrap() else { panic!() };
    assert_eq!(reading.get(Kind::Battery).unwrap().value.to_string(), "80 %");
    assert_eq!(reading.get(Kind::BatteryVoltage).unwrap().value.to_string(), "3600 mV");
    let [data] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(data.texts(option::URI_PATH).collect::<Vec<_>>(), ["19", "0", "0"]);
    let (sent, events) = send(&mut server, 2 * S, &content(data, Some(1), 42, &[]));
    assert_eq!((sent.len(), events.len()), (0, 1), "one request at a time, and no more are wanted");
    (server, data.token.clone())
}

fn telling(kind: Type, id: u16, token: &[u8], number: u32, payload: &[u8]) -> Message {
    let message = Message::new(kind, Code::CONTENT, id, token)
        .with_number(option::OBSERVE, number)
        .with_number(option::CONTENT_FORMAT, 42);
    Message { payload: payload.into(), ..message }
}

#[test]
fn a_meter_tells_a_frame_of_its_own_protocol() {
    let (mut server, token) = observed();
    let gas =
        hex::parse("FEFEFEFE6830420000000033788116901F07785634122C001200002C5634122802262005006116").unwrap();
    let (sent, events) = send(&mut server, 3 * S, &telling(Type::Confirmable, 40, &token, 2, &gas));
    let [Event::Said { endpoint, path, content, late: false, again: false }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((&endpoint[..], path.to_string()), ("864000000000001", "/19/0/0".into()));
    assert_eq!((sent[0].kind, sent[0].code, sent[0].id), (Type::Acknowledgement, Code::EMPTY, 40));
    let Said::Frames(frames) = say(*path, content).unwrap() else { panic!() };
    assert_eq!(frames, [gas]);
    let frame = cjt188::Frame::parse(cjt188::find(&frames[0]).unwrap()).unwrap();
    let decoded = cjt188::decode(&frame, &cjt188::Profile::STANDARD, None, &mut ()).unwrap();
    let reading = decoded.message.into_reading().unwrap();
    assert_eq!(reading.get(Kind::Volume).unwrap().volume_ul(), Ok(123_456_780_000_000));
}

#[test]
fn what_comes_twice_counts_once() {
    let (mut server, token) = observed();
    let message = telling(Type::Confirmable, 40, &token, 2, b"x");
    let first = send(&mut server, 3 * S, &message);
    let again = send(&mut server, 9 * S, &message);
    assert_eq!(first.1.len(), 1);
    assert_eq!(again, (first.0, vec![]), "the same reply, and nothing happened");
    // A registration that comes twice is one, and is answered as before.
    let one = send(&mut server, 10 * S, &register(41, "864000000000001"));
    let two = send(&mut server, 11 * S, &register(41, "864000000000001"));
    assert_eq!((one.0[0].clone(), 0), (two.0[0].clone(), two.1.len()));
    assert_eq!(server.clients().len(), 1);
    // Without a wish to be acknowledged: nothing is replied, and twice is once.
    let (mut server, token) = observed();
    let message = telling(Type::NonConfirmable, 50, &token, 2, b"x");
    let (sent, events) = send(&mut server, 3 * S, &message);
    assert_eq!((sent.len(), events.len()), (0, 1));
    assert_eq!(send(&mut server, 3 * S, &message), (vec![], vec![]));
    // After four minutes the number is a new message's.
    assert_eq!(send(&mut server, 251 * S, &telling(Type::NonConfirmable, 50, &token, 3, b"y")).1.len(), 1);
}

#[test]
fn what_is_overtaken_is_told_as_late() {
    let (mut server, token) = observed();
    let mut late = |id, number, at_s: u64| {
        let (_, events) = send(&mut server, at_s * S, &telling(Type::Confirmable, id, &token, number, b"x"));
        let [Event::Said { late, .. }] = events[..] else { panic!("{events:?}") };
        late
    };
    assert!(!late(40, 5, 3));
    assert!(late(41, 4, 4));
    assert!(late(42, 5, 5));
    assert!(!late(43, 6, 6));
    assert!(!late(44, 2, 200), "after 128 s any number is new");
    assert!(!late(45, 0x00FF_FFFE, 400) && !late(46, 1, 401), "numbers turn over");
}

#[test]
fn what_is_not_understood_is_said_so() {
    let (mut server, _) = observed();
    let (sent, events) = send(&mut server, 3 * S, &telling(Type::Confirmable, 60, &[9; 8], 2, b"x"));
    assert_eq!((sent[0].kind, sent[0].id, events.len()), (Type::Reset, 60, 0), "a token that nobody gave");
    let ping = Message::new(Type::Confirmable, Code::EMPTY, 61, &[]);
    assert_eq!(send(&mut server, 3 * S, &ping).0[0].kind, Type::Reset);
    let mut code = |id, code: Code, parts: &[&str], odd: bool| {
        let mut message = Message::new(Type::Confirmable, code, id, &[]);
        for part in parts {
            message = message.with(option::URI_PATH, part.as_bytes());
        }
        if odd {
            message = message.with(2053, b"?");
        }
        send(&mut server, 4 * S, &message).0[0].code
    };
    assert_eq!(code(62, Code::GET, &["rd"], false), Code::METHOD_NOT_ALLOWED);
    assert_eq!(code(63, Code::POST, &["rd"], false), Code::BAD_REQUEST, "without a name");
    assert_eq!(code(64, Code::POST, &["rd", "9999999"], false), Code::NOT_FOUND);
    assert_eq!(code(65, Code::GET, &["x"], false), Code::NOT_FOUND);
    assert_eq!(code(66, Code::GET, &["x"], true), Code::BAD_OPTION);
    let rejected = server.datagram(5 * S, peer(1), &[0xFF]);
    assert!(matches!(rejected[..], [Output::Event(Event::Rejected(..))]));
}

#[test]
fn a_client_stays_moves_and_goes() {
    let (mut server, _) = observed();
    let location = server.clients()[0].location.to_string();
    let to = |id, code| {
        Message::new(Type::Confirmable, code, id, &[])
            .with(option::URI_PATH, b"rd")
            .with(option::URI_PATH, location.as_bytes())
    };
    let (sent, events) = send(&mut server, 250 * S, &to(70, Code::POST));
    assert_eq!((sent[0].code, sent.len()), (Code::CHANGED, 1));
    assert_eq!(events, [Event::Updated("864000000000001".into())]);
    assert_eq!(server.tick(549 * S), []);
    // From another address: what it told from there was refused, so it is asked anew.
    let out = server.datagram(500 * S, peer(9), &to(71, Code::POST).encode().unwrap());
    let (sent, _) = split(out);
    assert_eq!(sent[1].number(option::OBSERVE), Some(0));
    assert_eq!(server.clients()[0].peer, peer(9));
    let (sent, events) = split(server.tick(899 * S));
    assert_eq!((sent.len(), events.len()), (1, 0), "asked again");
    assert_eq!(server.due_ns(), Some(900 * S));
    let (_, events) = split(server.tick(900 * S));
    assert_eq!(events, [Event::Expired("864000000000001".into())]);
    assert!(server.clients().is_empty() && server.due_ns().is_none());
    // And one that says goodbye.
    let (mut server, _) = observed();
    let location = server.clients()[0].location.to_string();
    let bye = Message::new(Type::NonConfirmable, Code::DELETE, 72, &[3])
        .with(option::URI_PATH, b"rd")
        .with(option::URI_PATH, location.as_bytes());
    let (sent, events) = send(&mut server, 9 * S, &bye);
    assert_eq!((sent[0].kind, sent[0].code), (Type::NonConfirmable, Code::DELETED));
    assert_eq!(events, [Event::Left("864000000000001".into())]);
}

#[test]
fn a_request_is_sent_again_and_given_up() {
    let (mut server, observe) = registered();
    let mut sent_at = vec![];
    let mut now_ns = 0;
    let silent = loop {
        now_ns = server.due_ns().unwrap().max(now_ns);
        let (sent, events) = split(server.tick(now_ns));
        if sent.contains(&observe) {
            sent_at.push(now_ns / S);
        }
        if let Some(event) = events.first() {
            break event.clone();
        }
    };
    assert_eq!(sent_at, [10, 30, 70, 150], "twice as long each time");
    assert_eq!(silent, Event::Silent { endpoint: "864000000000001".into(), path: Path::new(&[3, 0]) });
    assert_eq!(now_ns / S, 310);
    // An empty acknowledgement: the answer comes by itself.
    let (mut server, observe) = registered();
    let arrived = Message::new(Type::Acknowledgement, Code::EMPTY, observe.id, &[]);
    send(&mut server, S, &arrived);
    assert_eq!(server.tick(100 * S), []);
    let answer = Message { kind: Type::Confirmable, id: 90, ..content(&observe, Some(1), 0, b"x") };
    let (sent, events) = send(&mut server, 101 * S, &answer);
    assert_eq!((sent[0].kind, events.len()), (Type::Acknowledgement, 1));
    // A refusal is told, and the next thing is asked for.
    let (mut server, observe) = registered();
    let refused = Message::new(Type::Acknowledgement, Code::NOT_FOUND, observe.id, &observe.token);
    let (sent, events) = send(&mut server, S, &refused);
    assert_eq!(sent[0].texts(option::URI_PATH).next(), Some("19"));
    let known = Event::Refused {
        endpoint: "864000000000001".into(),
        path: Path::new(&[3, 0]),
        code: Code::NOT_FOUND,
    };
    assert_eq!(events, [known]);
}

#[test]
fn bodies_in_blocks_both_ways() {
    let mut server = Server::new(Settings::default(), 5);
    let list = "</3/0>,</4/0>,</19/0>,</5/0>,</6>";
    let parts: Vec<_> = list.as_bytes().chunks(16).collect();
    for (n, part) in parts.iter().enumerate() {
        let block = Block { number: n as u32, more: n + 1 < parts.len(), size: 0 };
        let mut message = register(n as u16, "864").with_number(option::BLOCK1, block.to_option());
        message.payload = part.to_vec();
        let (sent, _) = send(&mut server, 0, &message);
        let code = if block.more { Code::CONTINUE } else { Code::CREATED };
        assert_eq!((sent[0].code, sent[0].number(option::BLOCK1)), (code, Some(block.to_option())));
    }
    assert_eq!(server.clients()[0].objects.len(), 5);
    let mut lost =
        register(9, "865").with_number(option::BLOCK1, Block { number: 3, more: true, size: 0 }.to_option());
    lost.payload = vec![0; 16];
    assert_eq!(send(&mut server, 0, &lost).0[0].code, Code::INCOMPLETE);

    // A telling of 40 bytes in blocks of 16: the others are fetched.
    let (mut server, token) = observed();
    let body: Vec<u8> = (0..40).collect();
    let block = |n: usize| Block { number: n as u32, more: n < 2, size: 0 }.to_option();
    let first = telling(Type::Confirmable, 80, &token, 2, &body[..16]).with_number(option::BLOCK2, block(0));
    let (mut sent, mut events) = send(&mut server, 3 * S, &first);
    for n in 1..3 {
        assert!(events.is_empty());
        let ask = sent.pop().unwrap();
        assert_eq!(ask.number(option::BLOCK2), Some((n as u32) << 4));
        assert_ne!(ask.token, token);
        let part = &body[16 * n..body.len().min(16 * n + 16)];
        let answer = content(&ask, None, 42, part).with_number(option::BLOCK2, block(n));
        (sent, events) = send(&mut server, 3 * S, &answer);
    }
    let [Event::Said { content: Content::Opaque(whole), .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*whole, body);
    // The observation goes on.
    assert_eq!(send(&mut server, 4 * S, &telling(Type::Confirmable, 81, &token, 3, b"x")).1.len(), 1);
}

#[test]
fn a_body_that_changes_while_it_is_fetched_is_fetched_anew() {
    let (mut server, token) = observed();
    let block = |n: u32, more| Block { number: n, more, size: 0 }.to_option();
    let part = |message: Message, n, more, tag: &[u8]| {
        message.with_number(option::BLOCK2, block(n, more)).with(option::ETAG, tag)
    };
    let first = part(telling(Type::Confirmable, 80, &token, 2, &[1; 16]), 0, true, b"a");
    let (mut sent, _) = send(&mut server, 3 * S, &first);
    // Its second half is another's: from the first block on, then.
    let answer = part(content(&sent.pop().unwrap(), None, 42, &[2; 4]), 1, false, b"b");
    let (mut sent, events) = send(&mut server, 3 * S, &answer);
    let ask = sent.pop().unwrap();
    assert_eq!((ask.number(option::BLOCK2), events), (Some(0), vec![]));
    let answer = part(content(&ask, None, 42, &[2; 16]), 0, true, b"b");
    let (mut sent, events) = send(&mut server, 3 * S, &answer);
    let ask = sent.pop().unwrap();
    assert_eq!((ask.number(option::BLOCK2), events), (Some(1 << 4), vec![]));
    let (_, events) = send(&mut server, 3 * S, &part(content(&ask, None, 42, &[2; 4]), 1, false, b"b"));
    let [Event::Said { content: Content::Opaque(whole), .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*whole, [2; 20]);

    // One that changes faster than it comes is given up: it says so, and asks no more.
    let first = part(telling(Type::Confirmable, 81, &token, 3, &[1; 16]), 0, true, b"a");
    let (mut sent, _) = send(&mut server, 4 * S, &first);
    let mut refused = 0;
    for tag in [b"b", b"c", b"d", b"e"] {
        let Some(ask) = sent.pop().filter(|ask| ask.code == Code::GET) else { break };
        let n = ask.number(option::BLOCK2).unwrap_or(0) >> 4;
        let events;
        (sent, events) = send(&mut server, 4 * S, &part(content(&ask, None, 42, &[1; 16]), n, true, tag));
        refused += events.iter().filter(|event| matches!(event, Event::Refused { .. })).count();
        assert!(!events.iter().any(|event| matches!(event, Event::Said { .. })));
    }
    assert_eq!((refused, sent.len()), (1, 0));
}

#[test]
fn after_a_restart_what_was_observed_still_is() {
    let (server, token) = observed();
    let kept: Vec<Vec<u8>> = server.clients().iter().map(Client::to_bytes).collect();
    let mut server = Server::new(Settings::default(), 77);
    assert_eq!(send(&mut server, 0, &telling(Type::Confirmable, 1, &token, 9, b"x")).1, []);
    for bytes in &kept {
        for end in 0..bytes.len() {
            assert!(Client::from_bytes(&bytes[..end]).is_err(), "{end} bytes");
        }
        assert_eq!(Client::from_bytes(&[&bytes[..], &[0]].concat()).unwrap_err().kind(), "malformed");
        server.restore(Client::from_bytes(bytes).unwrap(), 0);
        assert_eq!(server.clients()[0].to_bytes()[..60], bytes[..60]);
    }
    assert_eq!(send(&mut server, 0, &telling(Type::Confirmable, 2, &token, 9, b"x")).1.len(), 1);
    assert_eq!(server.clients()[0].expires_ns, 400 * S);
}
