// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be typed.

mod decode;
mod scan;
mod setup;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub use decode::{DecodeArgs, Secret};
pub use scan::{Baud, LineArgs, Parity, ScanArgs};
pub use setup::{Bias, Level, SetupArgs};

const AFTER: &str = "\
Examples:
  gasctl status                                how everything stands
  gasctl watch                                 follow what changes
  gasctl valve close main --reason 'smell of gas'
  gasctl explain 7                             what verdict 7 rests on
  gasctl ack 7                                 verdict 7 has been looked at
  gasctl valve open main
  gasctl setup                                 write a meter's configuration file
  gasctl scan /dev/ttyUSB0                     which meters are on this line?
  gasctl --json status | jq '.meters[].volume_ul'

Exit status:
  0  done
  1  refused; the message says why and what to do
  2  wrong usage
  3  gasd or the bus cannot be reached
  4  no permission; the message names the group
  5  scan: no meter was found
  6  scan, doctor: the port is in use, is not there or cannot be opened

Environment:
  GASD_BUS_ADDRESS  as --bus
  NO_COLOR          when set, no colour

Groups: gasd-read may read, gasd-control may also close, open and acknowledge.";

/// Shows and commands gasd, the gas gateway daemon.
#[derive(Debug, Parser)]
#[command(name = "gasctl", version, after_help = AFTER, disable_help_subcommand = true)]
pub struct Cli {
    /// The bus that gasd lives on: `system`, `session` or a D-Bus address
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub bus: Option<String>,
    /// Print JSON: one object, or one a line for `watch`; errors too, on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show meters, valves and verdicts
    #[command(after_help = "Examples:\n  gasctl status\n  gasctl --json status | jq '.verdicts'")]
    Status,
    /// Follow what changes, a line a change, until interrupted
    #[command(
        after_help = "The first lines say how everything stands. Meters are told at most twice a second.\n\n\
        Examples:\n  gasctl watch\n  gasctl --json watch | jq -c 'select(.event == \"verdict-added\")'"
    )]
    Watch,
    /// Show everything live in this terminal: flow, windows, verdicts, valves
    #[command(
        after_help = "Keys: arrows or Tab choose a meter, a acknowledges a verdict and c closes a valve (both \
        ask first), ? helps, q quits. 80x24 is enough. Opening is not there: `gasctl valve open`."
    )]
    Top,
    /// Close or open a valve
    #[command(subcommand)]
    Valve(Valve),
    /// Acknowledge verdicts: say that a person has looked at them
    #[command(
        after_help = "There is no way to acknowledge everything at once: each verdict wants to be looked at.\n\n\
        What it turned out to be is kept in the audit record, and moves the meter's own threshold within bounds: \
        `gasctl status` says how far. After a false alarm about the base flow gasd learns it anew.\n\n\
        Examples:\n  gasctl ack 7\n  gasctl ack 7 8\n  gasctl ack 7 --false-alarm"
    )]
    Ack {
        /// Number of a verdict, as `gasctl status` shows it
        #[arg(required = true, value_name = "N")]
        verdicts: Vec<u64>,
        /// Nothing was wrong
        #[arg(long, conflicts_with = "real_leak")]
        false_alarm: bool,
        /// Gas escaped, or would have
        #[arg(long)]
        real_leak: bool,
    },
    /// Explain a verdict in words, with the numbers that decided and a picture of the flow
    #[command(after_help = "Also one that was acknowledged; `gasctl audit` names them.\n\n\
        Examples:\n  gasctl explain 7\n  gasctl explain 7 --svg verdict-7.svg\n  gasctl --json explain 7 | jq '.facts[].text'")]
    Explain {
        /// Number of the verdict, as `gasctl status` or `gasctl audit` shows it
        #[arg(value_name = "N")]
        verdict: u64,
        /// Draw the flow into this file too; - draws it to standard output and nothing else
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
    /// Show who did what to which valve, and how it ended
    #[command(
        after_help = "Oldest first. The record is append-only; nothing in gasd removes or changes an entry.\n\n\
        Examples:\n  gasctl audit -n 50\n  gasctl --json audit | jq '.entries[] | select(.action == \"open\")'"
    )]
    Audit {
        /// How many of the last entries, at most 1000
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        last: u32,
        /// Only entries before this one
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
    },
    /// Tell gasd what sensors beside a meter measure: pressure, earthquake, gas detector
    Report(ReportArgs),
    /// Play a trace into the live kernel programs and see whether it is noticed (root)
    Simulate(SimulateArgs),
    /// Find the contact's line and write a meter's configuration file
    Setup(SetupArgs),
    /// Look for meters on a serial line or server, and print their configuration
    Scan(ScanArgs),
    /// Check the kernel, permissions, chips, units, clock, disk and the service, or a line; say what to do
    Doctor(DoctorArgs),
    /// Explain a frame of a meter, field by field, or say why it cannot be read
    Decode(DecodeArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  gasctl completions bash > /etc/bash_completion.d/gasctl")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub const fn is_on(self) -> bool {
        matches!(self, Switch::On)
    }
}

