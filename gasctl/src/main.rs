// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of gasd: a thin client of `io.gasd1`. It decides nothing; what it prints is what
//! the service says.

mod ack;
mod cli;
mod fail;
mod output;
mod status;
mod units;
mod valve;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use gasd_proxy::Client;

use cli::{Cli, Command};
use fail::Failure;
use output::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = Output::new(cli.json);
    match run(cli, &mut out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => out.fail(&failure),
    }
}

async fn run(cli: Cli, out: &mut Output) -> Result<(), Failure> {
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gasctl", &mut script);
            return out.bytes(&script);
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command().disable_help_subcommand(true)).render(&mut page)?;
            return out.bytes(&page);
        }
        _ => {}
    }
    let client = Client::connect(cli.bus.as_deref()).await?;
    match cli.command {
        Command::Status => status::run(&client, out).await,
        Command::Watch => watch::run(&client, out).await,
        Command::Valve(action) => valve::run(&client, action, out).await,
        Command::Ack { verdicts } => ack::run(&client, &verdicts, out).await,
        Command::Completions { .. } | Command::Man => Ok(()),
    }
}
