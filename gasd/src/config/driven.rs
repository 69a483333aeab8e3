// SPDX-License-Identifier: MIT OR Apache-2.0
//! What drives a valve, whatever the valve is called: what was held or told is of it, too. Pure.
//!
//! A line and a meter have one spelling each here, so that a configuration which is only written otherwise has the same
//! valves. One of a meter whose address no other meter in the world has is that wherever the meter is connected.

use std::path::Path;

use gasd_meters::drive::{Device, ModbusValve};
use gasd_meters::mbus::Target;
use gasd_ports::wire::WireSpec;

use super::device::Talk;
use super::gpio::chip_in_one_spelling;
use super::place::Place;
use super::port::PortLine;
use super::types::{Actuator, Config, GpioLine, PortMeter, ValveConfig};

impl Config {
    /// What drives a valve of this configuration, in words and one spelling: its lines, the one that closes first, or the
    /// meter that it is in. None for one that is simulated: nothing is driven, and its name is all that there is.
    #[must_use]
    pub fn drivers(&self, valve: &ValveConfig) -> Vec<String> {
        match &valve.actuator {
            Actuator::Simulated => Vec::new(),
            Actuator::Gpio { line, open_line, .. } => [Some(line), open_line.as_ref()]
                .into_iter()
                .flatten()
                .map(GpioLine::in_one_spelling)
                .collect(),
            Actuator::Meter { meter } => {
                let meter = self.meters.iter().find(|known| known.id == *meter);
                let on = meter.and_then(|meter| meter.source.on_port());
                on.map(|on| self.meter(on)).into_iter().collect()
            }
        }
    }

    /// All of them in a sentence.
    #[must_use]
    pub fn driven_by(&self, valve: &ValveConfig) -> String {
        self.drivers(valve).join(" and ")
    }

    fn meter(&self, on: &PortMeter) -> String {
        let place = || {
            let port = self.ports.iter().find(|port| port.id == on.port);
            port.map_or_else(|| on.port.clone(), |port| place(&port.line))
        };
        match &on.device.talk {
            Talk::Wired(Device::Cjt188 { address, .. }) => format!("the CJ/T 188 meter {address}"),
            Talk::Wired(Device::Dlt645 { address, .. }) => format!("the DL/T 645 meter {address}"),
            Talk::Wired(
                Device::Mbus { target: Target::Selected(address), .. }
                | Device::SecureMbus { target: Target::Selected(address), .. },
            ) => format!("the M-Bus meter {address}"),
            Talk::Wired(
                Device::Mbus { target: Target::Primary(address), .. }
                | Device::SecureMbus { target: Target::Primary(address), .. },
            ) => format!("the M-Bus meter {address} on {}", place()),
            // A unit may be several meters, each with a valve of its own.
            Talk::Wired(Device::Modbus { unit, map, valve: Some(valve) }) => {
                let (what, address) = match valve {
                    ModbusValve::Coil { address, .. } => ("coil", address),
                    ModbusValve::Register { address, .. } => ("register", address),
                };
                // As it goes over the wire, however the configuration counts.
                let address = address.saturating_sub(map.first);
                format!("{what} {address} of the Modbus unit {unit} on {}", place())
            }
            talk => format!("the only {} meter on {}", talk.protocol(), place()),
        }
    }
}

impl GpioLine {
    /// Which line it is, in words and one spelling.
    #[must_use]
    pub fn in_one_spelling(&self) -> String {
        let chip = chip_in_one_spelling(self.chip.as_deref().unwrap_or_default());
        format!("line {} of chip {}", self.line, chip.display())
    }
}

/// Where it is, without the settings that say how it is spoken through.
fn place(line: &PortLine) -> String {
    let place = match line {
        PortLine::Wire(WireSpec::Serial(spec)) | PortLine::Radio(WireSpec::Serial(spec), _) => {
            Place::device(Path::new(&spec.device))
        }
        PortLine::Wire(WireSpec::Tcp(spec)) | PortLine::Radio(WireSpec::Tcp(spec), _) => {
            Place::server(&spec.address)
        }
        PortLine::LoRaWan(listen, _) | PortLine::LwM2m(listen) => Place::listening(*listen),
    };
    match place {
        Place::Device(path) => path.display().to_string(),
        Place::Socket(text) => text,
    }
}

#[cfg(test)]
#[path = "driven_tests.rs"]
mod tests;
