// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a running engine may be told beside pulses and inputs.

use crate::inputs::Broken;
use crate::profile::Rules;
use crate::sensitivity::{Heard, Said, Topic};

use super::Engine;

impl Engine {
    /// Goes by other rules from now on. What was seen and learned stays.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// A person said at `now_ns` what a verdict of this topic was: its threshold is raised or put back. A base flow
    /// that was no leak is learned anew, see [`Engine::accept_base_flow`].
    pub fn hear(&mut self, topic: Topic, said: Said, now_ns: u64) {
        self.home.sensitivity.hear(topic, said, now_ns);
        if (topic, said) == (Topic::BaseFlow, Said::RealLeak) {
            self.home.base_leaked();
        }
    }

    /// A person said what a verdict about gas that does not rest ([`crate::Kind::NeverZero`]) was. What was called right is
    /// usual from now on, and learned as a base flow if it goes on for a week; of a leak nothing is learned.
    pub fn hear_no_rest(&mut self, said: Said) {
        self.home.answer_no_rest(said);
    }

    /// What people said so far, and what the thresholds are multiplied by for it.
    pub fn heard(&self) -> impl Iterator<Item = Heard> {
        self.home.sensitivity.heard()
    }

    /// The rules it goes by.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Nobody has watched the valve for a while: where it is is not known until it is told.
    pub const fn forget_valve(&mut self) {
        (self.inputs.open, self.inputs.pulses) = (None, 0);
    }

    /// The valve was found open (`true`) or closed at `now_ns`, without having been seen to move: gas that
    /// flows through an open one flows rightly, gas behind a closed one does not. That it moves is an
    /// [`Input::Valve`](crate::Input::Valve).
    pub fn set_valve(&mut self, open: bool, now_ns: u64) {
        (self.inputs.open, self.inputs.valve_ns, self.inputs.pulses) = (Some(open), now_ns, 0);
        if open {
            self.inputs.said |= 1 << Broken::AfterOpening as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Input, Kind, Profile};

    const S: u64 = 1_000_000_000;

    fn engine() -> Engine {
        Engine::new(EngineConfig {
            pulse_volume_ul: 10_000_000,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: Profile::JpMicom.rules(),
        })
    }

    fn kinds(engine: &mut Engine, from_s: u64) -> Vec<Kind> {
        (0..5)
            .filter_map(|i| engine.pulse((from_s + 40 * i) * S, (from_s + 40 * i) * S))
            .map(|v| v.kind)
            .collect()
    }

    #[test]
    fn a_valve_that_was_found_open_was_not_opened() {
        let mut found = engine();
        found.set_valve(true, 1000 * S);
        assert_eq!(kinds(&mut found, 1010), []);
        found.input(Input::Valve(false), 2000 * S);
        found.input(Input::Valve(true), 3000 * S);
        assert_eq!(kinds(&mut found, 3010), [Kind::FlowAfterOpening]);
    }

    #[test]
    fn gas_behind_a_valve_that_was_found_closed_is_said() {
        let mut found = engine();
        found.set_valve(false, 1000 * S);
        assert_eq!(kinds(&mut found, 1100), [Kind::FlowWhileClosed]);
    }

    #[test]
    fn rules_change_under_a_running_engine() {
        let mut engine = engine();
        let other = Profile::JpMicom.rules();
        engine.set_rules(other);
        assert_eq!(*engine.rules(), other);
    }
}
