// SPDX-License-Identifier: MIT OR Apache-2.0
//! One talk with one meter: its requests one after another, each an exchange on the line.

use gasd_meters::detect::Protocol;
use gasd_meters::drive::{Dialogue, Earlier, Finished};
use gasd_meters::poll::{Echo, Exchange, Heard, Job, Line, Outcome, Priority, Step};
use gasd_meters::{Error, cjt188, poll};
use zeroize::Zeroizing;

use super::event::Counts;
use super::owed::{MOST_NS, Owed};
use super::stray::sort_acks;

/// Behind what may be an answer said twice, the one to the request is awaited for so long, ns, and no longer than any.
const ANOTHER_NS: u64 = 2_000_000_000;

/// A talk under way.
pub(super) struct Talk<W> {
    pub(super) job: Job<W>,
    ear: Listener,
    line: Line,
    pub(super) protocol: Protocol,
    exchange: Option<Exchange>,
    /// A request went out.
    pub(super) out: bool,
    /// The wire has taken no byte of the request yet.
    pub(super) held_back: bool,
    /// The request has an answer.
    answered: bool,
    /// The request is the command to a valve.
    moves: bool,
    /// Which command was at work at that valve when this one went out.
    pub(super) earlier: Option<Earlier>,
    /// A search listens longer than the line's meters may think, ns; and whether the line was wanted meanwhile.
    listens_ns: Option<u64>,
    hurried: bool,
    /// What was heard instead of an answer the last time.
    raw: Vec<u8>,
    /// What would answer the request, and was the answer to another one: it may be that, once more.
    repeated: Vec<Vec<u8>>,
    /// Where there is none but that, it is the answer only when no other can come any more.
    careful: bool,
    /// When that was heard first, ns.
    again_ns: Option<u64>,
    /// It was not the only one.
    several: bool,
    /// Whom is asked is known to be slow, or to say answers twice.
    odd: bool,
}

/// Who tells an answer from what else is heard.
struct Listener {
    dialogue: Dialogue,
    others: Vec<cjt188::Address>,
}

impl Listener {
    /// Whether the frame answers. A meter of CJ/T 188 that answers with an address that nobody has is let pass, as such meters
    /// are about; with the address of another meter of this line it is that one, late.
    fn judge(&self, frame: &[u8]) -> Result<(), Error> {
        self.dialogue.judge(frame)?;
        let another = !self.others.is_empty()
            && cjt188::Frame::parse(frame).is_ok_and(|frame| self.others.contains(&frame.address));
        if another { Err(Error::AddressMismatch) } else { Ok(()) }
    }
}

/// What is to be done for a talk.
pub(super) enum Turn {
    Send(Zeroizing<Vec<u8>>),
    Wait {
        until_ns: u64,
    },
    /// An exchange has ended, as this says.
    Ended(Outcome),
}

impl<W> Talk<W> {
    /// `others`: addresses of other CJ/T 188 meters on the line.
    pub(super) fn new(
        job: Job<W>,
        dialogue: Dialogue,
        (protocol, line): (Protocol, Line),
        others: Vec<cjt188::Address>,
    ) -> Self {
        let ear = Listener { dialogue, others };
        Self {
            job,
            ear,
            line,
            protocol,
            exchange: None,
            out: false,
            held_back: false,
            answered: true,
            moves: false,
            earlier: None,
            listens_ns: None,
            hurried: false,
            raw: Vec::new(),
            repeated: Vec::new(),
            careful: false,
            again_ns: None,
            several: false,
            odd: false,
        }
    }

    /// Makes the next request; `false` when there is none. `waited`: a late answer may still come, and `owed` knows to what.
    pub(super) fn ask(&mut self, waited: bool, owed: &Owed, now_ns: u64) -> bool {
        let Some(ask) = self.ear.dialogue.next() else { return false };
        (self.answered, self.moves) = (ask.answered, ask.moves);
        let mut line = self.line;
        if !ask.answered {
            // Whoever answers all the same has said it before the line is silent again.
            line.answer_ns = line.gap_ns.min(line.answer_ns);
        }
        let not_before_ns = owed.over_ns(self.protocol, &ask.request);
        self.repeated = match self.protocol {
            Protocol::Modbus if !ask.many => owed.repeated(&ask.request, now_ns),
            _ => Vec::new(),
        };
        self.several = false;
        (self.again_ns, self.odd) = (None, owed.habits.is_odd(&ask.request, now_ns));
        self.careful = !self.repeated.is_empty() && !owed.habits.is_plain(&ask.request, now_ns);
        let mut exchange = Exchange::new(ask.request, line, waited, now_ns).not_before(not_before_ns);
        self.hurried = false;
        if let Some(listens_ns) = self.listens_ns {
            exchange = exchange.listening(listens_ns);
        }
        let listens = ask.many || !self.repeated.is_empty();
        self.exchange = Some(if listens { exchange.to_many() } else { exchange });
        true
    }

