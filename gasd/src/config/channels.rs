// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a Modbus unit is whose: a unit may be several meters, like a module that counts the pulses of eight, and the
//! register that moves a valve is none that counts.

use std::ops::Range;

use gasd_meters::Kind;
use gasd_meters::drive::{Device, ModbusValve};
use gasd_meters::modbus::{Point, RegisterMap, Space};

use super::registers::name;

/// The registers of a quantity, as the configuration counts them.
fn span(point: &Point) -> Range<u32> {
    let first = u32::from(point.address);
    first..first + u32::from(point.format.words())
}

fn spelt(point: &Point) -> String {
    let Range { start, end } = span(point);
    match end - start {
        1 => format!("register {start}, `{}`", name(point.kind)),
        _ => format!("registers {start} to {}, `{}`", end - 1, name(point.kind)),
    }
}

/// Why a valve cannot be moved by what it names: it is a part of a quantity, which a command would write into. That of a status
/// may be, where a unit says with the register where the valve is.
pub(super) fn valve_in_map(map: &RegisterMap, valve: ModbusValve) -> Option<String> {
    let ModbusValve::Register { address, .. } = valve else { return None };
    let is_in = |point: &&Point| {
        point.space == Space::Holding
            && point.kind != Kind::Status
            && span(point).contains(&u32::from(address))
    };
    let point = map.points.iter().find(is_in)?;
    Some(format!(
        "moves the valve by register {address}, which lies in {} of `registers`: a command would write into what counts \
         (expected a register of the valve's own)",
        spelt(point)
    ))
}

/// Why two meters cannot be one unit of Modbus; `None` if each has registers of its own, or they are not one unit.
pub(super) fn shared(a: &Device, b: &Device) -> Option<String> {
    let (
        Device::Modbus { unit: of_a, map: a, valve: to_a },
        Device::Modbus { unit: of_b, map: b, valve: to_b },
    ) = (a, b)
    else {
        return None;
    };
    if of_a != of_b {
        return None;
    }
    let both = a.points.iter().flat_map(|one| b.points.iter().map(move |other| (one, other)));
    let wire = |map: &RegisterMap, at: u32| at.saturating_sub(u32::from(map.first));
    let meets = |(one, other): &(&Point, &Point)| {
        let (x, y) = (span(one), span(other));
        one.space == other.space && wire(a, x.start) < wire(b, y.end) && wire(b, y.start) < wire(a, x.end)
    };
    if let Some((_, other)) = both.into_iter().find(meets) {
        return Some(format!("both have {}", spelt(other)));
    }
    // Where its command goes, and in which space.
    let moved = |map: &RegisterMap, valve: &Option<ModbusValve>| {
        valve.map(|valve| match valve {
            ModbusValve::Coil { address, .. } => (true, wire(map, address.into())),
            ModbusValve::Register { address, .. } => (false, wire(map, address.into())),
        })
    };
    let (moves_a, moves_b) = (moved(a, to_a), moved(b, to_b));
    if moves_a.is_some() && moves_a == moves_b {
        return Some("both move their valve by the same register".to_owned());
    }
    let writes = |by: Option<(bool, u32)>, map: &RegisterMap| {
        let (_, at) = by.filter(|(coil, _)| !coil)?;
        let is_in = |point: &&Point| {
            let Range { start, end } = span(point);
            point.space == Space::Holding && (wire(map, start)..wire(map, end)).contains(&at)
        };
        map.points.iter().find(is_in).map(spelt)
    };
    let into = writes(moves_a, b).or_else(|| writes(moves_b, a))?;
    Some(format!("the valve of one would write into {into} of the other"))
}
