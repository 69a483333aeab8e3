// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was heard lately: a message that comes again is answered as before and does nothing.
//!
//! One that comes again is the same to the last byte. A module that loses its power while it sleeps begins its numbers
//! anew, and what it tells then under a number of before is new: acknowledged as a repetition it would be lost.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::bytes::hash;

/// For so long a message may come again (EXCHANGE_LIFETIME of RFC 7252), ns.
const LIFETIME_NS: u64 = 247_000_000_000;

/// Messages kept for each client.
const EACH: usize = 4;

#[derive(Clone, Debug)]
struct Heard {
    at_ns: u64,
    from: SocketAddr,
    hash: u64,
    reply: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
pub(super) struct Recent {
    messages: VecDeque<Heard>,
    most: usize,
}

impl Recent {
    pub(super) fn new(clients: usize) -> Self {
        Self { messages: VecDeque::new(), most: clients.saturating_mul(EACH).saturating_add(64) }
    }

    /// What was replied to this message, if it was heard before.
    pub(super) fn reply(&mut self, now_ns: u64, from: SocketAddr, bytes: &[u8]) -> Option<Option<Vec<u8>>> {
        while self.messages.front().is_some_and(|heard| heard.at_ns.saturating_add(LIFETIME_NS) <= now_ns) {
            self.messages.pop_front();
        }
        let hash = hash(bytes);
        let same = self.messages.iter().find(|heard| heard.from == from && heard.hash == hash);
        same.map(|heard| heard.reply.clone())
    }

    pub(super) fn note(&mut self, at_ns: u64, from: SocketAddr, bytes: &[u8], reply: Option<Vec<u8>>) {
        if self.messages.len() >= self.most {
            self.messages.pop_front();
        }
        self.messages.push_back(Heard { at_ns, from, hash: hash(bytes), reply });
    }
}
