// SPDX-License-Identifier: MIT OR Apache-2.0
//! What holds for the filter whatever comes in.
mod common;

use common::{MS, S, US};
use gasd_abi::filter::{self, CLOSED, FilterConfig, FilterState, OPEN};
use gasd_abi::outcome::{PULSE, RECOVERED, STALE};
use gasd_abi::{Outcome, Totals};
use proptest::prelude::*;

/// A line with its filter, checked at every step.
#[derive(Default)]
struct Line {
    cfg: FilterConfig,
    st: FilterState,
    totals: Totals,
    pulses: Vec<(u64, u64)>,
}

impl Line {
    fn new(cfg: FilterConfig) -> Self {
        Self { cfg, ..Self::default() }
    }

    fn edge(&mut self, t: u64) {
        let before = self.st;
        let o = filter::edge(&self.cfg, &mut self.st, t);
        self.check(&before, true, &o);
    }

    fn sample(&mut self, t: u64, level: u8) {
        self.stale_sample(t, level, self.st.edges);
    }

    fn stale_sample(&mut self, t: u64, level: u8, edges: u64) {
        let before = self.st;
        let o = filter::sample(&self.cfg, &mut self.st, t, level, edges);
        if o.has(STALE) {
            assert_eq!(self.st, before);
        }
        self.check(&before, false, &o);
    }

    /// Reads `level` whenever a reading is due before `until`; returns how many there were.
    fn settle(&mut self, until: u64, level: u8) -> usize {
        for n in 0.. {
            match filter::due(&self.cfg, &self.st) {
                Some(due) if due <= until => self.sample(due.max(self.st.since_ns), level),
                _ => return n,
            }
            assert!(n < 8, "does not settle: {:?}", self.st);
        }
        unreachable!()
    }

    fn check(&mut self, before: &FilterState, edge: bool, o: &Outcome) {
        self.totals.apply(edge, o);
        let (st, totals) = (&self.st, &self.totals);
        // Every edge is accounted for, or pending.
        assert_eq!(
            totals.edges + totals.recovered,
            totals.accepted + totals.rejected_total() + u64::from(st.pending)
        );
        assert_eq!((st.edges, st.accepted), (totals.edges, totals.accepted));
        // Time does not run backwards, also not inside a pulse.
        assert!(st.since_ns >= before.since_ns && st.last_edge_ns >= before.last_edge_ns);
        assert!(st.last_edge_ns <= st.since_ns && st.checked_ns <= st.since_ns);
        assert!(st.level <= 1 && st.contact <= 1);
        if !o.has(PULSE) {
            assert!(!o.has(RECOVERED));
            return;
        }
        assert!(st.pulse_first_ns <= st.pulse_ns && st.pulse_ns <= st.decided_ns);
        assert!(st.decided_ns - st.pulse_ns >= self.cfg.min_width_ns);
        if before.accepted > 0 {
            // The documented measure: latest edge of this closure, earliest of the last one.
            assert!(st.last_edge_ns - before.pulse_first_ns >= self.cfg.min_interval_ns);
            assert!(st.pulse_ns >= before.pulse_ns);
        }
        self.pulses.push((st.pulse_ns, st.decided_ns));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Edge(u64),
    EdgeAfter(u64),
    Sample { t: u64, level: u8, edges: u64 },
    SampleAfter { dt: u64, level: u8 },
    Due { level: u8 },
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), Just(0), Just(u64::MAX), u64::MAX - 1_000..=u64::MAX, 0..20 * MS]
}

fn step() -> impl Strategy<Value = Step> {
    let level = any::<u8>();
    prop_oneof![
        1 => time().prop_map(Step::Edge),
        6 => (0..30 * MS).prop_map(Step::EdgeAfter),
        1 => (time(), level, any::<u64>())
            .prop_map(|(t, level, edges)| Step::Sample { t, level, edges }),
        3 => (0..30 * MS, level).prop_map(|(dt, level)| Step::SampleAfter { dt, level }),
        4 => level.prop_map(|level| Step::Due { level }),
    ]
}

