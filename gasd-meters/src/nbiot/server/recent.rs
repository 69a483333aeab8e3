// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was heard lately: a message that comes again is answered as before and does nothing.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// For so long a message may come again (EXCHANGE_LIFETIME of RFC 7252), ns.
const LIFETIME_NS: u64 = 247_000_000_000;

/// Messages kept for each client.
const EACH: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct Recent {
    messages: VecDeque<(u64, SocketAddr, u16, Option<Vec<u8>>)>,
    most: usize,
}

impl Recent {
    pub(super) fn new(clients: usize) -> Self {
        Self { messages: VecDeque::new(), most: clients.saturating_mul(EACH).saturating_add(64) }
    }

    /// What was replied to this message, if it was heard before.
    pub(super) fn reply(&mut self, now_ns: u64, from: SocketAddr, id: u16) -> Option<Option<Vec<u8>>> {
        while self.messages.front().is_some_and(|(at, ..)| at.saturating_add(LIFETIME_NS) <= now_ns) {
            self.messages.pop_front();
        }
        let same = |(_, peer, number, _): &&(u64, SocketAddr, u16, _)| *peer == from && *number == id;
        self.messages.iter().find(same).map(|(.., reply)| reply.clone())
    }

    pub(super) fn note(&mut self, now_ns: u64, from: SocketAddr, id: u16, reply: Option<Vec<u8>>) {
        if self.messages.len() >= self.most {
            self.messages.pop_front();
        }
        self.messages.push_back((now_ns, from, id, reply));
    }
}
