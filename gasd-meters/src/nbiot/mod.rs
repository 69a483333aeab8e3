// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters on NB-IoT: CoAP (RFC 7252, blocks of RFC 7959, observation of RFC 7641) and the part of a
//! LwM2M 1.0 server that a meter needs.
//!
//! A meter registers, is asked to tell its objects 3 (device), 4 (signal), 5 (firmware) and 19 (binary data
//! of its application) as they change, and does so. [`Server`] is all of that as a pure state machine:
//! datagrams and times in, datagrams and [`Event`]s out. Encryption (DTLS with a key, or the operator's
//! tunnel) lies outside.
//!
//! Object 19 carries frames of another protocol, mostly CJ/T 188: [`Said::Frames`] hands their bytes to
//! whoever knows which.
//!
//! Own code rather than the crate `coap-lite` 0.13: that one takes a payload marker without payload, its
//! blocks need `std`, it has no server, and it brings two versions of one crate.

mod block;
mod coap;
mod content;
mod link;
mod object;
pub mod option;
mod server;
mod tlv;

pub use block::{Assembly, Block, MAX_BODY};
pub use coap::{Code, Message, Type};
pub use content::{Content, Path};
pub use link::objects;
pub use object::{Said, say};
pub use server::{Client, Event, Output, Server, Settings};
pub use tlv::{Item, Kind as TlvKind, explain as explain_items, items};
