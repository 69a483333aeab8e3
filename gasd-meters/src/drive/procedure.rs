// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a meter's valve is moved so that a command is never executed twice and never repeated blindly. Pure: times are ns
//! of one clock that does not jump.
//!
//! ```text
//! read ──► there already: done
//!   │
//!   ├────► elsewhere: command, once ──► read back until it is there or must be ──► done, or trouble
//!   │
//!   ├────► does not say: command, once ──► what the answer says
//!   │
//!   └────► cannot be read: to open, trouble; to close, as if it were elsewhere
//! ```
//!
//! A command that went out before, of an order that was overtaken or of a service that was killed, may still be at work
//! ([`Earlier`]). One of the same direction is waited for before another goes out. One of the other direction is no reason to
//! wait, and until it is over the meter's word that the valve is there already is none.
//!
//! A command whose answer is lost may have been executed: only the meter knows, and it is asked, not commanded again. To
//! close a valve that cannot be read is right all the same: people first.

use core::fmt;

use crate::error::Error;
use crate::poll::Failure;
use crate::status::Valve;

const SECOND_NS: u64 = 1_000_000_000;

/// How patient a procedure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcedureSettings {
    /// How long a valve may move after its command, ns. Default 30 s.
    pub settle_ns: u64,
    /// Between two readings, ns. Default 1 s.
    pub pause_ns: u64,
    /// How often the reading before the command is tried; 1 at least. Default 2: each is repeated on the line already.
    pub reads: u32,
}

impl Default for ProcedureSettings {
    fn default() -> Self {
        Self { settle_ns: 30 * SECOND_NS, pause_ns: SECOND_NS, reads: 2 }
    }
}

/// A command that went out before, and may still move the valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Where to.
    pub to: Valve,
    /// From then on it moves nothing any more, ns.
    pub until_ns: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Read the meter, then tell [`Procedure::was_read`].
    Read,
    /// Command the valve, then tell [`Procedure::was_commanded`]. It is said once, whatever comes of it, but where it did not
    /// go out ([`Procedure::was_not_sent`]).
    Command,
    /// Nothing, until then.
    Wait {
        /// When to ask again, ns.
        until_ns: u64,
    },
    /// It is over: the valve is where it was sent, as the meter itself says; or why not.
    Done(Result<Valve, Trouble>),
}

/// Why a valve is not known to be where it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The meter could not be read, so that it was not commanded to open.
    NotRead(Error),
    /// The meter refused the command; where its valve is, if it says.
    Refused {
        /// What it said.
        error: Error,
        /// Where the valve is.
        read: Option<Valve>,
    },
    /// The command went out once, and the valve is still elsewhere.
    NotThere {
        /// Where it is.
        read: Valve,
        /// What became of the command's answer.
        command: Result<(), Error>,
    },
    /// The command went out once and was not answered, and where the valve is cannot be read. It may have moved.
    Unanswered(Error),
    /// The meter has taken the command, and does not say where its valve is.
    NotSaid,
    /// The meter has taken the command, and could not be read since.
    NotConfirmed(Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRead(error) => write!(
                f,
                "the valve was not told to open, because the meter could not be read before: {error}"
            ),
            Self::Refused { error, read: None } => write!(f, "the valve was not moved: {error}"),
            Self::Refused { error, read: Some(valve) } => {
                write!(f, "the valve was not moved and is {valve}: {error}")
            }
            Self::NotThere { read, command: Ok(()) } => write!(
                f,
                "the meter took the command and says that its valve is {read}: look at the valve and its battery"
            ),
            Self::NotThere { read, command: Err(error) } => write!(
                f,
                "the valve is {read}, and the command was not answered ({error}): look at the line, then command it again"
            ),
            Self::Unanswered(error) => write!(
                f,
                "the command went out once and nobody knows what became of it ({error}): look where the valve is"
            ),
            Self::NotSaid => f.write_str(
                "the meter took the command and does not say where its valve is: look where the valve is",
            ),
            Self::NotConfirmed(error) => write!(
                f,
                "the meter took the command and could not be read since ({error}): look where the valve is"
            ),
        }
    }
}

