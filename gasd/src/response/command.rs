// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client asks for: planned under the lock, written and driven without it.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::response::actuator::{ActuatorError, Target};
use crate::response::audit::refused;
use crate::response::clock::now;
use crate::response::glue::Response;
use crate::response::holds::Wanted;
use crate::response::runner::Outcome;
use crate::response::update::Update;
use crate::state::{Answer, Command, CommandError, Feedback, Release};
use crate::store::{StoreError, Writing};

/// How long a command waits for the valve. A little more than a motor valve and its feedback need.
const PATIENCE: Duration = Duration::from_secs(8);

impl Response {
    /// Does what a client asks, and waits for the record and the valve: up to 28 s in the worst case,
    /// so not to be called where pulses are handled. A refusal is recorded, too.
    ///
    /// # Errors
    /// [`CommandError`]. After an error of [`Command::Close`] the hold is in place all the same, and
    /// the valve is driven again by itself.
    pub fn command(&self, command: &Command) -> Result<Answer, CommandError> {
        let (caller, action, object) = match command {
            Command::Close { valve, caller, .. } => (caller, "close", valve.clone()),
            Command::Open { valve, caller, .. } => (caller, "open", valve.clone()),
            Command::Acknowledge { verdict, caller, .. } => (caller, "acknowledge", verdict.to_string()),
            Command::Reload { caller } => (caller, "reload", "configuration".to_owned()),
            Command::Report { report, caller } => (caller, "report", report.meter.clone()),
            Command::Simulate { order, caller } => (caller, "simulate", order.meter.clone()),
            Command::StopSimulation { caller } => (caller, "simulate", String::new()),
            Command::Hold { valve, caller, .. } => (caller, "hold", valve.clone()),
            Command::Release { valve, caller, .. } => (caller, "release", valve.clone()),
        };
        let done = match command {
            Command::Close { valve, reason, caller } => self.close(valve, reason, caller),
            Command::Open { valve, reason, caller } => self.open(valve, reason, caller),
            Command::Acknowledge { verdict, feedback, caller } => {
                self.acknowledge(*verdict, *feedback, caller)
            }
            // The service's own business: it never comes here.
            Command::Reload { .. } => {
                Err(CommandError::Configuration(vec!["valves have no configuration to read".into()]))
            }
            Command::Report { report, .. } => Err(CommandError::NoSuchMeter(report.meter.clone())),
            Command::Simulate { .. } | Command::StopSimulation { .. } => {
                Err(CommandError::Simulation("valves are no test stand".into()))
            }
            Command::Hold { valve, app, reason, uid, caller } => {
                self.hold(Wanted { valve, app, reason, uid: *uid, caller })
            }
            Command::Release { valve, cookie, of, caller } => self.release(valve, *cookie, *of, caller),
        };
        if let Err(why) = &done {
            self.0.writer.push(vec![refused(caller, action, &object, why, now())]);
        }
        done
    }

    fn close(&self, valve: &str, reason: &str, caller: &str) -> Result<Answer, CommandError> {
        let cookie = self.0.writer.next_cookie();
        let now = now();
        let mut core = self.0.lock();
        let steps = core.valves.close(valve, reason, caller, cookie, now)?;
        let mut answer = self.0.go(&core, steps, now);
        drop(core);
        let deadline = Instant::now() + PATIENCE;
        let outcome = loop {
            if let Some(outcome) = self.answer(valve, &answer, deadline)? {
                break outcome;
            }
            // An opening cut it short. It may itself be cut short by now: then this order is being done after all.
            let core = self.0.lock();
            let steps = core.valves.join_closing(valve)?;
            answer = self.0.go(&core, steps, now);
        };
        finished(valve, outcome)?;
        // The gas is off; whoever is told so may also rely on the hold.
        self.0.writer.write_now(Vec::new()).map(|_| Answer::Done).map_err(|error| match error {
            StoreError::Stopped => CommandError::Stopping,
            error => CommandError::NotKept { valve: valve.into(), why: error.to_string() },
        })
    }

    fn open(&self, valve: &str, reason: &str, caller: &str) -> Result<Answer, CommandError> {
        let plan = self.0.lock().valves.plan_open(valve, caller, now())?.because(reason);
        if let Err(error) = self.0.writer.write_now(plan.record.clone()) {
            // It may have reached the disk before it failed: the holds are placed again.
            // Under the lock: what another one decides after this is written after it.
            let core = self.0.lock();
            self.0.writer.push(core.valves.undo_open(&plan, now()));
            return Err(not_written(&error));
        }
        let now = now();
        let mut core = self.0.lock();
        let answer = match core.valves.confirm_open(&plan, now) {
            Ok(steps) => {
                let answer = self.0.go(&core, steps, now);
                self.0.show_all(&core);
                answer
            }
            Err(why) => {
                self.0.writer.push(core.valves.undo_open(&plan, now));
                return Err(why);
            }
        };
        drop(core);
        match self.answer(valve, &answer, Instant::now() + PATIENCE)? {
            None => Err(self.0.lock().valves.overtaken(valve, Target::Open)),
            Some(outcome) => finished(valve, outcome),
        }
    }

