// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers that may still come. A meter that thinks longer than is waited for answers each of its requests all the same, so
//! that what comes after a repetition is the answer to the first, and one more is on its way.
//!
//! Most protocols say in an answer what was asked. Modbus does not: one register is as good as another of the same number.
//! So what could be taken for the answer to another request keeps that from going out before it has come, or can no longer
//! come. And some answer twice, as behind a converter that asks once more by itself: what was the answer to one request, to the
//! bit, may be that again, so the next one listens whether there is another.

use std::collections::VecDeque;

use gasd_meters::detect::Protocol;
use gasd_meters::modbus::{Frame, check_answer};
use gasd_meters::poll::{Heard, Outcome};

use super::event::Key;
use super::habits::Habits;
use super::talk::Talk;
use super::{Bus, What};

/// An answer may take so long, ns. Converters on buses and radios behind them were seen to take some seconds. That one has
/// taken less says nothing of the next.
pub(super) const MOST_NS: u64 = 10_000_000_000;
/// A meter that takes one request after the other may need for each of the others as long as for the last one, a quarter more,
/// and this, ns.
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

/// A request of Modbus that was answered.
struct Said {
    request: Vec<u8>,
    answer: Vec<u8>,
    t_ns: u64,
}

/// The requests that may still be answered, and what may be heard once more.
#[derive(Default)]
pub(super) struct Owed {
    out: VecDeque<Out>,
    said: VecDeque<Said>,
    pub(super) habits: Habits,
}

impl Owed {
    /// This request of this meter goes out.
    pub(super) fn sent(&mut self, key: Option<Key>, protocol: Protocol, request: &[u8], t_ns: u64) {
        self.out.retain(|out| out.over_ns > t_ns);
        if self.out.len() == MOST {
            self.out.pop_front();
        }
        let over_ns = t_ns.saturating_add(MOST_NS);
        // Of other protocols it is not looked at again, and there may be a password in it.
        let request = if protocol == Protocol::Modbus { request.to_vec() } else { Vec::new() };
        self.out.push_back(Out { key, protocol, request, sent_ns: t_ns, over_ns });
    }

    /// This answer of this meter came. To which of its requests is not known, so it is taken for that to the oldest one that it
    /// can answer. One that may be said twice leaves that request owed. Returns how long it took, at most.
    pub(super) fn came(&mut self, key: Option<Key>, answer: &[u8], t_ns: u64) -> Option<u64> {
        self.answered(key, None, answer, t_ns)
    }

    /// `to`: the request behind which it came, where it was awaited.
    fn answered(&mut self, key: Option<Key>, to: Option<&[u8]>, answer: &[u8], t_ns: u64) -> Option<u64> {
        let can = |out: &Out| {
            if out.protocol == Protocol::Modbus { is_answer(&out.request, answer) } else { out.key == key }
        };
        let mut asked = self.out.iter().filter(|out| out.over_ns > t_ns && can(out));
        let oldest = asked.next();
        let again = self.habits.came(to, answer, oldest.is_some(), t_ns);
        let oldest = oldest?;
        let late = (to.is_none() && oldest.protocol == Protocol::Modbus).then(|| oldest.request.clone());
        // What refuses says only of which function: it may be that of another one, which is answered yet.
        if oldest.protocol == Protocol::Modbus
            && asked.any(|out| out.request != oldest.request && !is_alike(&out.request, &oldest.request))
        {
            return None;
        }
        if let Some(request) = late {
            self.said(&request, answer, t_ns);
        }
        self.paid(t_ns, again, can)
    }

    /// An answer to this request of Modbus came, or to one that cannot be told from it, and was damaged.
    fn damaged(&mut self, request: &[u8], t_ns: u64) {
        let may_be = |out: &Out| out.request == request || is_alike(&out.request, request);
        let _ = self.paid(t_ns, false, may_be);
    }

