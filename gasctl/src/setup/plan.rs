// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the new file will say. Pure: flags in, TOML out; gasd itself judges the values.

use std::path::{Path, PathBuf};

use crate::cli::{Bias, Level, SetupArgs};
use crate::fail::Failure;

/// A meter, and maybe its valve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The meter's id.
    pub id: String,
    /// The chip, as it will be named.
    pub chip: String,
    /// The line's offset.
    pub line: u32,
    /// Whether a closed contact pulls the line low.
    pub active_low: bool,
    /// The chip's own resistor.
    pub bias: Option<Bias>,
    /// As typed: `10 L`.
    pub pulse_volume: String,
    /// As typed: `6 m3/h`.
    pub max_flow: Option<String>,
    /// What a critical verdict closes.
    pub valve: Option<ValvePlan>,
}

/// The meter's valve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValvePlan {
    /// One that is configured already.
    Known(String),
    /// A new one in memory only.
    Simulated(String),
    /// A new one on a GPIO line.
    Gpio {
        /// Its id.
        id: String,
        /// Chip of all its lines.
        chip: String,
        /// The line that drives it.
        line: u32,
        /// The level that closes it.
        closed: Level,
        /// How long the coil of a latching valve is fed.
        pulse: Option<String>,
        /// Line of the opening coil.
        open_line: Option<u32>,
        /// Line that is high while it is closed.
        feedback_line: Option<u32>,
    },
}

/// What a latching valve with one coil means.
pub const CLOSES_ONLY: &str = "without a line for the coil that opens it gasd can close the valve, but never open it: that is done by hand";

/// The flags without which there is no plan, as they are typed.
pub fn missing(args: &SetupArgs) -> Vec<&'static str> {
    let needed = [
        ("--id", args.id.is_none()),
        ("--chip", args.chip.is_none()),
        ("--line", args.line.is_none()),
        ("--pulse-volume", args.pulse_volume.is_none()),
    ];
    needed.into_iter().filter_map(|(flag, missing)| missing.then_some(flag)).collect()
}

/// Whether gasd takes it as an id; it also becomes part of a file's name.
pub fn good_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

impl Plan {
    /// The plan that the flags describe.
    ///
    /// # Errors
    /// [`Failure::Usage`] naming the flags that are missing.
    pub fn from_flags(args: &SetupArgs) -> Result<Plan, Failure> {
        let (Some(id), Some(chip), Some(line), Some(pulse_volume)) =
            (args.id.clone(), args.chip.clone(), args.line, args.pulse_volume.clone())
        else {
            return Err(Failure::Usage(format!(
                "without a terminal nobody can be asked; missing: {}. `gasctl setup --list` and `gasctl setup --find` \
                 help to find the line",
                missing(args).join(", ")
            )));
        };
        if !good_id(&id) {
            return Err(Failure::Usage(format!("--id \"{id}\": 1 to 64 of letters, digits, `_` and `-`")));
        }
        let valve = args.valve.clone().map(|id| match (args.valve_line, args.valve_closed) {
            (Some(line), Some(closed)) => ValvePlan::Gpio {
                id,
                chip: args.valve_chip.clone().unwrap_or_else(|| chip.clone()),
                line,
                closed,
                pulse: args.valve_pulse.clone(),
                open_line: args.valve_open_line,
                feedback_line: args.valve_feedback_line,
            },
            _ if args.valve_simulated => ValvePlan::Simulated(id),
            _ => ValvePlan::Known(id),
        });
        Ok(Plan {
            id,
            chip,
            line,
            active_low: args.active_low,
            bias: args.bias,
            pulse_volume,
            max_flow: args.max_flow.clone(),
            valve,
        })
    }

    /// Whether gasd must be restarted to take it up: a reload refuses a valve that is new.
    pub fn needs_restart(&self) -> bool {
        matches!(self.valve, Some(ValvePlan::Simulated(_) | ValvePlan::Gpio { .. }))
    }

    /// The file's usual place in a directory of drop-ins.
    pub fn file(&self, dir: &Path) -> PathBuf {
        dir.join(format!("50-{}.toml", self.id))
    }

    /// Every line that the plan uses: its part, chip and offset.
    pub fn lines(&self) -> Vec<(&'static str, &str, u32)> {
        let mut lines = vec![("meter", self.chip.as_str(), self.line)];
        if let Some(ValvePlan::Gpio { chip, line, open_line, feedback_line, .. }) = &self.valve {
            lines.push(("valve", chip, *line));
            lines.extend(open_line.map(|line| ("valve's opening coil", chip.as_str(), line)));
            lines.extend(feedback_line.map(|line| ("valve's feedback", chip.as_str(), line)));
        }
        lines
    }

    /// What a person should know of the plan before it is carried out.
    pub fn notes(&self) -> Vec<String> {
        match &self.valve {
            Some(ValvePlan::Gpio { pulse: Some(_), open_line: None, .. }) => vec![CLOSES_ONLY.to_owned()],
            _ => Vec::new(),
        }
    }

