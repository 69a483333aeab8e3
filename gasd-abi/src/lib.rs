// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gasd's kernel programs and its user space share, word for word.
//!
//! * [`feed`]: packets by which another program hands in edges and readings.
//! * [`filter`]: the edge filter, one pure function for both sides. No clock, no I/O.
//! * [`records`]: `#[repr(C)]` records without padding that cross the kernel boundary.
//! * [`live`]: the live page of a line and how to read it without a torn read.
//! * [`stream`]: records of the event stream that subscribers read from a socket.
//! * [`takeover`]: how one generation of programs takes a line over from another.
//! * [`layout`]: the layout version and the fingerprint that every pin is checked against.
//!
//! Times are `CLOCK_BOOTTIME` nanoseconds as `u64` unless a name says otherwise.
#![no_std]
#![forbid(unsafe_code)]

pub mod feed;
pub mod filter;
pub mod layout;
pub mod live;
pub mod outcome;
pub mod records;
pub mod stream;
pub mod takeover;

pub use filter::{FilterConfig, FilterState};
pub use outcome::{Outcome, Reason, Totals};