    /// The oldest of these is answered, or, where that came `again`, perhaps not.
    fn paid(&mut self, t_ns: u64, again: bool, by: impl Fn(&Out) -> bool) -> Option<u64> {
        self.out.retain(|out| out.over_ns > t_ns);
        let oldest = self.out.iter().position(by)?;
        let Out { key, sent_ns, ref request, .. } = self.out[oldest];
        let unit = request.first().copied();
        let took_ns = t_ns.saturating_sub(sent_ns);
        self.habits.took(request, took_ns, t_ns);
        if !again {
            self.out.remove(oldest);
        }
        let each_ns = took_ns.saturating_add(took_ns / 4).saturating_add(MARGIN_NS);
        // A unit of Modbus may be several meters.
        let is_same = |out: &Out| match unit {
            Some(unit) => out.request.first() == Some(&unit),
            None => out.key == key && out.request.is_empty(),
        };
        let mut over_ns = t_ns;
        for out in self.out.iter_mut().filter(|out| is_same(out)) {
            over_ns = over_ns.saturating_add(each_ns);
            if again {
                // How many of them are owed is not known, nor then how long they take.
                over_ns = over_ns.min(t_ns.saturating_add(2 * MOST_NS));
            }
            out.over_ns = out.over_ns.max(over_ns);
        }
        Some(took_ns)
    }

    /// This answered that request.
    fn said(&mut self, request: &[u8], answer: &[u8], t_ns: u64) {
        self.said.retain(|said| t_ns < said.t_ns.saturating_add(MOST_NS) && said.request != request);
        if self.said.len() == MOST {
            self.said.pop_front();
        }
        self.said.push_back(Said { request: request.to_vec(), answer: answer.to_vec(), t_ns });
    }

    /// What would answer this request, and may be the answer to another one once more.
    pub(super) fn repeated(&self, request: &[u8], now_ns: u64) -> Vec<Vec<u8>> {
        let may_be =
            |said: &&Said| now_ns < said.t_ns.saturating_add(MOST_NS) && is_alike(&said.request, request);
        self.said.iter().filter(may_be).map(|said| said.answer.clone()).collect()
    }

    /// Before that time, ns, this request must not go out.
    pub(super) fn over_ns(&self, protocol: Protocol, request: &[u8]) -> u64 {
        let like = self.out.iter().filter(|out| {
            out.protocol == protocol && protocol == Protocol::Modbus && is_alike(&out.request, request)
        });
        like.map(|out| out.over_ns).max().unwrap_or(0)
    }
}

impl Bus {
    /// An exchange has ended: its answer, whole or damaged, is one less that is owed. What another meter said, and what is left
    /// of a damaged echo, is none.
    pub(super) fn settle(&mut self, talk: &Talk<What>, outcome: &Outcome, now_ns: u64) {
        if !outcome.sent || !talk.is_answered() {
            return;
        }
        let key = (talk.job.what != What::Search).then_some(talk.job.meter);
        let request = talk.request();
        match &outcome.result {
            Ok(answer) => {
                let again = talk.again(answer);
                let came_ns = again.filter(|(_, only)| *only).map_or(now_ns, |(came_ns, _)| came_ns);
                let _ = self.owed.answered(key, Some(request), answer, came_ns);
                if talk.protocol == Protocol::Modbus {
                    self.owed.said(request, answer, now_ns);
                    match again {
                        Some(_) if talk.is_several() => self.owed.habits.says_twice(request, now_ns),
                        Some(_) if talk.is_alone() => self.owed.habits.says_once(request, now_ns),
                        _ => {}
                    }
                }
            }
            Err(_) if outcome.heard != Heard::Damaged && is_damaged_answer(request, &outcome.raw) => {
                self.owed.damaged(request, now_ns);
            }
            Err(_) => self.owed.habits.took(request, MOST_NS, now_ns),
        }
    }
}

/// Whether a frame of Modbus answers a request, or one that cannot be told from it.
fn is_answer(request: &[u8], answer: &[u8]) -> bool {
    let (Ok(request), Ok(answer)) = (Frame::parse(request), Frame::parse(answer)) else { return false };
    check_answer(&request, &answer).is_ok()
}

