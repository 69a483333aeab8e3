// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd reload`: what the unit's ExecReload= runs, so that `systemctl reload` fails where the
//! configuration was refused.

use std::{collections::HashMap, io};

use gasd_proxy::{Client, ClientError};

use crate::exit::{self, Fatal};

#[derive(Debug, clap::Args)]
#[command(
    about = "Have the running daemon read its configuration again, and say whether it did",
    after_help = "All or nothing: a configuration that is refused changes nothing, and this ends with 1. Where the \
                  daemon is not on the bus it is told by SIGHUP, if MAINPID names it, as the unit does; what came of \
                  it is in the journal then."
)]
pub struct ReloadArgs {
    /// The bus that the daemon serves: `system`, `session` or a D-Bus address
    #[arg(long, value_name = "ADDRESS", default_value = "system")]
    bus: String,
}

pub fn run(args: &ReloadArgs) -> Result<(), Fatal> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Fatal::new(exit::FAILED, format!("the event loop: {e}")))?;
    match runtime.block_on(ask(&args.bus)) {
        Ok(()) => {
            println!("the configuration was read again and is in force");
            Ok(())
        }
        Err(error @ (ClientError::BusUnreachable { .. } | ClientError::NotRunning | ClientError::Lost)) => {
            let Some(pid) = main_pid() else { return Err(Fatal::new(exit::FAILED, error.to_string())) };
            signal(pid).map_err(|e| Fatal::new(exit::FAILED, format!("{error}; SIGHUP to {pid}: {e}")))?;
            println!("not on the bus, so told by SIGHUP; `journalctl -u gasd -e` has what came of it");
            Ok(())
        }
        Err(error) => Err(Fatal::new(exit::FAILED, error.to_string())),
    }
}

async fn ask(bus: &str) -> Result<(), ClientError> {
    let manager = Client::connect(Some(bus)).await?.manager().await?;
    manager.reload(HashMap::new()).await.map_err(ClientError::from)
}

/// The daemon, as systemd names it to ExecReload=.
fn main_pid() -> Option<i32> {
    std::env::var("MAINPID").ok()?.parse().ok().filter(|pid| *pid > 1)
}

fn signal(pid: i32) -> io::Result<()> {
    // SAFETY: no memory is passed.
    if unsafe { libc::kill(pid, libc::SIGHUP) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
