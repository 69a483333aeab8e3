// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rule against forgotten flames: warn when one lasts longer than so many times the longest of its kind so far.

use crate::household::calendar::HOUR_NS;

/// What is known of a kind of flame (an appliance's, or a rate's) when one of it burns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// How many were seen.
    pub seen: u32,
    /// The longest of them, ns.
    pub longest_ns: u64,
    /// How often a year this home really burns one that is longer than [`GOAL`] times that: what only one who
    /// knew the home's habits could know. 0 where it was not asked.
    pub risk: f64,
}

/// A forgotten burner must be told by so many times its longest use.
pub const GOAL: f64 = 1.5;

/// So many times a span of time.
#[must_use]
pub fn times(factor: f64, ns: u64) -> u64 {
    (factor * ns as f64) as u64
}

impl Known {
    /// One more was seen.
    pub fn learn(&mut self, lasted_ns: u64) {
        self.seen += 1;
        self.longest_ns = self.longest_ns.max(lasted_ns);
    }
}

/// What a rule does where its limit comes out shorter than its least time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// It says nothing of that kind of flame.
    Silent,
    /// It waits for the least time.
    Waits,
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The limit is so many times the longest so far.
    pub factor: f64,
    /// The least time, ns.
    pub least_ns: u64,
    /// Where the limit is shorter than that.
    pub below: Below,
    /// Says nothing before it has seen so many.
    pub seen: u32,
    /// Says nothing where [`Known::risk`] is higher.
    pub most_risk: f64,
}

impl Policy {
    /// So many times the longest so far, from the second flame of a kind on.
    #[must_use]
    pub const fn plain(factor: f64) -> Self {
        Self { factor, least_ns: 0, below: Below::Silent, seen: 1, most_risk: f64::INFINITY }
    }

    /// How long a flame may burn; `None` for as long as it likes.
    #[must_use]
    pub fn limit_ns(&self, known: Known) -> Option<u64> {
        if known.seen < self.seen.max(1) || known.risk > self.most_risk {
            return None;
        }
        match (times(self.factor, known.longest_ns), self.below) {
            (limit, _) if limit >= self.least_ns => Some(limit),
            (_, Below::Silent) => None,
            (_, Below::Waits) => Some(self.least_ns),
        }
    }
}

/// A flame of this length is long, ns.
pub const LONG_NS: u64 = HOUR_NS / 2;

/// A flame of a sound home that a rule can cry at: it outlasted all of its kind before it, or half of the longest and
/// was long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// When it was lit, ns.
    pub t_ns: u64,
    /// What was known then.
    pub known: Known,
    /// How long it burnt, ns.
    pub lasted_ns: u64,
}

impl Record {
    /// Some rule that is tried cries at it.
    #[must_use]
    pub fn notable(&self) -> bool {
        let longest_ns = self.known.longest_ns;
        let half = self.lasted_ns > longest_ns / 2 && self.lasted_ns > LONG_NS;
        self.known.seen > 0 && (self.lasted_ns > longest_ns || half)
    }

    /// The rule cries at it.
    #[must_use]
    pub fn cried(&self, policy: &Policy) -> bool {
        policy.limit_ns(self.known).is_some_and(|limit| self.lasted_ns > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn known(seen: u32, longest_ns: u64, risk: f64) -> Known {
        Known { seen, longest_ns, risk }
    }

    #[test]
    fn a_limit_is_a_multiple_of_the_longest_so_far() {
        let mut so_far = Known::default();
        let plain = Policy::plain(1.5);
        assert_eq!(plain.limit_ns(so_far), None, "nothing was seen");
        so_far.learn(40);
        so_far.learn(20);
        assert_eq!((so_far.seen, plain.limit_ns(so_far)), (2, Some(60)));
        assert!(!Record { t_ns: 0, known: so_far, lasted_ns: 60 }.cried(&plain));
        assert!(Record { t_ns: 0, known: so_far, lasted_ns: 61 }.cried(&plain));
    }

    #[test]
    fn a_rule_is_silent_or_waits_below_its_least_time() {
        let silent = Policy { least_ns: 100, ..Policy::plain(1.5) };
        let waits = Policy { below: Below::Waits, ..silent };
        assert_eq!(silent.limit_ns(known(1, 60, 0.0)), None);
        assert_eq!(waits.limit_ns(known(1, 60, 0.0)), Some(100));
        assert_eq!(waits.limit_ns(known(1, 80, 0.0)), Some(120));
        let slow = Policy { seen: 3, most_risk: 0.5, ..Policy::plain(2.0) };
        assert_eq!(slow.limit_ns(known(2, 60, 0.0)), None);
        assert_eq!(slow.limit_ns(known(3, 60, 0.6)), None);
        assert_eq!(slow.limit_ns(known(3, 60, 0.5)), Some(120));
    }
}
