// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a detector knows the old rate from.

use super::cell::{Cell, Known};
use crate::random::xoshiro::Random;

/// What comes before the stream is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum History {
    /// The rate and the regularity are told.
    Given,
    /// Both are learned from this many days at the old flow, and then kept.
    Days(f64),
}

/// Regularity is learned from the last intervals only; more would not matter.
const MOST_FOR_SHAPE: usize = 4096;

impl History {
    /// Draws a history and learns from it.
    #[must_use]
    pub fn learn(self, cell: &Cell, random: &mut Random) -> Known {
        let Self::Days(days) = self else {
            return Known { rate: cell.rate(), shape: cell.shape, pulses: f64::INFINITY };
        };
        let pulses = (days * 86_400.0 * cell.rate()).floor().max(2.0);
        let some = (pulses as usize).min(MOST_FOR_SHAPE);
        let (mut sum, mut logs) = (0.0, 0.0);
        for _ in 0..some {
            let x = random.gamma(cell.shape);
            sum += x;
            logs += x.ln();
        }
        let shape = likeliest_shape((sum / some as f64).ln() - logs / some as f64);
        let rest = pulses - some as f64;
        if rest >= 1.0 {
            // A sum of Gamma variables is one: no need to draw each.
            sum += rest * random.gamma(cell.shape * rest);
        }
        Known { rate: cell.rate() * pulses / sum, shape, pulses }
    }
}

/// The Gamma shape that is likeliest, from ln of the mean less the mean of ln (Minka 2002, the
/// starting value: within 1.5 %).
fn likeliest_shape(s: f64) -> f64 {
    ((3.0 - s + ((s - 3.0).powi(2) + 24.0 * s).sqrt()) / (12.0 * s)).max(1.0)
}
