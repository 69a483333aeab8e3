// SPDX-License-Identifier: MIT OR Apache-2.0
//! A random cut forest (Guha et al., ICML 2016): AWS's, by the crate `krcf`, with 50 trees of 256
//! points, on the same features of the flow as the half-space trees.

use krcf::{RandomCutForest, RandomCutForestOptions};

use super::{
    binned::OnBins,
    half_space::{Features, LEARN},
};
use crate::alone::cell::Known;

/// The forest.
pub struct CutForestOnFlow {
    features: Features,
    forest: RandomCutForest,
    unsaid: usize,
}

impl CutForestOnFlow {
    /// A forest that has seen nothing; `seed` draws its cuts.
    ///
    /// # Panics
    ///
    /// If the crate refuses these options.
    #[must_use]
    pub fn new(known: &Known, bin_s: f64, seed: u64) -> Self {
        let options = RandomCutForestOptions {
            dimensions: 4,
            shingle_size: 1,
            num_trees: Some(50),
            sample_size: Some(256),
            random_seed: Some(seed),
            ..Default::default()
        };
        let Ok(forest) = RandomCutForest::new(options) else {
            panic!("a random cut forest of 50 trees with 256 points in 4 dimensions is refused");
        };
        Self { features: Features::new(known, bin_s), forest, unsaid: LEARN }
    }
}

impl OnBins for CutForestOnFlow {
    fn bin(&mut self, pulses: u32) -> f64 {
        let point = self.features.push(pulses).map(|x| x as f32);
        // A forest that is not ready says 0; errors are about dimensions only.
        let score = self.forest.score(&point).unwrap_or(0.0);
        let learned = self.forest.update(&point);
        debug_assert!(learned.is_ok());
        self.unsaid = self.unsaid.saturating_sub(1);
        if self.unsaid > 0 { f64::NEG_INFINITY } else { score }
    }
}
