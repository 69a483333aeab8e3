// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may register with a LwM2M server, and who ends that.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::net::SocketAddr;

use gasd_meters::nbiot::{Code, Message, Output, Server, Settings, Type, option};

const S: u64 = 1_000_000_000;

fn peer(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], port))
}

fn register(id: u16, endpoint: &str) -> Message {
    Message::new(Type::Confirmable, Code::POST, id, &[7])
        .with(option::URI_PATH, b"rd")
        .with(option::URI_QUERY, format!("ep={endpoint}").as_bytes())
        .with(option::URI_QUERY, b"lt=400")
        .with(option::URI_QUERY, b"b=UQ")
}

/// What the first thing that is sent says.
fn code(out: &[Output]) -> Code {
    let Some(Output::Send(_, bytes)) = out.first() else { panic!("{out:?}") };
    Message::parse(bytes, &mut ()).unwrap().code
}

#[test]
fn a_registration_is_ended_by_nobody_else() {
    let mut server = Server::new(Settings::default(), 0x1234_5678_9ABC_DEF0);
    for id in 0..50 {
        let out = server.datagram(0, peer(1 + id), &register(id, &format!("client-{id}")).encode().unwrap());
        assert_eq!(code(&out), Code::CREATED);
    }
    // Neither the next number nor a small one.
    let mut locations: Vec<u32> = server.clients().iter().map(|client| client.location).collect();
    locations.sort_unstable();
    assert!(locations.windows(2).all(|pair| pair[1] - pair[0] > 1), "{locations:?}");
    assert!(locations.iter().filter(|location| **location < 1 << 24).count() < 5, "{locations:?}");
    let location = server.clients()[7].location.to_string();
    let bye = |id| {
        let bye = Message::new(Type::Confirmable, Code::DELETE, id, &[3]).with(option::URI_PATH, b"rd");
        bye.with(option::URI_PATH, location.as_bytes()).encode().unwrap()
    };
    assert_eq!(code(&server.datagram(S, peer(900), &bye(90))), Code::FORBIDDEN);
    assert_eq!(server.clients().len(), 50);
    assert_eq!(code(&server.datagram(S, peer(8), &bye(91))), Code::DELETED);
    assert_eq!(server.clients().len(), 49);
}

#[test]
fn what_is_said_twice_is_no_registration() {
    let mut server = Server::new(Settings::default(), 1);
    for (id, twice) in ["ep=another", "lt=500", "lt=none", "b=U"].into_iter().enumerate() {
        let message = register(id as u16, "client").with(option::URI_QUERY, twice.as_bytes());
        let out = server.datagram(0, peer(1), &message.encode().unwrap());
        assert_eq!((code(&out), out.len()), (Code::BAD_REQUEST, 1), "{twice}");
    }
    assert!(server.clients().is_empty());
}

#[test]
fn registrations_that_break_off_keep_nobody_out() {
    let mut server = Server::new(Settings::default(), 1);
    let first = |id| {
        let part = register(id, "client").with_number(option::BLOCK1, 8);
        Message { payload: b"</3/0>,</19/0/0>".into(), ..part }.encode().unwrap()
    };
    let codes: Vec<Code> = (0..40).map(|n| code(&server.datagram(0, peer(1_000 + n), &first(n)))).collect();
    assert!(codes.starts_with(&[Code::CONTINUE]) && codes.ends_with(&[Code::UNAVAILABLE]), "{codes:?}");
    // Nobody is registered, so nobody looks after the time.
    assert_eq!(server.due_ns(), None);
    assert_eq!(code(&server.datagram(301 * S, peer(1), &first(1))), Code::CONTINUE);
}

/// Answers are remembered, so that what is in them is what a datagram may have in vain.
#[test]
fn an_answer_is_short_whatever_was_asked() {
    let mut server = Server::new(Settings::default(), 1);
    let long = register(1, "client").with(option::BLOCK1, &[1; 60_000]);
    let out = server.datagram(0, peer(1), &long.encode().unwrap());
    let [Output::Send(_, bytes)] = &out[..] else { panic!("{} outputs", out.len()) };
    assert_eq!((code(&out), bytes.len() < 20), (Code::BAD_OPTION, true));
}
