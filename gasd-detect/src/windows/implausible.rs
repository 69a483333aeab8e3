// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pulses faster than the meter can turn, told apart from a single stray.
//!
//! A leaky bucket: +2 for an interval that is too short, −1 for one that is not. Four too short in
//! a row fill it, and so does a contact that bounces on every second edge (short, long, short, …);
//! one stray (at most two short intervals) runs out again.

use crate::units::SECOND_NS;

const FULL: u8 = 8;
const BRIM: u8 = 16;

/// Not said again within this time, ns: interference comes and goes for hours.
pub(crate) const QUIET_NS: u64 = 600 * SECOND_NS;

/// The bucket of one meter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Implausible {
    level: u8,
    began_ns: u64,
    said: bool,
    said_ns: Option<u64>,
}

impl Implausible {
    /// Takes an interval that began at `start_ns`.
    pub fn note(&mut self, start_ns: u64, plausible: bool) {
        if plausible {
            self.level = self.level.saturating_sub(1);
            self.said &= self.level > 0;
        } else {
            if self.level == 0 {
                self.began_ns = start_ns;
            }
            self.level = (self.level + 2).min(BRIM);
        }
    }

    /// When it began, if it is to be said at `now_ns`: once until the bucket has run out.
    pub fn due(&mut self, now_ns: u64) -> Option<u64> {
        if self.level < FULL || self.said {
            return None;
        }
        self.said = true;
        if self.said_ns.is_some_and(|t| now_ns.saturating_sub(t) < QUIET_NS) {
            return None;
        }
        self.said_ns = Some(now_ns);
        Some(self.began_ns)
    }
}

crate::state::state!(Implausible { level, began_ns, said, said_ns });

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pattern: &[bool], rounds: u64) -> Vec<u64> {
        let mut bucket = Implausible::default();
        let mut said = Vec::new();
        for t in 0..rounds {
            bucket.note(t, pattern[t as usize % pattern.len()]);
            said.extend(bucket.due(t));
        }
        said
    }

    #[test]
    fn a_lasting_storm_is_said_once() {
        assert_eq!(said(&[false], 1000), [0]);
    }

    #[test]
    fn a_contact_that_bounces_on_every_pulse_is_said() {
        assert_eq!(said(&[false, true], 1000).len(), 1);
    }

    #[test]
    fn strays_are_not() {
        assert!(said(&[false, false, true, true, true, true], 1000).is_empty());
    }
}
