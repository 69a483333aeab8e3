// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modbus RTU: volume correctors, flow computers, power meters.
//!
//! ```text
//! unit function data.. CRC(low, high)      CRC-16 over all before it
//! ```
//!
//! The standard ends a frame with 3.5 characters of silence, which adapters do not keep: here its length
//! comes from its function, and from the counts inside it. Requests and answers of one function have
//! different lengths, so there is a probe for each, and [`probe`] for a line on which both are heard.
//!
//! An answer says neither what was asked nor which register a value came from: it is taken only together
//! with its request ([`check_answer`]). What registers mean is a [`RegisterMap`]: data, not code.
//!
//! ```
//! use gasd_meters::modbus::{Frame, Order, Point, Request, RegisterMap, Space, Type, encode};
//! use gasd_meters::{Kind, Unit, hex};
//!
//! let map = RegisterMap::new(vec![
//!     Point {
//!         space: Space::Input,
//!         order: Order::CDAB,
//!         ..Point::new(Kind::VolumeBase, 3000, Type::F32, Unit::CubicMetre)
//!     },
//! ]);
//! let span = map.plan()?[0];
//! let request = encode(1, &span.request())?;
//! let answer = hex::parse("010404512445B7D995").unwrap();
//! let (request, answer) = (Frame::parse(&request)?, Frame::parse(&answer)?);
//! let reading = map.read(&request, &answer, &mut ())?;
//! assert_eq!(reading.get(Kind::VolumeBase).unwrap().value.to_string(), "5866.1426 m³");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod frame;
mod length;
mod map;
mod message;
mod plan;
mod readout;
mod request;
mod value;

pub use answer::check_answer;
pub use frame::{Frame, MAX_FRAME, find, probe, probe_answer, probe_request};
pub use map::{MapError, Point, RegisterMap, Scale, Space};
pub use message::{Answer, decode_answer, decode_request};
pub use plan::Span;
pub use readout::{MAX_AGAIN, Memory, Readout, Step};
pub use request::{Request, encode};
pub use value::{Order, Type};

/// What an exception means, in words; empty for a code that the standard does not have.
#[must_use]
pub const fn exception(code: u8) -> &'static str {
    match code {
        1 => "it does not have this function",
        2 => "it does not have these registers",
        3 => "the request has a value that cannot be",
        4 => "it failed while it did what was asked",
        5 => "it has accepted the request and needs long for it",
        6 => "it is busy",
        7 => "it cannot do this",
        8 => "its memory is damaged",
        10 => "the gateway has no path to it",
        11 => "the gateway had no answer from it",
        _ => "",
    }
}
