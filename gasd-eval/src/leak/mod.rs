// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes wrong in a home from a moment on.
//!
//! A [`Leak`] adds to the flow, and the meter counts it; a [`fault::Fault`] changes the pulses, whatever
//! flows. [`recordings`] are homes that were measured.

pub mod fault;
pub mod recordings;

use crate::household::calendar::HOUR_NS;
use crate::household::flow::Step;

/// How a leak's flow goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// The same for ever.
    Constant,
    /// Grows by this share a day, in steps of an hour.
    Growing {
        /// 0.01 is 1 % a day.
        per_day: f64,
    },
}

/// Flow that is added from a moment on.
#[derive(Clone, Debug)]
pub struct Leak {
    start_ns: u64,
    m3_per_h: f64,
    shape: Shape,
    hours: u64,
}

impl Leak {
    /// From `start_ns` on, `m3_per_h` at first.
    #[must_use]
    pub const fn new(start_ns: u64, m3_per_h: f64, shape: Shape) -> Self {
        Self { start_ns, m3_per_h, shape, hours: 0 }
    }

    /// When it begins, ns.
    #[must_use]
    pub const fn start_ns(&self) -> u64 {
        self.start_ns
    }

    /// Its flow in an hour since it began, µL/h.
    fn in_hour(&self, hour: u64) -> i64 {
        let factor = match self.shape {
            Shape::Constant => 1.0,
            Shape::Growing { per_day } => (1.0 + per_day).powf(hour as f64 / 24.0),
        };
        (self.m3_per_h * factor * 1e9) as i64
    }

    /// The next change of its flow.
    #[must_use]
    pub fn peek(&self) -> Step {
        if self.shape == Shape::Constant && self.hours > 0 {
            return Step::NEVER;
        }
        Step { t_ns: self.start_ns + self.hours * HOUR_NS, ul_per_h: self.in_hour(self.hours) }
    }

    /// Goes past it.
    pub fn advance(&mut self) {
        self.hours += 1;
    }

    /// What it has released by `t_ns`, L.
    #[must_use]
    pub fn released_l(&self, t_ns: u64) -> f64 {
        let litres = |ul_per_h: i64, ns: u64| ul_per_h as f64 * 1e-6 * ns as f64 / HOUR_NS as f64;
        let since = t_ns.saturating_sub(self.start_ns);
        match self.shape {
            Shape::Constant => litres(self.in_hour(0), since),
            Shape::Growing { .. } => {
                let whole: f64 = (0..since / HOUR_NS).map(|h| litres(self.in_hour(h), HOUR_NS)).sum();
                whole + litres(self.in_hour(since / HOUR_NS), since % HOUR_NS)
            }
        }
    }
}