    /// The file's text.
    pub fn toml(&self) -> String {
        let mut gpio = format!("chip = {}, line = {}", quoted(&self.chip), self.line);
        if self.active_low {
            gpio += ", active = \"low\"";
        }
        if let Some(bias) = self.bias {
            gpio += &format!(", bias = \"{}\"", bias.name());
        }
        let mut text = format!(
            "# Written by `gasctl setup`; yours to change. What every key means: gasd.toml(5).\n\
             [[meter]]\nid = {}\ngpio = {{ {gpio} }}\npulse_volume = {}\n",
            quoted(&self.id),
            quoted(&self.pulse_volume)
        );
        if let Some(flow) = &self.max_flow {
            text += &format!("max_flow = {}\n", quoted(flow));
        }
        match &self.valve {
            None => {}
            Some(ValvePlan::Known(id)) => text += &format!("valve = {}\n", quoted(id)),
            Some(ValvePlan::Simulated(id)) => {
                text += &format!("valve = {}\n", quoted(id));
                text += &format!("\n[[valve]]\nid = {}\nactuator = \"simulated\"\n", quoted(id));
            }
            Some(ValvePlan::Gpio { id, chip, line, closed, pulse, open_line, feedback_line }) => {
                let at = |line: u32| format!("{{ chip = {}, line = {line} }}", quoted(chip));
                text += &format!("valve = {}\n", quoted(id));
                text += &format!("\n[[valve]]\nid = {}\n\n[valve.actuator]\n", quoted(id));
                text += &format!("gpio = {}\nclosed = \"{}\"\n", at(*line), closed.name());
                if let Some(pulse) = pulse {
                    text += &format!("pulse = {}\n", quoted(pulse));
                }
                if let Some(line) = open_line {
                    text += &format!("open_line = {}\n", at(*line));
                }
                if let Some(line) = feedback_line {
                    text += &format!("feedback = {}\n", at(*line));
                }
            }
        }
        text
    }
}

/// A TOML basic string. Whatever is typed stays inside its quotes.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> SetupArgs {
        SetupArgs {
            id: Some("kitchen".into()),
            chip: Some("gpiochip0".into()),
            line: Some(4),
            pulse_volume: Some("10 L".into()),
            ..SetupArgs::default()
        }
    }

    fn judged(text: &str) -> gasd::config::Config {
        gasd::config::parse("50-x.toml", text).unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    #[test]
    fn a_plain_meter_is_one_that_gasd_takes() {
        let plan = Plan::from_flags(&flags()).unwrap();
        let meter = &judged(&plan.toml()).meters[0];
        assert_eq!(
            (meter.id.as_str(), meter.source.trace_line(), meter.pulse_volume_ul),
            ("kitchen", Some(4), 10_000_000)
        );
        assert_eq!(plan.file(Path::new("/etc/gasd/conf.d")), Path::new("/etc/gasd/conf.d/50-kitchen.toml"));
    }

    #[test]
    fn every_flag_arrives_in_the_configuration() {
        let args = SetupArgs {
            active_low: true,
            bias: Some(Bias::PullUp),
            max_flow: Some("10 m3/h".into()),
            valve: Some("street".into()),
            valve_line: Some(22),
            valve_closed: Some(Level::High),
            valve_pulse: Some("60 ms".into()),
            valve_open_line: Some(23),
            valve_feedback_line: Some(24),
            ..flags()
        };
        let plan = Plan::from_flags(&args).unwrap();
        let config = judged(&plan.toml());
        let meter = &config.meters[0];
        let gpio = meter.source.chip().unwrap();
        assert!(gpio.active_low && gpio.bias == Some(gasd::config::Bias::PullUp));
        assert_eq!((meter.max_flow_ul_per_h, meter.valve), (10_000_000_000, Some(0)));
        let gasd::config::Actuator::Gpio { line, pulse_ns, open_line, feedback, closed } =
            &config.valves[0].actuator
        else {
            panic!("{:?}", config.valves)
        };
        assert_eq!((line.line, *pulse_ns, *closed), (22, Some(60_000_000), gasd::config::ClosedLevel::High));
        assert_eq!(open_line.as_ref().map(|l| l.line), Some(23));
        assert_eq!(feedback.as_ref().map(|l| l.line), Some(24));
        assert!(plan.notes().is_empty());
        let one_coil = Plan::from_flags(&SetupArgs { valve_open_line: None, ..args }).unwrap();
        assert_eq!(one_coil.notes(), [CLOSES_ONLY]);
        let parts: Vec<_> = plan.lines().into_iter().map(|(_, chip, line)| (chip, line)).collect();
        assert_eq!(parts, [("gpiochip0", 4), ("gpiochip0", 22), ("gpiochip0", 23), ("gpiochip0", 24)]);
    }

    #[test]
    fn a_simulated_valve_is_configured_and_a_known_one_only_named() {
        let mut args = SetupArgs { valve: Some("main".into()), valve_simulated: true, ..flags() };
        let plan = Plan::from_flags(&args).unwrap();
        assert_eq!(judged(&plan.toml()).valves.len(), 1);
        assert!(plan.needs_restart());
        args.valve_simulated = false;
        let plan = Plan::from_flags(&args).unwrap();
        assert!(!plan.toml().contains("[[valve]]") && !plan.needs_restart());
    }

    #[test]
    fn missing_flags_are_named() {
        let args = SetupArgs { chip: None, pulse_volume: None, ..flags() };
        let failure = Plan::from_flags(&args).unwrap_err();
        assert_eq!(failure.status(), 2);
        assert!(failure.to_string().contains("missing: --chip, --pulse-volume"), "{failure}");
    }

    #[test]
    fn an_id_cannot_leave_the_directory() {
        for id in ["../../etc/passwd", "", "a b", &"x".repeat(65)] {
            let failure = Plan::from_flags(&SetupArgs { id: Some(id.into()), ..flags() }).unwrap_err();
            assert_eq!(failure.status(), 2, "{id}");
        }
    }

    #[test]
    fn what_is_typed_stays_inside_its_quotes() {
        let args = SetupArgs { pulse_volume: Some("10 L\"\nvalve = \"x\\\u{7f}".into()), ..flags() };
        let text = Plan::from_flags(&args).unwrap().toml();
        let error = gasd::config::parse("x", &text).unwrap_err().to_string();
        assert!(error.contains("pulse_volume") && !error.contains("valve:"), "{error}");
    }
}
