// SPDX-License-Identifier: MIT OR Apache-2.0
//! The best rule against forgotten burners for so many false warnings.

use super::forgotten::Forgotten;
use super::timing::{Below, GOAL, LONG_NS, Policy, Record};
use crate::household::calendar::HOUR_NS;

/// What a watcher saw in many homes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watched {
    /// Flames of sound homes that outlasted their kind.
    pub records: Vec<Record>,
    /// Burners that stay on.
    pub forgotten: Vec<Forgotten>,
}

/// What a rule came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Came {
    /// The rule.
    pub policy: Policy,
    /// False warnings.
    pub warnings: u64,
    /// Forgotten burners told in time, of those at any time.
    pub told: usize,
    /// And of those in the month after learning.
    pub told_early: usize,
}

impl Watched {
    /// False warnings at flames that were lit in `[from, to)` ns.
    #[must_use]
    pub fn warnings(&self, policy: &Policy, from_ns: u64, to_ns: u64) -> u64 {
        let within = |r: &&Record| (from_ns..to_ns).contains(&r.t_ns) && r.cried(policy);
        self.records.iter().filter(within).count() as u64
    }

    /// Forgotten burners told in time, and how many there were: of the early ones, or of those at any time.
    #[must_use]
    pub fn told(&self, policy: &Policy, early: bool) -> (usize, usize) {
        let mine = self.forgotten.iter().filter(|f| f.early == early);
        mine.fold((0, 0), |(told, n), f| (told + usize::from(f.told(policy)), n + 1))
    }

    /// What each rule comes to with the false warnings of `[from, to)` ns.
    #[must_use]
    pub fn tried(&self, policies: &[Policy], from_ns: u64, to_ns: u64) -> Vec<Came> {
        let within = |r: &&Record| (from_ns..to_ns).contains(&r.t_ns);
        let records: Vec<Record> = self.records.iter().filter(within).copied().collect();
        let came = |policy: &Policy| Came {
            policy: *policy,
            warnings: records.iter().filter(|r| r.cried(policy)).count() as u64,
            told: self.told(policy, false).0,
            told_early: self.told(policy, true).0,
        };
        policies.iter().map(came).collect()
    }
}

/// The rule that tells most (by `told`) with no more than `most` false warnings; of equals the one that warns least.
/// `None` if all of them warn more.
#[must_use]
pub fn best(tried: &[Came], most: f64, told: impl Fn(&Came) -> usize) -> Option<Came> {
    let within = tried.iter().filter(|came| came.warnings as f64 <= most);
    within.copied().min_by_key(|came| (std::cmp::Reverse(told(came)), came.warnings))
}

/// The rule with the fewest false warnings that tells at least so many. `None` if none does.
#[must_use]
pub fn cheapest(tried: &[Came], told: f64) -> Option<Came> {
    let enough = tried.iter().filter(|came| came.told as f64 >= told);
    enough.copied().min_by_key(|came| (came.warnings, std::cmp::Reverse(came.told)))
}

/// Least times that are tried, hours: every quarter up to four, and some beyond.
const LEAST_H: [f64; 20] = [
    0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.25, 3.5, 3.75, 4.0, 4.5, 5.0,
    6.0,
];
/// How many must have been seen.
const SEEN: [u32; 11] = [1, 2, 5, 10, 20, 50, 100, 150, 200, 400, 800];

/// Rules of [`GOAL`] times the longest so far that keep silent of flames whose limit would be short or that were seen
/// too seldom: for one who sees taps no later limit is in time, and no earlier one is asked for.
#[must_use]
pub fn choosing() -> Vec<Policy> {
    grid(&[GOAL], &[Below::Silent])
}

/// Rules of any factor, that keep silent or wait: a rate's longest run is not the burner's longest use.
#[must_use]
pub fn any() -> Vec<Policy> {
    let mut all = grid(&[0.5, 0.75, 1.0, 1.25, GOAL, 2.0, 3.0, 4.0, 6.0], &[Below::Silent, Below::Waits]);
    // Flames that did not outlast their kind were kept only if they were long.
    all.retain(|policy| policy.factor >= 1.0 || policy.least_ns >= LONG_NS);
    all
}

fn grid(factors: &[f64], below: &[Below]) -> Vec<Policy> {
    let mut all = Vec::new();
    for factor in factors {
        for below in below {
            for least_h in LEAST_H {
                for seen in SEEN {
                    let least_ns = (least_h * HOUR_NS as f64) as u64;
                    let plain = Policy::plain(*factor);
                    all.push(Policy { least_ns, below: *below, seen, ..plain });
                }
            }
        }
    }
    all
}

/// Rules that speak only of burners whose habits make a false warning rare.
#[must_use]
pub fn knowing() -> Vec<Policy> {
    let risks = (0..=60).map(|i| f64::from(i) / 12.0);
    risks.map(|most_risk| Policy { most_risk, ..Policy::plain(GOAL) }).collect()
}

/// The factor alone, raised step by step. What it tells only falls with it.
#[must_use]
pub fn raised() -> Vec<Policy> {
    (15..=400).map(|i| Policy::plain(f64::from(i) / 10.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::timing::Known;
    use super::*;

    fn watched() -> Watched {
        let known = |longest_ns| Known { seen: 10, longest_ns, risk: 0.0 };
        let record = |t_ns, longest_ns, lasted_ns| Record { t_ns, known: known(longest_ns), lasted_ns };
        let forgotten = |longest_ns: u64| Forgotten {
            early: false,
            known: known(longest_ns),
            since_ns: 0,
            ends_ns: 1,
            deadline_ns: longest_ns / 2 * 3,
        };
        let h = HOUR_NS;
        Watched {
            // Twice a short flame lasted three times as long; once a long one twice as long.
            records: vec![record(1, h / 5, h * 3 / 5), record(2, h / 5, h * 3 / 5), record(3, 2 * h, 4 * h)],
            forgotten: vec![forgotten(h / 5), forgotten(2 * h), forgotten(2 * h), forgotten(4 * h)],
        }
    }

    #[test]
    fn a_budget_leaves_out_what_is_short() {
        let watched = watched();
        let plain = Policy::plain(GOAL);
        assert_eq!((watched.warnings(&plain, 0, 9), watched.told(&plain, false)), (3, (4, 4)));
        assert_eq!(watched.warnings(&plain, 2, 3), 1);
        let tried = watched.tried(&choosing(), 0, 9);
        let one = best(&tried, 1.0, |c| c.told).unwrap();
        assert_eq!((one.warnings, one.told), (1, 3), "short flames are not spoken of");
        assert_eq!(best(&tried, 0.0, |c| c.told).unwrap().told, 1);
        assert_eq!(best(&watched.tried(&[plain], 0, 9), 0.0, |c| c.told), None);
        assert_eq!(cheapest(&tried, 2.0), Some(one));
        assert_eq!(cheapest(&tried, 4.0).unwrap().warnings, 3);
        assert_eq!(cheapest(&tried, 5.0), None);
    }

    #[test]
    fn a_raised_factor_is_late() {
        let came = best(&watched().tried(&raised(), 0, 9), 0.0, |c| c.told).unwrap();
        assert!((came.policy.factor - 3.0).abs() < 1e-9, "{came:?}");
        assert_eq!(came.told, 0);
    }
}
