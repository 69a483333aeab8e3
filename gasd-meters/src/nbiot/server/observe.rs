// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients are asked to tell what changes, and do so.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::super::block::{Assembly, Block};
use super::super::coap::{Code, Message, Type};
use super::super::content::{Content, Path};
use super::super::option;
use super::{Client, Event, Output, Server};

/// After this time a lower number is newer all the same (RFC 7641), ns.
const FRESH_NS: u64 = 128_000_000_000;

/// Something that a client tells as it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub(super) path: Path,
    pub(super) token: [u8; 8],
    /// The number of the last telling.
    pub(super) number: u32,
    pub(super) heard_ns: u64,
    /// It is as it was kept: the last telling may not have been read, and may come again.
    pub(super) restored: bool,
}

/// How something that is told stands to what was told before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// It is newer.
    New,
    /// It is the last one that was known before a restart: it may have been read then, or not.
    Again,
    /// Something newer came before it.
    Late,
}

impl Observation {
    /// Takes in a number.
    fn take(&mut self, number: u32, now_ns: u64) -> Coming {
        let ahead = number.wrapping_sub(self.number) & 0x00FF_FFFF;
        // The number is kept before what it came with is read. One that was read already is told once more, and said to be so:
        // a telling that is acknowledged, and so forgotten by the client, and never read would be lost.
        let coming = if ahead == 0 && self.restored {
            Coming::Again
        } else if (ahead != 0 && ahead < 0x0080_0000) || now_ns.saturating_sub(self.heard_ns) > FRESH_NS {
            Coming::New
        } else {
            return Coming::Late;
        };
        (self.number, self.heard_ns, self.restored) = (number, now_ns, false);
        coming
    }
}

/// A request that waits for its answer. A client has one at a time (NSTART of RFC 7252).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    path: Path,
    token: [u8; 8],
    id: u16,
    bytes: Vec<u8>,
    again: u8,
    wait_ns: u64,
    pub(super) due_ns: u64,
    /// It arrived, the answer comes by itself.
    arrived: bool,
    /// For the next block of something that is being told.
    block: bool,
    coming: Coming,
}

impl Client {
    /// It does not tell this; once, however often it is asked for blocks of it.
    fn refuse(&mut self, path: Path) {
        if !self.refused.contains(&path) {
            self.refused.push(path);
        }
    }

    /// What it is to be asked for next.
    fn wanted(&self, wanted: &[Path]) -> Option<Path> {
        let has = |path: &Path| self.objects.iter().any(|object| object.holds(path) || path.holds(object));
        let known = |path: &Path| {
            self.refused.contains(path) || self.observations.iter().any(|other| other.path == *path)
        };
        wanted.iter().copied().find(|path| has(path) && !known(path))
    }
}

impl Server {
    /// Asks the client that was just heard for what it does not tell yet.
    pub(super) fn ask_next(&mut self, now_ns: u64, from: SocketAddr, out: &mut Vec<Output>) {
        let wanted = self.settings.wanted.clone();
        let Some(client) = self.client_at(from) else { return };
        if client.pending.is_some() {
            return;
        }
        if let Some(path) = client.wanted(&wanted) {
            self.ask(now_ns, from, path, None, Coming::New, out);
        }
    }

    /// Asks for `path`: to be told what changes, or for one block of what is being told.
    fn ask(
        &mut self,
        now_ns: u64,
        to: SocketAddr,
        path: Path,
        block: Option<Block>,
        coming: Coming,
        out: &mut Vec<Output>,
    ) {
        let (id, token, wait_ns) = (self.next_id(), self.next_token(), self.settings.answer_ns);
        let mut message = Message::new(Type::Confirmable, Code::GET, id, &token);
        for number in path.numbers() {
            message = message.with(option::URI_PATH, number.to_string().as_bytes());
        }
        message = match block {
            None => message.with_number(option::OBSERVE, 0),
            Some(block) => message.with_number(option::BLOCK2, block.to_option()),
        };
        let Ok(bytes) = message.encode() else { return };
        out.push(Output::Send(to, bytes.clone()));
        let due_ns = now_ns.saturating_add(wait_ns);
        let pending = Pending {
            path,
            token,
            id,
            bytes,
            again: self.settings.again,
            wait_ns,
            due_ns,
            arrived: false,
            block: block.is_some(),
            coming,
        };
        if let Some(client) = self.client_at(to) {
            client.pending = Some(pending);
        }
    }

    pub(super) fn acknowledged(
        &mut self,
        now_ns: u64,
        from: SocketAddr,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        let again = self.settings.again;
        let Some(client) = self.client_at(from) else { return };
        let Some(pending) = client.pending.as_mut().filter(|pending| pending.id == message.id) else {
            return;
        };
        if message.code == Code::EMPTY {
            pending.arrived = true;
            // As long as it would have been sent again.
            let rest_ns = pending.wait_ns.saturating_mul(1 << again.min(16));
            pending.due_ns = now_ns.saturating_add(rest_ns);
        } else {
            self.answered(now_ns, from, message, out);
        }
    }

