// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long things took, for the closing summary and the bench: a bounded set of samples.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use gasd_abi::records::Event;
use serde::{Deserialize, Serialize};

/// Samples kept; later ones replace the oldest.
const KEPT: usize = 16_384;
/// Pulses under way at once between a player and the engine.
const MARKS: usize = 4096;

/// Quantiles of what was measured, ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Samples.
    pub count: u64,
    /// Median.
    pub p50_ns: u64,
    /// 99 of 100 are no longer.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
}

/// A set of durations.
#[derive(Debug, Default)]
pub struct Latency(Mutex<(u64, Vec<u64>)>);

impl Latency {
    /// Adds one.
    pub fn add(&self, ns: u64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, kept) = &mut *inner;
        if kept.len() < KEPT {
            kept.push(ns);
        } else {
            kept[(*count % KEPT as u64) as usize] = ns;
        }
        *count += 1;
    }

    /// What was measured so far.
    #[must_use]
    pub fn quantiles(&self) -> Quantiles {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted = inner.1.clone();
        sorted.sort_unstable();
        let at = |part: usize| sorted.get((sorted.len() * part / 100).min(sorted.len().saturating_sub(1)));
        Quantiles {
            count: inner.0,
            p50_ns: at(50).copied().unwrap_or(0),
            p99_ns: at(99).copied().unwrap_or(0),
            max_ns: sorted.last().copied().unwrap_or(0),
        }
    }
}

/// From the step that decided a pulse to the engine having it, and from a verdict to the valve.
#[derive(Debug)]
pub struct Latencies {
    marks: Vec<AtomicU64>,
    /// Step in the filter → engine.
    pub pulse: Latency,
    /// Verdict → valve driven.
    pub valve: Latency,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            marks: (0..MARKS).map(|_| AtomicU64::new(0)).collect(),
            pulse: Latency::default(),
            valve: Latency::default(),
        }
    }
}

impl Latencies {
    /// A player takes the step that decides pulse `seq` of `line` now. Its own times are not the
    /// clock's, so the moment has to be told.
    pub fn mark(&self, line: u32, seq: u64, now_ns: u64) {
        self.marks[slot(line, seq)].store(now_ns, Ordering::Relaxed);
    }

    /// The engine has a pulse now.
    pub fn arrived(&self, event: &Event, simulated: bool, now_ns: u64) {
        let from = if simulated {
            self.marks[slot(event.line, event.seq)].swap(0, Ordering::Relaxed)
        } else {
            event.decided_ns
        };
        if from != 0 {
            self.pulse.add(now_ns.saturating_sub(from));
        }
    }
}

fn slot(line: u32, seq: u64) -> usize {
    (u64::from(line).wrapping_mul(977).wrapping_add(seq) % MARKS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_samples() {
        let latency = Latency::default();
        assert_eq!(latency.quantiles(), Quantiles::default());
        for ns in 1..=1000 {
            latency.add(ns);
        }
        let q = latency.quantiles();
        assert_eq!((q.count, q.p50_ns, q.p99_ns, q.max_ns), (1000, 501, 991, 1000));
    }
}
