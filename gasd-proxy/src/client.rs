// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finds the bus and reads the whole tree in two calls.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::time::Duration;

use zbus::connection::Builder;
use zbus::names::InterfaceName;
use zbus::{Connection, Variant, fdo};

use crate::path::{meter_path, port_path, valve_path, verdict_path};
use crate::{
    ADDRESS_ENV, AuditEntry, ClientError, MANAGER, METER, ManagerProxy, MeterProxy, NAME, PORT, PortProxy,
    ROOT, State, VALVE, VERDICT, ValveProxy, VerdictProxy, Watch,
};

/// A valve may take a while to move, and a person to type a password for polkit: the service gives
/// the one 20 s and the other 60 s.
const ANSWER: Duration = Duration::from_secs(90);
/// Reading takes milliseconds.
const READ: Duration = Duration::from_secs(25);
/// Connecting to a bus that is alive takes milliseconds.
const CONNECT: Duration = Duration::from_secs(10);
/// Signals that may wait while a call is under way. Must hold what a restart of the service with
/// many unacknowledged verdicts sends.
const QUEUE: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

/// A connection to the bus that gasd lives on.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Connection,
}

/// The bus to use: `option`, else the environment's `GASD_BUS_ADDRESS`, else `system`.
#[must_use]
pub fn address(option: Option<&str>) -> String {
    option
        .map(str::to_owned)
        .or_else(|| std::env::var(ADDRESS_ENV).ok())
        .filter(|address| !address.is_empty())
        .unwrap_or_else(|| "system".to_owned())
}

impl Client {
    /// Connects to the bus that [`address`] finds: `system`, `session` or a D-Bus address. Needs a
    /// Tokio runtime.
    ///
    /// # Errors
    /// [`ClientError::BusUnreachable`]. A service that does not run is found by the first call.
    pub async fn connect(option: Option<&str>) -> Result<Client, ClientError> {
        let address = address(option);
        let (builder, bus) = match address.as_str() {
            "system" => (Builder::system(), "system bus".to_owned()),
            "session" => (Builder::session(), "session bus".to_owned()),
            other => (Builder::address(other), format!("bus at {other}")),
        };
        let connecting = builder.method_timeout(ANSWER).max_queued(QUEUE).build();
        match within(CONNECT, connecting).await {
            Some(Ok(connection)) => Ok(Client { connection }),
            Some(Err(error)) => Err(ClientError::BusUnreachable { bus, why: error.to_string() }),
            None => Err(ClientError::BusUnreachable { bus, why: "no answer within 10 s".to_owned() }),
        }
    }

    /// The connection below.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads everything.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`], [`ClientError::Denied`] and the like.
    pub async fn state(&self) -> Result<State, ClientError> {
        within(READ, self.read()).await.unwrap_or(Err(ClientError::NoAnswer))
    }

    async fn read(&self) -> Result<State, ClientError> {
        let properties = fdo::PropertiesProxy::new(&self.connection, NAME, ROOT).await?;
        let manager = InterfaceName::from_static_str(MANAGER)?;
        let mut state = State::default();
        state.service.update(&properties.get_all(manager).await?);

        let objects = fdo::ObjectManagerProxy::new(&self.connection, NAME, ROOT).await?;
        for interfaces in objects.get_managed_objects().await?.into_values() {
            for (name, properties) in interfaces {
                state.insert(name.as_str(), &properties);
            }
        }
        Ok(state)
    }

    /// Follows what changes from now on.
    ///
    /// # Errors
    /// As [`Client::state`].
    pub async fn watch(&self) -> Result<Watch, ClientError> {
        Watch::start(self.clone()).await
    }

    /// The last entries of the audit record, oldest first; with `before`, the last of those before that
    /// number.
    ///
    /// # Errors
    /// As [`Client::state`]; also when the service cannot read its record.
    pub async fn audit(&self, last: u32, before: Option<u64>) -> Result<Vec<AuditEntry>, ClientError> {
        let mut options = HashMap::from([("Last", Variant::from(last))]);
        if let Some(before) = before {
            options.insert("Before", Variant::from(before));
        }
        let entries = self.manager().await?.audit(options).await?;
        Ok(entries.iter().map(AuditEntry::of).collect())
    }

