// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commissioning tests on the running service: a trace on a line of its own, judged with a real
//! meter's settings (`docs/adr/0015-simulation.md`).
//!
//! The real meter's line, detector and total are not touched. What is played counts on a kernel line
//! whose key no meter can have, and a [`Shadow`] judges it that is never persisted. Everything that
//! comes of it is marked. A valve moves only if that was asked for; then a real hold is placed, and
//! an operator opens again as after any verdict.

mod hose;
mod rows;
mod shadow;
mod stand;

pub use hose::Hose;
pub use shadow::{Shadow, mark};
pub use stand::{Meters, Stand, driven};

use std::os::fd::OwnedFd;
use std::sync::Arc;

use gasd_abi::records::meter_key;

/// Key of the line that simulations are played on. A meter's id has no colon, so none has this key.
/// The line is kept from one simulation to the next: a line that counted and was given to a new meter
/// would make that meter's first total.
#[must_use]
pub const fn line_key() -> u64 {
    meter_key("simulation:")
}

/// What the engine thread is told.
pub enum Step {
    /// A simulation begins.
    Begin(Box<Shadow>),
    /// It is over; everything that was played has been told before. How it ended, and why where that
    /// wants an explanation.
    End(&'static str, String),
}

/// What to play.
#[derive(Clone, Debug)]
pub enum Trace {
    /// A hose that comes off: made for the meter.
    Hose,
    /// The household of the demonstration; for meters of 1 L a pulse.
    Household,
    /// A recording.
    File(Arc<OwnedFd>),
}

impl Trace {
    /// The name on the bus.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Trace::Hose => "hose",
            Trace::Household => "household",
            Trace::File(_) => "file",
        }
    }
}

/// Two files are the same if they are the same open file.
impl PartialEq for Trace {
    fn eq(&self, other: &Trace) -> bool {
        match (self, other) {
            (Trace::File(a), Trace::File(b)) => Arc::ptr_eq(a, b),
            _ => self.name() == other.name(),
        }
    }
}

impl Eq for Trace {}

/// A simulation as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The meter whose settings it is judged with.
    pub meter: String,
    /// What to play.
    pub trace: Trace,
    /// How many thousandths of the trace's speed: 1000 is as it happened.
    pub speed_thousandths: u32,
    /// Drive the meter's valve.
    pub valve: bool,
}