    /// `owed` may have become less while the request waits for it.
    pub(super) fn step(&mut self, owed: &Owed, now_ns: u64) -> Turn {
        let Some(exchange) = &mut self.exchange else {
            return Turn::Wait { until_ns: now_ns };
        };
        let ear = &self.ear;
        if exchange.not_before_ns() > now_ns {
            exchange.wait_until(owed.over_ns(self.protocol, ear.dialogue.request()));
        }
        match exchange.step(now_ns, |bytes| ear.dialogue.probe(bytes), |frame| ear.judge(frame)) {
            Step::Send(bytes) => {
                self.out = true;
                Turn::Send(bytes.to_vec().into())
            }
            Step::Wait { until_ns } => Turn::Wait { until_ns },
            Step::Done => match self.exchange.take() {
                Some(exchange) => {
                    let mut outcome = exchange.outcome();
                    self.pick(&mut outcome);
                    // A search wants to know of each byte that it cannot place.
                    if self.protocol == Protocol::Mbus && self.job.priority != Priority::Scan {
                        sort_acks(&mut outcome);
                    }
                    Turn::Ended(outcome)
                }
                None => Turn::Wait { until_ns: now_ns },
            },
        }
    }

    /// Bytes came. Returns those that came before the request was out.
    pub(super) fn heard(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<u8> {
        let ear = &self.ear;
        match &mut self.exchange {
            Some(exchange) => {
                let probe = |bytes: &[u8]| ear.dialogue.probe(bytes);
                let early = exchange.heard(now_ns, bytes, probe, |frame| ear.judge(frame));
                if !self.repeated.is_empty() && exchange.answers().next().is_some() {
                    if exchange.answers().any(|answer| is_new(&self.repeated, answer)) {
                        exchange.enough();
                    } else {
                        let first = self.again_ns.is_none();
                        let again_ns = *self.again_ns.get_or_insert(now_ns);
                        // Each of them shows that what is asked waits for others before it.
                        if self.careful && !self.hurried {
                            let most_ns = again_ns.saturating_add(3 * MOST_NS);
                            exchange.listen_until(now_ns.saturating_add(MOST_NS).min(most_ns));
                        } else if first {
                            exchange.enough_by(now_ns.saturating_add(ANOTHER_NS));
                        }
                    }
                }
                early
            }
            None => bytes.to_vec(),
        }
    }

    /// Of several answers of one who may answer twice the one that is no repetition. Where there is none but that, it is the
    /// answer, as registers may be equal.
    fn pick(&mut self, outcome: &mut Outcome) {
        if self.repeated.is_empty() {
            return;
        }
        let more = std::mem::take(&mut outcome.more);
        self.several = !more.is_empty();
        outcome.others = outcome.others.saturating_add(more.len());
        if let Ok(first) = &mut outcome.result
            && !is_new(&self.repeated, first)
        {
            // Of two that were both heard before nobody knows which is that once more.
            let differ = more.iter().any(|answer| answer != first);
            match more.into_iter().find(|answer| is_new(&self.repeated, answer)) {
                Some(new) => *first = new,
                None if differ || self.is_cut_short() => {
                    outcome.others = outcome.others.saturating_add(1);
                    outcome.result = Err(Error::Timeout);
                }
                None => {}
            }
        }
    }

    /// Whether it may not be said what the answer is, as the line was wanted before no other could come any more.
    pub(super) const fn is_cut_short(&self) -> bool {
        self.careful && self.hurried && self.odd && self.again_ns.is_some()
    }

    /// When what was heard before came behind this request, ns, and whether that is the answer, as no other came.
    pub(super) fn again(&self, answer: &[u8]) -> Option<(u64, bool)> {
        Some((self.again_ns?, !is_new(&self.repeated, answer)))
    }

    /// Whether it was listened until no other answer could come any more, and none came.
    pub(super) const fn is_alone(&self) -> bool {
        self.careful && !self.hurried && !self.several
    }

    /// Whether there were several.
    pub(super) const fn is_several(&self) -> bool {
        self.several
    }

    /// Tells the dialogue how its request fared.
    pub(super) fn took(&mut self, outcome: &Outcome) {
        self.ear.dialogue.beside(&outcome.more, outcome.garbage);
        self.ear.dialogue.heard(outcome.result.as_deref().map_err(|error| *error));
        self.raw = if outcome.result.is_ok() { Vec::new() } else { outcome.raw.clone() };
    }

    /// Whether a late answer to the request that has just ended may still come.
    pub(super) fn leaves_waiting(&self, outcome: &Outcome) -> bool {
        self.answered && outcome.result.is_err()
    }

    /// The line is gone: what was asked is not answered.
    pub(super) fn lose(&mut self) {
        if self.exchange.take().is_some() {
            self.ear.dialogue.heard(Err(Error::Timeout));
        }
    }

    /// How it ended, and what was heard instead of the last answer.
    pub(super) fn finish(self) -> (Job<W>, Finished, Vec<u8>) {
        (self.job, self.ear.dialogue.finish(), self.raw)
    }
}

fn is_new(repeated: &[Vec<u8>], answer: &[u8]) -> bool {
    !repeated.iter().any(|before| before == answer)
}

/// Learns from what is heard whether the adapter hears itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ear {
    echo: Echo,
    whole: u8,
    nothing: u8,
}

