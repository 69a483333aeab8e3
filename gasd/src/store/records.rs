// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be asked of the store, as data: each [`Change`] is one row, and a slice of them is one
//! transaction.

use gasd_ports::Kept;

use crate::state::{Hold, Position, VerdictRecord};
use crate::store::position::LastKnown;
use crate::store::totals::Base;

/// Who acts when the service itself does: owner of its holds, actor of its entries.
pub const GASD: &str = "gasd";

/// A hold and the valve it keeps closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHold {
    /// The valve's id.
    pub valve: String,
    /// The hold.
    pub hold: Hold,
    /// The ids of all valves that it has held, and what drove them, as [`Config::drivers`](crate::config::Config::drivers) says
    /// it: that has a space in it, and an id has none. Not in the hold's own row, as an earlier gasd reads that, and leaves
    /// this alone.
    pub marks: Vec<String>,
}

/// Who did what to what, when, and how it ended. Entries are appended, never changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// Unix time, µs; 0 or small on a gateway whose clock is not set yet.
    pub time_unix_us: u64,
    /// `CLOCK_BOOTTIME`, ns: orders entries of one boot even when the wall clock jumps.
    pub boottime_ns: u64,
    /// `gasd`, or the caller's uid and bus name.
    pub actor: String,
    /// `verdict`, `close`, `open`, `acknowledge`, `drive`.
    pub action: String,
    /// The valve, meter or verdict.
    pub object: String,
    /// In words.
    pub detail: String,
    /// `done`, `asked`, `refused`, `failed`.
    pub outcome: String,
}

/// Which entries of the audit record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// How many, the last ones.
    pub last: usize,
    /// Only those with a lower number; `None` for all.
    pub before: Option<u64>,
}

/// One row of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A meter's total.
    Base {
        /// The meter's id.
        meter: String,
        /// Its base.
        base: Base,
    },
    /// A hold is placed; placing the same cookie again changes nothing.
    PlaceHold(StoredHold),
    /// A hold is released by its cookie.
    ReleaseHold(u64),
    /// A verdict that nobody acknowledged yet.
    Verdict(VerdictRecord),
    /// A verdict was acknowledged.
    Acknowledge {
        /// The verdict's id.
        verdict: u64,
        /// By whom.
        by: String,
    },
    /// Where a valve was last told to be.
    Commanded {
        /// What drives the valve, as [`Config::drivers`](crate::config::Config::drivers) says it, and whether that is by pulses,
        /// or that it is simulated. An earlier gasd has its id here, or the first driver of any valve.
        valve: String,
        /// The position.
        to: Position,
    },
    /// Where a valve was when that was last known, and where to it was on its way.
    Known {
        /// As of [`Change::Commanded`].
        valve: String,
        /// What is known.
        last: LastKnown,
    },
    /// A meter's total is not known, only what came since; stays until a store is put back that knows.
    TotalUnknown {
        /// The meter's id.
        meter: String,
        /// Since when it counts, Unix time in µs.
        since_unix_us: u64,
    },
    /// What was learned of a meter's home; the newest row of a key replaces the one before.
    Learned {
        /// The meter's id, or a key of [`Learned::aside`].
        key: String,
        /// [`Learned`], encoded. Not a record here, so that one that cannot be read spoils nothing else.
        bytes: Vec<u8>,
    },
    /// What is remembered of a meter on a port; the newest row of a key replaces the one before.
    Remembered {
        /// `memory:` or `latest:` and the meter's id.
        key: String,
        /// As the port's own code writes it. Not a record here, so that one that cannot be read spoils nothing else. It may
        /// hold keys: it is not shown, and cleared when it goes.
        bytes: Kept,
    },
    /// An audit entry; its number is given by the store.
    Audit(AuditEntry),
    /// Ids below these may have been handed out.
    Ids(NextIds),
}

impl Change {
    /// Whether the commit wants two phases: everything about verdicts, holds and the audit does. A
    /// total, what was learned or where a valve was does not: its row replaces a row and is checksummed.
    #[must_use]
    pub const fn is_weighty(&self) -> bool {
        !matches!(
            self,
            Change::Base { .. }
                | Change::Known { .. }
                | Change::Learned { .. }
                | Change::Remembered { .. }
                | Change::Ids(_)
        )
    }
}

/// The next numbers to hand out; those below were or may have been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextIds {
    /// For a verdict.
    pub verdict: u64,
    /// For a hold.
    pub cookie: u64,
}

impl Default for NextIds {
    /// 1 and 1: 0 is nobody's number.
    fn default() -> Self {
        NextIds { verdict: 1, cookie: 1 }
    }
}

/// What an engine learned of a home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// When it was saved, Unix time in µs.
    pub unix_us: u64,
    /// When it was saved, `CLOCK_BOOTTIME` ns.
    pub boottime_ns: u64,
    /// Names the boot of that clock; 0 where it is not known.
    pub boot: u128,
    /// Volume of the pulses that it was learned from, µL.
    pub pulse_volume_ul: u64,
    /// It was learned from readings of a register.
    pub register: bool,
    /// The engine's own bytes.
    pub state: Vec<u8>,
}

impl Learned {
    /// The key under which what a meter cannot use is kept aside. No meter's id has a colon.
    #[must_use]
    pub fn aside(meter: &str) -> String {
        format!("aside:{meter}")
    }
}

/// Everything that a daemon needs when it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// Meter id and base.
    pub bases: Vec<(String, Base)>,
    /// Holds, in the order of their cookies.
    pub holds: Vec<StoredHold>,
    /// Verdicts that nobody acknowledged, oldest first.
    pub verdicts: Vec<VerdictRecord>,
    /// As of [`Change::Commanded`], and where it was last told to be.
    pub commanded: Vec<(String, Position)>,
    /// As of [`Change::Known`], and where each was when that was last known.
    pub known: Vec<(String, LastKnown)>,
    /// Ids of meters whose total is not known, and since when they count, Unix time in µs.
    pub unknown: Vec<(String, u64)>,
    /// Meter ids and what was learned of their homes, as it is in the file.
    pub learned: Vec<(String, Vec<u8>)>,
    /// Keys and what is remembered of meters on ports, as it is in the file.
    pub remembered: Vec<(String, Kept)>,
}
