// SPDX-License-Identifier: MIT OR Apache-2.0
//! One meter in the engine thread: its detector, its total, and what it noticed of the events.

use gasd_abi::{
    Totals,
    records::{EVENT_PULSE, EVENT_STORM, EVENT_TICK, Event, meter_key},
    stream::{Message, Record, SIMULATED},
};
use gasd_detect::Verdict;
use serde_json::Value;

use crate::{
    config::{MeterConfig, change::Delta},
    evidence::{evidence_json, flow_json},
    replay::judge::engine_config,
    response::clock::Now,
    state::{MeterState, Reckoning},
    store::{Base, Total, advance, reanchor, total},
};

use super::{
    detector::{Detector, Setup},
    flow::Flow,
    learned,
    told::Told,
};

mod register;
mod world;

/// A meter while the daemon runs.
pub struct MeterRun {
    /// Its id.
    pub id: String,
    /// Names it in records.
    key: u64,
    /// Index of its line in the filter.
    pub line: u32,
    /// Its time is what a player says, not the clock.
    pub simulated: bool,
    /// What is wrong with its line.
    pub health: Option<String>,
    /// What the journal was told of that.
    pub told: Told,
    /// Since when the total counts, Unix time in µs, if what was before is not known.
    pub unknown_since: Option<u64>,
    /// Its total as of the start of this process; totals are always this plus the live counter.
    start: Base,
    pulse_volume_ul: u64,
    thresholds_m3_per_h: [f64; 3],
    detector: Detector,
    setup: Setup,
    /// The flow of late, for evidence.
    flow: Flow,
    /// What the engine was told of civil time.
    civil_offset_ns: Option<i64>,
    /// What the engine was told of the valve.
    valve_open: Option<bool>,
    /// What sensors beside it said last.
    sensed: world::Sensed,
    last: Event,
    /// When the reading in `start` was made, by the clock of this boot, ns.
    read_ns: Option<u64>,
    now_ns: u64,
    /// Since when time passes for it.
    watched_ns: Option<u64>,
    missed: u64,
    /// Another worth of a pulse that may not be on the disk yet.
    unproven: Option<Unproven>,
    /// The counter when it was seen ahead of the events, and the counting thread's rounds then.
    behind: Option<(u64, u64)>,
}

/// A pulse is worth something else from some count on, and a crash could still take that back: the
/// pulses since would then have the worth they had before. What is shown must not shrink, so until the
/// disk has it they are shown at the least they may turn out to be worth.
struct Unproven {
    /// What was certain when the worth changed last.
    certain: Base,
    /// The least worth of a pulse after that, µL.
    least_ul: u64,
    /// The write that proves it.
    ticket: Option<u64>,
}

impl MeterRun {
    /// A meter that goes on from `start`.
    #[must_use]
    pub fn new(config: &MeterConfig, line: u32, start: Base) -> Self {
        Self {
            id: config.id.clone(),
            key: meter_key(&config.id),
            line,
            simulated: config.source.is_simulated(),
            health: None,
            told: Told::default(),
            unknown_since: None,
            start,
            pulse_volume_ul: config.pulse_volume_ul,
            thresholds_m3_per_h: thresholds(config),
            detector: Detector::new(Setup::of(config)),
            setup: Setup::of(config),
            flow: Flow::default(),
            civil_offset_ns: None,
            valve_open: None,
            sensed: world::Sensed::default(),
            last: Event::default(),
            read_ns: None,
            now_ns: 0,
            watched_ns: None,
            missed: 0,
            unproven: None,
            behind: None,
        }
    }

    /// A meter that joins while others run, from what is known of it: pulses that its line counted
    /// since then are worth what they were worth then.
    #[must_use]
    pub fn adopt(
        config: &MeterConfig,
        line: u32,
        base: Base,
        generation: [u64; 2],
        accepted: u64,
    ) -> (Self, Option<String>) {
        let worth = if base.pulse_volume_ul == 0 { config.pulse_volume_ul } else { base.pulse_volume_ul };
        let mut meter = Self::new(config, line, Base { pulse_volume_ul: worth, ..base });
        meter.pulse_volume_ul = worth;
        // Its line may have counted before; those pulses are not news.
        meter.last.seq = accepted;
        let (start, problem) = meter.base(generation, accepted);
        meter.start = start;
        meter.reprice(config.pulse_volume_ul, generation, accepted);
        (meter, problem)
    }

