// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the live service asks of a configuration and a replay does not.

use super::error::{ErrorKind, Errors, Problem};
use super::sense::Sense;
use super::types::{Actuator, Config, GpioLine, MeterSource};

impl Config {
    /// Refuses lines without a GPIO chip: a trace plays them, a service cannot request them.
    ///
    /// # Errors
    /// One problem for every such line of a meter or valve. They carry no place, because a
    /// configuration does not remember its text; they name the meter or valve.
    pub fn require_chips(&self) -> Result<(), Errors> {
        let mut problems = Vec::new();
        let mut require = |key: String, line: &GpioLine| {
            if line.chip.is_none() {
                let kind = ErrorKind::Sense(Sense::NoChip { line: line.line });
                problems.push(Problem { file: String::new(), place: None, key, value: None, kind });
            }
        };
        for meter in &self.meters {
            if let MeterSource::Trace(line) = &meter.source {
                require(format!("meter \"{}\": gpio", meter.id), line);
            }
            if let Some(line) = &meter.alarm {
                require(format!("meter \"{}\": alarm", meter.id), line);
            }
        }
        for port in &self.ports {
            if let Some(line) = &port.low_power {
                require(format!("port \"{}\": low_power", port.id), line);
            }
        }
        for valve in &self.valves {
            let Actuator::Gpio { line, open_line, feedback, .. } = &valve.actuator else {
                continue;
            };
            require(format!("valve \"{}\": actuator.gpio", valve.id), line);
            for (name, line) in [("open_line", open_line), ("feedback", feedback)] {
                if let Some(line) = line {
                    require(format!("valve \"{}\": actuator.{name}", valve.id), line);
                }
            }
        }
        Errors::new(problems).map_or(Ok(()), Err)
    }
}
