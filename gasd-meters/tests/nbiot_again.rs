// SPDX-License-Identifier: MIT OR Apache-2.0
//! What comes twice from a LwM2M client, and what only seems to.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::net::SocketAddr;

use gasd_meters::nbiot::{
    Block, Client, Code, Content, Event, Message, Output, Server, Settings, Type, option,
};

const S: u64 = 1_000_000_000;

fn peer() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5683))
}

fn register(id: u16, token: u8) -> Message {
    let message = Message::new(Type::Confirmable, Code::POST, id, &[token])
        .with(option::URI_PATH, b"rd")
        .with(option::URI_QUERY, b"ep=864000000000001");
    Message { payload: b"</19/0>".into(), ..message }
}

fn hear(server: &mut Server, now_ns: u64, message: &Message) -> Vec<Output> {
    server.datagram(now_ns, peer(), &message.encode().unwrap())
}

fn sent(out: &[Output]) -> Vec<Message> {
    let bytes = out.iter().filter_map(|output| match output {
        Output::Send(_, bytes) => Some(bytes),
        Output::Event(_) => None,
    });
    bytes.map(|bytes| Message::parse(bytes, &mut ()).unwrap()).collect()
}

fn said(out: &[Output]) -> Vec<&[u8]> {
    let content = out.iter().filter_map(|output| match output {
        Output::Event(Event::Said { content: Content::Opaque(bytes), .. }) => Some(&bytes[..]),
        _ => None,
    });
    content.collect()
}

fn telling(id: u16, token: &[u8], number: u32, payload: &[u8]) -> Message {
    let message = Message::new(Type::Confirmable, Code::CONTENT, id, token)
        .with_number(option::OBSERVE, number)
        .with_number(option::CONTENT_FORMAT, 42);
    Message { payload: payload.into(), ..message }
}

/// A server that a client tells its object 19, and the token that it does so with.
fn observing() -> (Server, Vec<u8>) {
    let mut server = Server::new(Settings::default(), 1);
    let [_, asked] = &sent(&hear(&mut server, 0, &register(1, 7)))[..] else { panic!("it is asked") };
    let answer = telling(asked.id, &asked.token, 1, b"first");
    let answer = Message { kind: Type::Acknowledgement, ..answer };
    assert_eq!(said(&hear(&mut server, S, &answer)), [b"first"]);
    (server, asked.token.clone())
}

#[test]
fn a_number_that_begins_anew_loses_nothing() {
    let (mut server, token) = observing();
    let told = telling(2, &token, 2, b"second");
    let out = hear(&mut server, 2 * S, &told);
    assert_eq!((said(&out), sent(&out)[0].kind), (vec![&b"second"[..]], Type::Acknowledgement));
    // The same again is acknowledged again, and is nothing new.
    let again = hear(&mut server, 4 * S, &told);
    assert_eq!((said(&again).len(), sent(&again)), (0, sent(&out)));
    // The module slept without power, and counts its messages from the beginning.
    let next = telling(2, &token, 3, b"third");
    let out = hear(&mut server, 60 * S, &next);
    assert_eq!((said(&out), sent(&out)[0].kind), (vec![&b"third"[..]], Type::Acknowledgement));
    assert!(said(&hear(&mut server, 62 * S, &next)).is_empty());
}

/// The number was kept, and what came with it need not have been read: it counts once more after a restart, and once only.
#[test]
fn the_last_telling_before_a_restart_may_come_again() {
    let (mut before, token) = observing();
    let [second, third] = [telling(2, &token, 2, b"second"), telling(3, &token, 3, b"third")];
    assert_eq!(said(&hear(&mut before, 2 * S, &second)), [b"second"]);
    assert_eq!(said(&hear(&mut before, 3 * S, &third)), [b"third"]);
    let kept = Client::from_bytes(&before.clients()[0].to_bytes()).unwrap();
    let mut after = Server::new(Settings::default(), 2);
    after.restore(kept, 10 * S);
    let is_late = |out: &[Output]| {
        let late = out.iter().find_map(|output| match output {
            Output::Event(Event::Said { late, .. }) => Some(*late),
            _ => None,
        });
        late.unwrap()
    };
    // One before it is old, and does not take its place.
    assert!(is_late(&hear(&mut after, 11 * S, &second)));
    assert!(!is_late(&hear(&mut after, 12 * S, &third)));
    // Under another number of its message it is no repetition, and is late all the same.
    assert!(is_late(&hear(&mut after, 13 * S, &telling(9, &token, 3, b"third"))));
    assert!(!is_late(&hear(&mut after, 14 * S, &telling(10, &token, 4, b"fourth"))));
    assert!(is_late(&hear(&mut after, 15 * S, &telling(11, &token, 4, b"fourth"))));
}

