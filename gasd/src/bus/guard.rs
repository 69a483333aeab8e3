// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may do what. Any doubt means no.
//!
//! On the system bus root and the user gasd may do everything, the groups what the bus policy says, and
//! for each [`Duty`] polkit may let anybody else. On any other bus there are only root and the user that
//! gasd runs as.

use std::sync::Arc;

use gasd_proxy::{CONTROL_GROUP, READ_GROUP};
use zbus::Connection;
use zbus::message::{Flags, Header};

use super::caller::{Caller, Callers, own_uid};
use super::gate::{Gate, Ticket};
use super::polkit::{self, Denied};
use super::refusal::Refusal;

/// Longest arguments of a call, bytes. What a person writes is far below.
const BODY_MAX: u32 = 16 * 1024;
/// Calls under way in all, and of one connection.
const CALLS: (usize, usize) = (1024, 8);
/// Questions to polkit under way in all, and for one user.
const QUESTIONS: (usize, usize) = (32, 2);

/// What wants a permission of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Close valves and hold them closed.
    Close,
    /// Open valves, and release what others hold.
    Open,
    /// Say that a verdict was seen.
    Acknowledge,
    /// Have the configuration read again.
    Configure,
    /// Say what sensors measure. Whoever may say which sensors there are may also speak for them.
    Report,
    /// Hand in a meter's edges. What counts for a meter is as much as its settings.
    Feed,
}

impl Duty {
    /// All of them.
    #[cfg(test)]
    pub(super) const ALL: [Duty; 6] =
        [Duty::Close, Duty::Open, Duty::Acknowledge, Duty::Configure, Duty::Report, Duty::Feed];

    /// Its polkit action, of `dbus/io.gasd1.policy`.
    pub(super) const fn action(self) -> &'static str {
        match self {
            Duty::Close => "io.gasd1.valve.close",
            Duty::Open => "io.gasd1.valve.open",
            Duty::Acknowledge => "io.gasd1.verdict.acknowledge",
            Duty::Configure | Duty::Report | Duty::Feed => "io.gasd1.meter.configure",
        }
    }

    /// In words, after "may not".
    pub(super) const fn what(self) -> &'static str {
        match self {
            Duty::Close => "close valves",
            Duty::Open => "open valves",
            Duty::Acknowledge => "acknowledge verdicts",
            Duty::Configure => "change the configuration",
            Duty::Report => "report what sensors measure",
            Duty::Feed => "hand in what meters count",
        }
    }
}

/// Which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The system bus: groups and polkit.
    System,
    /// A private bus: root and the user that gasd runs as.
    Private,
}

/// Checks callers.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    rule: Rule,
    callers: Arc<Callers>,
    calls: Arc<Gate<String>>,
    questions: Arc<Gate<u32>>,
}

impl Guard {
    /// For one connection to the bus: names mean nothing on the next.
    pub(super) fn new(rule: Rule) -> Guard {
        Guard {
            rule,
            callers: Arc::default(),
            calls: Gate::new(CALLS.0, CALLS.1),
            questions: Gate::new(QUESTIONS.0, QUESTIONS.1),
        }
    }

    /// The first thing in every method: refuses what is too long, and too much at once. Keep the
    /// ticket until the answer is made.
    pub(super) fn admit(&self, header: &Header<'_>) -> Result<Ticket<String>, Refusal> {
        let length = header.primary().body_len();
        if length > BODY_MAX {
            return Err(Refusal::LongCall(length, BODY_MAX));
        }
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        self.calls.enter(&sender).ok_or(Refusal::Busy)
    }

    /// Returns the caller, whatever it may.
    pub(super) async fn identify(
        &self,
        connection: &Connection,
        header: &Header<'_>,
    ) -> Result<Caller, Refusal> {
        self.callers.identify(connection, header).await
    }

    /// Returns the caller if it may read.
    pub(super) async fn may_read(
        &self,
        connection: &Connection,
        header: &Header<'_>,
        what: &'static str,
    ) -> Result<Caller, Refusal> {
        const READERS: &[&str] = &[READ_GROUP, CONTROL_GROUP];
        let caller = self.identify(connection, header).await?;
        if caller.is_master() {
            return Ok(caller);
        }
        match self.rule {
            Rule::Private => Err(Refusal::NotOwner { who: caller.name(), what, own: own_uid() }),
            Rule::System if caller.is_in(READERS).await => Ok(caller),
            Rule::System => Err(Refusal::NotInGroup { who: caller.name(), what, group: READ_GROUP }),
        }
    }

    /// Returns the caller if it may do this.
    pub(super) async fn may(
        &self,
        connection: &Connection,
        header: &Header<'_>,
        duty: Duty,
    ) -> Result<Caller, Refusal> {
        let caller = self.identify(connection, header).await?;
        self.check(connection, header, &caller, duty).await?;
        Ok(caller)
    }

    /// Whether a caller that is known may do this.
    pub(super) async fn check(
        &self,
        connection: &Connection,
        header: &Header<'_>,
        caller: &Caller,
        duty: Duty,
    ) -> Result<(), Refusal> {
        const CONTROLLERS: &[&str] = &[CONTROL_GROUP];
        if caller.is_master() {
            return Ok(());
        }
        if self.rule == Rule::Private {
            let (who, what) = (caller.name(), duty.what());
            return Err(Refusal::NotOwner { who, what, own: own_uid() });
        }
        // The groups first: they work where no polkit is installed.
        if caller.is_in(CONTROLLERS).await {
            return Ok(());
        }
        let interactive = header.primary().flags().contains(Flags::ALLOW_INTERACTIVE_AUTH);
        let answer = match self.questions.enter(&caller.uid) {
            Some(_ticket) => polkit::ask(connection, &caller.unique_name, duty.action(), interactive).await,
            None => Err(Denied::Busy),
        };
        answer.map_err(|why| Refusal::NotAllowed { who: caller.name(), duty, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duty_is_an_action_that_is_shipped_and_gasd_may_ask_for() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../dbus/io.gasd1.policy");
        let xml = std::fs::read_to_string(file).unwrap();
        for duty in Duty::ALL {
            let (_, rest) = xml.split_once(&format!("<action id=\"{}\">", duty.action())).unwrap();
            let (action, _) = rest.split_once("</action>").unwrap();
            // Without it polkit answers nobody but root about other users' rights.
            let owner = "<annotate key=\"org.freedesktop.policykit.owner\">unix-user:gasd</annotate>";
            assert!(action.contains(owner), "{duty:?}");
            assert!(!action.contains("<allow_any>yes"), "{duty:?} is not for everybody");
        }
    }
}
