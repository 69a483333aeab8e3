// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a valve was when that was last known, and what there is to say of where it is now. Pure, and words
//! only: what is driven is decided without it.
//!
//! That a valve moved by itself is said only of one that this process saw before, and that was not told to
//! go there. What was seen before a start is kept in the store ([`LastKnown`]).

use crate::response::actuator::Target;
use crate::state::Position;
use crate::store::{Change, LastKnown};

/// How long after it was seen elsewhere a valve may still be on its way, ns: as long as the slowest order may
/// take, that of a valve in a meter.
const ON_ITS_WAY_NS: u64 = 120_000_000_000;

/// What is known of one valve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// Where it was; unknown if that was never known.
    at: Position,
    /// An order that it was not seen to have followed.
    ordered: Option<Ordered>,
    /// Why nobody looked since.
    gap: Option<Gap>,
}

#[derive(Clone, Copy, Debug)]
struct Ordered {
    to: Target,
    before_start: bool,
    /// When it was first seen elsewhere, or the order failed.
    elsewhere_ns: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// gasd did not run.
    Stopped,
    /// It could not be asked, or did not say.
    Lost,
}

impl Known {
    /// As the store has it; one of before gasd wrote that down has the last order, at least.
    pub(super) fn at_start(last: Option<LastKnown>, commanded: Position) -> Known {
        let last = last.unwrap_or(LastKnown { at: Position::Unknown, ordered: commanded });
        let ordered = target(last.ordered);
        let ordered = ordered.map(|to| Ordered { to, before_start: true, elsewhere_ns: None });
        Known { at: last.at, ordered, gap: Some(Gap::Stopped) }
    }

    /// It is told to go somewhere.
    pub(super) fn told(&mut self, to: Target) {
        self.ordered = Some(Ordered { to, before_start: false, elsewhere_ns: None });
    }

    /// The last order ended well.
    pub(super) fn arrived(&mut self, at: Position) {
        if at != Position::Unknown {
            (self.at, self.ordered, self.gap) = (at, None, None);
        }
    }

    /// The last order failed: a valve that is there later on was slow, one that is there much later was not.
    pub(super) fn failed(&mut self, now_ns: u64) {
        if let Some(ordered) = &mut self.ordered {
            ordered.elsewhere_ns = Some(now_ns);
        }
    }

    /// It cannot be asked any more.
    pub(super) fn lost(&mut self) {
        self.gap.get_or_insert(Gap::Lost);
    }

    /// It is seen, and this is what there is to say; `None` where nothing changed.
    pub(super) fn seen(&mut self, at: Position, now_ns: u64) -> Option<String> {
        let Some(there) = target(at) else {
            let was_seen = self.gap.is_none();
            self.lost();
            return was_seen.then(|| "its feedback does not say any more where it is".to_owned());
        };
        let gap = self.gap.take();
        let was = std::mem::replace(&mut self.at, at);
        let here = at.name();
        let mut elsewhere = None;
        if let Some(ordered) = &mut self.ordered {
            if ordered.to != there {
                ordered.elsewhere_ns.get_or_insert(now_ns);
                elsewhere = Some(ordered.to.name());
            } else {
                let since = ordered.elsewhere_ns.map_or(0, |since| now_ns.saturating_sub(since));
                let before_start = ordered.before_start;
                self.ordered = None;
                if was != at && since <= ON_ITS_WAY_NS {
                    let order = if before_start { "was ordered before gasd stopped" } else { "it was told" };
                    return Some(format!("is {here} now, as {order}"));
                }
            }
        }
        match (gap, target(was)) {
            (_, None) => {
                let told = elsewhere.map_or(String::new(), |to| format!("; it was last told to be {to}"));
                Some(format!("is {here}; where it was before is not known{told}"))
            }
            (Some(Gap::Stopped), Some(was)) if was == there => None,
            (Some(Gap::Lost), Some(was)) if was == there => {
                Some(format!("is {here}, as it was when that was last known"))
            }
            (None, Some(was)) if was == there => {
                elsewhere.map(|to| format!("is still {here}, and was told to be {to}"))
            }
            (Some(Gap::Stopped), Some(was)) => {
                Some(format!("was {} when gasd stopped and is {here} now: moved meanwhile", was.name()))
            }
            (Some(Gap::Lost), Some(was)) => Some(format!(
                "was {} when that was last known and is {here} now: moved meanwhile",
                was.name()
            )),
            (None, Some(_)) => Some(format!("the feedback changed to {here} by itself")),
        }
    }

    /// What the next start is to know.
    pub(super) fn row(&self, valve: &str) -> Change {
        let ordered = self.ordered.map_or(Position::Unknown, |ordered| ordered.to.position());
        Change::Known { valve: valve.to_owned(), last: LastKnown { at: self.at, ordered } }
    }

    /// As [`Known::row`], of a valve that will have been told to go somewhere.
    pub(super) fn row_told(mut self, valve: &str, to: Target) -> Change {
        self.told(to);
        self.row(valve)
    }
}

const fn target(position: Position) -> Option<Target> {
    match position {
        Position::Open => Some(Target::Open),
        Position::Closed => Some(Target::Closed),
        Position::Unknown => None,
    }
}

#[cfg(test)]
#[path = "known_tests.rs"]
mod tests;