    pub(super) fn reset(&mut self, _now_ns: u64, from: SocketAddr, id: u16, out: &mut Vec<Output>) {
        let Some(client) = self.client_at(from) else { return };
        if let Some(pending) = client.pending.take_if(|pending| pending.id == id) {
            client.refuse(pending.path);
            let (endpoint, path) = (client.endpoint.clone(), pending.path);
            out.push(Output::Event(Event::Refused { endpoint, path, code: Code::EMPTY }));
        }
    }

    /// An answer, or something that is told unasked. Whether it is known what about.
    pub(super) fn answered(
        &mut self,
        now_ns: u64,
        from: SocketAddr,
        message: Message,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(client) = self.client_at(from) else { return false };
        let has_token = |token: &[u8; 8]| token[..] == message.token[..];
        let asked = client.pending.take_if(|pending| has_token(&pending.token));
        let told = client.observations.iter_mut().find(|other| has_token(&other.token));
        let number = message.number(option::OBSERVE);
        let (path, coming, block) = match (&asked, told) {
            (Some(asked), _) => (asked.path, asked.coming, asked.block),
            // Without a number it is the last one of its kind: the client tells no more of it.
            (None, Some(told)) => (told.path, number.map_or(Coming::New, |n| told.take(n, now_ns)), false),
            (None, None) => return false,
        };
        if message.code != Code::CONTENT || (asked.is_none() && number.is_none()) {
            client.observations.retain(|other| other.path != path);
        }
        if message.code != Code::CONTENT {
            client.refuse(path);
            let endpoint = client.endpoint.clone();
            out.push(Output::Event(Event::Refused { endpoint, path, code: message.code }));
            return true;
        }
        match (&asked, number) {
            (Some(asked), Some(number)) if !block => {
                let (token, heard_ns) = (asked.token, now_ns);
                let observation = Observation { path, token, number, heard_ns, restored: false };
                client.observations.push(observation);
            }
            // It answers once and will not tell: it is not asked again before it updates.
            (Some(_), None) if !block => client.refuse(path),
            _ => {}
        }
        self.content(now_ns, from, path, coming, message, out);
        true
    }

    /// Content, whole or in blocks.
    fn content(
        &mut self,
        now_ns: u64,
        from: SocketAddr,
        path: Path,
        coming: Coming,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        let format = message.number(option::CONTENT_FORMAT);
        let tag = message.option(option::ETAG).unwrap_or_default();
        let block = message.number(option::BLOCK2).map(Block::from_option);
        let Some(client) = self.client_at(from) else { return };
        let whole = match block {
            None => message.payload,
            Some(block) => {
                let body = client.body.get_or_insert_with(|| (path, Assembly::default()));
                if body.0 != path {
                    *body = (path, Assembly::default());
                }
                if let Some(block) = block
                    && !body.1.is_of(block.number, tag)
                    && body.1.begin_anew()
                {
                    // It changed while it was fetched: one body is not made of two.
                    let first = Block { number: 0, more: false, ..block };
                    self.ask(now_ns, from, path, Some(first), coming, out);
                    return;
                }
                let pushed = block.map(|block| (block, body.1.push(block, &message.payload)));
                match pushed {
                    Some((_, Ok(Some(whole)))) => whole,
                    Some((block, Ok(None))) => {
                        let next = Block { number: block.number + 1, more: false, ..block };
                        self.ask(now_ns, from, path, Some(next), coming, out);
                        return;
                    }
                    Some((_, Err(_))) | None => {
                        client.body = None;
                        let endpoint = client.endpoint.clone();
                        let code = Code::INCOMPLETE;
                        out.push(Output::Event(Event::Refused { endpoint, path, code }));
                        return;
                    }
                }
            }
        };
        client.body = None;
        let content = Content::of(format, whole);
        let (late, again) = (coming == Coming::Late, coming == Coming::Again);
        out.push(Output::Event(Event::Said {
            endpoint: client.endpoint.clone(),
            path,
            content,
            late,
            again,
        }));
    }

    pub(super) fn send_again(&mut self, now_ns: u64, out: &mut Vec<Output>) {
        for client in &mut self.clients {
            let Some(pending) = client.pending.as_mut().filter(|pending| pending.due_ns <= now_ns) else {
                continue;
            };
            if pending.again > 0 && !pending.arrived {
                pending.again -= 1;
                pending.wait_ns = pending.wait_ns.saturating_mul(2);
                pending.due_ns = now_ns.saturating_add(pending.wait_ns);
                out.push(Output::Send(client.peer, pending.bytes.clone()));
                continue;
            }
            let (endpoint, path) = (client.endpoint.clone(), pending.path);
            client.pending = None;
            client.body = None;
            out.push(Output::Event(Event::Silent { endpoint, path }));
        }
    }
}
