// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration after all checks: units converted, references resolved, defaults filled in.

use std::path::PathBuf;

use gasd_abi::FilterConfig;
use gasd_abi::records::{LINE_FED, LINE_SIMULATED};
use gasd_detect::{CheckedReadings, Profile, Rules};

use super::device::DeviceConfig;
use super::port::PortConfig;

/// A whole, checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The meters, in the order of the files.
    pub meters: Vec<MeterConfig>,
    /// The valves, in the order of the files.
    pub valves: Vec<ValveConfig>,
    /// The ports, in the order of the files.
    pub ports: Vec<PortConfig>,
    /// Where totals, holds and the audit record live. `[store] path`.
    pub store: PathBuf,
    /// How often a changed total is persisted, ns. `[store] persist`, default 10 s.
    pub persist_ns: u64,
    /// Where the pins live. `[kernel] pins`, default `/run/gasd/bpf`.
    pub pins: PathBuf,
    /// What a person should know and what stops nothing, one line each, in the order of the files.
    pub warnings: Vec<String>,
    /// The files it was read from, in the order in which they count.
    pub files: Vec<String>,
}

/// A line of a GPIO chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpioLine {
    /// `gpiochip0`, `/dev/gpiochip0`, or the chip's label; `None` for a line that only a trace plays.
    pub chip: Option<String>,
    /// Offset of the line on the chip, or the trace's line.
    pub line: u32,
    /// The contact pulls the line low: active is the low level. `active = "low"`, default high.
    pub active_low: bool,
    /// `bias = "pull-up" | "pull-down" | "disabled"`, default as it is.
    pub bias: Option<Bias>,
}

/// Where a meter's pulses or readings come from.
#[derive(Clone, Debug, PartialEq)]
pub enum MeterSource {
    /// A line of a chip; its interrupts are counted. `gpio`.
    Chip(GpioLine),
    /// A line that only a trace or a test plays. `line`, or `gpio` without a chip.
    Trace(GpioLine),
    /// A program hands edges in over a feed, or with `readings` what the register shows. `source = "stack"`.
    Stack,
    /// gasd reads its register, or hears what it sends. `port` and `device`.
    Port(Box<PortMeter>),
}

/// A meter on a port.
#[derive(Clone, Debug, PartialEq)]
pub struct PortMeter {
    /// Id of the port.
    pub port: String,
    /// How it is spoken to.
    pub device: DeviceConfig,
}

impl MeterSource {
    /// The line of a chip.
    #[must_use]
    pub const fn chip(&self) -> Option<&GpioLine> {
        match self {
            MeterSource::Chip(line) => Some(line),
            MeterSource::Trace(_) | MeterSource::Stack | MeterSource::Port(_) => None,
        }
    }

    /// The line that a trace of this meter has.
    #[must_use]
    pub const fn trace_line(&self) -> Option<u32> {
        match self {
            MeterSource::Chip(line) | MeterSource::Trace(line) => Some(line.line),
            MeterSource::Stack | MeterSource::Port(_) => None,
        }
    }

    /// The port that it is read through.
    #[must_use]
    pub fn on_port(&self) -> Option<&PortMeter> {
        match self {
            MeterSource::Port(on) => Some(on),
            _ => None,
        }
    }

    /// Whether a player makes the pulses: they are none of gas.
    #[must_use]
    pub const fn is_simulated(&self) -> bool {
        matches!(self, MeterSource::Trace(_))
    }

    /// Whether a feed feeds it.
    #[must_use]
    pub const fn is_fed(&self) -> bool {
        matches!(self, MeterSource::Stack)
    }

    /// Its line's flags in the kernel.
    #[must_use]
    pub const fn line_flags(&self) -> u32 {
        match self {
            MeterSource::Chip(_) => 0,
            MeterSource::Trace(_) => LINE_SIMULATED,
            // Its line has no edges either way.
            MeterSource::Stack | MeterSource::Port(_) => LINE_FED,
        }
    }
}

/// What holds a line when nobody drives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// Pulled up.
    PullUp,
    /// Pulled down.
    PullDown,
    /// Neither.
    Disabled,
}

/// A meter's filter and how often a settled line is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterSettings {
    /// What the filter itself needs. A meter faster than 25 pulses a second at twice its largest
    /// flow gets shorter defaults, see `docs/configuration.md`.
    pub abi: FilterConfig,
    /// How often a settled line's level is read, ns. `filter.poll`, default 50 ms.
    pub poll_ns: u64,
}

impl Default for FilterSettings {
    fn default() -> Self {
        Self { abi: FilterConfig::default(), poll_ns: super::limits::DEFAULT_POLL_NS }
    }
}

/// Thresholds of the first rules, m³/h.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Over 1 s, default 5.0.
    pub suspect_m3_per_h: f64,
    /// Over 5 s, default 3.2.
    pub confirm_m3_per_h: f64,
    /// Over 30 s, default 1.8.
    pub sustain_m3_per_h: f64,
}

/// One meter.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterConfig {
    /// Unique, `[A-Za-z0-9_-]{1,64}`.
    pub id: String,
    /// Where its pulses or readings come from.
    pub source: MeterSource,
    /// How its register is read; `None` for a meter whose pulses are counted. `readings`.
    pub readings: Option<CheckedReadings>,
    /// Volume of one pulse, µL; of a register the steps that it is judged by.
    pub pulse_volume_ul: u64,
    /// Largest flow that the meter is made for, µL/h.
    pub max_flow_ul_per_h: u64,
    /// Its filter.
    pub filter: FilterSettings,
    /// Its thresholds.
    pub thresholds: Thresholds,
    /// The set of rules that it begins with. `profile`, default `eu-g4`.
    pub profile: Profile,
    /// The rules: the profile's, with what `rules` says otherwise.
    pub rules: Rules,
    /// Index into [`Config::valves`] of the valve that a critical verdict closes.
    pub valve: Option<usize>,
    /// A line that is active while a gas detector gives alarm (R9). `alarm`, default none.
    pub alarm: Option<GpioLine>,
}

impl MeterConfig {
    /// How its register is read, without what it is judged by: the interval, the resolution and where it begins
    /// anew.
    #[must_use]
    pub fn register(&self) -> Option<[u64; 3]> {
        self.readings.map(|readings| [readings.every_ns, readings.resolution_ul, readings.modulus_ul])
    }
}

/// The level that closes a valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedLevel {
    /// High closes.
    High,
    /// Low closes.
    Low,
}

/// How a valve is driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actuator {
    /// A valve that exists in memory only.
    Simulated,
    /// The valve in a meter on a port, moved by the meter's own command.
    Meter {
        /// Id of the meter.
        meter: String,
    },
    /// A line: the level is kept, or for a latching valve pulsed.
    Gpio {
        /// The line that drives it.
        line: GpioLine,
        /// Level that closes.
        closed: ClosedLevel,
        /// Length of the pulse of a latching valve, ns; `None`: the level is kept.
        pulse_ns: Option<u64>,
        /// The line that opens a latching valve with two coils.
        open_line: Option<GpioLine>,
        /// A line that reads [`Actuator::Gpio::closed`]-independent feedback: active when closed.
        feedback: Option<GpioLine>,
    },
}

/// One valve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValveConfig {
    /// Unique, `[A-Za-z0-9_-]{1,64}`.
    pub id: String,
    /// How it is driven.
    pub actuator: Actuator,
}
