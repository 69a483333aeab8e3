// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one record means: its quantity, which register, its value.

use alloc::vec::Vec;

use super::extension::{Effect, effect, second};
use super::record::{Coding, Record};
use super::table::{FB, FD, Form, NONE, PRIMARY, find};
use super::value::{Scale, latin1, plain_number, value};
use crate::fault::Fault;
use crate::kind::{Direction, Function, Kind, Period, Register};
use crate::medium::Medium;
use crate::number::Number;
use crate::reading::{Field, Value};
use crate::unit::Unit;

/// A quantity, as the bytes behind the VIF make it step by step.
struct Quantity {
    kind: Kind,
    form: Form,
    scale: Scale,
    register: Register,
    doubt: Option<Fault>,
    error: Option<Fault>,
}

/// Adds the field that `record` of a meter for `medium` is.
#[inline]
pub(super) fn push_field(record: &Record<'_>, medium: Medium, fields: &mut Vec<Field>) {
    let (quantity, extensions) = quantity(record);
    let quantity = if extensions.is_empty() { quantity } else { quantity.extended(extensions) };
    let Quantity { kind, form, scale, register, doubt, error } = quantity.settled(record, medium);
    // Nearly all are plain numbers: they are put where they stay, part by part. A value that is made elsewhere and moved
    // makes the processor wait for its own writes, which takes longer than to read the record.
    if let (None, Some(number)) = (error, plain_number(record, form, scale)) {
        return push_number(fields, kind, &register, number, doubt);
    }
    let value = match error {
        Some(fault) => Value::Absent(fault, record.data.into()),
        None => value(record, form, scale),
    };
    let label = (!record.unit.is_empty()).then(|| latin1(record.unit));
    fields.push(Field { kind, register, value, doubt, label });
}

/// A function of its own, as the compiler would make one place of this and the general case.
#[inline(never)]
fn push_number(
    fields: &mut Vec<Field>,
    kind: Kind,
    register: &Register,
    number: Number,
    doubt: Option<Fault>,
) {
    fields.push(Field { kind, register: *register, value: Value::Number(number), doubt, label: None });
}

/// What the VIF itself says, and the VIFEs that are left.
#[inline]
fn quantity<'a>(record: &Record<'a>) -> (Quantity, &'a [u8]) {
    let extensions = record.extensions;
    let (table, code, rest) = match (record.vif, extensions.split_first()) {
        (0xFB, Some((code, rest))) => (&FB, code & 0x7F, rest),
        (0xFD, Some((code, rest))) => (&FD, code & 0x7F, rest),
        (0xEF, Some((code, rest))) => (&NONE, code & 0x7F, rest),
        (vif, _) => (&PRIMARY, vif & 0x7F, extensions),
    };
    let own = match (record.vif & 0x7F, record.unit) {
        (0x7F, _) => Some((Kind::ManufacturerData, Form::Raw, 0)),
        // Any unit: stands in requests.
        (0x7E, _) => Some((Kind::Unknown, Form::Number(Unit::Unknown), 0)),
        (0x7C, b"HR%") => Some((Kind::Humidity, Form::Number(Unit::Percent), 0)),
        (0x7C, _) => Some((Kind::Variable, Form::Number(Unit::Unknown), 0)),
        _ => find(table, code).map(|row| (row.kind, row.form, row.exponent)),
    };
    let doubt = own.is_none().then_some(Fault::UnknownUnit(code));
    let (kind, form, exponent) = own.unwrap_or((Kind::Unknown, Form::Number(Unit::Unknown), 0));
    let period = match u32::try_from(record.storage) {
        Ok(0) => Period::Current,
        Ok(n) => Period::Storage(n),
        Err(_) => Period::Storage(u32::MAX),
    };
    let register = Register {
        period,
        function: record.function,
        tariff: record.tariff,
        subunit: record.subunit,
        ..Register::default()
    };
    let doubt = if record.storage > u64::from(u32::MAX) { Some(Fault::TooLarge) } else { doubt };
    let scale = Scale { exponent: exponent.into(), add: None };
    // The manufacturer's own VIF has the manufacturer's own VIFEs.
    let rest = if record.vif & 0x7F == 0x7F { &[] } else { rest };
    (Quantity { kind, form, scale, register, doubt, error: None }, rest)
}

impl Quantity {
    /// With what its VIFEs do to it.
    fn extended(mut self, extensions: &[u8]) -> Self {
        let mut extensions = extensions.iter().map(|byte| byte & 0x7F);
        while let Some(code) = extensions.next() {
            let (code, done) = match effect(code) {
                Effect::Second => match extensions.next() {
                    Some(code) => (code, second(code)),
                    None => (code, Effect::Unknown),
                },
                done => (code, done),
            };
            self.apply(code, done);
            if done == Effect::Manufacturer {
                break;
            }
        }
        self
    }