    /// A verdict out of the service's record, acknowledged or not.
    ///
    /// # Errors
    /// As [`Client::audit`]; [`ClientError::Refused`] with `NotFound` when there never was one.
    pub async fn recorded(&self, verdict: u64) -> Result<crate::Verdict, ClientError> {
        let properties = self.manager().await?.get_verdict(verdict, HashMap::new()).await?;
        let mut found = crate::Verdict::default();
        found.update(&properties);
        Ok(found)
    }

    /// Acknowledges a verdict; `feedback` is what it turned out to be: `false-alarm` or `real-leak`.
    ///
    /// # Errors
    /// As [`Client::state`]; [`ClientError::NoSuchObject`] when nobody waits for it any more.
    pub async fn acknowledge(&self, verdict: u64, feedback: Option<&str>) -> Result<(), ClientError> {
        let options = feedback.map(|name| ("Feedback", Variant::from(name)));
        Ok(self.verdict(verdict).await?.acknowledge(options.into_iter().collect()).await?)
    }

    /// The service itself.
    ///
    /// # Errors
    /// Only when the connection is gone.
    pub async fn manager(&self) -> Result<ManagerProxy<'static>, ClientError> {
        Ok(ManagerProxy::new(&self.connection).await?)
    }

    /// A meter by its id. Whether there is one is found by the first call.
    ///
    /// # Errors
    /// Only when the connection is gone.
    pub async fn meter(&self, id: &str) -> Result<MeterProxy<'static>, ClientError> {
        Ok(MeterProxy::new(&self.connection, meter_path(id)).await?)
    }

    /// A valve by its id. Whether there is one is found by the first call.
    ///
    /// # Errors
    /// Only when the connection is gone.
    pub async fn valve(&self, id: &str) -> Result<ValveProxy<'static>, ClientError> {
        Ok(ValveProxy::new(&self.connection, valve_path(id)).await?)
    }

    /// A port by its id. Whether there is one is found by the first call.
    ///
    /// # Errors
    /// Only when the connection is gone.
    pub async fn port(&self, id: &str) -> Result<PortProxy<'static>, ClientError> {
        Ok(PortProxy::new(&self.connection, port_path(id)).await?)
    }

    /// Looks for meters on a port, in these protocols, or in all that are known: the end of a pipe with one JSON object a
    /// line, see `dbus/io.gasd1.Port.xml`. Closing it ends the search.
    ///
    /// # Errors
    /// As [`Client::state`]; [`ClientError::Refused`] with `NoScan` where nothing can be asked, or `InvalidArgs` for a
    /// protocol that the service does not know.
    pub async fn scan(&self, port: &str, protocols: &[String]) -> Result<OwnedFd, ClientError> {
        let mut options = HashMap::new();
        if !protocols.is_empty() {
            options.insert("Protocols", Variant::from(protocols.to_vec()));
        }
        Ok(self.port(port).await?.scan(options).await?.into())
    }

    /// What was heard of a meter instead of answers: when (`CLOCK_BOOTTIME` ns), the kind of error, the bytes in hex.
    ///
    /// # Errors
    /// As [`Client::state`].
    pub async fn rejected_answers(&self, meter: &str) -> Result<Vec<(u64, String, String)>, ClientError> {
        let meter = self.meter(meter).await?;
        let asking = meter.rejected_answers(HashMap::new());
        Ok(within(READ, asking).await.ok_or(ClientError::NoAnswer)??)
    }

    /// A verdict by its number. Whether there is one is found by the first call.
    ///
    /// # Errors
    /// Only when the connection is gone.
    pub async fn verdict(&self, id: u64) -> Result<VerdictProxy<'static>, ClientError> {
        Ok(VerdictProxy::new(&self.connection, verdict_path(id)).await?)
    }
}

impl State {
    /// Takes one interface of one object in. Interfaces that this client does not know are left out.
    pub(crate) fn insert(&mut self, interface: &str, properties: &crate::Properties) {
        match interface {
            METER => {
                let mut meter = crate::Meter::default();
                meter.update(properties);
                self.meters.insert(meter.id.clone(), meter);
            }
            VALVE => {
                let mut valve = crate::Valve::default();
                valve.update(properties);
                self.valves.insert(valve.id.clone(), valve);
            }
            PORT => {
                let mut port = crate::Port::default();
                port.update(properties);
                self.ports.insert(port.id.clone(), port);
            }
            VERDICT => {
                let mut verdict = crate::Verdict::default();
                verdict.update(properties);
                self.verdicts.insert(verdict.id, verdict);
            }
            _ => {}
        }
    }
}

/// The future's output, or `None` when it takes longer.
async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}