    /// Becomes what the configuration says now. The total, the count of events and, as far as they are
    /// not of other pulses, the memory of flows stay.
    pub fn reconfigure(&mut self, config: &MeterConfig, delta: Delta, generation: [u64; 2], accepted: u64) {
        if delta.line {
            self.simulated = config.source.is_simulated();
            self.health = None;
            self.told.forget();
            self.detector.set_tells_late(config.readings.is_some_and(|readings| readings.tells_late));
        }
        self.thresholds_m3_per_h = thresholds(config);
        if delta.thresholds {
            self.detector.set_thresholds(self.thresholds_m3_per_h);
        }
        if delta.rules {
            self.detector.set_rules(config.rules);
        }
        self.setup = Setup::of(config);
        if delta.begins_anew() {
            // Flows that were reckoned with another volume are no evidence.
            self.detector = Detector::new(self.setup);
            self.flow.forget();
            self.retell();
        }
        if delta.alarm {
            self.forget_alarm_line();
        }
        if delta.valve {
            // Another valve says nothing of when this one moved.
            self.valve_open = None;
        }
        self.reprice(config.pulse_volume_ul, generation, accepted);
    }

    /// What was learned of the home, as it is stored.
    #[must_use]
    pub fn learned(&self, now: Now) -> Vec<u8> {
        learned::save(&self.detector, self.pulse_volume_ul, now)
    }

    /// Goes on with what was learned before. Pulses may have come since, and the clock may be another.
    ///
    /// # Errors
    /// In words, why it cannot be used; then nothing changes.
    pub fn recall(&mut self, bytes: &[u8], now: Now) -> Result<(), String> {
        self.detector = learned::restore(self.setup, bytes, now)?;
        self.retell();
        Ok(())
    }

    /// Pulses from this count on are worth something else.
    fn reprice(&mut self, pulse_volume_ul: u64, generation: [u64; 2], accepted: u64) {
        let before = self.pulse_volume_ul;
        if before == pulse_volume_ul {
            return;
        }
        let (certain, _) = self.base(generation, accepted);
        self.pulse_volume_ul = pulse_volume_ul;
        self.start = Base { pulse_volume_ul, ..certain };
        self.unproven = Some(match self.unproven.take() {
            Some(Unproven { certain, least_ul, .. }) => {
                // What was shown until now stays shown, whichever of the writes comes through.
                let shown = Base { pulse_volume_ul: least_ul, ..certain };
                let certain = advance(&shown, generation, accepted, least_ul).map_or(shown, |(base, _)| base);
                Unproven { certain, least_ul: least_ul.min(pulse_volume_ul), ticket: None }
            }
            None => Unproven { certain, least_ul: before.min(pulse_volume_ul), ticket: None },
        });
    }

    /// Its base is not on the disk yet, and the one that is says that a pulse was worth so much.
    pub fn doubt(&mut self, before_ul: u64, ticket: u64) {
        if before_ul != 0 && before_ul != self.pulse_volume_ul {
            let least_ul = before_ul.min(self.pulse_volume_ul);
            self.unproven = Some(Unproven { certain: self.start, least_ul, ticket: Some(ticket) });
        }
    }

    /// The base of now was given to the writer as this push.
    pub fn await_write(&mut self, ticket: u64) {
        if let Some(unproven) = &mut self.unproven {
            unproven.ticket.get_or_insert(ticket);
        }
    }

    /// All pushes up to this one are on the disk. Returns whether the total is certain only from now on.
    pub fn prove(&mut self, written: u64) -> bool {
        self.unproven.take_if(|unproven| unproven.ticket.is_some_and(|ticket| ticket <= written)).is_some()
    }