impl core::error::Error for Trouble {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Is read before the command; so many tries are left.
    Before {
        tries: u32,
    },
    /// The command is due.
    Due,
    /// The command is out.
    Out,
    /// Is read back until then.
    Back {
        until_ns: u64,
    },
    Over(Result<Valve, Trouble>),
}

/// One movement of one valve.
#[derive(Clone, Copy, Debug)]
pub struct Procedure {
    to: Valve,
    settings: ProcedureSettings,
    earlier: Option<Earlier>,
    stage: Stage,
    /// No reading before that, ns.
    wait_ns: u64,
    /// The meter was read before the command and does not say where its valve is.
    mute: bool,
    /// The meter has said where its valve is.
    says: bool,
    /// The command could not be sent, and is tried until then, ns.
    unsent_until_ns: Option<u64>,
    /// What became of the command.
    command: Option<Result<Option<Valve>, Error>>,
    /// Where it was when it was last read back.
    seen: Option<Valve>,
    /// It was read back and did not say.
    unsaid: bool,
    /// Why it could not be read back.
    unread: Option<Error>,
}

impl Procedure {
    /// Begins to move a valve to open or closed at `now_ns`. Nothing reaches [`Valve::Abnormal`]: that ends as if the meter had
    /// refused.
    #[must_use]
    pub fn new(to: Valve, settings: ProcedureSettings, now_ns: u64) -> Self {
        let stage = match to {
            Valve::Abnormal => Stage::Over(Err(Trouble::Refused {
                error: Error::Unaskable(crate::EncodeError::OutOfRange { what: "position of the valve" }),
                read: None,
            })),
            Valve::Open | Valve::Closed => Stage::Before { tries: settings.reads.max(1) },
        };
        Self {
            to,
            settings,
            earlier: None,
            stage,
            wait_ns: now_ns,
            mute: false,
            says: false,
            unsent_until_ns: None,
            command: None,
            seen: None,
            unsaid: false,
            unread: None,
        }
    }

    /// The same, where a command went out before.
    #[must_use]
    pub const fn after(self, earlier: Option<Earlier>) -> Self {
        Self { earlier, ..self }
    }

    /// Whether a command of the other direction may be at work at `now_ns`: the valve need not stay where it is.
    fn is_opposed(&self, now_ns: u64) -> bool {
        self.earlier.is_some_and(|earlier| earlier.to != self.to && now_ns < earlier.until_ns)
    }

    /// When the command may go out: at once, or when one before it to the same place has had its time.
    fn may_command_ns(&self) -> u64 {
        self.earlier.filter(|earlier| earlier.to == self.to).map_or(0, |earlier| earlier.until_ns)
    }

    /// Whether the meter has taken the command.
    const fn is_taken(&self) -> bool {
        matches!(self.command, Some(Ok(_)))
    }

    /// How long a valve may move after its command, ns.
    #[must_use]
    pub const fn settle_ns(&self) -> u64 {
        self.settings.settle_ns
    }

    /// Where the valve is to be.
    #[must_use]
    pub const fn to(&self) -> Valve {
        self.to
    }

    /// What is to be done at `now_ns`. Who asks again without having said what became of a command has lost its answer.
    pub fn next(&mut self, now_ns: u64) -> Act {
        if self.stage == Stage::Out {
            self.was_commanded(Err(Error::Timeout), now_ns);
        }
        match self.stage {
            Stage::Over(result) => Act::Done(result),
            Stage::Due => {
                self.stage = Stage::Out;
                Act::Command
            }
            _ if now_ns < self.wait_ns => Act::Wait { until_ns: self.wait_ns },
            _ => Act::Read,
        }
    }

