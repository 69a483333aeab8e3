// SPDX-License-Identifier: MIT OR Apache-2.0
//! LoRaWAN 1.0 and 1.1: what devices send, joins, and the feed of a packet forwarder.
//!
//! A gateway's packet forwarder sends what the radio heard in UDP datagrams ([`Datagram`], [`Received`]);
//! [`Phy::parse`] takes a frame of the air apart, and a [`Session`] opens it: **the MIC is checked before
//! anything comes out**, in constant time, and a counter that was seen already is refused. What the payload
//! means is its maker's: [`payload`].
//!
//! The counters ([`Counter`]) are the whole state of a session, and must be kept across restarts. Keys
//! ([`Key`]) cannot be printed, and are cleared when they go.
//!
//! Own code rather than the crate `lora-packet` 1.1: that one gives out header and payload whether the MIC
//! was asked for or not, lets keys be copied, and leaves the counter's high half to its caller. With that
//! around it no less would be left than `session.rs` and `join.rs`.
//!
//! ```
//! use gasd_meters::hex;
//! use gasd_meters::lorawan::{Counter, Key, Keys, Phy, Radio, Session};
//!
//! let keys = Keys::V1_0 {
//!     network: Key::from_hex("44024241ed4ce9a68c6a8bc055233fd3").unwrap(),
//!     application: Key::from_hex("ec925802ae430ca77fd3dd73cb2cc588"),
//! };
//! let mut session = Session { dev_addr: 0x49BE_7DF1, keys, up: Counter::new() };
//! let air = hex::parse("40F17DBE4900020001954378762B11FF0D").unwrap();
//! let Phy::Data(frame) = Phy::parse(&air)? else { panic!() };
//! let opened = session.open(&frame, Radio::default())?;
//! assert_eq!(opened.payload.as_deref(), Some(&b"test"[..]));
//! assert_eq!(session.open(&frame, Radio::default()).unwrap_err().kind(), "replay");
//! # Ok::<(), gasd_meters::Error>(())
//! ```

pub mod base64;
mod counter;
mod datagram;
mod explain;
mod join;
mod key;
pub mod payload;
mod phy;
mod received;
mod session;
mod transmit;

pub use counter::{Counter, WINDOW};
pub use datagram::Datagram;
pub use explain::Mic;
pub use join::{JoinAccept, Signed, join_integrity_key};
pub use key::Key;
pub use phy::{DataFrame, Direction, JoinRequest, Phy};
pub use received::{CrcCheck, Heard, Received, Statistics};
pub use session::{Draft, Keys, MAX_PAYLOAD, Opened, Radio, Session};
pub use transmit::{Transmission, When};
