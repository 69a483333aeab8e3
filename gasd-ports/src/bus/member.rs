// SPDX-License-Identifier: MIT OR Apache-2.0
//! One meter of a bus: when it is read next, whether it is left alone, and what is remembered of it.

use gasd_meters::Valve;
use gasd_meters::drive::{Device, Earlier, Memory, Procedure};
use gasd_meters::poll::{Allowed, Breaker, Schedule, Settings, State};

use super::Bus;
use super::doubt::First;
use super::event::{Key, NotMoved, Standing};
use super::guesses::Guesses;

/// A meter as its configuration says it.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Names it.
    pub key: Key,
    /// How it is spoken to.
    pub device: Device,
    /// What it may be instead, where nobody has said what it is: whichever it answers as, it is. Such a meter has no valve.
    pub others: Vec<Device>,
    /// How often it is read, ns.
    pub every_ns: u64,
    /// When it is left alone.
    pub breaker: Settings,
    /// The most that can pass through it, µL/h: two readings that are further apart do not tell the same.
    pub most_ul_per_h: u64,
    /// What is remembered of it.
    pub memory: Memory,
    /// A command to its valve that went out before and may still be at work.
    pub earlier: Option<Earlier>,
}

/// A meter at work.
pub(super) struct Member {
    pub(super) spec: Spec,
    pub(super) breaker: Breaker,
    pub(super) guesses: Guesses,
    schedule: Schedule,
    /// When it is read next, ns.
    due_ns: u64,
    /// So many exchanges with it may still be answered by the answer to one before.
    pub(super) late: u8,
    /// A reading of a disturbed line.
    pub(super) first: Option<First>,
    /// Its valve is being moved.
    pub(super) order: Option<Order>,
}

/// An order to its valve.
pub(super) struct Order {
    /// Tells it from the ones before it.
    pub(super) number: u64,
    pub(super) to: Valve,
    pub(super) procedure: Procedure,
    /// A step of it is on the agenda or under way.
    pub(super) busy: bool,
    /// When the next step is due, ns.
    pub(super) due_ns: u64,
    /// It was told that its command goes out, and that is not out yet.
    pub(super) told: bool,
}

/// What a meter wants now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Look,
}

impl Member {
    /// It is read at once: what happened while nobody looked is to be known soon.
    pub(super) fn new(spec: Spec, now_ns: u64) -> Self {
        let schedule = Schedule::new(spec.every_ns, spec.key);
        let guesses = guesses(&spec);
        let breaker = Breaker::new(spec.breaker);
        Self { breaker, guesses, schedule, due_ns: now_ns, late: 0, first: None, order: None, spec }
    }

    /// What it wants at `now_ns`; said once.
    pub(super) fn wish(&mut self, now_ns: u64) -> Option<Wish> {
        if self.breaker.state() != State::Closed {
            // A reading that is missed meanwhile is not made up for: the first one after it has what passed.
            self.due_ns = self.due_ns.max(self.schedule.after(now_ns));
            return (self.breaker.ask(now_ns) == Allowed::Probe).then_some(Wish::Look);
        }
        if now_ns < self.due_ns {
            return None;
        }
        self.due_ns = self.schedule.after(now_ns);
        Some(Wish::Read)
    }

    /// When it wants something next, ns.
    pub(super) fn due_ns(&mut self, now_ns: u64) -> u64 {
        let own_ns = match self.breaker.state() {
            State::Closed => self.due_ns,
            State::Open => self.breaker.next_probe_ns().unwrap_or(now_ns),
            // Its outcome comes with a talk that is under way or on the agenda; one that never comes is waited for
            // as long as the breaker waits.
            State::HalfOpen => {
                self.breaker.next_probe_ns().unwrap_or(now_ns).saturating_add(self.spec.breaker.open_ns)
            }
        };
        let order_ns = self.order.as_ref().filter(|order| !order.busy).map_or(u64::MAX, |order| order.due_ns);
        own_ns.min(order_ns)
    }

    /// Where its breaker stands.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            state: self.breaker.state(),
            failures: self.breaker.failures(),
            last: self.breaker.last_failure(),
            next_probe_ns: self.breaker.next_probe_ns(),
        }
    }

    /// Takes over what another configuration says, and keeps what was found out.
    pub(super) fn change(&mut self, spec: Spec, now_ns: u64) {
        let same = self.guesses.are(&spec.device, &spec.others);
        let schedule = Schedule::new(spec.every_ns, spec.key);
        if schedule != self.schedule {
            self.due_ns = now_ns;
        }
        self.schedule = schedule;
        if !same || self.spec.breaker != spec.breaker {
            self.breaker = Breaker::new(spec.breaker);
        }
        let memory = match (&self.spec.device, &spec.device) {
            _ if same => self.spec.memory.clone(),
            // Of another key the counters are kept apart: back to it nothing old is read as new.
            (Device::SecureMbus { target: before, .. }, Device::SecureMbus { target, .. })
                if before == target =>
            {
                self.spec.memory.lasting()
            }
            _ => Memory::default(),
        };
        // What this one has sent itself is known better than by what was written down.
        let earlier = if same { self.spec.earlier } else { spec.earlier };
        self.spec = Spec { memory, earlier, ..spec };
        if !same {
            self.guesses = guesses(&self.spec);
        }
    }
}

fn guesses(spec: &Spec) -> Guesses {
    Guesses::new(spec.device.clone(), spec.others.clone(), &spec.memory)
}

impl Bus {
    /// Other meters from now on. What is known of one that stays is kept.
    pub fn set_meters(&mut self, specs: Vec<Spec>, now_ns: u64) {
        let mut before = std::mem::take(&mut self.members);
        for spec in specs {
            let known = before.iter().position(|member| member.spec.key == spec.key);
            self.members.push(match known {
                Some(at) => {
                    let mut member = before.swap_remove(at);
                    member.change(spec, now_ns);
                    member
                }
                None => Member::new(spec, now_ns),
            });
        }
        for mut gone in before {
            self.agenda.forget(gone.spec.key).for_each(drop);
            self.events.extend(gone.end_order(NotMoved::NoLine, now_ns));
        }
    }
}
