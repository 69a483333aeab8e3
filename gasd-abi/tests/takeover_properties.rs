// SPDX-License-Identifier: MIT OR Apache-2.0
//! A takeover by another generation, at any moment and however long it lasts, changes no pulse and
//! loses no edge.
mod common;

use common::{MS, S};
use gasd_abi::filter::{self, CLOSED, FilterConfig, FilterState, OPEN, REPLAYING, WAITING};
use gasd_abi::outcome::{PULSE, STALE};
use gasd_abi::takeover::{self, Handover, KEPT, Kept};
use gasd_abi::{Outcome, Totals};
use proptest::prelude::*;

/// One generation of a line, as the kernel programs and the loader treat it.
struct Generation {
    cfg: FilterConfig,
    st: FilterState,
    kept: Kept,
    totals: Totals,
    pulses: Vec<(u64, u64)>,
}

impl Generation {
    fn new(adopting: u8) -> Self {
        Self {
            cfg: FilterConfig { storm_limit: 0, ..FilterConfig::default() },
            st: FilterState { adopting, ..FilterState::default() },
            kept: Kept { at_ns: [0; KEPT] },
            totals: Totals::default(),
            pulses: Vec::new(),
        }
    }

    fn edge(&mut self, t: u64) {
        if self.st.adopting != 0 {
            self.kept.at_ns[takeover::place(self.st.kept)] = t;
        }
        let out = filter::edge(&self.cfg, &mut self.st, t);
        self.note(true, &out);
    }

    fn sample(&mut self, t: u64, level: u8) {
        let edges = self.st.edges;
        let out = filter::sample(&self.cfg, &mut self.st, t, level, edges);
        self.note(false, &out);
    }

    /// Returns whether the line is still taken over.
    fn replay(&mut self) -> bool {
        let at = self.kept.at_ns[takeover::place(self.st.replayed)];
        let out = takeover::replay(&self.cfg, &mut self.st, at);
        if !out.has(STALE) {
            self.note(false, &out);
        }
        self.st.adopting != 0
    }

