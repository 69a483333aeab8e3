// SPDX-License-Identifier: MIT OR Apache-2.0
//! What only shows when meters and valves are seen together: ids, lines, references.

use super::gpio::same_chip;
use super::near::nearest;
use super::report::Report;
use super::section::Placed;
use super::sense::Sense;
use super::types::GpioLine;
use super::{meter, port, valve};

/// Refuses an id that an earlier meter or valve (`what`) has.
pub(super) fn unique_ids<'a>(
    report: &mut Report<'_>,
    what: &'static str,
    ids: impl Iterator<Item = &'a Placed<'a, String>>,
) {
    let mut seen: Vec<&Placed<'_, String>> = Vec::new();
    for id in ids {
        match seen.iter().find(|first| first.value == id.value) {
            Some(first) => {
                let first = report.first(&first.field.span, &id.field.span);
                id.field.senseless(report, Sense::DuplicateId { what, first });
            }
            None => seen.push(id),
        }
    }
}

/// Refuses more meters than one gateway can have.
pub(super) fn enough_lines(report: &mut Report<'_>, meters: &[meter::Draft<'_>]) {
    let most = gasd_abi::records::MAX_METERS as usize;
    // One without an id has a problem of its own.
    if let Some(id) = meters.iter().skip(most).find_map(|meter| meter.id.as_ref()) {
        id.field.senseless(report, Sense::TooManyMeters { count: meters.len(), most });
    }
}

/// A line and who uses it.
struct Use<'a> {
    by: String,
    is_meter: bool,
    line: &'a Placed<'a, GpioLine>,
}

