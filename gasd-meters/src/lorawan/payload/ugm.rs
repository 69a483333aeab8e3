// SPDX-License-Identifier: MIT OR Apache-2.0
//! UGM: ultrasonic gas meters. Numbers come with the high byte first.
//!
//! Port 10–30: `FF 1E time4`, then records of a channel and tagged values; port 1: `FF 1E time4`, then
//! channel, tag and value of what is wrong; port 50: `FF`, tag and value of what the device is. The times
//! are read as seconds since 1970.
//!
//! The channel of a record is its number in the payload and no meter of its own: the maker's public codec takes 1 to 11, as
//! many records as a payload holds, and makes one list of them, each with its time and the same quantities.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{raw, tell};
use crate::bytes::Cursor;
use crate::clock;
use crate::error::Error;
use crate::fault::Fault;
use crate::hex::Hex;
use crate::kind::{Kind, Register};
use crate::medium::Medium;
use crate::number::Number;
use crate::reading::{Field, Identity, Reading, Value};
use crate::status::{Flag, Flags, Valve};
use crate::trace::Trace;
use crate::unit::Unit;

/// The name of its profile.
pub const NAME: &str = "ugm";

/// Bytes of a record on ports 10–30, with its number.
const RECORD: usize = 21;

const UNKNOWN_TAG: Error = Error::Malformed { what: "a tag that is not known, so that its length is not" };

pub(super) fn decode(port: u8, payload: &[u8], trace: &mut impl Trace) -> Result<Vec<Reading>, Error> {
    let mut cursor = Cursor::new(payload);
    match port {
        10..=30 => measured(&mut cursor, trace),
        1 => alarms(&mut cursor, trace).map(|reading| [reading].into()),
        50 => device(&mut cursor, trace).map(|reading| [reading].into()),
        _ => Err(Error::UnsupportedMode { mode: port }),
    }
}

fn reading() -> Reading {
    Reading { meter: Identity { medium: Medium::Gas, ..Identity::default() }, ..Reading::default() }
}

