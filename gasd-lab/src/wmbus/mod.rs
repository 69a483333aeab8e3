// SPDX-License-Identifier: MIT OR Apache-2.0
//! Gas meters of wireless M-Bus and the receiver that hears them: they send by themselves, open or encrypted, and what
//! becomes of a telegram on its way is logged.
//!
//! ```
//! use gasd_lab::wmbus::{Form, Protection, Receiver, Settings, Transmitter};
//! use gasd_lab::{Bus, Line, Register, Truth};
//! use gasd_meters::wmbus::{Format, Key, Telegram};
//!
//! let settings = Settings::new([0x78, 0x56, 0x34, 0x12], Protection::Mode5, Key::new([1; 16]));
//! let meter = Transmitter::new(settings, Truth::new(Register::default()).shared(), 0, 1);
//! let receiver = Receiver::new(Form::Binary(Format::A), vec![meter]);
//! let mut bus = Bus::new(Line::new(115_200), vec![Box::new(receiver)]);
//! let telegram = Telegram::parse(&bus.take(1_000_000_000), Some(Format::A))?;
//! assert_eq!(telegram.sender.to_string(), "12345678.GSD.01.03");
//! # Ok::<(), gasd_meters::Error>(())
//! ```

mod air;
mod form;
mod receiver;
mod transmitter;

pub use air::{Air, Fate, Log, Sent, look_at};
pub use form::Form;
pub use receiver::Receiver;
pub use transmitter::{Protection, Settings, Transmitter};
