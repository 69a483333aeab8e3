// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which meters on ports may be one meter, however their addresses are spelt, and which valves are in one.
//!
//! A meter that stands twice would count its gas twice, and a hold of one of its two valves would not keep the other one
//! from opening it. On one port what is written decides. On two ports it does not: the same address is mostly a maker's
//! default on two lines, and only sometimes one line with two adapters.

use gasd_meters::drive::Device;
use gasd_meters::mbus;

use super::channels;
use super::device::{LoRaAddress, Talk};
use super::meter::{Draft, OnPort};
use super::report::Report;
use super::section::Placed;
use super::sense::Sense;
use super::valve;

/// Refuses an address that an earlier meter on the same port has; warns of one that is on another port, too.
pub(super) fn unique(report: &mut Report<'_>, meters: &[Draft<'_>]) {
    let mut seen: Vec<(&Draft<'_>, &OnPort<'_>)> = Vec::new();
    for meter in meters {
        let Some(on) = meter.on_port() else { continue };
        let same_port = |other: &OnPort<'_>| other.port.value == on.port.value;
        let taken = seen.iter().find(|(_, other)| same_port(other) && is_taken(other, on));
        let elsewhere = || seen.iter().find(|(_, other)| !same_port(other) && is_one_of_all(other, on));
        if let Some((first, other)) = taken {
            let (field, at) = (&on.device.address.field, &other.device.address);
            if let Some(why) = shared(other, on) {
                let line = report.first(&at.field.span, &field.span);
                let text = format!(
                    "{} is this unit on the same port already, on {line}, and {why} (expected another unit, or registers of its \
                     own for each meter of one)",
                    first.label
                );
                field.senseless(report, Sense::Registers(text));
                seen.push((meter, on));
                continue;
            }
            let spelt = (at.value != on.device.address.value).then(|| at.value.clone());
            let why = Sense::AddressTaken {
                by: first.label.clone(),
                first: report.first(&at.field.span, &field.span),
                spelt,
                asked: on.device.config.talk.is_asked(),
            };
            field.senseless(report, why);
        } else if let Some((first, other)) = elsewhere() {
            let span = &on.device.address.field.span;
            let line = report.first(&other.device.address.field.span, span);
            let text = format!(
                "{}: has the address of {} on port \"{}\", on {line}: if it is one meter, its gas counts twice and a hold \
                 does not keep its valve from being opened by the other name",
                meter.label, first.label, other.port.value
            );
            report.warn(span, &text);
        }
        seen.push((meter, on));
    }
}

/// Whether a meter on a port has the address of another one there.
fn is_taken(a: &OnPort<'_>, b: &OnPort<'_>) -> bool {
    let (a, b) = (&a.device, &b.device);
    // Whoever is there is told otherwise: it must be alone.
    if a.is_any() || b.is_any() {
        return false;
    }
    if let (Talk::Wired(Device::Modbus { .. }), Talk::Wired(Device::Modbus { .. })) =
        (&a.config.talk, &b.config.talk)
    {
        return overlap(&a.config.talk, &b.config.talk);
    }
    let spelt_alike = a.address.value.eq_ignore_ascii_case(&b.address.value);
    let may_be = a.protocol.value.may_be(b.protocol.value);
    may_be && spelt_alike || overlap(&a.config.talk, &b.config.talk)
}

/// Why two meters whose protocol was said cannot be one unit of Modbus.
fn shared(a: &OnPort<'_>, b: &OnPort<'_>) -> Option<String> {
    match (&a.device.config.talk, &b.device.config.talk) {
        (Talk::Wired(a), Talk::Wired(b)) => channels::shared(a, b),
        _ => None,
    }
}

/// Whether one meter may answer to both, or be heard as both.
fn overlap(a: &Talk, b: &Talk) -> bool {
    match (a, b) {
        (Talk::Wmbus(a), Talk::Wmbus(b)) => overlapping(a, b),
        (Talk::LoRaWan { address: a, .. }, Talk::LoRaWan { address: b, .. }) => a == b,
        (
            Talk::LwM2m { endpoint: a, carried: Some((of_a, ..)), .. },
            Talk::LwM2m { endpoint: b, carried: Some((of_b, ..)), .. },
        ) => a == b && (of_a.covers(*of_b) || of_b.covers(*of_a)),
        _ => asked(a).iter().any(|a| asked(b).iter().any(|b| answer_at_once(a, b))),
    }
}

