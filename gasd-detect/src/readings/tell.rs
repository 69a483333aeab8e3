// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a register's reader may be told beside readings.

use super::Readings;
use crate::inputs::Input;
use crate::profile::Rules;
use crate::sensitivity::{Said, Topic};
use crate::verdict::Verdict;

impl Readings {
    /// Time passes without a reading: only what needs none is judged. Call it once a second while an input
    /// waits for its time, as a gas detector does.
    pub fn tick(&mut self, now_ns: u64) -> Option<Verdict> {
        self.engine.judge_inputs(now_ns)
    }

    /// Something else than a reading happened at `t_ns`.
    pub fn input(&mut self, input: Input, t_ns: u64) -> Option<Verdict> {
        self.valve_moved |= matches!(input, Input::Valve(open) if self.engine.valve() != Some(open));
        self.engine.input(input, t_ns)
    }

    /// The valve was found open or closed at `now_ns`; see [`Engine::set_valve`].
    pub fn set_valve(&mut self, open: bool, now_ns: u64) {
        self.valve_moved |= self.engine.valve() != Some(open);
        self.engine.set_valve(open, now_ns);
    }

    /// Nobody has watched the valve for a while; see [`Engine::forget_valve`](crate::Engine::forget_valve).
    pub const fn forget_valve(&mut self) {
        self.engine.forget_valve();
    }

    /// A person said what a verdict was; see [`Engine::hear`](crate::Engine::hear).
    pub fn hear(&mut self, topic: Topic, said: Said, now_ns: u64) {
        self.engine.hear(topic, said, now_ns);
    }

    /// The meter was exchanged, or its register set: the next reading begins anew, and nothing is said. What was
    /// learned of the home stays.
    pub fn exchanged(&mut self) {
        self.exchanged = self.last.is_some();
    }

    /// Civil time is the readings' clock plus `offset_ns`; see [`Engine::set_civil_offset`].
    pub fn set_civil_offset(&mut self, offset_ns: i64) {
        self.engine.set_civil_offset(offset_ns);
    }

    /// It is read on another way from now on; see [`ReadingsConfig::tells_late`](super::ReadingsConfig::tells_late).
    pub const fn set_tells_late(&mut self, tells_late: bool) {
        self.cfg.tells_late = tells_late;
    }

    /// Goes by other rules from now on, as far as readings like these can serve them.
    pub fn set_rules(&mut self, rules: Rules) {
        self.cfg.rules = rules;
        self.engine.set_rules(self.cfg.served(rules));
    }

    /// Replaces the thresholds; see [`Engine::set_thresholds`].
    pub fn set_thresholds(&mut self, thresholds_m3_per_h: [f64; 3]) {
        self.cfg.thresholds_m3_per_h = thresholds_m3_per_h;
        self.engine.set_thresholds(thresholds_m3_per_h);
    }

    /// A person said what a verdict about gas that does not rest was; see [`Engine::hear_no_rest`].
    pub fn hear_no_rest(&mut self, said: Said) {
        self.engine.hear_no_rest(said);
    }

    /// A person said that a verdict about the base flow was a false alarm; see [`Engine::accept_base_flow`].
    pub fn accept_base_flow(&mut self) {
        self.engine.accept_base_flow();
    }
}
