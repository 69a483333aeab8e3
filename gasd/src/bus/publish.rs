// SPDX-License-Identifier: MIT OR Apache-2.0
//! The objects of one connection, and what was last told about each.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use gasd_proxy::{Properties, ROOT, meter_path, port_path, valve_path, verdict_path};
use zbus::object_server::{Interface, InterfaceRef, SignalEmitter};
use zbus::{Connection, ObjectPath, Variant, fdo};

use super::Searcher;
use super::call::Desk;
use super::look;
use super::manager::Manager;
use super::meter::Meter;
use super::pace::Subject;
use super::port::Port;
use super::simulation::Simulation;
use super::valve::Valve;
use super::verdict::{self, Verdict};
use crate::state::{Shared, VerdictRecord};

/// An object, and its properties as they were last told.
struct Told<I> {
    object: InterfaceRef<I>,
    last: Properties,
}

impl<I: Interface> Told<I> {
    /// Puts an object on the bus. What it says now needs no signal.
    async fn add(connection: &Connection, path: &str, interface: I) -> zbus::Result<Told<I>> {
        connection.object_server().at(path, interface).await?;
        let object = connection.object_server().interface::<_, I>(path).await?;
        let mut told = Told { object, last: Properties::new() };
        told.last = told.read(connection).await?;
        Ok(told)
    }

    /// Reads all properties through the same getters that answer `Get`.
    async fn read(&self, connection: &Connection) -> zbus::Result<Properties> {
        let interface = self.object.get().await;
        let emitter = self.object.signal_emitter();
        Ok(interface.get_all(connection.object_server(), connection, None, emitter).await?)
    }

    /// Tells what changed since the last time, in one signal; returns whether there was anything.
    async fn tell(&mut self, connection: &Connection) -> zbus::Result<bool> {
        let now = self.read(connection).await?;
        let mut changed = HashMap::new();
        for (name, value) in now.iter().filter(|(name, value)| self.last.get(*name) != Some(value)) {
            changed.insert(name.as_str(), Variant::try_from(value)?);
        }
        if changed.is_empty() {
            return Ok(false);
        }
        let emitter = self.object.signal_emitter();
        fdo::Properties::properties_changed(emitter, I::name(), changed, Cow::Borrowed(&[])).await?;
        self.last = now;
        Ok(true)
    }
}

/// The objects of one connection.
pub(super) struct Publisher {
    connection: Connection,
    shared: Shared,
    desk: Desk,
    manager: Told<Manager>,
    simulation: Told<Simulation>,
    valves: Vec<Told<Valve>>,
    /// In the order of the snapshot, by id.
    meters: Vec<(String, Told<Meter>)>,
    ports: Vec<(String, Told<Port>)>,
    search: Option<Searcher>,
    verdicts: BTreeSet<u64>,
}

impl Publisher {
    /// Puts all objects on the connection. The name is for the caller to request afterwards.
    pub(super) async fn new(
        connection: &Connection,
        shared: &Shared,
        desk: Desk,
        manager: Manager,
        search: Option<Searcher>,
    ) -> zbus::Result<Publisher> {
        let (meter_ids, valve_ids) = {
            let snapshot = look(shared);
            let meters: Vec<String> = snapshot.meters.iter().map(|m| m.id.clone()).collect();
            let valves: Vec<String> = snapshot.valves.iter().map(|v| v.id.clone()).collect();
            (meters, valves)
        };
        let manager = Told::add(connection, ROOT, manager).await?;
        let mut meters = Vec::with_capacity(meter_ids.len());
        for id in meter_ids {
            let meter = Meter { shared: shared.clone(), id: id.clone(), desk: desk.clone() };
            let told = Told::add(connection, &meter_path(&id), meter).await?;
            meters.push((id, told));
        }
        let mut valves = Vec::with_capacity(valve_ids.len());
        for (index, id) in valve_ids.iter().enumerate() {
            let valve = Valve { shared: shared.clone(), index, desk: desk.clone() };
            valves.push(Told::add(connection, &valve_path(id), valve).await?);
        }
        let stand = Simulation { shared: shared.clone(), desk: desk.clone() };
        let simulation = Told::add(connection, gasd_proxy::SIMULATION_PATH, stand).await?;
        let mut publisher = Publisher {
            connection: connection.clone(),
            shared: shared.clone(),
            desk,
            manager,
            simulation,
            valves,
            meters,
            ports: Vec::new(),
            search,
            verdicts: BTreeSet::new(),
        };
        publisher.sync_ports().await?;
        for record in publisher.new_verdicts() {
            publisher.add_verdict(record).await?;
        }
        // Last, so that the objects above do not each announce themselves twice.
        connection.object_server().at(ROOT, fdo::ObjectManager).await?;
        Ok(publisher)
    }

    pub(super) fn meters(&self) -> usize {
        self.meters.len()
    }

    pub(super) fn ports(&self) -> usize {
        self.ports.len()
    }

    pub(super) fn valves(&self) -> usize {
        self.valves.len()
    }

