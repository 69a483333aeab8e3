// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1.Simulation` at `/io/gasd1/simulation`: commissioning tests, for root alone.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use zbus::message::Header;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, Variant, fdo, interface};

use super::call::{Desk, Options};
use super::look;
use super::refusal::Refusal;
use crate::simulation::{Order, Trace};
use crate::state::{Command, Shared, SimulatedVerdict, SimulationState};

/// How often it is looked whether the caller is still there.
const LOOK: Duration = Duration::from_secs(1);
/// Thousandths of the trace's speed that can be asked for.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=1_000.0;

/// The test stand.
pub(super) struct Simulation {
    pub(super) shared: Shared,
    pub(super) desk: Desk,
}

impl Simulation {
    fn get<T>(&self, read: impl FnOnce(&SimulationState) -> T) -> T {
        read(&look(&self.shared).simulation)
    }
}

/// The caller's name for the record and on the bus, if it is root. Asked of the bus for every call;
/// any doubt means no.
async fn root(connection: &Connection, header: &Header<'_>) -> Result<(String, OwnedUniqueName), Refusal> {
    let unknown = |why: String| Refusal::UnknownCaller(why);
    let sender = header.sender().ok_or_else(|| unknown("no sender".to_owned()))?;
    let bus = fdo::DBusProxy::new(connection).await.map_err(|error| unknown(error.to_string()))?;
    let uid = bus.get_connection_unix_user(sender.to_owned().into()).await;
    let uid = uid.map_err(|error| unknown(error.to_string()))?;
    let who = format!("uid {uid} ({sender})");
    if uid == 0 { Ok((who, sender.to_owned().into())) } else { Err(Refusal::NotRoot { who }) }
}

fn order(meter: String, trace: &str, mut options: Options) -> Result<Order, Refusal> {
    let wrong = |what: &str| Refusal::WrongValue(what.to_owned());
    let fd = match options.remove("File").as_deref() {
        None => None,
        Some(Variant::Fd(fd)) => {
            let own = fd.as_fd().try_clone_to_owned();
            Some(own.map_err(|error| wrong(&format!("File: {error}")))?)
        }
        Some(_) => return Err(wrong("File: expected a file descriptor (h)")),
    };
    let speed = options.remove("Speed").map(f64::try_from).transpose();
    let speed = speed.map_err(|_| wrong("Speed: expected a number (d)"))?.unwrap_or(1.0);
    let valve = options.remove("Valve").map(bool::try_from).transpose();
    let valve = valve.map_err(|_| wrong("Valve: expected true or false (b)"))?.unwrap_or(false);
    if let Some(name) = options.keys().min() {
        return Err(Refusal::UnknownOption(name.clone()));
    }
    if !SPEEDS.contains(&speed) {
        return Err(wrong("Speed: expected 0.1 to 1000"));
    }
    let trace = match (trace, fd) {
        ("hose", None) => Trace::Hose,
        ("household", None) => Trace::Household,
        ("file", Some(fd)) => Trace::File(Arc::new(fd)),
        ("file", None) => return Err(wrong("the trace \"file\" wants the option File")),
        ("hose" | "household", Some(_)) => return Err(wrong("File: only with the trace \"file\"")),
        _ => return Err(wrong("the trace: expected \"hose\", \"household\" or \"file\"")),
    };
    Ok(Order { meter, trace, speed_thousandths: (speed * 1_000.0).round() as u32, valve })
}

fn verdict(v: &SimulatedVerdict) -> HashMap<&'static str, Variant<'static>> {
    let mut map = HashMap::from([
        ("Kind", Variant::from(v.kind.clone())),
        ("Severity", Variant::from(v.severity.clone())),
        ("After", Variant::from(v.after_ns)),
        ("Evidence", Variant::from(v.evidence_json.clone())),
        ("Text", Variant::from(v.text.clone())),
        ("Simulated", Variant::from(true)),
    ]);
    if let Some(id) = v.id {
        map.insert("Id", Variant::from(id));
    }
    map
}

