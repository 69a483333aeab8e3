// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a line does to the bytes on it: some arrive as others, singly or in bursts, and some were never sent.

use crate::rng::Rng;

/// How a line is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// How many of a million bytes are changed, in either direction.
    pub corrupt_ppm: u32,
    /// How many bytes in a row on average. With 1 they come singly: the byte after one is whole, as long as
    /// the share allows that.
    pub burst: u32,
    /// How often a byte comes from nowhere, a million byte times of a silent line.
    pub stray_ppm: u32,
}

impl Noise {
    /// None.
    pub const NONE: Self = Self { corrupt_ppm: 0, burst: 1, stray_ppm: 0 };

    /// Single bytes that arrive as others, so many in a million.
    #[must_use]
    pub const fn share(corrupt_ppm: u32) -> Self {
        Self { corrupt_ppm, ..Self::NONE }
    }
}

/// A line that is in a burst or not (Gilbert 1960): two states, and what is changed is every byte of the bad one.
#[derive(Clone, Debug)]
pub(crate) struct Disturbance {
    rng: Rng,
    /// Probabilities that a burst begins, and that it ends, a byte.
    begins: f64,
    ends: f64,
    bad: bool,
}

impl Disturbance {
    pub(crate) fn new(noise: Noise, seed: u64) -> Self {
        let share = f64::from(noise.corrupt_ppm.min(1_000_000)) / 1e6;
        let ends = 1.0 / f64::from(noise.burst.max(1));
        // In the long run begins / (begins + ends) of the bytes are in a burst. Where even a burst after every
        // whole byte is not enough, bursts have to be longer than was asked.
        let (begins, ends) = match share / (1.0 - share) * ends {
            begins if begins <= 1.0 => (begins, ends),
            _ => (1.0, (1.0 - share) / share),
        };
        Self { rng: Rng::new(seed, 1), begins, ends, bad: false }
    }

    /// The byte as it arrives; `None` where it arrives as it was sent.
    pub(crate) fn change(&mut self, byte: u8) -> Option<u8> {
        let draw = self.rng.unit();
        self.bad = if self.bad { draw >= self.ends } else { draw < self.begins };
        // Any other byte is as likely: a bit that is lost may move all behind it.
        self.bad.then(|| byte ^ self.rng.between(1, 255) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of bytes that are changed, and how many in a row on average.
    fn measured(corrupt_ppm: u32, burst: u32) -> (f64, f64) {
        let mut disturbance = Disturbance::new(Noise { corrupt_ppm, burst, stray_ppm: 0 }, 3);
        let (mut changed, mut bursts, mut before) = (0u32, 0u32, false);
        for n in 0..400_000u32 {
            let arrived = disturbance.change(n as u8);
            assert_ne!(arrived, Some(n as u8), "a byte that is changed is another one");
            bursts += u32::from(arrived.is_some() && !before);
            changed += u32::from(arrived.is_some());
            before = arrived.is_some();
        }
        (f64::from(changed) / 400_000.0, f64::from(changed) / f64::from(bursts.max(1)))
    }

    #[test]
    fn shares_and_bursts_are_as_asked() {
        for (ppm, burst, long) in [
            (50_000, 1, 1.0),
            (50_000, 8, 8.0),
            (1_000, 1, 1.0),
            (10_000, 20, 20.0),
            (600_000, 1, 1.5),
            (600_000, 4, 4.0),
        ] {
            let (share, length) = measured(ppm, burst);
            let wanted = f64::from(ppm) / 1e6;
            assert!((share - wanted).abs() < 0.1 * wanted, "{share} for {wanted} in bursts of {burst}");
            assert!((length - long).abs() < 0.1 * long, "{length} for {long}");
        }
        assert_eq!(measured(0, 1).0, 0.0);
        assert_eq!(measured(1_000_000, 1).0, 1.0);
    }
}
