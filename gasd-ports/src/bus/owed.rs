// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers that may still come. A meter that thinks longer than is waited for answers each of its requests all the same, so
//! that what comes after a repetition is the answer to the first, and one more is on its way.
//!
//! Most protocols say in an answer what was asked. Modbus does not: one register is as good as another of the same number.
//! So what could be taken for the answer to another request keeps that from going out before it has come, or can no longer
//! come.

use std::collections::VecDeque;

use gasd_meters::Error;
use gasd_meters::detect::Protocol;
use gasd_meters::poll::Outcome;

use super::event::Key;
use super::talk::Talk;
use super::{Bus, What};

/// An answer of a meter of which nobody knows how slow it is may take so long, ns. Converters on buses and radios behind
/// them were seen to take some seconds.
const MOST_NS: u64 = 10_000_000_000;
/// And one of a meter that was late once so much longer than then: a quarter, and this, ns.
const MARGIN_NS: u64 = 100_000_000;
/// Requests that are remembered.
const MOST: usize = 64;

/// A request that was not answered.
struct Out {
    key: Option<Key>,
    protocol: Protocol,
    request: Vec<u8>,
    sent_ns: u64,
    /// No answer comes from then on, ns.
    over_ns: u64,
}

/// The requests that may still be answered.
#[derive(Default)]
pub(super) struct Owed(VecDeque<Out>);

impl Owed {
    /// This request of this meter goes out.
    pub(super) fn sent(&mut self, key: Option<Key>, protocol: Protocol, request: &[u8], t_ns: u64) {
        self.0.retain(|out| out.over_ns > t_ns);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        let over_ns = t_ns.saturating_add(MOST_NS);
        // Of other protocols it is not looked at again, and there may be a password in it.
        let request = if protocol == Protocol::Modbus { request.to_vec() } else { Vec::new() };
        self.0.push_back(Out { key, protocol, request, sent_ns: t_ns, over_ns });
    }

    /// An answer of this meter came. To which of its requests is not known, so it is taken for the oldest one's. Returns how
    /// long it took, at most.
    pub(super) fn came(&mut self, key: Option<Key>, t_ns: u64) -> Option<u64> {
        self.0.retain(|out| out.over_ns > t_ns);
        let oldest = self.0.iter().position(|out| out.key == key)?;
        let took_ns = t_ns.saturating_sub(self.0.remove(oldest)?.sent_ns);
        // A meter that takes one request after the other needs as long again for each of the others.
        let left = self.0.iter().filter(|out| out.key == key).count() as u64;
        let more_ns = left.saturating_mul(took_ns.saturating_add(took_ns / 4).saturating_add(MARGIN_NS));
        for out in self.0.iter_mut().filter(|out| out.key == key) {
            out.over_ns = t_ns.saturating_add(more_ns);
        }
        Some(took_ns)
    }

    /// No answer comes any more: the line was away.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Before that time, ns, this request must not go out.
    pub(super) fn over_ns(&self, protocol: Protocol, request: &[u8]) -> u64 {
        let like = self.0.iter().filter(|out| {
            out.protocol == protocol && protocol == Protocol::Modbus && is_alike(&out.request, request)
        });
        like.map(|out| out.over_ns).max().unwrap_or(0)
    }
}

impl Bus {
    /// An exchange has ended: what came, whole or damaged, is one answer less that is owed.
    pub(super) fn settle(&mut self, talk: &Talk<What>, outcome: &Outcome, now_ns: u64) {
        let nothing = matches!(outcome.result, Err(Error::Timeout | Error::NoFrame { .. }));
        if outcome.sent && talk.is_answered() && !nothing {
            let key = (talk.job.what != What::Search).then_some(talk.job.meter);
            let _ = self.owed.came(key, now_ns);
        }
    }
}

/// Whether the answers to two requests of Modbus that differ cannot be told from each other: both read as many registers by
/// the same function of the same unit. What writes is repeated in its answer.
fn is_alike(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([unit, function @ 1..=4, _, _, count @ .., _, _], [u, f, _, _, c @ .., _, _]) => {
            (unit, function, count) == (u, f, c) && one != other
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const A: [u8; 8] = [1, 3, 0, 100, 0, 2, 0xAA, 0xAA];
    const B: [u8; 8] = [1, 3, 1, 44, 0, 2, 0xBB, 0xBB];

    #[test]
    fn another_request_waits_for_as_long_as_the_slowest_answer_took() {
        let mut owed = Owed::default();
        let sent = |owed: &mut Owed, t_ns| owed.sent(Some(1), Protocol::Modbus, &A, t_ns);
        sent(&mut owed, 100 * S);
        assert_eq!(owed.came(Some(1), 101 * S), Some(S));
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 0, "nothing is owed");
        sent(&mut owed, 110 * S);
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 120 * S, "nobody knows how slow it is");
        sent(&mut owed, 112 * S);
        assert_eq!(owed.came(Some(1), 112 * S + S / 5), Some(2 * S + S / 5));
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 112 * S + S / 5 + S * 285 / 100);
        assert_eq!(owed.came(Some(1), 114 * S + S / 5), Some(2 * S + S / 5));
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 0);
    }

    #[test]
    fn what_can_be_told_apart_does_not_wait() {
        let mut owed = Owed::default();
        owed.sent(Some(1), Protocol::Modbus, &A, S);
        let other = |at: usize, byte: u8| {
            let mut request = B;
            request[at] = byte;
            request
        };
        for (request, waits) in
            [(B, true), (A, false), (other(0, 2), false), (other(1, 4), false), (other(5, 1), false)]
        {
            assert_eq!(owed.over_ns(Protocol::Modbus, &request) > 0, waits, "{request:02X?}");
        }
        assert_eq!(owed.over_ns(Protocol::Modbus, &[1, 6, 0, 40, 0, 1, 0, 0]), 0, "a command");
        assert_eq!(owed.over_ns(Protocol::Hart, &B), 0);
        for n in 0..1_000 {
            owed.sent(None, Protocol::Modbus, &A, 2 * S + n);
        }
        assert_eq!(owed.0.len(), MOST);
    }
}
