// SPDX-License-Identifier: MIT OR Apache-2.0
//! The connected load: more than all appliances take together is a pipe that is open.
//!
//! The envelope is what was learned, with a margin, and at most the meter's own limit (rule R1: Japanese
//! meters shut at 1.8 times their nominal flow). Whether the flow is above it is judged by an e-detector on
//! the intervals, whose mean time to a false alarm is at least [`ARL_S`] while the flow stays below.

use crate::stat::Mixture;
use crate::units::{SECOND_NS, flow_m3_per_h};

/// Proved mean time between false alarms of a home whose flow stays below its envelope, s: ten years.
const ARL_S: f32 = 3.156e8;
/// Regularity that is taken for granted of the intervals at a steady flow: a spread of 14 %, several times
/// that of a diaphragm meter.
const SHAPE: f32 = 50.0;
/// Logarithm of what one interval proves at most: a stray pulse makes two short ones, and two
/// are not enough.
const MOST: f32 = 10.0;
/// Above what was learned.
const MARGIN: f32 = 1.15;
/// The sum of the appliances counts up to so many times the highest flow that was seen.
const SUM_MOST: f32 = 1.4;
/// A step larger than any before by this factor, to a flow higher than any before by the next, is no appliance.
const STEP_MARGIN: f32 = 1.12;
const PEAK_MARGIN: f32 = 1.03;
/// No home's envelope is below this, m³/h: a larger cooker may come.
const LEAST: f32 = 1.0;

/// The connected load of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Load {
    /// Highest flow of a plateau, m³/h.
    pub peak: f32,
    /// Largest step up, m³/h.
    pub step: f32,
    /// Evidence that the flow is above the envelope.
    pub mixture: Mixture,
    /// The flow has been below it since the alarm.
    pub said: bool,
    /// The pulses before, ns, the last one first: where the rise began.
    pub since_ns: u64,
}

/// A flow above the envelope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Excess {
    /// The envelope, m³/h.
    pub envelope: f32,
    /// The flow of the last interval, m³/h.
    pub flow: f32,
    /// The statistic, s, and what it had to reach.
    pub process: f32,
    /// See `process`.
    pub arl_s: f32,
    /// When it rose, ns.
    pub since_ns: u64,
}

impl Load {
    /// The envelope, m³/h, with what all known appliances take together and the meter's own limit.
    pub fn envelope(&self, sum: f32, limit: f32) -> f32 {
        (MARGIN * self.peak.max(sum.min(SUM_MOST * self.peak))).max(LEAST).min(limit)
    }

    /// A plateau of `flow` m³/h was seen, after a step up by `step` or less, and nothing is wrong.
    pub fn learn(&mut self, flow: f32, step: f32) {
        self.peak = self.peak.max(flow);
        self.step = self.step.max(step);
    }

    /// A step up that is larger than any before and ends higher than the flow ever was: the limit that it
    /// broke, m³/h. Several appliances together may be a record, and so may two that are lit at once, but
    /// hardly ever both.
    pub fn leap(&self, from: f32, to: f32) -> Option<f32> {
        let limit = self.step * STEP_MARGIN;
        (self.step > 0.0 && to > LEAST && to > self.peak * PEAK_MARGIN && to - from > limit).then_some(limit)
    }

    /// An interval from `from_ns` to `to_ns` of `pulse_ul` (µL), with the envelope that was valid before it. The
    /// e-detector is held to `times` [`ARL_S`], 1 or more; for a flow from the meter's `own` limit on (m³/h, R1) to
    /// [`ARL_S`] itself.
    pub fn interval(
        &mut self,
        (from_ns, to_ns): (u64, u64),
        pulse_ul: u64,
        envelope: f32,
        (times, own): (f32, f32),
    ) -> Option<Excess> {
        let span_ns = to_ns.saturating_sub(from_ns);
        let x_s = (span_ns as f64 / SECOND_NS as f64) as f32;
        let rate = envelope / 3.6e-6 / pulse_ul as f32;
        let before = self.mixture.seconds();
        // Intervals count at the rate of the envelope; the home's are longer, so that is the safe side.
        let process = self.mixture.step_with(x_s, rate, SHAPE, rate.recip(), MOST);
        if before < rate.recip() {
            self.since_ns = from_ns;
            self.said = false;
        }
        if process < ARL_S || self.said {
            return None;
        }
        let flow = flow_m3_per_h(pulse_ul as f64, span_ns) as f32;
        let arl_s = if flow < own { times * ARL_S } else { ARL_S };
        if process < arl_s {
            return None;
        }
        self.said = true;
        Some(Excess { envelope, flow, process, arl_s, since_ns: self.since_ns })
    }
}

crate::state::state!(Load { peak, step, mixture, said, since_ns });

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_L: u64 = 10_000_000;

    fn pulses(load: &mut Load, from_s: f64, flow: f64, n: u32) -> Option<(u32, Excess)> {
        let interval = 0.01 / flow * 3600.0;
        (1..=n).find_map(|i| {
            let t = |i: u32| ((from_s + f64::from(i) * interval) * 1e9) as u64;
            load.interval((t(i - 1), t(i)), TEN_L, 2.5, (1.0, 10.8)).map(|e| (i, e))
        })
    }

    #[test]
    fn a_hose_is_found_within_88_litres_and_said_once() {
        let mut load = Load::default();
        assert_eq!(pulses(&mut load, 0.0, 2.2, 10_000), None);
        let (n, excess) = pulses(&mut load, 1e6, 4.0, 100).unwrap();
        assert!(n <= 8, "{n}");
        assert!((excess.flow - 4.0).abs() < 0.01);
        assert_eq!(pulses(&mut load, 2e6, 4.0, 100), None);
    }

    #[test]
    fn a_raised_threshold_holds_below_the_meters_own_limit_only() {
        let found = |flow: f64, times: f32| {
            let interval = 0.01 / flow * 3600.0;
            let mut load = Load::default();
            (1..100u32).find_map(|i| {
                let t = |i: u32| ((f64::from(i) * interval) * 1e9) as u64;
                load.interval((t(i - 1), t(i)), TEN_L, 2.5, (times, 10.8))
            })
        };
        for (flow, held_to) in [(3.2, 4.0 * ARL_S), (11.0, ARL_S)] {
            assert_eq!(found(flow, 4.0).map(|e| e.arl_s), Some(held_to), "{flow}");
            assert!(found(flow, 4.0).is_some_and(|e| e.process >= held_to));
        }
    }

    #[test]
    fn one_stray_pulse_is_not_enough() {
        let mut load = Load::default();
        pulses(&mut load, 0.0, 2.0, 100);
        for (from, to) in [(0.0, 18.0), (18.0, 18.1), (18.1, 36.0), (36.0, 54.0)] {
            let interval = ((from * 1e9) as u64, (to * 1e9) as u64);
            assert_eq!(load.interval(interval, TEN_L, 2.5, (1.0, 10.8)), None);
        }
    }
}