/// So many exchanges alike decide it.
const SURE: u8 = 3;

impl Ear {
    pub(super) const fn new(echo: Echo) -> Self {
        Self { echo, whole: 0, nothing: 0 }
    }

    pub(super) const fn echo(&self) -> Echo {
        self.echo
    }

    /// What one exchange shows.
    pub(super) fn learn(&mut self, outcome: &Outcome) {
        match (outcome.heard, outcome.result.is_ok()) {
            (Heard::Whole, _) => (self.whole, self.nothing) = (self.whole.saturating_add(1), 0),
            // An answer without an echo before it; without an answer nothing is known.
            (Heard::Nothing, true) => (self.nothing, self.whole) = (self.nothing.saturating_add(1), 0),
            _ => return,
        }
        if self.echo == poll::Echo::Unknown {
            if self.whole >= SURE {
                self.echo = Echo::Always;
            } else if self.nothing >= SURE {
                self.echo = Echo::Never;
            }
        }
    }
}

impl Counts {
    /// Counts an exchange. What came before its request was out is counted where it is sorted.
    pub(super) fn count(&mut self, outcome: &Outcome, answered: bool) {
        let more = |n: &mut u64, by: usize| *n = n.saturating_add(by as u64);
        more(&mut self.garbage, outcome.garbage);
        more(&mut self.others, outcome.others);
        more(&mut self.collisions, usize::from(outcome.heard == Heard::Damaged));
        if !outcome.sent {
            return more(&mut self.busy, 1);
        }
        if !answered {
            return;
        }
        match outcome.result {
            Ok(_) => more(&mut self.answers, 1),
            Err(Error::Timeout) => more(&mut self.timeouts, 1),
            Err(_) => more(&mut self.damaged, 1),
        }
    }
}

impl<W> Talk<W> {
    /// Answers may begin so long after a request, ns, and at least twice as long as a meter may think: for that time nothing
    /// else is asked anyway, as long as one may be late.
    pub(super) fn listen(&mut self, at_least_ns: u64) {
        self.listens_ns = Some(self.line.answer_ns.saturating_mul(2).max(at_least_ns));
    }

    /// The line is wanted: it is listened for as long as a meter may think, and no longer.
    pub(super) fn hurry(&mut self) {
        if let Some(exchange) = &mut self.exchange {
            exchange.hurry(self.line.answer_ns);
            self.hurried = true;
        }
    }

    /// As [`Talk::hurry`], where it is only listened whether the answer is another one than what was heard. Returns whether it
    /// was.
    pub(super) fn hurry_careful(&mut self) -> bool {
        let hurries = self.careful && !self.hurried && self.is_sent();
        if hurries {
            self.hurry();
        }
        hurries
    }

    /// Whether it was listened until no late answer is to be expected any more.
    pub(super) const fn is_heard_out(&self) -> bool {
        self.listens_ns.is_some() && !self.hurried
    }

    /// The request that went out last.
    pub(super) fn request(&self) -> &[u8] {
        self.ear.dialogue.request()
    }

    /// Longest pause within a frame, ns.
    pub(super) const fn gap_ns(&self) -> u64 {
        self.line.gap_ns
    }

    /// Before that time, ns, the request does not go out, however silent the line is.
    pub(super) fn not_before_ns(&self) -> u64 {
        self.exchange.as_ref().map_or(0, Exchange::not_before_ns)
    }

    /// Whether the request of now is out.
    pub(super) fn is_sent(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::is_sent)
    }

    /// Whether the request under way is the command to a valve.
    pub(super) const fn is_command(&self) -> bool {
        self.moves
    }

    /// Whether the request under way has an answer.
    pub(super) const fn is_answered(&self) -> bool {
        self.answered
    }
}