    /// Tells what changed in one object, if anything did.
    pub(super) async fn tell(&mut self, subject: Subject) -> zbus::Result<bool> {
        match subject {
            Subject::Service => self.manager.tell(&self.connection).await,
            Subject::Simulation => self.simulation.tell(&self.connection).await,
            Subject::Valve(index) => self.valves[index].tell(&self.connection).await,
            Subject::Port(index) => self.ports[index].1.tell(&self.connection).await,
            Subject::Meter(index) => {
                let (id, told) = &mut self.meters[index];
                // One that has just gone says nothing any more.
                if !look(&self.shared).meters.iter().any(|meter| meter.id == *id) {
                    return Ok(false);
                }
                told.tell(&self.connection).await
            }
        }
    }

    /// Makes the objects of meters and ports those of the snapshot. Returns whether there was a difference.
    pub(super) async fn sync(&mut self) -> zbus::Result<bool> {
        let ports = self.sync_ports().await?;
        Ok(self.sync_meters().await? || ports)
    }

    async fn sync_ports(&mut self) -> zbus::Result<bool> {
        let ids: Vec<String> = look(&self.shared).ports.iter().map(|port| port.id.clone()).collect();
        if ids.iter().eq(self.ports.iter().map(|(id, _)| id)) {
            return Ok(false);
        }
        let mut before = std::mem::take(&mut self.ports);
        for (id, _) in before.extract_if(.., |(id, _)| !ids.contains(id)) {
            self.connection.object_server().remove::<Port, _>(port_path(&id).as_str()).await?;
        }
        for id in ids {
            let told = match before.iter().position(|(known, _)| *known == id) {
                Some(at) => before.swap_remove(at).1,
                None => {
                    let (shared, desk, search) =
                        (self.shared.clone(), self.desk.clone(), self.search.clone());
                    let port = Port { shared, id: id.clone(), desk, search };
                    Told::add(&self.connection, &port_path(&id), port).await?
                }
            };
            self.ports.push((id, told));
        }
        Ok(true)
    }

    /// Makes the meter objects those of the snapshot, in its order; the ObjectManager announces each
    /// that comes or goes. Returns whether there was a difference.
    async fn sync_meters(&mut self) -> zbus::Result<bool> {
        let ids: Vec<String> = look(&self.shared).meters.iter().map(|meter| meter.id.clone()).collect();
        if ids.iter().eq(self.meters.iter().map(|(id, _)| id)) {
            return Ok(false);
        }
        let mut before = std::mem::take(&mut self.meters);
        for (id, _) in before.extract_if(.., |(id, _)| !ids.contains(id)) {
            self.connection.object_server().remove::<Meter, _>(meter_path(&id).as_str()).await?;
        }
        for id in ids {
            let told = match before.iter().position(|(known, _)| *known == id) {
                Some(at) => before.swap_remove(at).1,
                None => {
                    let (shared, desk) = (self.shared.clone(), self.desk.clone());
                    let meter = Meter { shared, id: id.clone(), desk };
                    Told::add(&self.connection, &meter_path(&id), meter).await?
                }
            };
            self.meters.push((id, told));
        }
        Ok(true)
    }

    /// Makes the verdict objects those of the snapshot and announces each difference at once.
    pub(super) async fn sync_verdicts(&mut self) -> zbus::Result<()> {
        for id in self.gone_verdicts() {
            self.remove_verdict(id).await?;
        }
        for record in self.new_verdicts() {
            let emitter = SignalEmitter::new(&self.connection, ROOT)?;
            let path = verdict_path(record.id);
            self.add_verdict(record.clone()).await?;
            let path = ObjectPath::try_from(path.as_str())?;
            Manager::verdict_added(&emitter, path, verdict::properties(&record)).await?;
        }
        Ok(())
    }

    fn new_verdicts(&self) -> Vec<VerdictRecord> {
        let snapshot = look(&self.shared);
        let open = snapshot.verdicts.iter().filter(|record| record.acknowledged_by.is_none());
        open.filter(|record| !self.verdicts.contains(&record.id)).cloned().collect()
    }

    fn gone_verdicts(&self) -> Vec<u64> {
        let snapshot = look(&self.shared);
        let open = snapshot.verdicts.iter().filter(|record| record.acknowledged_by.is_none());
        let open: BTreeSet<u64> = open.map(|record| record.id).collect();
        self.verdicts.difference(&open).copied().collect()
    }

    async fn add_verdict(&mut self, record: VerdictRecord) -> zbus::Result<()> {
        let id = record.id;
        let verdict = Verdict { record, desk: self.desk.clone() };
        self.connection.object_server().at(verdict_path(id), verdict).await?;
        self.verdicts.insert(id);
        Ok(())
    }

    async fn remove_verdict(&mut self, id: u64) -> zbus::Result<()> {
        let path = verdict_path(id);
        self.verdicts.remove(&id);
        self.connection.object_server().remove::<Verdict, _>(path.as_str()).await?;
        let emitter = SignalEmitter::new(&self.connection, ROOT)?;
        let details = HashMap::from([("Id", Variant::from(id))]);
        Manager::verdict_removed(&emitter, ObjectPath::try_from(path.as_str())?, details).await
    }
}
