// SPDX-License-Identifier: MIT OR Apache-2.0
//! Orders to the meters' valves, each a [`Procedure`] whose steps go before all else.

use gasd_meters::drive::{Act, Earlier, NoValve, Procedure, ProcedureSettings, Trouble};
use gasd_meters::poll::{Full, Job, Outcome, Priority};
use gasd_meters::{Error, Valve};

use super::event::{Event, Key, NotMoved};
use super::member::{Member, Order};
use super::talk::Talk;
use super::{Bus, Step, What};

/// A closing waits for an answer that may still come for no longer, ns.
const PATIENCE_NS: u64 = 1_000_000_000;

impl Bus {
    /// Moves a meter's valve. A newer order takes the place of an older one that is under way: its command is not sent any
    /// more if it was not yet. What becomes of it is told by [`Event::Moved`]. `false` if there is no such meter.
    pub fn move_valve(&mut self, key: Key, to: Valve, settings: ProcedureSettings, now_ns: u64) -> bool {
        let number = self.orders;
        let Some(member) = self.member(key) else { return false };
        if member.order.as_ref().is_none_or(|order| order.to != to) {
            let earlier = member.spec.earlier;
            let procedure = Procedure::new(to, settings, now_ns).after(earlier);
            let order = Order { number, to, procedure, busy: false, due_ns: now_ns, told: false };
            let overtaken = member.order.replace(order);
            self.orders = number.wrapping_add(1);
            if overtaken.is_some_and(|order| order.told) {
                let earlier = at_work(earlier, now_ns);
                self.events.push_back(Event::NotCommanded { key, earlier });
            }
        }
        true
    }

    /// Ends the talk of an order that is not its meter's any more, before its next request goes out: an opening must not follow
    /// a closing. To what is out it is listened. A meter that is gone may be on another port, and its newer order there.
    pub(super) fn drop_overtaken(&mut self) {
        let members = &self.members;
        let is_overtaken = |talk: &mut Talk<What>| {
            let (What::Position(number) | What::Move(number, _)) = talk.job.what else { return false };
            let member = members.iter().find(|member| member.spec.key == talk.job.meter);
            let is_of = |order: &Order| order.number == number;
            !talk.is_sent() && !member.is_some_and(|member| member.order.as_ref().is_some_and(is_of))
        };
        let Some(talk) = self.talk.take_if(is_overtaken) else { return };
        let (job, finished, _) = talk.finish();
        self.remember(job.meter, finished.memory);
    }

    /// Puts the next step of each order on the agenda.
    pub(super) fn plan_orders(&mut self, now_ns: u64) {
        for member in &mut self.members {
            let key = member.spec.key;
            let Some(order) = &mut member.order else { continue };
            if order.busy || now_ns < order.due_ns {
                continue;
            }
            let what = match order.procedure.next(now_ns) {
                Act::Read => What::Position(order.number),
                Act::Command => What::Move(order.number, order.to),
                Act::Wait { until_ns } => {
                    order.due_ns = until_ns;
                    continue;
                }
                Act::Done(result) => {
                    // Of one that was not sent at all, as nobody could be asked before, the one before it is at work still.
                    if !matches!(result, Err(Trouble::NotRead(_))) {
                        member.spec.earlier = None;
                    }
                    let (to, result) = (order.to, result.map_err(NotMoved::Trouble));
                    let at_work = at_work(member.spec.earlier, now_ns);
                    self.events.push_back(Event::Moved { key, to, result, at_work });
                    member.order = None;
                    continue;
                }
            };
            match self.agenda.push(Job { priority: Priority::Valve, meter: key, what }) {
                Ok(()) => order.busy = true,
                // More valves than jobs fit: tried again when some are done.
                Err(Full(_)) => order.due_ns = now_ns.saturating_add(1_000_000),
            }
        }
    }

    /// A talk waits for so long, ns, or until the next step of an order is due: it may give way to that.
    pub(super) fn wait(&self, until_ns: u64) -> Step {
        let orders = self.members.iter().filter_map(|member| member.order.as_ref());
        let due_ns = orders.filter(|order| !order.busy).map(|order| order.due_ns).min();
        Step::Wait { until_ns: until_ns.min(due_ns.unwrap_or(u64::MAX)) }
    }

