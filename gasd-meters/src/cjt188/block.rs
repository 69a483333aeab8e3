// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which fields an answer has.

use alloc::vec::Vec;

use super::frame::medium;
use super::item::{Format, Item};
use crate::kind::{Kind, Period, Register};
use crate::medium::Medium;
use crate::unit::Unit;

const AMOUNT: Format = Format::Amount(2);
const FLOW: Format = Format::Amount(4);
const CELSIUS: Format = Format::Plain(3, 2, Unit::Celsius);
/// The standard's unit of pressure is not openly known.
const PRESSURE: Format = Format::Plain(3, 2, Unit::Unknown);
const MONEY: Format = Format::Plain(4, 2, Unit::Currency);

fn now(kind: Kind, format: Format) -> Item {
    Item::new(kind, Register::default(), format)
}

fn then(kind: Kind, period: Period, format: Format) -> Item {
    Item::new(kind, Register { period, ..Register::default() }, format)
}

/// The fields of `di` of a meter of type `kind`, where `len` bytes stand behind the sequence number;
/// `None` where the length is not theirs or the table does not have them.
pub(super) fn layout(di: u16, kind: u8, len: usize) -> Option<Vec<Item>> {
    let [_, low] = di.to_be_bytes();
    let heat = matches!(medium(kind), Medium::Heat | Medium::Cooling | Medium::HeatCooling);
    let energy = if medium(kind) == Medium::Cooling { Kind::CoolingEnergy } else { Kind::Energy };
    let amount = if heat { energy } else { Kind::Volume };
    let items: Vec<Item> = match (di, len) {
        (0x901F, 19) => current_volume(),
        (0x901F, 43) => current_heat(energy),
        (0x911F, 59) => current_both(),
        (0x907F, _) => [now(Kind::Clock, Format::Clock)].into(),
        (0x8102, _) => prices(),
        (0x8103 | 0x8104, _) => [now(Kind::DayOfMonth, Format::Plain(1, 0, Unit::One))].into(),
        (0x8105, _) => purchase(),
        (0x8106, _) => [now(Kind::KeyVersion, Format::Plain(1, 0, Unit::One))].into(),
        (0xD120..=0xD12B, _) => [then(amount, Period::Month(u16::from(low) - 0x1F), AMOUNT)].into(),
        (0xD200..=0xD2FF, _) => settled(heat, Period::Month(u16::from(low) + 1)),
        (0xD300..=0xD4FF, _) if !heat => frozen(Period::Frozen(di)),
        // Of makers of gas meters: six months, five days an identifier.
        (0x903F | 0x904F, 30) => {
            let first = if low == 0x3F { 1 } else { 7 };
            (first..first + 6).map(|n| then(amount, Period::Month(n), AMOUNT)).collect()
        }
        (0x913F..=0x918F, 25) if low & 0x0F == 0x0F => {
            let first = (u16::from(low >> 4) - 3) * 5 + 1;
            (first..first + 5).map(|n| then(amount, Period::Day(n), AMOUNT)).collect()
        }
        _ => return None,
    };
    (items.iter().map(Item::len).sum::<usize>() == len).then_some(items)
}

fn current_volume() -> Vec<Item> {
    [
        now(Kind::Volume, AMOUNT),
        then(Kind::Volume, Period::Settlement, AMOUNT),
        now(Kind::Clock, Format::Clock),
        now(Kind::Status, Format::Status),
    ]
    .into()
}

fn current_heat(energy: Kind) -> Vec<Item> {
    [
        then(energy, Period::Settlement, AMOUNT),
        now(energy, AMOUNT),
        now(Kind::Power, AMOUNT),
        now(Kind::Flow, FLOW),
        now(Kind::Volume, AMOUNT),
        now(Kind::SupplyTemperature, CELSIUS),
        now(Kind::ReturnTemperature, CELSIUS),
        now(Kind::OperatingTime, Format::Plain(3, 0, Unit::Hour)),
        now(Kind::Clock, Format::Clock),
        now(Kind::Status, Format::Status),
    ]
    .into()
}

/// Heat and cooling, 62 bytes with identifier and sequence number (2018).
fn current_both() -> Vec<Item> {
    [
        then(Kind::Energy, Period::Settlement, AMOUNT),
        then(Kind::CoolingEnergy, Period::Settlement, AMOUNT),
        now(Kind::Energy, AMOUNT),
        now(Kind::CoolingEnergy, AMOUNT),
        now(Kind::Power, AMOUNT),
        now(Kind::Flow, FLOW),
        now(Kind::Volume, AMOUNT),
        now(Kind::SupplyTemperature, CELSIUS),
        now(Kind::ReturnTemperature, CELSIUS),
        now(Kind::Pressure, PRESSURE),
        Item::new(Kind::Pressure, Register { subunit: 1, ..Register::default() }, PRESSURE),
        now(Kind::OperatingTime, Format::Plain(3, 0, Unit::Hour)),
        now(Kind::Clock, Format::Clock),
        now(Kind::Status, Format::Status),
    ]
    .into()
}

/// Three prices and the two amounts between which they change.
fn prices() -> Vec<Item> {
    let step = |tariff, kind, format| Item::new(kind, Register { tariff, ..Register::default() }, format);
    let price = Format::Plain(3, 2, Unit::CurrencyPerUnit);
    let until = Format::Plain(3, 0, Unit::One);
    [
        step(1, Kind::Price, price),
        step(1, Kind::Setting, until),
        step(2, Kind::Price, price),
        step(2, Kind::Setting, until),
        step(3, Kind::Price, price),
    ]
    .into()
}

/// What was bought this time and in all, and what is left of it.
fn purchase() -> Vec<Item> {
    let part = |subunit, kind, format| Item::new(kind, Register { subunit, ..Register::default() }, format);
    [
        now(Kind::Count, Format::Plain(1, 0, Unit::One)),
        part(1, Kind::Credit, MONEY),
        part(2, Kind::Credit, MONEY),
        part(0, Kind::Credit, MONEY),
        now(Kind::Status, Format::Status),
    ]
    .into()
}

fn settled(heat: bool, period: Period) -> Vec<Item> {
    let kinds: &[Kind] =
        if heat { &[Kind::Energy, Kind::CoolingEnergy, Kind::Volume] } else { &[Kind::Volume] };
    kinds.iter().map(|&kind| then(kind, period, AMOUNT)).collect()
}

fn frozen(period: Period) -> Vec<Item> {
    [
        then(Kind::Moment, period, Format::Clock),
        then(Kind::Volume, period, AMOUNT),
        then(Kind::Flow, period, FLOW),
        then(Kind::Temperature, period, CELSIUS),
        then(Kind::Pressure, period, PRESSURE),
    ]
    .into()
}
