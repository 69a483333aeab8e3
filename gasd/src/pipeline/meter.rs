// SPDX-License-Identifier: MIT OR Apache-2.0
//! One meter in the engine thread: its detector, its total, and what it noticed of the events.

use gasd_abi::{
    Totals,
    records::{EVENT_PULSE, EVENT_STORM, EVENT_TICK, Event},
};
use gasd_detect::{Engine, EngineConfig, Kind, Rule, Severity, Verdict};

use crate::{
    config::MeterConfig,
    state::MeterState,
    store::{Base, Total, advance, reanchor, total},
};

/// A meter while the daemon runs.
pub struct MeterRun {
    /// Its id.
    pub id: String,
    /// Index of its line in the filter.
    pub line: u32,
    /// Its time is what a player says, not the clock.
    pub simulated: bool,
    /// What is wrong with its line.
    pub health: Option<String>,
    /// Its total as of the start of this process; totals are always this plus the live counter.
    start: Base,
    pulse_volume_ul: u64,
    engine: Engine,
    last: Event,
    now_ns: u64,
    missed: u64,
    /// The counter when it was seen ahead of the events, and the counting thread's rounds then.
    behind: Option<(u64, u64)>,
}

impl MeterRun {
    /// A meter that goes on from `start`.
    #[must_use]
    pub fn new(config: &MeterConfig, line: u32, start: Base) -> Self {
        let t = &config.thresholds;
        let engine = Engine::new(EngineConfig {
            pulse_volume_ul: config.pulse_volume_ul,
            max_flow_ul_per_h: config.max_flow_ul_per_h,
            thresholds_m3_per_h: [t.suspect_m3_per_h, t.confirm_m3_per_h, t.sustain_m3_per_h],
        });
        Self {
            id: config.id.clone(),
            line,
            simulated: config.gpio.chip.is_none(),
            health: None,
            start,
            pulse_volume_ul: config.pulse_volume_ul,
            engine,
            last: Event::default(),
            now_ns: 0,
            missed: 0,
            behind: None,
        }
    }

    /// An event of the meter's line.
    pub fn event(&mut self, event: &Event) -> Option<Verdict> {
        self.now_ns = self.now_ns.max(event.t_ns.max(event.decided_ns));
        match event.kind {
            EVENT_PULSE => self.pulse(event),
            EVENT_STORM => Some(Verdict {
                kind: Kind::EdgeStorm,
                severity: Severity::Warning,
                t_ns: event.t_ns,
                decided_ns: event.t_ns,
                evidence: self.engine.evidence(Rule::StormLimit, event.t_ns),
            }),
            EVENT_TICK => self.engine.tick(event.t_ns),
            _ => None,
        }
    }

    fn pulse(&mut self, event: &Event) -> Option<Verdict> {
        if self.last.seq != 0 {
            if event.seq <= self.last.seq {
                // A crash repeats the event in hand; the counters know better.
                return None;
            }
            self.lost(event.seq - self.last.seq - 1, event.t_ns);
        }
        self.last = *event;
        self.engine.pulse(event.t_ns, event.decided_ns)
    }

    /// Pulses that were counted while their events did not arrive.
    fn lost(&mut self, n: u64, now_ns: u64) {
        if n > 0 {
            self.missed += n;
            self.engine.missed(n, now_ns);
        }
    }

    /// Compares with the counter while no event waits: the last events may be the lost ones, and no
    /// later one tells. `rounds` are the counting thread's; a pulse is lost when its event has not come
    /// two rounds later, because every round works the ring off.
    pub fn compare(&mut self, accepted: u64, rounds: u64) {
        if self.last.seq == 0 || accepted <= self.last.seq {
            self.behind = None;
            return;
        }
        let (seen, since) = *self.behind.get_or_insert((accepted, rounds));
        if rounds >= since + 2 {
            self.behind = None;
            if seen > self.last.seq {
                self.lost(seen - self.last.seq, self.now_ns);
                self.last.seq = seen;
            }
        }
    }

    /// Pulses whose events never came.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Time passes for a meter that follows the clock.
    pub fn tick(&mut self, now_ns: u64) -> Option<Verdict> {
        if self.simulated {
            return None;
        }
        self.now_ns = self.now_ns.max(now_ns);
        self.engine.tick(now_ns)
    }

    /// The base to persist at this count of the live counter.
    pub fn base(&mut self, generation: [u64; 2], accepted: u64) -> (Base, Option<String>) {
        match advance(&self.start, generation, accepted, self.pulse_volume_ul) {
            Ok((base, _)) => (base, None),
            Err(backwards) => {
                self.start = reanchor(&self.start, generation, accepted);
                (self.start, Some(format!("meter \"{}\": {backwards}", self.id)))
            }
        }
    }

    /// The total at this count of the live counter.
    #[must_use]
    pub fn total(&self, generation: [u64; 2], accepted: u64) -> Total {
        total(&self.start, generation, accepted)
    }

    /// What may be seen of the meter. `carried` are counters of generations that are gone.
    #[must_use]
    pub fn state(&self, generation: [u64; 2], totals: &Totals, valve: &str) -> MeterState {
        let total = self.total(generation, totals.accepted);
        let slopes = self.engine.slopes(self.now_ns);
        MeterState {
            id: self.id.clone(),
            volume_ul: total.volume_ul,
            pulses: total.pulses,
            flow_m3_per_h: self.engine.flow_m3_per_h(self.now_ns),
            slopes_m3_per_h: slopes.map(|s| s.m3_per_h),
            last_pulse_ns: self.last.t_ns,
            last_interval_ns: self.last.interval_ns,
            totals: *totals,
            health: self.health.clone().unwrap_or_else(|| "ok".to_owned()),
            valve: valve.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> MeterRun {
        let text = "[[meter]]\nid = \"kitchen\"\nline = 1\npulse_volume = \"10 L\"\n";
        let config = crate::config::parse("t.toml", text).unwrap();
        MeterRun::new(&config.meters[0], 0, Base::default())
    }

    fn pulse(seq: u64) -> Event {
        let t_ns = seq * 1_000_000_000;
        Event { kind: EVENT_PULSE, seq, t_ns, decided_ns: t_ns, ..Event::default() }
    }

    #[test]
    fn the_last_events_are_missed_once_the_ring_was_worked_off_without_them() {
        let mut meter = meter();
        meter.event(&pulse(3));
        meter.compare(5, 10);
        meter.compare(5, 11);
        assert_eq!(meter.missed(), 0);
        meter.compare(5, 12);
        assert_eq!(meter.missed(), 2);
        meter.compare(5, 20);
        assert_eq!(meter.missed(), 2);
    }

    #[test]
    fn an_event_that_is_only_late_is_not_missed() {
        let mut meter = meter();
        meter.event(&pulse(3));
        meter.compare(4, 10);
        meter.event(&pulse(4));
        meter.compare(4, 12);
        meter.event(&pulse(5));
        assert_eq!(meter.missed(), 0);
    }
}
