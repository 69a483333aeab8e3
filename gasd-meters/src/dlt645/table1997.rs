// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data identifiers of DL/T 645-1997 that are read as values. Any other is delivered raw.

use alloc::vec::Vec;

use super::format::{Format, Item, Layout};
use crate::kind::{Direction, Kind, Period, Phase, Register};
use crate::unit::Unit;

/// What `di` brings; `None` where the table does not have it.
pub(super) fn layout(di: u16) -> Option<Layout> {
    let [high, low] = di.to_be_bytes();
    match high {
        0x90..=0x9F => energy(high, low),
        0xB6 => momentary(low),
        0xC0 | 0xC1 => parameter(di),
        _ => None,
    }
}

/// Energy: the low two bits of the high byte say active or reactive, the next two how many months
/// ago; the nibbles of the low byte are direction and tariff, F or 0 of the first all directions, F of
/// the second the total and all tariffs.
fn energy(high: u8, low: u8) -> Option<Layout> {
    let (kind, unit) = match high & 0b11 {
        0 => (Kind::ActiveEnergy, Unit::KilowattHour),
        1 => (Kind::ReactiveEnergy, Unit::KilovarHour),
        _ => return None,
    };
    let period = match high >> 2 & 0b11 {
        0 => Period::Current,
        ago @ (1 | 2) => Period::Month(ago.into()),
        _ => return None,
    };
    let item = |direction, tariff| {
        let register = Register { period, direction, tariff, ..Register::default() };
        Item::at(kind, register, Format::bcd(4, 2, unit))
    };
    let directions: &[Direction] = match low >> 4 {
        1 => &[Direction::Forward],
        2 => &[Direction::Reverse],
        0 | 0xF => &[Direction::Forward, Direction::Reverse],
        // Quadrants of reactive energy.
        _ => return None,
    };
    let all = |&direction| (0..=14).map(move |tariff| item(direction, tariff)).collect::<Vec<_>>();
    match (directions, low & 0x0F) {
        ([direction], tariff @ 0..=14) => Layout::one(item(*direction, tariff.into())),
        (directions, 0xF) => Some(Layout::Blocks(directions.iter().map(all).collect())),
        (directions, 0) => Some(Layout::Blocks(directions.iter().map(all).collect())),
        _ => None,
    }
}

fn momentary(low: u8) -> Option<Layout> {
    let (kind, format, total) = match low >> 4 {
        1 => (Kind::Voltage, Format::bcd(2, 0, Unit::Volt), false),
        2 => (Kind::Current, Format::bcd(2, 2, Unit::Ampere), false),
        3 => (Kind::ActivePower, Format::bcd(3, 4, Unit::Kilowatt), true),
        4 => (Kind::ReactivePower, Format::bcd(2, 2, Unit::Kilovar), true),
        5 => (Kind::PowerFactor, Format::bcd(2, 3, Unit::One), true),
        _ => return None,
    };
    let all = [Phase::All, Phase::A, Phase::B, Phase::C];
    let item = |phase| Item::at(kind, Register { phase, ..Register::default() }, format);
    match low & 0x0F {
        0xF => {
            let phases = all.iter().skip(usize::from(!total));
            Some(Layout::Blocks([phases.copied().map(item).collect()].into()))
        }
        0 if !total => None,
        n => Layout::one(item(*all.get(usize::from(n))?)),
    }
}

fn parameter(di: u16) -> Option<Layout> {
    Layout::one(match di {
        0xC010 => Item::new(Kind::Clock, Format::WeekdayDate),
        0xC011 => Item::new(Kind::Clock, Format::Time),
        0xC020 => Item::new(Kind::Status, Format::Bits(1)),
        0xC030 | 0xC031 => Item::new(Kind::MeterConstant, Format::bcd(3, 0, Unit::One)),
        0xC032 => Item::new(Kind::MeterNumber, Format::Digits(6)),
        0xC117 => Item::new(Kind::DayOfMonth, Format::DayHour),
        _ => return None,
    })
}
