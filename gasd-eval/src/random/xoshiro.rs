// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random numbers for what runs on: xoshiro256++ (Blackman and Vigna), and what is drawn from it.
//! Not the source of [`super::splitmix`]: published delays and thresholds are made of these numbers.

use super::splitmix::Rng;

/// xoshiro256++: a period that no study comes to the end of.
#[derive(Clone, Debug)]
pub struct Random([u64; 4]);

impl Random {
    /// The source for a run: `seed` of the whole evaluation, `stream` of what is evaluated.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        // As the authors of xoshiro fill its state.
        let mut fill = Rng::at(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        Self(core::array::from_fn(|_| fill.bits()))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Uniform in (0, 1): never an end, so that a logarithm may be taken.
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (0.5f64).powi(52)
    }

    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    /// Normal with mean 0 and deviation 1 (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let r = x * x + y * y;
            if r < 1.0 && r > 0.0 {
                return x * (-2.0 * r.ln() / r).sqrt();
            }
        }
    }

    /// Gamma with this shape and mean 1 (Marsaglia and Tsang 2000); `shape` is 1 or more.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape == 1.0 {
            return -self.uniform().ln();
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v <= 0.0 {
                continue;
            }
            let u = self.uniform();
            if u < 1.0 - 0.0331 * x.powi(4) || u.ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
                return d * v / shape;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of docs/EVALUATION.md are made of these. Bit for bit where no logarithm is taken,
    /// whose last bit is the C library's; the bits that follow tell that as many were used.
    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut random = Random::new(2026, 77);
        let bits = [(); 4].map(|()| random.bits());
        assert_eq!(
            bits,
            [0x4f6a_4628_4d04_d5b5, 0x4df2_20f7_0fa8_d21f, 0xf359_c6db_8bd2_387d, 0xaeb5_4bfb_a686_8408]
        );
        assert_eq!(random.uniform().to_bits(), 0x3fed_127b_d635_d5ed);
        let drawn = [
            (random.normal(), 0x4002_9e88_5e50_324f),
            (random.gamma(1.0), 0x3fcd_94d5_73b3_d721),
            (random.gamma(4.0), 0x3ff3_75cc_81de_4f5b),
            (random.gamma(400.0), 0x3fee_8e35_cd8d_3985),
        ];
        for (got, want) in drawn {
            let want = f64::from_bits(want);
            assert!((got - want).abs() <= 1e-14 * want.abs(), "{got} for {want}");
        }
        assert_eq!([1, 7, 1000, 1 << 40].map(|n| random.below(n)), [0, 1, 835, 392_886_741_130]);
        assert_eq!(random.bits(), 0x6c3a_2b6b_56d9_447a);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::new(1, 2);
        for shape in [1.0, 4.0, 25.0, 400.0] {
            let n = 100_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..n {
                let x = random.gamma(shape);
                sum += x;
                squares += x * x;
            }
            let mean = sum / f64::from(n);
            let variance = squares / f64::from(n) - mean * mean;
            assert!((mean - 1.0).abs() < 0.01, "{shape}: mean {mean}");
            assert!((variance * shape - 1.0).abs() < 0.03, "{shape}: variance {variance}");
        }
    }
}
