// SPDX-License-Identifier: MIT OR Apache-2.0
//! One line that many meters share. Pure: bytes and times in; bytes to send, and what happened, out.
//!
//! Whoever has the wire asks [`Bus::step`] what is to be done, hands in what it hears ([`Bus::heard`]), and takes what
//! has happened ([`Bus::events`]).
//!
//! - **One at a time.** Valves go before readings and readings before searches ([`Agenda`]). A talk of several
//!   requests is broken off between two of them for what is more pressing, and begun anew later.
//! - **A meter that does not answer is left alone** ([`Breaker`](gasd_meters::poll::Breaker)), and looked for with one
//!   light request now and then. When it is back it is read at once. A valve is ordered all the same.
//! - **A valve's command goes out once** ([`Procedure`]): it is read before and after, and never repeated blindly.

mod doubt;
pub mod event;
mod failed;
mod guesses;
mod habits;
mod member;
mod orders;
mod owed;
mod search;
mod slow;
mod stray;
mod talk;
pub mod timing;
mod unasked;

use std::collections::VecDeque;

use gasd_meters::drive::Dialogue;
use gasd_meters::poll::{Agenda, Change, Echo, Job, Outcome, Priority, Supply};
use gasd_meters::{Error, Reading, Valve};
use zeroize::Zeroizing;

pub use event::{Counts, Event, Key, NotMoved, Odd, Standing};
pub use member::Spec;
pub use search::{Look, Searched};
pub use timing::Pace;

use doubt::{Disturbed, is_damaged};
use member::{Member, Wish};
use talk::{Ear, Talk, Turn};

/// Jobs that may wait for a line.
const MOST_JOBS: usize = 1_024;

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes, now. There may be a password in them.
    Send(Zeroizing<Vec<u8>>),
    /// Nothing before this time, ns, or before bytes come.
    Wait {
        /// When to ask again.
        until_ns: u64,
    },
}

/// What a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Read it.
    Read,
    /// See whether it is there.
    Look,
    /// Read it for the sake of the order of this number.
    Position(u64),
    /// Move its valve, by the order of this number.
    Move(u64, Valve),
    /// A question of a search.
    Search,
}

/// A shared line.
pub struct Bus {
    pace: Pace,
    ear: Ear,
    members: Vec<Member>,
    agenda: Agenda<What>,
    talk: Option<Talk<What>>,
    search: Option<search::Searching>,
    /// A question of a search that gave way to a valve.
    suspended: Option<Talk<What>>,
    /// The last request had no answer, so one may still come.
    waited: bool,
    /// The last answer, after which there is no other.
    answered: Option<stray::Answered>,
    /// As [`Member::late`], of whom a search asks.
    late: u8,
    unasked: unasked::Unasked,
    owed: owed::Owed,
    disturbed: Disturbed,
    supply: Supply,
    events: VecDeque<Event>,
    counts: Counts,
    /// Orders to valves so far: each has its number.
    orders: u64,
}

impl Bus {
    /// A line with these meters, at `now_ns`.
    #[must_use]
    pub fn new(pace: Pace, specs: Vec<Spec>, now_ns: u64) -> Self {
        Self {
            pace,
            ear: Ear::new(pace.echo),
            members: specs.into_iter().map(|spec| Member::new(spec, now_ns)).collect(),
            agenda: Agenda::new(MOST_JOBS),
            talk: None,
            search: None,
            suspended: None,
            waited: false,
            answered: None,
            late: 0,
            unasked: unasked::Unasked::default(),
            owed: owed::Owed::default(),
            disturbed: Disturbed::default(),
            supply: Supply::Good,
            events: VecDeque::new(),
            counts: Counts::default(),
            orders: 0,
        }
    }

    /// What is to be done at `now_ns`.
    pub fn step(&mut self, now_ns: u64) -> Step {
        self.hurry_search(now_ns);
        loop {
            self.drop_overtaken();
            if let Some(talk) = &mut self.talk {
                match talk.step(&self.owed, now_ns) {
                    Turn::Send(bytes) => {
                        self.counts.requests = self.counts.requests.saturating_add(1);
                        self.went_out(&bytes, now_ns);
                        return Step::Send(bytes);
                    }
                    Turn::Wait { .. } if self.gives_way(now_ns) => {}
                    Turn::Wait { until_ns } => return self.wait(until_ns),
                    Turn::Ended(outcome) => self.ended(outcome, now_ns),
                }
                continue;
            }
            self.plan(now_ns);
            match self.agenda.pop() {
                Some(job) => self.begin(job, now_ns),
                None if self.suspended.is_some() => self.talk = self.suspended.take(),
                None if self.begin_search(now_ns) => {}
                None => {
                    let until_ns = self.unasked_due_ns(now_ns).min(self.due_ns(now_ns));
                    return Step::Wait { until_ns };
                }
            }
        }
    }