fn config() -> impl Strategy<Value = FilterConfig> {
    let duration = || prop_oneof![3 => 0..20 * MS, 1 => time()];
    (duration(), duration(), duration(), prop_oneof![Just(0), 0..50u32, any::<u32>()]).prop_map(
        |(min_interval_ns, min_width_ns, min_idle_ns, storm_limit)| FilterConfig {
            min_interval_ns,
            min_width_ns,
            min_idle_ns,
            storm_limit,
            reserved: 0,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any times, levels and settings: no panic, no overflow, every edge accounted for, time
    /// monotone, intervals kept; and readings at the due times settle the line.
    #[test]
    fn anything_goes(cfg in config(), steps in prop::collection::vec(step(), 0..60), last in 0..2u8) {
        let mut line = Line::new(cfg);
        for step in steps {
            let now = line.st.since_ns;
            match step {
                Step::Edge(t) => line.edge(t),
                Step::EdgeAfter(dt) => line.edge(now.saturating_add(dt)),
                Step::Sample { t, level, edges } => line.stale_sample(t, level, edges % 64),
                Step::SampleAfter { dt, level } => line.sample(now.saturating_add(dt), level),
                Step::Due { level } => {
                    if let Some(due) = filter::due(&line.cfg, &line.st) {
                        line.sample(due, level);
                    }
                }
            }
        }
        let no_time_left = line.st.since_ns > u64::MAX / 2
            || cfg.min_width_ns > u64::MAX / 4
            || cfg.min_idle_ns > u64::MAX / 4;
        if !no_time_left {
            line.settle(u64::MAX, last);
            line.sample(line.st.since_ns, last);
            line.settle(u64::MAX, last);
            prop_assert_eq!(line.st.pending, 0);
            prop_assert_eq!((line.st.level, line.st.contact), (last, last));
            let t = line.totals;
            prop_assert_eq!(t.edges + t.recovered, t.accepted + t.rejected_total());
        }
    }

    /// Bouncing closures of any length, minutes too, are counted one by one; a closure that holds
    /// is decided at its bounce's end plus the width, before it opens.
    #[test]
    fn closures_are_counted(
        cycles in prop::collection::vec(
            (bounces(), 11 * MS..300 * S, bounces(), 11 * MS..60 * S, any::<bool>()), 1..20),
    ) {
        let mut line = Line::new(FilterConfig::default());
        let mut t = S;
        for (n, (closing, closed, opening, idle, watched)) in cycles.iter().enumerate() {
            // Nobody reads during some cycles, whatever happens in them.
            t = travel(&mut line, t, closing);
            if *watched {
                line.settle(t + closed, CLOSED);
                prop_assert_eq!(line.pulses.len(), n + 1);
                let (_, decided) = line.pulses[n];
                prop_assert!(decided <= t + line.cfg.min_width_ns);
            }
            t = travel(&mut line, t + closed, opening);
            if *watched {
                line.settle(t + idle, OPEN);
                prop_assert_eq!(line.st.contact, OPEN);
            }
            t += idle;
        }
        line.settle(t, OPEN);
        prop_assert_eq!(line.pulses.len(), cycles.len());
        prop_assert_eq!(line.totals.recovered, 0);
    }

    /// Spikes of up to 5 ms, each followed by a gap at least as long, never count: on an open
    /// contact as a pulse, on a closed one as an opening. With readings and without.
    #[test]
    fn spikes_do_not_count(
        spikes in prop::collection::vec((500..5 * MS, 0..40 * MS), 1..100),
        closed in any::<bool>(),
        watched in any::<bool>(),
    ) {
        let rest = u8::from(closed);
        let mut line = Line::new(FilterConfig::default());
        line.sample(S, rest);
        let mut t = 2 * S;
        for (width, gap) in spikes {
            line.edge(t);
            if watched {
                line.settle(t + width, rest ^ 1);
            }
            line.edge(t + width);
            t += width + width.max(gap);
            if watched {
                line.settle(t, rest);
            }
            prop_assert_eq!(line.st.contact, rest);
        }
        prop_assert!(line.pulses.is_empty());
        prop_assert_eq!(line.totals.resyncs, 0);
    }

    /// After any mess of edges, lost ones included, a line that rests is known again after one
    /// poll and the minimum time.
    #[test]
    fn parity_returns_within_one_poll(
        mess in prop::collection::vec(US..20 * MS, 0..40),
        rest in 0..2u8,
        wait in 0..50 * MS,
    ) {
        let mut line = Line::new(FilterConfig::default());
        let mut t = S;
        for dt in mess {
            t += dt;
            line.edge(t);
        }
        // Due readings and a poll, all of them seeing the resting level.
        line.settle(t + wait, rest);
        line.sample((t + wait).max(line.st.since_ns), rest);
        prop_assert_eq!(line.st.level, rest);
        line.settle(t + wait + 10 * MS, rest);
        prop_assert_eq!(line.st.contact, rest);
        prop_assert_eq!(line.st.pending, 0);
    }
}

/// Lengths of the stretches of one bounce: an even number, 8 ms together at most.
fn bounces() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec((500..MS, 500..MS), 0..4)
        .prop_map(|pairs| pairs.into_iter().flat_map(|(a, b)| [a, b]).collect())
}

/// The contact moves at `t` and bounces; returns when it rests.
fn travel(line: &mut Line, mut t: u64, bounces: &[u64]) -> u64 {
    line.edge(t);
    for dt in bounces {
        t += dt;
        line.edge(t);
    }
    t
}

#[test]
fn a_contact_found_closed_is_no_pulse() {
    let mut line = Line::new(FilterConfig::default());
    line.sample(S, CLOSED);
    assert_eq!(line.settle(2 * S, CLOSED), 0);
    line.edge(3 * S);
    line.settle(4 * S, OPEN);
    line.edge(5 * S);
    line.settle(6 * S, CLOSED);
    assert_eq!(line.pulses, [(5 * S, 5 * S + 10 * MS)]);
}

#[test]
fn a_closure_of_minutes_counts_without_its_end() {
    let mut line = Line::new(FilterConfig::default());
    line.edge(S);
    line.settle(S + 10 * MS, CLOSED);
    assert_eq!(line.pulses, [(S, S + 10 * MS)]);
    assert_eq!(filter::due(&line.cfg, &line.st), None);
}

#[test]
fn a_closing_whose_edge_was_lost_is_recovered_by_polls() {
    let mut line = Line::new(FilterConfig::default());
    line.sample(S, OPEN);
    line.sample(S + 50 * MS, CLOSED);
    line.settle(S + 60 * MS, CLOSED);
    assert_eq!(line.pulses, [(S + 50 * MS, S + 60 * MS)]);
    assert_eq!((line.totals.recovered, line.totals.resyncs), (1, 1));
}

#[test]
fn one_edge_of_a_needle_is_put_down_to_the_level() {
    let mut line = Line::new(FilterConfig::default());
    line.sample(S, OPEN);
    line.edge(2 * S);
    line.settle(3 * S, OPEN);
    assert_eq!(line.totals.rejected[gasd_abi::Reason::Level as usize], 1);
    assert_eq!(line.st.level, OPEN);
    assert!(line.pulses.is_empty());
}

/// A needle that became one interrupt, and another while its reading is due: the second must not
/// prove the first as long as somebody reads.
#[test]
fn an_edge_proves_nothing_that_a_reading_is_about_to_tell() {
    let mut line = Line::new(FilterConfig::default());
    line.sample(S, OPEN);
    line.edge(S + 20 * MS);
    line.edge(S + 30 * MS + 500 * US);
    line.edge(S + 30 * MS + 510 * US);
    line.settle(2 * S, OPEN);
    assert!(line.pulses.is_empty());
}

#[test]
fn a_storm_is_raised_once_and_ends_with_a_calm_second() {
    let mut line = Line::new(FilterConfig { storm_limit: 10, ..FilterConfig::default() });
    for i in 0..3_000 {
        line.edge(S + i * MS);
    }
    assert_eq!(line.totals.storms, 1);
    for i in 0..5 {
        line.edge((10 + i) * S);
    }
    assert_eq!(line.st.storming, 0);
    for i in 0..20 {
        line.edge(20 * S + i * MS);
    }
    assert_eq!(line.totals.storms, 2);
}
