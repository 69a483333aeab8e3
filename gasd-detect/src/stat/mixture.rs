// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mixture Shiryaev–Roberts e-detector on the intervals between pulses.
//!
//! **Null.** Given the past, an interval x is at least as long and at least as regular as a Gamma
//! variable with mean 1/λ₀ and shape k, in the order of Laplace transforms: that covers every rate
//! up to λ₀, and every regularity from k on (k = 1 is Poisson). λ₀ and k may change from interval to
//! interval, as long as they are chosen before it (a *predictable envelope*).
//!
//! **e-value.** For a rate ρ times as high, ρᵏ·exp(−k·λ₀·(ρ−1)·x) is the likelihood ratio of
//! Gamma(k, ρλ₀) against Gamma(k, λ₀); its mean is at most 1 under the null, because exp(−s·x) has
//! at most the mean that it has for Gamma(k, λ₀).
//!
//! **Detector.** For each ρⱼ: Mⱼ ← (Mⱼ + 1/λ₀)·eⱼ. The sum is in seconds: Mⱼ minus the time that
//! passed is a supermartingale under the null (an interval lasts 1/λ₀ or longer on average), and
//! so is their mean. At the first time T that the mean reaches A, A ≤ E\[mean of Mⱼ\] ≤ E\[T\]:
//! the **mean time to a false alarm is at least A seconds**, without asymptotics and whatever λ₀ does.
//! (Shin, Ramdas and Rinaldo, arXiv 2203.03532, with time instead of steps in the sum.)
//!
//! Their mean may be weighted, and several detectors whose statistics are averaged keep that guarantee; see
//! [`Mixture::seconds`].

/// How many times λ₀ the rates that are looked for are. From a fifth more to whatever a hose passes on
/// top of a pilot flame; between two neighbours the information lost is below 6 % for Poisson pulses.
pub const MIXTURE_RATES: [f32; 9] = [1.17, 1.35, 1.65, 2.2, 3.2, 5.0, 9.0, 17.0, 33.0];

/// What each rate counts in the mean. Small rises take the most pulses, so a head start saves the most there;
/// large ones are found by their first pulses whatever they count.
const WEIGHTS: [f32; 9] = {
    let parts = [2.0, 1.3, 1.1, 1.0, 1.0, 1.0, 0.3, 0.3, 0.3];
    let (mut weights, mut i) = (parts, 0);
    while i < parts.len() {
        weights[i] = parts[i] / 8.3;
        i += 1;
    }
    weights
};

const LOGS: [f32; 9] = {
    // ln is not const; to nine digits.
    [
        0.157_003_75,
        0.300_104_6,
        0.500_775_3,
        0.788_457_36,
        1.163_150_8,
        1.609_438,
        2.197_224_6,
        2.833_213_3,
        3.496_507_6,
    ]
};

/// Nothing is gained by more, and f32 stays far from its end.
const MOST: f32 = 1e30;

/// The detector's state: 36 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mixture {
    m: [f32; MIXTURE_RATES.len()],
}

