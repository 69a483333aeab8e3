// SPDX-License-Identifier: MIT OR Apache-2.0
//! Detectors by windows of fixed length, and thresholds: what most meters and gateways have.

use super::binned::OnBins;
use crate::alone::cell::Known;

/// Pulses in the last so many bins, for several windows at once.
#[derive(Clone, Debug)]
pub struct Counts {
    ring: Vec<u32>,
    at: usize,
    lengths: Vec<usize>,
    sums: Vec<u32>,
}

impl Counts {
    /// For windows of these lengths in bins.
    #[must_use]
    pub fn new(lengths: &[usize]) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(1);
        Self { ring: vec![0; longest], at: 0, lengths: lengths.to_vec(), sums: vec![0; lengths.len()] }
    }

    /// A bin more; the sums.
    pub fn push(&mut self, pulses: u32) -> &[u32] {
        let n = self.ring.len();
        for (sum, length) in self.sums.iter_mut().zip(&self.lengths) {
            // The bin that leaves a window of the full length is the one that is overwritten.
            *sum = *sum + pulses - self.ring[(self.at + n - length) % n];
        }
        self.ring[self.at] = pulses;
        self.at = (self.at + 1) % n;
        &self.sums
    }
}

/// The published three windows, 1, 5 and 30 s.
const WINDOWS: [usize; 3] = [1, 5, 30];
/// The published multiples of the deviation.
const SIGMAS: [f64; 3] = [5.0, 3.2, 1.8];

/// The published rule: in each window the count is so many deviations above what is expected. To set
/// it to a false-alarm rate, all three are scaled by one factor, which is the value.
#[derive(Clone, Debug)]
pub struct PublishedAnd {
    counts: Counts,
    rate: f64,
}

impl PublishedAnd {
    /// On bins of a second.
    #[must_use]
    pub fn new(known: &Known) -> Self {
        Self { counts: Counts::new(&WINDOWS), rate: known.rate }
    }
}

impl OnBins for PublishedAnd {
    fn bin(&mut self, pulses: u32) -> f64 {
        let sums = self.counts.push(pulses);
        let mut least = f64::INFINITY;
        for ((sum, length), sigma) in sums.iter().zip(WINDOWS).zip(SIGMAS) {
            let expected = self.rate * length as f64;
            least = least.min((f64::from(*sum) - expected) / expected.sqrt() / sigma);
        }
        least
    }
}

/// The same windows, each with the likelihood ratio of its count; the highest counts.
#[derive(Clone, Debug)]
pub struct GlrOr {
    counts: Counts,
    rate: f64,
}

impl GlrOr {
    /// On bins of a second.
    #[must_use]
    pub fn new(known: &Known) -> Self {
        Self { counts: Counts::new(&WINDOWS), rate: known.rate }
    }
}

impl OnBins for GlrOr {
    fn bin(&mut self, pulses: u32) -> f64 {
        let sums = self.counts.push(pulses);
        let mut most = 0.0f64;
        for (sum, length) in sums.iter().zip(WINDOWS) {
            let (n, u) = (f64::from(*sum), self.rate * length as f64);
            if n > u {
                most = most.max(n * (n / u).ln() - n + u);
            }
        }
        most
    }
}

/// The pulses of the last seconds, against a fixed limit.
#[derive(Clone, Debug)]
pub struct Static {
    counts: Counts,
}

impl Static {
    /// On bins of a second, over this many.
    #[must_use]
    pub fn new(seconds: usize) -> Self {
        Self { counts: Counts::new(&[seconds]) }
    }
}

impl OnBins for Static {
    fn bin(&mut self, pulses: u32) -> f64 {
        f64::from(self.counts.push(pulses)[0])
    }
}

/// Windowed Gaussian: the count of the last 10 s in deviations above the mean of the last 1000 such
/// counts (NAB's detector on counts; it goes on learning, so a rise that lasts becomes normal).
#[derive(Clone, Debug)]
pub struct Gaussian {
    recent: Vec<f64>,
    at: usize,
    sum: f64,
    squares: f64,
}

/// NAB's window.
const RECENT: usize = 1000;

impl Gaussian {
    /// With a window that is full of what is known.
    #[must_use]
    pub fn new(known: &Known, bin_s: f64) -> Self {
        // A window with the mean and the variance of the old rate: half of it above, half below.
        let mean = known.rate * bin_s;
        let deviation = (mean / known.shape).sqrt();
        let recent: Vec<f64> =
            (0..RECENT).map(|i| if i % 2 == 0 { mean + deviation } else { mean - deviation }).collect();
        let squares = recent.iter().map(|x| x * x).sum();
        Self { sum: recent.iter().sum(), squares, recent, at: 0 }
    }
}

impl OnBins for Gaussian {
    fn bin(&mut self, pulses: u32) -> f64 {
        let x = f64::from(pulses);
        let n = RECENT as f64;
        let mean = self.sum / n;
        let variance = (self.squares / n - mean * mean).max(1e-9);
        let old = std::mem::replace(&mut self.recent[self.at], x);
        self.at = (self.at + 1) % RECENT;
        self.sum += x - old;
        self.squares += x * x - old * old;
        (x - mean) / variance.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_windows() {
        let mut counts = Counts::new(&[1, 5, 30]);
        let bins: Vec<u32> = (0..200).map(|i| (i * 7 + i / 3) % 5).collect();
        for i in 0..bins.len() {
            let sums = counts.push(bins[i]).to_vec();
            for (sum, length) in sums.iter().zip([1, 5, 30]) {
                assert_eq!(*sum, bins[(i + 1usize).saturating_sub(length)..=i].iter().sum::<u32>());
            }
        }
    }

    #[test]
    fn a_lasting_rise_becomes_normal_to_the_windowed_gaussian() {
        let known = Known { rate: 1.0, shape: 1.0, pulses: f64::INFINITY };
        let mut gaussian = Gaussian::new(&known, 10.0);
        let first = gaussian.bin(30);
        let last = (0..2000).map(|_| gaussian.bin(30)).last();
        assert!(first > 6.0 && last.is_some_and(|last| last < 0.1), "{first} {last:?}");
    }
}
