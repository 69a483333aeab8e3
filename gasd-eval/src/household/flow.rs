// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flow as steps in time: what a home takes, from one moment to the next.

use std::sync::Arc;

use super::segment::Segment;
use super::{Household, pilots_ul_per_h};

/// From `t_ns` on the flow is `ul_per_h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From when, ns of the stream.
    pub t_ns: u64,
    /// The flow, µL/h.
    pub ul_per_h: i64,
}

impl Step {
    /// No step comes any more.
    pub const NEVER: Self = Self { t_ns: u64::MAX, ul_per_h: 0 };
}

/// A flow that changes in steps, in order of time. A copy goes on from where it was taken.
pub trait Flow: Clone + Send {
    /// The next step, [`Step::NEVER`] after the last.
    fn peek(&self) -> Step;

    /// Goes past it.
    fn advance(&mut self);

    /// From `from_ns` on nobody lights `appliance` any more: it burns already, as a leak. `from_ns` is
    /// not before the step that was gone past last. A flow that knows of no appliances does nothing.
    fn mute(&mut self, _appliance: u8, _from_ns: u64) {}
}

/// A home's flow.
#[derive(Clone, Debug)]
pub struct HomeFlow {
    home: Arc<Household>,
    pilots: i64,
    day: u32,
    steps: Vec<Step>,
    at: usize,
    muted: Option<(u8, u64)>,
}

impl HomeFlow {
    /// From day 0.
    #[must_use]
    pub fn new(home: Arc<Household>) -> Self {
        let pilots = pilots_ul_per_h(&home.appliances);
        let mut flow = Self { home, pilots, day: 0, steps: Vec::new(), at: 0, muted: None };
        flow.load();
        flow
    }

    fn next_day(&mut self) {
        self.day += 1;
        self.load();
        self.at = 0;
    }

    /// Makes the day's steps. The day begins with a step of its own, so that there is always one.
    fn load(&mut self) {
        let calendar = self.home.calendar;
        let mut segments = self.home.day(self.day);
        if let Some((appliance, from_ns)) = self.muted {
            segments.retain(|s| s.appliance != appliance || s.start_ns < from_ns);
        }
        let day_ns = calendar.start_ns(self.day);
        let mut pilots = vec![(day_ns, self.pilots)];
        if self.day == self.home.exchange_day {
            let (off, on) = self.home.exchange_ns();
            pilots.extend([(off, -self.pilots), (on, self.pilots)]);
        }
        sum(&segments, &pilots, &mut self.steps);
    }
}

/// The steps of stretches that lie over each other.
pub(crate) fn sum(segments: &[Segment], more: &[(u64, i64)], steps: &mut Vec<Step>) {
    let ends = segments.iter().flat_map(|s| [(s.start_ns, s.ul_per_h), (s.end_ns, -s.ul_per_h)]);
    let mut changes: Vec<(u64, i64)> = ends.chain(more.iter().copied()).collect();
    changes.sort_unstable_by_key(|c| c.0);
    steps.clear();
    let mut flow = 0;
    for (t_ns, change) in changes {
        flow += change;
        match steps.last_mut() {
            Some(last) if last.t_ns == t_ns => last.ul_per_h = flow,
            _ => steps.push(Step { t_ns, ul_per_h: flow }),
        }
    }
}

impl Flow for HomeFlow {
    fn peek(&self) -> Step {
        self.steps[self.at]
    }

    fn advance(&mut self) {
        self.at += 1;
        if self.at >= self.steps.len() {
            self.next_day();
        }
    }

    fn mute(&mut self, appliance: u8, from_ns: u64) {
        let passed = self.at;
        self.muted = Some((appliance, from_ns));
        self.load();
        self.at = passed;
        if self.at >= self.steps.len() {
            self.next_day();
        }
    }
}

/// Steps that were recorded or written down.
#[derive(Clone, Debug)]
pub struct Recorded {
    steps: Arc<[Step]>,
    at: usize,
}

impl Recorded {
    /// Steps in order of time.
    #[must_use]
    pub fn new(steps: impl Into<Arc<[Step]>>) -> Self {
        Self { steps: steps.into(), at: 0 }
    }
}

impl Flow for Recorded {
    fn peek(&self) -> Step {
        self.steps.get(self.at).copied().unwrap_or(Step::NEVER)
    }

    fn advance(&mut self) {
        self.at += 1;
    }
}
