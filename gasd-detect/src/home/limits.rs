// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is known of a meter without having learned it.

use super::base::Grain;
use crate::profile::Rules;
use crate::readings::SHARP_NS;
use crate::units::m3_per_h;

/// The mean between readings may be so many times the largest flow of the meter: its overload flow, for which it
/// is made only for a short time (Directive 2014/32/EU, annex IV: Qr/Qmax = 1.2).
const MEAN_TIMES: f32 = 1.2;

/// What is not learned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits<'a> {
    /// Volume of a pulse, µL.
    pub pulse_ul: u64,
    /// Largest flow that the meter is made for, m³/h.
    pub max_flow: f32,
    /// The rules.
    pub rules: &'a Rules,
    /// The pulses are drawn between readings so far apart, ns; 0 is a meter's own pulses.
    pub poll_ns: u64,
    /// A rule that waits may decide at so much of its own limit: the learned model's advice, 1 without.
    pub share: f32,
}

impl<'a> Limits<'a> {
    /// Of a meter for up to `max_flow_ul_per_h` (µL/h), read each `poll_ns` or pulse by pulse.
    pub fn new(pulse_ul: u64, max_flow_ul_per_h: u64, rules: &'a Rules, poll_ns: u64) -> Self {
        Self { pulse_ul, max_flow: m3_per_h(max_flow_ul_per_h) as f32, rules, poll_ns, share: 1.0 }
    }

    /// Whether single appliances show. What lies between readings further apart is a mean of several, and what
    /// the highest mean of a summer was says nothing of a winter's.
    pub const fn sharp(&self) -> bool {
        self.poll_ns <= SHARP_NS
    }

    /// How finely gaps are seen. Readings further apart than [`SHARP_NS`] are allowed no longer gap, since that would
    /// make more of theirs than is known, but a quarter of the time between two: about the standard deviation of a
    /// moment of which no more is known than the readings before and after it.
    pub const fn grain(&self) -> Grain {
        let (poll_ns, blur_ns) = if self.sharp() { (self.poll_ns, 0) } else { (0, self.poll_ns / 4) };
        Grain { pulse_ul: self.pulse_ul, poll_ns, blur_ns }
    }

    /// Flow from which the meter's own rule closes the valve (R1), m³/h.
    pub fn total(&self) -> f32 {
        let times = self.rules.total_flow_times;
        let mean = !self.sharp() && times.is_finite();
        self.max_flow * if mean { times.min(MEAN_TIMES) } else { times }
    }
}
