// SPDX-License-Identifier: MIT OR Apache-2.0
//! DL/T 645-1997 and -2007: meters on RS-485 in China, electricity first, and concentrators of gas and heat.
//!
//! ```text
//! [FE]* 68 A0..A5 68 C L D0..D(L-1) CS 16      CS = sum of 68 .. last D, modulo 256
//! ```
//!
//! Each data byte goes over the line with 33H added. [`Frame`] is one frame, checked, its data without
//! that; [`decode`] says what it means; [`encode`] makes the requests; [`check_answer`] says whether a
//! frame answers one.
//!
//! ```
//! use gasd_meters::dlt645::{Di, Frame, Message, Request, Standard, decode, encode, find};
//! use gasd_meters::{Kind, hex};
//!
//! let address = "123456789012".parse()?;
//! let request = Request::Read { di: Di::Long(0x0001_0000), blocks: None };
//! assert_eq!(hex::Hex(&encode(Standard::V2007, address, &request, 0)?).to_string(),
//!            "68129078563412681104333334336816");
//!
//! let line = hex::parse("FE FE 6812907856341268910833333433AB896745CC16").unwrap();
//! let frame = Frame::parse(find(&line)?)?;
//! let Message::Data(data) = decode(&frame, None, &mut ())? else { panic!() };
//! assert_eq!(data.reading.fields[0].name().to_string(), "forward_active_energy");
//! assert_eq!(data.reading.fields[0].value.to_string(), "123456.78 kWh");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod answer;
mod assembly;
mod baud;
mod decode;
mod di;
mod fields;
mod format;
mod frame;
mod hide;
mod request;
mod table1997;
mod table2007;

pub use address::Address;
pub use answer::{Match, check_answer};
pub use assembly::{Assembly, MAX_PARTS};
pub use baud::{BaudTable, baud_code};
pub use decode::{Data, Message, decode};
pub use di::Di;
pub use frame::{Frame, MAX_DATA, Standard, find, probe};
pub use hide::{HIDDEN, hide};
pub use request::{Authority, MAX_WRITE, Request, SwitchCommand, encode};

/// Bits of ERR, the lowest first (2007; 1997 has the first two and the fourth alike).
pub const REFUSALS: [&str; 8] = [
    "another error",
    "no such data",
    "wrong password or no authority",
    "the speed cannot be changed",
    "too many zones of the year",
    "too many periods of the day",
    "too many tariffs",
    "an error that the standard does not name",
];

/// Why a meter refuses, in words: of the lowest bit of ERR that is set.
#[must_use]
pub fn refusal(code: u8) -> &'static str {
    REFUSALS.get(code.trailing_zeros() as usize).copied().unwrap_or_default()
}