    /// A step of an order has ended.
    pub(super) fn order_step(&mut self, job: &Job<What>, result: Result<Option<Valve>, Error>, now_ns: u64) {
        let Some(order) = self.member(job.meter).and_then(|member| member.order.as_mut()) else { return };
        match job.what {
            What::Position(number) if number == order.number => order.procedure.was_read(result, now_ns),
            What::Move(number, _) if number == order.number => order.procedure.was_commanded(result, now_ns),
            // The end of a step of an order that a newer one took the place of.
            _ => return,
        }
        (order.busy, order.due_ns) = (false, now_ns);
    }

    /// A step of an order has failed. A command of which nothing was sent, as the line was never silent or is gone, nobody can
    /// have heard: it is sent as soon as it can be.
    pub(super) fn order_failed(&mut self, job: &Job<What>, sent: bool, error: Error, now_ns: u64) {
        let Some(member) = self.member(job.meter) else { return };
        match (job.what, &mut member.order) {
            (What::Move(number, _), Some(order)) if !sent && number == order.number => {
                order.procedure.was_not_sent(error, now_ns);
                (order.busy, order.due_ns) = (false, now_ns);
            }
            _ => self.order_step(job, Err(error), now_ns),
        }
    }

    /// A command to a valve is about to go out. It is told now: to write it down takes a while, which is to pass while the line
    /// falls silent and not between that and the command.
    pub(super) fn commanded(&mut self, key: Key, to: Valve) {
        let Some(order) = self.member(key).and_then(|member| member.order.as_mut()) else { return };
        order.told = true;
        self.events.push_back(Event::Commanded { key, to });
    }

    /// A request goes out. Is it the command to a valve, that may be at work from now on, and another waits for it.
    pub(super) fn command_is_out(&mut self, now_ns: u64) {
        let Some(talk) = self.talk.as_mut().filter(|talk| talk.is_command()) else { return };
        let (key, What::Move(_, to)) = (talk.job.meter, talk.job.what) else { return };
        let Some(member) = self.members.iter_mut().find(|member| member.spec.key == key) else { return };
        let settle_ns = member.order.as_ref().map_or(0, |order| order.procedure.settle_ns());
        let earlier = Earlier { to, until_ns: now_ns.saturating_add(settle_ns) };
        talk.earlier = member.spec.earlier.replace(earlier);
        if let Some(order) = &mut member.order {
            order.told = false;
        }
    }

    /// The line did not take one byte of the request that [`Bus::step`] gave last, and is lost: to be told before
    /// [`Bus::lost`]. A command that nobody can have heard is at work nowhere, and no other waits for it. One that was cut
    /// short may have been heard, as far as is known here.
    pub fn not_written(&mut self, now_ns: u64) {
        if let Some(mut talk) = self.talk.take_if(|talk| talk.is_sent()) {
            self.take_back(&mut talk, now_ns);
            self.talk = Some(talk);
        }
    }

    /// Whether the line has taken no byte of the request that [`Bus::step`] gave last, as it has no room: to be told before each
    /// step. One whose exchange ends like that was never sent, and must not be written any more ([`Bus::is_asking`]).
    pub fn held_back(&mut self, is: bool) {
        if let Some(talk) = self.talk.as_mut().filter(|talk| talk.is_sent()) {
            talk.held_back = is;
        }
    }

