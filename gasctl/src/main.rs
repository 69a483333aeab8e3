// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasctl`.

use std::process::ExitCode;

use clap::Parser;
use gasctl::cli::Cli;
use gasctl::fail::Failure;
use gasctl::output::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let out = Output::new(cli.json);
    match gasctl::run(cli, &out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => out.fail(&failure),
    }
}

/// A command line that is none: told as every other failure where JSON is wanted. What clap shows on request is none.
fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json");
    if !json || !error.use_stderr() {
        error.exit()
    }
    let text = error.to_string();
    let words = text.split("\n\nUsage:").next().unwrap_or_default().trim();
    let words = words.strip_prefix("error: ").unwrap_or(words);
    Output::new(true).fail(&Failure::Usage(words.to_owned()))
}
