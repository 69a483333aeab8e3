// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client asks for: planned under the lock, written and driven without it.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::response::actuator::{ActuatorError, Target};
use crate::response::audit::refused;
use crate::response::clock::now;
use crate::response::glue::Response;
use crate::response::runner::Outcome;
use crate::response::update::Update;
use crate::state::{Command, CommandError};
use crate::store::StoreError;

/// How long a command waits for the valve. A little more than a motor valve and its feedback need.
const PATIENCE: Duration = Duration::from_secs(8);

impl Response {
    /// Does what a client asks, and waits for the record and the valve: up to 18 s in the worst case,
    /// so not to be called where pulses are handled. A refusal is recorded, too.
    ///
    /// # Errors
    /// [`CommandError`]. After an error of [`Command::Close`] the hold is in place all the same, and
    /// the valve is driven again by itself.
    pub fn command(&self, command: &Command) -> Result<(), CommandError> {
        let (caller, action, object) = match command {
            Command::Close { valve, caller, .. } => (caller, "close", valve.clone()),
            Command::Open { valve, caller } => (caller, "open", valve.clone()),
            Command::Acknowledge { verdict, caller } => (caller, "acknowledge", verdict.to_string()),
            Command::Reload { caller } => (caller, "reload", "configuration".to_owned()),
            Command::Simulate { order, caller } => (caller, "simulate", order.meter.clone()),
            Command::StopSimulation { caller } => (caller, "simulate", String::new()),
        };
        let done = match command {
            Command::Close { valve, reason, caller } => self.close(valve, reason, caller),
            Command::Open { valve, caller } => self.open(valve, caller),
            Command::Acknowledge { verdict, caller } => self.acknowledge(*verdict, caller),
            // The service's own business: it never comes here.
            Command::Reload { .. } => {
                Err(CommandError::Configuration(vec!["valves have no configuration to read".into()]))
            }
            Command::Simulate { .. } | Command::StopSimulation { .. } => {
                Err(CommandError::Simulation("valves are no test stand".into()))
            }
        };
        if let Err(why) = &done {
            self.0.writer.push(vec![refused(caller, action, &object, why, now())]);
        }
        done
    }

    fn close(&self, valve: &str, reason: &str, caller: &str) -> Result<(), CommandError> {
        let cookie = self.0.writer.next_cookie();
        let now = now();
        let mut core = self.0.lock();
        let steps = core.valves.close(valve, reason, caller, cookie, now)?;
        let answer = self.0.go(&core, steps, now);
        drop(core);
        match self.answer(valve, answer)? {
            // Overtaken by another order to close, or by an opening that came later still.
            None => {}
            Some(outcome) => finished(valve, outcome)?,
        }
        // The gas is off; whoever is told so may also rely on the hold.
        self.0.writer.write_now(Vec::new()).map(drop).map_err(|error| match error {
            StoreError::Stopped => CommandError::Stopping,
            error => CommandError::NotKept { valve: valve.into(), why: error.to_string() },
        })
    }

    fn open(&self, valve: &str, caller: &str) -> Result<(), CommandError> {
        let plan = self.0.lock().valves.plan_open(valve, caller, now())?;
        if let Err(error) = self.0.writer.write_now(plan.record.clone()) {
            // It may have reached the disk before it failed: the holds are placed again.
            let undo = self.0.lock().valves.undo_open(&plan, now());
            self.0.writer.push(undo);
            return Err(not_written(&error));
        }
        let now = now();
        let mut core = self.0.lock();
        let answer = match core.valves.confirm_open(&plan, now) {
            Ok(steps) => self.0.go(&core, steps, now),
            Err(why) => {
                self.0.writer.push(core.valves.undo_open(&plan, now));
                return Err(why);
            }
        };
        drop(core);
        match self.answer(valve, answer)? {
            None => Err(CommandError::Actuator {
                valve: valve.into(),
                why: "it was closed again meanwhile".into(),
            }),
            Some(outcome) => finished(valve, outcome),
        }
    }

    fn acknowledge(&self, verdict: u64, caller: &str) -> Result<(), CommandError> {
        let plan = self.0.lock().valves.plan_acknowledge(verdict, caller, now())?;
        if let Err(error) = self.0.writer.write_now(plan.record.clone()) {
            self.0.writer.push(plan.undo);
            return Err(not_written(&error));
        }
        let mut core = self.0.lock();
        if core.valves.confirm_acknowledge(&plan) {
            core.forget(verdict);
            (self.0.hook)(Update::VerdictRemoved(verdict));
        }
        Ok(())
    }

    /// Waits for the valve; `None` when a newer order took over.
    fn answer(&self, valve: &str, answer: Receiver<Outcome>) -> Result<Option<Outcome>, CommandError> {
        match answer.recv_timeout(PATIENCE) {
            Ok(outcome) => Ok(Some(outcome)),
            Err(RecvTimeoutError::Disconnected) if self.0.lock().runners.is_empty() => {
                Err(CommandError::Stopping)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                let why = format!("it has not moved within {} s", PATIENCE.as_secs());
                Err(CommandError::Actuator { valve: valve.into(), why })
            }
        }
    }
}

/// What went wrong, and whether that is the last word.
pub(super) fn sentence(error: &ActuatorError, will_retry: bool) -> String {
    if will_retry { format!("{error}; trying again") } else { error.to_string() }
}

fn finished(valve: &str, outcome: Outcome) -> Result<(), CommandError> {
    let why = |error: ActuatorError| sentence(&error, outcome.will_retry && outcome.to == Target::Closed);
    match outcome.result {
        Ok(_) => Ok(()),
        Err(error) => Err(CommandError::Actuator { valve: valve.into(), why: why(error) }),
    }
}

fn not_written(error: &StoreError) -> CommandError {
    match error {
        StoreError::Stopped => CommandError::Stopping,
        error => CommandError::Store(error.to_string()),
    }
}