/// Whether it was read before is not known here: it is told that it may have been, in blocks, too.
#[test]
fn what_comes_again_after_a_restart_says_so() {
    let (mut before, token) = observing();
    let third = telling(3, &token, 3, b"third");
    let again = |out: &[Output]| {
        let said = |output: &Output| match output {
            Output::Event(Event::Said { again, .. }) => Some(*again),
            _ => None,
        };
        out.iter().find_map(said).unwrap()
    };
    assert!(!again(&hear(&mut before, 3 * S, &third)));
    let kept = || Client::from_bytes(&before.clients()[0].to_bytes()).unwrap();
    let restored = || {
        let mut after = Server::new(Settings::default(), 2);
        after.restore(kept(), 10 * S);
        after
    };
    let mut after = restored();
    assert!(again(&hear(&mut after, 12 * S, &third)));
    assert!(!again(&hear(&mut after, 13 * S, &telling(9, &token, 3, b"third"))), "it was read now");
    assert!(!again(&hear(&mut after, 14 * S, &telling(10, &token, 4, b"fourth"))));
    assert!(!again(&hear(&mut restored(), 14 * S, &telling(10, &token, 4, b"fourth"))));

    let mut after = restored();
    let first = Block { number: 0, more: true, size: 0 };
    let told = telling(11, &token, 3, &[7; 16]).with_number(option::BLOCK2, first.to_option());
    let asked = sent(&hear(&mut after, 15 * S, &told)).remove(1);
    let last = Block { number: 1, more: false, ..first };
    let rest = Message::new(Type::Acknowledgement, Code::CONTENT, asked.id, &asked.token)
        .with_number(option::CONTENT_FORMAT, 42)
        .with_number(option::BLOCK2, last.to_option());
    assert!(again(&hear(&mut after, 16 * S, &Message { payload: b"rest".into(), ..rest })));
}

/// A newer one says that the one before it is over.
#[test]
fn what_is_told_after_a_restart_is_not_told_before_it() {
    let (before, token) = observing();
    let kept = Client::from_bytes(&before.clients()[0].to_bytes()).unwrap();
    let mut after = Server::new(Settings::default(), 2);
    after.restore(kept, 10 * S);
    for (number, late) in [(2, false), (1, true), (2, true), (3, false)] {
        let id = 20 + number as u16 + u16::from(late);
        let out = hear(&mut after, 11 * S, &telling(id, &token, number, b"told"));
        let is_late = |output: &Output| matches!(output, Output::Event(Event::Said { late, .. }) if *late);
        assert_eq!(out.iter().any(is_late), late, "{number}");
    }
}

#[test]
fn a_request_that_comes_with_another_token_is_answered_with_that() {
    let mut server = Server::new(Settings::default(), 1);
    for token in [7, 8] {
        let answer = sent(&hear(&mut server, 0, &register(1, token))).remove(0);
        assert_eq!((answer.code, answer.token), (Code::CREATED, vec![token]));
    }
    assert_eq!(server.clients().len(), 1);
}

/// A client that announces more and then does not know of it is remembered once for that.
#[test]
fn what_is_refused_over_and_over_is_kept_once() {
    let (mut server, token) = observing();
    let before = server.clients()[0].to_bytes().len();
    for n in 0..500u16 {
        let block = Block { number: 0, more: true, size: 0 };
        let told = telling(10 + n, &token, 2 + u32::from(n), &[7; 16]);
        let out = hear(&mut server, S, &told.with_number(option::BLOCK2, block.to_option()));
        let asked = sent(&out).remove(1);
        hear(&mut server, S, &Message::new(Type::Reset, Code::EMPTY, asked.id, &[]));
    }
    assert!(server.clients()[0].to_bytes().len() < before + 20);
}
