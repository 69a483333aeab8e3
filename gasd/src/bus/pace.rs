// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals at human rates, whatever the pulses do. Pure: time is an argument.
//!
//! Each object sends at most one `PropertiesChanged` every [`OBJECT_GAP_MS`], and all meters
//! together at most one every [`METERS_GAP_MS`], in turn. The service and the valves come first and
//! do not wait for meters. So 1 kHz of pulses on any number of meters makes at most 6 messages a second
//! from meters and 2 from the service's own counters, 2 more during a simulation; only valves and verdicts,
//! which people and findings move, add to that.

use std::collections::VecDeque;

/// Shortest time between two signals of one object, ms.
pub const OBJECT_GAP_MS: u64 = 500;
/// Shortest time between the signals of any two meters, ms: six a second.
pub const METERS_GAP_MS: u64 = 167;

/// Shortest time between two signals of one port, ms: its counters move all the time.
pub const PORT_GAP_MS: u64 = 2_000;

/// An object that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The service.
    Service,
    /// The simulation.
    Simulation,
    /// A valve, by index.
    Valve(usize),
    /// A port, by index.
    Port(usize),
    /// A meter, by index.
    Meter(usize),
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    dirty: bool,
    /// When the next signal may leave, ms.
    free_ms: u64,
}

impl Slot {
    fn ready(&self, now_ms: u64) -> bool {
        self.dirty && self.free_ms <= now_ms
    }
}

/// Decides which object's changes are told next.
#[derive(Debug)]
pub struct Pacer {
    service: Slot,
    simulation: Slot,
    valves: Vec<Slot>,
    ports: Vec<Slot>,
    meters: Vec<Slot>,
    /// Dirty meters in the order in which they became dirty.
    turn: VecDeque<usize>,
    meters_free_ms: u64,
}

impl Pacer {
    /// A pacer for so many meters, valves and ports, none of them changed.
    #[must_use]
    pub fn new(meters: usize, valves: usize, ports: usize) -> Pacer {
        Pacer {
            service: Slot::default(),
            simulation: Slot::default(),
            valves: vec![Slot::default(); valves],
            ports: vec![Slot::default(); ports],
            meters: vec![Slot::default(); meters],
            turn: VecDeque::with_capacity(meters),
            meters_free_ms: 0,
        }
    }

    /// Notes that an object changed. An index that does not exist is left out.
    pub fn mark(&mut self, subject: Subject) {
        match subject {
            Subject::Service => self.service.dirty = true,
            Subject::Simulation => self.simulation.dirty = true,
            Subject::Valve(index) => {
                if let Some(slot) = self.valves.get_mut(index) {
                    slot.dirty = true;
                }
            }
            Subject::Port(index) => {
                if let Some(slot) = self.ports.get_mut(index) {
                    slot.dirty = true;
                }
            }
            Subject::Meter(index) => {
                if let Some(slot) = self.meters.get_mut(index)
                    && !std::mem::replace(&mut slot.dirty, true)
                {
                    self.turn.push_back(index);
                }
            }
        }
    }

    /// Notes that anything may have changed.
    pub fn mark_all(&mut self) {
        self.mark(Subject::Service);
        self.mark(Subject::Simulation);
        (0..self.valves.len()).for_each(|index| self.mark(Subject::Valve(index)));
        (0..self.ports.len()).for_each(|index| self.mark(Subject::Port(index)));
        (0..self.meters.len()).for_each(|index| self.mark(Subject::Meter(index)));
    }

    /// Takes an object whose changes may be told now. Call [`Pacer::sent`] if there were any.
    pub fn take(&mut self, now_ms: u64) -> Option<Subject> {
        if self.service.ready(now_ms) {
            self.service.dirty = false;
            return Some(Subject::Service);
        }
        if let Some(index) = self.valves.iter().position(|slot| slot.ready(now_ms)) {
            self.valves[index].dirty = false;
            return Some(Subject::Valve(index));
        }
        if self.simulation.ready(now_ms) {
            self.simulation.dirty = false;
            return Some(Subject::Simulation);
        }
        if let Some(index) = self.ports.iter().position(|slot| slot.ready(now_ms)) {
            self.ports[index].dirty = false;
            return Some(Subject::Port(index));
        }
        if self.meters_free_ms > now_ms {
            return None;
        }
        let place = self.turn.iter().position(|&index| self.meters[index].ready(now_ms))?;
        let index = self.turn.remove(place)?;
        self.meters[index].dirty = false;
        Some(Subject::Meter(index))
    }

