// SPDX-License-Identifier: MIT OR Apache-2.0
//! Jooby MXI: pulse counters on gas and water meters ("analog" messages).
//!
//! Commands one after the other, each with its length, then an LRC: all bytes by exclusive or, from 55.
//! A counter has 24 bits, and the highest bit of the byte before it says that a magnet was near.

use alloc::vec::Vec;

use super::{raw, tell};
use crate::bytes::Cursor;
use crate::clock;
use crate::crc;
use crate::error::Error;
use crate::fault::Fault;
use crate::kind::{Kind, Period, Register};
use crate::number::{Decimal, Number};
use crate::reading::{Field, Reading, Value};
use crate::status::{Flag, Flags};
use crate::time::{Date, Moment, TimeOfDay};
use crate::trace::Trace;
use crate::unit::Unit;

/// The name of its profile.
pub const NAME: &str = "jooby-mxi";

pub(super) fn decode(
    pulse: Option<Decimal>,
    payload: &[u8],
    trace: &mut impl Trace,
) -> Result<Vec<Reading>, Error> {
    let Some((got, body)) = payload.split_last() else { return Err(Error::Truncated { need: 1 }) };
    let want = crc::xor(body) ^ 0x55;
    if *got != want {
        return Err(Error::Checksum { got: u16::from(*got), want: u16::from(want) });
    }
    let mut cursor = Cursor::new(body);
    let mut readings = Vec::new();
    let mut now = Reading::default();
    while !cursor.is_empty() {
        let (command, len) = header(&mut cursor, trace)?;
        let mut data = Cursor::inside(cursor.rest(), cursor.at());
        if data.len() < len {
            return Err(Error::Truncated { need: len - data.len() });
        }
        let end = cursor.at() + len;
        cursor.take(len)?;
        let misfit = Error::Malformed { what: "a command with too few data" };
        match (command, len) {
            (0x07, 4) => counter(&mut data, pulse, Register::PLAIN, &mut now, trace),
            (0x20, 6) => day(&mut data, pulse, trace).map(|reading| readings.push(reading)),
            (0x09, 5) => time(&mut data, trace).map(|field| now.fields.push(field)),
            (0x14, 12) => status(&mut data, &mut now, trace),
            (0x15, 2..) => event(&mut data, end, &mut now, trace),
            _ => Ok(()),
        }
        .map_err(|_| misfit)?;
        let at = data.at();
        let left = data.take(end.saturating_sub(at)).map_err(|_| misfit)?;
        now.fields.extend(raw(at, left, trace));
    }
    if !now.fields.is_empty() || now.flags != Flags::default() {
        readings.push(now);
    }
    trace.field(body.len(), &[*got], format_args!("LRC"), format_args!("right"));
    Ok(readings)
}

