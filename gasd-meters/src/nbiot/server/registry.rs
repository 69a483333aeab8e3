// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients come, stay and go.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::super::block::{Assembly, Block, Misfit};
use super::super::coap::{Code, Message};
use super::super::link::objects;
use super::super::option;
use super::{Client, Event, Output, SECOND_NS, Server, is_strange, reply};

/// Longest name of a client.
const ENDPOINT: usize = 128;

/// How long a registration lasts that does not say (LwM2M 1.0), s.
const LIFETIME_S: u32 = 86_400;

/// Most registrations that come in blocks at the same time, and how long they may take, ns.
const BODIES: usize = 32;
const BODY_NS: u64 = 300 * SECOND_NS;

/// Bytes of the option that says which block (RFC 7959).
const BLOCK_BYTES: usize = 3;

/// What stands behind the path of a registration.
#[derive(Default)]
struct Query<'a> {
    endpoint: Option<&'a str>,
    lifetime_s: Option<u32>,
    binding: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// `None` where something is said twice: whoever looked at one of them has not looked at the other.
    fn of(message: &'a Message) -> Option<Self> {
        let mut query = Self::default();
        for part in message.texts(option::URI_QUERY) {
            let twice = match part.split_once('=') {
                Some(("ep", name)) => query.endpoint.replace(name).is_some(),
                Some(("lt", seconds)) => query.lifetime_s.replace(seconds.parse().unwrap_or(0)).is_some(),
                Some(("b", binding)) => query.binding.replace(binding).is_some(),
                _ => false,
            };
            if twice {
                return None;
            }
        }
        query.lifetime_s = query.lifetime_s.filter(|seconds| *seconds > 0);
        Some(query)
    }
}

impl Server {
    /// A request. Returns the answer.
    pub(super) fn requested(
        &mut self,
        now_ns: u64,
        from: SocketAddr,
        message: &Message,
        out: &mut Vec<Output>,
    ) -> Message {
        if is_strange(message) {
            return reply(message, Code::BAD_OPTION);
        }
        let path: Vec<&str> = message.texts(option::URI_PATH).collect();
        match (path.as_slice(), message.code) {
            (["rd"], Code::POST) => self.register(now_ns, from, message, out),
            (["rd", location], code) => match (self.place(location), code) {
                (None, _) => reply(message, Code::NOT_FOUND),
                (Some(place), Code::POST | Code::PUT) => self.update(now_ns, from, message, place, out),
                // Its place is the only word for who it is, so that nobody else ends it from elsewhere. One that has
                // moved tells that first, or its lifetime ends.
                (Some(place), Code::DELETE) if self.clients[place].peer != from => {
                    reply(message, Code::FORBIDDEN)
                }
                (Some(place), Code::DELETE) => {
                    let client = self.clients.remove(place);
                    out.push(Output::Event(Event::Left(client.endpoint)));
                    reply(message, Code::DELETED)
                }
                _ => reply(message, Code::METHOD_NOT_ALLOWED),
            },
            (["rd"], _) => reply(message, Code::METHOD_NOT_ALLOWED),
            _ => reply(message, Code::NOT_FOUND),
        }
    }

    fn place(&self, location: &str) -> Option<usize> {
        let location: u32 = location.parse().ok()?;
        self.clients.iter().position(|client| client.location == location)
    }

    fn register(
        &mut self,
        now_ns: u64,
        from: SocketAddr,
        message: &Message,
        out: &mut Vec<Output>,
    ) -> Message {
        let Some(query) = Query::of(message) else { return reply(message, Code::BAD_REQUEST) };
        let named = query
            .endpoint
            .filter(|name| !name.is_empty() && name.len() <= ENDPOINT && !name.chars().any(char::is_control));
        let Some(endpoint) = named else { return reply(message, Code::BAD_REQUEST) };
        let body = match self.body(now_ns, from, message) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let known = self.clients.iter().any(|client| client.endpoint == endpoint);
        if !known && self.clients.len() >= self.settings.clients {
            return reply(message, Code::UNAVAILABLE);
        }
        // A client that registers anew has forgotten what it was asked for; one at the same address has gone.
        self.clients.retain(|client| {
            let gone = client.peer == from && client.endpoint != endpoint;
            if gone {
                out.push(Output::Event(Event::Left(client.endpoint.clone())));
            }
            !gone && client.endpoint != endpoint
        });
        let location = self.next_location();
        let lifetime_s = query.lifetime_s.unwrap_or(LIFETIME_S);
        let objects = core::str::from_utf8(&body).map(objects).unwrap_or_default();
        self.clients.push(Client {
            endpoint: String::from(endpoint),
            location,
            peer: from,
            lifetime_s,
            expires_ns: expires(now_ns, lifetime_s),
            objects,
            sleeps: query.binding.is_some_and(|binding| binding.contains('Q')),
            observations: Vec::new(),
            refused: Vec::new(),
            pending: None,
            body: None,
        });
        out.push(Output::Event(Event::Registered(endpoint.into())));
        let answer = reply(message, Code::CREATED).with(option::LOCATION_PATH, b"rd");
        answered_block(answer, message).with(option::LOCATION_PATH, location.to_string().as_bytes())
    }

