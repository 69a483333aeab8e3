// SPDX-License-Identifier: MIT OR Apache-2.0
//! HART 5 to 7: correctors, pressure transmitters, mass-flow meters; over a current loop (FSK, 1200 baud,
//! 8 data bits, odd parity) or RS-485.
//!
//! ```text
//! FF×5..20 | delimiter | address 1 or 5 | [expansion] | command | count | [status 2] data | check
//! ```
//!
//! The check byte is all bytes from the delimiter on by exclusive or: eight bits. On a line of its own that
//! is enough ([`probe`]); where another protocol may speak, the preamble must be there, too
//! ([`probe_after_preamble`]).
//!
//! A device answers within 256 ms, a master leaves 75 ms between frames; a half-duplex modem hears what it
//! sends ([`check_answer`] tells an echo). The frame without its preamble is what HART-IP carries, so that
//! [`Frame::parse`] and everything behind it are the same there.
//!
//! ```
//! use gasd_meters::hart::{Address, Frame, Master, Message, Request, decode, encode, find};
//! use gasd_meters::{Kind, hex};
//!
//! let address = Address::Unique { kind: 0x2606, id: [0xBC, 0x61, 0x4E] };
//! let request = encode(Master::Primary, address, &Request::Primary, 0)?;
//! assert_eq!(hex::Hex(&request).to_string(), "82A606BC614E0100B0");
//!
//! let line = hex::parse("FFFFFFFFFF 86A606BC614E010700000640B0000045").unwrap();
//! let Message::Data(reading) = decode(&Frame::parse(find(&line)?)?, &mut ())?.message else { panic!() };
//! assert_eq!(reading.get(Kind::Pressure).unwrap().value.to_string(), "5.5 psi");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod answer;
mod decode;
mod frame;
mod identity;
mod packed;
mod request;
mod status;
mod unit;
mod variables;

pub use address::{Address, Master};
pub use answer::check_answer;
pub use decode::{Decoded, Message, decode};
pub use frame::{Frame, MIN_PREAMBLE, Type, find, probe, probe_after_preamble};
pub use identity::Identification;
pub use packed::{pack, unpack};
pub use request::{Request, encode};
pub use status::{COMMUNICATION, DEVICE, Status, response};
pub use unit::unit;