    /// Notes that a signal of an object left at `now_ms`.
    pub fn sent(&mut self, subject: Subject, now_ms: u64) {
        let free_ms = now_ms + OBJECT_GAP_MS;
        match subject {
            Subject::Service => self.service.free_ms = free_ms,
            Subject::Simulation => self.simulation.free_ms = free_ms,
            Subject::Valve(index) => self.valves[index].free_ms = free_ms,
            Subject::Port(index) => self.ports[index].free_ms = now_ms + PORT_GAP_MS,
            Subject::Meter(index) => {
                self.meters[index].free_ms = free_ms;
                self.meters_free_ms = now_ms + METERS_GAP_MS;
            }
        }
    }

    /// When [`Pacer::take`] will next have something, ms; `None` while nothing changed.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        let meters = self.turn.iter().map(|&index| self.meters[index].free_ms.max(self.meters_free_ms));
        let others = self
            .valves
            .iter()
            .chain(&self.ports)
            .chain([&self.service, &self.simulation])
            .filter(|slot| slot.dirty);
        others.map(|slot| slot.free_ms).chain(meters).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks `marks` every ms and returns what was sent when.
    fn run(pacer: &mut Pacer, ms: u64, marks: &[Subject]) -> Vec<(u64, Subject)> {
        let mut sent = Vec::new();
        for now in 0..ms {
            marks.iter().for_each(|&subject| pacer.mark(subject));
            while let Some(subject) = pacer.take(now) {
                pacer.sent(subject, now);
                sent.push((now, subject));
            }
        }
        sent
    }

    #[test]
    fn one_busy_meter_makes_two_signals_a_second() {
        let sent = run(&mut Pacer::new(1, 1, 0), 10_000, &[Subject::Meter(0)]);
        assert_eq!(sent.len(), 20);
        assert_eq!(sent[0].0, 0, "the first change is told at once");
    }

    #[test]
    fn many_busy_meters_share_six_a_second_in_turn() {
        let marks: Vec<Subject> = (0..64).map(Subject::Meter).collect();
        let sent = run(&mut Pacer::new(64, 0, 0), 64_000, &marks);
        assert!(sent.len() <= 6 * 64, "{}", sent.len());
        for meter in 0..64 {
            let times = sent.iter().filter(|(_, subject)| *subject == Subject::Meter(meter)).count();
            assert!((5..=6).contains(&times), "meter {meter} was told {times} times");
        }
    }

    #[test]
    fn a_valve_does_not_wait_for_meters() {
        let mut pacer = Pacer::new(64, 1, 0);
        pacer.mark_all();
        assert_eq!(pacer.take(0), Some(Subject::Service));
        assert_eq!(pacer.take(0), Some(Subject::Valve(0)));
        assert_eq!(pacer.take(0), Some(Subject::Simulation));
        assert_eq!(pacer.take(0), Some(Subject::Meter(0)));
        pacer.sent(Subject::Meter(0), 0);
        assert_eq!(pacer.take(0), None);
        pacer.mark(Subject::Valve(0));
        assert_eq!(pacer.take(1), Some(Subject::Valve(0)));
    }

    #[test]
    fn the_last_change_is_always_told() {
        let mut pacer = Pacer::new(1, 0, 0);
        pacer.mark(Subject::Meter(0));
        assert_eq!(pacer.take(0), Some(Subject::Meter(0)));
        pacer.sent(Subject::Meter(0), 0);
        assert_eq!(pacer.due_ms(), None);
        pacer.mark(Subject::Meter(0));
        assert_eq!(pacer.take(1), None);
        assert_eq!(pacer.due_ms(), Some(500));
        assert_eq!(pacer.take(500), Some(Subject::Meter(0)));
        assert_eq!(pacer.due_ms(), None);
    }

    #[test]
    fn a_look_that_found_nothing_costs_no_turn() {
        let mut pacer = Pacer::new(1, 0, 0);
        pacer.mark(Subject::Meter(0));
        assert_eq!(pacer.take(0), Some(Subject::Meter(0)));
        pacer.mark(Subject::Meter(0));
        assert_eq!(pacer.take(0), Some(Subject::Meter(0)));
    }

    #[test]
    fn an_unknown_index_is_left_out() {
        let mut pacer = Pacer::new(1, 1, 0);
        pacer.mark(Subject::Meter(7));
        pacer.mark(Subject::Valve(7));
        assert_eq!((pacer.due_ms(), pacer.take(0)), (None, None));
    }
}
