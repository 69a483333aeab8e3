// SPDX-License-Identifier: MIT OR Apache-2.0
//! What may be typed.

use clap::{Parser, Subcommand};
use clap_complete::Shell;

const AFTER: &str = "\
Examples:
  gasctl status                                how everything stands
  gasctl watch                                 follow what changes
  gasctl valve close main --reason 'smell of gas'
  gasctl ack 7                                 verdict 7 has been looked at
  gasctl valve open main
  gasctl --json status | jq '.meters[].volume_ul'

Exit status:
  0  done
  1  refused; the message says why and what to do
  2  wrong usage
  3  gasd or the bus cannot be reached
  4  no permission; the message names the group

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
    /// Close or open a valve
    #[command(subcommand)]
    Valve(Valve),
    /// Acknowledge verdicts: say that a person has looked at them
    #[command(
        after_help = "There is no way to acknowledge everything at once: each verdict wants to be looked at.\n\n\
        Examples:\n  gasctl ack 7\n  gasctl ack 7 8"
    )]
    Ack {
        /// Number of a verdict, as `gasctl status` shows it
        #[arg(required = true, value_name = "N")]
        verdicts: Vec<u64>,
    },
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

/// What to do with a valve.
#[derive(Debug, Subcommand)]
pub enum Valve {
    /// Close a valve and hold it closed
    #[command(after_help = "Example:\n  gasctl valve close main --reason 'smell of gas in the cellar'")]
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
        after_help = "Who placed it may, and who may open valves. `gasctl status` shows the cookies.\n\n\
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
