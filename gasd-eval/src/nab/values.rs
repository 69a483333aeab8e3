// SPDX-License-Identifier: MIT OR Apache-2.0
//! A general-purpose e-detector on series of values: the principle of gasd's detector, where nothing
//! is known of what the values are.
//!
//! Four questions a row: is the value, or its step from the last one, unusually high or low among the
//! last [`WINDOW`]? Each gives a p-value: the rank, and beyond the outermost 5 % an exponential tail
//! with the mean excess found there, so that a value that was never seen can be rarer than 1 in
//! [`WINDOW`]. A p-value becomes an e-value by ∫κp^(κ−1)dκ over κ in (0, 1), which is at most 1 on
//! average; the mean of the four goes into a Shiryaev–Roberts sum. If rows were exchangeable (and
//! tails as fitted) an alarm at A would come once in A rows or less; real series are neither, and no
//! guarantee is claimed here.

/// Rows that a value is compared with: as many as NAB's windowed Gaussian.
pub const WINDOW: usize = 1000;
/// Rows before anything is said.
const LEAST: usize = 50;
/// Beyond this quantile the tail is fitted.
const TAIL: f64 = 0.05;
/// The sum starts anew here: a rate of one in so many rows.
const ANEW: f64 = 1e4;

/// Sorted values of the last rows.
#[derive(Clone, Debug, Default)]
struct Recent {
    sorted: Vec<f64>,
    ring: Vec<f64>,
    oldest: usize,
}

impl Recent {
    fn push(&mut self, x: f64) {
        if self.ring.len() < WINDOW {
            self.ring.push(x);
        } else {
            let old = std::mem::replace(&mut self.ring[self.oldest], x);
            self.oldest = (self.oldest + 1) % WINDOW;
            let at = self.sorted.partition_point(|v| *v < old);
            self.sorted.remove(at);
        }
        let at = self.sorted.partition_point(|v| *v < x);
        self.sorted.insert(at, x);
    }

    /// The probabilities to be this high, and this low.
    fn tails(&self, x: f64) -> [f64; 2] {
        let n = self.sorted.len();
        let k = ((n as f64 * TAIL) as usize).max(2);
        let below = self.sorted.partition_point(|v| *v < x);
        let up_to = self.sorted.partition_point(|v| *v <= x);
        let rank = |count: usize| (count as f64 + 1.0) / (n as f64 + 1.0);
        let tail = |from: f64, excess: f64, x: f64| {
            let mean = excess / k as f64;
            if mean > 0.0 { TAIL * (-(x - from) / mean).exp() } else { rank(0) }
        };
        let (low, high) = (self.sorted[k], self.sorted[n - 1 - k]);
        let above = self.sorted[n - k..].iter().map(|v| v - high).sum();
        let under = self.sorted[..k].iter().map(|v| low - v).sum();
        [
            if x > high { tail(high, above, x) } else { rank(n - below) },
            if x < low { tail(-low, under, -x) } else { rank(up_to) },
        ]
    }
}

/// ∫κp^(κ−1)dκ from 0 to 1.
fn e_value(p: f64) -> f64 {
    let p = p.clamp(1e-300, 1.0);
    let log = p.ln();
    // Near 1 the closed form is 0/0; its limit is ½.
    if log > -1e-4 { 0.5 } else { (1.0 - p + p * log) / (p * log * log) }
}

/// ln of the sum at each row.
#[must_use]
pub fn scores(values: &[f64]) -> Vec<f64> {
    let (mut level, mut step) = (Recent::default(), Recent::default());
    let (mut sum, mut last) = (0.0f64, None);
    let mut scores = Vec::with_capacity(values.len());
    for &x in values {
        let change = x - last.unwrap_or(x);
        if sum > ANEW {
            sum = 0.0;
        }
        if level.sorted.len() >= LEAST {
            let e =
                [level.tails(x), step.tails(change)].as_flattened().iter().map(|p| e_value(*p)).sum::<f64>();
            sum = (sum + 1.0) * e / 4.0;
        }
        scores.push((sum + 1.0).ln());
        level.push(x);
        step.push(change);
        last = Some(x);
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::xoshiro::Random;

    #[test]
    fn a_p_value_becomes_at_most_one_on_average() {
        let n = 100_000;
        let mean = (0..n).map(|i| e_value((f64::from(i) + 0.5) / f64::from(n))).sum::<f64>() / f64::from(n);
        assert!((0.8..=1.0).contains(&mean), "{mean}");
    }

    #[test]
    fn noise_is_quiet_and_a_step_is_not() {
        let mut random = Random::new(3, 0);
        let mut values: Vec<f64> = (0..3000).map(|_| random.normal()).collect();
        values[2500..].iter_mut().for_each(|x| *x += 6.0);
        let scores = scores(&values);
        assert!(scores[..2500].iter().all(|s| *s < 12.0));
        assert!(scores[2500..2503].iter().any(|s| *s > 9.0), "{:?}", &scores[2495..2510]);
    }
}
