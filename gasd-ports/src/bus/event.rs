// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a bus tells whoever it works for.

use gasd_meters::detect::Protocol;
use gasd_meters::drive::{NoValve, Oddities, Trouble};
use gasd_meters::poll::{Failure, State};
use gasd_meters::{Error, Reading, Valve};

/// Names a meter: any number that tells meters apart.
pub type Key = u64;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A meter was read.
    Read {
        /// The meter.
        key: Key,
        /// When its answer was whole, ns.
        t_ns: u64,
        /// What it says.
        reading: Box<Reading>,
        /// What was unusual about its answers and let pass.
        oddities: Oddities,
    },
    /// A meter was asked and is not read.
    Failed {
        /// The meter.
        key: Key,
        /// When that was clear, ns.
        t_ns: u64,
        /// Why.
        error: Error,
        /// What was heard instead of an answer, as it came.
        raw: Vec<u8>,
    },
    /// What a meter speaks was not said, and is known now.
    Speaks {
        /// The meter.
        key: Key,
        /// What it speaks.
        protocol: Protocol,
    },
    /// A meter's breaker stands elsewhere.
    Breaker {
        /// The meter.
        key: Key,
        /// Where.
        standing: Standing,
    },
    /// A meter fails, and its breaker stays closed because the supply is known to be low.
    LowPower {
        /// The meter.
        key: Key,
    },
    /// What is remembered of a meter is another now.
    Memory {
        /// The meter.
        key: Key,
        /// What to keep, as its own code writes it.
        bytes: Vec<u8>,
    },
    /// A command to a meter's valve goes out as soon as the line lets it. Who keeps that until [`Event::Moved`] says that it is
    /// not at work any more knows after a crash that it need not be sent again.
    Commanded {
        /// The meter.
        key: Key,
        /// Where to.
        to: Valve,
    },
    /// The command that was told last has not gone out and will not: a newer order took the place of its own.
    NotCommanded {
        /// The meter.
        key: Key,
        /// Where to one goes that went out before it and may still be at work.
        earlier: Option<Valve>,
    },
    /// Something was heard that a line and a configuration in order do not have.
    Odd {
        /// The meter that was asked.
        key: Key,
        /// When that was clear, ns.
        t_ns: u64,
        /// What.
        odd: Odd,
    },
    /// An order to a meter's valve has ended.
    Moved {
        /// The meter.
        key: Key,
        /// Where the valve was to go.
        to: Valve,
        /// Where it is, or why that is not known.
        result: Result<Valve, NotMoved>,
        /// Where to a command goes that may be at work still: whoever kept it keeps it.
        at_work: Option<Valve>,
    },
}

/// Answers from whom nobody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Another address answered than the one that was asked.
    Address {
        /// The one that was asked.
        asked: String,
        /// The one that answered.
        answered: String,
        /// Its answer was taken for the meter's.
        taken: bool,
    },
    /// An answer of the meter itself came when it was awaited no more.
    Late {
        /// How long after the request before it, ns, where that was the meter's.
        after_ns: Option<u64>,
    },
    /// Two whole answers came to one request, from one address.
    Twice {
        /// The address.
        address: String,
        /// They are the same, byte for byte.
        alike: bool,
    },
}

/// Why an order to a valve has not done what it was to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotMoved {
    /// The meter was spoken to, and this came of it.
    #[error("{0}")]
    Trouble(Trouble),
    /// No command for a valve is known of such a meter.
    #[error("{0}")]
    NoValve(NoValve),
    /// The port has no line at present; its health says why.
    #[error("its port has no line at present")]
    NoLine,
    /// The port lost its line when the command was out.
    #[error(
        "its port lost its line when the command was out, so nobody knows what became of it: look where the valve is"
    )]
    LineLost,
    /// The port has no such meter.
    #[error("no such meter is on its port any more")]
    NoMeter,
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Failures in a row.
    pub failures: u32,
    /// The last failure since the last answer.
    pub last: Option<Failure>,
    /// When the next probe is due, ns; `None` while it is closed.
    pub next_probe_ns: Option<u64>,
}

/// What a port has seen since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that went out.
    pub requests: u64,
    /// Good answers.
    pub answers: u64,
    /// Requests that nothing answered.
    pub timeouts: u64,
    /// Requests after which something came that is no answer.
    pub damaged: u64,
    /// Bytes of no frame.
    pub garbage: u64,
    /// Whole frames that answer something else.
    pub others: u64,
    /// Answers that came when they were awaited no more.
    pub late: u64,
    /// Requests of another master.
    pub masters: u64,
    /// Requests that could not go out because the line was never silent.
    pub busy: u64,
    /// Echoes of requests that came back damaged: something else was sending.
    pub collisions: u64,
    /// Readings that were left out for something more pressing, because there was no room.
    pub dropped: u64,
}
