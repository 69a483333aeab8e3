// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wireless M-Bus (EN 13757-4 and -7) and its open metering profile (OMS 4).
//!
//! ```text
//! L C M M ID ID ID ID V T | ELL | AFL | CI header | records, part of them encrypted
//! ```
//!
//! [`Telegram`] is one frame of the radio, its CRCs checked and gone. [`Receiver`] opens it: deciphers,
//! authenticates, puts fragments together, expands compact frames, and tells what came before from what
//! is new. Nothing of a telegram whose check failed comes out.
//!
//! ```
//! use gasd_meters::wmbus::{Access, Key, Received, Receiver, Telegram};
//! use gasd_meters::{Kind, hex};
//!
//! let key = Key::from_hex("11111111111111111111111111111111").unwrap();
//! let air = hex::parse("2E44931578563412330333637A2A002005EC598AE3101393DC6C306F943AB403\
//!                       340E255AA720E61772ADC71673963261CA1A0E5C2F1180").unwrap();
//! let telegram = Telegram::parse(&air, None)?;
//! let mut receiver = Receiver::default();
//! let access = Access { key: Some(&key), plain: false };
//! let Received::New(content) = receiver.receive(0, &telegram, &access, &mut ())? else { panic!() };
//! assert_eq!(content.reading.get(Kind::Volume).unwrap().value.to_string(), "2850.427 m³");
//! // The same once more, by a repeater.
//! assert_eq!(receiver.receive(9, &telegram, &access, &mut ())?, Received::Duplicate);
//! # Ok::<(), gasd_meters::Error>(())
//! ```

mod afl;
mod compact;
mod ell;
mod fragments;
mod key;
mod open;
mod receiver;
mod replay;
mod seal;
mod telegram;

pub use compact::{Format as CompactFormat, Formats, MAX_FORMATS};
pub use ell::link_layer_length;
pub use key::Key;
pub use open::Security;
pub(crate) use receiver::WEAKER;
pub use receiver::{Content, Received, Receiver};
pub use replay::{DUPLICATE_S, MAX_METERS, Replay, Seen};
pub use seal::{Lock, Seal};
pub use telegram::{Format, Telegram};

/// What a telegram may be opened with.
#[derive(Clone, Copy, Default)]
pub struct Access<'a> {
    /// The meter's key, where one is configured.
    pub key: Option<&'a Key>,
    /// Whether a telegram that says that it is encrypted and is not, is taken as it is: only where it
    /// comes from a file or a receiver that deciphers, never from the air.
    pub plain: bool,
}
