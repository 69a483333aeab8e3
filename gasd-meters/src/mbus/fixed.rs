// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fixed data (CI 73): two counters, as meters of the first generation send them.

use alloc::vec::Vec;

use crate::bcd;
use crate::bytes::{Cursor, int_le};
use crate::error::Error;
use crate::fault::Fault;
use crate::kind::{Kind, Period, Register};
use crate::medium::Medium;
use crate::number::Number;
use crate::reading::{Field, Identity, Reading, Value};
use crate::status::{Flag, Flags};
use crate::trace::Trace;
use crate::unit::Unit;

/// The second counter is the first one's of the due day.
const HISTORIC: u8 = 0x3E;

/// The units from 02H on, each for one, ten and a hundred of it.
const UNITS: [(Kind, Unit, i8); 18] = [
    (Kind::Energy, Unit::WattHour, 0),
    (Kind::Energy, Unit::KilowattHour, 0),
    (Kind::Energy, Unit::MegawattHour, 0),
    (Kind::Energy, Unit::Kilojoule, 0),
    (Kind::Energy, Unit::Megajoule, 0),
    (Kind::Energy, Unit::Gigajoule, 0),
    (Kind::Power, Unit::Watt, 0),
    (Kind::Power, Unit::Kilowatt, 0),
    (Kind::Power, Unit::Megawatt, 0),
    (Kind::Power, Unit::KilojoulePerHour, 0),
    (Kind::Power, Unit::MegajoulePerHour, 0),
    (Kind::Power, Unit::GigajoulePerHour, 0),
    (Kind::Volume, Unit::Litre, -3),
    (Kind::Volume, Unit::Litre, 0),
    (Kind::Volume, Unit::CubicMetre, 0),
    (Kind::Flow, Unit::LitrePerHour, -3),
    (Kind::Flow, Unit::LitrePerHour, 0),
    (Kind::Flow, Unit::CubicMetrePerHour, 0),
];

/// The reading in fixed data.
pub(super) fn read(cursor: &mut Cursor<'_>, trace: &mut impl Trace) -> Result<Reading, Error> {
    let at = cursor.at();
    let id: [u8; 4] = cursor.array()?;
    let [access, status, unit1, unit2] = cursor.array()?;
    let counters: [[u8; 4]; 2] = [cursor.array()?, cursor.array()?];
    let medium = medium((unit1 >> 6) | (unit2 >> 6) << 2);
    let mut flags = Flags::default();
    flags.say(Flag::PowerLow, status & 0x04 != 0);
    flags.say(Flag::PermanentError, status & 0x08 != 0);
    flags.say(Flag::TemporaryError, status & 0x10 != 0);
    let binary = status & 0x01 != 0;
    let period = if status & 0x02 != 0 { Period::Settlement } else { Period::Current };
    let (code1, code2) = (unit1 & 0x3F, unit2 & 0x3F);
    let second = if code2 == HISTORIC { (code1, Period::Settlement) } else { (code2, period) };
    trace.field(at, &id, format_args!("number"), format_args!("{}", bcd::text(&id)));
    trace.field(at + 4, &[access], format_args!("access number"), format_args!("{access}"));
    let coding = if binary { "binary" } else { "decimal digits" };
    trace.field(at + 5, &[status], format_args!("status"), format_args!("{flags}, {coding}"));
    trace.field(at + 6, &[unit1], format_args!("unit"), format_args!("{code1:02X}, {medium}"));
    trace.field(at + 7, &[unit2], format_args!("unit"), format_args!("{code2:02X}"));
    let mut fields = Vec::with_capacity(2);
    for ((n, raw), (code, period)) in counters.iter().enumerate().zip([(code1, period), second]) {
        let field = field(raw, code, binary, period);
        let at = at + 8 + 4 * n;
        trace.field(at, raw, format_args!("{}", field.name()), format_args!("{}", field.value));
        fields.push(field);
    }
    let meter = Identity { id: bcd::text(&id), medium, ..Identity::default() };
    Ok(Reading { meter, fields, flags, ..Reading::default() })
}

fn field(raw: &[u8], code: u8, binary: bool, period: Period) -> Field {
    let register = Register { period, ..Register::default() };
    let unit = match code {
        0x02..=0x37 => UNITS
            .get(usize::from((code - 2) / 3))
            .map(|&(kind, unit, n)| (kind, unit, n + ((code - 2) % 3) as i8)),
        0x38 => Some((Kind::Temperature, Unit::Celsius, -3)),
        0x39 => Some((Kind::HeatCost, Unit::AllocatorUnit, 0)),
        0x3F => Some((Kind::Count, Unit::One, 0)),
        // A time of day and a date are in two of them, in a layout that no meter is known to send.
        _ => None,
    };
    let number = if binary { Ok(int_le(raw)) } else { bcd::decode(raw) };
    let (kind, shown, exponent) = unit.unwrap_or((Kind::Unknown, Unit::Unknown, 0));
    let value = Value::or_absent(number, raw, |n| Value::Number(Number::new(n, exponent, shown)));
    Field { doubt: unit.is_none().then_some(Fault::UnknownUnit(code)), ..Field::new(kind, register, value) }
}

/// The medium, two bits of it in each unit.
const fn medium(code: u8) -> Medium {
    match code {
        0x0 => Medium::Unknown,
        0x1 => Medium::Oil,
        0x2 => Medium::Electricity,
        0x3 | 0xA => Medium::Gas,
        0x4 | 0xB => Medium::Heat,
        0x5 => Medium::Steam,
        0x6 | 0xC => Medium::WarmWater,
        0x7 | 0xD => Medium::Water,
        0x8 | 0xE => Medium::HeatCost,
        other => Medium::Other(other),
    }
}
