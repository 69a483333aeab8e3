// SPDX-License-Identifier: MIT OR Apache-2.0
//! CoAP and LwM2M: any datagram, any TLV, any list of objects; and a server that anyone sends anything to
//! keeps within its bounds and always knows when it is due.
#![no_main]

use std::net::SocketAddr;

use arbitrary::Arbitrary;
use gasd_meters::Explanation;
use gasd_meters::nbiot::{
    Code, Content, Event, Message, Output, Path, Server, Settings, Type, items, objects, option, say,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Raw(u8, Vec<u8>),
    Register {
        from: u8,
        endpoint: u8,
        id: u16,
        list: Vec<u8>,
        block: Option<u8>,
    },
    /// The answer to the last request, with this code, number and block.
    Answer {
        code: u8,
        number: Option<u16>,
        block: Option<u8>,
        payload: Vec<u8>,
        kind: u8,
    },
    Wait(u16),
}

fn look(bytes: &[u8]) {
    let mut explanation = Explanation::default();
    let Ok(message) = Message::parse(bytes, &mut explanation) else { return };
    let mut at = 0;
    for field in &explanation.0 {
        assert_eq!(field.at, at);
        at += field.raw.len();
    }
    assert_eq!(at, bytes.len());
    let again = message.encode().expect("what was read is written");
    // Longer ways to write a number are read, too.
    assert!(again.len() <= bytes.len());
    assert_eq!(Message::parse(&again, &mut ()).as_ref(), Ok(&message));
}

fuzz_target!(|steps: Vec<Step>| {
    let mut server = Server::new(Settings { clients: 3, ..Settings::default() }, 7);
    let (mut now_ns, mut last): (u64, Option<(SocketAddr, Message)>) = (0, None);
    for step in steps {
        let (from, bytes) = match step {
            Step::Raw(from, bytes) => {
                look(&bytes);
                let _ = items(&bytes);
                assert!(objects(&String::from_utf8_lossy(&bytes)).len() <= 64);
                (peer(from), bytes)
            }
            Step::Register { from, endpoint, id, list, block } => {
                let ep = format!("ep={}", endpoint % 5);
                let mut message = Message::new(Type::Confirmable, Code::POST, id, &[1])
                    .with(option::URI_PATH, b"rd")
                    .with(option::URI_QUERY, ep.as_bytes());
                message.payload = if list.is_empty() { b"</3/0>,</19/0>".into() } else { list };
                if let Some(block) = block {
                    message = message.with_number(option::BLOCK1, u32::from(block));
                }
                (peer(from), message.encode().expect("short"))
            }
            Step::Answer { code, number, block, payload, kind } => {
                let Some((to, asked)) = last.clone() else { continue };
                let kind = if kind & 1 == 0 { Type::Acknowledgement } else { Type::Confirmable };
                let id = if kind == Type::Acknowledgement {
                    asked.id
                } else {
                    asked.id.wrapping_add(u16::from(code))
                };
                let mut message = Message::new(kind, Code(code | 0x40), id, &asked.token);
                if let Some(number) = number {
                    message = message.with_number(option::OBSERVE, number.into());
                }
                if let Some(block) = block {
                    message = message.with_number(option::BLOCK2, block.into());
                }
                message.payload = payload;
                (to, message.encode().expect("short"))
            }
            Step::Wait(seconds) => {
                now_ns += u64::from(seconds) * 1_000_000_000;
                server.tick(now_ns);
                assert!(server.due_ns().is_none_or(|due| due > now_ns));
                continue;
            }
        };
        for output in server.datagram(now_ns, from, &bytes) {
            match output {
                Output::Send(to, bytes) => {
                    assert_eq!(to, from);
                    let message = Message::parse(&bytes, &mut ()).expect("what is sent is a message");
                    if message.code == Code::GET {
                        last = Some((to, message));
                    }
                }
                Output::Event(Event::Said { path, content, .. }) => {
                    let _ = say(path, &content);
                    let (Content::Opaque(bytes) | Content::Other(_, bytes)) = content else { continue };
                    let _ = say(Path::new(&[3, 0]), &Content::Tlv(bytes));
                }
                Output::Event(_) => {}
            }
        }
        assert!(server.clients().len() <= 3);
    }
});

fn peer(port: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5000 + u16::from(port % 6)))
}
