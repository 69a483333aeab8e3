// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval`: prints the figures of docs/EVALUATION.md.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use gasd_eval::leak::recordings;
use gasd_eval::system::run::{Options, run};

/// Judges leak detectors: figures with their bounds, tables, plots. The same seed gives the same figures.
#[derive(Parser)]
#[command(name = "gasd-eval", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Whole detectors in generated homes and recordings: false alarms a meter-year, litres released
    System(System),
    /// How the generated homes use gas, by kind of home
    Homes {
        /// How many homes
        #[arg(long, default_value_t = 200)]
        homes: u64,
    },
}

#[derive(Args)]
struct System {
    /// At most ten minutes on two cores: 1,000 meter-years, leaks into 200 homes
    #[arg(long)]
    bounded: bool,
    /// Meter-years without leaks [default: 4000; bounded: 1000]
    #[arg(long)]
    years: Option<u32>,
    /// Of which so many in each home [default: 4; bounded: 1]
    #[arg(long)]
    each: Option<u32>,
    /// Homes into which leaks are injected [default: 1000; bounded: 200; at most as many as years]
    #[arg(long)]
    leaks: Option<usize>,
    /// What everything is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads [default: one a core]
    #[arg(long)]
    jobs: Option<usize>,
    /// Folder of the recordings [default: $GASD_SHARED/data or ../shared/data]
    #[arg(long)]
    recordings: Option<PathBuf>,
    /// Folder for the tables and plots
    #[arg(long)]
    out: Option<PathBuf>,
    /// File for the figures as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

impl System {
    fn options(self) -> Options {
        let (years, each, leaks) = if self.bounded { (1000, 1, 200) } else { (4000, 4, 1000) };
        let years = self.years.unwrap_or(years);
        let cores = || std::thread::available_parallelism().map_or(1, Into::into);
        Options {
            seed: self.seed,
            years,
            each: self.each.unwrap_or(each).min(years.max(1)),
            leaks: self.leaks.unwrap_or_else(|| leaks.min(years as usize)),
            jobs: self.jobs.unwrap_or_else(cores),
            recordings: self.recordings.unwrap_or_else(recordings::folder),
            out: self.out,
            json: self.json,
        }
    }
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::System(system) => run(&system.options()),
        Command::Homes { homes } => Ok(gasd_eval::household::sum::table(homes)),
    };
    match result {
        Ok(tables) => {
            print!("{tables}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("gasd-eval: {why}");
            ExitCode::FAILURE
        }
    }
}