    /// These bytes came at `now_ns`.
    pub fn heard(&mut self, now_ns: u64, bytes: &[u8]) {
        self.stray(bytes, now_ns);
        match &mut self.talk {
            Some(talk) => {
                let early = talk.heard(now_ns, bytes);
                self.unasked(&early, now_ns);
            }
            None => {
                self.waited = true;
                self.unasked(bytes, now_ns);
            }
        }
    }

    /// What has happened since the last time, oldest first.
    pub fn events(&mut self) -> impl Iterator<Item = Event> + use<> {
        std::mem::take(&mut self.events).into_iter()
    }

    /// The line is gone. What was asked is not answered, and no meter is to blame.
    pub fn lost(&mut self, now_ns: u64) {
        self.unasked_ends(now_ns);
        if let Some(mut talk) = self.talk.take() {
            talk.lose();
            let sent = talk.out;
            let (job, finished, _) = talk.finish();
            match job.what {
                What::Position(_) | What::Move(..) => self.order_failed(&job, sent, Error::Timeout, now_ns),
                What::Search => self.search_told(&finished),
                // What happened meanwhile is to be known as soon as it is back.
                What::Read => _ = self.agenda.push(job),
                What::Look => {}
            }
        }
    }

    /// How the supply of line and meters is: while it is low no breaker opens.
    pub fn set_supply(&mut self, supply: Supply) {
        self.supply = supply;
        self.members.iter_mut().for_each(|member| member.breaker.set_supply(supply));
    }

