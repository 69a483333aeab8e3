// SPDX-License-Identifier: MIT OR Apache-2.0
//! sd-bus(3) as it is used here: no thread, no callback, no wait.

mod bus;
mod message;
mod sys;

pub use bus::{Bus, To, path_of};
pub use message::{Kind, Message, Value};
