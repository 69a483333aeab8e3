// SPDX-License-Identifier: MIT OR Apache-2.0
//! A circuit breaker for one meter: after some failures in a row it is left alone, so that a dead meter costs the
//! living ones on its port no time, and after a while one light request finds out whether it is back.
//!
//! ```text
//!             failures in a row                     a while
//!   CLOSED ───────────────────────► OPEN ─────────────────────► HALF-OPEN
//!     ▲                              ▲                              │
//!     │ a checked answer             └──────────── a failure ───────┤
//!     └──────────────────────────────── a checked answer ───────────┘
//! ```
//!
//! A meter that refuses a request, or whose key is wrong, answers: that is no failure of the line. While the supply is
//! known to sag nothing opens: all meters would, and the reason would be another.

use core::fmt;

use crate::Error;

const SECOND_NS: u64 = 1_000_000_000;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open it; 1 at least. Default 3.
    pub failures: u32,
    /// How long it is open at first, ns. Default 30 s.
    pub open_ns: u64,
    /// Each further time it is open twice as long, up to this, ns. Default 30 s: always the same.
    pub longest_ns: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { failures: 3, open_ns: 30 * SECOND_NS, longest_ns: 30 * SECOND_NS }
    }
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The meter is asked as usual.
    Closed,
    /// It is left alone until a probe is due.
    Open,
    /// A probe is out; what becomes of it decides.
    HalfOpen,
}

impl State {
    /// Its name on the bus and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the supply of port and meters is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supply {
    /// Well, or not known.
    #[default]
    Good,
    /// The voltage is known to sag: what fails, fails for that.
    Low,
}

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came in time.
    Timeout,
    /// Something came that is no whole frame, or not the meter's.
    Check,
}

impl Failure {
    /// The failure that an error is; `None` where the meter did answer, even if it refused or cannot be read.
    #[must_use]
    pub const fn of(error: &Error) -> Option<Failure> {
        match error {
            Error::Timeout | Error::Echo => Some(Failure::Timeout),
            Error::Truncated { .. }
            | Error::Checksum { .. }
            | Error::CrcDll { .. }
            | Error::BadEnd { .. }
            | Error::Malformed { .. }
            | Error::NoFrame { .. }
            | Error::NotEncrypted
            | Error::AddressMismatch
            | Error::OtherAddress { .. }
            | Error::AnswerMismatch { .. }
            // Nothing was sent, and nobody answered: such a meter is left alone, too.
            | Error::Unaskable(_) => Some(Failure::Check),
            Error::KeyMissing
            | Error::WrongKey
            | Error::Mac
            | Error::Changed
            | Error::Replay { .. }
            | Error::CounterGap { .. }
            | Error::UnsupportedMode { .. }
            | Error::FormatUnknown { .. }
            | Error::DeviceError { .. }
            | Error::AnotherDevice => None,
        }
    }

    /// Its name on the bus and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Check => "check",
        }
    }
}

/// What may be sent to a meter now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Any request.
    All,
    /// One light request that says whether it is there: the breaker is half-open from now on.
    Probe,
    /// Nothing before this, ns.
    Nothing {
        /// When the next probe is due.
        until_ns: u64,
    },
}

/// What an outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It opened, or stays open after a probe that failed.
    Opened,
    /// It closed: what was missed is to be read again.
    Closed,
    /// It would have opened, and the supply is low: that is what to tell.
    LowPower,
}

/// The breaker of one meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    settings: Settings,
    state: State,
    supply: Supply,
    /// Failures in a row.
    failures: u32,
    /// Times that it opened in a row.
    times: u32,
    /// When the next probe is due, ns.
    probe_ns: u64,
    last: Option<Failure>,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Closed,
            supply: Supply::Good,
            failures: 0,
            times: 0,
            probe_ns: 0,
            last: None,
        }
    }

    /// What may be sent at `now_ns`. Whoever is told [`Allowed::Probe`] sends one, and says what became of it.
    pub const fn ask(&mut self, now_ns: u64) -> Allowed {
        match self.state {
            State::Closed => Allowed::All,
            State::Open if now_ns >= self.probe_ns => {
                self.state = State::HalfOpen;
                Allowed::Probe
            }
            // One probe at a time. One whose outcome is never told is sent again after a while.
            State::HalfOpen if now_ns >= self.probe_ns.saturating_add(self.settings.open_ns) => {
                self.probe_ns = now_ns;
                Allowed::Probe
            }
            State::HalfOpen => {
                Allowed::Nothing { until_ns: self.probe_ns.saturating_add(self.settings.open_ns) }
            }
            State::Open => Allowed::Nothing { until_ns: self.probe_ns },
        }
    }

    /// A frame that passed its checks came from the meter. Returns what that changes.
    pub const fn answered(&mut self) -> Option<Change> {
        (self.failures, self.times, self.last) = (0, 0, None);
        match self.state {
            State::Closed => None,
            // Also one that was still on its way when it opened.
            State::Open | State::HalfOpen => {
                self.state = State::Closed;
                Some(Change::Closed)
            }
        }
    }

    /// A request failed at `now_ns`. Returns what that changes.
    pub fn failed(&mut self, failure: Failure, now_ns: u64) -> Option<Change> {
        self.last = Some(failure);
        self.failures = self.failures.saturating_add(1);
        match self.state {
            // It was asked before it opened: that is no news.
            State::Open => None,
            State::HalfOpen => Some(self.open(now_ns)),
            State::Closed if self.failures < self.settings.failures.max(1) => None,
            State::Closed if matches!(self.supply, Supply::Low) => Some(Change::LowPower),
            State::Closed => Some(self.open(now_ns)),
        }
    }

    /// What became of a request at `now_ns`, by the error that it ended with; `None` is a good answer.
    pub fn outcome(&mut self, error: Option<&Error>, now_ns: u64) -> Option<Change> {
        match error.and_then(Failure::of) {
            Some(failure) => self.failed(failure, now_ns),
            None => self.answered(),
        }
    }

    /// How the supply is from now on. Failures of before do not open the breaker once it is well again.
    pub const fn set_supply(&mut self, supply: Supply) {
        if matches!((self.supply, supply), (Supply::Low, Supply::Good)) {
            self.failures = 0;
        }
        self.supply = supply;
    }

    fn open(&mut self, now_ns: u64) -> Change {
        let Settings { open_ns, longest_ns, .. } = self.settings;
        // Beyond 2^32 times it is the longest anyway.
        let doubled = open_ns.saturating_mul(1 << self.times.min(32));
        self.probe_ns = now_ns.saturating_add(doubled.min(longest_ns.max(open_ns)));
        self.times = self.times.saturating_add(1);
        self.state = State::Open;
        Change::Opened
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The last failure since the last answer.
    #[must_use]
    pub const fn last_failure(&self) -> Option<Failure> {
        self.last
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// When the next probe is due, ns; `None` while it is closed.
    #[must_use]
    pub const fn next_probe_ns(&self) -> Option<u64> {
        match self.state {
            State::Closed => None,
            State::Open | State::HalfOpen => Some(self.probe_ns),
        }
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