/// Refuses a line that is used already.
pub(super) fn unique_lines(
    report: &mut Report<'_>,
    meters: &[meter::Draft<'_>],
    valves: &[valve::Draft<'_>],
    ports: &[port::Draft<'_>],
) {
    let of_meters =
        meters.iter().filter_map(|m| Some(Use { by: m.label.clone(), is_meter: true, line: m.line()? }));
    let of_valves = valves.iter().flat_map(|v| {
        v.lines.iter().map(|(part, line)| Use {
            by: format!("the {part} of {}", v.label),
            is_meter: false,
            line,
        })
    });
    let of_alarms = meters.iter().filter_map(|m| {
        let by = format!("the alarm line of {}", m.label);
        Some(Use { by, is_meter: false, line: m.alarm.as_ref()? })
    });
    let of_ports = ports.iter().filter_map(|p| {
        let by = format!("the low-power line of {}", p.label);
        Some(Use { by, is_meter: false, line: p.low_power.as_ref()? })
    });
    let mut uses: Vec<Use<'_>> = of_meters.chain(of_valves).chain(of_alarms).chain(of_ports).collect();
    uses.sort_by_key(|u| u.line.field.span.order());
    for (i, this) in uses.iter().enumerate() {
        if let Some(first) = uses[..i].iter().find(|first| clash(first, this)) {
            let at = report.first(&first.line.field.span, &this.line.field.span);
            let line = in_words(&this.line.value);
            let kind = Sense::LineTaken { line, by: first.by.clone(), first: at };
            let Placed { field, .. } = this.line;
            report.problem(&field.span, &field.key, super::error::ErrorKind::Sense(kind));
        }
    }
}

/// Whether both are one line. A meter without a chip is the trace's line, whatever the chip.
fn clash(a: &Use<'_>, b: &Use<'_>) -> bool {
    a.line.value.line == b.line.value.line
        && match (&a.line.value.chip, &b.line.value.chip) {
            (Some(a), Some(b)) => same_chip(a, b),
            (None, None) => true,
            _ => a.is_meter && b.is_meter,
        }
}

fn in_words(line: &GpioLine) -> String {
    match &line.chip {
        Some(chip) => format!("line {} of {chip}", line.line),
        None => format!("line {}", line.line),
    }
}

/// The valve that a meter names, as an index.
pub(super) fn find_valve(
    report: &mut Report<'_>,
    meter: &meter::Draft<'_>,
    valves: &[valve::Draft<'_>],
) -> Option<usize> {
    let wanted = meter.valve.as_ref()?;
    let id = |v: &valve::Draft<'_>| v.id.as_ref().map(|id| id.value.clone());
    let found = valves.iter().position(|v| id(v).as_ref() == Some(&wanted.value));
    // A valve whose own id is refused may be the one that is meant.
    if found.is_none() && valves.iter().all(|v| v.id.is_some()) {
        let known: Vec<String> = valves.iter().filter_map(id).collect();
        let near = nearest(&wanted.value, known.iter().map(String::as_str)).map(str::to_owned);
        wanted.field.senseless(report, Sense::UnknownValve { near, known });
    }
    found
}

/// The port that a meter names, as an index, where it carries what the meter speaks.
pub(super) fn find_port(
    report: &mut Report<'_>,
    meter: &meter::Draft<'_>,
    ports: &[port::Draft<'_>],
) -> Option<usize> {
    let on = meter.on_port()?;
    let id = |p: &port::Draft<'_>| p.id.as_ref().map(|id| id.value.clone());
    let Some(found) = ports.iter().position(|p| id(p).as_ref() == Some(&on.port.value)) else {
        if ports.iter().all(|p| p.id.is_some()) {
            let known: Vec<String> = ports.iter().filter_map(id).collect();
            let near = nearest(&on.port.value, known.iter().map(String::as_str)).map(str::to_owned);
            on.port.field.senseless(report, Sense::UnknownPort { near, known });
        }
        return None;
    };
    let line = ports[found].line.as_ref()?;
    let protocol = on.device.protocol.value;
    if !protocol.ports().split(" or ").any(|kind| kind == line.kind()) {
        let (protocol, kind) = (protocol.name(), line.kind());
        let expected = on.device.protocol.value.ports();
        on.device.protocol.field.senseless(report, Sense::WrongPort { protocol, kind, expected });
        return None;
    }
    Some(found)
}

/// Refuses a meter of any address that is not alone on its port: it would be another one by turns.
pub(super) fn alone(report: &mut Report<'_>, meters: &[meter::Draft<'_>]) {
    let on = |meter: &&meter::Draft<'_>, port: &str| meter.on_port().is_some_and(|on| on.port.value == port);
    for meter in meters {
        let Some(at) = meter.on_port().filter(|on| on.device.is_any()) else { continue };
        let other =
            meters.iter().filter(|other| on(other, &at.port.value)).find(|other| other.label != meter.label);
        if let Some(other) = other {
            at.device.address.field.senseless(report, Sense::NotAlone { beside: other.label.clone() });
        }
    }
}

/// The meter that a valve is in, as an index.
pub(super) fn find_meter(
    report: &mut Report<'_>,
    valve: &valve::Draft<'_>,
    meters: &[meter::Draft<'_>],
) -> Option<usize> {
    let wanted = valve.meter()?;
    let id = |m: &meter::Draft<'_>| m.id.as_ref().map(|id| id.value.clone());
    let Some(found) = meters.iter().position(|m| id(m).as_ref() == Some(&wanted.value)) else {
        if meters.iter().all(|m| m.id.is_some()) {
            let known: Vec<String> = meters.iter().filter_map(id).collect();
            let near = nearest(&wanted.value, known.iter().map(String::as_str));
            let why = format!("no meter is called so; {}", super::near::hint(near, &known));
            wanted.field.senseless(report, Sense::MeterValve(why));
        }
        return None;
    };
    let why = match meters[found].on_port() {
        // What is wrong with the meter itself is told already.
        None if !meters[found].has_source() => return None,
        None => {
            Some("is on no port, so gasd cannot send it a command; a valve on a line has gpio".to_owned())
        }
        Some(on) => {
            let Placed { value, field } = &on.device.address;
            let line = report.first(&field.span, &wanted.field.span);
            let of = on.device.config.talk.why_no_valve(on.device.config.key_file.is_some());
            of.map(|why| format!("{why} (its address is \"{value}\", on {line})"))
        }
    };
    if let Some(why) = why {
        let text = format!("{} {why}", meters[found].label);
        wanted.field.senseless(report, Sense::MeterValve(text));
        return None;
    }
    Some(found)
}

/// Warns of ports that no meter is on.
pub(super) fn unused_ports(report: &mut Report<'_>, ports: &[port::Draft<'_>], used: &[Option<usize>]) {
    for (i, port) in ports.iter().enumerate() {
        if !used.contains(&Some(i)) {
            let text = format!("{}: no meter is on it; `gasctl scan` looks for some", port.label);
            report.warn(&port.span, &text);
        }
    }
}

/// Warns of valves that no verdict closes.
pub(super) fn unused_valves(report: &mut Report<'_>, valves: &[valve::Draft<'_>], used: &[Option<usize>]) {
    for (i, valve) in valves.iter().enumerate() {
        if !used.contains(&Some(i)) {
            let text = format!("{}: no meter names it, so no verdict closes it", valve.label);
            report.warn(&valve.span, &text);
        }
    }
}