    /// Whether the exchange of the request that [`Bus::step`] gave last goes on.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.talk.as_ref().is_some_and(Talk::is_sent)
    }

    /// An exchange has ended without that the line took the request: nobody can have heard it.
    pub(super) fn ends_held_back(&mut self, talk: &mut Talk<What>, outcome: &mut Outcome, now_ns: u64) {
        if std::mem::take(&mut talk.held_back) && outcome.result.is_err() {
            outcome.sent = false;
            self.take_back(talk, now_ns);
        }
    }

    /// Nobody can have heard the request of a talk. Is it a command, what was at work before it is so still.
    fn take_back(&mut self, talk: &mut Talk<What>, now_ns: u64) {
        if !talk.is_command() {
            return;
        }
        talk.out = false;
        let (key, before) = (talk.job.meter, talk.earlier);
        if let Some(member) = self.member(key) {
            member.spec.earlier = before;
            self.events.push_back(Event::NotCommanded { key, earlier: at_work(before, now_ns) });
        }
    }

    /// Breaks off a talk whose request is not out yet, for a valve: it may wait for long until no answer can be mistaken. The
    /// reading before a closing does not wait for that either: its meter is one that cannot be read. Returns whether it did.
    pub(super) fn gives_way(&mut self, now_ns: u64) -> bool {
        self.plan_orders(now_ns);
        let pressing = self.agenda.is_pressing(Priority::Poll);
        if let Some(talk) = &mut self.talk
            && (pressing || talk.job.priority == Priority::Valve)
            && talk.hurry_careful()
        {
            return true;
        }
        let waits =
            |talk: &mut Talk<What>| !talk.is_sent() && (pressing || talk.job.priority == Priority::Valve);
        let Some(talk) = self.talk.take_if(waits) else { return false };
        if talk.job.priority != Priority::Valve {
            self.break_off(talk);
            return true;
        }
        if !self.is_closing(&talk) || talk.not_before_ns() <= now_ns.saturating_add(PATIENCE_NS) {
            self.talk = Some(talk);
            return false;
        }
        let (job, finished, _) = talk.finish();
        self.remember(job.meter, finished.memory);
        self.order_step(&job, Err(Error::Timeout), now_ns);
        true
    }

    /// Ends a talk before a closing whose meter cannot be read at once. Returns any other.
    pub(super) fn given_up(&mut self, talk: Talk<What>, now_ns: u64) -> Option<Talk<What>> {
        if !talk.is_cut_short() || !self.is_closing(&talk) {
            return Some(talk);
        }
        let (job, finished, _) = talk.finish();
        self.remember(job.meter, finished.memory);
        self.order_step(&job, Err(Error::Timeout), now_ns);
        None
    }

    /// Whether it is a step of an order to close.
    fn is_closing(&self, talk: &Talk<What>) -> bool {
        let member = self.members.iter().find(|member| member.spec.key == talk.job.meter);
        let order = member.and_then(|member| member.order.as_ref());
        talk.job.priority == Priority::Valve && order.is_some_and(|order| order.to == Valve::Closed)
    }

    /// Ends a talk that would go on, for a valve. A reading is begun anew later, a question goes on.
    pub(super) fn break_off(&mut self, talk: Talk<What>) {
        if talk.job.what == What::Search {
            self.suspended = Some(talk);
            return;
        }
        let (job, finished, _) = talk.finish();
        self.remember(job.meter, finished.memory);
        let _ = self.agenda.push(job);
    }

    /// The meter has no valve that can be moved like this.
    pub(super) fn no_valve(&mut self, job: &Job<What>, why: NoValve, now_ns: u64) {
        let Some(member) = self.member(job.meter) else { return };
        let told = member.end_order(NotMoved::NoValve(why), now_ns);
        self.events.extend(told);
    }

    /// Ends all orders, as there is no line at `now_ns`. A command that is out may be at work all the same.
    pub fn drop_orders(&mut self, now_ns: u64) {
        let told = self.members.iter_mut().filter_map(|member| member.end_order(NotMoved::NoLine, now_ns));
        self.events.extend(told);
    }
}

impl Member {
    /// Ends its order, if it has one, and tells what may be at work still.
    pub(super) fn end_order(&mut self, why: NotMoved, now_ns: u64) -> Option<Event> {
        let to = self.order.take()?.to;
        let at_work = at_work(self.spec.earlier, now_ns);
        let why = if why == NotMoved::NoLine && at_work == Some(to) { NotMoved::LineLost } else { why };
        Some(Event::Moved { key: self.spec.key, to, result: Err(why), at_work })
    }
}

/// Where to a command goes that may be at work at `now_ns`.
fn at_work(earlier: Option<Earlier>, now_ns: u64) -> Option<Valve> {
    earlier.filter(|earlier| now_ns < earlier.until_ns).map(|earlier| earlier.to)
}
