// SPDX-License-Identifier: MIT OR Apache-2.0
//! Randomness that is a function of what it is for: the same seed, day and purpose give the same
//! numbers, in whatever order they are asked. Not the source of [`super::xoshiro`]: homes and trials of
//! published figures are made of these numbers.

/// What SplitMix64's state grows by: 2⁶⁴ over the golden ratio, odd, so that every state comes up once.
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): every input bit changes half of the output bits.
#[must_use]
pub const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number in [0, 1) from 64 random bits.
#[must_use]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// Near enough to a standard normal number from 64 random bits, within ±3.46: the sum of four
/// 16-bit uniforms. Used once a pulse, where a logarithm would be the dearest part.
#[must_use]
pub fn bell(bits: u64) -> f64 {
    let sum = (bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48);
    (sum as f64 / 65_536.0 - 2.0) * 1.732_050_8
}

/// SplitMix64: a word of state, so that one is begun for every day and purpose.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator of a seed, for one purpose, at one place (a day, a trial).
    #[must_use]
    pub const fn new(seed: u64, purpose: u64, place: u64) -> Self {
        Self(mix(seed ^ mix(purpose.wrapping_add(STEP) ^ mix(place.wrapping_add(1)))))
    }

    /// The generator in a state, as its authors define it.
    #[must_use]
    pub const fn at(state: u64) -> Self {
        Self(state)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// Uniform in [low, high).
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in the logarithm, [low, high).
    pub fn log_range(&mut self, low: f64, high: f64) -> f64 {
        self.range(low.ln(), high.ln()).exp()
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// One of `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// A standard normal number (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (core::f64::consts::TAU * self.unit()).cos()
    }

    /// Log-normal with this median and this deviation of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// Poisson with this mean (Knuth; means here are below 30).
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut n = 0;
        while product > limit && n < 200 {
            product *= self.unit();
            n += 1;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Homes and trials whose figures are published are made of these. Bit for bit where no logarithm is
    /// taken, whose last bit is the C library's; the bits that follow tell that as many were used.
    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut rng = Rng::new(2026, 0x1ea4, 77);
        let bits = [(); 4].map(|()| rng.bits());
        assert_eq!(
            bits,
            [0x6ecb_29da_120f_8121, 0x3085_4a59_cd85_1444, 0xd745_da1d_b2b6_6806, 0x3c45_a85e_d9b5_533e]
        );
        assert_eq!(rng.unit().to_bits(), 0x3fde_c01c_8972_c41a);
        assert_eq!(rng.range(-2.0, 5.0).to_bits(), 0x3ff4_018a_cea9_7c26);
        let drawn = [
            (rng.log_range(0.1, 10.0), 0x4007_7aff_0bab_45b4),
            (rng.normal(), 0xbfe3_040e_360c_e9ae),
            (rng.log_normal(3.0, 0.5), 0x4004_f708_7be0_9027),
            (rng.exponential(20.0), 0x4010_a93a_9a7b_89f7),
        ];
        for (got, want) in drawn {
            let want = f64::from_bits(want);
            assert!((got - want).abs() <= 1e-14 * want.abs(), "{got} for {want}");
        }
        assert_eq!((rng.poisson(4.0), rng.chance(0.5)), (3, true));
        assert_eq!([0, 7, 1000, 1 << 40].map(|n| rng.below(n)), [0, 5, 870, 945_325_929_701]);
        assert_eq!(rng.bits(), 0x5d11_bc96_03ee_f14b);
        assert_eq!(mix(0x1234_5678), 0x99a5_8465_0fae_6a61);
        assert_eq!(unit(mix(5)).to_bits(), 0x3fe6_d7ec_27b7_d768);
        assert_eq!(bell(mix(5)).to_bits(), 0x3fc8_bef9_ce18_2667);
    }

    #[test]
    fn moments_are_as_they_are_called() {
        let mut rng = Rng::new(1, 2, 3);
        let n = 200_000;
        let mut sums = [0.0; 6];
        for _ in 0..n {
            let (z, b, e) = (rng.normal(), bell(rng.bits()), rng.exponential(3.0));
            let p = f64::from(rng.poisson(4.0));
            for (sum, x) in sums.iter_mut().zip([z, z * z, b, b * b, e, p]) {
                *sum += x / f64::from(n);
            }
        }
        for (got, want) in sums.into_iter().zip([0.0, 1.0, 0.0, 1.0, 3.0, 4.0]) {
            assert!((got - want).abs() < 0.03, "{got} for {want}");
        }
    }
}
