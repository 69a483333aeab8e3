// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of telegrams between a meter and a receiver, by accident and on purpose.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the air around one meter is. Each share is of its telegrams, in a million.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Air {
    /// Those that the receiver does not hear.
    pub lost_ppm: u32,
    /// Those in which a byte arrives as another.
    pub damaged_ppm: u32,
    /// Those that a repeater says once more, 0.1 to 2 s later.
    pub repeated_ppm: u32,
    /// Those after which somebody sends an old one once more, as it was recorded.
    pub replayed_ppm: u32,
    /// Those after which somebody sends them once more with a changed byte and right CRCs. Of mode 7 only: elsewhere
    /// nothing would tell, as there is no authentication code.
    pub altered_ppm: u32,
    /// When the meter is dead, ns: it sends nothing, and its counters stand still.
    pub dead: Vec<Range<u64>>,
}

/// What became of a telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// It reached the receiver as it was sent.
    Heard,
    /// The receiver did not hear it.
    Lost,
    /// A byte of it arrived as another.
    Damaged,
    /// It was said once more by a repeater.
    Repeated,
    /// It was sent once more, when others had come after it.
    Replayed,
    /// It was sent once more with a changed byte.
    Altered,
}

/// A telegram on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When, ns.
    pub at_ns: u64,
    /// The register value in it, µL.
    pub said_ul: u64,
    /// The counter in it: of mode 7 the message counter, else the access number.
    pub counter: u32,
    /// Whether it is a compact one.
    pub compact: bool,
    /// What became of it.
    pub fate: Fate,
}

/// What was on the air of one meter; the meter writes it while a test or a person looks.
pub type Log = Arc<Mutex<Vec<Sent>>>;

/// Looks at a log, also where one who held it has panicked.
pub fn look_at(log: &Log) -> MutexGuard<'_, Vec<Sent>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
