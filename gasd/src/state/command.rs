// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client may ask of the service, and what it is answered.

/// What a client may ask.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Close a valve and hold it.
    Close {
        /// The valve's id.
        valve: String,
        /// Why, in the caller's words.
        reason: String,
        /// Who asks: uid and bus name.
        caller: String,
    },
    /// Open a valve.
    Open {
        /// The valve's id.
        valve: String,
        /// Why, in the caller's words; may be empty.
        reason: String,
        /// Who asks.
        caller: String,
    },
    /// Acknowledge a verdict.
    Acknowledge {
        /// The verdict's id.
        verdict: u64,
        /// What it turned out to be, if somebody says so.
        feedback: Option<Feedback>,
        /// Who asks.
        caller: String,
    },
    /// Read the configuration again and apply it.
    Reload {
        /// Who asks.
        caller: String,
    },
    /// Take in what sensors measure.
    Report {
        /// What they do.
        report: super::Report,
        /// Who asks.
        caller: String,
    },
    /// Begin a simulation.
    Simulate {
        /// Which.
        order: crate::simulation::Order,
        /// Who asks.
        caller: String,
    },
    /// End the simulation under way.
    StopSimulation {
        /// Who asks.
        caller: String,
    },
    /// Close a valve and hold it for an application.
    Hold {
        /// The valve's id.
        valve: String,
        /// The application's id.
        app: String,
        /// Why, in its words.
        reason: String,
        /// The user it runs as.
        uid: u32,
        /// Who asks.
        caller: String,
    },
    /// Release an application's hold. Opens nothing.
    Release {
        /// The valve's id.
        valve: String,
        /// The hold's cookie.
        cookie: u64,
        /// Whose holds the caller may release.
        of: Release,
        /// Who asks.
        caller: String,
    },
}

/// What a verdict turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Nothing was wrong.
    FalseAlarm,
    /// Gas escaped, or would have.
    RealLeak,
}

impl Feedback {
    /// All of them.
    pub const ALL: [Feedback; 2] = [Feedback::FalseAlarm, Feedback::RealLeak];

    /// The name used on the bus and in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Feedback::FalseAlarm => "false-alarm",
            Feedback::RealLeak => "real-leak",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Feedback> {
        Feedback::ALL.into_iter().find(|feedback| feedback.name() == name)
    }
}

/// Whose holds somebody may release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Those that this user placed.
    Own(u32),
    /// Any application's.
    Any,
}