/// What a meter is asked as.
fn asked(talk: &Talk) -> &[Device] {
    match talk {
        Talk::Wired(device) => std::slice::from_ref(device),
        Talk::Auto(devices) => devices,
        Talk::Wmbus(_) | Talk::LoRaWan { .. } | Talk::LwM2m { .. } => &[],
    }
}

fn answer_at_once(a: &Device, b: &Device) -> bool {
    match (a, b) {
        (Device::Cjt188 { address: a, .. }, Device::Cjt188 { address: b, .. }) => {
            a.0.iter().zip(b.0).all(|(&a, b)| a == b || a == 0xAA || b == 0xAA)
        }
        (Device::Dlt645 { address: a, .. }, Device::Dlt645 { address: b, .. }) => a.matches(*b),
        (
            Device::Mbus { target: mbus::Target::Selected(a), .. },
            Device::Mbus { target: mbus::Target::Selected(b), .. },
        ) => overlapping(a, b),
        // That a primary and a secondary address are of one meter only the meter knows.
        (Device::Mbus { target: a, .. }, Device::Mbus { target: b, .. }) => a == b,
        // A unit may be several meters, each with registers of its own.
        (Device::Modbus { .. }, Device::Modbus { .. }) => channels::shared(a, b).is_some(),
        (Device::Hart { select: a, .. }, Device::Hart { select: b, .. }) => a == b,
        _ => false,
    }
}

/// Whether a meter may have both, with wildcards on either side.
fn overlapping(a: &mbus::Address, b: &mbus::Address) -> bool {
    let digit = |a: u8, b: u8| a == b || a == 0x0F || b == 0x0F;
    a.id.iter().zip(b.id).all(|(&a, b)| digit(a & 0x0F, b & 0x0F) && digit(a >> 4, b >> 4))
        && (a.manufacturer == b.manufacturer || a.manufacturer == 0xFFFF || b.manufacturer == 0xFFFF)
        && (a.version == b.version || a.version == 0xFF || b.version == 0xFF)
        && (a.medium == b.medium || a.medium == 0xFF || b.medium == 0xFF)
}

/// Whether both are the same address of a kind that its maker gives to one meter in the world.
fn is_one_of_all(a: &OnPort<'_>, b: &OnPort<'_>) -> bool {
    match (&a.device.config.talk, &b.device.config.talk) {
        (Talk::Wmbus(a), Talk::Wmbus(b)) => a == b && !a.is_wildcard(),
        (
            Talk::LoRaWan { address: LoRaAddress::DevEui(a), .. },
            Talk::LoRaWan { address: LoRaAddress::DevEui(b), .. },
        ) => a == b,
        (Talk::LwM2m { carried: Some((a, ..)), .. }, Talk::LwM2m { carried: Some((b, ..)), .. }) => {
            a == b && !a.is_wildcard()
        }
        (a, b) => asked(a).iter().any(|a| asked(b).iter().any(|b| is_one_on_wires(a, b))),
    }
}

fn is_one_on_wires(a: &Device, b: &Device) -> bool {
    match (a, b) {
        (Device::Cjt188 { address: a, .. }, Device::Cjt188 { address: b, .. }) => a == b && !a.is_wildcard(),
        (Device::Dlt645 { address: a, .. }, Device::Dlt645 { address: b, .. }) => a == b && a.is_exact(),
        (
            Device::Mbus { target: mbus::Target::Selected(a), .. },
            Device::Mbus { target: mbus::Target::Selected(b), .. },
        ) => a == b && !a.is_wildcard(),
        _ => false,
    }
}

/// Refuses a meter whose valve an earlier [[valve]] is: what holds one of them would not hold the other.
pub(super) fn one_valve(report: &mut Report<'_>, valves: &[valve::Draft<'_>]) {
    let mut seen: Vec<(&valve::Draft<'_>, &Placed<'_, String>)> = Vec::new();
    for valve in valves {
        let Some(meter) = valve.meter() else { continue };
        if let Some((first, other)) = seen.iter().find(|(_, other)| other.value == meter.value) {
            let at = report.first(&other.field.span, &meter.field.span);
            meter.field.senseless(report, Sense::MeterTaken { by: first.label.clone(), first: at });
        }
        seen.push((valve, meter));
    }
}
