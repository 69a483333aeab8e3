// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs of meter protocols: bytes in, readings out.
//!
//! Pure: no clock, no I/O, no `std`. A codec finds a frame in what a line gives ([`scan`]), checks it,
//! and makes a [`Reading`] of it; the other way round it makes frames of requests. One bad field never
//! costs the frame ([`Fault`]); a bad frame says why ([`Error`]).
//!
//! | module | what |
//! |---|---|
//! | [`scan`] | finds frames in a noisy stream of bytes |
//! | [`error`], [`fault`] | why a frame, or one field, is not read |
//! | [`reading`], [`kind`], [`medium`], [`status`] | what a meter says |
//! | [`number`], [`mod@unit`], [`time`] | exact numbers with units, and calendars |
//! | [`trace`] | explains a frame field by field, at no cost when nobody asks |
//! | [`cjt188`] | CJ/T 188-2004 and -2018 |
//! | [`dlt645`] | DL/T 645-1997 and -2007 |
//! | [`mbus`], [`wmbus`] | M-Bus, wired and wireless |
//! | [`poll`] | when to ask which meter, and when to leave one alone |
//! | [`drive`] | how a meter on a wire is spoken to: requests, answers, what is remembered of it |
//! | [`detect`] | which of the wired ones a line carries |
//! | [`whose`] | which meter a frame asks, or comes from |
//! | [`hart`] | HART 5 to 7 |
//! | [`lorawan`] | LoRaWAN 1.0 and 1.1, the feed of a packet forwarder, payloads of gas meters |
//! | [`modbus`] | Modbus RTU, with maps of registers |
//! | [`nbiot`] | CoAP, and the part of a LwM2M server that meters need |
//! | [`key_name`] | what keys are called in files of them |
//! | [`bytes`], [`bcd`], [`crc`], [`hex`] | what codecs are made of |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod bcd;
pub mod bytes;
pub mod cjt188;
mod clock;
pub mod crc;
pub mod detect;
pub mod dlt645;
pub mod drive;
pub mod error;
pub mod fault;
mod frame68;
pub mod hart;
pub mod hex;
mod key;
pub mod key_name;
pub mod kind;
pub mod lorawan;
pub mod mbus;
pub mod medium;
pub mod modbus;
pub mod nbiot;
pub mod number;
pub mod poll;
pub mod reading;
pub mod scan;
pub mod status;
pub mod time;
pub mod trace;
pub mod unit;
pub mod whose;
pub mod wmbus;

pub use error::{EncodeError, Error};
pub use fault::Fault;
pub use kind::{Direction, Function, Kind, Period, Phase, Register};
pub use medium::Medium;
pub use number::{Decimal, Number};
pub use reading::{Field, Identity, Reading, Value};
pub use status::{Flag, Flags, Valve};
pub use time::{Date, Moment, TimeOfDay};
pub use trace::{Explanation, Trace};
pub use unit::Unit;
