// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one record means: its quantity, which register, its value.

use super::borrowed::{BorrowedField, BorrowedValue};
use super::extension::{Effect, effect, second};
use super::record::{Coding, Head, Record};
use super::table::{FB, FD, Form, NONE, PRIMARY, Row, find};
use super::value::{Scale, value};
use crate::fault::Fault;
use crate::kind::{Direction, Function, Kind, Period, Phase, Register};
use crate::medium::Medium;
use crate::unit::Unit;

/// Of a code that is in no table.
const UNKNOWN: Row = Row { kind: Kind::Unknown, form: Form::Number(Unit::Unknown), exponent: 0 };

/// Of `%RH` as a unit in plain text.
const HUMIDITY: Row = Row { kind: Kind::Humidity, form: Form::Number(Unit::Percent), exponent: 0 };

/// The field that `record` of a meter for `medium` is.
pub(super) fn field<'a>(record: &Record<'a>, medium: Medium) -> BorrowedField<'a> {
    let quantity = Quantity::of(record, medium);
    let value = match quantity.error {
        Some(fault) => BorrowedValue::Absent(fault, record.data.bytes),
        None => value(&record.data, quantity.form, quantity.scale),
    };
    BorrowedField {
        kind: quantity.kind,
        register: quantity.register(&record.head),
        value,
        doubt: quantity.doubt,
        unit: record.head.unit,
    }
}

/// What a record is, as the bytes behind the VIF make it step by step.
#[derive(Clone, Copy)]
struct Quantity {
    kind: Kind,
    doubt: Option<Fault>,
    form: Form,
    scale: Scale,
    function: Function,
    direction: Direction,
    phase: Phase,
    error: Option<Fault>,
}

impl Kind {
    /// What depends on the meter, on the register and on how many data there are, which are coded so.
    #[inline(always)]
    pub(super) fn of(self, register: &Register, medium: Medium, coding: Coding, len: usize) -> Self {
        match (self, medium) {
            (Self::Energy, Medium::Electricity) => Self::ActiveEnergy,
            (Self::Power, Medium::Electricity) => Self::ActivePower,
            (Self::Energy, Medium::Cooling) => Self::CoolingEnergy,
            // Of a storage, a maximum or an error it is the time of that, and the clock has no tariff.
            (Self::Clock, _) if *register != Register::PLAIN => Self::Moment,
            // A time of day alone is no clock to compare with.
            (Self::Clock, _) if coding == Coding::Binary && len == 3 => Self::Moment,
            (kind, _) => kind,
        }
    }
}

impl Quantity {
    /// What `record` of a meter for `medium` is.
    fn of(record: &Record<'_>, medium: Medium) -> Self {
        let (quantity, extensions) = Self::plain(&record.head);
        let mut quantity = if extensions.is_empty() { quantity } else { quantity.extended(extensions) };
        let data = &record.data;
        quantity.kind =
            quantity.kind.of(&quantity.register(&record.head), medium, data.coding, data.bytes.len());
        quantity
    }

    /// What the VIF itself says, and the VIFEs that are left.
    fn plain<'a>(head: &Head<'a>) -> (Self, &'a [u8]) {
        let extensions = head.extensions;
        let (table, code, rest) = match (head.vif, extensions.split_first()) {
            (vif @ ..0x80, _) => (&PRIMARY, vif, extensions),
            (0xFB, Some((code, rest))) => (&FB, *code, rest),
            (0xFD, Some((code, rest))) => (&FD, *code, rest),
            (0xEF, Some((code, rest))) => (&NONE, *code, rest),
            // The manufacturer's own VIF has the manufacturer's own VIFEs.
            (0xFF, _) => (&PRIMARY, 0xFF, &[][..]),
            (vif, _) => (&PRIMARY, vif, extensions),
        };
        let row = match head.unit {
            b"HR%" => Some(HUMIDITY),
            _ => find(table, code),
        };
        let Row { kind, form, exponent } = row.unwrap_or(UNKNOWN);
        let doubt = if head.storage > u64::from(u32::MAX) {
            Some(Fault::TooLarge)
        } else if row.is_none() {
            Some(Fault::UnknownUnit(code & 0x7F))
        } else {
            None
        };
        let quantity = Self {
            kind,
            doubt,
            form,
            scale: Scale { exponent: exponent.into(), add: None },
            function: Function::of_dif(head.dif),
            direction: Direction::Any,
            phase: Phase::All,
            error: None,
        };
        (quantity, rest)
    }

    /// Which register of the meter it is.
    fn register(self, head: &Head<'_>) -> Register {
        Register {
            period: match head.storage {
                0 => Period::Current,
                n => Period::Storage(n.min(u32::MAX.into()) as u32),
            },
            function: self.function,
            direction: self.direction,
            phase: self.phase,
            tariff: head.tariff,
            subunit: head.subunit,
        }
    }

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
            Effect::Forward => self.direction = Direction::Forward,
            Effect::Reverse => self.direction = Direction::Reverse,
            Effect::Phase(phase) => self.phase = phase,
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
            Effect::Disturbed => self.function = Function::AtError,
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
}
