// SPDX-License-Identifier: MIT OR Apache-2.0
//! What waits for the disk: bounded and counted. Pure.

use std::collections::{BTreeMap, VecDeque};

use gasd_ports::Kept;

use crate::state::Position;
use crate::store::records::{Change, NextIds};
use crate::store::totals::Base;

/// Rows that may wait. At a few hundred bytes each this is about a megabyte.
pub const LIMIT: usize = 4096;

/// Changes in their order, except totals, numbers, and what was learned or is remembered, of which only the newest counts. Of
/// a hold and of where a valve is and was told to be, too, only the newest waits, and in its own place: the rows before it
/// are of other holds and valves, so that it overtakes nothing that it could be mistaken with.
#[derive(Debug, Default)]
pub struct Pending {
    rows: VecDeque<Change>,
    bases: BTreeMap<String, Base>,
    learned: BTreeMap<String, Vec<u8>>,
    remembered: BTreeMap<String, Kept>,
    ids: Option<NextIds>,
    dropped: u64,
}

impl Pending {
    /// Adds changes. Beyond [`LIMIT`] the least important, and of those the oldest, are dropped and
    /// counted: see [`importance`].
    pub fn push(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            match change {
                Change::Base { meter, base } => {
                    self.bases.insert(meter, base);
                }
                Change::Learned { key, bytes } => {
                    self.learned.insert(key, bytes);
                }
                Change::Remembered { key, bytes } => {
                    self.remembered.insert(key, bytes);
                }
                Change::Ids(ids) => {
                    let old = self.ids.unwrap_or_default();
                    self.ids = Some(NextIds {
                        verdict: old.verdict.max(ids.verdict),
                        cookie: old.cookie.max(ids.cookie),
                    });
                }
                row => {
                    if let Some(at) = self.rows.iter().rposition(|old| is_undone(old, &row)) {
                        self.rows.remove(at);
                    }
                    self.rows.push_back(row);
                }
            }
        }
        while self.rows.len() > LIMIT {
            let least = self.rows.iter().enumerate().min_by_key(|(_, row)| importance(row)).map(|(at, _)| at);
            if let Some(at) = least {
                self.rows.remove(at);
                self.dropped += 1;
            }
        }
    }

    /// Takes everything, in order.
    pub fn take(&mut self) -> Vec<Change> {
        let mut all: Vec<_> = self.rows.drain(..).collect();
        all.extend(
            std::mem::take(&mut self.bases).into_iter().map(|(meter, base)| Change::Base { meter, base }),
        );
        let learned = std::mem::take(&mut self.learned);
        all.extend(learned.into_iter().map(|(key, bytes)| Change::Learned { key, bytes }));
        let remembered = std::mem::take(&mut self.remembered);
        all.extend(remembered.into_iter().map(|(key, bytes)| Change::Remembered { key, bytes }));
        all.extend(self.ids.take().map(Change::Ids));
        all
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        let newest = self.bases.len() + self.learned.len() + self.remembered.len();
        self.rows.len() + newest + usize::from(self.ids.is_some())
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were ever dropped.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// Whether nothing is left of one row after another one: they are of the same hold, or say the same of the same valve. Asked
/// again and again while the disk is full, one hold would push everything else out.
fn is_undone(old: &Change, by: &Change) -> bool {
    const fn cookie(change: &Change) -> Option<u64> {
        match change {
            Change::PlaceHold(held) => Some(held.hold.cookie),
            Change::ReleaseHold(cookie) => Some(*cookie),
            _ => None,
        }
    }
    match (old, by) {
        (Change::Commanded { valve: old, .. }, Change::Commanded { valve: by, .. })
        | (Change::Known { valve: old, .. }, Change::Known { valve: by, .. }) => old == by,
        _ => cookie(old).is_some() && cookie(old) == cookie(by),
    }
}

/// What may be lost last when the disk stays full: holds and that a valve was not told to open, because they keep gas off
/// after a restart, then critical verdicts. A lost release or acknowledgement leaves a hold or a verdict standing, and
/// a lost order to open has the valve closed by a start, which is safe. Lower goes first.
#[must_use]
pub fn importance(change: &Change) -> u8 {
    match change {
        Change::Audit(_) | Change::Known { .. } | Change::Learned { .. } | Change::Remembered { .. } => 0,
        Change::Verdict(verdict) if verdict.severity != "critical" => 1,
        Change::ReleaseHold(_) | Change::Acknowledge { .. } => 2,
        Change::Commanded { to: Position::Open, .. } => 2,
        Change::TotalUnknown { .. } => 3,
        Change::Verdict(_) => 3,
        // One that is lost leaves an older order to open standing.
        Change::Commanded { .. } => 4,
        Change::PlaceHold(_) | Change::Base { .. } | Change::Ids(_) => 4,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::state::Hold;
    use crate::store::position::LastKnown;
    use crate::store::records::{AuditEntry, StoredHold};

    fn audit(n: u64) -> Change {
        Change::Audit(AuditEntry { time_unix_us: n, ..AuditEntry::default() })
    }

    fn hold(cookie: u64) -> Change {
        let hold = Hold {
            cookie,
            owner: "gasd".into(),
            reason: String::new(),
            verdict: None,
            uid: None,
            since_unix_us: 0,
        };
        Change::PlaceHold(StoredHold { valve: "v".into(), hold, marks: Vec::new() })
    }

    fn base(pulses: u64) -> Change {
        Change::Base { meter: "m".into(), base: Base { pulses, ..Base::default() } }
    }

    #[test]
    fn what_is_remembered_of_a_meter_is_never_shown() {
        let row = Change::Remembered { key: "memory:flat".into(), bytes: vec![0xAB; 16].into() };
        let mut pending = Pending::default();
        pending.push([row.clone()]);
        for shown in [format!("{row:?}"), format!("{row:#?}"), format!("{pending:?}")] {
            assert!(shown.contains("16 bytes") && !shown.contains("171"), "{shown}");
        }
    }

    #[test]
    fn only_the_newest_total_of_a_meter_waits() {
        let mut pending = Pending::default();
        pending.push((0..100).map(base));
        assert_eq!(pending.take(), [base(99)]);
        assert!(pending.is_empty());
    }

    #[test]
    fn when_it_is_full_the_oldest_audit_goes_before_any_hold() {
        let mut pending = Pending::default();
        pending.push([hold(1)]);
        pending.push((0..LIMIT as u64).map(audit));
        assert_eq!((pending.len(), pending.dropped()), (LIMIT, 1));
        let all = pending.take();
        assert_eq!((&all[0], &all[1]), (&hold(1), &audit(1)));
    }

    /// A row of one of three holds or valves.
    fn row() -> impl Strategy<Value = Change> {
        let valve = prop_oneof![Just("a".to_owned()), Just("b".to_owned()), Just("c".to_owned())];
        let to = || prop_oneof![Just(Position::Unknown), Just(Position::Open), Just(Position::Closed)];
        prop_oneof![
            (0u64..3).prop_map(hold),
            (0u64..3).prop_map(Change::ReleaseHold),
            (valve.clone(), to()).prop_map(|(valve, to)| Change::Commanded { valve, to }),
            (valve, to(), to())
                .prop_map(|(valve, at, ordered)| Change::Known { valve, last: LastKnown { at, ordered } }),
        ]
    }

    /// What a store has after these rows.
    fn stored(rows: &[Change]) -> (BTreeSet<u64>, BTreeMap<&str, Position>, BTreeMap<&str, LastKnown>) {
        let (mut holds, mut told, mut known) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        for row in rows {
            match row {
                Change::PlaceHold(held) => {
                    holds.insert(held.hold.cookie);
                }
                Change::ReleaseHold(cookie) => {
                    holds.remove(cookie);
                }
                Change::Commanded { valve, to } => {
                    told.insert(valve.as_str(), *to);
                }
                Change::Known { valve, last } => {
                    known.insert(valve.as_str(), *last);
                }
                _ => unreachable!(),
            }
        }
        (holds, told, known)
    }

    proptest! {
        #[test]
        fn what_the_newest_leave_is_what_all_would_have_left(rows in proptest::collection::vec(row(), 0..60)) {
            let mut pending = Pending::default();
            pending.push(rows.clone());
            prop_assert!(pending.len() <= 3 + 3 + 3);
            prop_assert_eq!(pending.dropped(), 0, "what was taken back is not lost");
            let newest = pending.take();
            prop_assert_eq!(stored(&newest), stored(&rows));
        }
    }

    #[test]
    fn of_a_full_queue_no_closing_goes_before_a_lesser_row() {
        let told = |valve: &str, to| Change::Commanded { valve: valve.into(), to };
        let mut pending = Pending::default();
        pending.push([told("a", Position::Closed), told("b", Position::Unknown), told("c", Position::Open)]);
        pending.push((0..LIMIT as u64 - 2).map(hold));
        assert_eq!(pending.dropped(), 1);
        assert_eq!(pending.take()[..2], [told("a", Position::Closed), told("b", Position::Unknown)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

        #[test]
        fn it_is_bounded_keeps_the_order_and_counts_what_it_drops(rows in proptest::collection::vec(any::<bool>(), LIMIT..LIMIT + 200)) {
            let mut pending = Pending::default();
            let total = rows.len();
            for (n, is_hold) in rows.into_iter().enumerate() {
                pending.push([if is_hold { hold(n as u64) } else { audit(n as u64) }]);
            }
            prop_assert_eq!(pending.len() as u64 + pending.dropped(), total as u64);
            prop_assert!(pending.len() <= LIMIT);
            let numbers: Vec<u64> = pending.take().iter().map(|row| match row {
                Change::PlaceHold(hold) => hold.hold.cookie,
                Change::Audit(entry) => entry.time_unix_us,
                _ => unreachable!(),
            }).collect();
            prop_assert!(numbers.is_sorted());
        }
    }
}