    fn acknowledge(
        &self,
        verdict: u64,
        feedback: Option<Feedback>,
        caller: &str,
    ) -> Result<Answer, CommandError> {
        let plan = self.0.lock().valves.plan_acknowledge(verdict, feedback, caller, now())?;
        if let Err(error) = self.0.writer.write_now(plan.record.clone()) {
            self.0.writer.push(plan.undo);
            return Err(not_written(&error));
        }
        let mut core = self.0.lock();
        if core.valves.confirm_acknowledge(&plan) {
            core.forget(verdict);
            (self.0.hook)(Update::VerdictRemoved(verdict));
        }
        Ok(Answer::Done)
    }

    /// Returns the cookie as soon as the hold is in place and the valve has done what it could: the hold
    /// counts whether the valve moved or not, and without its cookie nobody could take it back. Where the
    /// valve is, and what is wrong with it or with the disk, is in the state that everybody sees.
    fn hold(&self, wanted: Wanted<'_>) -> Result<Answer, CommandError> {
        let new = self.0.writer.next_cookie();
        let now = now();
        let mut core = self.0.lock();
        let (cookie, steps) = core.valves.place(wanted, new, now)?;
        let answer = self.0.go(&core, steps, now);
        drop(core);
        let _ = self.answer(wanted.valve, &answer, Instant::now() + PATIENCE);
        // Waits until what was pushed before is on the disk; what fails stays in memory and is tried again.
        let kept = self.0.writer.write_now(Vec::new());
        if cookie != new {
            // A release that was asked for before may have come to the disk after it, and is there by now.
            let mut core = self.0.lock();
            let again = core.valves.told_again(cookie);
            self.0.writer.push(again);
            drop(core);
            let _ = kept.and_then(|_| self.0.writer.write_now(Vec::new()));
        }
        Ok(Answer::Cookie(cookie))
    }

    fn release(&self, valve: &str, cookie: u64, of: Release, caller: &str) -> Result<Answer, CommandError> {
        let core = self.0.lock();
        let plan = core.valves.plan_release(valve, cookie, of, caller, now())?;
        // Under the lock, so that whoever is told of the hold after this waits for it.
        let writing = self.0.writer.begin_write(plan.record.clone());
        drop(core);
        if let Err(error) = writing.and_then(Writing::wait) {
            let core = self.0.lock();
            self.0.writer.push(core.valves.undo_release(&plan, now()));
            return Err(not_written(&error));
        }
        let mut core = self.0.lock();
        self.0.writer.push(core.valves.confirm_release(&plan));
        self.0.show_all(&core);
        Ok(Answer::Done)
    }

    /// Waits for the valve; `None` when a newer order took over.
    fn answer(
        &self,
        valve: &str,
        answer: &Receiver<Outcome>,
        deadline: Instant,
    ) -> Result<Option<Outcome>, CommandError> {
        match answer.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(outcome) => Ok(Some(outcome)),
            Err(RecvTimeoutError::Disconnected) if self.0.lock().runners.is_empty() => {
                Err(CommandError::Stopping)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                // A meter that moves its own valve is asked before and after, at its own pace.
                let why = format!(
                    "it has not moved within {} s; the order goes on, and the valve's position says how it ends",
                    PATIENCE.as_secs()
                );
                Err(CommandError::Actuator { valve: valve.into(), why })
            }
        }
    }
}

/// What went wrong, and whether that is the last word.
pub(super) fn sentence(error: &ActuatorError, will_retry: bool) -> String {
    if will_retry { format!("{error}; trying again") } else { error.to_string() }
}

fn finished(valve: &str, outcome: Outcome) -> Result<Answer, CommandError> {
    let why = |error: ActuatorError| sentence(&error, outcome.will_retry && outcome.to == Target::Closed);
    match outcome.result {
        Ok(position) if position == outcome.to.position() => Ok(Answer::Done),
        // Nobody looks any more where it went.
        Ok(_) => Err(CommandError::Stopping),
        Err(error) => Err(CommandError::Actuator { valve: valve.into(), why: why(error) }),
    }
}

fn not_written(error: &StoreError) -> CommandError {
    match error {
        StoreError::Stopped => CommandError::Stopping,
        error => CommandError::Store(error.to_string()),
    }
}