impl Mixture {
    /// A detector that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { m: [0.0; MIXTURE_RATES.len()] }
    }

    /// An interval of `x_s` seconds ended in a pulse; `rate` is λ₀ in pulses a second and `shape` k,
    /// both chosen before the interval was seen. Returns [`Mixture::seconds`].
    ///
    /// A rate or shape that is not a positive number says nothing, and the interval is left out.
    pub fn step(&mut self, x_s: f32, rate: f32, shape: f32) -> f32 {
        self.step_with(x_s, rate, shape, rate.recip(), 80.0)
    }

    /// As [`Mixture::step`], for intervals that stand for `weight_s` seconds each (chosen before, and not
    /// longer than what passes between two of them on average), and with the logarithm of what one interval
    /// can prove cut off at `most`: an e-value that is cut off is still one, and no single stray
    /// pulse decides.
    pub fn step_with(&mut self, x_s: f32, rate: f32, shape: f32, weight_s: f32, most: f32) -> f32 {
        if !(rate > 0.0 && shape > 0.0 && rate.is_finite() && shape.is_finite() && x_s >= 0.0) {
            return self.seconds();
        }
        let u = x_s * rate;
        // Every e-value is below e^-30 then: an idle meter costs no exponentials.
        if shape * ((MIXTURE_RATES[0] - 1.0) * u - LOGS[0]) > 30.0 {
            self.m = [0.0; MIXTURE_RATES.len()];
            return 0.0;
        }
        for j in 0..self.m.len() {
            let log_e = shape * (LOGS[j] - (MIXTURE_RATES[j] - 1.0) * u);
            self.m[j] = ((self.m[j] + weight_s) * log_e.min(most).exp()).min(MOST);
        }
        self.seconds()
    }

    /// The statistic, in seconds: an alarm at A has a mean time between false alarms of at least A.
    #[must_use]
    pub fn seconds(&self) -> f32 {
        self.m.iter().zip(WEIGHTS).map(|(m, weight)| m * weight).sum()
    }

    /// How many times λ₀ the rate that explains the intervals best is.
    #[must_use]
    pub fn likeliest(&self) -> f32 {
        let mut best = 0;
        for j in 1..self.m.len() {
            if self.m[j] > self.m[best] {
                best = j;
            }
        }
        MIXTURE_RATES[best]
    }

    /// Forgets everything, after an alarm or when nothing is known of the intervals any more.
    pub fn reset(&mut self) {
        self.m = [0.0; MIXTURE_RATES.len()];
    }

    /// The state as it is stored.
    #[must_use]
    pub const fn state(&self) -> [f32; MIXTURE_RATES.len()] {
        self.m
    }

    /// From a stored state; what is no number, or negative, starts anew.
    #[must_use]
    pub fn from_state(m: [f32; MIXTURE_RATES.len()]) -> Self {
        Self { m: m.map(|m| if m >= 0.0 { m.min(MOST) } else { 0.0 }) }
    }
}

crate::state::state!(Mixture { m });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithms_are_those_of_the_rates() {
        for (rate, log) in MIXTURE_RATES.iter().zip(LOGS) {
            assert!((rate.ln() - log).abs() < 1e-6, "{rate}: {log}");
        }
    }

    #[test]
    fn an_interval_as_expected_says_little_and_a_short_one_much() {
        let mut calm = Mixture::new();
        let mut leak = Mixture::new();
        for _ in 0..200 {
            calm.step(3.6, 1.0 / 3.6, 1.0);
            leak.step(1.8, 1.0 / 3.6, 1.0);
        }
        assert!(calm.seconds() < 3_600.0, "{}", calm.seconds());
        assert!(leak.seconds() > 3.15e7, "{}", leak.seconds());
        assert_eq!(leak.likeliest(), 2.2, "nearest to twice");
    }

    #[test]
    fn regular_pulses_need_two() {
        let mut leak = Mixture::new();
        let steps = (1..).find(|_| leak.step(18.0, 1.0 / 36.0, 100.0) >= 3.156e7);
        assert_eq!(steps, Some(1));
    }

    #[test]
    fn what_is_no_number_changes_nothing() {
        let mut m = Mixture::new();
        m.step(1.0, 1.0, 1.0);
        let before = m;
        for (x, rate, shape) in [
            (f32::NAN, 1.0, 1.0),
            (-1.0, 1.0, 1.0),
            (1.0, 0.0, 1.0),
            (1.0, f32::INFINITY, 1.0),
            (1.0, 1.0, f32::NAN),
        ] {
            m.step(x, rate, shape);
        }
        assert_eq!(m, before);
        assert_eq!(Mixture::from_state([f32::NAN; 9]), Mixture::new());
    }

    #[test]
    fn nothing_overflows() {
        let mut m = Mixture::new();
        for _ in 0..10_000 {
            m.step(0.0, 1e-6, 400.0);
        }
        assert!(m.seconds().is_finite());
        m.step(1e30, 1e6, 400.0);
        assert_eq!(m.seconds(), 0.0);
    }
}
