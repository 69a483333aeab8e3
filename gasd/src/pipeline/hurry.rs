// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readings whose meter is answered, and forgets them then: their totals do not wait for `store.persist`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

/// So many times totals may be written at once, one after the other. All meters that spoke meanwhile are in one.
const AT_ONCE: u32 = 8;
/// After that once in so long: whoever sends readings in a meter's name wears no flash out.
const EACH: Duration = Duration::from_secs(1);

/// Where the number of the push is put that has a reading's total in it.
#[derive(Clone, Debug, Default)]
pub struct Slip(Arc<AtomicU64>);

impl Slip {
    /// The number that the writer reaches once the reading is on the disk; `None` while it is not on its way there.
    #[must_use]
    pub fn ticket(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|ticket| *ticket > 0)
    }

    fn given(&self, ticket: u64) {
        self.0.store(ticket, Ordering::Release);
    }
}

/// What is to be written at once.
#[derive(Debug)]
pub struct Hurry {
    slips: Vec<Slip>,
    left: u32,
    counted: Instant,
}

impl Default for Hurry {
    fn default() -> Self {
        Self { slips: Vec::new(), left: AT_ONCE, counted: Instant::now() }
    }
}

impl Hurry {
    /// A reading was taken in that is waited for.
    pub fn want(&mut self, slip: Slip) {
        self.slips.push(slip);
    }

    /// How long until totals are to be written; `None` while nobody waits, for which no clock is read.
    pub fn wait(&mut self, now: impl FnOnce() -> Instant) -> Option<Duration> {
        if self.slips.is_empty() {
            return None;
        }
        let now = now();
        while self.left < AT_ONCE && now.saturating_duration_since(self.counted) >= EACH {
            (self.left, self.counted) = (self.left + 1, self.counted + EACH);
        }
        if self.left == AT_ONCE {
            self.counted = now;
        }
        let next = EACH.saturating_sub(now.saturating_duration_since(self.counted));
        Some(if self.left > 0 { Duration::ZERO } else { next })
    }

    /// The totals of now were given to the writer as this push.
    pub fn given(&mut self, ticket: u64) {
        if !self.slips.is_empty() {
            self.left = self.left.saturating_sub(1);
        }
        self.slips.drain(..).for_each(|slip| slip.given(ticket));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_written_at_once_and_who_floods_once_a_second() {
        let mut hurry = Hurry::default();
        let begin = Instant::now();
        assert_eq!(hurry.wait(|| begin), None);
        hurry.given(1);
        // A reading each 10 ms for 20 s.
        let (mut written, mut longest) = (0, Duration::ZERO);
        for n in 0..2_000u32 {
            let now = begin + n * Duration::from_millis(10);
            let slip = Slip::default();
            hurry.want(slip.clone());
            assert_eq!(slip.ticket(), None);
            let wait = hurry.wait(|| now).unwrap();
            longest = longest.max(wait);
            if wait.is_zero() {
                written += 1;
                hurry.given(100 + u64::from(n));
                assert_eq!(slip.ticket(), Some(100 + u64::from(n)));
            }
        }
        assert!((26..=28).contains(&written), "{written}");
        assert!(longest <= EACH);
        // And later as if nothing had been.
        hurry.want(Slip::default());
        for _ in 0..AT_ONCE {
            hurry.want(Slip::default());
            assert_eq!(hurry.wait(|| begin + Duration::from_secs(60)), Some(Duration::ZERO));
            hurry.given(9_000);
        }
    }
}
