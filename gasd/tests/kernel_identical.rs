// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filter in the kernel and the same filter in this process come to the same verdict, step by
//! step: outcome, state, counters, events and time buckets.
#![allow(clippy::unwrap_used, reason = "test code")]

mod kernel_house;

use std::collections::BTreeMap;

use gasd::kernel::{Events, Kernel};
use gasd_abi::{
    FilterConfig, FilterState, Outcome, Totals, filter,
    outcome::{PULSE, RECOVERED, RESYNC, STALE, STORM, WAKE},
    records::{
        BUCKET_NS, Bucket, EVENT_PULSE, EVENT_RESYNC, EVENT_STORM, EVENT_WAKE, Event, LINE_SIMULATED,
    },
};
use kernel_house::{House, random::Random};

const EDGES: u64 = 1_000_000;
const SEED: u64 = 0x6761_7364;

/// A line twice: its number in the kernel, and the filter here.
struct Line {
    number: u32,
    simulated: bool,
    config: FilterConfig,
    state: FilterState,
    totals: Totals,
    buckets: BTreeMap<u32, Bucket>,
    now: u64,
}

impl Line {
    fn bucket(&mut self) {
        let interval = self.state.interval_ns;
        if interval == 0 {
            return;
        }
        let bucket = self.buckets.entry((self.state.pulse_ns / BUCKET_NS) as u32).or_default();
        let first = bucket.count == 0;
        bucket.count += 1;
        bucket.sum_ns += interval;
        bucket.min_ns = if first { interval } else { bucket.min_ns.min(interval) };
        bucket.max_ns = bucket.max_ns.max(interval);
    }

    /// The events that this outcome makes, in their order.
    fn events(&self, t: u64, out: &Outcome) -> Vec<Event> {
        let st = &self.state;
        let event = |kind, t_ns| Event {
            kind,
            line: self.number,
            seq: st.accepted,
            t_ns,
            decided_ns: st.decided_ns,
            interval_ns: st.interval_ns,
            edges: st.edges,
        };
        let mut made = Vec::new();
        for (flag, kind) in [(PULSE, EVENT_PULSE), (STORM, EVENT_STORM), (RESYNC, EVENT_RESYNC)] {
            if out.has(flag) {
                made.push(event(kind, if flag == PULSE { st.pulse_ns } else { t }));
            }
        }
        if out.has(WAKE) && !self.simulated {
            made.push(event(EVENT_WAKE, t));
        }
        made
    }
}

fn configs() -> Vec<FilterConfig> {
    const MS: u64 = 1_000_000;
    let config = |min_interval_ns, min_width_ns, min_idle_ns, storm_limit| FilterConfig {
        min_interval_ns,
        min_width_ns,
        min_idle_ns,
        storm_limit,
        reserved: 0,
    };
    vec![
        FilterConfig::default(),
        config(150_000, 75_000, 75_000, 13_336),
        config(0, 0, 0, 0),
        config(200 * MS, 40 * MS, 5 * MS, 20),
        config(5 * MS, MS, 30 * MS, 100),
        config(3_600_000 * MS, 20 * MS, 20 * MS, 1),
    ]
}

#[test]
fn kernel_and_user_space_come_to_the_same_verdict() {
    let Some(house) = House::new("kernel_identical") else { return };
    println!("seed {SEED:#x}, {EDGES} edges");
    house.must_load(&[]);
    let kernel = Kernel::open(&house.pins).unwrap();
    let mut ring = Events::open(kernel.pins()).unwrap();
    let mut lines: Vec<Line> = Vec::new();
    for (at, config) in configs().into_iter().enumerate() {
        let simulated = at % 2 == 0;
        let flags = if simulated { LINE_SIMULATED } else { 0 };
        let number = kernel.assign(at as u64 + 1, config, flags).unwrap();
        let (state, totals, buckets) = Default::default();
        lines.push(Line { number, simulated, config, state, totals, buckets, now: 1_000_000_000 });
    }
    let mut random = Random(SEED);
    let mut expected: Vec<Event> = Vec::new();
    let (mut edges, mut steps, mut pulses, mut compared) = (0u64, 0u64, 0u64, 0u64);
    let mut seen = 0;
    while edges < EDGES {
        let at = random.below(lines.len() as u64) as usize;
        let line = &mut lines[at];
        // From bounce to idle; the clocks of two CPUs may disagree by nanoseconds.
        line.now += random.scaled(1_000, 60_000_000);
        let t = if random.once_in(50) { line.now - random.below(2_000) } else { line.now };
        let sampled = random.once_in(4);
        let (mine, theirs) = if sampled {
            let behind = u64::from(random.once_in(10));
            let level = if random.once_in(8) { line.state.level ^ 1 } else { line.state.level };
            let known = line.state.edges.wrapping_sub(behind);
            let mine = filter::sample(&line.config, &mut line.state, t, level, known);
            (mine, kernel.sample(line.number, t, level != 0, known).unwrap())
        } else {
            edges += 1;
            (filter::edge(&line.config, &mut line.state, t), kernel.edge(line.number, t).unwrap())
        };
        assert_eq!(mine.flags, theirs, "step {steps} on line {at} at {t}, sampled {sampled}: {:?}", line.state);
        line.totals.apply(!sampled, &mine);
        seen |= mine.flags;
        if mine.has(PULSE) {
            line.bucket();
            pulses += 1;
        }
        expected.extend(line.events(t, &mine));
        steps += 1;
        if steps.is_multiple_of(997) {
            assert_eq!(kernel.state(line.number), line.state, "state after step {steps} on line {at}");
            compared += 1;
        }
        if expected.len() > 500 {
            check_ring(&mut ring, &mut expected);
        }
    }
    check_ring(&mut ring, &mut expected);
    let mut in_kernel: BTreeMap<(u32, u32), Bucket> = BTreeMap::new();
    for (key, bucket) in kernel.buckets().unwrap() {
        in_kernel.insert((key.line, key.bucket), bucket);
    }
    for (at, line) in lines.iter().enumerate() {
        assert_eq!(kernel.state(line.number), line.state, "line {at}");
        assert_eq!(kernel.totals(line.number).unwrap(), line.totals, "line {at}");
        for (bucket, here) in &line.buckets {
            assert_eq!(in_kernel.remove(&(line.number, *bucket)), Some(*here), "line {at} minute {bucket}");
        }
        let t = &line.totals;
        let pending = u64::from(line.state.pending);
        assert_eq!(t.edges + t.recovered, t.accepted + t.rejected_total() + pending, "line {at}");
        assert_eq!(t.overrun, 0);
    }
    assert!(in_kernel.is_empty(), "buckets that nobody made: {in_kernel:?}");
    assert_eq!(kernel.fall_through().unwrap(), 0);
    // The walk went everywhere.
    assert_eq!(seen, PULSE | WAKE | STORM | RESYNC | RECOVERED | STALE);
    assert!(pulses > 50_000 && compared > 1_000, "{pulses} pulses, {compared} states compared");
    println!("{steps} steps, {pulses} pulses, {compared} states compared");
}

fn check_ring(ring: &mut Events, expected: &mut Vec<Event>) {
    for event in expected.drain(..) {
        assert_eq!(ring.next(), Some(event));
    }
    assert_eq!(ring.next(), None);
}