    fn update(
        &mut self,
        now_ns: u64,
        from: SocketAddr,
        message: &Message,
        place: usize,
        out: &mut Vec<Output>,
    ) -> Message {
        let Some(query) = Query::of(message) else { return reply(message, Code::BAD_REQUEST) };
        let body = match self.body(now_ns, from, message) {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let silent_ns = self.settings.silent_ns;
        let Some(client) = self.clients.get_mut(place) else { return reply(message, Code::NOT_FOUND) };
        if let Some(seconds) = query.lifetime_s {
            client.lifetime_s = seconds;
        }
        if let Some(binding) = query.binding {
            client.sleeps = binding.contains('Q');
        }
        client.expires_ns = expires(now_ns, client.lifetime_s);
        if !body.is_empty() {
            client.objects = core::str::from_utf8(&body).map(objects).unwrap_or_default();
        }
        if client.peer != from {
            // What it told from there was not understood, so it no longer tells it.
            client.peer = from;
            client.observations.clear();
            client.pending = None;
        }
        client.observations.retain(|observation| now_ns.saturating_sub(observation.heard_ns) <= silent_ns);
        client.refused.clear();
        out.push(Output::Event(Event::Updated(client.endpoint.clone())));
        answered_block(reply(message, Code::CHANGED), message)
    }

    /// The whole body of a request; or what is answered before it is there.
    fn body(&mut self, now_ns: u64, from: SocketAddr, message: &Message) -> Result<Vec<u8>, Message> {
        if message.option(option::BLOCK1).is_none() {
            return Ok(message.payload.clone());
        }
        let refuse = |code| Err(answered_block(reply(message, code), message));
        let Some(block) = message.number(option::BLOCK1).and_then(Block::from_option) else {
            return refuse(Code::BAD_OPTION);
        };
        // Whoever began one and did not end it keeps nobody from registering.
        self.bodies.retain(|(_, until_ns, _)| *until_ns > now_ns);
        let place = self.bodies.iter().position(|(peer, ..)| *peer == from);
        let (_, until_ns, mut body) = match place {
            Some(place) => self.bodies.swap_remove(place),
            None if self.bodies.len() >= BODIES => return refuse(Code::UNAVAILABLE),
            None => (from, now_ns.saturating_add(BODY_NS), Assembly::default()),
        };
        match body.push(block, &message.payload) {
            Ok(Some(whole)) => Ok(whole),
            Ok(None) => {
                self.bodies.push((from, until_ns, body));
                refuse(Code::CONTINUE)
            }
            Err(Misfit::Order) => refuse(Code::INCOMPLETE),
            Err(Misfit::Size) => refuse(Code::BAD_REQUEST),
            Err(Misfit::TooLarge) => refuse(Code::TOO_LARGE),
        }
    }
}

fn expires(now_ns: u64, lifetime_s: u32) -> u64 {
    now_ns.saturating_add(u64::from(lifetime_s) * SECOND_NS)
}

/// An answer to a block says which. What is no number of a block is not said again: answers are remembered, and an option
/// has room for 64 KiB.
fn answered_block(answer: Message, request: &Message) -> Message {
    match request.option(option::BLOCK1).filter(|block| block.len() <= BLOCK_BYTES) {
        Some(block) => answer.with(option::BLOCK1, block),
        None => answer,
    }
}
