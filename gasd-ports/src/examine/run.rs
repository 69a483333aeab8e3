// SPDX-License-Identifier: MIT OR Apache-2.0
//! An examination under way: settings, listening, requests, one after the other.
//!
//! Whoever has the wire asks [`Examination::step`] what is to be done, hands in what it hears
//! ([`Examination::heard`]) and what the hardware counts ([`Examination::damage`]).

use std::collections::VecDeque;

use gasd_meters::detect::{Detector, Protocol};
use gasd_meters::poll::Line;
use gasd_meters::scan::CAPACITY;

use super::judge::is_without_rest;
use super::plan::{Plan, Setting};
use super::seen::{Asked, Listened, Observed};
use crate::wire::Damage;

/// Half a frame ends after this pause while listening, ns: it holds for every protocol.
const IDLE_NS: u64 = 1_500_000_000;

/// Other settings are tried no longer than this, ns: on a quiet line all of them are, on a noisy one each takes long.
const OTHERS_NS: u64 = 150_000_000_000;

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Set the line so; what the hardware counts is handed in after it. What came before is dropped.
    Set(Setting),
    /// Send these bytes, now.
    Send(Vec<u8>),
    /// Nothing before this time, ns, or before bytes come.
    Wait {
        /// When to ask again.
        until_ns: u64,
    },
    /// All was done: [`Examination::observed`].
    Done,
}

enum Phase {
    /// The next thing is to be chosen.
    Choose,
    /// Listens since and until then, ns.
    Listen {
        from_ns: u64,
        until_ns: u64,
        detector: Box<Detector>,
    },
    /// A request waits for silence since then, ns.
    Quiet {
        from_ns: u64,
        asked: Asked,
        line: Line,
    },
    /// A request is out, over at `end_ns`; no answer begins after `until_ns`.
    Answer {
        end_ns: u64,
        until_ns: u64,
        asked: Asked,
        line: Line,
    },
    Done,
}

/// An examination.
pub struct Examination {
    plan: Plan,
    phase: Phase,
    /// The line was set for the first time.
    begun: bool,
    /// Settings to come.
    settings: VecDeque<Setting>,
    /// When other settings began to be tried, ns.
    others_ns: Option<u64>,
    /// As the line is set.
    setting: Setting,
    /// Requests to come at this setting.
    requests: VecDeque<(Protocol, Vec<u8>)>,
    /// Whether it was listened.
    listened: Option<Listened>,
    asked: Vec<Asked>,
    /// When a byte came last, ns.
    last_ns: u64,
    /// What the hardware has counted, and what it had when this phase began.
    damage: Option<Damage>,
    damage_before: Option<Damage>,
}

