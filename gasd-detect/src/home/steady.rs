// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flame that stays as it is: for how long the flow has been about one rate, whatever came and went above
//! it meanwhile.
//!
//! A burner that was forgotten is what is left whenever everything else is off. So for each rate the time is
//! counted in which the flow was about this rate since it was last below: a boiler that fires meanwhile stops the
//! count, and only less flow ends it. A boiler's own firing counts at its own rate and not at those of the burners
//! below, so a winter's heating does not make a small flame look usual.

use super::dwell::Dwell;

/// Rates: from 25 L/h on, each [`RATIO`] times the one before; one counts up to the second next.
pub(crate) const RATES: usize = 18;
const LOWEST: f32 = 0.025;
const RATIO: f32 = 1.35;
/// Shorter ones are turns of a knob and not learned, s.
const SHORT_S: f32 = 60.0;
/// No time is too long that is shorter than this, s, or in which less than this volume, m³, passed, up to
/// [`SIMMER_S`]: roasts last for hours, stews for more on a small flame.
const LEAST_S: f32 = 1.85 * 3600.0;
const LEAST_M3: f32 = 0.3;
const SIMMER_S: f32 = 2.75 * 3600.0;
/// From this rate on, m³/h, it may be a boiler or a gas fire, and no first cold day is told before this, s.
const HEATS: f32 = 0.27;
const HEATS_S: f32 = 3.0 * 3600.0;
/// What is usual, or the least, may be exceeded by so much: a tenth less of patience is half as many false warnings more,
/// and hardly a burner.
const PATIENCE: f32 = 1.1;
/// Before a year is over (its days forgotten as in the hours) the winter may not have been seen: such a rate may
/// last so many times as long.
const YEAR_DAYS: f32 = 255.0;
const UNSEEN: f32 = 1.5;

/// One rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rate {
    /// For how long the flow has been about this, s.
    pub run_s: f32,
    /// How long that usually is.
    pub dwell: Dwell,
}

/// All rates of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Steady {
    pub rates: [Rate; RATES],
    /// Rates whose present run has raised its alarm, as bits.
    pub said: u32,
}

/// A flame that stays for too long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stays {
    /// About this, m³/h: the lower bound and the upper one.
    pub rate: (f32, f32),
    /// For so long, s.
    pub run_s: f32,
    /// How long it may, s.
    pub allowed_s: f32,
}

/// The lower bound of each rate, m³/h.
const FROM: [f32; RATES] = {
    let mut from = [LOWEST; RATES];
    let mut i = 1;
    while i < RATES {
        from[i] = from[i - 1] * RATIO;
        i += 1;
    }
    from
};

impl Steady {
    /// The flow was `flow` m³/h for `seconds`.
    pub fn flow(&mut self, flow: f32, seconds: f32) {
        for (i, (rate, low)) in self.rates.iter_mut().zip(FROM).enumerate() {
            if flow < low {
                if rate.run_s >= SHORT_S {
                    rate.dwell.learn(rate.run_s);
                }
                rate.run_s = 0.0;
                self.said &= !(1 << i);
            } else if flow < low * RATIO * RATIO {
                rate.run_s += seconds;
            }
        }
    }

    /// The first rate, from `least` m³/h on, at which the flow stays for too long in a home that was learned for so
    /// many `days`; `times` what it may. Not said again while it does.
    pub fn too_long(&mut self, least: f32, days: f32, times: f32) -> Option<Stays> {
        for (i, low) in FROM.into_iter().enumerate() {
            let run_s = self.rates[i].run_s;
            let Some(allowed_s) = self.allowed_s(i, least, days) else { continue };
            let allowed_s = times * allowed_s;
            if run_s > allowed_s {
                // The rates beside it would say the same.
                for beside in i.saturating_sub(2)..(i + 3).min(RATES) {
                    self.said |= 1 << beside;
                }
                return Some(Stays { rate: (low, low * RATIO * RATIO), run_s, allowed_s });
            }
        }
        None
    }

