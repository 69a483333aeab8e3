// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd …`: what can be typed, and what it leads to.

mod audit;
mod check;
mod demo;
mod reload;
mod replay;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    config::Origin,
    exit::{self, Fatal},
    journal,
    kernel::{load, pins::Pins, readers},
    player::Play,
    service,
};

/// Where the installed service has its pins.
const DEFAULT_PINS: &str = "/run/gasd/bpf";

#[derive(Debug, Parser)]
#[command(
    name = "gasd",
    version,
    about = "Counts gas meter pulses in the kernel, judges them, closes the valve",
    after_help = "Exit codes: 0 ok, 1 failed, 2 bad input, 3 something is missing, 4 not permitted, \
                  5 in use by somebody else, 6 foreign or damaged pins or store, 7 disk full.\n\
                  The service's state and the valves are operated with gasctl(1)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify, load and pin the kernel programs, then exit (needs CAP_BPF and CAP_PERFMON)
    #[command(
        after_help = "Counting goes on with no process alive. Running it again changes nothing; after \
                            an upgrade it swaps the programs without losing an edge."
    )]
    Load {
        /// Directory of a BPF file system that holds the pins
        #[arg(long, value_name = "DIR", default_value = DEFAULT_PINS)]
        pins: PathBuf,
        /// A group of /etc/group whose members may read the counters without the daemon
        #[arg(long, value_name = "GROUP")]
        readers: Option<String>,
        /// Replace the programs even if they are the same
        #[arg(long)]
        force: bool,
        /// One JSON object instead of a sentence
        #[arg(long)]
        json: bool,
    },
    /// Detach the kernel programs and remove the pins, counts included
    Unload {
        /// Directory of a BPF file system that holds the pins
        #[arg(long, value_name = "DIR", default_value = DEFAULT_PINS)]
        pins: PathBuf,
        /// Yes, counts that are not in the store yet may be lost
        #[arg(long)]
        discard_counts: bool,
    },
    /// Run the daemon (needs no capability)
    Run(RunArgs),
    /// Have the running daemon read its configuration again, and say whether it did
    Reload(reload::ReloadArgs),
    /// Check a configuration and say everything that is wrong with it
    CheckConfig(check::CheckArgs),
    /// Play a recorded trace through filter and engine, offline, and print verdicts as JSON lines
    Replay(replay::ReplayArgs),
    /// Print the record of what was done to the valves and by whom (while the daemon is stopped)
    #[command(after_help = "The record is append-only. The running daemon has the store to itself.")]
    Audit {
        /// The configuration that names the store: a file alone, or a directory; the system's layers without it
        #[arg(long, value_name = "PATH")]
        config: Option<PathBuf>,
        /// How many of the last entries
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        last: usize,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Play a household through the real kernel programs, live in this terminal
    Demo(demo::DemoArgs),
    /// Print a shell completion script
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without kernel programs that can be used (no BPF file system, no BTF) the same filter \
                        runs in user space and says so; nothing is counted then while gasd is down."
)]
struct RunArgs {
    /// A file alone, or a directory with gasd.toml and conf.d; the system's layers without it
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// "system", "session", an address, or "none"
    #[arg(long, value_name = "BUS", default_value = "system")]
    bus: String,
    /// Run the filter in user space even if the kernel could
    #[arg(long)]
    userspace: bool,
    /// Play this trace on the meters that have no chip; "household" for the built-in one
    #[arg(long, value_name = "TRACE")]
    play: Option<String>,
    /// How many times faster than it happened the trace is played
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, requires = "play")]
    speed: f64,
    /// End when the trace has ended, and print what was measured as one JSON object
    #[arg(long, requires = "play")]
    until_end: bool,
    /// Allow meters without a chip; something else plays their edges into the kernel programs
    #[arg(long)]
    simulated: bool,
    /// Instead of the configured pin directory
    #[arg(long, value_name = "DIR")]
    pins: Option<PathBuf>,
    /// Instead of the configured store
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// What can be typed, for the manual's sake.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Parses the command line and does it.
#[must_use]
pub fn main() -> ExitCode {
    journal::open();
    // Usage errors exit with 2 on their own.
    let command = Cli::parse().command;
    let of_service = matches!(command, Command::Run(_));
    let done = match command {
        Command::Load { pins, readers, force, json } => load_command(&pins, readers.as_deref(), force, json),
        Command::Unload { pins, discard_counts } => unload_command(&pins, discard_counts),
        Command::Run(args) => run_command(args),
        Command::Reload(args) => reload::run(&args),
        Command::CheckConfig(args) => check::run(args),
        Command::Replay(args) => replay::run(&args),
        Command::Audit { config, last, json } => audit::run(&Origin::from_option(config), last, json),
        Command::Demo(args) => demo::run(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "gasd", &mut io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            let code = fatal.report();
            // Said first: whoever waits for the reason need not wait for the rest.
            if of_service {
                service::rest();
            }
            code
        }
    }
}

fn load_command(pins: &Path, readers: Option<&str>, force: bool, json: bool) -> Result<(), Fatal> {
    // Before anything is loaded: a group that is not there is a mistake in the command.
    let readers = readers.map(group).transpose()?;
    let r = load::load(pins, force)?;
    if let Some(gid) = readers {
        readers::admit(&Pins::at(pins)?, gid)?;
    }
    if json {
        println!(
            "{}",
            serde_json::json!({
                "version": r.version, "attached": r.attached, "created": r.created,
                "swapped": r.swapped, "adopted": r.adopted,
            })
        );
        return Ok(());
    }
    let what = match (r.attached, r.created, r.swapped) {
        (true, ..) => "attached and counting".to_owned(),
        (false, true, _) => format!("took {} lines over from the layout before", r.adopted),
        (false, false, true) => "programs replaced, no edge lost".to_owned(),
        (false, false, false) => "already in place".to_owned(),
    };
    println!("layout v{} under {}: {what}", r.version, pins.display());
    Ok(())
}

fn group(name: &str) -> Result<u32, Fatal> {
    readers::gid_of(name).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fatal::new(
            exit::BAD_INPUT,
            format!(
                "--readers {name}: there is no such group in /etc/group; `addgroup --system {name}` makes one"
            ),
        ),
        _ => Fatal::new(exit::BAD_INPUT, format!("--readers {name}: /etc/group: {error}")),
    })
}

fn unload_command(pins: &Path, discard_counts: bool) -> Result<(), Fatal> {
    if !discard_counts {
        return Err(Fatal::new(
            exit::BAD_INPUT,
            "this stops counting and removes the kernel's counters. Stop the daemon first (it writes the totals \
             down when it ends), then add --discard-counts",
        ));
    }
    load::unload(pins)?;
    println!("detached; the pins under {} are removed", pins.display());
    Ok(())
}

fn run_command(args: RunArgs) -> Result<(), Fatal> {
    let play = args.play.map(|trace| Play::new(&trace, args.speed)).transpose()?;
    service::run(&service::Options {
        config: Origin::from_option(args.config),
        bus: (args.bus != "none").then_some(args.bus),
        userspace: args.userspace,
        play,
        until_end: args.until_end,
        simulated: args.simulated,
        pins: args.pins,
        store: args.store,
    })
}