    /// What the line has seen.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { dropped: self.agenda.dropped(), ..self.counts }
    }

    /// Whether the adapter hears what it sends, as far as that is known.
    #[must_use]
    pub const fn echo(&self) -> Echo {
        self.ear.echo()
    }

    /// Puts on the agenda what is due.
    fn plan(&mut self, now_ns: u64) {
        self.plan_orders(now_ns);
        for member in &mut self.members {
            let Some(wish) = member.wish(now_ns) else { continue };
            let what = match wish {
                Wish::Read => What::Read,
                Wish::Look => What::Look,
            };
            let job = Job { priority: Priority::Poll, meter: member.spec.key, what };
            // What finds no room is left out, and its turn comes again.
            let _ = self.agenda.push(job);
        }
    }

    fn due_ns(&mut self, now_ns: u64) -> u64 {
        self.members.iter_mut().map(|member| member.due_ns(now_ns)).min().unwrap_or(u64::MAX)
    }

    fn member(&mut self, key: Key) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.spec.key == key)
    }

    fn begin(&mut self, job: Job<What>, now_ns: u64) {
        let Some(member) = self.members.iter().find(|member| member.spec.key == job.meter) else { return };
        if let What::Position(number) | What::Move(number, _) = job.what
            && member.order.as_ref().is_none_or(|order| order.number != number)
        {
            // A newer order took the place of its own.
            return;
        }
        let (device, memory) = (member.guesses.device(), &member.spec.memory);
        let dialogue = match job.what {
            What::Read | What::Position(_) => Ok(device.read(memory)),
            What::Look => Ok(device.look(memory)),
            What::Move(_, to) => device.valve(to, memory),
            What::Search => return,
        };
        match dialogue {
            Ok(dialogue) => {
                let protocol = device.protocol();
                if let What::Move(_, to) = job.what {
                    self.commanded(job.meter, to);
                }
                self.start(job, dialogue, protocol, now_ns);
            }
            Err(why) => self.no_valve(&job, why, now_ns),
        }
    }

    fn start(
        &mut self,
        job: Job<What>,
        dialogue: Dialogue,
        protocol: gasd_meters::detect::Protocol,
        now_ns: u64,
    ) {
        let line = Pace { echo: self.ear.echo(), ..self.pace }.line(protocol);
        let others = self.members.iter().filter(|member| member.spec.key != job.meter);
        let others = others.filter_map(|member| member.guesses.device().cjt188_address()).collect();
        let mut talk = Talk::new(job, dialogue, (protocol, line), others);
        self.search_listens(&mut talk);
        if talk.ask(self.waited, &self.owed, now_ns) {
            self.talk = Some(talk);
        } else {
            self.finish(talk, now_ns);
        }
    }

    /// An exchange has ended.
    fn ended(&mut self, mut outcome: Outcome, now_ns: u64) {
        let Some(mut talk) = self.talk.take() else { return };
        self.ends_held_back(&mut talk, &mut outcome, now_ns);
        // A search wants to know of each byte that it cannot place.
        if talk.job.what != What::Search {
            self.sort_split(&mut outcome, now_ns);
        }
        let outcome = &outcome;
        self.counts.count(outcome, talk.is_answered());
        self.ear.learn(outcome);
        self.disturbed.note(is_damaged(outcome));
        self.who_answered(&talk, outcome, now_ns);
        self.waited = talk.leaves_waiting(outcome) && !talk.is_heard_out();
        self.settle(&talk, outcome, now_ns);
        let late = self.late((talk.job.what != What::Search).then_some(talk.job.meter));
        *late = if talk.leaves_waiting(outcome) { stray::LATE } else { late.saturating_sub(1) };
        talk.took(outcome);
        self.plan_orders(now_ns);
        let Some(mut talk) = self.given_up(talk, now_ns) else { return };
        if !talk.ask(self.waited, &self.owed, now_ns) {
            self.finish(talk, now_ns);
        } else if !self.agenda.is_pressing(Priority::Poll) || talk.job.priority == Priority::Valve {
            self.talk = Some(talk);
        } else {
            self.break_off(talk);
        }
    }

    fn remember(&mut self, key: Key, memory: gasd_meters::drive::Memory) {
        let Some(member) = self.member(key) else { return };
        if member.spec.memory != memory {
            let (before, bytes) = (member.spec.memory.to_bytes(), memory.to_bytes());
            member.spec.memory = memory;
            if before != bytes {
                self.events.push_back(Event::Memory { key, bytes });
            }
        }
    }

    fn finish(&mut self, talk: Talk<What>, now_ns: u64) {
        let sent = talk.out;
        let (job, finished, raw) = talk.finish();
        let key = job.meter;
        if job.what == What::Search {
            return self.search_told(&finished);
        }
        let result = match finished.result {
            // Another guess is tried, and its breaker told when all are.
            Err(error) => match self.guess(&job, error) {
                Some(error) => Err(error),
                None => return,
            },
            good => good,
        };
        if self.member(key).is_some_and(|member| result.is_ok() || member.guesses.is_settled()) {
            self.remember(key, finished.memory);
        }
        self.outcome(key, result.as_ref().err().copied(), now_ns);
        match (job.what, result) {
            (What::Read | What::Position(_), Ok(reading)) => {
                let Some(reading) = self.believe(&job, reading, now_ns) else { return };
                let valve = reading.valve;
                if let Some(protocol) = self.member(key).and_then(|member| member.guesses.read()) {
                    self.events.push_back(Event::Speaks { key, protocol });
                }
                self.read(key, reading, finished.oddities, now_ns);
                self.order_step(&job, Ok(valve), now_ns);
            }
            // It is back, and what was missed is read at once.
            (What::Look, Ok(_)) => {
                let _ = self.agenda.push(Job { priority: Priority::Poll, meter: key, what: What::Read });
            }
            (What::Read | What::Look, Err(error)) => self.failed(&job, error, raw, now_ns),
            (What::Move(..), Ok(reading)) => self.order_step(&job, Ok(reading.valve), now_ns),
            (What::Position(_) | What::Move(..), Err(error)) => {
                self.failed(&job, error, raw, now_ns);
                self.order_failed(&job, sent, error, now_ns);
            }
            (What::Search, _) => {}
        }
    }

    fn read(&mut self, key: Key, reading: Reading, oddities: gasd_meters::drive::Oddities, t_ns: u64) {
        self.events.push_back(Event::Read { key, t_ns, reading: Box::new(reading), oddities });
    }

    /// Tells a meter's breaker how a talk ended.
    fn outcome(&mut self, key: Key, error: Option<Error>, now_ns: u64) {
        let Some(member) = self.member(key) else { return };
        let before = member.standing();
        let change = member.breaker.outcome(error.as_ref(), now_ns);
        if change == Some(Change::Opened) {
            member.guesses.doubt();
        }
        let standing = member.standing();
        if standing != before {
            self.events.push_back(Event::Breaker { key, standing });
        }
        if change == Some(Change::LowPower) {
            self.events.push_back(Event::LowPower { key });
        }
    }
}