/// Whether what was heard behind a reading request of Modbus is its answer with a wrong check: it begins as one, it is as long,
/// and it is not the request that the adapter gave back.
fn is_damaged_answer(request: &[u8], raw: &[u8]) -> bool {
    let [unit, function @ 1..=4, _, _, high, low, _, _] = *request else { return false };
    let count = usize::from(u16::from_be_bytes([high, low]));
    let bytes = if function <= 2 { count.div_ceil(8) } else { 2 * count };
    let same = request.iter().zip(raw).filter(|(a, b)| a == b).count();
    raw.len() >= bytes + 5
        && (raw[0], raw[1], usize::from(raw[2])) == (unit, function, bytes)
        && same < request.len() - 2
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
    const A: [u8; 8] = [1, 3, 0, 100, 0, 2, 0x85, 0xD4];
    const B: [u8; 8] = [1, 3, 1, 44, 0, 2, 0x04, 0x3E];
    /// Of other registers: its answer is longer.
    const C: [u8; 8] = [1, 3, 0, 0, 0, 4, 0x44, 0x09];

    /// A frame of Modbus.
    fn sealed(bytes: &[u8]) -> Vec<u8> {
        [bytes, &gasd_meters::crc::modbus(bytes).to_le_bytes()].concat()
    }

    #[test]
    fn another_request_waits_for_as_long_as_an_answer_may_take() {
        assert_eq!((sealed(&A[..6]), sealed(&B[..6]), sealed(&C[..6])), (A.into(), B.into(), C.into()));
        let answer = sealed(&[1, 3, 4, 0, 0, 0, 7]);
        let mut owed = Owed::default();
        let sent = |owed: &mut Owed, t_ns| owed.sent(Some(1), Protocol::Modbus, &A, t_ns);
        sent(&mut owed, 100 * S);
        assert_eq!(owed.came(Some(1), &answer, 101 * S), Some(S));
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 0, "nothing is owed");
        sent(&mut owed, 110 * S);
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 120 * S);
        sent(&mut owed, 112 * S);
        assert_eq!(owed.came(Some(1), &answer, 112 * S + S / 5), Some(2 * S + S / 5));
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 122 * S, "how slow the next one is nobody knows");
        let other = sealed(&[2, 3, 4, 0, 0, 0, 7]);
        assert_eq!(owed.came(Some(1), &other, 113 * S), None, "another unit's");
        assert_eq!(owed.came(Some(1), &answer, 114 * S + S / 5), Some(2 * S + S / 5));
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 0);
    }

    #[test]
    fn an_answer_is_that_to_a_request_which_it_can_answer() {
        let mut owed = Owed::default();
        owed.sent(Some(1), Protocol::Modbus, &A, 100 * S);
        owed.sent(Some(1), Protocol::Modbus, &C, 101 * S);
        let refused = sealed(&[1, 0x83, 2]);
        assert_eq!(owed.came(Some(1), &refused, 102 * S), None, "either may be refused");
        let long = sealed(&[1, 3, 8, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(owed.came(Some(1), &long, 102 * S), Some(S));
        assert_eq!(owed.over_ns(Protocol::Modbus, &B), 110 * S);
        assert_eq!(owed.came(Some(1), &refused, 103 * S), Some(3 * S));
    }

    #[test]
    fn a_damaged_answer_is_told_from_another_ones_and_from_an_echo() {
        assert!(is_damaged_answer(&A, &[1, 3, 4, 0, 9, 0, 7, 0xAA, 0xAA]));
        assert!(!is_damaged_answer(&A, &[1, 3, 4, 0, 9, 0]), "half of it");
        assert!(!is_damaged_answer(&A, &[2, 3, 4, 0, 9, 0, 7, 0xAA, 0xAA]), "another unit's");
        let low = [1, 3, 2, 0x58, 0, 1, 0x04, 0x61];
        assert!(is_damaged_answer(&low, &[1, 3, 2, 0, 7, 0xAA, 0xAA]));
        assert!(!is_damaged_answer(&low, &[1, 3, 2, 0x58, 0, 1, 0x05, 0x61]), "what was asked");
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
        assert_eq!(owed.out.len(), MOST);
    }
}
