// SPDX-License-Identifier: MIT OR Apache-2.0
//! NAB's windowed Gaussian: how improbable a value is, from the mean and the deviation of those
//! before it. Its authors tuned the window on NAB.
//!
//! The published score is that of a window of 6400 which slides by 100, with probabilities that were
//! stored with 12 digits: what is rarer than that is all alike.

const WINDOW: usize = 6400;
const SLIDE: usize = 100;

/// Scores of a series.
#[must_use]
pub fn scores(values: &[f64]) -> Vec<f64> {
    let (mut from, mut to) = (0, 0);
    let (mut mean, mut deviation) = (0.0, 1.0);
    let mut scores = Vec::with_capacity(values.len());
    for (i, value) in values.iter().enumerate() {
        let score = if to == 0 { 0.0 } else { 1.0 - upper_tail(((value - mean) / deviation).abs()) };
        scores.push((score * 1e12).round() / 1e12);
        if to - from < WINDOW {
            to = i + 1;
        } else if i + 1 - to == SLIDE {
            from += SLIDE;
            to += SLIDE;
        } else {
            continue;
        }
        (mean, deviation) = moments(&values[from..to]);
    }
    scores
}

fn moments(window: &[f64]) -> (f64, f64) {
    let n = window.len() as f64;
    let mean = window.iter().sum::<f64>() / n;
    let variance = window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, if variance == 0.0 { 1e-6 } else { variance.sqrt() })
}

/// The probability that a normal variable is above z; relative error below 2e-7 (Numerical Recipes,
/// §6.2: Chebyshev fit of erfc).
#[must_use]
pub fn upper_tail(z: f64) -> f64 {
    const C: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let fit = C.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let tail = 0.5 * t * (-x * x + fit).exp();
    if z >= 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_tables() {
        for (z, tail) in [(0.0, 0.5), (1.0, 0.158_655_25), (-1.0, 0.841_344_75), (3.0, 1.349_898e-3)] {
            assert!((upper_tail(z) / tail - 1.0).abs() < 1e-6, "{z}: {}", upper_tail(z));
        }
    }
}
