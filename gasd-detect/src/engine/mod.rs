// SPDX-License-Identifier: MIT OR Apache-2.0
//! One meter's engine: pulses and time in, verdicts out.

use crate::finding::Waiting;
use crate::home::{Home, Limits};
use crate::inputs::{Input, Inputs};
use crate::learned::{Advisor, Learned, Observation};
use crate::profile::Rules;
use crate::units::{SECOND_NS, m3_per_h};
use crate::verdict::{Estimate, Evidence, Kind, Process, Rule, Severity, Slope, Verdict};
use crate::windows::episode::{Episode, WINDOWS_NS};
use crate::windows::implausible::{Implausible, QUIET_NS};
use crate::windows::resolution::Resolution;
use crate::windows::track::{Mean, Track};

mod outlive;
mod polled;
mod say;
mod tell;

use outlive::SinceStored;

/// Thresholds over 1 s, 5 s and 30 s, m³/h. Cooking takes 0.2–0.8, a boiler 1–2.8, a tankless
/// heater up to 4.5; a hose that comes off passes 8–10.
pub const DEFAULT_THRESHOLDS_M3_PER_H: [f64; 3] = [5.0, 3.2, 1.8];

/// A pulse so much before the last one is a new clock and not a late record, ns.
const CLOCK_STEP_NS: u64 = 60 * SECOND_NS;

/// What an engine must know about its meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineConfig {
    /// Volume of one pulse, µL. With 0 no flow is ever seen.
    pub pulse_volume_ul: u64,
    /// Largest flow that the meter is made for, µL/h. An interval is implausible above twice that,
    /// but never below four times the first threshold: a G4 meter drops 2 mbar at its 6 m³/h, so the
    /// 22 mbar of a house main push at most 6·√11 ≈ 20 m³/h through it, and a limit among the flows
    /// that the thresholds look for would blind a small meter (G1.6: 2.5 m³/h) to a hose at 8.
    pub max_flow_ul_per_h: u64,
    /// Thresholds over 1 s, 5 s and 30 s, m³/h. One that is not a positive number is replaced by
    /// its default.
    pub thresholds_m3_per_h: [f64; 3],
    /// The rules, by [`Profile::rules`] or changed from there.
    pub rules: Rules,
}

/// Where the engine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The home is being learned: rules hold, what is usual is not known yet.
    Learning,
    /// The home is known.
    Watching,
    /// The home is known, and no gas was used for three days.
    Away,
}

impl Phase {
    /// The name used in JSON and on the bus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Learning => "learning",
            Phase::Watching => "watching",
            Phase::Away => "away",
        }
    }
}

/// No gas for so long is nobody at home, ns.
const AWAY_NS: u64 = 3 * 86_400 * SECOND_NS;

/// One meter's engine. Owns no heap; a copy is a snapshot.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) pulse_volume_ul: u64,
    max_flow_ul_per_h: u64,
    thresholds: [f64; 3],
    rules: Rules,
    /// Civil time is the clock's plus this, ns; unknown before it was told.
    civil_offset_ns: Option<i64>,
    pub(crate) track: Track,
    episode: Episode,
    implausible: Implausible,
    storm_said_ns: Option<u64>,
    pub(crate) home: Home,
    inputs: Inputs,
    waiting: Waiting,
    /// The pulses are drawn between readings so far apart, ns; 0 is a meter's own pulses.
    poll_ns: u64,
    advisor: Advisor,
    since_stored: SinceStored,
}

const _: () = assert!(size_of::<Engine>() <= 9216, "64 engines must fit into 576 KB");
const _: () = assert!(!core::mem::needs_drop::<Engine>(), "an engine owns no heap");

impl Engine {
    /// An engine that has seen nothing yet.
    #[must_use]
    pub fn new(cfg: EngineConfig) -> Self {
        let thresholds = checked(cfg.thresholds_m3_per_h);
        Self {
            pulse_volume_ul: cfg.pulse_volume_ul,
            max_flow_ul_per_h: cfg.max_flow_ul_per_h,
            thresholds,
            track: Track::new(cfg.pulse_volume_ul, limit(cfg.max_flow_ul_per_h, thresholds)),
            episode: Episode::default(),
            implausible: Implausible::default(),
            storm_said_ns: None,
            rules: cfg.rules,
            civil_offset_ns: None,
            home: Home::default(),
            inputs: Inputs::default(),
            waiting: Waiting::default(),
            poll_ns: 0,
            advisor: Advisor::default(),
            since_stored: SinceStored::default(),
        }
    }

    /// Civil time (local, for the hours of the day) is the engine's clock plus `offset_ns`. Nothing
    /// that needs a day is learned before this is told. May be told again at any time.
    pub fn set_civil_offset(&mut self, offset_ns: i64) {
        self.civil_offset_ns = Some(offset_ns);
    }

    /// Civil second of `t_ns`; 0 while it is not known.
    fn civil_s(&self, t_ns: u64) -> u64 {
        let civil = self.civil_offset_ns.map_or(0, |offset| t_ns.saturating_add_signed(offset));
        civil / SECOND_NS
    }

