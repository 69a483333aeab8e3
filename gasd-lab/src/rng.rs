// SPDX-License-Identifier: MIT OR Apache-2.0
//! SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same line, meters and losses.

/// A source of numbers that look random.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The source of a seed, for one purpose: two purposes of one seed have nothing in common.
    #[must_use]
    pub const fn new(seed: u64, purpose: u64) -> Self {
        Self(mix(seed ^ mix(purpose.wrapping_add(STEP))))
    }

    /// 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A byte.
    pub const fn byte(&mut self) -> u8 {
        (self.bits() >> 56) as u8
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something happens that happens `ppm` times in a million.
    pub const fn happens(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < ppm as u64
    }

    /// Uniform in 0..`n`; 0 where `n` is 0.
    pub const fn below(&mut self, n: u64) -> u64 {
        // The high half of a product: no division, and no bias that a test could see.
        ((self.bits() as u128 * n as u128) >> 64) as u64
    }

    /// Uniform from `low` to `high`, both possible.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// How many trials there are until something happens that happens `ppm` times in a million, that one
    /// included: 1 at least. `None` where it never happens.
    pub fn trials(&mut self, ppm: u32) -> Option<u64> {
        match ppm {
            0 => None,
            1_000_000.. => Some(1),
            _ => {
                let missed = (1.0 - f64::from(ppm) / 1e6).ln();
                Some(((1.0 - self.unit()).ln() / missed).ceil().max(1.0) as u64)
            }
        }
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_waits_are_as_asked() {
        let mut rng = Rng::new(7, 1);
        let hits = (0..100_000).filter(|_| rng.happens(50_000)).count();
        assert!((4_700..5_300).contains(&hits), "{hits}");
        let waits: u64 = (0..20_000).filter_map(|_| rng.trials(50_000)).sum();
        let mean = waits as f64 / 20_000.0;
        assert!((19.0..21.0).contains(&mean), "{mean}");
        assert_eq!((rng.trials(0), rng.trials(1_000_000)), (None, Some(1)));
        assert!((0..1000).all(|_| (3..=5).contains(&rng.between(3, 5))));
        assert_eq!((rng.below(0), rng.between(9, 9)), (0, 9));
    }

    #[test]
    fn a_seed_is_a_sequence() {
        let draw = |seed, purpose| {
            let mut rng = Rng::new(seed, purpose);
            [(); 8].map(|()| rng.bits())
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}
