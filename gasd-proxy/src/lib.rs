// SPDX-License-Identifier: MIT OR Apache-2.0
//! `io.gasd1` as its clients see it: the names, the typed proxies, and what the properties mean.
//!
//! ```text
//! /io/gasd1                 io.gasd1.Manager, org.freedesktop.DBus.ObjectManager
//! /io/gasd1/meters/<id>     io.gasd1.Meter
//! /io/gasd1/valves/<id>     io.gasd1.Valve
//! /io/gasd1/ports/<id>      io.gasd1.Port
//! /io/gasd1/verdicts/<n>    io.gasd1.Verdict, as long as nobody acknowledged it
//! /io/gasd1/simulation      io.gasd1.Simulation
//! ```
//! The interfaces are documented member by member in `dbus/*.xml`.

mod client;
mod error;
mod objects;
mod path;
mod port;
mod properties;
mod proxies;
mod simulation;
mod watch;

pub use client::{Client, address};
pub use error::ClientError;
pub use objects::{AuditEntry, Hold, Meter, Sensitivity, Service, State, Valve, Verdict};
pub use path::{Object, leaf, meter_path, port_path, unleaf, valve_path, verdict_path};
pub use port::{OnPort, Port};
pub use properties::Properties;
pub use proxies::{ManagerProxy, MeterProxy, PortProxy, ValveProxy, VerdictProxy};
pub use simulation::{SimulatedVerdict, SimulationProxy, SimulationState};
pub use watch::{Event, Watch};

/// The bus name.
pub const NAME: &str = "io.gasd1";
/// The root of the tree; `org.freedesktop.DBus.ObjectManager` and [`MANAGER`] live here.
pub const ROOT: &str = "/io/gasd1";
/// Interface of the service itself.
pub const MANAGER: &str = "io.gasd1.Manager";
/// Interface of a meter.
pub const METER: &str = "io.gasd1.Meter";
/// Interface of a valve.
pub const VALVE: &str = "io.gasd1.Valve";
/// Interface of a port.
pub const PORT: &str = "io.gasd1.Port";
/// Interface of a verdict.
pub const VERDICT: &str = "io.gasd1.Verdict";
/// Interface of the test stand.
pub const SIMULATION: &str = "io.gasd1.Simulation";
/// The test stand.
pub const SIMULATION_PATH: &str = "/io/gasd1/simulation";
/// Prefix of the service's own error names.
pub const ERROR_PREFIX: &str = "io.gasd1.Error.";
/// Members may read.
pub const READ_GROUP: &str = "gasd-read";
/// Members may close, open and acknowledge.
pub const CONTROL_GROUP: &str = "gasd-control";
/// Environment variable that names the bus: `system`, `session` or a D-Bus address.
pub const ADDRESS_ENV: &str = "GASD_BUS_ADDRESS";
