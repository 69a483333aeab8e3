// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client sends that wants to be acknowledged: one at a time, again and again, twice as late each time (RFC 7252).

use std::collections::VecDeque;

use gasd_meters::nbiot::{Message, Type};

use crate::rng::Rng;

/// How often a message is sent again (MAX_RETRANSMIT).
const AGAIN: u8 = 4;

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// A part of the registration; the number of the block.
    Register(u32),
    /// An update of the registration.
    Update,
    /// The end of the registration.
    Leave,
    /// Something that is told; its token.
    Tell(Vec<u8>),
}

/// A message that waits.
#[derive(Clone, Debug)]
struct Waiting {
    about: About,
    message: Message,
    bytes: Vec<u8>,
    again: u8,
    wait_ns: u64,
    due_ns: u64,
}

/// Messages that are to be acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    waiting: Option<Waiting>,
    queue: VecDeque<(About, Message)>,
    ack_ns: u64,
    again: u64,
}

impl Outbox {
    pub(super) const fn new(ack_ns: u64) -> Self {
        Self { waiting: None, queue: VecDeque::new(), ack_ns, again: 0 }
    }

    pub(super) fn push(&mut self, about: About, message: Message) {
        self.queue.push_back((about, message));
    }

    /// Forgets all of it.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.waiting = None;
    }

    /// Whether something that is told is among them.
    pub(super) fn tells(&self) -> bool {
        let waiting = self.waiting.iter().map(|waiting| &waiting.about);
        waiting.chain(self.queue.iter().map(|(about, _)| about)).any(|about| matches!(about, About::Tell(_)))
    }

    /// How many messages were sent again.
    pub(super) const fn again(&self) -> u64 {
        self.again
    }

    /// When something is to be done, ns.
    pub(super) fn due_ns(&self) -> Option<u64> {
        match &self.waiting {
            Some(waiting) => Some(waiting.due_ns),
            None if self.queue.is_empty() => None,
            None => Some(0),
        }
    }

    /// What is to be sent at `now_ns`; or what was given up.
    pub(super) fn step(&mut self, now_ns: u64, rng: &mut Rng, out: &mut Vec<Vec<u8>>) -> Option<About> {
        if let Some(waiting) = self.waiting.as_mut().filter(|waiting| waiting.due_ns <= now_ns) {
            if waiting.again == 0 {
                return self.waiting.take().map(|waiting| waiting.about);
            }
            waiting.again -= 1;
            waiting.wait_ns = waiting.wait_ns.saturating_mul(2);
            waiting.due_ns = now_ns.saturating_add(waiting.wait_ns);
            self.again += 1;
            out.push(waiting.bytes.clone());
        }
        if self.waiting.is_none() {
            let (about, message) = self.queue.pop_front()?;
            // A message that cannot be written is none that is made here.
            let bytes = message.encode().ok()?;
            out.push(bytes.clone());
            let wait_ns = self.ack_ns.saturating_add(rng.below(self.ack_ns / 2));
            let due_ns = now_ns.saturating_add(wait_ns);
            if message.kind == Type::Confirmable {
                self.waiting = Some(Waiting { about, message, bytes, again: AGAIN, wait_ns, due_ns });
            }
        }
        None
    }

    /// An acknowledgement or reset of this number came. What it is for.
    pub(super) fn acknowledged(&mut self, id: u16) -> Option<About> {
        self.waiting.take_if(|waiting| waiting.message.id == id).map(|waiting| waiting.about)
    }
}
