// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers that are the same in every run (splitmix64).

/// A generator; print its seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// From `low` to `high`, each order of magnitude as likely as another.
    pub fn scaled(&mut self, low: u64, high: u64) -> u64 {
        let (a, b) = ((low as f64).ln(), (high as f64).ln());
        let part = self.below(1 << 32) as f64 / (1u64 << 32) as f64;
        (a + (b - a) * part).exp() as u64
    }
}
