// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a Modbus unit's `registers` mean, and how the valve of an M-Bus or Modbus meter is moved.

use gasd_meters::drive::ModbusValve;
use gasd_meters::modbus::{Order, Point, RegisterMap, Scale, Space, Type};
use gasd_meters::{Decimal, Kind, Unit, mbus};
use toml::de::DeTable;

use super::error::ErrorKind;
use super::report::{Report, Span};
use super::section::{Field, Section};
use super::sense::Sense;

pub(super) const KEYS: &[&str] = &["quantity", "address", "table", "type", "order", "scale", "unit"];
pub(super) const OUTPUT_KEYS: &[&str] = &["mask", "open", "closed"];
pub(super) const MODBUS_VALVE_KEYS: &[&str] = &["coil", "register", "open", "closed"];
const REGISTERS: &str =
    "tables like [{ quantity = \"volume\", address = 100, type = \"u32\", scale = \"0.01\", unit = \"m3\" }]";
const ADDRESS: &str = "a register, like 100";
const COUNT_FROM: &str = "0, or 1 for a book that counts from one";
const TYPE: &str = "what the registers hold, like \"u32\"";
const SCALE: &str = "what the number is multiplied with, like \"0.01\"";
const OUTPUT: &str = "a table like { open = 1, closed = 0 }: the bits of the output (FD 1A)";
const MODBUS_VALVE: &str = "a table like { coil = 4, closed = 1, open = 0 }";
const BITS: &str = "the bits, like 1";

const QUANTITIES: [(&str, Kind); 12] = [
    ("volume", Kind::Volume),
    ("volume_m", Kind::VolumeMeter),
    ("volume_b", Kind::VolumeBase),
    ("flow", Kind::Flow),
    ("flow_m", Kind::FlowMeter),
    ("flow_b", Kind::FlowBase),
    ("temperature", Kind::Temperature),
    ("pressure", Kind::Pressure),
    ("conversion_factor", Kind::ConversionFactor),
    ("battery", Kind::Battery),
    ("status", Kind::Status),
    ("energy", Kind::Energy),
];

/// As a configuration has it.
pub(super) fn name(kind: Kind) -> &'static str {
    QUANTITIES.iter().find(|(_, other)| *other == kind).map_or(kind.name(), |(name, _)| name)
}

const TYPES: [(&str, Type); 12] = [
    ("u16", Type::U16),
    ("i16", Type::I16),
    ("u32", Type::U32),
    ("i32", Type::I32),
    ("u64", Type::U64),
    ("i64", Type::I64),
    ("f32", Type::F32),
    ("f64", Type::F64),
    ("bcd16", Type::Bcd(1)),
    ("bcd32", Type::Bcd(2)),
    ("bcd64", Type::Bcd(4)),
    ("bits", Type::Bits),
];

const ORDERS: [(&str, Order); 4] =
    [("ABCD", Order::ABCD), ("CDAB", Order::CDAB), ("BADC", Order::BADC), ("DCBA", Order::DCBA)];

/// The map of a Modbus unit; `None` where the report says why.
pub(super) fn map(report: &mut Report<'_>, section: &Section<'_>) -> Option<RegisterMap> {
    let first = match section.get("count_from") {
        Some(field) => field.integer(report, 1, COUNT_FROM),
        None => Some(0),
    };
    let Some(field) = section.get("registers") else {
        let why = Sense::NeededByProtocol { protocol: "modbus", key: "registers", expected: REGISTERS };
        report.problem(&section.span, &section.label, ErrorKind::Sense(why));
        return None;
    };
    if !field.is_tables() {
        return field.mistyped(report, REGISTERS);
    }
    let tables = field.tables(report, REGISTERS);
    let points: Vec<Option<Point>> =
        tables.into_iter().map(|(span, table)| point(report, &field.key, table, span)).collect();
    let points: Vec<Point> = points.into_iter().collect::<Option<_>>()?;
    let map = RegisterMap { first: u16::try_from(first?).unwrap_or_default(), ..RegisterMap::new(points) };
    if let Err(why) = map.plan() {
        field.refuse_whole(report, ErrorKind::Sense(Sense::Registers(why.to_string())));
        return None;
    }
    Some(map)
}

fn point<'a>(report: &mut Report<'_>, key: &str, table: &'a DeTable<'a>, span: Span) -> Option<Point> {
    let section = Section::new(report, table, span, key.to_owned(), format!("{key}."), KEYS);
    let kind = match section.get("quantity") {
        Some(field) => field.word(report, "a quantity, like \"volume\"", &QUANTITIES),
        None => Some(Kind::Volume),
    };
    let address = section
        .required(report, "address", ADDRESS)
        .and_then(|field| field.integer(report, u32::from(u16::MAX), ADDRESS));
    let spaces = [("holding", Space::Holding), ("input", Space::Input)];
    let space = match section.get("table") {
        Some(field) => field.word(report, "\"holding\" or \"input\"", &spaces),
        None => Some(Space::Holding),
    };
    let format = section.required(report, "type", TYPE).and_then(|field| field.word(report, TYPE, &TYPES));
    let order = match section.get("order") {
        Some(field) => field.word(report, "the order of the bytes, like \"CDAB\"", &ORDERS),
        None => Some(Order::ABCD),
    };
    let scale = match section.get("scale") {
        Some(field) => scale(report, &field),
        None => Some(Decimal::new(1, 0)),
    };
    let unit = match section.get("unit") {
        Some(field) => unit(report, &field),
        None => Some(Unit::One),
    };
    let address = u16::try_from(address?).ok()?;
    Some(Point {
        space: space?,
        order: order?,
        scale: Scale::Fixed(scale?),
        ..Point::new(kind?, address, format?, unit?)
    })
}

