// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commissioning tests: `io.gasd1.Simulation`.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use serde::Serialize;
use zbus::names::InterfaceName;
use zbus::{Variant, fdo, proxy};

use crate::properties::{Properties, set, set_name, value};
use crate::{Client, ClientError, NAME, SIMULATION, SIMULATION_PATH};

/// The test stand.
#[proxy(
    interface = "io.gasd1.Simulation",
    default_service = "io.gasd1",
    default_path = "/io/gasd1/simulation",
    assume_defaults = false
)]
pub trait Simulation {
    /// Begins one. Options: `File` (h), `Speed` (d), `Valve` (b).
    fn start(&self, meter: &str, trace: &str, options: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
    /// Ends the one under way.
    fn stop(&self, options: HashMap<&str, Variant<'_>>) -> zbus::Result<()>;
}

/// A verdict of a simulation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SimulatedVerdict {
    /// The number of the verdict that waits, where the valve took part.
    pub id: Option<u64>,
    /// What was found.
    pub kind: String,
    /// `info`, `notice`, `warning`, `critical` or `unknown`.
    pub severity: String,
    /// From the moment that the trace means to be noticed to the decision, ns of the trace.
    pub after_ns: u64,
    /// One sentence for a person.
    pub text: String,
    /// Always true: whoever finds it alone must not take it for a real one.
    pub simulated: bool,
}

/// The simulation that runs, or the last one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SimulationState {
    /// `idle`, `running`, `ended` or `unknown`.
    pub state: String,
    /// Id of the meter whose settings are used.
    pub meter: String,
    /// `hose`, `household`, `file` or `unknown`.
    pub trace: String,
    /// How many times faster than it happened.
    pub speed: f64,
    /// Whether the valve takes part.
    pub valve: bool,
    /// Pulses accepted; they are in no total.
    pub pulses: u64,
    /// Their volume, µL.
    pub volume_ul: u64,
    /// Flow, m³/h; `None` before the second pulse.
    pub flow_m3_per_h: Option<f64>,
    /// Its verdicts.
    pub verdicts: Vec<SimulatedVerdict>,
    /// From the step that decided a pulse to the engine: median, 99th percentile, longest, ns.
    pub latency_ns: Vec<u64>,
    /// From the first critical verdict to the valve being driven, ns; 0 if it was not.
    pub valve_latency_ns: u64,
    /// Empty while it runs; then `ended`, `stopped`, `too-long`, `failed` or `unknown`.
    pub outcome: String,
    /// Why, in words.
    pub problem: String,
}

impl SimulationState {
    fn read(p: &Properties) -> SimulationState {
        let mut read = SimulationState::default();
        set_name(&mut read.state, p, "State", &["idle", "running", "ended"]);
        set(&mut read.meter, p, "Meter");
        set_name(&mut read.trace, p, "Trace", &["", "hose", "household", "file"]);
        set(&mut read.speed, p, "Speed");
        set(&mut read.valve, p, "Valve");
        set(&mut read.pulses, p, "Pulses");
        set(&mut read.volume_ul, p, "VolumeMicrolitres");
        read.flow_m3_per_h =
            value(p, "FlowKnown").unwrap_or(false).then(|| value(p, "FlowCubicMetresPerHour")).flatten();
        set(&mut read.latency_ns, p, "Latency");
        set(&mut read.valve_latency_ns, p, "ValveLatency");
        set_name(&mut read.outcome, p, "Outcome", &["", "ended", "stopped", "too-long", "failed"]);
        set(&mut read.problem, p, "Problem");
        let verdicts = value::<Vec<Properties>>(p, "Verdicts").unwrap_or_default();
        read.verdicts = verdicts.iter().map(SimulatedVerdict::read).collect();
        read
    }
}

impl SimulatedVerdict {
    fn read(p: &Properties) -> SimulatedVerdict {
        let mut read =
            SimulatedVerdict { id: value(p, "Id"), simulated: true, ..SimulatedVerdict::default() };
        set(&mut read.kind, p, "Kind");
        set_name(&mut read.severity, p, "Severity", &["info", "notice", "warning", "critical"]);
        set(&mut read.after_ns, p, "After");
        set(&mut read.text, p, "Text");
        read
    }
}

impl Client {
    /// Begins a simulation on a meter; `file` is the recording where `trace` is `file`, a regular file.
    ///
    /// # Errors
    /// [`ClientError::Denied`] for anybody but root, [`ClientError::Refused`] with the service's words.
    pub async fn simulate(
        &self,
        meter: &str,
        trace: &str,
        file: Option<OwnedFd>,
        speed: f64,
        valve: bool,
    ) -> Result<(), ClientError> {
        let file = file.map(zbus::OwnedFd::from);
        let mut options = HashMap::from([("Speed", Variant::from(speed)), ("Valve", Variant::from(valve))]);
        if let Some(file) = &file {
            options.insert("File", Variant::from(zbus::Fd::from(file)));
        }
        Ok(SimulationProxy::new(self.connection()).await?.start(meter, trace, options).await?)
    }

    /// Ends the simulation under way.
    ///
    /// # Errors
    /// As [`Client::simulate`].
    pub async fn stop_simulation(&self) -> Result<(), ClientError> {
        Ok(SimulationProxy::new(self.connection()).await?.stop(HashMap::new()).await?)
    }

    /// The simulation that runs, or the last one.
    ///
    /// # Errors
    /// As [`Client::state`].
    pub async fn simulation(&self) -> Result<SimulationState, ClientError> {
        let properties = fdo::PropertiesProxy::new(self.connection(), NAME, SIMULATION_PATH).await?;
        let interface = InterfaceName::from_static_str(SIMULATION)?;
        Ok(SimulationState::read(&properties.get_all(interface).await?))
    }
}
