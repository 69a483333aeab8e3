// SPDX-License-Identifier: MIT OR Apache-2.0
//! A LwM2M 1.0 server as a pure state machine: datagrams and times in, datagrams and events out.

mod keep;
mod observe;
mod recent;
mod registry;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::block::Assembly;
use super::coap::{Code, Message, Type};
use super::content::{Content, Path};
use super::option;
use crate::error::Error;
use observe::{Observation, Pending};
use recent::Recent;

const SECOND_NS: u64 = 1_000_000_000;

/// How a server behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Most clients. Default 1000.
    pub clients: usize,
    /// What every client that has it is asked to tell. Default 3/0, 4/0, 5/0 and 19/0/0.
    pub wanted: Vec<Path>,
    /// How long an answer may take, ns, before the request is sent again; twice as long each time. Default
    /// 10 s: a meter with poor reception needs that.
    pub answer_ns: u64,
    /// How often a request is sent again. Default 4.
    pub again: u8,
    /// After this time without a word about something, ns, it is asked for again as the client updates its
    /// registration. Default 26 h: a meter that reports daily has missed a day.
    pub silent_ns: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let wanted = [&[3, 0][..], &[4, 0], &[5, 0], &[19, 0, 0]].map(Path::new).into();
        let (answer_ns, silent_ns) = (10 * SECOND_NS, 26 * 3_600 * SECOND_NS);
        Self { clients: 1_000, wanted, answer_ns, again: 4, silent_ns }
    }
}

/// A client that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What it calls itself, mostly its IMEI: unique.
    pub endpoint: String,
    /// The last part of `/rd/...` that it updates its registration with.
    pub location: u32,
    /// Where it was heard last.
    pub peer: SocketAddr,
    /// How long its registration lasts, s.
    pub lifetime_s: u32,
    /// When it ends, ns.
    pub expires_ns: u64,
    /// What it has.
    pub objects: Vec<Path>,
    /// Whether it sleeps, and hears only right after it has said something.
    pub sleeps: bool,
    observations: Vec<Observation>,
    refused: Vec<Path>,
    pending: Option<Pending>,
    /// A body that comes in blocks, and what it is of.
    body: Option<(Path, Assembly)>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A client registered; anew if it had been registered before.
    Registered(String),
    /// A client updated its registration.
    Updated(String),
    /// A client went.
    Left(String),
    /// A client's registration ended without a word.
    Expired(String),
    /// A client says something: [`say`](super::say) knows what it means.
    Said {
        /// Who.
        endpoint: String,
        /// Of what.
        path: Path,
        /// What.
        content: Content,
        /// Whether something newer of the same has come before.
        late: bool,
        /// Whether it is what was told last before a restart: it may have been read then.
        again: bool,
    },
    /// A client does not tell what it was asked for.
    Refused {
        /// Who.
        endpoint: String,
        /// What.
        path: Path,
        /// Why.
        code: Code,
    },
    /// A client has not answered, however often it was asked.
    Silent {
        /// Who.
        endpoint: String,
        /// What it was asked for.
        path: Path,
    },
    /// A datagram that is none of this.
    Rejected(SocketAddr, Error),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Send(SocketAddr, Vec<u8>),
    /// This happened.
    Event(Event),
}

/// The server.
#[derive(Clone, Debug)]
pub struct Server {
    settings: Settings,
    clients: Vec<Client>,
    recent: Recent,
    /// Registrations that come in blocks.
    bodies: Vec<(SocketAddr, u64, Assembly)>,
    seed: u64,
    count: u64,
}

