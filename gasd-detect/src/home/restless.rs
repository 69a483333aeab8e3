// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gas that never rests, or not as it used to: the base flow, the runs within a day, the rests within days. Whichever
//! finds it first says it, and the others are quiet about it until it has rested.

use super::base::Rise;
use super::{Home, LOAD_DAYS, Limits, Unexplained};
use crate::sensitivity::{Said, Topic};
use crate::units::SECOND_NS;

/// Proved mean time between false alarms about the base flow, s: two years.
const BASE_ARL_S: f32 = 6.3e7;
/// Base flow that was said and has not rested since is not said again before this time has passed, ns: 90 days.
const BASE_QUIET_NS: u64 = 90 * 86_400 * SECOND_NS;
/// What comes after a rest is another rise, unless it comes so soon, ns: cold spells and guests stay for some days.
const RESTED_QUIET_NS: u64 = 7 * 86_400 * SECOND_NS;

impl Home {
    pub(super) fn risen(
        &mut self,
        rise: Option<Rise>,
        now_ns: u64,
        limits: &Limits<'_>,
        say: &mut dyn FnMut(Unexplained),
    ) {
        let arl_s = BASE_ARL_S * self.base.doubt() * self.sensitivity.times(Topic::BaseFlow);
        let Some(rise) = rise.filter(|rise| limits.rules.learns && rise.process >= arl_s) else { return };
        if self.runs.told(now_ns) {
            self.base.drop_evidence();
            return;
        }
        let quiet_ns = if self.base.open { BASE_QUIET_NS } else { RESTED_QUIET_NS };
        if self.base_said_ns != 0 && now_ns.saturating_sub(self.base_said_ns) < quiet_ns {
            return;
        }
        self.base_said_ns = now_ns;
        self.base.calm();
        say(Unexplained::Base(rise, arl_s));
    }

    pub(super) fn rests(
        &mut self,
        last_ns: u64,
        now_ns: u64,
        pulse: bool,
        limits: &Limits<'_>,
        say: &mut dyn FnMut(Unexplained),
    ) {
        let known = self.knows_rests(limits);
        let gap_s = self.base.ended_gap_s(limits.grain()).filter(|_| known);
        if !known {
            self.rest.learn(last_ns);
        }
        // What was told is told again only by the rule's own time.
        let comes_down = known && !self.base.open && !self.runs.told(now_ns);
        let rules = (limits.rules.never_zero_days, limits.rules.silence_days, comes_down);
        if let Some(restless) = self.rest.gap(last_ns, now_ns, pulse, gap_s, rules) {
            say(Unexplained::Rest(restless));
        }
    }

    /// A pulse at `t_ns` after silence since `silent_ns`.
    pub(super) fn runs(
        &mut self,
        silent_ns: u64,
        t_ns: u64,
        limits: &Limits<'_>,
        say: &mut dyn FnMut(Unexplained),
    ) {
        // Means hide the pauses of a boiler: in homes that were read each hour two runs in 7.5 years were none.
        if !limits.sharp() || !self.runs.pulse(silent_ns, t_ns, limits.grain()) {
            return;
        }
        if self.runs.is_new_flame(t_ns) {
            self.relearn_base();
        }
        let known = limits.rules.never_zero_days.is_finite() && self.knows_rests(limits);
        let Some(run) = self.runs.judge(t_ns, limits.grain(), known) else { return };
        // What rose and was said has not rested since.
        if !self.base.open {
            self.base.drop_evidence();
            say(Unexplained::Run(run));
        }
    }

    /// More base flow that was told was a leak: a person said so.
    pub fn base_leaked(&mut self) {
        self.base.leaked();
        self.runs.answer(Said::RealLeak, 0);
    }

    /// A person said what a verdict about gas that does not rest was. A night through which it was heated is no base flow:
    /// that is learned anew only where what was called right goes on for a week.
    pub fn answer_no_rest(&mut self, said: Said) {
        let last_ns = self.last_ns.unwrap_or_default();
        self.runs.answer(said, last_ns);
        if said == Said::FalseAlarm {
            self.rest.learn(last_ns);
        }
    }

    fn knows_rests(&self, limits: &Limits<'_>) -> bool {
        limits.rules.learns && self.base.learned() && self.hours.days >= LOAD_DAYS
    }
}
