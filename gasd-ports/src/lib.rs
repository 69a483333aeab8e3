// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ports that meters are read through: serial lines and serial servers on the network.
//!
//! One line is shared by many meters, and only one may speak at a time. A [`bus::Bus`] decides who: pure, with times
//! and bytes as arguments. A [`port::Port`] is the thread that gives it a wire.
//!
//! | module | idea |
//! |---|---|
//! | [`bus`] | one shared line: what is asked next, what is waited for, what came of it |
//! | [`wire`] | where its bytes come from: a serial device, or a serial server over TCP |
//! | [`port`] | the thread of one port |
//! | [`found`] | what a configuration needs of a meter that a search found |
//! | [`sort`] | what a path leads to, in words |
//! | [`examine`], [`examiner`] | what is wrong with a line, from listening and harmless questions; and its wire |
#![deny(unsafe_op_in_unsafe_fn)]

pub mod air;
pub mod bus;
pub mod examine;
pub mod examiner;
pub mod found;
mod kept;
mod pause;
pub mod port;
pub mod sort;
pub mod wire;

pub use bus::{Bus, Event, NotMoved, Pace, Spec, Standing};
pub use kept::Kept;
pub use port::{Port, PortSpec};
pub use wire::{Wire, WireError, WireSpec};
