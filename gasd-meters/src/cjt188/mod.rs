// SPDX-License-Identifier: MIT OR Apache-2.0
//! CJ/T 188-2004 and -2018: gas, water and heat meters in China.
//!
//! ```text
//! [FE]* 68 T A0..A6 C L DI0 DI1 SER data.. CS 16      CS = sum of 68 .. last data, modulo 256
//! ```
//!
//! Two bytes are a data identifier, and meters do not agree which comes first: [`Order`] is found out
//! from each frame and remembered per meter. What status bits mean, and which unit a meter has that says
//! none, is its [`Profile`]'s to say: data, not code.
//!
//! [`Frame`] is one frame, checked; [`decode`] says what it means; [`encode`] makes the requests;
//! [`check_answer`] says whether a frame answers one, and [`check_valve`] whether a valve moved.
//!
//! ```
//! use gasd_meters::cjt188::{Frame, Message, Profile, decode, find};
//! use gasd_meters::{Kind, Valve, hex};
//!
//! let line = hex::parse("68104433221100337881161F9000007766552C007766552C3101221105152021841316").unwrap();
//! let decoded = decode(&Frame::parse(find(&line)?)?, &Profile::STANDARD, None, &mut ())?;
//! let Message::Data(reading) = decoded.message else { panic!() };
//! assert_eq!(reading.get(Kind::Volume).unwrap().volume_ul(), Ok(556_677_000_000_000));
//! assert_eq!(reading.valve, Some(Valve::Closed));
//! # Ok::<(), gasd_meters::Error>(())
//! ```

mod address;
mod answer;
mod block;
mod decode;
mod frame;
mod item;
mod lookalike;
mod order;
mod profile;
mod request;
mod unit;

pub use address::Address;
pub use answer::{Leniency, check_answer, check_valve};
pub use decode::{Decoded, Message, decode};
pub use frame::{Frame, MAX_DATA, find, medium, probe};
pub use lookalike::{LookAlike, NAME as LOOKALIKE, probe as probe_lookalike};
pub use order::{Order, resolve};
pub use profile::{ClockOrder, PROFILES, Profile, Status, StatusBits};
pub use request::{Key, MAX_WRITE, Request, Target, ValveCommand, encode};
