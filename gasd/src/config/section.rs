// SPDX-License-Identifier: MIT OR Apache-2.0
//! A table whose keys are known, and a key's value with its place.
//!
//! A getter that returns `None` has put the reason into the report.

use toml::de::{DeTable, DeValue};

use super::error::ErrorKind;
use super::near::nearest;
use super::report::{Report, Span};
use super::sense::Sense;
use super::units::{self, UnitError};

/// A table.
pub(super) struct Section<'a> {
    /// How messages call it: `filter`, or `meter "kitchen"`.
    pub(super) label: String,
    /// What its keys' paths begin with: `filter.`, or nothing.
    prefix: String,
    /// Where it begins.
    pub(super) span: Span,
    table: &'a DeTable<'a>,
}

/// A value and its key.
#[derive(Clone)]
pub(super) struct Field<'a> {
    /// The key as a path from its section.
    pub(super) key: String,
    /// Where the value is.
    pub(super) span: Span,
    value: &'a DeValue<'a>,
}

/// Something read, and the field it came from.
#[derive(Clone)]
pub(super) struct Placed<'a, T> {
    pub(super) value: T,
    pub(super) field: Field<'a>,
}

impl<'a> Section<'a> {
    /// A table that `label` names; its keys' paths begin with `prefix`. Reports unknown keys.
    pub(super) fn new(
        report: &mut Report<'_>,
        table: &'a DeTable<'a>,
        span: Span,
        label: String,
        prefix: String,
        known: &'static [&'static str],
    ) -> Self {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let near = nearest(name, known.iter().copied());
                let kind = ErrorKind::UnknownKey { key: name.escape_debug().to_string(), near, known };
                report.problem(&span.beside(key.span()), &label, kind);
            }
        }
        Self { label, prefix, span, table }
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, name: &'static str) -> Option<Field<'a>> {
        let value = self.table.get(name)?;
        let span = self.span.beside(value.span());
        Some(Field { key: format!("{}{name}", self.prefix), span, value: value.get_ref() })
    }

    /// The value of a key that must be there.
    pub(super) fn required(
        &self,
        report: &mut Report<'_>,
        name: &'static str,
        expected: &'static str,
    ) -> Option<Field<'a>> {
        let field = self.get(name);
        if field.is_none() {
            let kind = ErrorKind::MissingKey { key: name, expected };
            report.problem(&self.span, &self.label, kind);
        }
        field
    }
}

impl<'a> Field<'a> {
    /// Reports that this value is wrong.
    pub(super) fn refuse(&self, report: &mut Report<'_>, kind: ErrorKind) {
        report.value(&self.span, &self.key, kind);
    }

    /// Reports that this value makes no sense.
    pub(super) fn senseless(&self, report: &mut Report<'_>, why: Sense) {
        self.refuse(report, ErrorKind::Sense(why));
    }

