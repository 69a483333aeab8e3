// SPDX-License-Identifier: MIT OR Apache-2.0
//! Burners that stay on after one of their uses, and whether a rule tells them in time.

use super::timing::{GOAL, Known, Policy, times};
use crate::household::segment::Segment;
use crate::random::splitmix::Rng;

/// A burner that was used less often than this while it was learned is not asked about, as in whole homes.
const LEAST_USES: usize = 5;

/// One burner that stays on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forgotten {
    /// Within the month after learning, when whole homes are tried; else at any time.
    pub early: bool,
    /// What the watcher knows of its kind.
    pub known: Known,
    /// Since when the watcher times it, ns.
    pub since_ns: u64,
    /// When it should have been turned off, ns.
    pub ends_ns: u64,
    /// By when it must be told, ns.
    pub deadline_ns: u64,
}

impl Forgotten {
    /// Told in time, and not by what the sound home is told too.
    #[must_use]
    pub fn told(&self, policy: &Policy) -> bool {
        let at = policy.limit_ns(self.known).map(|limit| self.since_ns + limit);
        at.is_some_and(|at| at > self.ends_ns && at <= self.deadline_ns)
    }

    /// By when a use must be told of a burner that is known like this, ns.
    #[must_use]
    pub fn deadline_ns(used: &Segment, known: Known) -> u64 {
        used.start_ns + times(GOAL, known.longest_ns)
    }
}

/// The place of one of a burner's uses in `[from, to)` ns, any as likely as any other; `None` if there is none, or if
/// it was hardly used before `learned_ns`.
#[must_use]
pub fn draw(uses: &[Segment], rng: &mut Rng, learned_ns: u64, from_ns: u64, to_ns: u64) -> Option<usize> {
    let before = |ns: u64| uses.partition_point(|u| u.start_ns < ns);
    let (first, last) = (before(from_ns), before(to_ns));
    (before(learned_ns) >= LEAST_USES && first < last).then(|| first + rng.below(last - first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_is_after_the_sound_end_and_by_the_deadline() {
        let known = Known { seen: 9, longest_ns: 100, risk: 0.0 };
        let used = Segment { start_ns: 1000, end_ns: 1060, ul_per_h: 1, appliance: 0 };
        let deadline_ns = Forgotten::deadline_ns(&used, known);
        assert_eq!(deadline_ns, 1150);
        let one = Forgotten { early: false, known, since_ns: 1000, ends_ns: 1060, deadline_ns };
        assert!(one.told(&Policy::plain(1.5)), "at the deadline");
        assert!(!one.told(&Policy::plain(1.6)), "later");
        assert!(!one.told(&Policy::plain(0.6)), "the sound home is told too");
        assert!(!one.told(&Policy { seen: 10, ..Policy::plain(1.5) }));
    }

    #[test]
    fn only_burners_that_are_used_are_forgotten() {
        let used = |i: u64| Segment { start_ns: i * 10, end_ns: i * 10 + 1, ul_per_h: 1, appliance: 0 };
        let uses: Vec<_> = (0..8).map(used).collect();
        let mut rng = Rng::new(1, 2, 3);
        assert_eq!(draw(&uses, &mut rng, 40, 50, 80), None, "four uses were learned");
        assert_eq!(draw(&uses, &mut rng, 50, 90, 99), None, "none to stay on after");
        let place = draw(&uses, &mut rng, 50, 60, 80).unwrap();
        assert!((6..8).contains(&place));
    }
}
