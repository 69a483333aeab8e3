// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the payloads of makers of gas meters mean: a [`Profile`] for each.
//!
//! There are no frames by others to check these against: the layouts are those that the makers publish, and
//! the examples of their documents where there are any.

mod gm2;
mod jooby;
mod times;
mod ugm;

use alloc::vec::Vec;

use crate::error::Error;
use crate::hex::Hex;
use crate::kind::{Kind, Register};
use crate::number::Decimal;
use crate::reading::{Field, Reading, Value};
use crate::trace::Trace;

pub use gm2::NAME as GM2;
pub use jooby::NAME as JOOBY;
pub use times::{in_time, taken_s, volume_ul};
pub use ugm::NAME as UGM;

/// How a kind of device is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name: one of [`UGM`], [`JOOBY`], [`GM2`].
    pub name: &'static str,
    /// The volume of one pulse, m³, of a device that counts pulses of another's meter and does not say:
    /// without it there is a count and no volume.
    pub pulse: Option<Decimal>,
}

/// Every profile that has a name.
pub const PROFILES: &[Profile] = &[
    Profile { name: UGM, pulse: None },
    Profile { name: JOOBY, pulse: None },
    Profile { name: GM2, pulse: None },
];

impl Profile {
    /// The profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// What a payload says: one reading for each time that it has values of, the order is the payload's;
    /// [`in_time`] puts them in that of their times.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`], [`Error::Malformed`], [`Error::Checksum`];
    /// [`Error::UnsupportedMode`] for a port that the device has no payloads on.
    pub fn decode(&self, port: u8, payload: &[u8], trace: &mut impl Trace) -> Result<Vec<Reading>, Error> {
        match self.name {
            ugm::NAME => ugm::decode(port, payload, trace),
            jooby::NAME => jooby::decode(self.pulse, payload, trace),
            gm2::NAME => gm2::decode(port, payload, trace),
            _ => Err(Error::Malformed { what: "no profile has this name" }),
        }
    }
}

/// A field, explained.
fn tell(at: usize, raw: &[u8], field: Field, trace: &mut impl Trace) -> Field {
    trace.field(at, raw, format_args!("{}", field.name()), format_args!("{}", field.value));
    field
}

/// Bytes that no table explains.
fn raw(at: usize, bytes: &[u8], trace: &mut impl Trace) -> Option<Field> {
    if bytes.is_empty() {
        return None;
    }
    trace.field(at, bytes, format_args!("{}", Kind::Unknown.name()), format_args!("{}", Hex(bytes)));
    Some(Field::new(Kind::Unknown, Register::PLAIN, Value::Raw(bytes.into())))
}