/// What sensors beside a meter measure.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "What is left out is as it was reported last, and counts until something else is said. Pressure \
    must be low for 10 s while gas flows, an alarm must last `rules.alarm_link` (40 s); which rules hold is the \
    meter's configuration. Wants the group gasd-control.\n\n\
    Examples:\n  gasctl report kitchen --pressure-kpa 2.1\n  gasctl report kitchen --gas-alarm on"
)]
#[command(group = clap::ArgGroup::new("values").required(true).multiple(true).args(["pressure_kpa", "seismic_gal", "gas_alarm"]))]
pub struct ReportArgs {
    /// The meter, as `gasctl status` shows it
    #[arg(value_name = "METER")]
    pub meter: String,
    /// Pressure behind the meter, kPa above the air's, -10 to 1000
    #[arg(long, value_name = "KPA", allow_negative_numbers = true)]
    pub pressure_kpa: Option<f64>,
    /// Acceleration of the ground, gal (cm/s²), 0 to 10000
    #[arg(long, value_name = "GAL")]
    pub seismic_gal: Option<f64>,
    /// Whether a gas detector gives alarm
    #[arg(long, value_name = "ON/OFF")]
    pub gas_alarm: Option<Switch>,
}

/// What a simulation is expected to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Expect {
    /// A critical verdict.
    Verdict,
    /// No critical verdict.
    Silence,
}

/// A commissioning test on the running service.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "The trace is played through the live kernel programs on a line of its own and judged with the \
    meter's settings and what it has learned. The meter goes on counting; its total is not touched; everything that comes of it is marked \
    as simulated. Ctrl-C ends it.\n\n\
    hose: 5 s of stillness, then a flow above the meter's first threshold and what the home takes. household: a day in 25 min, for meters \
    of 1 L a pulse. A recording is CSV, see gasd(8), and `-` is standard input; its line is the meter's.\n\n\
    With --valve a critical verdict closes the real valve and holds it; acknowledge and open it afterwards.\n\n\
    Exit status: 0 passed, 1 failed, 4 not root.\n\n\
    Examples:\n  gasctl simulate kitchen\n  gasctl simulate kitchen --valve\n  \
    gasctl simulate kitchen --trace cellar.csv --speed 60 --expect silence"
)]
pub struct SimulateArgs {
    /// The meter whose settings are tested
    #[arg(value_name = "METER")]
    pub meter: String,
    /// `hose`, `household` or a recording
    #[arg(long, value_name = "TRACE", default_value = "hose")]
    pub trace: String,
    /// How many times faster than it happened, 0.1 to 1000
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub speed: f64,
    /// Close the real valve when a critical verdict comes
    #[arg(long)]
    pub valve: bool,
    /// What makes the test pass; a verdict for hose and household, anything for a recording
    #[arg(long, value_name = "WHAT")]
    pub expect: Option<Expect>,
}

/// What `gasctl doctor` counts and prints.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(after_help = "It changes nothing and requests no line. Some things only root may see.\n\n\
    With PORT (the id of a port, a device, or HOST:PORT of a serial server) it examines that line: noise, another master, swapped wires, \
    echo, collisions, and who answers at which speed and parity. It listens, then asks what changes nothing. A port that gasd \
    has is left to gasd: what gasd has seen of it is judged.\n\n\
    Exit status: 0 when nothing failed, warnings or not; 1 when a check failed, or with --strict when one warned; with PORT as well 6 when \
    it is in use, is not there or cannot be opened.\n\n\
    Examples:\n  gasctl doctor\n  gasctl doctor cellar\n  gasctl doctor /dev/ttyUSB0 --baud 9600\n  \
    gasctl --json doctor | jq '.findings[] | select(.level == \"fail\")'")]
pub struct DoctorArgs {
    /// Examine this port instead: its id, a device, or HOST:PORT of a serial server
    #[arg(value_name = "PORT")]
    pub port: Option<String>,
    /// How it is examined.
    #[command(flatten)]
    pub line: LineArgs,
    /// Warnings count as failures
    #[arg(long)]
    pub strict: bool,
    /// Print only what is wrong
    #[arg(long)]
    pub quiet: bool,
}

/// What to do with a valve.
#[derive(Debug, Subcommand)]
pub enum Valve {
    /// Close a valve and hold it closed
    #[command(
        after_help = "An order that somebody's opposite order overtakes ends with 1 and says whose it was: `gasctl status` shows\n\
        how that one ends.\n\nExample:\n  gasctl valve close main --reason 'smell of gas in the cellar'"
    )]
    Close {
        /// The valve, as `gasctl status` shows it
        #[arg(value_name = "ID")]
        valve: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "closed with gasctl")]
        reason: String,
    },
    /// Close a valve and hold it closed for an application; prints the hold's cookie
    #[command(
        after_help = "Nobody can open the valve until the hold is released. The same application and reason again give\n\
        the same cookie.\n\nExample:\n  gasctl valve hold main --app leak-test --reason 'pressure test'"
    )]
    Hold {
        /// The valve, as `gasctl status` shows it
        #[arg(value_name = "ID")]
        valve: String,
        /// Who holds it: 1 to 64 of A-Z a-z 0-9 . _ -
        #[arg(long, value_name = "NAME")]
        app: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "held with gasctl")]
        reason: String,
    },
    /// Release an application's hold; opens nothing
    #[command(
        after_help = "Who placed it may, and who may open valves. `gasctl status` shows the cookies. Of a valve \
        that is not configured any more it releases the holds of gasd and the operator, too.\n\n\
        Example:\n  gasctl valve release main 12"
    )]
    Release {
        /// The valve, as `gasctl status` shows it
        #[arg(value_name = "ID")]
        valve: String,
        /// The hold's cookie
        #[arg(value_name = "COOKIE")]
        cookie: u64,
    },
    /// Open a valve; refused while a critical verdict waits or somebody else holds it
    #[command(after_help = "Example:\n  gasctl valve open main")]
    Open {
        /// The valve, as `gasctl status` shows it
        #[arg(value_name = "ID")]
        valve: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
