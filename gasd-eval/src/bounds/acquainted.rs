// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flows that a home has shown before: a leak at another flow is none of its uses.

use crate::household::calendar::SECOND_NS;
use crate::household::segment::Segment;

/// A leak at a quiet hour has from so much, m³/h.
pub const LEAST: f64 = 0.2;
/// To so much.
pub const MOST: f64 = 2.5;
/// Classes of 3 %, any as likely for a leak as any other.
pub const CLASSES: usize = 84;
/// A flow that was shorter than this has not shown itself.
const SHOWN_NS: u64 = 60 * SECOND_NS;

/// The class of a leak's flow; `None` if no leak at a quiet hour has it.
#[must_use]
pub fn class(m3_per_h: f64) -> Option<usize> {
    let class = (m3_per_h / LEAST).ln() / (MOST / LEAST).ln() * CLASSES as f64;
    (class >= 0.0 && class < CLASSES as f64).then_some(class as usize)
}

/// When a home first showed each flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Acquainted {
    first_ns: [u64; CLASSES],
}

impl Acquainted {
    /// From every appliance's stretches, each seen for itself.
    #[must_use]
    pub fn of(segments: &[Segment]) -> Self {
        let mut first_ns = [u64::MAX; CLASSES];
        for s in segments.iter().filter(|s| s.end_ns - s.start_ns >= SHOWN_NS) {
            if let Some(class) = class(s.ul_per_h as f64 * 1e-9) {
                first_ns[class] = first_ns[class].min(s.end_ns);
            }
        }
        Self { first_ns }
    }

    /// It or one beside it was shown before `t_ns`.
    #[must_use]
    pub fn knows(&self, class: usize, t_ns: u64) -> bool {
        let beside = class.saturating_sub(1)..=(class + 1).min(CLASSES - 1);
        self.first_ns[beside].iter().any(|first| *first < t_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_known_once_it_was_shown() {
        assert_eq!((class(0.19), class(0.201), class(2.49), class(2.5)), (None, Some(0), Some(83), None));
        let s = |start_s: u64, end_s: u64, m3_per_h: f64| Segment {
            start_ns: start_s * SECOND_NS,
            end_ns: end_s * SECOND_NS,
            ul_per_h: (m3_per_h * 1e9) as i64,
            appliance: 0,
        };
        let acquainted = Acquainted::of(&[s(0, 100, 1.0), s(200, 230, 0.5)]);
        let one = class(1.0).unwrap();
        let known = |class| acquainted.knows(class, 101 * SECOND_NS);
        assert!(known(one) && known(one - 1) && known(one + 1) && !known(one + 2));
        assert!(!acquainted.knows(one, 100 * SECOND_NS), "not while it is shown");
        assert!(!acquainted.knows(class(0.5).unwrap(), u64::MAX), "too short");
    }
}