/// One byte where the upper three bits are a command, else two, or three after 1F.
fn header(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<(u16, usize), Error> {
    let (at, first) = (cursor.at(), cursor.u8()?);
    let (command, len) = match first {
        0x20.. => (u16::from(first & 0xE0), first & 0x1F),
        0x1F => (0x1F00 | u16::from(cursor.u8()?), cursor.u8()?),
        _ => (u16::from(first), cursor.u8()?),
    };
    let bytes = [first, command as u8, len];
    let size = cursor.at() - at;
    let raw = if size == 2 { &[first, len][..] } else { bytes.get(..size).unwrap_or_default() };
    trace.field(at, raw, format_args!("command"), format_args!("{command:02X}, {len} bytes"));
    Ok((command, usize::from(len)))
}

/// The magnet's bit and the counter.
fn counter(
    data: &mut Cursor<'_>,
    pulse: Option<Decimal>,
    register: Register,
    reading: &mut Reading,
    trace: &mut impl Trace,
) -> Result<(), Error> {
    let (at, flags) = (data.at(), data.u8()?);
    reading.flags.say(Flag::Magnet, flags & 0x80 != 0);
    trace.field(at, &[flags], format_args!("magnet"), format_args!("{}", flags & 0x80 != 0));
    let field = pulses(data, pulse, register, trace)?;
    reading.fields.push(field);
    Ok(())
}

fn pulses(
    data: &mut Cursor<'_>,
    pulse: Option<Decimal>,
    register: Register,
    trace: &mut impl Trace,
) -> Result<Field, Error> {
    let at = data.at();
    let bytes: [u8; 3] = data.array()?;
    let [high, middle, low] = bytes;
    let count = i64::from(u32::from_be_bytes([0, high, middle, low]));
    let (kind, value) = match pulse {
        None => (Kind::Count, Value::Number(Number::new(count, 0, Unit::One))),
        Some(each) => {
            let mantissa = count.checked_mul(each.mantissa).ok_or(Fault::TooLarge);
            let make = |m| Value::Number(Number::new(m, each.exponent, Unit::CubicMetre));
            (Kind::Volume, Value::or_absent(mantissa, &bytes, make))
        }
    };
    Ok(tell(at, &bytes, Field::new(kind, register, value), trace))
}

/// The counter at an hour of a day.
fn day(data: &mut Cursor<'_>, pulse: Option<Decimal>, trace: &mut impl Trace) -> Result<Reading, Error> {
    let at = data.at();
    let bytes: [u8; 3] = data.array()?;
    let [high, low, flags] = bytes;
    let packed = u16::from_be_bytes([high, low]);
    let part = |n: u16| u8::try_from(n).unwrap_or(u8::MAX);
    let date = Date::new(2000 + (packed >> 9), part(packed >> 5 & 0x0F), part(packed & 0x1F));
    let moment = date.and_then(|date| Ok(Moment::new(date, TimeOfDay::new(flags & 0x1F, 0, None)?)));
    let mut reading = Reading::default();
    reading.flags.say(Flag::Magnet, flags & 0x80 != 0);
    let value = Value::or_absent(moment, &bytes, Value::Moment);
    let field = Field::new(Kind::Moment, Register::PLAIN, value);
    reading.fields.push(tell(at, &bytes, field, trace));
    let register = Register { period: Period::Settlement, ..Register::PLAIN };
    let field = pulses(data, pulse, register, trace)?;
    reading.fields.push(field);
    Ok(reading)
}

/// A sequence number and seconds since 2000.
fn time(data: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Field, Error> {
    let (at, sequence) = (data.at(), data.u8()?);
    trace.field(at, &[sequence], format_args!("sequence"), format_args!("{sequence}"));
    seconds(data, Kind::Clock, trace)
}

fn seconds(data: &mut Cursor<'_>, kind: Kind, trace: &mut impl Trace) -> Result<Field, Error> {
    let at = data.at();
    let bytes: [u8; 4] = data.array()?;
    let value = clock::value(clock::YEAR_2000 + u64::from(u32::from_be_bytes(bytes)), &bytes);
    Ok(tell(at, &bytes, Field::new(kind, Register::PLAIN, value), trace))
}

fn status(data: &mut Cursor<'_>, reading: &mut Reading, trace: &mut impl Trace) -> Result<(), Error> {
    let plain = |kind, value| Field::new(kind, Register::PLAIN, value);
    let at = data.at();
    let versions: [u8; 4] = data.array()?;
    let [_, software, hardware, revision] = versions;
    let text = alloc::format!("software {software}, hardware {hardware}.{revision}");
    reading.fields.push(tell(at, &versions, plain(Kind::Version, Value::Text(text)), trace));

    let at = data.at();
    let volts: [u8; 3] = data.array()?;
    let [high, middle, low] = volts;
    // Asleep, then as if it were sending: the second one says how the battery is.
    let loaded = u16::from_be_bytes([middle & 0x0F, low]);
    let asleep = u16::from_be_bytes([high, middle]) >> 4;
    let millivolts = match loaded {
        4095 => Value::Absent(Fault::NotFilled, volts.into()),
        _ => Value::Number(Number::new(i64::from(loaded), 0, Unit::Millivolt)),
    };
    trace.field(
        at,
        &volts,
        format_args!("{}", Kind::BatteryVoltage.name()),
        format_args!("{asleep} mV asleep, {millivolts} sending"),
    );
    reading.fields.push(plain(Kind::BatteryVoltage, millivolts));

    let at = data.at();
    let ohms: [u8; 2] = data.array()?;
    trace.field(at, &ohms, format_args!("resistance"), format_args!("{} mΩ", u16::from_be_bytes(ohms)));

    let (at, celsius) = (data.at(), data.u8()?);
    let value = Value::Number(Number::new(i64::from(celsius as i8), 0, Unit::Celsius));
    reading.fields.push(tell(at, &[celsius], plain(Kind::MeterTemperature, value), trace));

    let (at, left) = (data.at(), data.u8()?);
    let value = match left {
        255 => Value::Absent(Fault::NotFilled, [left].into()),
        // 254 is all of it; tenths of a per cent, rounded down.
        _ => Value::Number(Number::new(i64::from(left) * 1000 / 254, -1, Unit::Percent)),
    };
    reading.fields.push(tell(at, &[left], plain(Kind::Battery, value), trace));

    let (at, sequence) = (data.at(), data.u8()?);
    trace.field(at, &[sequence], format_args!("sequence"), format_args!("{sequence}"));
    Ok(())
}

fn event(
    data: &mut Cursor<'_>,
    end: usize,
    reading: &mut Reading,
    trace: &mut impl Trace,
) -> Result<(), Error> {
    let (at, event) = (data.at(), data.u8()?);
    let (flag, words) = match event {
        1 => (Some((Flag::Magnet, true)), "a magnet came"),
        2 => (Some((Flag::Magnet, false)), "the magnet went"),
        3 => (None, "switched on"),
        4 => (None, "switched off"),
        5 => (Some((Flag::BatteryLow, true)), "battery low"),
        6 => (Some((Flag::Tamper, true)), "cover opened"),
        7 => (Some((Flag::Removed, false)), "put on its meter"),
        8 => (Some((Flag::Removed, true)), "taken off its meter"),
        9 => (None, "the counter began anew"),
        _ => (None, "another event"),
    };
    if let Some((flag, value)) = flag {
        reading.flags.say(flag, value);
    }
    trace.field(at, &[event], format_args!("event"), format_args!("{event}: {words}"));
    let (at, sequence) = (data.at(), data.u8()?);
    trace.field(at, &[sequence], format_args!("sequence"), format_args!("{sequence}"));
    if matches!(event, 1..=4 | 6..=9) && end - data.at() >= 4 {
        reading.fields.push(seconds(data, Kind::Moment, trace)?);
    }
    Ok(())
}
