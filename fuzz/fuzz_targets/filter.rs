// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any sequence of edges, readings and handovers: nothing overflows, time does not run backwards,
//! and every edge is accounted for.
#![no_main]

use arbitrary::Arbitrary;
use gasd_abi::filter::{self, FilterConfig, FilterState, WAITING};
use gasd_abi::outcome::{PULSE, STALE};
use gasd_abi::takeover::{self, Handover};
use gasd_abi::{Outcome, Totals};
use libfuzzer_sys::fuzz_target;

/// Times are ns.
#[derive(Debug, Arbitrary)]
enum Step {
    EdgeAt(u64),
    EdgeAfter(u32),
    /// At, level, edges seen.
    SampleAt(u64, u8, u64),
    SampleAfter(u32, u8),
    SampleWhenDue(u8),
    /// Another generation takes over after a few edges, so far apart, reached it already.
    Adopt(u8, u32),
    /// One takes over from bytes that no filter has written.
    AdoptOdd(Odd),
}

#[derive(Debug, Arbitrary)]
struct Odd {
    pulse_ns: u64,
    pulse_first_ns: u64,
    last_edge_ns: u64,
    first_ns: u64,
    candidate_ns: u64,
    since_ns: u64,
    evidence_ns: u64,
    checked_ns: u64,
    /// Not 32 bits: half of those would take years to come.
    pending: u16,
    level: u8,
    contact: u8,
    counted: u8,
}

#[derive(Debug, Arbitrary)]
struct Input {
    min_interval_ns: u64,
    min_width_ns: u64,
    min_idle_ns: u64,
    storm_limit: u32,
    usual: bool,
    steps: Vec<Step>,
}

/// A line with the counters of all its generations.
struct Line {
    cfg: FilterConfig,
    st: FilterState,
    totals: Totals,
    /// Edges and pulses of the generations before.
    earlier: (u64, u64),
    /// Edges that odd handovers claimed to be pending, less those that were.
    brought: i64,
}

impl Line {
    fn edge(&mut self, at: u64) {
        let before = self.st;
        let out = filter::edge(&self.cfg, &mut self.st, at);
        self.took(&before, true, &out);
    }

    fn sample(&mut self, at: u64, level: u8, edges: u64) {
        let before = self.st;
        let out = filter::sample(&self.cfg, &mut self.st, at, level, edges);
        if out.has(STALE) {
            assert_eq!(self.st, before);
        }
        self.took(&before, false, &out);
    }

    fn adopt(&mut self, late: u8, every_ns: u32, old: &Handover) {
        self.earlier.0 += self.st.edges;
        self.earlier.1 += self.st.accepted;
        let mut at = self.st.since_ns;
        self.st = FilterState { adopting: WAITING, ..FilterState::default() };
        let mut kept = Vec::new();
        for _ in 0..late {
            at = at.saturating_add(u64::from(every_ns));
            kept.push(at);
            let before = self.st;
            let out = filter::edge(&self.cfg, &mut self.st, at);
            assert_eq!(out, Outcome::default());
            assert!(self.st.edges == before.edges + 1);
            self.totals.apply(true, &out);
        }
        let out = takeover::adopt(&mut self.st, old);
        assert!(!out.has(STALE));
        self.totals.apply(false, &out);
        for at in kept {
            let out = takeover::replay(&self.cfg, &mut self.st, at);
            assert!(!out.has(STALE));
            self.totals.apply(false, &out);
        }
        takeover::replay(&self.cfg, &mut self.st, 0);
        assert_eq!(self.st.adopting, 0);
        self.accounted();
    }

    fn took(&mut self, before: &FilterState, edge: bool, out: &Outcome) {
        self.totals.apply(edge, out);
        self.accounted();
        let st = &self.st;
        assert!(st.since_ns >= before.since_ns && st.last_edge_ns >= before.last_edge_ns);
        assert!(st.last_edge_ns <= st.since_ns && st.checked_ns <= st.since_ns);
        assert!(st.level <= 1 && st.contact <= 1);
        if out.has(PULSE) {
            assert!(st.pulse_ns <= st.decided_ns);
        }
    }

    fn accounted(&self) {
        let (st, totals) = (&self.st, &self.totals);
        assert_eq!(
            (totals.edges + totals.recovered).checked_add_signed(self.brought),
            Some(totals.accepted + totals.rejected_total() + u64::from(st.pending))
        );
        assert_eq!(
            (st.edges + self.earlier.0, st.accepted + self.earlier.1),
            (totals.edges, totals.accepted)
        );
    }
}

fuzz_target!(|input: Input| {
    let cfg = if input.usual {
        FilterConfig::default()
    } else {
        FilterConfig {
            min_interval_ns: input.min_interval_ns,
            min_width_ns: input.min_width_ns,
            min_idle_ns: input.min_idle_ns,
            storm_limit: input.storm_limit,
            reserved: 0,
        }
    };
    let (st, totals) = (FilterState::default(), Totals::default());
    let mut line = Line { cfg, st, totals, earlier: (0, 0), brought: 0 };
    for step in input.steps {
        let (now, edges) = (line.st.since_ns, line.st.edges);
        match step {
            Step::EdgeAt(at) => line.edge(at),
            Step::EdgeAfter(ns) => line.edge(now.saturating_add(u64::from(ns))),
            Step::SampleAt(at, level, edges) => line.sample(at, level, edges),
            Step::SampleAfter(ns, level) => line.sample(now.saturating_add(u64::from(ns)), level, edges),
            Step::SampleWhenDue(level) => {
                if let Some(due) = filter::due(&line.cfg, &line.st) {
                    line.sample(due.max(now), level, edges);
                }
            }
            Step::Adopt(late, every_ns) => {
                let old = Handover::of(&line.st);
                line.adopt(late % 8, every_ns, &old);
            }
            Step::AdoptOdd(odd) => {
                // The edges it claims take the place of those that were really pending.
                line.brought += i64::from(odd.pending) - i64::from(line.st.pending);
                let old = Handover {
                    pulse_ns: odd.pulse_ns,
                    pulse_first_ns: odd.pulse_first_ns,
                    last_edge_ns: odd.last_edge_ns,
                    first_ns: odd.first_ns,
                    candidate_ns: odd.candidate_ns,
                    since_ns: odd.since_ns,
                    evidence_ns: odd.evidence_ns,
                    checked_ns: odd.checked_ns,
                    pending: u32::from(odd.pending),
                    level: odd.level,
                    contact: odd.contact,
                    counted: odd.counted,
                    reserved: 0,
                };
                line.adopt(0, 0, &old);
            }
        }
    }
});
