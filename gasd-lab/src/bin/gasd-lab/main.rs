// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-lab`: meters that are not there, on serial ports, the radio and networks.
#![forbid(unsafe_code)]

mod arguments;
mod network;
mod radio;
mod serial;
mod units;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serial(asked) => serial::run(&asked),
        Command::Wmbus(asked) => radio::wmbus(&asked),
        Command::Lorawan(asked) => network::lorawan(&asked),
        Command::Lwm2m(asked) => network::lwm2m(&asked),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("gasd-lab: {why}");
            ExitCode::FAILURE
        }
    }
}
