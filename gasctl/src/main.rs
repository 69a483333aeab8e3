// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl`.

use std::process::ExitCode;

use clap::Parser;
use gasctl::cli::Cli;
use gasctl::output::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Output::new(cli.json);
    match gasctl::run(cli, &out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => out.fail(&failure),
    }
}
