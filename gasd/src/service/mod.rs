// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd run`: the unprivileged daemon. Everything is opened and checked first, then started.

mod alarms;
mod fold;
mod heartbeat;
mod kept;
mod lines;
mod notify;
mod play;
mod process;
mod reload;
mod report;
mod run;
pub(crate) use run::spawn;
mod serve;
mod settle;
mod start;

pub use notify::rest;
pub use run::{Options, run};
