// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wired M-Bus (EN 13757-2 and -3): meters of any medium on a line of two wires.
//!
//! ```text
//! E5                                acknowledged
//! 10 C A CS 16                      short frame          CS = sum of C and A, modulo 256
//! 68 L L 68 C A CI data CS 16       long frame           CS = sum of C .. last data, L = how many those are
//! ```
//!
//! ```
//! use gasd_meters::mbus::{Frame, Request, Target, decode, find};
//! use gasd_meters::{Kind, hex};
//!
//! let request = Request::Data { fcb: true }.encode(Target::Primary(1))?;
//! assert_eq!(hex::Hex(&request).to_string(), "107B017C16");
//!
//! let line = hex::parse("68161668080172785634129315330307000000 04933A39300000 AE16").unwrap();
//! let reading = decode(&Frame::parse(find(&line)?)?, &mut ())?.into_reading()?;
//! assert_eq!(reading.meter.id, "12345678");
//! assert_eq!(reading.get(Kind::VolumeMeter).unwrap().value.to_string(), "12.345 m³");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod borrowed;
mod date;
mod decode;
mod extension;
mod fixed;
mod frame;
mod header;
mod meaning;
pub(crate) mod payload;
mod readout;
pub(crate) mod record;
mod request;
mod search;
mod secured;
mod short;
mod table;
mod value;
mod valve;

pub use address::{Address, from_letters, letters, medium};
pub use borrowed::{BorrowedField, BorrowedValue, Text};
pub use decode::{Message, SPEEDS, decode, records, refusal};
pub use frame::{
    ACK, ANY, BROADCAST, Frame, Function, Link, MAX_DATA, SELECTED, UNCONFIGURED, find, probe, probe_ack,
};
pub use header::{Header, flags};
pub use payload::Records;
pub use readout::{FrameCount, MAX_TELEGRAMS, Progress, Readout};
pub use request::{Request, Target, check_answer};
pub use search::{Heard, Search, Step};
pub use valve::ValveOutput;
