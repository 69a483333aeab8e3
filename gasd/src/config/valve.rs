// SPDX-License-Identifier: MIT OR Apache-2.0
//! `[[valve]]`: one valve and how it is driven.

use toml::de::DeTable;

use super::error::ErrorKind;
use super::filter::ranged;
use super::gpio;
use super::limits::VALVE_PULSE_NS;
use super::meter;
use super::near::nearest;
use super::report::{Report, Span};
use super::section::{Field, Placed, Section};
use super::sense::Sense;
use super::types::{Actuator, ClosedLevel, GpioLine, ValveConfig};

pub(super) const KEYS: &[&str] = &["id", "actuator"];
pub(super) const ACTUATOR_KEYS: &[&str] = &["gpio", "closed", "pulse", "open_line", "feedback", "meter"];
pub(super) const EXPECTED: &str = "one or more tables, each headed [[valve]]";
const ID: &str = "a name like \"main\"";
const ACTUATOR: &str = "\"simulated\", { gpio = { chip = \"gpiochip0\", line = 7 }, closed = \"high\" }, or { meter = \"flat-3\" }";
const METER: &str = "the id of a meter on a port, like \"flat-3\"";
const CLOSED: &str = "the level that closes the valve, \"high\" or \"low\"; there is no safe default";

/// A valve before its id and lines are compared with others. `None` where the report says why.
pub(super) struct Draft<'a> {
    /// How messages call it.
    pub(super) label: String,
    /// Where it begins.
    pub(super) span: Span,
    pub(super) id: Option<Placed<'a, String>>,
    /// Every line it uses, with the line's part in it.
    pub(super) lines: Vec<(&'static str, Placed<'a, GpioLine>)>,
    actuator: Option<Way<'a>>,
}

/// How it is driven, before the meter that it is in is found.
enum Way<'a> {
    Own(Actuator),
    Meter(Placed<'a, String>),
}

/// Reads one valve.
pub(super) fn read<'a>(report: &mut Report<'_>, table: &'a DeTable<'a>, span: Span) -> Draft<'a> {
    let label = meter::label("valve", table);
    let section = Section::new(report, table, span.clone(), label.clone(), String::new(), KEYS);
    let id = meter::id(report, &section, ID);
    let mut lines = Vec::new();
    let actuator =
        section.required(report, "actuator", ACTUATOR).and_then(|field| actuator(report, &field, &mut lines));
    Draft { label, span, id, lines, actuator }
}

impl Draft<'_> {
    /// The meter that it is in, where it is in one.
    pub(super) fn meter(&self) -> Option<&Placed<'_, String>> {
        match self.actuator.as_ref()? {
            Way::Meter(meter) => Some(meter),
            Way::Own(_) => None,
        }
    }

    /// The valve, unless something about it was reported. `meter`: whether the one that it is in is there.
    pub(super) fn finish(self, meter: bool) -> Option<ValveConfig> {
        let actuator = match self.actuator? {
            Way::Own(actuator) => actuator,
            Way::Meter(name) if meter => Actuator::Meter { meter: name.value },
            Way::Meter(_) => return None,
        };
        Some(ValveConfig { id: self.id?.value, actuator })
    }
}

fn actuator<'a>(
    report: &mut Report<'_>,
    field: &Field<'a>,
    lines: &mut Vec<(&'static str, Placed<'a, GpioLine>)>,
) -> Option<Way<'a>> {
    if let Some(word) = field.as_str() {
        if word == "simulated" {
            return Some(Way::Own(Actuator::Simulated));
        }
        let known = vec!["simulated"];
        let near = nearest(word, known.iter().copied());
        field.refuse(report, ErrorKind::UnknownWord { near, known });
        return None;
    }
    let section = field.section(report, ACTUATOR, ACTUATOR_KEYS)?;
    if let Some(meter) = section.get("meter") {
        for other in ACTUATOR_KEYS.iter().filter(|key| **key != "meter") {
            if let Some(other) = section.get(other) {
                other.refuse_whole(report, ErrorKind::NotWith { other: "meter" });
                return None;
            }
        }
        let name = meter.string(report, METER)?.to_owned();
        return Some(Way::Meter(meter.with(name)));
    }
    let line = drive_line(report, &section, lines);
    let closed = section
        .required(report, "closed", CLOSED)
        .and_then(|f| f.word(report, CLOSED, &[("high", ClosedLevel::High), ("low", ClosedLevel::Low)]));
    let pulse = section
        .get("pulse")
        .map(|f| ranged(report, &f, VALVE_PULSE_NS, "how long a latching valve's coil is fed"));
    let mut optional = |name: &'static str, part: &'static str| match section.get(name) {
        Some(field) => match gpio::read(report, field) {
            Some(line) => {
                lines.push((part, line.clone()));
                Some(Some(line))
            }
            None => None,
        },
        None => Some(None),
    };
    let open_line = optional("open_line", "opening line");
    let feedback = optional("feedback", "feedback line");
    if let (Some(Some(open)), None) = (&open_line, &pulse) {
        report.problem(&open.field.span, &open.field.key, ErrorKind::Sense(Sense::OpenLineWithoutPulse));
    }
    Some(Way::Own(Actuator::Gpio {
        line: line?,
        closed: closed?,
        pulse_ns: match pulse {
            Some(pulse) => Some(pulse?),
            None => None,
        },
        open_line: open_line?.map(|line| line.value),
        feedback: feedback?.map(|line| line.value),
    }))
}

/// The line that drives the valve. `active` would be a second answer to what `closed` says.
fn drive_line<'a>(
    report: &mut Report<'_>,
    section: &Section<'a>,
    lines: &mut Vec<(&'static str, Placed<'a, GpioLine>)>,
) -> Option<GpioLine> {
    let field = section.required(report, "gpio", gpio::EXPECTED)?;
    if let Some(active) = field.peek("active") {
        active.senseless(report, Sense::ActiveOnDriveLine);
    }
    let line = gpio::read(report, field)?;
    lines.push(("line", line.clone()));
    Some(line.value)
}
