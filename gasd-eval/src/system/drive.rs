// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plays pulses to detectors, and time where they ask for it.

use super::judge::{ALL, Judge, Spec};
use crate::detector::Alarm;
use crate::household::flow::Flow;
use crate::household::meter::Pulses;
use crate::leak::fault::Faulty;

/// Where pulses come from.
pub trait Source {
    /// The next pulse if it comes before `limit_ns`.
    fn next_before(&mut self, limit_ns: u64) -> Option<u64>;
}

impl<F: Flow> Source for Pulses<F> {
    fn next_before(&mut self, limit_ns: u64) -> Option<u64> {
        Self::next_before(self, limit_ns)
    }
}

impl<F: Flow> Source for Faulty<F> {
    fn next_before(&mut self, limit_ns: u64) -> Option<u64> {
        Self::next_before(self, limit_ns)
    }
}

/// A detector at work, and what it said.
pub struct Seat {
    judge: Box<dyn Judge>,
    /// Its alarms in order of time.
    pub alarms: Vec<Alarm>,
}

impl Seat {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(judge: Box<dyn Judge>) -> Self {
        Self { judge, alarms: Vec::new() }
    }

    /// It has learned what this one has, and said nothing yet.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { judge: self.judge.copy(), alarms: Vec::new() }
    }

    fn pulse(&mut self, t_ns: u64) {
        self.time(t_ns);
        self.judge.pulse(t_ns, &mut self.alarms);
    }

    /// Every moment before `t_ns` at which it wants to be woken.
    fn time(&mut self, t_ns: u64) {
        let mut last = None;
        loop {
            let due = self.judge.due_ns();
            // One that asks for the same moment twice would hang the run.
            if due >= t_ns || last.is_some_and(|l| due <= l) {
                return;
            }
            self.judge.tick(due, &mut self.alarms);
            last = Some(due);
        }
    }
}

/// Every detector, installed at a meter.
#[must_use]
pub fn install(spec: &Spec) -> Vec<Seat> {
    ALL.iter().map(|(_, install)| Seat::new(install(spec))).collect()
}

/// Plays everything before `until_ns`. Returns how many pulses there were.
pub fn drive(source: &mut impl Source, seats: &mut [Seat], until_ns: u64) -> u64 {
    let mut n = 0;
    while let Some(t_ns) = source.next_before(until_ns) {
        n += 1;
        for seat in seats.iter_mut() {
            seat.pulse(t_ns);
        }
    }
    for seat in seats {
        seat.time(until_ns);
    }
    n
}