    /// This field with what was read from it.
    pub(super) fn with<T>(self, value: T) -> Placed<'a, T> {
        Placed { value, field: self }
    }

    /// Reports that the type is wrong.
    pub(super) fn mistyped<T>(&self, report: &mut Report<'_>, expected: &'static str) -> Option<T> {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let kind = ErrorKind::WrongType { found, expected };
        // A table or an array would be quoted from its bracket on, which helps nobody.
        if matches!(self.value, DeValue::Array(_) | DeValue::Table(_)) {
            report.problem(&self.span, &self.key, kind);
        } else {
            self.refuse(report, kind);
        }
        None
    }

    /// The value of a key of this value, if this is a table that has it.
    pub(super) fn peek(&self, name: &'static str) -> Option<Field<'a>> {
        let value = self.value.get(name)?;
        let key = format!("{}.{name}", self.key);
        Some(Field { key, span: self.span.beside(value.span()), value: value.get_ref() })
    }

    /// The string, if it is one.
    pub(super) fn as_str(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// A string.
    pub(super) fn string(&self, report: &mut Report<'_>, expected: &'static str) -> Option<&'a str> {
        self.as_str().or_else(|| self.mistyped(report, expected))
    }

    /// A table with these keys.
    pub(super) fn section(
        &self,
        report: &mut Report<'_>,
        expected: &'static str,
        known: &'static [&'static str],
    ) -> Option<Section<'a>> {
        let Some(table) = self.value.as_table() else {
            return self.mistyped(report, expected);
        };
        let (label, prefix) = (self.key.clone(), format!("{}.", self.key));
        Some(Section::new(report, table, self.span.clone(), label, prefix, known))
    }

    /// The tables of an array of tables.
    pub(super) fn tables(
        &self,
        report: &mut Report<'_>,
        expected: &'static str,
    ) -> Vec<(Span, &'a DeTable<'a>)> {
        let Some(array) = self.value.as_array() else {
            self.mistyped::<()>(report, expected);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            let span = self.span.beside(item.span());
            match item.get_ref() {
                DeValue::Table(table) => tables.push((span, table)),
                value => {
                    let item = Field { key: self.key.clone(), span, value };
                    item.mistyped::<()>(report, expected);
                }
            }
        }
        tables
    }

    /// An integer from 0 to `max`.
    pub(super) fn integer(&self, report: &mut Report<'_>, max: u32, expected: &'static str) -> Option<u32> {
        let Some(integer) = self.value.as_integer() else {
            return self.mistyped(report, expected);
        };
        let value = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let value = value.filter(|value| *value <= max);
        if value.is_none() {
            self.refuse(report, ErrorKind::IntegerRange { max: u64::from(max), expected });
        }
        value
    }

    /// Whether it is an integer.
    pub(super) fn is_integer(&self) -> bool {
        self.value.is_integer()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, report: &mut Report<'_>) -> Option<bool> {
        self.value.as_bool().or_else(|| self.mistyped(report, "true or false"))
    }

    /// Whether it is an array of nothing but tables, or of nothing.
    pub(super) fn is_tables(&self) -> bool {
        self.value.as_array().is_some_and(|array| array.iter().all(|item| item.get_ref().is_table()))
    }

    /// Reports that this table or array is wrong, without quoting it.
    pub(super) fn refuse_whole(&self, report: &mut Report<'_>, kind: ErrorKind) {
        report.problem(&self.span, &self.key, kind);
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &self,
        report: &mut Report<'_>,
        expected: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let word = self.string(report, expected)?;
        if let Some((_, value)) = words.iter().find(|(name, _)| *name == word) {
            return Some(*value);
        }
        let known: Vec<&'static str> = words.iter().map(|(name, _)| *name).collect();
        let near = nearest(word, known.iter().copied());
        self.refuse(report, ErrorKind::UnknownWord { near, known });
        None
    }

    /// A duration, ns.
    pub(super) fn duration(&self, report: &mut Report<'_>) -> Option<u64> {
        self.quantity(report, units::duration, "a duration like \"20 ms\"")
    }

    /// A flow, µL/h.
    pub(super) fn flow(&self, report: &mut Report<'_>) -> Option<u64> {
        self.quantity(report, units::flow, "a flow like \"6 m3/h\"")
    }

    /// The volume of one pulse, µL.
    pub(super) fn pulse_volume(&self, report: &mut Report<'_>) -> Option<u64> {
        self.quantity(report, units::pulse_volume, super::meter::PULSE_VOLUME)
    }

    /// A quantity with its unit.
    pub(super) fn quantity(
        &self,
        report: &mut Report<'_>,
        read: fn(&str) -> Result<u64, UnitError>,
        expected: &'static str,
    ) -> Option<u64> {
        let result = match self.value {
            DeValue::String(text) => read(text),
            // A bare number gets the same answer as the same number in quotes.
            DeValue::Integer(number) if number.radix() == 10 => read(number.as_str()),
            DeValue::Float(number) => read(number.as_str()),
            _ => return self.mistyped(report, expected),
        };
        result.map_err(|error| self.refuse(report, ErrorKind::Quantity { error, expected })).ok()
    }
}
