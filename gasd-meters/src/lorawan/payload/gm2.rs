// SPDX-License-Identifier: MIT OR Apache-2.0
//! Vega GM-2: a modem on a gas meter's wheel. Numbers come with the low byte first.
//!
//! Port 2: battery, time4, temperature, reason, four contacts, magnet, case, volume4, volume4 when it was
//! installed; hundredths of a m³. Other ports have requests for the time and settings.

use alloc::vec::Vec;

use super::{raw, tell};
use crate::bytes::Cursor;
use crate::clock;
use crate::error::Error;
use crate::fault::Fault;
use crate::kind::{Kind, Register};
use crate::medium::Medium;
use crate::number::Number;
use crate::reading::{Field, Identity, Reading, Value};
use crate::status::Flag;
use crate::trace::Trace;
use crate::unit::Unit;

/// The name of its profile.
pub const NAME: &str = "vega-gm2";

const CONTACTS: [&str; 4] = ["input 1", "input 2", "output 1", "output 2"];

pub(super) fn decode(port: u8, payload: &[u8], trace: &mut impl Trace) -> Result<Vec<Reading>, Error> {
    if port != 2 {
        return Err(Error::UnsupportedMode { mode: port });
    }
    let mut cursor = Cursor::new(payload);
    if payload.len() < 21 {
        return Err(Error::Truncated { need: 21 - payload.len() });
    }
    let meter = Identity { medium: Medium::Gas, ..Identity::default() };
    let mut reading = Reading { meter, ..Reading::default() };
    let plain = |kind, value| Field::new(kind, Register::PLAIN, value);

    let percent = cursor.u8()?;
    let value = match percent {
        0..=100 => Value::Number(Number::new(i64::from(percent), 0, Unit::Percent)),
        _ => Value::Absent(Fault::OutOfRange, [percent].into()),
    };
    reading.fields.push(tell(0, &[percent], plain(Kind::Battery, value), trace));

    let time: [u8; 4] = cursor.array()?;
    let value = clock::value(u64::from(u32::from_le_bytes(time)), &time);
    reading.fields.push(tell(1, &time, plain(Kind::Clock, value), trace));

    let celsius = cursor.u8()?;
    let value = Value::Number(Number::new(i64::from(celsius as i8), 0, Unit::Celsius));
    reading.fields.push(tell(5, &[celsius], plain(Kind::MeterTemperature, value), trace));

    let reason = cursor.u8()?;
    trace.field(6, &[reason], format_args!("reason"), format_args!("{reason}"));
    for name in CONTACTS {
        let (at, state) = (cursor.at(), cursor.u8()?);
        let words = if state == 0 { "open" } else { "closed" };
        trace.field(at, &[state], format_args!("{name}"), format_args!("{words}"));
    }
    for flag in [Flag::Magnet, Flag::Tamper] {
        let (at, state) = (cursor.at(), cursor.u8()?);
        reading.flags.say(flag, state != 0);
        trace.field(at, &[state], format_args!("{}", flag.words()), format_args!("{}", state != 0));
    }
    for (kind, at) in [(Kind::Volume, 13), (Kind::Setting, 17)] {
        let bytes: [u8; 4] = cursor.array()?;
        let number = Number::new(i64::from(u32::from_le_bytes(bytes)), -2, Unit::CubicMetre);
        reading.fields.push(tell(at, &bytes, plain(kind, Value::Number(number)), trace));
    }
    let at = cursor.at();
    reading.fields.extend(raw(at, cursor.take_rest(), trace));
    Ok([reading].into())
}
