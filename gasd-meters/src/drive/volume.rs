// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one register of a reading that the leak engine takes, as a volume in µL.

use alloc::vec::Vec;
use core::fmt;

use crate::fault::Fault;
use crate::kind::{Direction, Kind, Named, Register};
use crate::number::Number;
use crate::reading::{Field, Reading, Value};
use crate::unit::Unit;

/// What is a volume of gas.
const VOLUMES: [Kind; 3] = [Kind::Volume, Kind::VolumeMeter, Kind::VolumeBase];

/// Counters in which concentrators carry the volume of a gas meter: taken only where its unit is said.
const COUNTERS: [Kind; 2] = [Kind::ActiveEnergy, Kind::Count];

/// Why a reading has no volume for the leak engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoVolume {
    /// There is no such register: what was looked for (`None`: any volume), and what there is instead.
    Missing {
        /// What was looked for.
        kind: Option<Kind>,
        /// Every current register that the meter does say.
        said: Vec<(Kind, Register)>,
    },
    /// Several registers might be meant.
    Several(Vec<(Kind, Register)>),
    /// One register is said more than once, with values that differ.
    Differ((Kind, Register), Vec<Value>),
    /// There is one, and its value is none or is in doubt.
    Fault((Kind, Register), Fault),
    /// It is below nought.
    Negative((Kind, Register)),
}

impl fmt::Display for NoVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, names: &[(Kind, Register)]| {
            names.iter().enumerate().try_for_each(|(n, &(kind, register))| {
                write!(f, "{}{}", if n == 0 { "" } else { "; " }, Named(kind, register))
            })
        };
        match self {
            Self::Missing { kind, said } => {
                let what = kind.map_or("volume", Kind::name);
                write!(f, "the meter says no current {what}")?;
                if said.is_empty() {
                    return Ok(());
                }
                f.write_str(", but: ")?;
                list(f, said)?;
                if kind.is_none() && said.iter().any(|(kind, _)| COUNTERS.contains(kind)) {
                    f.write_str("; if that counter is its volume, write unit = \"m3\" or \"L\" to say in what it counts")?;
                }
                Ok(())
            }
            Self::Several(names) => {
                f.write_str("the meter says several volumes (")?;
                list(f, names)?;
                f.write_str("): write quantity = \"...\" to say which of them counts")
            }
            Self::Differ((kind, register), values) => {
                write!(f, "the meter says {} more than once, and not the same (", Named(*kind, *register))?;
                values
                    .iter()
                    .enumerate()
                    .try_for_each(|(n, value)| write!(f, "{}{value}", if n == 0 { "" } else { "; " }))?;
                f.write_str("): nothing says which of them counts")
            }
            Self::Fault((kind, register), fault) => write!(f, "{}: {fault}", Named(*kind, *register)),
            Self::Negative((kind, register)) => write!(f, "{} is below nought", Named(*kind, *register)),
        }
    }
}

impl core::error::Error for NoVolume {}

/// The volume of the meter's current register, µL, exactly.
///
/// The register is the one of `kind`; without a kind the only one of `volume`, `volume_m` and `volume_b`. The plain one
/// goes before the forward one, and the device itself before its subunits. `unit` is what the meter's unit really is,
/// whatever it says: it settles a unit that is in doubt, and makes a volume of a counter that a concentrator fills.
///
/// A register that is said more than once is one register if all say the same volume; what is absent or in doubt says nothing
/// beside one that is not.
///
/// # Errors
///
/// [`NoVolume`] where it is absent, in doubt, below nought, finer than 1 µL, one of several or said in several ways.
pub fn volume_ul(reading: &Reading, kind: Option<Kind>, unit: Option<Unit>) -> Result<u64, NoVolume> {
    let field = choose(reading, kind, unit)?;
    let name = (field.kind, field.register);
    let number = number(field, unit).map_err(|fault| NoVolume::Fault(name, fault))?;
    let volume_ul = number.volume_ul().map_err(|fault| NoVolume::Fault(name, fault))?;
    u64::try_from(volume_ul).map_err(|_| NoVolume::Negative(name))
}

