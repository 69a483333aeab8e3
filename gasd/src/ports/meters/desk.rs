// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ports tell, on its way to the engine, the store, the valves and whoever looks.
//!
//! Called on the ports' own threads. A reading waits for a place in the engine's queue, and with it its port: nothing
//! piles up.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gasd_meters::detect::Protocol;
use gasd_meters::drive::{self, Oddities};
use gasd_meters::hex::Hex;
use gasd_meters::poll::{Failure, Latest, Sample, State};
use gasd_meters::{Error, Kind, Reading, Unit, Valve};
use gasd_ports::Kept;
use gasd_ports::air::NotRestored;
use gasd_ports::bus::{Event, Standing};
use gasd_ports::port::Told;
use tokio::sync::mpsc::Sender;

use super::kept::Tickets;
use super::valve::ValveDesk;
use super::{odd, show};
use crate::journal::{self, Note, what::What};
use crate::pipeline::queue::{Input, Queue, Reading as Register};
use crate::response::clock;
use crate::state::{Change, OnPortState, Shared};
use crate::store::WriterHandle;

/// Answers that were none, kept of each meter.
const REJECTED: usize = 16;

/// Kinds of fields that are a register of the leak engine.
const VOLUMES: [Kind; 3] = [Kind::Volume, Kind::VolumeMeter, Kind::VolumeBase];

/// A meter on a port.
pub(super) struct OnPort {
    pub(super) id: String,
    /// Its line in the filter, by which the engine knows its health.
    line: u32,
    pub(super) port: String,
    /// As it is configured: what it speaks may have to be found out.
    protocol: String,
    /// What moves where its valve is commanded, in words.
    pub(super) driven: String,
    quantity: Option<Kind>,
    unit: Option<Unit>,
    pub(super) latest: Latest,
    /// When they were written down, ns.
    pub(super) written_ns: u64,
    standing: Option<Standing>,
    /// What is wrong with it, as the engine was told.
    pub(super) health: Option<String>,
    /// What is wrong with its configuration, whatever it answers.
    trouble: Option<String>,
    /// That was said of its configuration of now, not of the one before.
    is_troubled: bool,
    /// What was odd about its answers.
    pub(super) heard: odd::Heard,
    pub(super) state: OnPortState,
}

/// A meter to be read.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Names it.
    pub key: u64,
    /// Its line in the filter.
    pub line: u32,
    /// Its port.
    pub port: String,
    /// Its protocol.
    pub protocol: String,
    /// What moves where its valve is commanded, in words; empty where it has none.
    pub driven: String,
    /// The quantity that is watched.
    pub quantity: Option<Kind>,
    /// The unit of its register.
    pub unit: Option<Unit>,
    /// It is asked, and so has a breaker.
    pub asked: bool,
}

/// Whether a meter is told that it was heard, and forgets what it said.
#[derive(Clone, Copy)]
enum Answer {
    /// It is not.
    None,
    /// It is.
    First,
    /// It is, and says it once more since it was not before a restart, as far as it knows.
    Again,
}

/// Where ports report to.
#[derive(Clone)]
pub struct Desk(pub(super) Arc<Inner>);

pub(super) struct Inner {
    meters: Mutex<HashMap<u64, OnPort>>,
    queue: Queue,
    pub(super) shared: Shared,
    pub(super) changes: Sender<Change>,
    pub(super) writer: WriterHandle,
    pub(super) valves: ValveDesk,
    /// What is remembered of each meter, by its id.
    pub(super) memories: Mutex<HashMap<String, Kept>>,
    pub(super) tickets: Mutex<Tickets>,
}

