// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd demo`: the whole way from edge to valve in one terminal, with nothing to configure.

use crate::{demo, exit::Fatal};

#[derive(Debug, clap::Args)]
#[command(
    about = "Play a household through the real kernel programs, live in this terminal",
    after_help = "Starts a private bus, loads the kernel programs into a BPF file system of its own, runs the real \
                  daemon with a simulated valve and plays 25 minutes of a household: cooking, a boiler, a tankless \
                  heater, then a hose coming off. Nothing on the machine is touched, nothing is left behind. Where \
                  the machine forbids BPF the same filter runs in user space, and one line says so."
)]
pub struct DemoArgs {
    /// How many times faster than it happened
    #[arg(long, value_name = "FACTOR", default_value_t = 30.0)]
    speed: f64,
}

/// Runs the demonstration.
pub fn run(args: &DemoArgs) -> Result<(), Fatal> {
    demo::run(args.speed)
}
