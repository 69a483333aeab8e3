// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that a home burns in a span of days, made once.

use crate::household::Household;
use crate::household::flow::{Step, sum};
use crate::household::segment::Segment;
use crate::household::truth::joined;

/// A home's days.
#[derive(Clone, Debug)]
pub struct Life {
    /// Every stretch of every appliance but the pilots, day by day.
    pub segments: Vec<Segment>,
}

impl Life {
    /// Days `[from, to)`.
    #[must_use]
    pub fn of(home: &Household, from_day: u32, to_day: u32) -> Self {
        Self { segments: (from_day..to_day).flat_map(|day| home.day(day)).collect() }
    }

    /// One appliance's stretches, in order of time.
    pub fn of_appliance(&self, appliance: u8) -> impl Iterator<Item = Segment> + '_ {
        self.segments.iter().copied().filter(move |s| s.appliance == appliance)
    }

    /// One appliance's uses, in order of time.
    #[must_use]
    pub fn uses(&self, appliance: u8) -> Vec<Segment> {
        joined(self.of_appliance(appliance))
    }

    /// What flows in all, without the pilots.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        sum(&self.segments, &[], &mut steps);
        steps
    }
}
