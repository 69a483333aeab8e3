// SPDX-License-Identifier: MIT OR Apache-2.0
//! Maps of registers that could never give a volume, whatever the unit answers: such a meter would be read for ever and
//! never judged.

use gasd_meters::drive::Device;
use gasd_meters::drive::volume::{NoVolume, volume_ul};
use gasd_meters::modbus::{Point, RegisterMap, Scale, Type};
use gasd_meters::reading::{Field as Said, Reading, Value};
use gasd_meters::{Decimal, Kind, Number, Unit};

use super::device::Talk;
use super::error::ErrorKind;
use super::registers::{self, name};
use super::report::Report;
use super::section::Section;
use super::sense::Sense;

/// What the engine takes.
const VOLUMES: [Kind; 3] = [Kind::Volume, Kind::VolumeMeter, Kind::VolumeBase];

/// Checks the map of a meter's `device`, if it has one; `false` where the report says what is wrong with it.
pub(super) fn check(
    report: &mut Report<'_>,
    device: &Section<'_>,
    talk: &Talk,
    quantity: Option<Kind>,
    unit: Option<Unit>,
) -> bool {
    let asked = match talk {
        Talk::Wired(device) => std::slice::from_ref(device),
        Talk::Auto(devices) => devices,
        Talk::Wmbus(_) | Talk::LoRaWan { .. } | Talk::LwM2m { .. } => &[],
    };
    let map = asked.iter().find_map(|device| match device {
        Device::Modbus { map, .. } => Some(map),
        _ => None,
    });
    let (Some(map), Some(field)) = (map, device.get("registers")) else { return true };
    let Some(why) = never(map, quantity, unit) else { return true };
    match device.get("quantity").filter(|_| matches!(why, Never::Other(_))) {
        Some(quantity) => quantity.senseless(report, Sense::Registers(why.words())),
        None => field.refuse_whole(report, ErrorKind::Sense(Sense::Registers(why.words()))),
    }
    false
}

/// Why it never gives a volume.
enum Never {
    /// None of them is one: what they are.
    None(Vec<&'static str>),
    /// None of them is the one that is watched: what they are.
    Other(Vec<&'static str>),
    /// Nobody says which: their names.
    Several(Vec<&'static str>),
    /// It is one, and in this no volume: its name and its unit.
    Unit(&'static str, Unit),
    /// It is one, and bits.
    Bits(&'static str),
}

impl Never {
    fn words(&self) -> String {
        match self {
            Self::None(said) => format!(
                "have no volume, only {}, so there is nothing to be judged (expected one with quantity = \"volume\", \
                 \"volume_m\" or \"volume_b\")",
                said.join(", ")
            ),
            Self::Other(said) => format!(
                "is in no entry of `registers`, so it is never known (expected one of theirs, which are {})",
                said.join(", ")
            ),
            Self::Several(said) => format!(
                "have {}, and nothing says which of them is watched (expected a quantity in `device`, like quantity = \
                 \"{}\")",
                said.join(" and "),
                said.last().unwrap_or(&"volume_b")
            ),
            Self::Unit(of, Unit::One) => {
                format!(
                    "have {of} without a unit, so nobody knows how much it is (expected unit = \"m3\" or \"L\")"
                )
            }
            Self::Unit(of, unit) => {
                format!(
                    "have {of} in {}, which is no volume (expected unit = \"m3\" or \"L\")",
                    registers::plain(*unit)
                )
            }
            Self::Bits(of) => {
                format!("have {of} as type = \"bits\", which is no number (expected one like \"u32\")")
            }
        }
    }
}

/// Goes by the same choice as a reading that is there: one is made up that says nought everywhere.
fn never(map: &RegisterMap, quantity: Option<Kind>, unit: Option<Unit>) -> Option<Never> {
    let fields = map.points.iter().map(nought).collect();
    let why = volume_ul(&Reading { fields, ..Reading::default() }, quantity, unit).err()?;
    let names = |kinds: &[Kind]| {
        let mut said: Vec<&'static str> = Vec::new();
        for point in map.points.iter().filter(|point| kinds.is_empty() || kinds.contains(&point.kind)) {
            let name = name(point.kind);
            if !said.contains(&name) {
                said.push(name);
            }
        }
        said
    };
    Some(match why {
        NoVolume::Missing { kind: Some(_), .. } => Never::Other(names(&[])),
        NoVolume::Missing { .. } => Never::None(names(&[])),
        NoVolume::Several(_) => Never::Several(names(&VOLUMES)),
        NoVolume::Fault((kind, _), _) => {
            let point = map.points.iter().find(|point| point.kind == kind)?;
            match point.format {
                Type::Bits => Never::Bits(registers::name(kind)),
                _ => Never::Unit(registers::name(kind), point.unit),
            }
        }
        // Nought is not below nought, and the same wherever it is said.
        NoVolume::Negative(_) | NoVolume::Differ(..) => return None,
    })
}

/// What a point says of nought.
fn nought(point: &Point) -> Said {
    let exponent = match point.scale {
        Scale::Fixed(by) | Scale::Power(by, _) | Scale::Factor(by, _) => by.exponent,
    };
    let value = match point.format {
        Type::Bits => Value::Bits(0),
        _ => Value::Number(Number { decimal: Decimal::new(0, exponent), unit: point.unit }),
    };
    Said::new(point.kind, point.register, value)
}