/// The volume of one step of the last digit of that register, µL; `None` where there is no such register or the step is
/// no whole number of µL. Of a number that the meter sends as a float it says only how many digits this one has.
#[must_use]
pub fn quantity_resolution_ul(reading: &Reading, kind: Option<Kind>, unit: Option<Unit>) -> Option<u64> {
    let field = choose(reading, kind, unit).ok()?;
    u64::try_from(number(field, unit).ok()?.resolution_ul()?).ok()
}

fn choose(reading: &Reading, kind: Option<Kind>, unit: Option<Unit>) -> Result<&Field, NoVolume> {
    let current: Vec<&Field> = reading.fields.iter().filter(|field| is_current(field.register)).collect();
    let wanted = |kinds: &[Kind]| -> Vec<&Field> {
        current.iter().copied().filter(|field| kinds.contains(&field.kind)).collect()
    };
    let mut found = match kind {
        Some(kind) => wanted(&[kind]),
        None => wanted(&VOLUMES),
    };
    if found.is_empty() && kind.is_none() && unit.is_some() {
        found = wanted(&COUNTERS);
    }
    if found.iter().any(|field| field.register.subunit == 0) {
        found.retain(|field| field.register.subunit == 0);
    }
    // Of one kind the plain register, then the forward one.
    let plain = |of: &Field| of.register.direction == Direction::Any;
    let same = |a: &Field, b: &Field| a.kind == b.kind && a.register.subunit == b.register.subunit;
    let all = found.clone();
    found.retain(|field| plain(field) || !all.iter().any(|other| same(field, other) && plain(other)));
    let mut chosen: Vec<&Field> = Vec::new();
    for field in &found {
        if !chosen.iter().any(|known| same(known, field)) {
            let twice: Vec<&Field> = found.iter().copied().filter(|other| same(other, field)).collect();
            chosen.push(one(&twice, unit)?);
        }
    }
    let names = |fields: &[&Field]| fields.iter().map(|field| (field.kind, field.register)).collect();
    match chosen[..] {
        [] => Err(NoVolume::Missing { kind, said: names(&current) }),
        [field] => Ok(field),
        _ => Err(NoVolume::Several(names(&chosen))),
    }
}

/// The one of these fields, which are of one register, that says its volume.
fn one<'r>(fields: &[&'r Field], unit: Option<Unit>) -> Result<&'r Field, NoVolume> {
    let volume = |field: &Field| number(field, unit).and_then(Number::volume_ul);
    let mut said = fields.iter().copied().filter(|field| volume(field).is_ok());
    let first = said.next();
    if let Some(field) = first
        && said.any(|other| volume(other) != volume(field))
    {
        let values = fields.iter().map(|field| field.value.clone()).collect();
        return Err(NoVolume::Differ((field.kind, field.register), values));
    }
    // Why not is said of the first.
    first.or(fields.first().copied()).ok_or(NoVolume::Missing { kind: None, said: Vec::new() })
}

fn is_current(register: Register) -> bool {
    let plain = Register { direction: Direction::Any, subunit: 0, ..register };
    plain == Register::PLAIN && register.direction != Direction::Reverse
}

/// The number of a field, in `unit` where that is known better.
fn number(field: &Field, unit: Option<Unit>) -> Result<Number, Fault> {
    match (field.doubt, unit) {
        (Some(Fault::UnknownUnit(_) | Fault::DoubtfulUnit(_) | Fault::OtherUnit(_)), Some(_)) | (None, _) => {
        }
        (Some(doubt), _) => return Err(doubt),
    }
    match &field.value {
        Value::Number(number) => Ok(unit.map_or(*number, |unit| Number { unit, ..*number })),
        Value::Absent(fault, _) => Err(*fault),
        _ => Err(Fault::OtherDimension),
    }
}

#[cfg(test)]
#[path = "volume_tests.rs"]
mod tests;