    /// Something else than a pulse happened at `t_ns`.
    pub fn input(&mut self, input: Input, t_ns: u64) -> Option<Verdict> {
        let broken = self.inputs.take(input, t_ns, &self.rules);
        self.broke(broken, t_ns);
        self.next(t_ns, t_ns)
    }

    /// A person said that a verdict about the base flow was a false alarm: what flows is all right, and is
    /// learned anew.
    pub fn accept_base_flow(&mut self) {
        self.home.relearn_base();
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self, now_ns: u64) -> Phase {
        if !self.home.knows_load() {
            Phase::Learning
        } else if self.track.silence(now_ns) >= AWAY_NS {
            Phase::Away
        } else {
            Phase::Watching
        }
    }

    /// Days that were learned of the home.
    #[must_use]
    pub fn days_learned(&self) -> f32 {
        self.home.days()
    }

    /// What the home takes at the most, m³/h, with a margin; before it is known what its meter may.
    #[must_use]
    pub fn envelope_m3_per_h(&self) -> f32 {
        self.home.envelope(&self.limits())
    }

    /// A time, ns, up to which nothing happens without a pulse: [`Engine::tick`] may wait until then. The
    /// windows want a tick each second while they are at work.
    #[must_use]
    pub fn due_ns(&self, now_ns: u64) -> u64 {
        if self.episode.is_busy() || !self.waiting.is_empty() {
            return now_ns.saturating_add(SECOND_NS);
        }
        self.home.due_ns(now_ns, &self.limits())
    }

    /// What the learned model was asked last in the use that goes on, if it runs.
    #[must_use]
    pub fn observed(&self) -> Option<&Observation> {
        self.advisor.seen()
    }

    fn ask_model(&mut self, t_ns: u64, civil_s: u64) {
        if self.rules.learned_model != Learned::Off && civil_s != 0 {
            let (home, rules) = (&self.home, &self.rules);
            let limits = Limits::new(self.pulse_volume_ul, self.max_flow_ul_per_h, rules, self.poll_ns);
            self.advisor.pulse(t_ns, || home.view(t_ns, civil_s, &limits));
        }
    }

