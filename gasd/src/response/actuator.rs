// SPDX-License-Identifier: MIT OR Apache-2.0
//! What moves a valve, and what can go wrong with it.

use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::response::clock::boottime_ns;
use crate::state::Position;

/// Where a valve can be told to go. There is no order to go to "unknown".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Let gas flow.
    Open,
    /// Stop it.
    Closed,
}

impl Target {
    /// The position that it leads to.
    #[must_use]
    pub const fn position(self) -> Position {
        match self {
            Target::Open => Position::Open,
            Target::Closed => Position::Closed,
        }
    }

    /// `open` or `closed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.position().name()
    }

    /// What a valve's health says while it is on its way.
    #[must_use]
    pub const fn under_way(self) -> &'static str {
        match self {
            Target::Open => "opening",
            Target::Closed => "closing",
        }
    }
}

/// Why a valve could not be driven or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActuatorError {
    /// No such GPIO chip.
    #[error("there is no GPIO chip \"{wanted}\"; this machine has {existing}")]
    NoChip {
        /// As configured.
        wanted: String,
        /// Those that exist, with labels, or `none`.
        existing: String,
    },
    /// The chip has no such line.
    #[error("chip \"{chip}\" has lines 0 to {last}, not {line}")]
    LineOutOfRange {
        /// The chip.
        chip: String,
        /// The line asked for.
        line: u32,
        /// The last line.
        last: u32,
    },
    /// Somebody else has the line.
    #[error(
        "line {line} of chip \"{chip}\" is in use by \"{holder}\"; `gasctl setup --list` shows who holds what"
    )]
    Busy {
        /// The chip.
        chip: String,
        /// The line.
        line: u32,
        /// The consumer label of whoever has it.
        holder: String,
    },
    /// The device file may not be opened.
    #[error(
        "gasd may not open {}; the file must belong to the group gasd (the udev rule 60-gasd.rules does that: `udevadm trigger -s gpio`)",
        .path.display()
    )]
    Permission {
        /// The device file.
        path: PathBuf,
    },
    /// The chip of a driving line went away; its request answers no more.
    #[error("{name} is gone, its chip was removed; it is looked for every two seconds")]
    Gone {
        /// Line and chip.
        name: String,
    },
    /// The valve has no line that opens it.
    #[error(
        "this valve latches and has no open_line; one line cannot open it. Open it by hand, or configure open_line"
    )]
    CannotOpen,
    /// Feedback does not say what the order said.
    #[error("it was told to be {wanted} and its feedback line reads {read}")]
    Mismatch {
        /// The order.
        wanted: &'static str,
        /// The feedback.
        read: &'static str,
    },
    /// The kernel refused.
    #[error("{what}: {detail}")]
    Io {
        /// What was tried.
        what: String,
        /// What the kernel said.
        detail: String,
    },
}

/// An order that the line has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Driven {
    /// When the line was set, `CLOCK_BOOTTIME` ns; `None` where there is none.
    pub line_set_ns: Option<u64>,
    /// How long the line must stay so before [`Actuator::rest`]; `None` for a line that stays.
    pub pulse: Option<Duration>,
}

/// What kind of actuator it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// It keeps its position without current and is moved by pulses.
    pub latching: bool,
    /// It can be asked where it is.
    pub has_feedback: bool,
    /// It is on a chip that may go away.
    pub can_vanish: bool,
    /// Why it can never be opened, if so.
    pub cannot_open: Option<String>,
    /// How long its feedback may take to agree; `None` for the usual few seconds.
    pub settle: Option<Duration>,
    /// For a log line.
    pub text: String,
}

/// Something that moves one valve. Calls return at once: waiting out a pulse and watching the
/// feedback are the runner's ([`crate::response::runner`]), which a newer order may interrupt.
pub trait Actuator: Send {
    /// Sets the line. Driving to where the valve already is must be harmless.
    ///
    /// # Errors
    /// [`ActuatorError`]; the position is then unknown.
    fn drive(&mut self, to: Target) -> Result<Driven, ActuatorError>;

    /// Ends a pulse.
    ///
    /// # Errors
    /// [`ActuatorError`].
    fn rest(&mut self) -> Result<(), ActuatorError> {
        Ok(())
    }

    /// Where the valve says it is; `None` when it cannot say.
    ///
    /// # Errors
    /// [`ActuatorError`].
    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError>;

    /// Where it is, as far as that can be told without moving it.
    ///
    /// # Errors
    /// [`ActuatorError`].
    fn position(&mut self) -> Result<Position, ActuatorError> {
        Ok(self.feedback()?.unwrap_or_default())
    }

    /// Why a closing failed that it sent by itself, after the order had ended; told once.
    fn late_failure(&mut self) -> Option<ActuatorError> {
        None
    }

    /// Whether its driving lines are still there.
    ///
    /// # Errors
    /// [`ActuatorError::Gone`]: it has to be made anew.
    fn check(&mut self) -> Result<(), ActuatorError> {
        Ok(())
    }

    /// Whether it works with the request that was kept over a restart.
    fn took_over(&self) -> bool {
        false
    }

    /// What it is.
    fn describe(&self) -> Description;

    /// The request of a line whose level holds the valve; kept open by the service manager over a
    /// restart, it keeps the level.
    fn request_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// A valve in memory.
#[derive(Debug)]
pub struct Simulated(Arc<Mutex<SimulatedState>>);

/// What a simulated valve did, and what it is to do.
#[derive(Debug, Default)]
pub struct SimulatedState {
    /// Where it is.
    pub position: Position,
    /// Each order, oldest first; at most [`MOVES`] are kept.
    pub moves: Vec<Target>,
    /// Fail each order with these words.
    pub fail: Option<String>,
    /// Take orders, but do not move.
    pub stuck: bool,
}

/// Moves that a simulated valve remembers.
pub const MOVES: usize = 256;

/// A hand on a simulated valve, for tests.
#[derive(Clone, Debug)]
pub struct SimulatedHand(Arc<Mutex<SimulatedState>>);

impl SimulatedHand {
    /// The valve's state; the valve waits while it is held.
    pub fn state(&self) -> MutexGuard<'_, SimulatedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulated {
    /// A valve at `position`.
    #[must_use]
    pub fn new(position: Position) -> Simulated {
        Simulated(Arc::new(Mutex::new(SimulatedState { position, ..SimulatedState::default() })))
    }

    /// A hand on it.
    #[must_use]
    pub fn hand(&self) -> SimulatedHand {
        SimulatedHand(Arc::clone(&self.0))
    }

    fn state(&self) -> MutexGuard<'_, SimulatedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Actuator for Simulated {
    fn drive(&mut self, to: Target) -> Result<Driven, ActuatorError> {
        let mut state = self.state();
        if let Some(detail) = state.fail.clone() {
            return Err(ActuatorError::Io { what: "the simulated valve was told to fail".into(), detail });
        }
        if state.moves.len() == MOVES {
            state.moves.remove(0);
        }
        state.moves.push(to);
        if !state.stuck {
            state.position = to.position();
        }
        Ok(Driven { line_set_ns: Some(boottime_ns()), pulse: None })
    }

    fn feedback(&mut self) -> Result<Option<Position>, ActuatorError> {
        Ok(Some(self.state().position))
    }

    fn describe(&self) -> Description {
        Description { has_feedback: true, text: "simulated, in memory".into(), ..Description::default() }
    }
}
