// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters that are read through ports: what the configuration says of them becomes threads, and what those tell becomes
//! readings of the engine.
//!
//! | file | idea |
//! |---|---|
//! | `air` | ports that listen |
//! | [`desk`] | what ports tell, on its way to engine, store, valves and whoever looks |
//! | [`devices`] | serial devices that are something else |
//! | [`keys`] | key files before anything runs |
//! | `kept` | what is kept of a meter over a restart |
//! | `line` | what ports tell of themselves |
//! | `moving` | the command that is at work at a meter's valve, kept over a restart |
//! | `odd` | answers from whom nobody asked |
//! | [`search`] | looking for meters, told through a pipe |
//! | [`show`] | what may be seen of ports and their meters |
//! | [`spec`] | from the configuration to what a port works with; keys from their files |
//! | [`valve`] | the valve in a meter |

mod air;
pub mod desk;
pub mod devices;
mod kept;
pub mod keys;
mod line;
mod moving;
mod odd;
pub mod search;
pub mod show;
pub mod spec;
pub mod valve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gasd_abi::records::meter_key;
use gasd_meters::Valve;
use gasd_meters::drive::scan::Search;
use gasd_meters::poll::Supply;
use gasd_ports::WireSpec;
use gasd_ports::port::{Port, PortSpec, Teller, Told};

use crate::config::{Config, PortConfig, PortLine};
use crate::exit::{self, Fatal};
use crate::response::Target;
use crate::state::{PortState, Shared};
use crate::store;

use desk::{Desk, Place};
use valve::ValveDesk;

/// Before a meter's id: the key of what is remembered of it.
pub const MEMORY: &str = "memory:";
/// Before a meter's id: the key of the command that its valve was given and that has not ended.
pub const MOVING: &str = "moving:";
/// Before a meter's id: the key of its last readings.
pub const LATEST: &str = "latest:";

/// Whoever searches on a port is told here.
type Searching = Arc<Mutex<Option<std::sync::mpsc::Sender<gasd_ports::bus::Searched>>>>;

/// All ports at work.
pub struct Readers {
    desk: Desk,
    valves: ValveDesk,
    shared: Shared,
    running: Mutex<HashMap<String, Running>>,
}

struct Running {
    config: PortConfig,
    at_work: AtWork,
}

enum AtWork {
    /// It asks.
    Asking(Port, Searching),
    /// It listens.
    Listening(air::Listening),
}

impl Running {
    const fn asking(&self) -> Option<(&Port, &Searching)> {
        match &self.at_work {
            AtWork::Asking(port, searching) => Some((port, searching)),
            AtWork::Listening(_) => None,
        }
    }
}

impl Readers {
    /// None at work yet.
    #[must_use]
    pub fn new(desk: Desk, valves: ValveDesk, shared: Shared) -> Self {
        Self { desk, valves, shared, running: Mutex::default() }
    }

