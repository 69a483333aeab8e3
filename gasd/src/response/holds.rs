// SPDX-License-Identifier: MIT OR Apache-2.0
//! Holds of applications: placed and released by those who run them. Pure.
//!
//! A hold outlives the application: a program that dies must not give gas. Releasing the last one opens
//! nothing, it only takes a reason away to refuse the next `open`.

use crate::response::actuator::Target;
use crate::response::audit::entry;
use crate::response::clock::Now;
use crate::response::unconfigured;
use crate::response::valves::{GASD, Step, Valves};
use crate::state::{CommandError, Hold, Position, Release};
use crate::store::Change;

/// Holds of one user on one valve.
pub const MOST_OF_USER: usize = 8;
/// Holds of applications on one valve, whoever placed them.
pub const MOST: usize = 64;

/// What an application asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The valve's id.
    pub valve: &'a str,
    /// The application's id.
    pub app: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The user it runs as.
    pub uid: u32,
    /// Who asks, for the record.
    pub caller: &'a str,
}

/// A release that is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleasePlan {
    /// Index of the valve.
    valve: usize,
    cookie: u64,
    /// To be durable before [`Valves::confirm_release`].
    pub record: Vec<Change>,
    /// How often it had been asked for again.
    asked: u32,
}

impl Valves {
    /// An application closes a valve and holds it, under `cookie` or, if it holds it for that reason
    /// already, under the cookie it has. Returns which.
    ///
    /// # Errors
    /// [`CommandError::NoSuchValve`], [`CommandError::NotConfigured`], [`CommandError::TooManyHolds`]; then
    /// nothing changed.
    pub fn place(
        &mut self,
        wanted: Wanted<'_>,
        cookie: u64,
        now: Now,
    ) -> Result<(u64, Vec<Step>), CommandError> {
        let Wanted { valve, app, reason, uid, caller } = wanted;
        let at = self.configured(valve)?;
        let holds = &self.valves[at].state.holds;
        // An application that was started anew asks again, and finds its cookie again.
        let same = |hold: &&Hold| {
            let its = hold.uid == Some(uid) && hold.owner == app && hold.reason == reason;
            its && self.is_its_own(at, hold.cookie)
        };
        if let Some(known) = holds.iter().find(same).map(|hold| hold.cookie) {
            let drive = self.drive(at, Target::Closed, false, caller.to_owned());
            let audit = entry(now, caller, "hold", valve, &format!("{app}: {reason}"), "held already");
            let mut rows = self.told_again(known);
            rows.extend(self.valves[at].rows_told(Position::Closed));
            rows.push(Change::Audit(audit));
            return Ok((known, vec![drive, Step::Persist(rows)]));
        }
        let too_many = |most| CommandError::TooManyHolds { valve: valve.into(), uid, most };
        if holds.iter().filter(|hold| hold.uid == Some(uid)).count() >= MOST_OF_USER {
            return Err(too_many(MOST_OF_USER));
        }
        if holds.iter().filter(|hold| hold.uid.is_some()).count() >= MOST {
            return Err(too_many(MOST));
        }
        let hold = Hold {
            cookie,
            owner: app.into(),
            reason: reason.into(),
            verdict: None,
            uid: Some(uid),
            since_unix_us: now.unix_us,
        };
        let drive = self.drive(at, Target::Closed, false, caller.to_owned());
        let mut rows = self.hold(at, hold);
        let detail = format!("{app}: {reason} (hold {cookie})");
        rows.push(Change::Audit(entry(now, caller, "hold", valve, &detail, "asked")));
        Ok((cookie, vec![drive, Step::Persist(rows)]))
    }

    /// Whether a hold may be released, and what must be durable first.
    ///
    /// # Errors
    /// [`CommandError::NoSuchHold`], also for a hold of another user;
    /// [`CommandError::NotReleasable`] for one of gasd or the operator. On a valve that is not configured
    /// any more those may be released, too, by whoever may release any hold;
    /// [`CommandError::VerdictWaits`] for one whose verdict nobody acknowledged.
    pub fn plan_release(
        &self,
        valve: &str,
        cookie: u64,
        of: Release,
        caller: &str,
        now: Now,
    ) -> Result<ReleasePlan, CommandError> {
        let at = self.find(valve)?;
        let unknown = || CommandError::NoSuchHold { valve: valve.into(), cookie };
        let hold = self.valves[at].state.holds.iter().find(|hold| hold.cookie == cookie);
        let hold = hold.ok_or_else(unknown)?;
        let is_configured = self.valves[at].state.is_configured();
        if hold.uid.is_none() && is_configured {
            let (valve, owner) = (valve.into(), hold.owner.clone());
            return Err(CommandError::NotReleasable { valve, cookie, owner });
        }
        if of != Release::Any && hold.uid.map(Release::Own) != Some(of) {
            return Err(unknown());
        }
        if !is_configured {
            unconfigured::may_release(hold, &self.unacknowledged)?;
        }
        let by = hold.uid.map_or_else(String::new, |uid| format!(" (uid {uid})"));
        let detail = format!("hold {cookie} of {}{by}: {}", hold.owner, hold.reason);
        Ok(ReleasePlan {
            valve: at,
            cookie,
            record: vec![
                Change::ReleaseHold(cookie),
                Change::Audit(entry(now, caller, "release", valve, &detail, "done")),
            ],
            asked: self.times_asked(cookie),
        })
    }

    /// The release is durable. Nothing is driven. Returns what is to be written where the application asked for the hold again
    /// meanwhile, and was told that it has it: then it has.
    pub fn confirm_release(&mut self, plan: &ReleasePlan) -> Vec<Change> {
        if self.times_asked(plan.cookie) != plan.asked {
            return self.again(plan.cookie).into_iter().collect();
        }
        self.let_go(&[plan.cookie]);
        Vec::new()
    }

    /// An application is told once more that it has this hold. Returns what is to be on the disk before it hears that: a release
    /// may be there already, which ends nothing any more. Nothing where the hold is gone.
    pub fn told_again(&mut self, cookie: u64) -> Vec<Change> {
        let again = self.again(cookie);
        if again.is_some() {
            *self.asked.entry(cookie).or_default() += 1;
        }
        again.into_iter().collect()
    }

    /// What takes a planned release back that may be on the disk, as of now: another one may have come about.
    #[must_use]
    pub fn undo_release(&self, plan: &ReleasePlan, now: Now) -> Vec<Change> {
        let id = self.valves.get(plan.valve).map_or("", |valve| valve.state.id.as_str());
        let mut rows: Vec<_> = self.again(plan.cookie).into_iter().collect();
        rows.push(Change::Audit(entry(now, GASD, "release", id, "it could not be written", "failed")));
        rows
    }

    fn times_asked(&self, cookie: u64) -> u32 {
        self.asked.get(&cookie).copied().unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "holds_tests.rs"]
mod tests;
