// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readings that come late: a meter that speaks by itself may keep what it could not tell, and tells all of it once it is
//! heard again. Each is dated when it comes, so the times between them say nothing of how long it was.
//!
//! What came after a silence may be as old as the silence was longer than one interval, and each that follows it soon
//! makes that less by an interval. Until then what passed between two is believed to have taken an interval, which is as
//! long as it can have been: a mean over that still proves what it proves. Two things bound it, so that a flow that is told
//! of quickly because it is too high is not taken for old news: so many readings as the silence can have had, and one
//! interval, after which a meter that is read as configured would have been judged as well.

use super::Readings;

/// Readings that are this part of the usual interval apart are no catching up any more.
const SOON: u64 = 8;

/// How old the last reading may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lateness {
    /// At most so much older than it seems, ns; [`u64::MAX`] where nobody knows.
    owed_ns: u64,
    /// Since when it is caught up, ns.
    since_ns: u64,
}

impl Lateness {
    /// Nobody knows what was before: the meter is new, or gasd is.
    pub const UNKNOWN: Self = Self { owed_ns: u64::MAX, since_ns: u64::MAX };
}

impl Readings {
    /// So much longer than it seems the time between these two readings may have been, ns.
    pub(super) fn longer_ns(&self, before_ns: u64, t_ns: u64) -> u64 {
        if !self.cfg.tells_late {
            return 0;
        }
        let span_ns = t_ns.saturating_sub(before_ns);
        let most_ns = span_ns.saturating_add(self.late.owed_ns).min(self.cfg.every_ns);
        // No meter keeps its interval to the second.
        if span_ns >= most_ns / 4 * 3 { 0 } else { most_ns - span_ns }
    }

    /// The reading of `t_ns` has come after that of `before_ns`.
    pub(super) fn came(&mut self, before_ns: u64, t_ns: u64) {
        let (every_ns, span_ns) = (self.cfg.every_ns, t_ns.saturating_sub(before_ns));
        let Lateness { owed_ns, since_ns } = &mut self.late;
        *since_ns = if span_ns > every_ns { t_ns } else { (*since_ns).min(before_ns) };
        *owed_ns = if span_ns > every_ns {
            span_ns - every_ns
        } else if span_ns >= every_ns / SOON || t_ns.saturating_sub(*since_ns) > every_ns {
            0
        } else if *owed_ns == u64::MAX {
            *owed_ns
        } else {
            owed_ns.saturating_add(span_ns).saturating_sub(every_ns)
        };
    }
}
