// SPDX-License-Identifier: MIT OR Apache-2.0
//! One who sees every tap of the cooker: which burner is on, and since when.

use super::timing::{GOAL, Known, times};
use crate::household::segment::Segment;

/// A burner's habits, from years that are not watched.
#[derive(Clone, Debug)]
pub struct Habit {
    sorted_ns: Vec<u64>,
    years: f64,
}

impl Habit {
    /// From the uses of so many years.
    #[must_use]
    pub fn of(uses: &[Segment], years: f64) -> Self {
        let mut sorted_ns: Vec<u64> = uses.iter().map(|u| u.end_ns - u.start_ns).collect();
        sorted_ns.sort_unstable();
        Self { sorted_ns, years }
    }

    /// How often a year a use is longer than [`GOAL`] times `longest_ns`.
    #[must_use]
    pub fn risk(&self, longest_ns: u64) -> f64 {
        let limit = times(GOAL, longest_ns);
        let longer = self.sorted_ns.len() - self.sorted_ns.partition_point(|ns| *ns <= limit);
        longer as f64 / self.years
    }
}

/// What is known of a burner when each of its uses begins.
#[must_use]
pub fn known(uses: &[Segment], habit: &Habit) -> Vec<Known> {
    let mut so_far = Known { risk: habit.risk(0), ..Known::default() };
    let mut all = Vec::with_capacity(uses.len());
    for u in uses {
        all.push(so_far);
        let longest_ns = so_far.longest_ns;
        so_far.learn(u.end_ns - u.start_ns);
        if so_far.longest_ns > longest_ns {
            so_far.risk = habit.risk(so_far.longest_ns);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn u(start_ns: u64, end_ns: u64) -> Segment {
        Segment { start_ns, end_ns, ul_per_h: 1, appliance: 0 }
    }

    #[test]
    fn the_longest_grows_and_the_risk_falls() {
        let habit = Habit::of(&[u(0, 10), u(20, 40), u(50, 90), u(100, 101)], 2.0);
        let known = known(&[u(0, 6), u(10, 20), u(30, 35), u(40, 70)], &habit);
        let seen: Vec<_> = known.iter().map(|k| (k.seen, k.longest_ns, k.risk)).collect();
        // Of 10, 20, 40 and 1 in two years: all are longer than 0, three than 9, two than 15.
        assert_eq!(seen, [(0, 0, 2.0), (1, 6, 1.5), (2, 10, 1.0), (3, 10, 1.0)]);
    }
}