#[interface(name = "io.gasd1.Simulation", introspection_docs = false)]
impl Simulation {
    async fn start(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        meter: String,
        trace: String,
        options: Options,
    ) -> Result<(), Refusal> {
        let (caller, name) = root(connection, &header).await?;
        let order = order(meter, &trace, options)?;
        self.desk.hand_over(Command::Simulate { order, caller }).await?;
        // One that nobody watches any more ends.
        let (desk, connection, shared) = (self.desk.clone(), connection.clone(), self.shared.clone());
        let began = look(&shared).simulation.number;
        tokio::spawn(async move {
            let gone = || look(&shared).simulation.number != began || !look(&shared).simulation.is_running();
            while !gone() && is_there(&connection, &name).await {
                tokio::time::sleep(LOOK).await;
            }
            if !gone() {
                let caller = format!("{name}, which left the bus");
                // It may have ended just now, or the service with it.
                let _ = desk.hand_over(Command::StopSimulation { caller }).await;
            }
        });
        Ok(())
    }

    async fn stop(
        &self,
        #[zbus(connection)] connection: &Connection,
        #[zbus(header)] header: Header<'_>,
        options: Options,
    ) -> Result<(), Refusal> {
        let (caller, _) = root(connection, &header).await?;
        if let Some(name) = options.keys().min() {
            return Err(Refusal::UnknownOption(name.clone()));
        }
        self.desk.hand_over(Command::StopSimulation { caller }).await.map(drop)
    }

    #[zbus(property)]
    fn state(&self) -> &'static str {
        self.get(|s| s.phase.name())
    }

    #[zbus(property)]
    fn meter(&self) -> String {
        self.get(|s| s.meter.clone())
    }

    #[zbus(property)]
    fn trace(&self) -> String {
        self.get(|s| s.trace.clone())
    }

    #[zbus(property)]
    fn speed(&self) -> f64 {
        self.get(|s| s.speed)
    }

    #[zbus(property)]
    fn valve(&self) -> bool {
        self.get(|s| s.valve)
    }

    #[zbus(property)]
    fn pulses(&self) -> u64 {
        self.get(|s| s.pulses)
    }

    #[zbus(property)]
    fn volume_microlitres(&self) -> u64 {
        self.get(|s| s.volume_ul)
    }

    #[zbus(property)]
    fn flow_known(&self) -> bool {
        self.get(|s| s.flow_m3_per_h.is_some_and(f64::is_finite))
    }

    #[zbus(property)]
    fn flow_cubic_metres_per_hour(&self) -> f64 {
        self.get(|s| s.flow_m3_per_h.filter(|flow| flow.is_finite()).unwrap_or_default())
    }

    #[zbus(property)]
    fn verdicts(&self) -> Vec<HashMap<&'static str, Variant<'static>>> {
        self.get(|s| s.verdicts.iter().map(verdict).collect())
    }

    #[zbus(property)]
    fn latency(&self) -> Vec<u64> {
        self.get(|s| s.latency_ns.to_vec())
    }

    #[zbus(property)]
    fn valve_latency(&self) -> u64 {
        self.get(|s| s.valve_latency_ns)
    }

    #[zbus(property)]
    fn outcome(&self) -> String {
        self.get(|s| s.outcome.clone())
    }

    #[zbus(property)]
    fn problem(&self) -> String {
        self.get(|s| s.problem.clone())
    }
}

/// Whether a connection is on the bus. A bus that does not answer is no reason to stop anything: it may
/// be busy, and when it is gone the connection ends with it.
async fn is_there(connection: &Connection, name: &OwnedUniqueName) -> bool {
    let Ok(bus) = fdo::DBusProxy::new(connection).await else { return true };
    bus.name_has_owner(name.clone().into()).await.unwrap_or(true)
}
