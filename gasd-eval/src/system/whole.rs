// SPDX-License-Identifier: MIT OR Apache-2.0
//! gasd's own engine with one of its profiles.

use gasd_detect::{Engine, Profile, Rules, Severity, Verdict};

use super::judge::Spec;
use crate::detector::{Alarm, Detector, Level};
use crate::household::zone::Clock;

/// `gasd_detect::Engine`, as the service runs it.
#[derive(Clone)]
pub struct Whole {
    engine: Engine,
    clock: Clock,
    profile: Profile,
    now_ns: u64,
}

impl Whole {
    /// The engine at a meter.
    #[must_use]
    pub fn new(spec: &Spec, profile: Profile) -> Self {
        Self::with_rules(spec, profile.rules(), profile)
    }

    /// Rules that were changed from those of `profile`.
    pub fn with_rules(spec: &Spec, rules: Rules, profile: Profile) -> Self {
        let engine = spec.engine(rules);
        Self { engine, clock: Clock::new(spec.zone), profile, now_ns: 0 }
    }

    fn set_clock(&mut self, now_ns: u64) {
        if let Some(offset_ns) = self.clock.changed(now_ns) {
            self.engine.set_civil_offset(offset_ns);
        }
    }

    fn note(&mut self, verdict: Option<Verdict>, now_ns: u64, alarms: &mut Vec<Alarm>) {
        self.now_ns = now_ns;
        let Some(verdict) = verdict else { return };
        let level = match verdict.severity {
            Severity::Critical => Level::Critical,
            Severity::Warning => Level::Warning,
            Severity::Notice | Severity::Info => return,
        };
        alarms.push(Alarm { t_ns: now_ns, level, kind: verdict.evidence.rule.name() });
    }
}

impl Detector for Whole {
    fn name(&self) -> String {
        self.profile.name().into()
    }

    fn pulse(&mut self, t_ns: u64, alarms: &mut Vec<Alarm>) {
        self.set_clock(t_ns);
        let verdict = self.engine.pulse(t_ns, t_ns);
        self.note(verdict, t_ns, alarms);
    }

    fn tick(&mut self, now_ns: u64, alarms: &mut Vec<Alarm>) {
        self.set_clock(now_ns);
        let verdict = self.engine.tick(now_ns);
        self.note(verdict, now_ns, alarms);
    }

    fn due_ns(&self) -> u64 {
        self.engine.due_ns(self.now_ns)
    }
}