    /// An event of the meter's line.
    pub fn event(&mut self, event: &Event) -> Option<Verdict> {
        self.now_ns = self.now_ns.max(event.t_ns.max(event.decided_ns));
        if event.kind == EVENT_PULSE {
            return self.pulse(event);
        }
        match (&mut self.detector, event.kind) {
            (Detector::Pulses(engine), EVENT_STORM) => engine.storm(event.t_ns),
            (Detector::Pulses(engine), EVENT_TICK) => engine.tick(event.t_ns),
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
        // One that was on its way when the register was read instead is counted all the same.
        let Detector::Pulses(engine) = &mut self.detector else { return None };
        self.flow.pulse(event.t_ns, self.pulse_volume_ul);
        engine.pulse(event.t_ns, event.decided_ns)
    }

    /// Pulses that were counted while their events did not arrive.
    fn lost(&mut self, n: u64, now_ns: u64) {
        if n > 0 {
            self.missed += n;
            let Detector::Pulses(engine) = &mut self.detector else { return };
            self.flow.forget();
            engine.missed(n, now_ns);
        }
    }

    /// A pulse as subscribers see it, if it was the last one taken in; one that a crash repeated was not.
    #[must_use]
    pub fn pulse_record(&self, at: usize, generation: [u64; 2], event: &Event) -> Option<Record> {
        if event.kind != EVENT_PULSE || self.last != *event {
            return None;
        }
        let total = self.total(generation, event.seq);
        let message = Message::Pulse {
            decided_ns: event.decided_ns,
            interval_ns: event.interval_ns,
            pulses: total.pulses,
            volume_ul: total.volume_ul,
            flags: if self.simulated { SIMULATED } else { 0 },
        };
        Some(Record::new(at as u32, self.key, event.t_ns, message))
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
        self.watched_ns.get_or_insert(now_ns);
        self.detector.tick(now_ns)
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
        let now = total(&self.start, generation, accepted);
        let Some(Unproven { certain, least_ul, .. }) = &self.unproven else { return now };
        let least = total(&Base { pulse_volume_ul: *least_ul, ..*certain }, generation, accepted);
        Total { volume_ul: now.volume_ul.min(least.volume_ul), ..now }
    }

    /// Whether the total follows from the live counter: of a register that is read it does not.
    fn is_reckoned(&self) -> bool {
        self.unproven.is_none() && self.detector.register().is_none()
    }

    /// How the total follows from the live counter.
    fn reckoning(&self, total: Total, accepted: u64) -> Reckoning {
        Reckoning {
            line: self.line,
            pulses: total.pulses.wrapping_sub(accepted),
            volume_ul: total.volume_ul.wrapping_sub(accepted.wrapping_mul(self.pulse_volume_ul)),
            pulse_volume_ul: self.pulse_volume_ul,
            simulated: self.simulated,
        }
    }

    /// A verdict's evidence with the flow that led to it, as one JSON object.
    #[must_use]
    pub fn evidence(&self, verdict: &Verdict) -> Value {
        let mut evidence = evidence_json(&verdict.evidence);
        let now_ns = verdict.decided_ns;
        evidence["flow"] = flow_json(self.flow.until(now_ns, self.detector.engine().flow_m3_per_h(now_ns)));
        evidence
    }

    /// What may be seen of the meter. `carried` are counters of generations that are gone.
    #[must_use]
    pub fn state(&self, generation: [u64; 2], totals: &Totals, valve: &str) -> MeterState {
        let total = self.total(generation, totals.accepted);
        let (engine, known_ns) = (self.detector.engine(), self.detector.known_ns(self.now_ns));
        let (slopes, sight) = (engine.slopes(known_ns), self.detector.sight(self.pulse_volume_ul));
        MeterState {
            id: self.id.clone(),
            volume_ul: total.volume_ul,
            pulses: total.pulses,
            flow_m3_per_h: self.detector.flow_m3_per_h(self.now_ns),
            slopes_m3_per_h: slopes.map(|s| s.m3_per_h),
            thresholds_m3_per_h: self.thresholds_m3_per_h,
            last_pulse_ns: self.read_ns().unwrap_or(self.last.t_ns),
            last_interval_ns: self.last.interval_ns,
            totals: *totals,
            total_known: self.unknown_since.is_none(),
            health: self.words(),
            valve: valve.to_owned(),
            phase: engine.phase(known_ns).name().to_owned(),
            days_learned: f64::from(engine.days_learned()),
            envelope_m3_per_h: f64::from(engine.envelope_m3_per_h()),
            heard: engine.heard().collect(),
            reckoning: self.is_reckoned().then(|| self.reckoning(total, totals.accepted)),
            read_every_ns: sight.every_ns,
            readings: self.detector.register().map(|readings| *readings.counts()),
            sight: sight.to_string(),
        }
    }
}

/// Flows at which the windows speak, m³/h.
fn thresholds(config: &MeterConfig) -> [f64; 3] {
    engine_config(config).thresholds_m3_per_h
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