impl Server {
    /// A server without clients. `seed` is a number that nobody can guess: tokens and message numbers, by
    /// which answers are known, begin there.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let recent = Recent::new(settings.clients);
        Self { settings, clients: Vec::new(), recent, bodies: Vec::new(), seed, count: 0 }
    }

    /// The clients, to be kept for [`Server::restore`]: [`Client::to_bytes`].
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Takes back a client that was registered before a restart: otherwise nothing of it is understood until
    /// it registers anew, which may be days. It has a whole lifetime again.
    pub fn restore(&mut self, mut client: Client, now_ns: u64) {
        client.expires_ns = now_ns.saturating_add(u64::from(client.lifetime_s) * SECOND_NS);
        client.pending = None;
        client.body = None;
        for observation in &mut client.observations {
            // The clock may have begun anew with the machine: nothing was heard later than now.
            observation.heard_ns = observation.heard_ns.min(now_ns);
            observation.restored = true;
        }
        self.clients.retain(|other| other.endpoint != client.endpoint && other.location != client.location);
        if self.clients.len() < self.settings.clients {
            self.clients.push(client);
        }
    }

    /// A datagram came. Times are ns of one clock that does not jump.
    pub fn datagram(&mut self, now_ns: u64, from: SocketAddr, bytes: &[u8]) -> Vec<Output> {
        let mut out = Vec::new();
        let message = match Message::parse(bytes, &mut ()) {
            Ok(message) => message,
            Err(error) => return [Output::Event(Event::Rejected(from, error))].into(),
        };
        match message.kind {
            Type::Acknowledgement => self.acknowledged(now_ns, from, message, &mut out),
            Type::Reset => self.reset(now_ns, from, message.id, &mut out),
            Type::Confirmable | Type::NonConfirmable => {
                if let Some(reply) = self.recent.reply(now_ns, from, bytes) {
                    // It was lost on its way, or ours was: the same again, and nothing twice.
                    return reply.map(|reply| Output::Send(from, reply)).into_iter().collect();
                }
                let kind = message.kind;
                let reply = self.heard(now_ns, from, message, &mut out);
                let reply = reply.and_then(|mut reply| {
                    if kind == Type::NonConfirmable && reply.kind == Type::Acknowledgement {
                        // What does not want to be acknowledged is answered likewise, or not at all.
                        if reply.code == Code::EMPTY {
                            return None;
                        }
                        reply.kind = Type::NonConfirmable;
                        reply.id = self.next_id();
                    }
                    reply.encode().ok()
                });
                self.recent.note(now_ns, from, bytes, reply.clone());
                // The reply first: what else is sent waits for it.
                if let Some(reply) = reply {
                    out.insert(0, Output::Send(from, reply));
                }
            }
        }
        self.ask_next(now_ns, from, &mut out);
        out
    }

    /// A message that is no acknowledgement. Returns what is replied.
    fn heard(
        &mut self,
        now_ns: u64,
        from: SocketAddr,
        message: Message,
        out: &mut Vec<Output>,
    ) -> Option<Message> {
        match message.code {
            // A ping.
            Code::EMPTY => Some(Message::new(Type::Reset, Code::EMPTY, message.id, &[])),
            code if code.is_request() => Some(self.requested(now_ns, from, &message, out)),
            _ => {
                let id = message.id;
                let kind = if self.answered(now_ns, from, message, out) {
                    Type::Acknowledgement
                } else {
                    Type::Reset
                };
                Some(Message::new(kind, Code::EMPTY, id, &[]))
            }
        }
    }

    /// Sends again what was not answered, and ends registrations that are over.
    pub fn tick(&mut self, now_ns: u64) -> Vec<Output> {
        let mut out = Vec::new();
        self.send_again(now_ns, &mut out);
        self.clients.retain(|client| {
            let over = client.expires_ns <= now_ns;
            if over {
                out.push(Output::Event(Event::Expired(client.endpoint.clone())));
            }
            !over
        });
        self.bodies.retain(|(_, until_ns, _)| *until_ns > now_ns);
        out
    }

    /// When [`Server::tick`] will have something to do, ns.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        let pending = self.clients.iter().filter_map(|client| Some(client.pending.as_ref()?.due_ns));
        pending.chain(self.clients.iter().map(|client| client.expires_ns)).min()
    }

    fn next_id(&mut self) -> u16 {
        self.count += 1;
        (self.seed >> 48) as u16 ^ self.count as u16
    }

    /// A token that was not used before and does not follow from the last one.
    fn next_token(&mut self) -> [u8; 8] {
        self.count += 1;
        // Two rounds of a mixer whose every output bit depends on every input bit (SplitMix64).
        let mix = |z: u64| {
            let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ z >> 31
        };
        mix(self.seed.wrapping_add(mix(self.count.wrapping_add(self.seed)))).to_be_bytes()
    }

    /// A place that nobody finds by counting: who knows it speaks for its client.
    fn next_location(&mut self) -> u32 {
        loop {
            let [a, b, c, d, ..] = self.next_token();
            let location = u32::from_be_bytes([a, b, c, d]);
            if self.clients.iter().all(|client| client.location != location) {
                return location;
            }
        }
    }

    fn client_at(&mut self, peer: SocketAddr) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| client.peer == peer)
    }
}

/// An answer to `request`, sent along with its acknowledgement.
fn reply(request: &Message, code: Code) -> Message {
    Message::new(Type::Acknowledgement, code, request.id, &request.token)
}

/// Whether an option that must be understood is not.
fn is_strange(message: &Message) -> bool {
    use option::{ACCEPT, BLOCK1, BLOCK2, URI_HOST, URI_PATH, URI_PORT, URI_QUERY};
    let known = [ACCEPT, BLOCK1, BLOCK2, URI_HOST, URI_PATH, URI_PORT, URI_QUERY];
    message.options.iter().any(|(number, _)| number % 2 == 1 && !known.contains(number))
}
