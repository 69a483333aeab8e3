// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data identifiers of DL/T 645-2007 that are read as values. Any other is delivered raw.

use alloc::vec::Vec;

use super::format::{Format, Item, Layout};
use crate::kind::{Direction, Function, Kind, Period, Phase, Register};
use crate::unit::Unit;

/// Most tariffs of a block: the total and as many as fit in a frame.
const TARIFFS: u32 = 49;

/// What `di` brings; `None` where the table does not have it.
pub(super) fn layout(di: u32) -> Option<Layout> {
    let [di3, di2, di1, di0] = di.to_be_bytes();
    match di3 {
        0x00 => registers(di2, di1, di0, energy),
        0x01 => registers(di2, di1, di0, demand),
        0x02 => momentary(di2, di1, di0),
        0x04 if di2 == 0x00 => parameter(di1, di0),
        _ => None,
    }
}

/// The tariffs (`di1`) and settlements (`di0`) of one quantity (`di2`).
fn registers(di2: u8, di1: u8, di0: u8, items: fn(u8, Register) -> Option<Vec<Item>>) -> Option<Layout> {
    let period = |n: u8| if n == 0 { Period::Current } else { Period::Month(n.into()) };
    let (tariffs, months) = match (di1, di0) {
        // Which of both runs first, the standard does not say in a way that meters agree on.
        (0xFF, 0xFF) => return None,
        (0xFF, _) => (0..=TARIFFS, di0..=di0),
        (_, 0xFF) => (di1.into()..=di1.into(), 0..=12),
        (0..=0x3F, 0..=12) => (di1.into()..=di1.into(), di0..=di0),
        _ => return None,
    };
    let mut all = Vec::new();
    for month in months {
        for tariff in tariffs.clone() {
            all.extend(items(di2, Register { period: period(month), tariff, ..Register::default() })?);
        }
    }
    Some(Layout::Items(all))
}

fn energy(di2: u8, at: Register) -> Option<Vec<Item>> {
    let forward = Register { direction: Direction::Forward, ..at };
    let reverse = Register { direction: Direction::Reverse, ..at };
    let unsigned = |unit| Format::bcd(4, 2, unit);
    Some(
        [match di2 {
            // Forward and reverse together, as the meter is set to add them: may be below nought.
            0x00 => Item::at(Kind::ActiveEnergy, at, Format::signed(4, 2, Unit::KilowattHour)),
            0x01 => Item::at(Kind::ActiveEnergy, forward, unsigned(Unit::KilowattHour)),
            0x02 => Item::at(Kind::ActiveEnergy, reverse, unsigned(Unit::KilowattHour)),
            0x09 => Item::at(Kind::ApparentEnergy, forward, unsigned(Unit::KilovoltAmpereHour)),
            0x0A => Item::at(Kind::ApparentEnergy, reverse, unsigned(Unit::KilovoltAmpereHour)),
            _ => return None,
        }]
        .into(),
    )
}

/// The largest demand and when it was.
fn demand(di2: u8, at: Register) -> Option<Vec<Item>> {
    let direction = match di2 {
        0x01 => Direction::Forward,
        0x02 => Direction::Reverse,
        _ => return None,
    };
    let at = Register { direction, function: Function::Maximum, ..at };
    Some(
        [
            Item::at(Kind::Demand, at, Format::bcd(3, 4, Unit::Kilowatt)),
            Item::at(Kind::Moment, at, Format::Minute),
        ]
        .into(),
    )
}

fn momentary(di2: u8, di1: u8, di0: u8) -> Option<Layout> {
    if di2 == 0x80 {
        return device(di1, di0);
    }
    let (kind, format, total) = match di2 {
        0x01 => (Kind::Voltage, Format::bcd(2, 1, Unit::Volt), false),
        0x02 => (Kind::Current, Format::signed(3, 3, Unit::Ampere), false),
        0x03 => (Kind::ActivePower, Format::signed(3, 4, Unit::Kilowatt), true),
        0x04 => (Kind::ReactivePower, Format::signed(3, 4, Unit::Kilovar), true),
        0x05 => (Kind::ApparentPower, Format::signed(3, 4, Unit::KilovoltAmpere), true),
        0x06 => (Kind::PowerFactor, Format::signed(2, 3, Unit::One), true),
        _ => return None,
    };
    if di0 != 0 {
        return None;
    }
    let phases: &[Phase] = match (di1, total) {
        (0x00, true) => &[Phase::All],
        (0x01, _) => &[Phase::A],
        (0x02, _) => &[Phase::B],
        (0x03, _) => &[Phase::C],
        (0xFF, true) => &[Phase::All, Phase::A, Phase::B, Phase::C],
        (0xFF, false) => &[Phase::A, Phase::B, Phase::C],
        _ => return None,
    };
    let item = |&phase| Item::at(kind, Register { phase, ..Register::default() }, format);
    Some(Layout::Items(phases.iter().map(item).collect()))
}

fn device(di1: u8, di0: u8) -> Option<Layout> {
    Layout::one(match (di1, di0) {
        (0x00, 0x01) => Item::new(Kind::NeutralCurrent, Format::signed(3, 3, Unit::Ampere)),
        (0x00, 0x02) => Item::new(Kind::Frequency, Format::bcd(2, 2, Unit::Hertz)),
        (0x00, 0x07) => Item::new(Kind::MeterTemperature, Format::signed(2, 1, Unit::Celsius)),
        (0x00, 0x08) => Item::new(Kind::BatteryVoltage, Format::bcd(2, 2, Unit::Volt)),
        _ => return None,
    })
}

fn parameter(di1: u8, di0: u8) -> Option<Layout> {
    Layout::one(match (di1, di0) {
        (0x01, 0x01) => Item::new(Kind::Clock, Format::WeekdayDate),
        (0x01, 0x02) => Item::new(Kind::Clock, Format::Time),
        (0x01, 0x0C) => Item::new(Kind::Clock, Format::DateTime),
        (0x04, 0x01) => Item::new(Kind::Address, Format::Digits(6)),
        (0x04, 0x02) => Item::new(Kind::MeterNumber, Format::Digits(6)),
        // Ratings: voltage, base and largest current, accuracies.
        (0x04, 0x04..=0x06) => Item::new(Kind::Setting, Format::Ascii(6)),
        (0x04, 0x07 | 0x08) => Item::new(Kind::Setting, Format::Ascii(4)),
        (0x04, 0x09 | 0x0A) => Item::new(Kind::MeterConstant, Format::bcd(3, 0, Unit::One)),
        (0x04, 0x0B) => Item::new(Kind::Model, Format::Ascii(10)),
        (0x04, 0x0D) => Item::new(Kind::Version, Format::Ascii(16)),
        (0x05, 0x01..=0x07) => Item::new(Kind::Status, Format::Bits(2)),
        _ => return None,
    })
}