    /// The meter was read by `now_ns`: where its valve is, `None` where it does not say; or why it could not be read.
    pub fn was_read(&mut self, read: Result<Option<Valve>, Error>, now_ns: u64) {
        match (self.stage, read) {
            (Stage::Before { .. } | Stage::Back { .. }, Ok(Some(valve)))
                if valve == self.to && (self.is_taken() || !self.is_opposed(now_ns)) =>
            {
                self.stage = Stage::Over(Ok(valve));
            }
            (Stage::Before { .. }, _) if now_ns < self.may_command_ns() => {
                self.wait_ns = now_ns.saturating_add(self.settings.pause_ns).min(self.may_command_ns());
            }
            (Stage::Before { .. }, Ok(valve)) => {
                (self.mute, self.says) = (valve.is_none(), valve.is_some());
                self.stage = Stage::Due;
            }
            (Stage::Before { tries: 2.. }, Err(_)) => {
                if let Stage::Before { tries } = &mut self.stage {
                    *tries -= 1;
                }
                self.wait_ns = now_ns.saturating_add(self.settings.pause_ns);
            }
            (Stage::Before { .. }, Err(error)) => {
                self.stage = match self.to {
                    Valve::Closed => Stage::Due,
                    _ => Stage::Over(Err(Trouble::NotRead(error))),
                };
            }
            (Stage::Back { until_ns }, read) => {
                match read {
                    Ok(Some(valve)) => (self.seen, self.says) = (Some(valve), true),
                    Ok(None) => self.unsaid = true,
                    Err(error) => self.unread = Some(error),
                }
                // A meter that has never said where its valve is will not say it later.
                if now_ns >= until_ns || (self.unsaid && !self.says) {
                    self.stage = Stage::Over(self.verdict());
                } else {
                    self.wait_ns = now_ns.saturating_add(self.settings.pause_ns).min(until_ns);
                }
            }
            (Stage::Due | Stage::Out | Stage::Over(_), _) => {}
        }
    }

    /// What became of the command by `now_ns`: where the valve is by its answer, `None` where that does not say; or why
    /// there is none.
    pub fn was_commanded(&mut self, answer: Result<Option<Valve>, Error>, now_ns: u64) {
        if self.stage != Stage::Out {
            return;
        }
        self.command = Some(answer);
        if self.mute {
            self.stage = Stage::Over(self.verdict());
            return;
        }
        // One look is enough after a refusal: nothing moves.
        let settle_ns = if self.refusal().is_some() { 0 } else { self.settings.settle_ns };
        let opposed_ns =
            self.earlier.filter(|earlier| earlier.to != self.to).map_or(0, |earlier| earlier.until_ns);
        self.stage = Stage::Back { until_ns: now_ns.saturating_add(settle_ns).max(opposed_ns) };
        self.wait_ns = now_ns;
    }

    /// The command did not go out by `now_ns`, as the line was never silent: it is due again, for as long as a valve may move.
    /// After that it counts as one without an answer.
    pub fn was_not_sent(&mut self, why: Error, now_ns: u64) {
        if self.stage != Stage::Out {
            return;
        }
        let settle_ns = self.settings.settle_ns;
        let until_ns = *self.unsent_until_ns.get_or_insert(now_ns.saturating_add(settle_ns));
        if now_ns < until_ns {
            self.stage = Stage::Due;
        } else {
            self.was_commanded(Err(why), now_ns);
        }
    }

    /// What the meter said where it answered and would not.
    fn refusal(&self) -> Option<Error> {
        match self.command {
            Some(Err(error @ Error::Unaskable(_))) => Some(error),
            Some(Err(error)) if Failure::of(&error).is_none() => Some(error),
            _ => None,
        }
    }

    /// How it ended, of a valve that was not read where it was sent.
    fn verdict(&self) -> Result<Valve, Trouble> {
        if let Some(error) = self.refusal() {
            return Err(Trouble::Refused { error, read: self.seen });
        }
        match (self.seen, self.command) {
            (Some(read), Some(Err(error))) => Err(Trouble::NotThere { read, command: Err(error) }),
            (Some(read), _) => Err(Trouble::NotThere { read, command: Ok(()) }),
            (None, Some(Ok(Some(valve)))) if valve == self.to => Ok(valve),
            (None, Some(Ok(Some(read)))) => Err(Trouble::NotThere { read, command: Ok(()) }),
            (None, Some(Err(error))) => Err(Trouble::Unanswered(error)),
            (None, _) => {
                Err(self.unread.filter(|_| !self.unsaid).map_or(Trouble::NotSaid, Trouble::NotConfirmed))
            }
        }
    }
}

#[cfg(test)]
#[path = "procedure_tests.rs"]
mod tests;
