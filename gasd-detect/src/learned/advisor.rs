// SPDX-License-Identifier: MIT OR Apache-2.0
//! Follows a use of gas, asks the model once a minute, and says how much less a rule may ask for.

use super::features::{Features, LOG_LOWEST, LOG_MINUTES, LOG_SINCE_STEP, UNSTEADY, View, log_flow};
use super::model::State;
use super::{HALF, Learned, SHIPPED};
use crate::units::SECOND_NS;

/// The model is asked not more often than this, ns.
const STEP_NS: u64 = 60 * SECOND_NS;
/// A use ends after so long without a pulse, ns.
const REST_NS: u64 = 600 * SECOND_NS;

/// What the model was asked, and where the rules were: for training and measuring.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation {
    /// When, ns.
    pub t_ns: u64,
    /// What it was told.
    pub features: Features,
    /// How far the furthest of the advised rules was by itself; 1 decides.
    pub part: f32,
    /// How many steps this use has had, with this one.
    pub step: u32,
    /// What it answered.
    pub logit: f32,
}

/// The advisor of one meter. It is not stored: after a restart it says nothing until the gas has rested.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Advisor {
    /// The use was seen from its beginning, since then, ns.
    since_ns: Option<u64>,
    last_ns: u64,
    /// The lowest flow and the last one of the use, m³/h.
    lowest: f32,
    flow: f32,
    seen: Observation,
    state: State,
    /// Logarithm of the e-value of the episode: as long as a rule is half-way without a break. None before.
    log_e: Option<f32>,
}

impl Advisor {
    /// What was under way is not known any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The part of its own limit that a rule may decide at, at `now_ns`: [`HALF`] to 1, times the scale.
    pub fn share(&self, learned: &Learned, now_ns: u64) -> f32 {
        let Learned::Advise(advice) = learned else { return 1.0 };
        let rests = now_ns.saturating_sub(self.last_ns) > REST_NS;
        // Nothing is taken off where `full` cannot be reached, or is no number.
        let heard = !rests && advice.full > 1.0 && advice.full.is_finite();
        let part = |log_e: f32| (log_e / advice.full.ln()).clamp(0.0, 1.0);
        let taken = self.log_e.filter(|_| heard).map_or(0.0, part);
        advice.scale * (1.0 - (1.0 - HALF) * taken)
    }

    /// The last time that the model was asked.
    pub fn seen(&self) -> Option<&Observation> {
        (self.seen.step > 0).then_some(&self.seen)
    }

    /// A pulse came at `t_ns`; `view` says how things are with it.
    pub fn pulse(&mut self, t_ns: u64, view: impl FnOnce() -> View) {
        let silent = t_ns.saturating_sub(self.last_ns);
        self.last_ns = t_ns;
        if silent > REST_NS {
            *self = Self { since_ns: Some(t_ns), last_ns: t_ns, ..Self::default() };
            self.seen.t_ns = t_ns;
            return;
        }
        let Some(since_ns) = self.since_ns else { return };
        let stepped_ns = t_ns.saturating_sub(self.seen.t_ns);
        if stepped_ns < STEP_NS {
            return;
        }
        let View { mut features, flow, part, known } = view();
        // A state that was damaged holds numbers that are none; nothing is said of them.
        if !(known && flow > 0.0 && flow.is_finite() && part.is_finite()) {
            return;
        }
        let first = self.seen.step == 0;
        self.lowest = if first { flow } else { self.lowest.min(flow) };
        let before = if first { flow } else { self.flow };
        let seconds = |ns: u64| ns as f32 / SECOND_NS as f32;
        features[UNSTEADY] = (log_flow(flow) - log_flow(before)).abs().min(2.0);
        features[LOG_MINUTES] = (seconds(t_ns.saturating_sub(since_ns)) / 60.0).ln_1p() / 3.0;
        features[LOG_LOWEST] = log_flow(self.lowest);
        features[LOG_SINCE_STEP] = (seconds(stepped_ns) / 60.0).ln();
        self.flow = flow;
        let logit = SHIPPED.step(&features, &mut self.state);
        self.seen = Observation { t_ns, features, part, step: self.seen.step.saturating_add(1), logit };
        let now = SHIPPED.log_e(logit);
        self.log_e = (part >= HALF).then(|| self.log_e.map_or(now, |log_e| log_e.max(now)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::Advice;
    use crate::learned::features::FEATURES;

    const ADVISE: Learned = Learned::Advise(Advice { full: 10.0, scale: 1.0 });

    fn view(part: f32) -> View {
        View { features: [0.5; FEATURES], flow: 1.0, part, known: true }
    }

    /// A use of some minutes, with a rule so far in the last of them.
    fn used(minutes: u64, part: f32) -> (Advisor, u64) {
        let mut advisor = Advisor::default();
        let begin = 3600 * SECOND_NS;
        for minute in 0..=minutes {
            advisor.pulse(begin + minute * STEP_NS, || view(if minute == minutes { part } else { 0.1 }));
        }
        (advisor, begin + minutes * STEP_NS)
    }

    #[test]
    fn off_it_changes_nothing() {
        let (mut advisor, now) = used(40, 0.9);
        advisor.log_e = Some(50.0);
        assert_eq!(advisor.share(&Learned::Off, now), 1.0);
    }

    #[test]
    fn before_a_rule_is_half_way_it_is_not_heard() {
        let (advisor, now) = used(40, 0.49);
        assert_eq!(advisor.log_e, None);
        assert_eq!(advisor.share(&ADVISE, now), 1.0);
        let (advisor, _) = used(40, 0.5);
        assert!(advisor.log_e.is_some());
    }

    #[test]
    fn whatever_it_says_half_of_the_rules_own_is_asked_for() {
        let (mut advisor, now) = used(40, 0.5);
        let mut last = f32::INFINITY;
        for log_e in [f32::NEG_INFINITY, -3.0, 0.0, 0.5, 1.0, 2.0, 3.0, 80.0, f32::INFINITY] {
            advisor.log_e = Some(log_e);
            let share = advisor.share(&ADVISE, now);
            assert!((HALF..=1.0).contains(&share) && share <= last, "{log_e}: {share}");
            last = share;
        }
        assert_eq!(last, HALF);
        assert_eq!(advisor.share(&ADVISE, now + REST_NS + 1), 1.0, "a use that is over is not spoken of");
        for full in [f32::INFINITY, f32::NAN, 1.0, 0.0, -1.0] {
            assert_eq!(advisor.share(&Learned::Advise(Advice { full, scale: 1.0 }), now), 1.0, "{full}");
        }
    }

    #[test]
    fn a_use_that_was_not_seen_from_its_beginning_is_not_spoken_of() {
        let (mut advisor, now) = used(40, 0.9);
        assert!(advisor.seen().is_some());
        advisor.forget();
        // Within the rest after time 0 nothing tells that the gas has rested.
        for minute in 0..5 {
            advisor.last_ns = now + minute * STEP_NS;
            advisor.pulse(now + minute * STEP_NS, || view(0.9));
        }
        assert_eq!(advisor.seen(), None);
    }
}
