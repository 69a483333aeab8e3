// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of gasd: a thin client of `io.gasd1`. It decides nothing about gas; what it prints
//! is what the service and the machine say.

mod ack;
mod agent;
mod audit;
pub mod cli;
mod decode;
mod doctor;
mod explain;
pub mod fail;
mod man;
pub mod output;
mod port;
mod report;
mod scan;
mod setup;
mod simulate;
mod status;
pub mod top;
pub mod units;
mod valve;
mod watch;

use clap::CommandFactory;
use gasd_proxy::Client;

use cli::{Cli, Command};
use fail::Failure;
use output::Output;

/// Does what the command line asks.
///
/// # Errors
/// What went wrong, with its exit status.
pub async fn run(cli: Cli, out: &Output) -> Result<(), Failure> {
    match cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gasctl", &mut script);
            return out.bytes(&script);
        }
        Command::Man => {
            return out.bytes(&man::page(&Cli::command())?);
        }
        Command::Setup(args) => return setup::run(&args, out),
        Command::Top => return become_top(cli.bus.as_deref()),
        Command::Doctor(args) => return doctor::run(cli.bus.as_deref(), &args, out).await,
        Command::Decode(args) => return decode::run(&args, out),
        Command::Scan(args) => return scan::run(cli.bus.as_deref(), &args, out).await,
        _ => {}
    }
    let client = Client::connect(cli.bus.as_deref()).await?;
    match cli.command {
        Command::Status => status::run(&client, out).await,
        Command::Watch => watch::run(&client, out).await,
        Command::Valve(action) => valve::run(&client, action, out).await,
        Command::Simulate(args) => simulate::run(&client, &args, out).await,
        Command::Report(args) => report::run(&client, &args, out).await,
        Command::Audit { last, before } => audit::run(&client, last, before, out).await,
        Command::Ack { verdicts, false_alarm, real_leak } => {
            let feedback = ack::feedback(false_alarm, real_leak);
            ack::run(&client, &verdicts, feedback, out).await
        }
        Command::Explain { verdict, svg } => explain::run(&client, verdict, svg.as_deref(), out).await,
        Command::Setup(_)
        | Command::Decode(_)
        | Command::Scan(_)
        | Command::Doctor(_)
        | Command::Top
        | Command::Completions { .. }
        | Command::Man => Ok(()),
    }
}

/// Replaces this process by the dashboard, which is a program of its own: beside this one, in the libexec
/// beside its directory, or in the path.
fn become_top(bus: Option<&str>) -> Result<(), Failure> {
    let exe = std::env::current_exe().unwrap_or_default();
    let places = ["gasctl-top", "../libexec/gasctl-top"].map(|place| exe.with_file_name(place));
    let program = places.into_iter().find(|path| path.exists()).unwrap_or_else(|| "gasctl-top".into());
    let mut top = std::process::Command::new(&program);
    top.args(bus.map(|bus| format!("--bus={bus}")));
    let error = std::os::unix::process::CommandExt::exec(&mut top);
    Err(Failure::Missing(format!(
        "{} cannot be started ({error}); it is in the same package as gasctl",
        program.display()
    )))
}
