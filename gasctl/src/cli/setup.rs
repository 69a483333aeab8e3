// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be typed after `gasctl setup`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const AFTER: &str = "\
With a terminal and flags missing it asks. Without one it fails with status 2 and names the flags.
It only listens to inputs that nobody has: outputs and lines in use are left alone, unless --line names
an output. gasd itself checks the file together with the configuration that is there before it comes
into place; an existing file is never replaced without --force.

Examples:
  gasctl setup                                 ask for everything
  gasctl setup --list                          chips, lines and who has them
  gasctl setup --find --bias pull-up           which line answers when the magnet moves?
  gasctl setup --id kitchen --chip gpiochip0 --line 4 --active-low --bias pull-up \\
      --pulse-volume '10 L' --max-flow '6 m3/h' --yes
  gasctl setup --id boiler --chip pinctrl-bcm2711 --line 17 --pulse-volume '100 imp/m3' \\
      --valve street --valve-line 22 --valve-closed high --valve-pulse '60 ms' --dry-run";

/// The electrical rest position that the chip itself provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bias {
    /// A resistor to the supply.
    PullUp,
    /// A resistor to ground.
    PullDown,
    /// None.
    Disabled,
}

impl Bias {
    /// The word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Bias::PullUp => "pull-up",
            Bias::PullDown => "pull-down",
            Bias::Disabled => "disabled",
        }
    }
}

/// A level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// The supply.
    High,
    /// Ground.
    Low,
}

impl Level {
    /// The word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Level::High => "high",
            Level::Low => "low",
        }
    }
}

/// Finds the contact's line and writes a meter's configuration file.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = AFTER)]
pub struct SetupArgs {
    /// Only list the chips and their lines
    #[arg(long, conflicts_with_all = ["find", "id", "yes", "dry_run"])]
    pub list: bool,
    /// Only listen for edges on every free input, and count them
    #[arg(long, conflicts_with_all = ["id", "yes", "dry_run"])]
    pub find: bool,
    /// How long to listen
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// The meter's id: letters, digits, `_` and `-`
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// The chip of the meter's line, by device name, path or label (labels stay over a boot)
    #[arg(long, value_name = "CHIP")]
    pub chip: Option<String>,
    /// The line's offset on its chip
    #[arg(long, value_name = "N")]
    pub line: Option<u32>,
    /// The line is low while the contact is closed
    #[arg(long)]
    pub active_low: bool,
    /// The chip's own resistor
    #[arg(long, value_name = "BIAS")]
    pub bias: Option<Bias>,
    /// The volume of one pulse, from the meter's plate: '10 L', '100 imp/m3'
    #[arg(long, value_name = "VOLUME")]
    pub pulse_volume: Option<String>,
    /// Qmax, from the meter's plate; '6 m3/h' unless given
    #[arg(long, value_name = "FLOW")]
    pub max_flow: Option<String>,
    /// The valve that a critical verdict on this meter closes. Alone it names one that is configured already
    #[arg(long, value_name = "ID")]
    pub valve: Option<String>,
    /// Configure the valve as one in memory only, for trying things out
    #[arg(long, requires = "valve", conflicts_with = "valve_line")]
    pub valve_simulated: bool,
    /// The chip of the valve's lines, unless it is the meter's
    #[arg(long, value_name = "CHIP", requires = "valve_line")]
    pub valve_chip: Option<String>,
    /// The line that drives the valve
    #[arg(long, value_name = "N", requires = "valve", requires = "valve_closed")]
    pub valve_line: Option<u32>,
    /// The level that closes the valve; no default is safe
    #[arg(long, value_name = "LEVEL", requires = "valve_line")]
    pub valve_closed: Option<Level>,
    /// The valve latches, and its coil is fed this long: '60 ms'
    #[arg(long, value_name = "DURATION", requires = "valve_line")]
    pub valve_pulse: Option<String>,
    /// The opening coil's line, of a latching valve with two coils
    #[arg(long, value_name = "N", requires = "valve_pulse")]
    pub valve_open_line: Option<u32>,
    /// The line that is high while the valve is closed
    #[arg(long, value_name = "N", requires = "valve_line")]
    pub valve_feedback_line: Option<u32>,
    /// The file to write; /etc/gasd/conf.d/50-ID.toml unless given
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
    /// Write without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// The file is for another machine: do not look at chips and lines
    #[arg(long, conflicts_with_all = ["list", "find"])]
    pub offline: bool,
    /// Have gasd judge the file and print it instead of writing it
    #[arg(long)]
    pub dry_run: bool,
}
