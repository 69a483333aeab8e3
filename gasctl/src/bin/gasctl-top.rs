// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl-top`: what `gasctl top` becomes. A program of its own, so that gasctl stays small.

use std::process::ExitCode;

use clap::Parser;
use gasctl::output::Output;

/// The dashboard of gasd, the gas gateway daemon.
#[derive(Debug, Parser)]
#[command(name = "gasctl-top", version, after_help = "Usually started as `gasctl top`; see gasctl(1).")]
struct Cli {
    /// The bus that gasd lives on: `system`, `session` or a D-Bus address
    #[arg(long, value_name = "ADDRESS")]
    bus: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match gasctl::top::app::run(cli.bus).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => Output::new(false).fail(&failure),
    }
}