    fn note(&mut self, edge: bool, out: &Outcome) {
        self.totals.apply(edge, out);
        if out.has(PULSE) {
            self.pulses.push((self.st.pulse_ns, self.st.interval_ns));
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Step {
    after_ns: u64,
    /// A level, or an edge.
    level: Option<u8>,
    /// Replays after it, once the old state is there.
    replays: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let after_ns = prop_oneof![0..2 * MS, 8 * MS..30 * MS, 0..2 * S];
    let level = prop_oneof![3 => Just(None), 1 => (0..2u8).prop_map(Some)];
    prop::collection::vec(
        (after_ns, level, 0..4usize).prop_map(|(after_ns, level, replays)| Step { after_ns, level, replays }),
        1..120,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two generations one after the other count what one that was never left counts, pulse for pulse
    /// with its time and interval, and leave every edge where that one leaves it.
    #[test]
    fn a_takeover_changes_nothing(steps in steps(), left in 0..120usize, adopted in 0..60usize) {
        let (left, mut now) = (left % steps.len(), S);
        let adopted = left + adopted;
        let (mut one, mut old, mut new) =
            (Generation::new(0), Generation::new(0), Generation::new(WAITING));
        for (at, step) in steps.iter().enumerate() {
            now += step.after_ns;
            if at == adopted {
                prop_assert_eq!(takeover::adopt(&mut new.st, &Handover::of(&old.st)).flags & STALE, 0);
            }
            let here = if at < left { &mut old } else { &mut new };
            match step.level {
                None => {
                    here.edge(now);
                    one.edge(now);
                }
                Some(level) => {
                    let before = here.st;
                    here.sample(now, level);
                    if before.adopting == 0 {
                        one.sample(now, level);
                    } else {
                        // What is read meanwhile is thrown away, and changes nothing.
                        prop_assert_eq!(here.st, before);
                    }
                }
            }
            for _ in 0..step.replays {
                if new.st.adopting == REPLAYING {
                    new.replay();
                }
            }
        }
        if new.st.adopting == WAITING {
            takeover::adopt(&mut new.st, &Handover::of(&old.st));
        }
        while new.replay() {}
        prop_assert_eq!(takeover::replay(&new.cfg, &mut new.st.clone(), 0).flags, STALE);

        let both: Vec<_> = old.pulses.iter().chain(&new.pulses).copied().collect();
        prop_assert_eq!(&both, &one.pulses);
        let mut sum = old.totals;
        sum.add(&new.totals);
        sum.stale = one.totals.stale;
        prop_assert_eq!(sum, one.totals);
        prop_assert_eq!((new.st.kept, new.st.replayed), (0, 0));
        prop_assert_eq!(Handover::of(&new.st), Handover::of(&one.st));
    }

    /// More edges than times are kept for: each is accounted for, and the parity holds.
    #[test]
    fn a_takeover_that_lasts_loses_no_edge(kept in 0..3 * KEPT as u32, gap in 1..30 * MS) {
        let (mut old, mut new) = (Generation::new(0), Generation::new(WAITING));
        old.sample(S, OPEN);
        old.edge(2 * S);
        for n in 0..kept {
            new.edge(2 * S + u64::from(n + 1) * gap);
        }
        takeover::adopt(&mut new.st, &Handover::of(&old.st));
        while new.replay() {}
        prop_assert_eq!(new.st.level, if kept % 2 == 0 { CLOSED } else { OPEN });
        let end = 2 * S + u64::from(kept + 1) * gap + S;
        for n in 0..4 {
            let level = new.st.level;
            new.sample(end + n * S, level);
        }
        prop_assert_eq!(new.st.pending, 0);
        let mut sum = old.totals;
        sum.add(&new.totals);
        prop_assert_eq!(sum.edges, u64::from(kept) + 1);
        prop_assert_eq!(sum.edges + sum.recovered, sum.accepted + sum.rejected_total());
    }

    /// Whatever another version wrote, the filter goes on without a panic, and each edge is accounted for.
    #[test]
    fn any_state_can_be_taken_over(
        t in prop::array::uniform8(prop_oneof![any::<u64>(), 0..10 * S, Just(u64::MAX)]),
        pending in any::<u32>(),
        (level, contact, counted) in any::<(u8, u8, u8)>(),
        kept in 0..10u32,
    ) {
        let [pulse_ns, pulse_first_ns, last_edge_ns, first_ns, candidate_ns, since_ns, evidence_ns, checked_ns] = t;
        let old = Handover {
            pulse_ns, pulse_first_ns, last_edge_ns, first_ns, candidate_ns, since_ns, evidence_ns, checked_ns,
            pending: pending / 2, level, contact, counted, reserved: 0,
        };
        let mut new = Generation::new(WAITING);
        for n in 0..kept {
            new.edge(u64::from(n) * 7 * MS);
        }
        takeover::adopt(&mut new.st, &old);
        while new.replay() {}
        new.edge(10 * S);
        let settled = new.st.since_ns.saturating_add(S);
        new.sample(settled, OPEN);
        let sum = new.totals.rejected_total() + new.totals.accepted + u64::from(new.st.pending);
        prop_assert_eq!(sum, u64::from(pending / 2) + u64::from(kept) + 1 + new.totals.recovered);
    }
}

/// A generation that says its last pulse was after its last edge: what comes next is judged as usual.
#[test]
fn a_handover_with_times_that_cannot_be_is_taken_over() {
    let old = Handover {
        pulse_ns: u64::MAX,
        pulse_first_ns: u64::MAX,
        last_edge_ns: S,
        first_ns: u64::MAX,
        candidate_ns: u64::MAX,
        evidence_ns: 0,
        pending: 1,
        counted: 1,
        ..Handover::default()
    };
    let mut new = Generation::new(WAITING);
    takeover::adopt(&mut new.st, &old);
    while new.replay() {}
    assert_eq!((new.st.pulse_ns, new.st.first_ns, new.st.since_ns), (S, S, S));
    new.edge(2 * S);
    new.sample(2 * S + 10 * MS, CLOSED);
    assert_eq!(new.pulses, [(2 * S, S)]);
}
