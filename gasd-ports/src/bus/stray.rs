// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is heard beside an answer: an acknowledgement of M-Bus that comes too late, an answer from another address, a second
//! answer.

use gasd_meters::detect::Protocol;
use gasd_meters::mbus::ACK;
use gasd_meters::poll::Outcome;
use gasd_meters::scan::CAPACITY;
use gasd_meters::whose::{Whose, whose};
use gasd_meters::{Error, scan};

use super::event::{Event, Key, Odd};
use super::talk::Talk;
use super::{Bus, What};

/// After a request without an answer so many answers may be to the one before: a meter that is late answers both.
pub(super) const LATE: u8 = 4;

/// An answer, and what was heard since, for as long as no other request is out.
pub(super) struct Answered {
    key: Key,
    protocol: Protocol,
    whose: Whose,
    answer: Vec<u8>,
    since: Vec<u8>,
}

impl Answered {
    /// A second answer, as soon as it is whole.
    fn twice(&self) -> Option<Odd> {
        let another = scan::first_frame(&self.since, |bytes| self.protocol.probe(bytes)).ok()?;
        let address = self.whose.address.clone();
        let is = whose(self.protocol, another)? == self.whose;
        is.then(|| Odd::Twice { address, alike: self.answer.ends_with(another) })
    }
}

impl Bus {
    /// Looks at who answered an exchange that has ended.
    pub(super) fn who_answered(&mut self, talk: &Talk<What>, outcome: &Outcome, t_ns: u64) {
        self.answered = None;
        self.search_answered(talk, outcome);
        let (key, protocol) = (talk.job.meter, talk.protocol);
        // One of which it is not known what it is may be anybody.
        let known = self.member(key).is_some_and(|member| member.guesses.is_settled());
        if talk.job.what == What::Search || !talk.is_answered() || !known {
            return;
        }
        let Some(asked) = whose(protocol, talk.request()).filter(|asked| asked.one) else { return };
        if let Some(frame) = &outcome.other
            && let Some(other) = whose(protocol, frame)
        {
            self.another_was_late(protocol, &other, frame, t_ns);
            let odd = Odd::Address { asked: asked.address.clone(), answered: other.address, taken: false };
            self.events.push_back(Event::Odd { key, t_ns, odd });
        }
        let Ok(answer) = &outcome.result else { return };
        let Some(by) = whose(protocol, answer) else { return };
        if by.address != asked.address {
            let odd = Odd::Address { asked: asked.address, answered: by.address.clone(), taken: true };
            self.events.push_back(Event::Odd { key, t_ns, odd });
        }
        if *self.late(Some(key)) == 0 {
            let behind = outcome.raw.windows(answer.len()).position(|part| part == answer);
            let since = behind.map_or(&[][..], |at| &outcome.raw[at + answer.len()..]).to_vec();
            self.answered = Some(Answered { key, protocol, whose: by, answer: answer.clone(), since });
            self.stray(&[], t_ns);
        }
    }

    /// Another meter of the line answered: it may have been asked before, and is late.
    fn another_was_late(&mut self, protocol: Protocol, by: &Whose, frame: &[u8], t_ns: u64) {
        let Some(key) = self.member_of(protocol, &by.address) else { return };
        if *self.late(Some(key)) > 0 && by.from_meter {
            self.counts.others = self.counts.others.saturating_sub(1);
            self.counts.late = self.counts.late.saturating_add(1);
            self.tell_late(Some(key), frame, t_ns);
        }
    }

    /// These bytes came; while no request is out they may be a second answer to the last one.
    pub(super) fn stray(&mut self, bytes: &[u8], t_ns: u64) {
        self.search_heard(bytes, t_ns);
        let Some(answered) = &mut self.answered else { return };
        if self.talk.as_ref().is_some_and(Talk::is_sent) || answered.since.len() + bytes.len() > CAPACITY {
            self.answered = None;
            return;
        }
        answered.since.extend(bytes);
        if let Some(odd) = answered.twice() {
            let key = answered.key;
            self.events.push_back(Event::Odd { key, t_ns, odd });
            self.answered = None;
        }
    }
}

/// Whether bytes that came alone are an acknowledgement of one byte.
pub(super) fn is_ack(protocol: Protocol, bytes: &[u8]) -> bool {
    protocol == Protocol::Mbus && bytes == [ACK]
}

/// Tells acknowledgements of a request before from noise, of which the speed may be the reason: they came before all else
/// that was heard behind the request.
pub(super) fn sort_acks(outcome: &mut Outcome) {
    let late = outcome.raw.iter().take_while(|byte| **byte == ACK).count();
    // Where more was garbage it was noise, and this may be a part of it.
    if late == 0 || outcome.garbage != late {
        return;
    }
    outcome.garbage = 0;
    outcome.others = outcome.others.saturating_add(late);
    if let Err(error @ Error::NoFrame { .. }) = &mut outcome.result {
        // What was asked now has no answer.
        *error = Error::Timeout;
    }
}

#[cfg(test)]
mod tests {
    use gasd_meters::poll::Heard;

    use super::*;

    fn sorted(raw: &[u8], garbage: usize, result: Result<Vec<u8>, Error>) -> Outcome {
        let heard = Heard::Nothing;
        let mut outcome = Outcome {
            result,
            sent: true,
            heard,
            drained: 0,
            garbage,
            more: vec![],
            others: 0,
            other: None,
            raw: raw.to_vec(),
        };
        sort_acks(&mut outcome);
        outcome
    }

    #[test]
    fn an_acknowledgement_alone_is_a_timeout_and_noise_stays_noise() {
        let noise = |garbage| Err(Error::NoFrame { garbage });
        let late = sorted(&[ACK], 1, noise(1));
        assert_eq!((late.result, late.garbage, late.others), (Err(Error::Timeout), 0, 1));
        for raw in [&[0x21, ACK][..], &[ACK, 0x21], &[0x21]] {
            let outcome = sorted(raw, raw.len(), noise(raw.len()));
            assert_eq!((outcome.result, outcome.others), (noise(raw.len()), 0), "{raw:?}");
        }
    }

    #[test]
    fn an_acknowledgement_before_an_answer_is_no_noise() {
        let answer = [0x10, 0x08, 0x01, 0x09, 0x16];
        let outcome = sorted(&[&[ACK], &answer[..]].concat(), 1, Ok(answer.to_vec()));
        assert_eq!((outcome.result, outcome.garbage, outcome.others), (Ok(answer.to_vec()), 0, 1));
        // What a frame has in it is not looked at.
        let inside = sorted(&[0x10, ACK, 0x01, 0x09, 0x16], 0, Ok(answer.to_vec()));
        assert_eq!(inside.others, 0);
    }
}