/// A unit's symbol, in letters that any keyboard has.
pub(super) fn plain(unit: Unit) -> String {
    unit.symbol().replace('³', "3").replace('²', "2").replace('°', "")
}

/// A unit by its symbol, in letters that any keyboard has.
fn unit(report: &mut Report<'_>, field: &Field<'_>) -> Option<Unit> {
    let text = field.string(report, "a unit, like \"m3\"")?;
    let found = Unit::ALL.iter().copied().find(|unit| {
        *unit != Unit::Unknown && *unit != Unit::One && (unit.symbol() == text || plain(*unit) == text)
    });
    if found.is_none() {
        let known = vec!["m3", "L", "m3/h", "L/h", "bar", "mbar", "kPa", "C", "kWh", "%", "V"];
        let near = super::near::nearest(text, known.iter().copied());
        field.refuse(report, ErrorKind::UnknownWord { near, known });
    }
    found
}

/// An exact decimal: a power of ten times digits.
fn scale(report: &mut Report<'_>, field: &Field<'_>) -> Option<Decimal> {
    let text = field.string(report, SCALE)?;
    let decimal = || -> Option<Decimal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || text.ends_with('.') || !digits(whole) || !digits(fraction) {
            return None;
        }
        let mantissa: i64 = format!("{whole}{fraction}").parse().ok().filter(|mantissa| *mantissa > 0)?;
        Some(Decimal::new(mantissa, i8::try_from(fraction.len()).ok()?.checked_neg()?))
    };
    let found = decimal();
    if found.is_none() {
        field.senseless(report, Sense::Registers("is no number above 0, like \"0.01\" or \"10\"".to_owned()));
    }
    found
}

/// What the bits of an M-Bus meter's output mean.
pub(super) fn output(report: &mut Report<'_>, field: &Field<'_>) -> Option<mbus::ValveOutput> {
    let section = field.section(report, OUTPUT, OUTPUT_KEYS)?;
    let mut bits = |name: &'static str| {
        let field = section.required(report, name, BITS)?;
        field.integer(report, 0xFF, BITS).and_then(|bits| u8::try_from(bits).ok())
    };
    let (open, closed) = (bits("open"), bits("closed"));
    let mask = match section.get("mask") {
        Some(_) => bits("mask"),
        None => Some(0xFF),
    };
    let output = mbus::ValveOutput { mask: mask?, open: open?, closed: closed? };
    if output.open & output.mask == output.closed & output.mask {
        field.refuse_whole(report, ErrorKind::Sense(Sense::Registers(ALIKE.to_owned())));
        return None;
    }
    Some(output)
}

const ALIKE: &str = "open and closed are the same";

/// What moves a Modbus meter's valve.
pub(super) fn valve(report: &mut Report<'_>, field: &Field<'_>) -> Option<ModbusValve> {
    let section = field.section(report, MODBUS_VALVE, MODBUS_VALVE_KEYS)?;
    let coil = section.get("coil").map(|field| field.integer(report, u32::from(u16::MAX), ADDRESS));
    let register = section.get("register").map(|field| field.integer(report, u32::from(u16::MAX), ADDRESS));
    let most = if coil.is_some() { 1 } else { u32::from(u16::MAX) };
    let mut value = |name: &'static str| {
        let field = section.required(report, name, BITS)?;
        field.integer(report, most, BITS).and_then(|value| u16::try_from(value).ok())
    };
    let (open, closed) = (value("open")?, value("closed")?);
    if open == closed {
        field.refuse_whole(report, ErrorKind::Sense(Sense::Registers(ALIKE.to_owned())));
        return None;
    }
    let at = |at: u32| u16::try_from(at).ok();
    match (coil, register) {
        (Some(coil), None) => Some(ModbusValve::Coil { address: at(coil?)?, open: open == 1 }),
        (None, Some(register)) => Some(ModbusValve::Register { address: at(register?)?, open, closed }),
        (None, None) => {
            let why = Sense::Registers("says neither `coil` nor `register`".to_owned());
            field.refuse_whole(report, ErrorKind::Sense(why));
            None
        }
        (Some(_), Some(_)) => {
            field.refuse_whole(report, ErrorKind::GivenTwice { other: "coil" });
            None
        }
    }
}
