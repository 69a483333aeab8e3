// SPDX-License-Identifier: MIT OR Apache-2.0
//! The published system: three windows, the same thresholds for every home.

use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Kind};

use super::judge::Spec;
use crate::detector::{Alarm, Detector, Level};
use crate::household::calendar::SECOND_NS;

/// The time is of interest for so long after a surge: until it is armed again, ns.
const SETTLES_NS: u64 = 45 * SECOND_NS;

/// `gasd_detect::Engine`; a surge is critical, nothing else is an alarm.
#[derive(Clone)]
pub struct Published {
    engine: Engine,
    now_ns: u64,
    settled_ns: u64,
}

impl Published {
    pub fn new(spec: &Spec) -> Self {
        let engine = Engine::new(EngineConfig {
            pulse_volume_ul: spec.pulse_ul(),
            max_flow_ul_per_h: spec.max_ul_per_h(),
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        });
        Self { engine, now_ns: 0, settled_ns: 0 }
    }

    fn note(&mut self, verdict: Option<gasd_detect::Verdict>, now_ns: u64, alarms: &mut Vec<Alarm>) {
        self.now_ns = now_ns;
        if verdict.is_some_and(|v| v.kind == Kind::Surge) {
            self.settled_ns = now_ns + SETTLES_NS;
            alarms.push(Alarm { t_ns: now_ns, level: Level::Critical, kind: "surge" });
        }
    }
}

impl Detector for Published {
    fn name(&self) -> String {
        "published".into()
    }

    fn pulse(&mut self, t_ns: u64, alarms: &mut Vec<Alarm>) {
        if self.settled_ns > self.now_ns {
            self.settled_ns = t_ns + SETTLES_NS;
        }
        let verdict = self.engine.pulse(t_ns, t_ns);
        self.note(verdict, t_ns, alarms);
    }

    fn tick(&mut self, now_ns: u64, alarms: &mut Vec<Alarm>) {
        let verdict = self.engine.tick(now_ns);
        self.note(verdict, now_ns, alarms);
    }

    fn due_ns(&self) -> u64 {
        if self.settled_ns > self.now_ns { self.now_ns + SECOND_NS } else { u64::MAX }
    }
}