    fn apply(&mut self, code: u8, done: Effect) {
        match done {
            Effect::Nothing | Effect::Second => {}
            Effect::Error(fault) => self.error = Some(fault),
            Effect::Scale(n) => self.scale.exponent += i16::from(n),
            Effect::Add(n) => self.scale.add = Some(n),
            Effect::Uncorrected => self.conditions(code, Kind::VolumeMeter, Kind::FlowMeter),
            Effect::Base => self.conditions(code, Kind::VolumeBase, Kind::FlowBase),
            Effect::Forward => self.register.direction = Direction::Forward,
            Effect::Reverse => self.register.direction = Direction::Reverse,
            Effect::Phase(phase) => self.register.phase = phase,
            Effect::Neutral if self.kind == Kind::Current => self.kind = Kind::NeutralCurrent,
            Effect::Neutral | Effect::Manufacturer | Effect::Unknown => {
                self.doubt = self.doubt.or(Some(Fault::UnknownExtension(code)));
            }
            Effect::Rate(n) => self.rate(n),
            Effect::OtherUnit => self.other(Kind::Variable, Form::Number(Unit::Unknown)),
            Effect::PerPulse => self.kind = Kind::MeterConstant,
            Effect::Moment => self.other(Kind::Moment, Form::Moment),
            Effect::Span(unit) => {
                self.other(Kind::Duration, Form::Number(unit));
                self.scale = Scale::default();
            }
            Effect::Count => {
                self.other(Kind::Count, Form::Unsigned(Unit::One));
                self.scale = Scale::default();
            }
            Effect::Setting if self.form == Form::Moment => self.kind = Kind::Moment,
            Effect::Setting => self.kind = Kind::Setting,
            Effect::Disturbed if self.kind == Kind::Volume => self.kind = Kind::VolumeDisturbed,
            Effect::Disturbed => self.register.function = Function::AtError,
            Effect::Layout => self.other(Kind::Profile, Form::Raw),
        }
    }

    fn other(&mut self, kind: Kind, form: Form) {
        (self.kind, self.form) = (kind, form);
    }

    /// Volume and flow at meter or at base conditions are different quantities; of another quantity it
    /// is not known what that would mean.
    fn conditions(&mut self, code: u8, volume: Kind, flow: Kind) {
        match self.kind {
            Kind::Volume => self.kind = volume,
            Kind::Flow => self.kind = flow,
            Kind::Energy | Kind::Power | Kind::SupplyTemperature | Kind::AmbientTemperature => {}
            Kind::Pressure | Kind::Temperature => {}
            _ => self.doubt = self.doubt.or(Some(Fault::UnknownExtension(code))),
        }
    }

    /// So much for each second, minute or hour.
    fn rate(&mut self, n: u8) {
        let (kind, unit) = match (self.kind, self.form, n) {
            (Kind::Volume, Form::Number(Unit::CubicMetre), 0) => (Kind::Flow, Unit::CubicMetrePerSecond),
            (Kind::Volume, Form::Number(Unit::CubicMetre), 1) => (Kind::Flow, Unit::CubicMetrePerMinute),
            (Kind::Volume, Form::Number(Unit::CubicMetre), 2) => (Kind::Flow, Unit::CubicMetrePerHour),
            (Kind::Energy, Form::Number(Unit::WattHour), 2) => (Kind::Power, Unit::Watt),
            (Kind::Mass, Form::Number(Unit::Kilogram), 2) => (Kind::MassFlow, Unit::KilogramPerHour),
            _ => (Kind::Variable, Unit::Unknown),
        };
        self.other(kind, Form::Number(unit));
    }

    /// What depends on the meter and on the register.
    #[inline]
    fn settled(mut self, record: &Record<'_>, medium: Medium) -> Self {
        self.kind = match (self.kind, medium) {
            (Kind::Energy, Medium::Electricity) => Kind::ActiveEnergy,
            (Kind::Power, Medium::Electricity) => Kind::ActivePower,
            (Kind::Energy, Medium::Cooling) => Kind::CoolingEnergy,
            // Of a storage, a maximum or an error it is the time of that, and the clock has no tariff.
            (Kind::Clock, _) if self.register != Register::default() => Kind::Moment,
            (kind, _) => kind,
        };
        // A time of day alone is no clock to compare with.
        if self.kind == Kind::Clock && record.coding == Coding::Binary && record.data.len() == 3 {
            self.kind = Kind::Moment;
        }
        self
    }
}
