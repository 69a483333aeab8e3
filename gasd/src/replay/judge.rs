// SPDX-License-Identifier: MIT OR Apache-2.0
//! The engines of a replay, fed in the order in which the live service would feed them.
//!
//! Each meter's engine gets its pulses in the order in which they were decided, and a tick at every
//! whole second of trace time. A pulse that only a poll showed becomes known with the next row of
//! its line, up to one poll late; the engines therefore stay that far behind the trace. Verdicts come
//! out in the order of their decisions.

use std::collections::VecDeque;

use gasd_abi::records::{EVENT_PULSE, EVENT_STORM, Event};
use gasd_detect::{Engine, EngineConfig, Verdict};

use crate::config::MeterConfig;

/// Trace time between two ticks, ns.
pub const TICK_NS: u64 = 1_000_000_000;
/// After so long without an event a meter's engine is ticked only when it wants to be. The longest
/// memory of its windows is 30 s and the follow-up that waits for them.
const QUIET_NS: u64 = 900_000_000_000;

/// So long after the last event all is said, ns: no rule waits for longer than a year.
const SETTLED_NS: u64 = 400 * 86_400 * 1_000_000_000;

/// A verdict about the meter with this index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Index of the meter.
    pub meter: usize,
    /// What was found.
    pub verdict: Verdict,
}

#[derive(Clone, Debug)]
struct Seat {
    engine: Engine,
    /// Events not judged yet, in the order of [`known_ns`].
    waiting: VecDeque<Event>,
    /// When the engine was last given something.
    active_ns: u64,
    /// When it wants the next tick after that.
    due_ns: u64,
}

impl Seat {
    /// When the engine wants a tick after the one of now.
    fn due_after(&self, now_ns: u64) -> u64 {
        let over = now_ns.saturating_sub(self.active_ns) > SETTLED_NS || now_ns > u64::MAX - SETTLED_NS;
        if over { u64::MAX } else { self.engine.due_ns(now_ns) }
    }
}

/// All engines of a replay.
#[derive(Clone, Debug)]
pub struct Judges {
    seats: Vec<Seat>,
    /// How far the engines stay behind the trace, ns.
    lag_ns: u64,
    /// The next tick; `None` before the trace has begun.
    next_ns: Option<u64>,
    found: Vec<Found>,
}

/// When the event became known.
fn known_ns(event: &Event) -> u64 {
    if event.kind == EVENT_PULSE { event.decided_ns } else { event.t_ns }
}

impl Judges {
    /// An engine for each meter.
    #[must_use]
    pub fn new(meters: &[MeterConfig]) -> Self {
        let seat = |meter: &MeterConfig| Seat {
            engine: Engine::new(engine_config(meter)),
            waiting: VecDeque::new(),
            active_ns: 0,
            due_ns: 0,
        };
        let lag_ns = meters.iter().map(|meter| meter.filter.poll_ns).max().unwrap_or(0);
        Self { seats: meters.iter().map(seat).collect(), lag_ns, next_ns: None, found: Vec::new() }
    }

    /// The trace begins. Civil time is trace time plus `civil_offset_ns`.
    pub fn begin(&mut self, start_ns: u64, civil_offset_ns: i64) {
        self.next_ns = Some(start_ns.saturating_add(TICK_NS) / TICK_NS * TICK_NS);
        for seat in &mut self.seats {
            seat.active_ns = start_ns;
            seat.engine.set_civil_offset(civil_offset_ns);
        }
    }

    /// Trace time at which the engines have something to do again; nothing changes before.
    #[must_use]
    pub fn due_ns(&self) -> u64 {
        self.next_ns.map_or(u64::MAX, |next| next.saturating_add(self.lag_ns))
    }

    /// Takes an event of the filter.
    pub fn take(&mut self, event: Event) {
        if let Some(seat) = self.seats.get_mut(event.line as usize)
            && (event.kind == EVENT_PULSE || event.kind == EVENT_STORM)
        {
            seat.waiting.push_back(event);
        }
    }

    /// Brings the engines as far as a trace that has come to `now_ns` allows and appends what they
    /// found.
    pub fn advance(&mut self, now_ns: u64, found: &mut Vec<Found>) {
        self.tick_until(now_ns.saturating_sub(self.lag_ns), found);
    }

    /// The trace is over, time has come to `end_ns`: everything is judged.
    pub fn finish(&mut self, end_ns: u64, found: &mut Vec<Found>) {
        self.tick_until(end_ns, found);
        self.judge_until(u64::MAX, found);
    }

    fn tick_until(&mut self, until_ns: u64, found: &mut Vec<Found>) {
        let Some(mut next) = self.next_ns else { return };
        while next <= until_ns {
            if self.asleep(next) {
                // Nobody needs the ticks up to the first event that waits, or to when an engine wants one.
                let event = self.seats.iter().filter_map(|s| s.waiting.front()).map(known_ns).min();
                let due = self.seats.iter().map(|seat| seat.due_ns).min();
                let wake = event.unwrap_or(u64::MAX).min(due.unwrap_or(u64::MAX));
                let skip = wake.min(until_ns) / TICK_NS * TICK_NS;
                next = next.max(skip);
            }
            self.judge_until(next, found);
            self.tick(next, found);
            let Some(after) = next.checked_add(TICK_NS) else {
                // The end of the clock: no tick after this one.
                self.next_ns = None;
                return;
            };
            next = after;
        }
        self.next_ns = Some(next);
    }

    fn asleep(&self, now_ns: u64) -> bool {
        self.seats.iter().all(|seat| {
            now_ns.saturating_sub(seat.active_ns) > QUIET_NS
                && seat.due_ns > now_ns
                && seat.waiting.front().is_none_or(|event| known_ns(event) > now_ns)
        })
    }

    /// Gives the engines all events known by `until_ns`.
    fn judge_until(&mut self, until_ns: u64, found: &mut Vec<Found>) {
        for (meter, seat) in self.seats.iter_mut().enumerate() {
            while seat.waiting.front().is_some_and(|event| known_ns(event) <= until_ns) {
                let Some(event) = seat.waiting.pop_front() else { break };
                seat.active_ns = known_ns(&event);
                let verdict = if event.kind == EVENT_PULSE {
                    seat.engine.pulse(event.t_ns, event.decided_ns)
                } else {
                    seat.engine.storm(event.t_ns)
                };
                self.found.extend(verdict.map(|verdict| Found { meter, verdict }));
            }
        }
        // Stable: equal times stay in the order of the meters.
        self.found.sort_by_key(|found| found.verdict.decided_ns);
        found.append(&mut self.found);
    }

    fn tick(&mut self, now_ns: u64, found: &mut Vec<Found>) {
        for (meter, seat) in self.seats.iter_mut().enumerate() {
            if now_ns.saturating_sub(seat.active_ns) <= QUIET_NS || seat.due_ns <= now_ns {
                found.extend(seat.engine.tick(now_ns).map(|verdict| Found { meter, verdict }));
                seat.due_ns = seat.due_after(now_ns);
            }
        }
    }
}

/// What an engine must know about `meter`.
#[must_use]
pub fn engine_config(meter: &MeterConfig) -> EngineConfig {
    let t = meter.thresholds;
    EngineConfig {
        pulse_volume_ul: meter.pulse_volume_ul,
        max_flow_ul_per_h: meter.max_flow_ul_per_h,
        thresholds_m3_per_h: [t.suspect_m3_per_h, t.confirm_m3_per_h, t.sustain_m3_per_h],
        rules: meter.rules,
    }
}
