// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd run`: the unprivileged daemon. Everything is opened and checked first, then started.

mod fold;
mod kept;
mod lines;
mod notify;
mod report;
mod run;

pub use run::{Options, run};