/// `FF 1E` and the device's clock, where it begins with that.
fn header(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Option<Field>, Error> {
    if cursor.rest().get(..2) != Some(&[0xFF, 0x1E]) {
        return Ok(None);
    }
    trace.field(cursor.at(), cursor.take(2)?, format_args!("tag"), format_args!("the device's clock"));
    Ok(Some(time(cursor, Kind::Clock, trace)?))
}

fn time(cursor: &mut Cursor<'_>, kind: Kind, trace: &mut impl Trace) -> Result<Field, Error> {
    let at = cursor.at();
    let bytes: [u8; 4] = cursor.array()?;
    let value = clock::value(u64::from(u32::from_be_bytes(bytes)), &bytes);
    Ok(tell(at, &bytes, Field::new(kind, Register::PLAIN, value), trace))
}

fn measured(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Vec<Reading>, Error> {
    let clock = header(cursor, trace)?;
    let mut readings = Vec::new();
    while !cursor.is_empty() {
        let mut record = Cursor::inside(cursor.rest(), cursor.at());
        let end = cursor.at() + RECORD;
        if record.len() < RECORD {
            return Err(Error::Truncated { need: RECORD - record.len() });
        }
        cursor.take(RECORD)?;
        let mut reading = reading();
        reading.fields.extend(clock.clone());
        let (at, channel) = (record.at(), record.u8()?);
        trace.field(at, &[channel], format_args!("channel"), format_args!("record {channel}"));
        while record.at() < end {
            value(&mut record, &mut reading, trace)?;
        }
        if record.at() != end {
            return Err(Error::Malformed { what: "a value runs over the end of its record" });
        }
        readings.push(reading);
    }
    Ok(readings)
}

fn tag(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<u8, Error> {
    let (at, tag) = (cursor.at(), cursor.u8()?);
    trace.field(at, &[tag], format_args!("tag"), format_args!("{tag:02X}"));
    Ok(tag)
}

fn value(cursor: &mut Cursor<'_>, reading: &mut Reading, trace: &mut impl Trace) -> Result<(), Error> {
    let tag = tag(cursor, trace)?;
    let at = cursor.at();
    let (kind, number, len) = match tag {
        0x1E => {
            reading.fields.push(time(cursor, Kind::Moment, trace)?);
            return Ok(());
        }
        0x15 => {
            reading.valve = valve(cursor, trace)?;
            return Ok(());
        }
        0x28 => (Kind::Volume, Number::new(i64::from(cursor.u32_be()?), -3, Unit::CubicMetre), 4),
        0x29 => (Kind::Flow, Number::new(i64::from(cursor.u16_be()?), -2, Unit::CubicMetrePerHour), 2),
        0x2A => (Kind::Pressure, Number::new(i64::from(cursor.u8()?), 0, Unit::Kilopascal), 1),
        // With a sign: without one it would be 327 °C or more.
        0x1F => (Kind::Temperature, Number::new(i64::from(cursor.u16_be()? as i16), -2, Unit::Celsius), 2),
        _ => return Err(UNKNOWN_TAG),
    };
    let bytes = number.decimal.mantissa.to_be_bytes();
    let bytes = bytes.get(8 - len..).unwrap_or_default();
    reading.fields.push(tell(at, bytes, Field::new(kind, Register::PLAIN, Value::Number(number)), trace));
    Ok(())
}

fn valve(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Option<Valve>, Error> {
    let (at, code) = (cursor.at(), cursor.u8()?);
    let valve = match code {
        0 => Some(Valve::Open),
        1 => Some(Valve::Closed),
        _ => None,
    };
    let words = valve.map_or("not known".into(), |valve| valve.to_string());
    trace.field(at, &[code], format_args!("valve"), format_args!("{words}"));
    Ok(valve)
}

fn say(cursor: &mut Cursor<'_>, flag: Flag, flags: &mut Flags, trace: &mut impl Trace) -> Result<(), Error> {
    let (at, code) = (cursor.at(), cursor.u8()?);
    flags.say(flag, code != 0);
    trace.field(at, &[code], format_args!("{}", flag.words()), format_args!("{}", code != 0));
    Ok(())
}

fn percent(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Field, Error> {
    let (at, code) = (cursor.at(), cursor.u8()?);
    let value = if code > 100 {
        Value::Absent(Fault::OutOfRange, [code].into())
    } else {
        Value::Number(Number::new(i64::from(code), 0, Unit::Percent))
    };
    Ok(tell(at, &[code], Field::new(Kind::Battery, Register::PLAIN, value), trace))
}

fn alarms(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Reading, Error> {
    let mut reading = reading();
    reading.fields.extend(header(cursor, trace)?);
    while !cursor.is_empty() {
        let (at, channel) = (cursor.at(), cursor.u8()?);
        trace.field(at, &[channel], format_args!("channel"), format_args!("{channel}"));
        match tag(cursor, trace)? {
            0x15 => reading.valve = valve(cursor, trace)?,
            0x16 => say(cursor, Flag::Tamper, &mut reading.flags, trace)?,
            0x28 => say(cursor, Flag::Leak, &mut reading.flags, trace)?,
            0x00 => say(cursor, Flag::TemporaryError, &mut reading.flags, trace)?,
            0x06 => {
                say(cursor, Flag::BatteryLow, &mut reading.flags, trace)?;
                reading.fields.push(percent(cursor, trace)?);
            }
            _ => return Err(UNKNOWN_TAG),
        }
    }
    Ok(reading)
}

fn device(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Reading, Error> {
    let mut reading = reading();
    while !cursor.is_empty() {
        let (at, channel) = (cursor.at(), cursor.u8()?);
        trace.field(at, &[channel], format_args!("channel"), format_args!("{channel:02X}"));
        if channel != 0xFF {
            return Err(Error::Malformed { what: "no FF before a tag" });
        }
        let tag = tag(cursor, trace)?;
        let at = cursor.at();
        match tag {
            0x01 | 0x02 => {
                let [major, minor] = cursor.array()?;
                let value = Value::Text(alloc::format!(
                    "{}{major:x}.{minor:x}",
                    if tag == 1 { "hardware " } else { "" }
                ));
                reading.fields.push(tell(
                    at,
                    &[major, minor],
                    Field::new(Kind::Version, Register::PLAIN, value),
                    trace,
                ));
            }
            0x03 => {
                let number: [u8; 7] = cursor.array()?;
                reading.meter.id = Hex(&number).to_string();
                let value = Value::Text(reading.meter.id.clone());
                reading.fields.push(tell(
                    at,
                    &number,
                    Field::new(Kind::MeterNumber, Register::PLAIN, value),
                    trace,
                ));
            }
            0x06 => {
                reading.fields.push(percent(cursor, trace)?);
                let (at, tenths) = (cursor.at(), cursor.u8()?);
                let volt = Value::Number(Number::new(i64::from(tenths), -1, Unit::Volt));
                reading.fields.push(tell(
                    at,
                    &[tenths],
                    Field::new(Kind::BatteryVoltage, Register::PLAIN, volt),
                    trace,
                ));
            }
            0x07 => {
                let code = cursor.u8()?;
                reading.flags.say(Flag::PowerLow, code == 0);
                trace.field(at, &[code], format_args!("mains"), format_args!("{}", code != 0));
            }
            0x15 => reading.valve = valve(cursor, trace)?,
            0x16 => say(cursor, Flag::Tamper, &mut reading.flags, trace)?,
            // Class, kind of energy, settings; and the model, whose length is not known.
            0x05 | 0x14 => reading.fields.extend(raw(at, cursor.take(1)?, trace)),
            0x08 => reading.fields.extend(raw(at, cursor.take(8)?, trace)),
            _ => reading.fields.extend(raw(at, cursor.take_rest(), trace)),
        }
    }
    Ok(reading)
}
