// SPDX-License-Identifier: MIT OR Apache-2.0
//! One who sees every flow for itself, with its rate and its time, but not whose it is: the most that a meter could
//! ever show.

use super::timing::Known;
use crate::household::segment::Segment;
use crate::household::truth::SAME_USE_NS;

/// Rates this close are the same, as a share.
pub const SAME_RATE: f64 = 0.05;
/// Classes of rates are so far apart: [`SAME_RATE`] to each side are five of them.
const CLASS: f64 = 0.01;
const EACH_SIDE: usize = 5;
/// From 1 L/h to 20 m³/h, and the sides.
const CLASSES: usize = 1002 + 2 * EACH_SIDE;

/// One appliance's runs at one rate: a run ends when the flow leaves the rate that it began with.
pub fn runs(stretches: impl Iterator<Item = Segment>) -> Vec<Segment> {
    let mut runs: Vec<Segment> = Vec::new();
    for s in stretches {
        let same = |run: &Segment| {
            let off = (s.ul_per_h as f64 / run.ul_per_h as f64 - 1.0).abs();
            s.start_ns <= run.end_ns + SAME_USE_NS && off <= SAME_RATE
        };
        match runs.last_mut() {
            Some(run) if same(run) => run.end_ns = s.end_ns,
            _ => runs.push(s),
        }
    }
    runs
}

/// The longest run of every rate.
struct Longest([Known; CLASSES]);

impl Longest {
    fn class(ul_per_h: i64) -> usize {
        let class = ((ul_per_h as f64 * 1e-6).max(1.0).ln() / CLASS) as usize;
        EACH_SIDE + class.min(CLASSES - 2 * EACH_SIDE - 1)
    }

    fn near(&self, ul_per_h: i64) -> Known {
        let at = Self::class(ul_per_h);
        let mut near = Known::default();
        for known in &self.0[at - EACH_SIDE..=at + EACH_SIDE] {
            near.seen += known.seen;
            near.longest_ns = near.longest_ns.max(known.longest_ns);
        }
        near
    }
}

/// What is known of each run's rate when it ends, from all that ended before, whoever burnt them. Sorts the runs
/// by that.
#[must_use]
pub fn known(runs: &mut [Segment]) -> Vec<Known> {
    runs.sort_by_key(|r| (r.end_ns, r.start_ns, r.appliance));
    let mut longest = Longest([Known::default(); CLASSES]);
    let mut all = Vec::with_capacity(runs.len());
    for run in runs {
        all.push(longest.near(run.ul_per_h));
        longest.0[Longest::class(run.ul_per_h)].learn(run.end_ns - run.start_ns);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: u64 = 60_000_000_000;

    const fn s(start_min: u64, end_min: u64, l_per_h: i64, appliance: u8) -> Segment {
        Segment { start_ns: start_min * M, end_ns: end_min * M, ul_per_h: l_per_h * 1_000_000, appliance }
    }

    #[test]
    fn a_run_ends_where_the_flame_is_turned_down() {
        let stretches = [s(0, 5, 200, 0), s(5, 9, 204, 0), s(9, 30, 100, 0), s(40, 41, 100, 0)];
        let runs = runs(stretches.into_iter());
        assert_eq!(runs, [s(0, 9, 200, 0), s(9, 30, 100, 0), s(40, 41, 100, 0)]);
    }

    #[test]
    fn whoever_burns_at_a_rate_makes_it_known() {
        let mut runs = [s(0, 60, 100, 1), s(70, 80, 104, 0), s(90, 95, 120, 0), s(100, 110, 100, 2)];
        let known = known(&mut runs);
        let seen: Vec<_> = known.iter().map(|k| (k.seen, k.longest_ns / M)).collect();
        assert_eq!(seen, [(0, 0), (1, 60), (0, 0), (2, 60)]);
    }
}
