// SPDX-License-Identifier: MIT OR Apache-2.0
//! What objects 3, 4, 5 and 19 say.

use alloc::string::String;
use alloc::vec::Vec;

use super::content::{Content, Path};
use super::tlv::{Item, Kind as TlvKind, items};
use crate::clock;
use crate::error::Error;
use crate::fault::Fault;
use crate::kind::{Kind, Register};
use crate::number::Number;
use crate::reading::{Field, Reading, Value};
use crate::status::Flag;
use crate::unit::Unit;

/// Most bytes of text that is shown.
const TEXT: usize = 255;

/// What content says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Device (3), signal (4), firmware (5).
    Reading(Reading),
    /// Frames of another protocol, one for each value: to be decoded by whoever knows which (19).
    Frames(Vec<Vec<u8>>),
    /// Another object, or a format that is not read.
    Unknown,
}

/// What `content` of `path` says.
///
/// # Errors
///
/// Of TLV that is none: see [`items`].
pub fn say(path: Path, content: &Content) -> Result<Said, Error> {
    let values = values(path, content)?;
    match path.object() {
        Some(19) => {
            // Resource 0 is the data; priority, time of creation and so on are the container's.
            let data = values.into_iter().filter(|(at, _)| at.numbers().get(2) == Some(&0));
            let frames: Vec<_> = data.map(|(_, value)| value).filter(|value| !value.is_empty()).collect();
            Ok(if frames.is_empty() { Said::Unknown } else { Said::Frames(frames) })
        }
        Some(object @ 3..=5) => {
            let mut reading = Reading::default();
            for (at, value) in &values {
                let &[_, _, resource, ..] = at.numbers() else { continue };
                let text = matches!(content, Content::Text(_));
                resource_says(object, resource, &Raw { bytes: value, text }, &mut reading);
            }
            Ok(if values.is_empty() { Said::Unknown } else { Said::Reading(reading) })
        }
        _ => Ok(Said::Unknown),
    }
}

/// Each value and where it is.
fn values(path: Path, content: &Content) -> Result<Vec<(Path, Vec<u8>)>, Error> {
    match content {
        Content::Text(text) => Ok([(path, text.as_bytes().to_vec())].into()),
        Content::Opaque(bytes) => Ok([(path, bytes.clone())].into()),
        Content::Tlv(bytes) => {
            let items = items(bytes)?;
            Ok(items.iter().filter_map(|item| Some((whole(path, item)?, item.value.to_vec()))).collect())
        }
        // Modules that say no format send the bytes of the one resource that is observed.
        Content::Other(None, bytes) if path.numbers().len() >= 3 => Ok([(path, bytes.clone())].into()),
        Content::Other(..) => Ok(Vec::new()),
    }
}

/// The whole path of an item that has a value, in an answer about `path`.
fn whole(path: Path, item: &Item<'_>) -> Option<Path> {
    let base = match (item.kind, path.numbers()) {
        (TlvKind::ObjectInstance | TlvKind::MultipleResource, _) => return None,
        (_, base) => base,
    };
    // What an answer has of its own path, it says again: 19/0/0 answers with resource 0.
    let depth = match item.kind {
        TlvKind::ResourceInstance => 4,
        _ => 3,
    };
    let known = usize::checked_sub(depth, item.path.len())?;
    let numbers: Vec<u16> = base.get(..known)?.iter().chain(&item.path).copied().collect();
    Some(Path::new(&numbers))
}

/// A value: text, or an integer in as many bytes as it needs.
struct Raw<'a> {
    bytes: &'a [u8],
    text: bool,
}

impl Raw<'_> {
    fn number(&self) -> Result<i64, Fault> {
        if self.text {
            let text = core::str::from_utf8(self.bytes).map_err(|_| Fault::NotANumber)?;
            return text.trim().parse().map_err(|_| Fault::NotANumber);
        }
        match self.bytes {
            [] => Err(Fault::NotFilled),
            bytes if bytes.len() <= 8 => {
                let low_first: Vec<u8> = bytes.iter().rev().copied().collect();
                Ok(crate::bytes::int_le(&low_first))
            }
            _ => Err(Fault::Length),
        }
    }

    fn string(&self) -> String {
        let text = String::from_utf8_lossy(self.bytes);
        text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
    }
}

fn resource_says(object: u16, resource: u16, raw: &Raw<'_>, reading: &mut Reading) {
    let of = |kind, value| Field::new(kind, Register::PLAIN, value);
    let number = |unit, exponent| {
        Value::or_absent(raw.number(), raw.bytes, |n| Value::Number(Number::new(n, exponent, unit)))
    };
    let field = match (object, resource) {
        (3, 0) => {
            reading.meter.manufacturer = Some(raw.string());
            of(Kind::Manufacturer, Value::Text(raw.string()))
        }
        (3, 1 | 17) => of(Kind::Model, Value::Text(raw.string())),
        (3, 2) => {
            reading.meter.id = raw.string();
            of(Kind::MeterNumber, Value::Text(raw.string()))
        }
        (3, 3 | 18 | 19) => of(Kind::Version, Value::Text(raw.string())),
        (3, 7) => of(Kind::BatteryVoltage, number(Unit::Millivolt, 0)),
        (3, 9) => {
            let percent = raw
                .number()
                .and_then(|n| if (0..=100).contains(&n) { Ok(n) } else { Err(Fault::OutOfRange) });
            let make = |n| Value::Number(Number::new(n, 0, Unit::Percent));
            of(Kind::Battery, Value::or_absent(percent, raw.bytes, make))
        }
        (3, 11) => {
            if let Ok(code) = raw.number() {
                error_code(code, reading);
            }
            of(Kind::ErrorFlags, number(Unit::One, 0))
        }
        (3, 13) => {
            let seconds = raw.number().and_then(|n| u64::try_from(n).map_err(|_| Fault::OutOfRange));
            let clock = match seconds {
                Ok(seconds) => clock::value(seconds, raw.bytes),
                Err(fault) => Value::Absent(fault, raw.bytes.into()),
            };
            of(Kind::Clock, clock)
        }
        (4, 2) => of(Kind::Signal, number(Unit::DecibelMilliwatt, 0)),
        (4, 4) => of(Kind::Address, Value::Text(raw.string())),
        (5, 3 | 5) => of(Kind::Status, number(Unit::One, 0)),
        (5, 7) => of(Kind::Version, Value::Text(raw.string())),
        _ => of(Kind::Unknown, Value::Raw(raw.bytes.into())),
    };
    reading.fields.push(field);
}

/// Error codes of object 3.
fn error_code(code: i64, reading: &mut Reading) {
    let all = [Flag::BatteryLow, Flag::PowerLow, Flag::MemoryFault, Flag::TemporaryError];
    let set = match code {
        0 => None,
        1 => Some(Flag::BatteryLow),
        2 => Some(Flag::PowerLow),
        5 => Some(Flag::MemoryFault),
        _ => Some(Flag::TemporaryError),
    };
    for flag in all {
        reading.flags.say(flag, set == Some(flag));
    }
}

impl core::fmt::Display for Said {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Reading(reading) => {
                for field in &reading.fields {
                    writeln!(f, "{}: {}", field.name(), field.value)?;
                }
                Ok(())
            }
            Self::Frames(frames) => write!(f, "{} frames of another protocol", frames.len()),
            Self::Unknown => f.write_str("an object that is not read"),
        }
    }
}
