// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the engine thread lets others see: the snapshot, the stream's readings, and who is told of a change.

use crate::{
    journal,
    kernel::sys::boottime_ns,
    response::unconfigured,
    state::{Change, MeterState, Snapshot},
};

use super::{engine::Engine, meter::MeterRun};

impl Engine {
    /// Writes what may be seen, and says what changed.
    pub fn show(&mut self) {
        let mut changed = Vec::new();
        let states = self.states();
        let mut snapshot = self.shared.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(shadow) = &self.shadow {
            shadow.show(&self.bank.state(shadow.line()), &mut snapshot.simulation);
            changed.push(Change::Simulation);
        }
        for (at, state) in states.into_iter().enumerate() {
            if snapshot.meters.get(at) != Some(&state) {
                if self.stream.is_wanted() {
                    self.stream.tell(self.house.reading(at, &state, boottime_ns()));
                }
                if let Some(slot) = snapshot.meters.get_mut(at) {
                    *slot = state;
                }
                changed.push(Change::Meter(at));
            }
        }
        if self.show_service(&mut snapshot) {
            changed.push(Change::Service);
        }
        let service = snapshot.service.clone();
        drop(snapshot);
        if std::mem::take(&mut self.proved) {
            self.stream.renumber(self.house.clone());
        }
        let (fault, problem) = (self.writer.fault(), self.writer.problem());
        self.said.now(&service, fault.as_ref(), problem.as_deref()).into_iter().for_each(journal::tell);
        for change in changed {
            // A full channel is no loss: the bus looks at everything now and then.
            let _ = self.changes.try_send(change);
        }
    }

    /// What may be seen of each meter.
    pub(super) fn states(&mut self) -> Vec<MeterState> {
        let generation = self.bank.generation();
        let written = self.writer.written();
        let mut states = Vec::with_capacity(self.meters.len());
        for (meter, valve) in self.meters.iter_mut().zip(&self.valves) {
            self.proved |= meter.prove(written);
            let mut totals = self.bank.totals(meter.line).unwrap_or_default();
            // The page is what the total is reckoned from; the counters follow it by nanoseconds.
            totals.accepted = self.bank.state(meter.line).accepted;
            states.push(meter.state(generation, &totals, valve));
        }
        states
    }

    fn show_service(&self, snapshot: &mut Snapshot) -> bool {
        let before = snapshot.service.clone();
        let service = &mut snapshot.service;
        service.queue_full = self.queue.full();
        service.events_missed = self.meters.iter().map(MeterRun::missed).sum();
        service.ring_overrun = snapshot.meters.iter().map(|m| m.totals.overrun).sum();
        if let Some(kernel) = &self.kernel {
            service.fall_through = kernel.fall_through().unwrap_or(service.fall_through);
        }
        let failing = self.writer.failing();
        self.store.show(failing.clone(), self.writer.written(), service);
        self.reading.show(service);
        service.problems.clone_from(&self.reading.refused);
        service.problems.extend_from_slice(&self.reading.warnings);
        service.problems.extend(self.store.lost.clone());
        service.problems.extend_from_slice(&self.problems);
        service.problems.extend(snapshot.valves.iter().filter_map(unconfigured::problem));
        service.problems.extend(failing.or_else(|| self.writer.kept()));
        if service.fall_through > 0 {
            service.problems.push(format!(
                "{} interrupts found no pulse program: the slot was empty; run `gasd load`",
                service.fall_through
            ));
        }
        *service != before
    }
}
