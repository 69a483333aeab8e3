// SPDX-License-Identifier: MIT OR Apache-2.0
//! Intervals of 95 % for counts and shares, and quantiles of what may never have happened.

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.959_963_985;

/// Garwood's exact interval for a Poisson count: the means at which it would be among the 2.5 % largest
/// or smallest counts.
#[must_use]
pub fn garwood(count: u64) -> (f64, f64) {
    let n = count as f64;
    // Above a hundred the Wilson–Hilferty cube is exact to more digits than are printed.
    let cube = |k: f64, z: f64| k * (1.0 - 1.0 / (9.0 * k) + z / (3.0 * k.sqrt())).powi(3);
    let lower = match count {
        0 => 0.0,
        1..=100 => bisect(n, |mean| 1.0 - below_or_at(count - 1, mean) < 0.025),
        _ => cube(n, -Z),
    };
    let upper = match count {
        0..=100 => bisect(3.0 * n + 10.0, |mean| below_or_at(count, mean) > 0.025),
        _ => cube(n + 1.0, Z),
    };
    (lower, upper)
}

/// P(X ≤ n) of a Poisson count.
fn below_or_at(n: u64, mean: f64) -> f64 {
    let (mut term, mut sum) = ((-mean).exp(), 0.0);
    for k in 0..=n {
        sum += term;
        term *= mean / (k + 1) as f64;
    }
    sum
}

/// Where `still` ends, in `[0, high]`.
fn bisect(mut high: f64, still: impl Fn(f64) -> bool) -> f64 {
    let mut low = 0.0;
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if still(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Wilson's interval for a share.
#[must_use]
pub fn wilson(hits: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (p, n) = (hits as f64 / n as f64, n as f64);
    let centre = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

/// The `q` quantile of values some of which are infinite: never. `None` without values.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[((q * sorted.len() as f64).ceil() as usize).saturating_sub(1).min(last)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_the_tables() {
        // Garwood 1936; the rule of three: 3.69 and not 3.0, since it is two-sided.
        for (n, low, high) in [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.6)] {
            let got = garwood(n);
            assert!((got.0 - low).abs() < 0.01 && (got.1 - high).abs() < 0.05, "{n}: {got:?}");
        }
        let (a, b) = (garwood(100), garwood(101));
        assert!((b.0 - a.0 - 0.9).abs() < 0.1 && (b.1 - a.1 - 1.1).abs() < 0.1, "the two forms meet");
        let (low, high) = wilson(95, 100);
        assert!((low - 0.8882).abs() < 1e-3 && (high - 0.9785).abs() < 1e-3);
    }

    #[test]
    fn quantiles_know_of_never() {
        let values = [1.0, 2.0, 3.0, f64::INFINITY];
        assert_eq!(quantile(&values, 0.5), Some(2.0));
        assert_eq!(quantile(&values, 0.9), Some(f64::INFINITY));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
