// SPDX-License-Identifier: MIT OR Apache-2.0
//! An engine with the edge filter before it and the verdicts that wait behind it. Pure.

use std::collections::VecDeque;
use std::ffi::CString;

use gasd_abi::feed::Level;
use gasd_abi::stream::{SEVERITIES, VERDICT_KINDS, code};
use gasd_abi::{FilterConfig, FilterState, filter, outcome};
use gasd_detect::{EngineConfig, Input, Severity, Verdict, sentence};

use crate::abi::result::{Failure, gasd_result};
use crate::abi::text::c_string;

/// Verdicts that wait.
const MOST: usize = 64;

/// A verdict that waits.
#[derive(Debug)]
pub struct Told {
    pub kind: u32,
    pub severity: u32,
    pub verdict: Verdict,
    pub text: CString,
    pub rule: CString,
}

/// An engine.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    meter: String,
    engine: Box<gasd_detect::Engine>,
    filter: FilterConfig,
    line: FilterState,
    /// What is known of the contact now.
    level: Option<bool>,
    last_ns: u64,
    waiting: VecDeque<Told>,
}

impl Engine {
    /// One that has seen nothing yet.
    pub fn new(config: EngineConfig, meter: String) -> Engine {
        Engine {
            config,
            meter,
            engine: Box::new(gasd_detect::Engine::new(config)),
            filter: FilterConfig::default(),
            line: FilterState::default(),
            level: None,
            last_ns: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Sets the filter; 0 leaves the default.
    pub fn set_filter(&mut self, min_interval_ns: u64, min_width_ns: u64, min_idle_ns: u64) {
        let or = |given: u64, default: u64| if given == 0 { default } else { given };
        let default = FilterConfig::default();
        self.filter.min_interval_ns = or(min_interval_ns, default.min_interval_ns);
        self.filter.min_width_ns = or(min_width_ns, default.min_width_ns);
        self.filter.min_idle_ns = or(min_idle_ns, default.min_idle_ns);
    }

    /// Takes edges in, all or none.
    ///
    /// # Errors
    /// `GASD_ORDER`.
    pub fn push(&mut self, edges: &[(u64, Level)]) -> Result<(), Failure> {
        let mut last_ns = self.last_ns;
        for (at, &(t_ns, _)) in edges.iter().enumerate() {
            if t_ns <= last_ns && (at > 0 || last_ns > 0) {
                return Err(order(at, t_ns, last_ns));
            }
            last_ns = t_ns;
        }
        for &(t_ns, level) in edges {
            self.last_ns = t_ns;
            match level {
                Level::Pulse => self.pulse(t_ns, t_ns),
                Level::Unknown => self.edge(t_ns, None),
                Level::Closed => self.edge(t_ns, Some(true)),
                Level::Open => self.edge(t_ns, Some(false)),
            }
        }
        Ok(())
    }

    fn edge(&mut self, t_ns: u64, level: Option<bool>) {
        // The contact held what was known of it until now; that is as good as a reading.
        self.look(t_ns);
        let out = filter::edge(&self.filter, &mut self.line, t_ns);
        self.decided(out.flags, t_ns);
        self.level = level;
        if level.is_some_and(|closed| self.line.level != u8::from(closed)) {
            self.look(t_ns);
        }
    }

    /// Reads the contact, as far as it is known.
    fn look(&mut self, t_ns: u64) {
        if let Some(closed) = self.level {
            let edges = self.line.edges;
            let out = filter::sample(&self.filter, &mut self.line, t_ns, u8::from(closed), edges);
            self.decided(out.flags, t_ns);
        }
    }

    fn decided(&mut self, flags: u32, t_ns: u64) {
        if flags & outcome::PULSE != 0 {
            self.pulse(self.line.pulse_ns, self.line.decided_ns);
        }
        if flags & outcome::STORM != 0 {
            let verdict = self.engine.storm(t_ns);
            self.say(verdict);
        }
    }

    fn pulse(&mut self, t_ns: u64, decided_ns: u64) {
        let verdict = self.engine.pulse(t_ns, decided_ns);
        self.say(verdict);
    }

    /// What time it is.
    ///
    /// # Errors
    /// `GASD_ORDER`.
    pub fn tick(&mut self, now_ns: u64) -> Result<(), Failure> {
        if now_ns < self.last_ns {
            return Err(order(0, now_ns, self.last_ns));
        }
        self.look(now_ns);
        let verdict = self.engine.tick(now_ns);
        self.say(verdict);
        Ok(())
    }

    /// See `gasd_detect::Engine::set_civil_offset`.
    pub fn set_civil_offset(&mut self, offset_ns: i64) {
        self.engine.set_civil_offset(offset_ns);
    }

    /// Something else than a pulse happened.
    pub fn input(&mut self, input: Input, now_ns: u64) {
        let verdict = self.engine.input(input, now_ns);
        self.say(verdict);
    }

    fn say(&mut self, verdict: Option<Verdict>) {
        let Some(verdict) = verdict else { return };
        if self.waiting.len() >= MOST {
            // What nobody fetched for so long is given up, but a critical one last.
            let harmless = self.waiting.iter().position(|told| told.verdict.severity != Severity::Critical);
            self.waiting.remove(harmless.unwrap_or(0));
        }
        self.waiting.push_back(Told {
            // The lists have a handful of names.
            kind: code(&VERDICT_KINDS, verdict.kind.name()) as u32,
            severity: code(&SEVERITIES, verdict.severity.name()) as u32,
            text: c_string(&sentence(&self.meter, &verdict)),
            rule: c_string(verdict.evidence.rule.name()),
            verdict,
        });
    }

    /// The verdict that waits longest.
    pub fn peek(&self) -> Option<&Told> {
        self.waiting.front()
    }

    /// Takes it.
    pub fn take(&mut self) -> Option<Told> {
        self.waiting.pop_front()
    }

    /// What was learned, as bytes.
    pub fn save(&self) -> Vec<u8> {
        self.engine.save()
    }

    /// Goes on with what was learned.
    ///
    /// # Errors
    /// `GASD_INVALID`, and nothing changes.
    pub fn restore(&mut self, bytes: &[u8], moved_ns: i64) -> Result<(), Failure> {
        let mut engine = gasd_detect::Engine::restore(self.config, bytes).map_err(|error| {
            Failure::new(gasd_result::GASD_INVALID, format!("what was learned cannot be used: {error}"))
        })?;
        if moved_ns != 0 {
            engine.clock_moved(moved_ns);
        }
        *self.engine = engine;
        Ok(())
    }
}

fn order(at: usize, t_ns: u64, last_ns: u64) -> Failure {
    let message =
        format!("times must rise: edge {at} is at {t_ns} ns, and {last_ns} ns was before; none was taken");
    Failure::new(gasd_result::GASD_ORDER, message)
}

#[cfg(test)]
mod tests {
    use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Profile};

    use super::*;

    fn engine() -> Engine {
        let config = EngineConfig {
            pulse_volume_ul: 1_000_000,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: Profile::default().rules(),
        };
        Engine::new(config, "kitchen".to_owned())
    }

    const MS: u64 = 1_000_000;

    #[test]
    fn pulses_and_edges_of_the_same_hose_are_the_same_verdict() {
        let (mut pulses, mut edges) = (engine(), engine());
        for i in 0..40 {
            let t_ns = 1_000 * MS + i * 400 * MS;
            pulses.push(&[(t_ns, Level::Pulse)]).unwrap();
            edges.push(&[(t_ns, Level::Closed), (t_ns + 100 * MS, Level::Open)]).unwrap();
        }
        let (pulses, edges) = (pulses.take().unwrap(), edges.take().unwrap());
        assert_eq!((pulses.kind, pulses.severity), (1, 4));
        assert_eq!((edges.kind, edges.verdict.t_ns), (1, pulses.verdict.t_ns));
        assert!(pulses.text.to_str().unwrap().contains("kitchen"));
    }

    #[test]
    fn bounce_is_no_pulse() {
        let mut engine = engine();
        // A closure that bounces three times, and needles of a millisecond.
        for i in 0..20 {
            let t_ns = 1_000 * MS + i * 2_000 * MS;
            for (ms, level) in [(0, Level::Closed), (1, Level::Open), (2, Level::Closed), (3, Level::Open)] {
                engine.push(&[(t_ns + ms * MS, level)]).unwrap();
            }
        }
        engine.tick(60_000 * MS).unwrap();
        assert_eq!(engine.line.accepted, 0);
        engine.push(&[(61_000 * MS, Level::Closed)]).unwrap();
        engine.tick(61_050 * MS).unwrap();
        assert_eq!(engine.line.accepted, 1, "closed for 50 ms, and nobody opened it yet");
    }

    #[test]
    fn a_batch_out_of_order_is_not_taken_at_all() {
        let mut engine = engine();
        engine.push(&[(5, Level::Pulse)]).unwrap();
        let error = engine.push(&[(6, Level::Pulse), (6, Level::Pulse)]).unwrap_err();
        assert_eq!(error.result, gasd_result::GASD_ORDER);
        engine.push(&[(6, Level::Pulse)]).unwrap();
        assert!(engine.tick(5).is_err());
    }

    #[test]
    fn of_too_many_verdicts_the_harmless_ones_go_first() {
        let mut engine = engine();
        for i in 0..400 {
            engine.push(&[(1_000 * MS + i * 400 * MS, Level::Pulse)]).unwrap();
        }
        let critical = engine.waiting.front().unwrap().verdict;
        let mild = Verdict { severity: Severity::Notice, ..critical };
        (0..200).for_each(|_| engine.say(Some(mild)));
        assert_eq!(engine.waiting.len(), MOST);
        assert_eq!(engine.waiting.front().unwrap().verdict, critical);
    }
}