/// What a command that was carried out brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// The cookie of a hold that is in place.
    Cookie(u64),
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such valve.
    #[error("no valve is called \"{0}\"; `gasctl status` lists them")]
    NoSuchValve(String),
    /// The valve is not configured any more; only its holds are left.
    #[error(
        "valve \"{0}\" is not configured any more, so nothing moves or holds it; `gasctl valve release {0} COOKIE` releases what is held, or configure a valve of that name and `systemctl restart gasd`"
    )]
    NotConfigured(String),
    /// No such verdict.
    #[error("no unacknowledged verdict has the number {0}; `gasctl status` lists them")]
    NoSuchVerdict(u64),
    /// A critical verdict waits.
    #[error(
        "valve \"{valve}\" stays closed: verdict {verdict} ({kind} on meter \"{meter}\") is critical and not acknowledged; look at it, then `gasctl ack {verdict}`"
    )]
    Unacknowledged {
        /// The valve.
        valve: String,
        /// The verdict.
        verdict: u64,
        /// Its kind.
        kind: String,
        /// Its meter.
        meter: String,
    },
    /// Somebody else holds it.
    #[error(
        "valve \"{valve}\" stays closed: {owner} holds it: {reason}; it is for {owner} to release, or for `gasctl valve release {valve} {cookie}`"
    )]
    Held {
        /// The valve.
        valve: String,
        /// Who.
        owner: String,
        /// Why.
        reason: String,
        /// Which hold.
        cookie: u64,
    },
    /// Somebody else holds a valve that is not configured any more, which may be this one.
    #[error(
        "valve \"{valve}\" stays closed: {owner} holds valve \"{left}\", which {gone}: it may be this one under another name: {reason}; it is for {owner} to release, or for `gasctl valve release {left} {cookie}`"
    )]
    HeldAsAnother {
        /// The valve.
        valve: String,
        /// The one that is held.
        left: Box<str>,
        /// Why nobody knows which one that is, as the rest of a sentence.
        gone: Box<str>,
        /// Who holds it.
        owner: String,
        /// Why.
        reason: String,
        /// Which hold.
        cookie: u64,
    },
    /// No such hold on this valve.
    #[error("valve \"{valve}\" has no hold {cookie}; `gasctl status` lists them")]
    NoSuchHold {
        /// The valve.
        valve: String,
        /// The cookie.
        cookie: u64,
    },
    /// A hold that goes with an opening only.
    #[error(
        "hold {cookie} is of {owner}, and `gasctl valve open {valve}` releases it; only an application's hold is released by itself"
    )]
    NotReleasable {
        /// The valve.
        valve: String,
        /// The cookie.
        cookie: u64,
        /// Whose it is.
        owner: String,
    },
    /// The hold's verdict waits.
    #[error(
        "hold {cookie} stays: its verdict {verdict} is critical and not acknowledged; look at it, then `gasctl ack {verdict}`"
    )]
    VerdictWaits {
        /// The cookie.
        cookie: u64,
        /// The verdict.
        verdict: u64,
    },
    /// Enough is enough.
    #[error(
        "user {uid} has no room for another hold on valve \"{valve}\": at most {most}; it is held all the same"
    )]
    TooManyHolds {
        /// The valve.
        valve: String,
        /// Who asks.
        uid: u32,
        /// How many there may be.
        most: usize,
    },
    /// The actuator did not do it.
    #[error("valve \"{valve}\" could not be driven: {why}")]
    Actuator {
        /// The valve.
        valve: String,
        /// Why.
        why: String,
    },
    /// A newer order took its place.
    #[error(
        "valve \"{valve}\" is not {asked}: this order was overtaken by one of {by}, which orders it {told}; that is what is being done, and `gasctl status` shows how it ends"
    )]
    Overtaken {
        /// The valve.
        valve: String,
        /// What was asked for.
        asked: &'static str,
        /// What the newer order says.
        told: &'static str,
        /// Whose it is.
        by: String,
    },
    /// The record could not be written, so nothing was opened or released.
    #[error("the record could not be written ({0}); nothing was opened or released")]
    Store(String),
    /// A new configuration cannot be used; one problem each.
    #[error("the new configuration was refused, the one before stays in force: {}", .0.join("; "))]
    Configuration(Vec<String>),
    /// A new configuration changes what only a restart can; one reason each.
    #[error("the new configuration was not applied, the one before stays in force: {}", .0.join("; "))]
    NeedsRestart(Vec<String>),
    /// Closed, but its hold is in memory only.
    #[error(
        "valve \"{valve}\" is closed, but its hold could not be written ({why}); it is tried again by itself, and would be lost if gasd ended before"
    )]
    NotKept {
        /// The valve.
        valve: String,
        /// Why.
        why: String,
    },
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// No such meter.
    #[error("no meter is called \"{0}\"; `gasctl status` lists them")]
    NoSuchMeter(String),
    /// A simulation cannot begin.
    #[error("no simulation was begun: {0}")]
    Simulation(String),
}

impl CommandError {
    /// What `Manager.Problems` says of a refused configuration, one sentence each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let with = |what: &str, reasons: &[String]| {
            reasons.iter().map(|reason| format!("the new configuration {what}: {reason}")).collect()
        };
        match self {
            CommandError::Configuration(problems) => with("was refused", problems),
            CommandError::NeedsRestart(reasons) => with("was not applied", reasons),
            other => vec![other.to_string()],
        }
    }
}