impl Desk {
    /// One that reports to these.
    #[must_use]
    pub fn new(
        queue: Queue,
        shared: Shared,
        changes: Sender<Change>,
        writer: WriterHandle,
        valves: ValveDesk,
        remembered: &[(String, Kept)],
    ) -> Self {
        let memories = Mutex::new(remembered.iter().cloned().collect());
        let (meters, tickets) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { meters, queue, shared, changes, writer, valves, memories, tickets }))
    }

    pub(super) fn meters(&self) -> MutexGuard<'_, HashMap<u64, OnPort>> {
        self.0.meters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These meters are on ports from now on.
    pub fn place(&self, places: &[Place]) {
        self.rename_moving(places);
        let now = clock::now();
        let latest = |id: &str| show::latest_of(&self.row(super::LATEST, id)?, now);
        let mut meters = self.meters();
        let mut before = std::mem::take(&mut *meters);
        for place in places {
            let known = before.remove(&place.key);
            let same = known.as_ref().is_some_and(|known| known.protocol == place.protocol);
            let breaker = if place.asked { State::Closed.name() } else { "" };
            let fresh = OnPortState { protocol: place.protocol.clone(), breaker, ..OnPortState::default() };
            // Until it is known whether it is so still.
            let trouble = known.as_ref().and_then(|known| known.trouble.clone());
            let heard = known.as_ref().map(|known| known.heard).unwrap_or_default();
            let (kept, ring, written_ns, standing, health) = match known {
                Some(known) if same => {
                    (known.state, known.latest, known.written_ns, known.standing, known.health)
                }
                Some(known) => (fresh, known.latest, known.written_ns, None, known.health),
                None => (fresh, latest(&place.id).unwrap_or_default(), 0, None, None),
            };
            let state = OnPortState { port: place.port.clone(), latest: show::samples(&ring), ..kept };
            let on = OnPort {
                id: place.id.clone(),
                line: place.line,
                port: place.port.clone(),
                protocol: place.protocol.clone(),
                driven: place.driven.clone(),
                quantity: place.quantity,
                unit: place.unit,
                latest: ring,
                written_ns,
                standing,
                health,
                trouble,
                is_troubled: false,
                heard,
                state,
            };
            meters.insert(place.key, on);
        }
        let states: BTreeMap<String, OnPortState> =
            meters.values().map(|on| (on.id.clone(), on.state.clone())).collect();
        drop(meters);
        self.0.shared.write().unwrap_or_else(PoisonError::into_inner).on_ports = states;
    }

    /// Takes in what a port tells.
    pub fn told(&self, port: &str, told: Told) {
        match told {
            Told::Event(event) if self.is_left(port, &event) => {}
            Told::Event(event) => self.event(event),
            Told::Health(health) => self.port_health(port, health),
            Told::Seen(seen) => self.seen(port, &seen),
            // Whoever searches is told on a way of their own.
            Told::Searched(_) => {}
        }
    }

    fn event(&self, event: Event) {
        match event {
            Event::Read { key, t_ns, reading, oddities } => self.read(key, t_ns, &reading, oddities),
            Event::Failed { key, t_ns, error, raw } => self.failed(key, t_ns, error, &raw),
            Event::Speaks { key, protocol } => self.speaks(key, protocol),
            Event::Breaker { key, standing } => self.breaker(key, standing),
            Event::LowPower { key } => self.change(key, |on| {
                on.health = Some("does not answer, and the supply is low".to_owned());
            }),
            Event::Memory { key, bytes } => self.remember(key, bytes.into()),
            Event::Odd { key, t_ns, odd } => self.odd(key, t_ns, &odd),
            Event::Commanded { key, to } => self.moving(key, to),
            Event::NotCommanded { key, earlier } => _ = self.keep_moving(key, earlier),
            Event::Moved { key, to, result, at_work } => self.moved(key, to, result, at_work),
        }
    }

    /// A meter was read.
    pub fn read(&self, key: u64, t_ns: u64, reading: &Reading, oddities: Oddities) {
        self.take(key, t_ns, reading, oddities, Answer::None);
    }

    fn take(&self, key: u64, t_ns: u64, reading: &Reading, oddities: Oddities, answer: Answer) {
        let mut register = None;
        let mut says: Option<(String, Option<Valve>)> = None;
        self.change(key, |on| {
            says = Some((on.id.clone(), reading.valve));
            show::read(&mut on.state, t_ns, reading, oddities);
            on.health = match drive::volume_ul(reading, on.quantity, on.unit) {
                Ok(register_ul) => {
                    on.latest.push(Sample { t_ns, register_ul });
                    on.state.latest = show::samples(&on.latest);
                    register = Some(register_ul);
                    None
                }
                Err(why) => Some(format!("answers, and its volume is not known: {why}")),
            };
        });
        // The valve first: somebody may wait to see it closed.
        if let Some((id, valve)) = says {
            self.0.valves.read(&id, valve);
        }
        let register = register.map(|register_ul| Register { key, register_ul, t_ns });
        if let Some(register) = register {
            match answer {
                Answer::None => _ = self.0.queue.push_reading(register),
                Answer::First => self.await_reading(key, self.0.queue.push_reading_at_once(register)),
                Answer::Again => self.await_reading(key, self.0.queue.push_reading_again(register)),
            }
        }
        self.write_latest(key, t_ns, false);
    }

    /// A meter said something by itself. It need not be its register: batteries and alarms come, too. `is_answered`: it is
    /// told that it was heard, and forgets what it said.
    pub fn heard(&self, key: u64, t_ns: u64, reading: &Reading, is_answered: bool) {
        self.said(key, t_ns, reading, if is_answered { Answer::First } else { Answer::None });
    }

    /// A meter said once more what it may have said before a restart, as it was not told then that it was heard.
    pub fn heard_again(&self, key: u64, t_ns: u64, reading: &Reading) {
        self.said(key, t_ns, reading, Answer::Again);
    }

    fn said(&self, key: u64, t_ns: u64, reading: &Reading, answer: Answer) {
        self.settle(key);
        if reading.fields.iter().any(|field| VOLUMES.contains(&field.kind)) {
            self.take(key, t_ns, reading, Oddities::default(), answer);
        } else {
            self.change(key, |on| show::read(&mut on.state, t_ns, reading, Oddities::default()));
        }
    }

    /// A meter cannot be spoken to as it is configured.
    pub fn unusable(&self, id: &str, why: &str) {
        self.change(gasd_abi::records::meter_key(id), |on| {
            (on.trouble, on.is_troubled) = (Some(why.to_owned()), true);
        });
    }

    /// All meters of a configuration are placed and looked at: what was wrong before, and is not any more, is over.
    pub fn placed(&self) {
        let is_over = |(_, on): &(&u64, &OnPort)| on.trouble.is_some() && !on.is_troubled;
        let over: Vec<u64> = self.meters().iter().filter(is_over).map(|(key, _)| *key).collect();
        over.into_iter().for_each(|key| self.change(key, |on| on.trouble = None));
    }

    /// What is remembered of a meter does not count for it as it is now: it begins anew.
    pub fn forgotten(&self, id: &str, why: NotRestored) {
        let text = format!("meter \"{id}\": what is remembered of it is not used: {why}; it begins anew");
        journal::tell(Note::new(What::MemoryLost, text).meter(id));
    }

    /// A meter was asked, or heard, and is not read.
    pub fn failed(&self, key: u64, t_ns: u64, error: Error, raw: &[u8]) {
        self.failed_as(key, t_ns, error, raw, error.to_string());
    }

    /// The same, in words of the port's own.
    pub(super) fn failed_as(&self, key: u64, t_ns: u64, error: Error, raw: &[u8], words: String) {
        self.change(key, |on| {
            let state = &mut on.state;
            state.errors = state.errors.saturating_add(1);
            (state.last_error, state.last_error_kind) = (words.clone(), error.kind());
            if !raw.is_empty() {
                let rejected = Arc::make_mut(&mut state.rejected);
                if rejected.len() == REJECTED {
                    rejected.remove(0);
                }
                rejected.push((t_ns, error.kind(), Hex(raw).to_string()));
            }
            // A meter that answers and cannot be read does not open its breaker, and one that speaks by itself has none: that
            // is to be seen all the same.
            if gasd_meters::poll::Failure::of(&error).is_none() || on.state.breaker.is_empty() {
                on.health = Some(words);
            }
        });
    }

    /// What a meter speaks has been found out.
    fn speaks(&self, key: u64, protocol: Protocol) {
        let mut found = None;
        self.change(key, |on| {
            if on.state.protocol != protocol.name() {
                protocol.name().clone_into(&mut on.state.protocol);
                found = Some((on.id.clone(), on.port.clone()));
            }
        });
        if let Some((id, port)) = found {
            let text = format!("meter \"{id}\" on port \"{port}\" speaks {protocol}, as was found out");
            journal::tell(Note::new(What::ProtocolFound, text).meter(&id));
        }
    }

    fn breaker(&self, key: u64, standing: Standing) {
        let mut opened = None;
        self.change(key, |on| {
            let was_open = on.standing.is_some_and(|before| before.state != State::Closed);
            on.standing = Some(standing);
            let state = &mut on.state;
            (state.breaker, state.failures) = (standing.state.name(), standing.failures);
            state.next_probe_ns = standing.next_probe_ns.unwrap_or(0);
            match standing.state {
                State::Closed if was_open => {
                    (state.last_error, state.last_error_kind) = (String::new(), "");
                    on.health = None;
                }
                State::Closed => {}
                // Once: each look that fails would be the same news again, and how often it failed is to be seen.
                State::Open | State::HalfOpen if was_open && on.health.is_some() => {}
                State::Open | State::HalfOpen => {
                    // Who is not believed may have answered.
                    let what = match standing.last {
                        Some(Failure::Check) => "could not be read",
                        _ => "has not answered",
                    };
                    on.health = Some(format!(
                        "{what} {} times in a row ({}) and is left alone; it is looked for now and then, \
                         and read as soon as it is back",
                        standing.failures, state.last_error
                    ));
                    opened = (!was_open).then(|| on.id.clone());
                }
            }
        });
        if let Some(id) = opened {
            self.0.valves.lost(&id);
            self.write_latest(key, 0, true);
        }
    }

    /// Changes what is known of a meter, and tells whoever wants to know.
    pub(super) fn change(&self, key: u64, change: impl FnOnce(&mut OnPort)) {
        let mut meters = self.meters();
        let Some(on) = meters.get_mut(&key) else { return };
        let words = |on: &OnPort| on.trouble.clone().or_else(|| on.health.clone());
        let before = words(on);
        change(on);
        let now = words(on);
        let told = (now != before).then_some((on.line, now));
        // Its samples and what was rejected are shared, not copied: that they are many costs an event nothing.
        let (id, state) = (on.id.clone(), on.state.clone());
        drop(meters);
        if let Some((line, health)) = told {
            // It must not be dropped: it is told once.
            self.0.queue.push_wait(Input::Health(line, health));
        }
        let mut snapshot = self.0.shared.write().unwrap_or_else(PoisonError::into_inner);
        let at = snapshot.meters.iter().position(|meter| meter.id == id);
        snapshot.on_ports.insert(id, state);
        drop(snapshot);
        if let Some(at) = at {
            let _ = self.0.changes.try_send(Change::Meter(at));
        }
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
pub(super) mod tests;
