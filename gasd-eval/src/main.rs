// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval`: prints the figures of docs/EVALUATION.md.
#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use gasd_eval::system::{class::Class, homes, report, trials};

/// Judges leak detectors: figures with their bounds, tables, plots.
#[derive(Parser)]
#[command(name = "gasd-eval", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Whole detectors in generated homes and recordings: false alarms, litres released.
    System {
        /// Meter-years of generated homes.
        #[arg(long, default_value_t = 1000)]
        years: u32,
        /// What everything is drawn from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Threads; as many as there are cores if it is not given.
        #[arg(long)]
        jobs: Option<usize>,
    },
}

fn main() {
    match Cli::parse().command {
        Command::System { years, seed, jobs } => {
            let jobs =
                jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
            let watched = homes::watch(&homes::Plan { seed, homes: years as usize, days: 365, jobs });
            println!("{}", report::false_alarms(&watched));
            let plan = trials::Plan { seed, homes: years as usize, learn_days: 60, window_days: 30, jobs };
            let tried = trials::run(&plan);
            for i in 0..Class::ALL.len() {
                println!("{}", report::class(i, &tried));
            }
        }
    }
}
