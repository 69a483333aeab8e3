// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opening and acknowledging: planned, made durable, asked again, done. Pure.

use crate::response::actuator::Target;
use crate::response::audit::entry;
use crate::response::clock::Now;
use crate::response::valves::{GASD, OPERATOR, Step, Valves};
use crate::state::{CommandError, Feedback, Hold, Position};
use crate::store::Change;

/// An opening that is allowed so far.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenPlan {
    /// Index of the valve.
    pub valve: usize,
    /// To be durable before [`Valves::confirm_open`].
    pub record: Vec<Change>,
    caller: String,
    released: Vec<u64>,
    epoch: u64,
}

impl OpenPlan {
    /// The same, with what the caller says into the record.
    #[must_use]
    pub fn because(mut self, reason: &str) -> OpenPlan {
        for change in &mut self.record {
            if let Change::Audit(entry) = change {
                reason.clone_into(&mut entry.detail);
            }
        }
        self
    }
}

/// An acknowledgement that is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct AcknowledgePlan {
    /// To be durable before [`Valves::confirm_acknowledge`].
    pub record: Vec<Change>,
    /// To be written if it does not become durable.
    pub undo: Vec<Change>,
    /// The verdict.
    pub verdict: u64,
}

impl Valves {
    /// Whether a valve may be opened, and what must be durable first.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn plan_open(&self, valve: &str, caller: &str, now: Now) -> Result<OpenPlan, CommandError> {
        let at = self.configured(valve)?;
        self.may_open(at)?;
        let open = &self.valves[at];
        let mut record: Vec<_> =
            open.state.holds.iter().map(|hold| Change::ReleaseHold(hold.cookie)).collect();
        record.push(open.known.row_told(&open.key, Target::Open));
        record.push(Change::Commanded { valve: open.key.clone(), to: Position::Open });
        record.push(Change::Audit(entry(now, caller, "open", valve, "", "asked")));
        let released = open.state.holds.iter().map(|hold| hold.cookie).collect();
        Ok(OpenPlan { valve: at, record, caller: caller.into(), released, epoch: open.epoch })
    }

    /// The record of an opening is durable: open, unless a reason to close came in between.
    ///
    /// # Errors
    /// Why it stays closed after all; then [`Valves::undo_open`] is to be written.
    pub fn confirm_open(&mut self, plan: &OpenPlan, now: Now) -> Result<Vec<Step>, CommandError> {
        self.may_open(plan.valve)?;
        let valve = &mut self.valves[plan.valve];
        if valve.epoch != plan.epoch {
            let newest = valve.state.holds.last();
            return Err(CommandError::Held {
                valve: valve.state.id.clone(),
                owner: newest.map_or_else(|| GASD.into(), |hold| hold.owner.clone()),
                reason: newest.map_or_else(|| "it was closed meanwhile".into(), |hold| hold.reason.clone()),
                cookie: newest.map_or(0, |hold| hold.cookie),
            });
        }
        // From here on gas may flow; "closed" would be a promise.
        valve.state.position = Position::Unknown;
        let audit = entry(now, &plan.caller, "open", &valve.state.id, "the record is written", "opening");
        self.let_go(&plan.released);
        Ok(vec![
            self.drive(plan.valve, Target::Open, true, plan.caller.clone()),
            Step::Persist(vec![Change::Audit(audit)]),
        ])
    }

    /// What takes a planned opening back that did not come about, as of now: its record may be on the
    /// disk. What holds the valve is written again, and so is where it was really told to be.
    #[must_use]
    pub fn undo_open(&self, plan: &OpenPlan, now: Now) -> Vec<Change> {
        let Some(valve) = self.valves.get(plan.valve) else {
            return Vec::new();
        };
        let id = &valve.state.id;
        let holds = valve.state.holds.iter();
        let mut rows: Vec<_> = holds.filter_map(|hold| self.again(hold.cookie)).collect();
        // Seen open is not told to be open.
        let told = valve.told.map_or(valve.commanded, Target::position);
        let may_stay_open =
            rows.is_empty() && told == Position::Open && valve.state.position == Position::Open;
        let to = if may_stay_open { Position::Open } else { Position::Closed };
        rows.extend(valve.rows_told(to));
        rows.push(Change::Audit(entry(now, GASD, "open", id, "it was asked for, but not done", "failed")));
        rows
    }

    /// Whether a verdict may be acknowledged, and what must be durable first.
    ///
    /// # Errors
    /// [`CommandError::NoSuchVerdict`].
    pub fn plan_acknowledge(
        &self,
        verdict: u64,
        feedback: Option<Feedback>,
        caller: &str,
        now: Now,
    ) -> Result<AcknowledgePlan, CommandError> {
        let known = self.unacknowledged.iter().find(|known| known.id == verdict);
        let known = known.ok_or(CommandError::NoSuchVerdict(verdict))?;
        let object = verdict.to_string();
        // What somebody found out goes into the record for good.
        let detail = match feedback {
            Some(feedback) => format!("{}: {}", feedback.name(), known.text),
            None => known.text.clone(),
        };
        Ok(AcknowledgePlan {
            record: vec![
                Change::Acknowledge {
                    verdict,
                    by: feedback
                        .map_or_else(|| caller.into(), |feedback| format!("{caller} as {}", feedback.name())),
                },
                Change::Audit(entry(now, caller, "acknowledge", &object, &detail, "done")),
            ],
            undo: vec![
                Change::Verdict(known.clone()),
                Change::Audit(entry(now, GASD, "acknowledge", &object, "it could not be written", "failed")),
            ],
            verdict,
        })
    }

    /// The acknowledgement is durable. It opens nothing and releases no hold. Whether it was the first.
    pub fn confirm_acknowledge(&mut self, plan: &AcknowledgePlan) -> bool {
        let before = self.unacknowledged.len();
        self.unacknowledged.retain(|known| known.id != plan.verdict);
        self.unacknowledged.len() < before
    }

    fn may_open(&self, at: usize) -> Result<(), CommandError> {
        let valve = &self.valves[at];
        let id = || valve.state.id.clone();
        let waits = self.unacknowledged.iter().find(|verdict| {
            let is_its_meter =
                self.meters.iter().any(|meter| meter.valve == Some(at) && meter.id == verdict.meter);
            // The configuration may have changed since; the hold still names its verdict.
            let its = |hold: &Hold| hold.verdict == Some(verdict.id);
            let holds_it = valve.state.holds.iter().chain(self.lost().map(|(_, hold, _)| hold)).any(its);
            // Of a meter that is not there any more nobody knows which valve it had: it may have got
            // another name, and this valve too.
            let is_nobodys = !self.meters.iter().any(|meter| meter.id == verdict.meter);
            verdict.severity == "critical" && (is_its_meter || holds_it || is_nobodys)
        });
        if let Some(verdict) = waits {
            return Err(CommandError::Unacknowledged {
                valve: id(),
                verdict: verdict.id,
                kind: verdict.kind.clone(),
                meter: verdict.meter.clone(),
            });
        }
        let of_others = |hold: &Hold| hold.owner != GASD && hold.owner != OPERATOR;
        if let Some(hold) = valve.state.holds.iter().find(|hold| of_others(hold)) {
            return Err(CommandError::Held {
                valve: id(),
                owner: hold.owner.clone(),
                reason: self.reason(at, hold),
                cookie: hold.cookie,
            });
        }
        if let Some((left, hold, gone)) = self.lost().find(|(_, hold, _)| of_others(hold)) {
            return Err(CommandError::HeldAsAnother {
                valve: id(),
                left: left.into(),
                gone: gone.into(),
                owner: hold.owner.clone(),
                reason: hold.reason.clone(),
                cookie: hold.cookie,
            });
        }
        match &valve.cannot_open {
            Some(why) => Err(CommandError::Actuator { valve: id(), why: why.clone() }),
            None => Ok(()),
        }
    }
}
