// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long something usually lasts, and when it lasts longer than it ever should.
//!
//! Durations of household uses are about log-normal. Learned are the mean and the spread of their
//! logarithm and the longest one; old ones are never forgotten, so no seasonal pause shortens what was
//! allowed. A use that raised an alarm and then ended was a use; a leak does not end by itself.

/// A use may last so many standard deviations of its logarithm above the mean.
const SIGMAS: f32 = 3.0;
/// And so many times the longest one: what lasts 1.5 times as long is not missed.
const BEYOND: f32 = 1.45;
/// Uses that must be seen before anything is said.
const ENOUGH: u32 = 20;
/// The tail of a few uses is believed to reach so much further than the longest of them, divided by their
/// number.
const FEW: f32 = 12.0;
/// The spread of the logarithm is not believed to be smaller: three uses alike prove little.
const LEAST_SPREAD: f32 = 0.25;

/// What was learned of a duration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Dwell {
    /// How often it was seen.
    pub seen: u32,
    /// Mean of the natural logarithm of seconds.
    pub mean: f32,
    /// Sum of the squared deviations.
    pub spread: f32,
    /// The longest, s.
    pub longest: f32,
}

impl Dwell {
    /// It lasted `seconds` once.
    pub fn learn(&mut self, seconds: f32) {
        if !(seconds >= 1.0 && seconds.is_finite()) {
            return;
        }
        let log = seconds.ln();
        self.seen = self.seen.saturating_add(1);
        // Past a thousand uses the mean follows slowly instead of not at all.
        let n = self.seen.min(1000) as f32;
        let before = log - self.mean;
        self.mean += before / n;
        if self.seen >= 1000 {
            self.spread *= 0.999;
        }
        self.spread += before * (log - self.mean);
        self.longest = self.longest.max(seconds);
    }

    /// How long it may last, s, if it was seen often enough to say.
    pub fn allowed(&self) -> Option<f32> {
        if self.seen < ENOUGH {
            return None;
        }
        let n = self.seen.min(1000) as f32;
        let sigma = (self.spread / (n - 1.0)).max(0.0).sqrt().max(LEAST_SPREAD);
        let most = self.longest * (BEYOND + FEW / n);
        // Not `clamp`, which panics where a damaged state has no numbers.
        Some((self.mean + SIGMAS * sigma).exp().min(most).max(self.longest * BEYOND))
    }
}

crate::state::state!(Dwell { seen, mean, spread, longest });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_before_twenty_uses() {
        let mut dwell = Dwell::default();
        for n in 0..20 {
            assert_eq!(dwell.allowed(), None, "{n}");
            dwell.learn(600.0);
        }
        let allowed = dwell.allowed().unwrap();
        assert!((840.0..1400.0).contains(&allowed), "{allowed}");
    }

    #[test]
    fn the_longest_is_allowed_again() {
        let mut dwell = Dwell::default();
        for i in 0..200 {
            dwell.learn(if i == 50 { 7200.0 } else { 600.0 });
        }
        assert!(dwell.allowed().unwrap() >= 7200.0 * 1.4);
    }

    #[test]
    fn nonsense_is_not_learned() {
        let mut dwell = Dwell::default();
        for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            dwell.learn(bad);
        }
        assert_eq!(dwell, Dwell::default());
    }
}
