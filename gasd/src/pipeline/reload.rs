// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other meters under a running engine: what stays keeps its memory, its total and its place in the
//! kernel; nothing that was counted is lost or counted twice.

use std::{collections::HashMap, sync::mpsc::SyncSender, time::Duration};

use crate::{
    config::{MeterConfig, change::Fate},
    response::clock::now,
    state::Change,
    stream::{House, Named},
};

use super::{condition::Reading, engine::Engine, meter::MeterRun};

/// A meter of the new configuration.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What it is to be.
    pub config: MeterConfig,
    /// What it was.
    pub fate: Fate,
    /// Index of its line in the filter.
    pub line: u32,
    /// Id of its valve, empty for none.
    pub valve: String,
}

/// A new configuration, as far as it is the engine's.
#[derive(Debug)]
pub struct Reload {
    /// The meters, in the order of the new configuration.
    pub meters: Vec<Arrival>,
    /// How often a changed total is persisted from now on.
    pub persist: Duration,
    /// When it was read, Unix time in µs.
    pub read_unix_us: u64,
    /// What the parser advises.
    pub warnings: Vec<String>,
    /// Is told when it is done.
    pub done: SyncSender<()>,
}

impl Engine {
    /// Goes on with other meters. Does not wait: what must reach the disk is left to the writer.
    pub fn reload(&mut self, reload: Reload) {
        let generation = self.bank.generation();
        // What goes is written down as it is, what stays as it was until now.
        self.save_learned(now(), |_| true);
        let bases = self.bases();
        self.known.extend(bases.iter().cloned());
        let mut running: HashMap<String, MeterRun> =
            std::mem::take(&mut self.meters).into_iter().map(|meter| (meter.id.clone(), meter)).collect();
        let mut valves = Vec::with_capacity(reload.meters.len());
        let named = |m: &MeterConfig| Named::new(&m.id, m.pulse_volume_ul, m.source.is_simulated());
        // Valves stay: a configuration with others wants a restart.
        self.house = House {
            meters: reload.meters.iter().map(|arrival| named(&arrival.config)).collect(),
            valves: self.house.valves.clone(),
        };
        let civil = self.civil.told();
        let now = now();
        for arrival in reload.meters {
            let Arrival { config, fate, line, valve } = arrival;
            let accepted = self.bank.state(line).accepted;
            let meter = match (running.remove(&config.id), fate) {
                (Some(meter), Fate::Same) => meter,
                (Some(mut meter), Fate::Changed(delta)) => {
                    let learned = delta.begins_anew().then(|| meter.learned(now));
                    meter.reconfigure(&config, delta, generation, accepted);
                    // Another largest flow is the same home, another volume of a pulse is not.
                    if let Some(bytes) = learned
                        && let Err(why) = meter.recall(&bytes, now)
                    {
                        self.learned_lost(&mut meter, bytes, &why, now);
                    }
                    if delta.begins_anew() {
                        meter.resume(now);
                    }
                    meter
                }
                // Added; or, if plan and engine should ever disagree, begun anew from what is known.
                (running, _) => {
                    let base = running.map(|mut meter| meter.base(generation, accepted).0);
                    let base = base.or_else(|| self.known.get(&config.id).copied()).unwrap_or_default();
                    let (mut meter, problem) = MeterRun::adopt(&config, line, base, generation, accepted);
                    meter.unknown_since = self.unknown.get(&config.id).copied();
                    civil.into_iter().for_each(|offset_ns| meter.set_civil(offset_ns));
                    if let Some(row) = self.learned.recall(&mut meter, now) {
                        self.writer.push(vec![row]);
                    }
                    meter.resume(now);
                    self.problems.extend(problem);
                    meter
                }
            };
            self.meters.push(meter);
            valves.push(valve);
        }
        let ids = self.meters.iter().map(|meter| meter.id.clone());
        self.response.set_meters(ids.zip(valves.iter().cloned()).collect());
        self.valves = valves;
        self.persist = reload.persist;
        self.reading =
            Reading { read_unix_us: reload.read_unix_us, warnings: reload.warnings, refused: Vec::new() };
        let mut all = bases;
        all.extend(self.bases());
        // Of two bases of one meter the later one counts.
        let ticket = self.writer.persist_bases(all);
        self.meters.iter_mut().for_each(|meter| meter.await_write(ticket));
        self.show_meters();
        // Nobody need wait.
        let _ = reload.done.try_send(());
    }

    /// Makes the snapshot's meters these, and says so.
    fn show_meters(&mut self) {
        let states = self.states();
        let mut snapshot = self.shared.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        snapshot.meters = states;
        drop(snapshot);
        self.stream.renumber(self.house.clone());
        // A full channel is no loss: the bus looks at everything now and then.
        let _ = self.changes.try_send(Change::Meters);
        self.show();
    }
}
