// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a plain meter with a valve does: too much flow for a minute, gas for half a day.

use super::judge::Spec;
use crate::detector::{Alarm, Detector, Level};
use crate::household::calendar::{HOUR_NS, SECOND_NS};

/// So much above the meter's largest flow is too much: the factor of the Japanese total-flow table.
const FACTOR: f64 = 1.8;
/// For longer than this, ns.
const TOO_MUCH_NS: u64 = 60 * SECOND_NS;
/// A counter that stands still for an hour says that nothing leaks.
const STILL_NS: u64 = HOUR_NS;
/// Gas that never stands still for so long is an alarm.
const NEVER_STILL_NS: u64 = 12 * HOUR_NS;

/// Static thresholds.
#[derive(Clone)]
pub struct Threshold {
    /// Pulses that come faster than this are too much flow, ns.
    interval_ns: u64,
    last_ns: u64,
    /// Since when every interval was shorter.
    fast_ns: Option<u64>,
    fast_said: bool,
    /// Since when the counter has not stood still.
    moving_ns: Option<u64>,
    moving_said: bool,
}

impl Threshold {
    pub fn new(spec: &Spec) -> Self {
        let litres_per_s = FACTOR * spec.max_m3_per_h / 3.6;
        Self {
            interval_ns: (spec.pulse_l / litres_per_s * SECOND_NS as f64) as u64,
            last_ns: 0,
            fast_ns: None,
            fast_said: false,
            moving_ns: None,
            moving_said: false,
        }
    }
}

impl Detector for Threshold {
    fn name(&self) -> String {
        "static threshold".into()
    }

    fn pulse(&mut self, t_ns: u64, alarms: &mut Vec<Alarm>) {
        let interval = t_ns - self.last_ns;
        if interval > self.interval_ns {
            (self.fast_ns, self.fast_said) = (None, false);
        } else {
            let since = *self.fast_ns.get_or_insert(self.last_ns);
            if t_ns - since > TOO_MUCH_NS && !self.fast_said {
                self.fast_said = true;
                alarms.push(Alarm { t_ns, level: Level::Critical, kind: "total flow" });
            }
        }
        if interval >= STILL_NS {
            (self.moving_ns, self.moving_said) = (None, false);
        }
        let since = *self.moving_ns.get_or_insert(t_ns);
        if t_ns - since > NEVER_STILL_NS && !self.moving_said {
            self.moving_said = true;
            alarms.push(Alarm { t_ns, level: Level::Warning, kind: "never still" });
        }
        self.last_ns = t_ns;
    }

    fn tick(&mut self, _now_ns: u64, _alarms: &mut Vec<Alarm>) {}

    fn due_ns(&self) -> u64 {
        u64::MAX
    }
}