    /// Makes the ports those of a configuration: what is gone is closed, what is new is opened, what stays goes on with its
    /// meters as they are now. `lines`: each meter's line in the filter.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn apply(&self, config: &Config, lines: &HashMap<String, u32>) -> Result<(), Fatal> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        self.leave(config, &running);
        // Joined before their devices are opened anew.
        running.retain(|id, port| config.ports.iter().any(|next| next.id == *id && next == &port.config));
        self.show(config);
        self.desk.place(&places(config, lines));
        for port in &config.ports {
            let known = running.get(&port.id).map(|known| &known.at_work);
            let at_work = match (&port.line, known) {
                (PortLine::Wire(_), Some(AtWork::Asking(known, _))) => {
                    known.handle().set_meters(spec::wired(config, port, &self.desk));
                    continue;
                }
                (PortLine::Wire(wire), _) => self.ask(config, port, wire)?,
                (_, Some(AtWork::Listening(known))) => {
                    air::core(config, port, &self.desk)
                        .into_iter()
                        .for_each(|core| known.hand().set_core(core));
                    continue;
                }
                _ => match air::start(config, port, &self.desk)? {
                    Some(listening) => AtWork::Listening(listening),
                    None => continue,
                },
            };
            running.insert(port.id.clone(), Running { config: port.clone(), at_work });
        }
        self.desk.placed();
        for meter in &config.meters {
            let Some(on) = meter.source.on_port() else { continue };
            let port = running.get(&on.port).and_then(Running::asking);
            let hand = port.map(|(port, _)| (port.handle(), meter_key(&meter.id)));
            self.valves.connect(&meter.id, hand);
        }
        Ok(())
    }

    /// Before meters have another port, or their own is opened anew: what is ordered meanwhile waits for that. Of an opening
    /// that is under way nobody can say whether its command is out; it may be.
    fn leave(&self, config: &Config, running: &HashMap<String, Running>) {
        let stays = |id: &str, port: &str| {
            let port = running.get(port).filter(|known| config.ports.contains(&known.config));
            let meter = config.meters.iter().find(|meter| meter.id == id);
            let on = meter.and_then(|meter| meter.source.on_port());
            port.is_some_and(|port| on.is_some_and(|on| on.port == port.config.id))
        };
        for (key, id, port) in self.desk.on_ports() {
            if !stays(&id, &port) && self.valves.disconnect(&id) == Some(Target::Open) {
                self.desk.still_moving(key, Some(Valve::Open));
            }
        }
    }

    /// Starts a port that asks.
    fn ask(&self, config: &Config, port: &PortConfig, wire: &WireSpec) -> Result<AtWork, Fatal> {
        let searching = Searching::default();
        let told = teller(&self.desk, &port.id, searching.clone());
        let spec = PortSpec { id: port.id.clone(), wire: wire.clone(), pace: port.pace(wire) };
        let started = Port::start(spec, spec::wired(config, port, &self.desk), told);
        let failed = |error| Fatal::new(exit::FAILED, format!("the thread of port \"{}\": {error}", port.id));
        started.map(|port| AtWork::Asking(port, searching)).map_err(failed)
    }

    /// What may be seen of the ports: those that stay keep what they have said.
    fn show(&self, config: &Config) {
        let mut snapshot = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut snapshot.ports);
        snapshot.ports = config.ports.iter().map(|port| state(config, port, &before)).collect();
    }

    /// Looks for meters on a port; what is found is told until the receiver is dropped, or the line is lost.
    ///
    /// # Errors
    /// In words: there is no such port, nothing can be asked there, or it has no line at present.
    pub fn search(
        &self,
        port: &str,
        search: Search,
    ) -> Result<std::sync::mpsc::Receiver<gasd_ports::bus::Searched>, String> {
        let health = {
            let snapshot = self.shared.read().unwrap_or_else(PoisonError::into_inner);
            snapshot.ports.iter().find(|state| state.id == port).map(|state| state.health.clone())
        };
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (port, searching) = running.get(port).and_then(Running::asking).ok_or_else(|| {
            format!("nothing can be asked on port \"{port}\": only on serial lines and serial servers can it")
        })?;
        // Its questions would wait for the line, however long.
        if let Some(why) = health.filter(|health| health != "ok") {
            return Err(format!("it has no line at present: {why}"));
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        *searching.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        port.handle().search(Some(Box::new(search)));
        Ok(receiver)
    }

    /// Ends a search.
    pub fn stop_search(&self, port: &str) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((port, searching)) = running.get(port).and_then(Running::asking) {
            *searching.lock().unwrap_or_else(PoisonError::into_inner) = None;
            port.handle().search(None);
        }
    }

    /// How a port's supply is, or why nobody knows: while it is low no breaker opens.
    pub fn set_supply(&self, port: &str, low: Result<bool, String>) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((port, _)) = running.get(port).and_then(Running::asking) {
            port.handle().set_supply(if low == Ok(true) { Supply::Low } else { Supply::Good });
        }
        self.desk.supply(port, &low);
    }

    /// Closes all ports. Returns what is to be written down last.
    #[must_use]
    pub fn stop(&self) -> Vec<store::Change> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.desk.last_rows()
    }
}

fn state(config: &Config, port: &PortConfig, before: &[PortState]) -> PortState {
    let on =
        |meter: &&crate::config::MeterConfig| meter.source.on_port().is_some_and(|on| on.port == port.id);
    let meters = config.meters.iter().filter(on).map(|meter| meter.id.clone()).collect();
    let (kind, place) = (port.line.kind().to_owned(), port.line.place());
    match before.iter().find(|old| old.id == port.id && old.kind == kind && old.place == place) {
        Some(old) => PortState { meters, ..old.clone() },
        None => PortState {
            id: port.id.clone(),
            kind,
            place,
            health: "it is being opened".to_owned(),
            meters,
            echo: "unknown",
            ..PortState::default()
        },
    }
}

/// The meters on ports.
fn places(config: &Config, lines: &HashMap<String, u32>) -> Vec<Place> {
    let place = |meter: &crate::config::MeterConfig| {
        let on = meter.source.on_port()?;
        Some(Place {
            id: meter.id.clone(),
            key: meter_key(&meter.id),
            line: *lines.get(&meter.id)?,
            port: on.port.clone(),
            protocol: on.device.talk.protocol().to_owned(),
            driven: spec::driven(config, &meter.id),
            quantity: on.device.quantity,
            unit: on.device.unit,
            asked: on.device.talk.is_asked(),
        })
    };
    config.meters.iter().filter_map(place).collect()
}

/// What a port tells, to the desk; and what a search finds, to whoever searches.
fn teller(desk: &Desk, port: &str, searching: Searching) -> Teller {
    let (desk, port) = (desk.clone(), port.to_owned());
    Box::new(move |told| match told {
        Told::Searched(searched) => {
            let mut place = searching.lock().unwrap_or_else(PoisonError::into_inner);
            // Who went away is noticed by the next one who searches, or by its own end of the socket.
            if place.as_ref().is_some_and(|sender| sender.send(searched).is_err()) {
                *place = None;
            }
        }
        told => {
            if matches!(told, Told::Health(Some(_))) {
                *searching.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            desk.told(&port, told);
        }
    })
}