    fn limits(&self) -> Limits<'_> {
        Limits::new(self.pulse_volume_ul, self.max_flow_ul_per_h, &self.rules, self.poll_ns)
    }

    /// One accepted pulse: its leading edge was at `t_ns`, it is decided at `decided_ns >= t_ns`.
    ///
    /// Rules run on the pulses' own time, so a backlog is judged as it happened. A `t_ns` up to a
    /// minute before the last pulse counts as at the last pulse; further back, the clock has started
    /// anew and so does the memory.
    ///
    /// At most one verdict a call, the gravest first; a lesser one that is due comes with the next
    /// pulse or tick.
    pub fn pulse(&mut self, t_ns: u64, decided_ns: u64) -> Option<Verdict> {
        let last_ns = self.track.last_ns().unwrap_or(0);
        let t_ns = if t_ns.saturating_add(CLOCK_STEP_NS) < last_ns {
            self.track.restart(t_ns);
            // What it called the last pulse's time is the time of this one now, as far as anybody knows.
            self.home.shift(t_ns.cast_signed().saturating_sub(last_ns.cast_signed()));
            self.inputs = self.inputs.restarted();
            self.advisor.forget();
            self.episode.restart_clock(t_ns);
            self.implausible = Implausible::default();
            self.storm_said_ns = None;
            t_ns
        } else {
            t_ns.max(last_ns)
        };
        self.resume(t_ns);
        let interval = self.track.accept(t_ns);
        // What was drawn between readings was checked against what gas can pass before, and no contact made it.
        if let Some(interval) = interval.filter(|_| self.poll_ns == 0) {
            self.implausible.note(interval.start_ns, interval.plausible);
        }
        let plausible = interval.is_none_or(|interval| interval.plausible);
        let finding = self.episode.on_pulse(t_ns, &self.track, &self.thresholds);
        let broken = self.inputs.pulse(t_ns, &self.rules);
        self.collect(finding, broken, t_ns);
        let civil_s = self.civil_s(t_ns);
        self.ask_home(t_ns, |home, limits, say| home.pulse(t_ns, civil_s, plausible, limits, say));
        let verdict = self.next(t_ns, decided_ns);
        // What it advises is for the next pulse: a valve does not wait for it.
        self.ask_model(t_ns, civil_s);
        verdict
    }

    /// `n` pulses came whose times are unknown (event ring overrun), known of at `now_ns`.
    ///
    /// They are part of the meter's total but no rate follows from them: the memory of intervals
    /// starts again at the next pulse, slopes say `span_ns` 0 until then, and a suspicion that
    /// rested on it is dropped. A follow-up that is owed waits until 30 s are known again. `n` = 0
    /// changes nothing.
    pub fn missed(&mut self, n: u64, now_ns: u64) {
        if n > 0 {
            self.track.restart(now_ns);
            self.episode.forget_intervals();
            let grain = self.limits().grain();
            self.home.forget(now_ns, grain);
            self.advisor.forget();
        }
    }

    /// The line crossed its storm limit at `t_ns`. Said at most once in 10 minutes: interference comes and
    /// goes for hours, and every crossing is counted beside the line.
    pub fn storm(&mut self, t_ns: u64) -> Option<Verdict> {
        if self.storm_said_ns.is_some_and(|said| t_ns.saturating_sub(said) < QUIET_NS) {
            return None;
        }
        self.storm_said_ns = Some(t_ns);
        Some(Verdict {
            kind: Kind::EdgeStorm,
            severity: Severity::Warning,
            t_ns,
            decided_ns: t_ns,
            evidence: self.evidence(Rule::StormLimit, t_ns),
        })
    }

    /// Time passes: call it at least once a second, after the pulses up to `now_ns`.
    pub fn tick(&mut self, now_ns: u64) -> Option<Verdict> {
        self.resume(now_ns);
        self.track.idle(now_ns);
        let finding = self.episode.on_time(now_ns, &self.track, &self.thresholds);
        let broken = self.inputs.judge(now_ns, &self.rules);
        self.collect(finding, broken, now_ns);
        let civil_s = self.civil_s(now_ns);
        self.ask_home(now_ns, |home, limits, say| home.tick(now_ns, civil_s, limits, say));
        self.next(now_ns, now_ns)
    }

    /// The slopes over 1 s, 5 s and 30 s before `now_ns`. After the last pulse the flow is taken to
    /// go on until the next one is due, then as V/(now − last), which it cannot exceed.
    #[must_use]
    pub fn slopes(&self, now_ns: u64) -> [Slope; 3] {
        let resolution = self.resolution();
        core::array::from_fn(|i| {
            let Mean { flow, span_ns, intervals } = self.track.mean(WINDOWS_NS[i], now_ns);
            Slope {
                window_ns: WINDOWS_NS[i],
                span_ns,
                m3_per_h: flow,
                threshold_m3_per_h: self.thresholds[i],
                intervals,
                resolved: resolution.windows[i].resolved,
            }
        })
    }

    /// Flow at `now_ns`, m³/h: the last second's mean, at most V/(now − last pulse). `None` while
    /// no interval is known and there has not been silence for 30 s either.
    #[must_use]
    pub fn flow_m3_per_h(&self, now_ns: u64) -> Option<f64> {
        self.track.flow(now_ns)
    }

    /// Replaces the thresholds (m³/h over 1 s, 5 s, 30 s); the memory and a running episode stay.
    pub fn set_thresholds(&mut self, thresholds_m3_per_h: [f64; 3]) {
        self.thresholds = checked(thresholds_m3_per_h);
        self.track.set_limit(limit(self.max_flow_ul_per_h, self.thresholds));
    }

    /// What this pulse volume can and cannot resolve at the present thresholds.
    #[must_use]
    pub fn resolution(&self) -> Resolution {
        Resolution::new(self.pulse_volume_ul, self.thresholds)
    }

    /// Suspicions that were neither confirmed nor said: infos are limited to one in 10 minutes.
    #[must_use]
    pub fn suppressed_suspicions(&self) -> u64 {
        self.episode.suppressed()
    }

    /// The evidence at `now_ns`, of the windows alone.
    pub(crate) fn evidence(&self, rule: Rule, now_ns: u64) -> Evidence {
        Evidence {
            rule,
            slopes: self.slopes(now_ns),
            pulse_volume_ul: self.pulse_volume_ul,
            finest_resolved_ns: self.resolution().finest_resolved_ns,
            before: Estimate::default(),
            after: Estimate::default(),
            process: Process::default(),
            released_ul: 0,
            on: say::believed(self.home.on()),
        }
    }
}

/// Thresholds that can be compared with: each finite and above 0.
fn checked(thresholds: [f64; 3]) -> [f64; 3] {
    core::array::from_fn(|i| {
        let th = thresholds[i];
        if th.is_finite() && th > 0.0 { th } else { DEFAULT_THRESHOLDS_M3_PER_H[i] }
    })
}

/// Flow above which an interval is implausible, m³/h; see [`EngineConfig::max_flow_ul_per_h`].
pub(crate) fn limit(max_flow_ul_per_h: u64, thresholds: [f64; 3]) -> f64 {
    (2.0 * m3_per_h(max_flow_ul_per_h)).max(4.0 * thresholds[0]).min(1e12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_that_comes_and_goes_is_said_once_in_ten_minutes() {
        let mut engine = Engine::new(EngineConfig {
            pulse_volume_ul: 10_000_000,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: crate::Profile::EuG4.rules(),
        });
        let said: Vec<u64> =
            (0..400).filter(|s| engine.storm(s * 3 * SECOND_NS).is_some()).map(|s| s * 3).collect();
        assert_eq!(said, [0, 600]);
    }
}