impl Examination {
    /// One of a line, by this plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let setting = plan.setting;
        Self {
            settings: plan.others.clone().into(),
            others_ns: None,
            plan,
            phase: Phase::Choose,
            begun: false,
            setting,
            requests: VecDeque::new(),
            listened: None,
            asked: Vec::new(),
            last_ns: 0,
            damage: None,
            damage_before: None,
        }
    }

    /// What is to be done at `now_ns`.
    pub fn step(&mut self, now_ns: u64) -> Act {
        loop {
            match std::mem::replace(&mut self.phase, Phase::Done) {
                Phase::Done => return Act::Done,
                Phase::Choose => {
                    if let Some(act) = self.choose(now_ns) {
                        return act;
                    }
                }
                Phase::Listen { from_ns, until_ns, mut detector } => {
                    if now_ns < until_ns {
                        self.phase = Phase::Listen { from_ns, until_ns, detector };
                        return Act::Wait { until_ns };
                    }
                    detector.finish();
                    self.was_listened(&detector, now_ns.saturating_sub(from_ns));
                    self.phase = Phase::Choose;
                }
                Phase::Quiet { from_ns, asked, line } => {
                    let silent_ns = self.last_ns.saturating_add(line.quiet_ns);
                    let given_up_ns = from_ns.saturating_add(line.babble_ns);
                    if now_ns >= silent_ns {
                        let end_ns =
                            now_ns.saturating_add(line.byte_ns.saturating_mul(asked.request.len() as u64));
                        let until_ns = end_ns.saturating_add(line.answer_ns);
                        let bytes = asked.request.clone();
                        self.phase = Phase::Answer { end_ns, until_ns, asked, line };
                        return Act::Send(bytes);
                    }
                    if now_ns < given_up_ns {
                        self.phase = Phase::Quiet { from_ns, asked, line };
                        return Act::Wait { until_ns: silent_ns.min(given_up_ns) };
                    }
                    // Never silent: nothing is sent into what others say.
                    self.was_asked(Asked { request: Vec::new(), ..asked });
                }
                Phase::Answer { end_ns, until_ns, asked, line } => {
                    let due_ns = due_ns(&asked, &line, self.last_ns, until_ns);
                    if now_ns < due_ns {
                        self.phase = Phase::Answer { end_ns, until_ns, asked, line };
                        return Act::Wait { until_ns: due_ns };
                    }
                    self.was_asked(asked);
                }
            }
        }
    }

    /// Bytes came at `now_ns`.
    pub fn heard(&mut self, now_ns: u64, bytes: &[u8]) {
        self.last_ns = now_ns;
        match &mut self.phase {
            Phase::Listen { detector, .. } => {
                detector.push(now_ns, bytes);
                let listened = self.listened.get_or_insert_default();
                let count = |byte: u8| bytes.iter().filter(|other| **other == byte).count() as u64;
                listened.bytes += bytes.len() as u64;
                listened.zeros += count(0x00);
                listened.ones += count(0xFF);
            }
            Phase::Answer { end_ns, asked, .. } => {
                if now_ns < *end_ns {
                    asked.early += bytes.len();
                }
                asked.heard.extend(bytes.iter().take((2 * CAPACITY).saturating_sub(asked.heard.len())));
            }
            Phase::Quiet { asked, .. } => {
                asked.before.extend(bytes.iter().take((2 * CAPACITY).saturating_sub(asked.before.len())));
            }
            Phase::Choose | Phase::Done => {}
        }
    }

    /// What the hardware has counted since it was opened, where it counts. Handed in before [`Examination::step`].
    pub const fn damage(&mut self, damage: Option<Damage>) {
        self.damage = damage;
    }

    /// The line cannot be set as [`Act::Set`] said: nothing is asked at this setting.
    pub fn skip(&mut self) {
        self.requests.clear();
    }

    /// What is being done, in words.
    #[must_use]
    pub fn doing(&self) -> String {
        match &self.phase {
            Phase::Listen { .. } => format!("listening at {}", self.setting),
            Phase::Quiet { asked, .. } | Phase::Answer { asked, .. } => {
                let (all, left) = (self.plan.others.len() + 1, self.settings.len());
                let of = if all > 1 { format!(", setting {} of {all}", all - left) } else { String::new() };
                format!("asking in {} at {}{of}", asked.protocol, self.setting)
            }
            Phase::Choose | Phase::Done => format!("setting {}", self.setting),
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn observed(self) -> Observed {
        let listened = self.listened.unwrap_or_default();
        Observed { setting: self.plan.setting, listened, asked: self.asked }
    }

    /// What comes next; `None` where a phase was begun.
    fn choose(&mut self, now_ns: u64) -> Option<Act> {
        self.damage_before = self.damage;
        if !std::mem::replace(&mut self.begun, true) {
            self.requests = self.plan.requests(self.setting).into();
            self.phase = Phase::Choose;
            return Some(Act::Set(self.setting));
        }
        if self.listened.is_none() {
            let until_ns = now_ns.saturating_add(self.plan.listen_ns);
            self.listened = Some(Listened::default());
            self.last_ns = now_ns;
            let detector = Box::new(Detector::new(IDLE_NS));
            self.phase = Phase::Listen { from_ns: now_ns, until_ns, detector };
            return None;
        }
        if let Some((protocol, request)) = self.requests.pop_front() {
            let line = self.setting.pace(self.plan.latency_ns).line(protocol);
            let setting = self.setting;
            let (before, heard) = (Vec::new(), Vec::new());
            let asked = Asked { setting, protocol, request, before, heard, early: 0, damage: None };
            self.phase = Phase::Quiet { from_ns: now_ns, asked, line };
            return None;
        }
        if self.asked.iter().any(|asked| asked.parts().anybody()) {
            // Somebody answers: what else might be set is no question any more.
            return Some(Act::Done);
        }
        if self.is_without_rest() || now_ns > self.others_ns.get_or_insert(now_ns).saturating_add(OTHERS_NS) {
            return Some(Act::Done);
        }
        let Some(setting) = self.settings.pop_front() else { return Some(Act::Done) };
        self.setting = setting;
        self.requests = self.plan.requests(setting).into();
        self.phase = Phase::Choose;
        Some(Act::Set(setting))
    }

    /// Whether the line has no rest at its own setting: it has none at any other, and nobody can be heard through it.
    fn is_without_rest(&self) -> bool {
        self.setting == self.plan.setting
            && (self.listened.as_ref().is_some_and(is_without_rest)
                || self.asked.iter().any(|asked| asked.request.is_empty()))
    }

    fn was_listened(&mut self, detector: &Detector, for_ns: u64) {
        let damage = since(self.damage_before, self.damage);
        let frames = Protocol::ALL.map(|protocol| (protocol, detector.frames(protocol)));
        let listened = self.listened.get_or_insert_default();
        (listened.for_ns, listened.damage, listened.garbage) = (for_ns, damage, detector.garbage());
        listened.frames = frames.into_iter().filter(|(_, count)| *count > 0).collect();
    }

    fn was_asked(&mut self, asked: Asked) {
        let damage = since(self.damage_before, self.damage);
        self.asked.push(Asked { damage, ..asked });
        self.phase = Phase::Choose;
    }
}

/// When nothing is waited for any more: an answer that has begun may go on.
fn due_ns(asked: &Asked, line: &Line, last_ns: u64, until_ns: u64) -> u64 {
    let goes_on_ns = last_ns.saturating_add(line.gap_ns);
    let most_ns =
        until_ns.saturating_add(line.byte_ns.saturating_mul(CAPACITY as u64)).saturating_add(line.gap_ns);
    if asked.heard.is_empty() {
        return until_ns;
    }
    if asked.parts().answers.is_empty() {
        return goes_on_ns.max(until_ns).min(most_ns);
    }
    // Others may answer what goes to everyone.
    goes_on_ns.min(most_ns)
}

/// What was counted between two looks.
fn since(before: Option<Damage>, now: Option<Damage>) -> Option<Damage> {
    let (before, now) = (before?, now?);
    Some(Damage {
        framing: now.framing.saturating_sub(before.framing),
        parity: now.parity.saturating_sub(before.parity),
        overrun: now.overrun.saturating_sub(before.overrun),
        breaks: now.breaks.saturating_sub(before.breaks),
    })
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
