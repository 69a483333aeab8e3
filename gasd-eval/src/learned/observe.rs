// SPDX-License-Identifier: MIT OR Apache-2.0
//! An engine at work whose advisor is watched: what the model would be asked, minute by minute.

use gasd_detect::learned::{Advice, Learned, Observation};
use gasd_detect::{Engine, Kind, Profile, Verdict};

use crate::household::zone::Clock;
use crate::system::drive::Source;
use crate::system::judge::Spec;

/// An advisor that is asked and not heard.
const UNHEARD: Advice = Advice { full: f32::INFINITY, scale: 1.0 };

/// An engine, the use that goes on, and what was said.
#[derive(Clone)]
pub struct Watcher {
    engine: Engine,
    clock: Clock,
    now_ns: u64,
    /// The minutes of the use that goes on, and whether an advised rule spoke since the minute before; after the last
    /// one where it ends.
    pub open: Vec<(Observation, bool)>,
    /// One of the advised rules has spoken since the last minute.
    pub spoke: bool,
}

impl Watcher {
    /// At a meter.
    #[must_use]
    pub fn new(spec: &Spec) -> Self {
        let mut rules = Profile::EuG4.rules();
        rules.learned_model = Learned::Advise(UNHEARD);
        let engine = spec.engine(rules);
        Self { engine, clock: Clock::new(spec.zone), now_ns: 0, open: Vec::new(), spoke: false }
    }

    fn set_clock(&mut self) {
        if let Some(offset_ns) = self.clock.changed(self.now_ns) {
            self.engine.set_civil_offset(offset_ns);
        }
    }

    fn note(&mut self, verdict: Option<Verdict>) {
        let advised = |v: &Verdict| matches!(v.kind, Kind::LongUse | Kind::UnusualHour);
        self.spoke |= verdict.is_some_and(|v| advised(&v));
    }

    fn time(&mut self, t_ns: u64) {
        loop {
            let due = self.engine.due_ns(self.now_ns);
            if due >= t_ns || due <= self.now_ns {
                return;
            }
            self.now_ns = due;
            self.set_clock();
            let verdict = self.engine.tick(due);
            self.note(verdict);
        }
    }

    /// Plays what comes before `until_ns`; each use that is over goes to `over`. Stops early where `stop` says
    /// so.
    pub fn play(
        &mut self,
        source: &mut impl Source,
        until_ns: u64,
        stop: impl Fn(&Self) -> bool,
        mut over: impl FnMut(&[(Observation, bool)]),
    ) {
        while let Some(t_ns) = source.next_before(until_ns) {
            self.time(t_ns);
            self.now_ns = t_ns;
            self.set_clock();
            let verdict = self.engine.pulse(t_ns, t_ns);
            self.note(verdict);
            match self.engine.observed() {
                Some(seen) if self.open.last().is_none_or(|last| last.0.t_ns != seen.t_ns) => {
                    let (seen, mut spoke) = (*seen, core::mem::take(&mut self.spoke));
                    if seen.step == 1 {
                        if let Some(last) = self.open.last_mut() {
                            last.1 |= core::mem::take(&mut spoke);
                        }
                        over(&self.open);
                        self.open.clear();
                    }
                    self.open.push((seen, spoke));
                }
                _ => {}
            }
            if stop(self) {
                return;
            }
        }
        self.time(until_ns);
    }
}
