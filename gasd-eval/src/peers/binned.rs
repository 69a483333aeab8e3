// SPDX-License-Identifier: MIT OR Apache-2.0
//! From pulses to counts a bin, for detectors that look once a second or so.

use crate::alone::watch::{Told, Watch};

/// A statistic that is asked once a bin.
pub trait OnBins {
    /// `pulses` came in the bin that ends now; returns the statistic.
    fn bin(&mut self, pulses: u32) -> f64;
}

/// Counts pulses into bins and tells what the statistic said at the end of each.
#[derive(Clone, Debug)]
pub struct Binned<D> {
    detector: D,
    bin_s: f64,
    /// s since the bin began.
    into: f64,
    pulses: u32,
}

impl<D: OnBins> Binned<D> {
    /// For bins of `bin_s` seconds.
    pub fn new(detector: D, bin_s: f64) -> Self {
        Self { detector, bin_s, into: 0.0, pulses: 0 }
    }
}

impl<D: OnBins> Watch for Binned<D> {
    fn pulse(&mut self, x_s: f64, told: &mut Vec<Told>) {
        let mut end = self.bin_s - self.into;
        while end <= x_s {
            told.push(Told { after_s: end, value: self.detector.bin(self.pulses) });
            self.pulses = 0;
            end += self.bin_s;
        }
        self.into = x_s - (end - self.bin_s);
        self.pulses += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count;

    impl OnBins for Count {
        fn bin(&mut self, pulses: u32) -> f64 {
            f64::from(pulses)
        }
    }

    #[test]
    fn pulses_are_counted_where_they_fall() {
        let mut binned = Binned::new(Count, 1.0);
        let mut told = Vec::new();
        for x in [0.4, 0.4, 1.5, 0.1] {
            binned.pulse(x, &mut told);
        }
        // At 0.4, 0.8, 2.3 and 2.4: two, none, and two that are not told yet.
        let told: Vec<_> = told.iter().map(|t| (t.after_s, t.value)).collect();
        assert_eq!(told.len(), 2);
        assert!((told[0].0 - 0.2).abs() < 1e-9 && told[0].1 == 2.0);
        assert!((told[1].0 - 1.2).abs() < 1e-9 && told[1].1 == 0.0);
    }
}
