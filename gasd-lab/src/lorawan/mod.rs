// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gas meters on LoRaWAN 1.0 behind a gateway: devices with sessions of their own, and Semtech's packet forwarder that
//! says what the gateway heard and sends what it is asked to.
//!
//! A device of class A hears only in the two windows behind what it sent, one and two seconds later, five and six after a
//! request to join. What the forwarder is asked to send at any other time is sent, and nobody hears it: it is counted.

mod base64;
mod device;
mod forwarder;
mod payload;

pub use device::{Activation, Device, Downlink, Settings};
pub use forwarder::{Counts, Forwarder};
pub use payload::Payload;
