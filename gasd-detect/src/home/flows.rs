// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flows that large uses of this home have: a shower's, the boiler's, a full oven's. A leak has any flow.

/// Bands of flow: from 0.15 m³/h on, each 1.07 times the one before; the last has all above. 2.5 m³/h is in the 42nd.
pub(crate) const BANDS: usize = 44;
const LOWEST: f32 = 0.15;
const RATIO: f32 = 1.07;
/// What a use weighs a year later is about a half.
const FORGET: f32 = 0.998;
/// Each band counts as if so many uses had been in it, of so many more in all: of a home whose flows are not known yet
/// none is strange. As [`super::hours`] weighs them by regression, so are these chosen.
const LEAST: f32 = 2.0 / 3.0;
const MORE: f32 = 12.0;

/// The flows of one meter's home.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flows {
    /// Large uses with a mean flow in each band, forgotten slowly.
    counts: [f32; BANDS],
    /// In all bands.
    sum: f32,
}

impl Default for Flows {
    fn default() -> Self {
        Self { counts: [0.0; BANDS], sum: 0.0 }
    }
}

fn band(m3_per_h: f32) -> usize {
    // A cast of what is no number or negative is 0.
    ((m3_per_h / LOWEST).ln() / RATIO.ln()).min((BANDS - 1) as f32) as usize
}

impl Flows {
    /// A large use had this mean flow, m³/h.
    pub fn learn(&mut self, m3_per_h: f32) {
        self.counts[band(m3_per_h)] += 1.0;
        self.sum += 1.0;
    }

    /// A day has passed.
    pub fn forget(&mut self) {
        self.counts.iter_mut().for_each(|count| *count *= FORGET);
        self.sum *= FORGET;
    }

    /// The share of large uses that have about this flow (m³/h, within a tenth), above 0.
    pub fn about(&self, m3_per_h: f32) -> f32 {
        self.share(m3_per_h, 1)
    }

    /// The share of those with the same flow as far as the bands tell it (m³/h), above 0: a boiler's least and a fixed
    /// burner's come back within some parts in a hundred, and a leak's seldom happens to be one of them.
    pub fn same(&self, m3_per_h: f32) -> f32 {
        self.share(m3_per_h, 0)
    }

    /// The share of those in its band and in so many to each side.
    fn share(&self, m3_per_h: f32, beside: usize) -> f32 {
        let band = band(m3_per_h);
        let near = &self.counts[band.saturating_sub(beside)..(band + beside + 1).min(BANDS)];
        (near.iter().sum::<f32>() + LEAST * (2 * beside + 1) as f32) / (self.sum + MORE)
    }
}

crate::state::state!(Flows { counts, sum });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_that_comes_back_is_the_homes_and_others_are_strange() {
        let mut flows = Flows::default();
        assert!((flows.about(1.0) - 3.0 * LEAST / MORE).abs() < 1e-6, "nothing is known");
        for i in 0..100 {
            flows.learn(1.5 + 0.0005 * (i % 10) as f32);
        }
        assert!(flows.about(1.5) > 0.85 && flows.about(1.4) > 0.85);
        assert!(flows.about(1.2) < 0.02 && flows.about(1.9) < 0.02);
        assert!(
            flows.same(1.4) < 0.02 && flows.same(1.51) > 0.85,
            "beside it is about the same, and not the same"
        );
        (0..2000).for_each(|_| flows.forget());
        assert!(flows.about(1.5) < 6.0 * LEAST / MORE, "forgotten");
    }

    #[test]
    fn any_number_is_in_a_band() {
        for odd in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-30, 100.0] {
            assert!(band(odd) < BANDS, "{odd}");
        }
        assert!(band(2.5) < BANDS - 1 && band(0.2) > 0);
    }
}
