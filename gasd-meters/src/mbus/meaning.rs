// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one record means: its quantity, which register, its value.

use super::extension::{Effect, effect, second};
use super::record::{Coding, Record};
use super::table::{FB, FD, Form, PRIMARY, find};
use super::value::{Scale, latin1, value};
use crate::fault::Fault;
use crate::kind::{Direction, Function, Kind, Period, Register};
use crate::medium::Medium;
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

/// The field that `record` of a meter for `medium` is.
pub(super) fn field(record: &Record<'_>, medium: Medium) -> Field {
    let (mut quantity, extensions) = quantity(record);
    let mut extensions = extensions.iter().map(|byte| byte & 0x7F);
    while let Some(code) = extensions.next() {
        let (code, done) = match effect(code) {
            Effect::Second => match extensions.next() {
                Some(code) => (code, second(code)),
                None => (code, Effect::Unknown),
            },
            done => (code, done),
        };
        quantity.apply(code, done);
        if done == Effect::Manufacturer {
            break;
        }
    }
    quantity.settle(record, medium);
    let value = match quantity.error {
        Some(fault) => Value::Absent(fault, record.data.into()),
        None => value(record, quantity.form, quantity.scale),
    };
    let label = (!record.unit.is_empty()).then(|| latin1(record.unit));
    Field { kind: quantity.kind, register: quantity.register, value, doubt: quantity.doubt, label }
}

/// What the VIF itself says, and the VIFEs that are left.
fn quantity<'a>(record: &Record<'a>) -> (Quantity, &'a [u8]) {
    let extensions = record.extensions;
    let (table, code, rest) = match (record.vif, extensions.split_first()) {
        (0xFB, Some((code, rest))) => (FB, code & 0x7F, rest),
        (0xFD, Some((code, rest))) => (FD, code & 0x7F, rest),
        // A third table, which nobody has filled.
        (0xEF, Some((code, rest))) => (&[][..], code & 0x7F, rest),
        (vif, _) => (PRIMARY, vif & 0x7F, extensions),
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
    fn settle(&mut self, record: &Record<'_>, medium: Medium) {
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
    }
}