    /// Nobody knows when what was on ended: nothing is learned of it.
    pub fn lose_runs(&mut self) {
        self.rates.iter_mut().for_each(|rate| rate.run_s = 0.0);
        self.said = 0;
    }

    /// How far the rate is that is nearest to being told: its time as a part of what it may, and its time, s.
    pub fn nearest(&self, least: f32, days: f32) -> (f32, f32) {
        let part =
            |i: usize| Some((self.rates[i].run_s / self.allowed_s(i, least, days)?, self.rates[i].run_s));
        (0..RATES).filter_map(part).fold((0.0, 0.0), |best, one| if one.0 > best.0 { one } else { best })
    }

    /// How long the flow may stay at a rate that was not told yet, s, where that is known.
    fn allowed_s(&self, i: usize, least: f32, days: f32) -> Option<f32> {
        let (rate, low) = (&self.rates[i], FROM[i]);
        // Most rates are not on for long.
        if self.said & (1 << i) != 0 || rate.run_s < LEAST_S / 2.0 || low < least {
            return None;
        }
        let usual_s = rate.dwell.allowed()?;
        let volume_s = (LEAST_M3 / (low * RATIO) * 3600.0).min(SIMMER_S);
        let heats = low >= HEATS;
        let least_s = if heats { HEATS_S } else { LEAST_S.max(volume_s) };
        let unseen = if heats && days < YEAR_DAYS { UNSEEN } else { 1.0 };
        Some(PATIENCE * unseen * usual_s.max(least_s))
    }
}

crate::state::state!(Rate { run_s, dwell });
crate::state::state!(Steady { rates, said });

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty days of a burner at 0.2 m³/h for 20 minutes, beside a boiler of 1.6 that fires for hours.
    fn learned() -> Steady {
        let mut steady = Steady::default();
        for _ in 0..40 {
            steady.flow(0.2, 600.0);
            steady.flow(1.8, 7200.0);
            steady.flow(0.2, 600.0);
            steady.flow(1.6, 7200.0);
            steady.flow(0.0, 0.0);
        }
        steady
    }

    #[test]
    fn a_burner_that_stays_is_found_between_the_firings_of_a_boiler() {
        let mut steady = learned();
        let mut on_s = 0.0;
        let found = (0..100).find_map(|_| {
            steady.flow(0.2, 900.0);
            on_s += 900.0;
            let found = steady.too_long(0.0, 100.0, 1.0);
            steady.flow(1.8, 900.0);
            found.or_else(|| steady.too_long(0.0, 100.0, 1.0))
        });
        let found = found.unwrap();
        assert!(found.rate.0 < 0.2 && found.rate.1 > 0.2 && found.run_s == on_s, "{found:?} {on_s}");
        assert!((LEAST_S..LEAST_S + 1800.0).contains(&on_s), "{on_s}");
        // Not again while it stays.
        steady.flow(0.2, 90_000.0);
        assert_eq!(steady.too_long(0.0, 100.0, 1.0), None);
    }

    #[test]
    fn a_boiler_is_no_burner_and_its_first_cold_day_no_news() {
        let mut steady = learned();
        steady.flow(1.6, 3.0 * 3600.0);
        assert_eq!(steady.too_long(0.0, 100.0, 1.0), None);
        steady.flow(1.6, 6.0 * 3600.0);
        let found = steady.too_long(0.0, 100.0, 1.0).unwrap();
        assert!(found.allowed_s >= UNSEEN * HEATS_S, "{found:?}");
    }

    #[test]
    fn a_flame_that_never_goes_out_is_the_base_flow() {
        let mut steady = learned();
        steady.flow(0.2, 9000.0);
        assert_eq!(steady.too_long(0.3, 100.0, 1.0), None);
        steady.flow(0.0, 0.0);
        assert_eq!(steady.rates.iter().map(|rate| rate.run_s).sum::<f32>(), 0.0);
    }
}
