// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gas meter on NB-IoT: the client's side of LwM2M 1.0.
//!
//! It registers, updates its registration, is asked to tell objects 3 (device), 4 (signal), 5 (firmware) and 19 (data of its
//! application) as they change, and does so: object 19 carries what a CJ/T 188 meter sends. What is written to 19/1/0 is a
//! frame to that meter, whose answer is told like its data. Bodies that are too long go in blocks; what is not acknowledged is
//! sent again, twice as late each time (RFC 7252).

mod client;
mod messages;
mod objects;
mod settings;

pub use client::Client;
pub use settings::{Counts, Settings, State};
