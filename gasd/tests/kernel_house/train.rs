// SPDX-License-Identifier: MIT OR Apache-2.0
//! Edges for lines without a chip, through the pinned twin.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use gasd::kernel::{Kernel, sys::boottime_ns};

use super::random::Random;

/// `n` clean pulses of 50 ms each way, beginning after `t`. Returns the time of the last edge. Each
/// pulse is decided at its opening edge.
pub fn pulses(kernel: &Kernel, line: u32, n: u64, mut t: u64) -> u64 {
    for _ in 0..2 * n {
        t += 50_000_000;
        kernel.edge(line, t).unwrap();
    }
    t
}

/// Plays an edge a millisecond on each line, in real time, until told to stop; now and then two or
/// four more within microseconds, a glitch. Returns the times played, by line.
pub fn real_time(kernel: &Kernel, lines: &[u32], stop: &AtomicBool, seed: u64) -> Vec<Vec<u64>> {
    const PERIOD_NS: u64 = 1_000_000;
    let mut random = Random(seed);
    let mut played = vec![Vec::new(); lines.len()];
    let mut due = boottime_ns();
    // An even number of edges leaves every contact open.
    while !stop.load(Ordering::Relaxed) || played[0].len() % 2 != 0 {
        let now = boottime_ns();
        if now < due {
            std::thread::sleep(Duration::from_nanos(due - now));
        }
        // A generator that was kept waiting goes on from here rather than in a burst.
        due = due.max(now.saturating_sub(5 * PERIOD_NS)) + PERIOD_NS;
        let stopping = stop.load(Ordering::Relaxed);
        let extra = if random.once_in(20) && !stopping { 2 + 2 * random.below(2) } else { 0 };
        for (line, played) in lines.iter().zip(&mut played) {
            for _ in 0..=extra {
                let t = boottime_ns();
                kernel.edge(*line, t).unwrap();
                played.push(t);
            }
        }
    }
    played
}
