// SPDX-License-Identifier: MIT OR Apache-2.0
//! Volumes, flows and durations with their units, read exactly.

use super::decimal::{Decimal, DecimalError};
use super::near::{hint, nearest};
use super::show;

/// µL in one of each unit of volume. Both micro signs (U+00B5 and U+03BC) are on keyboards.
const VOLUMES: &[(&str, u64)] = &[
    ("L", 1_000_000),
    ("l", 1_000_000),
    ("mL", 1_000),
    ("ml", 1_000),
    ("uL", 1),
    ("ul", 1),
    ("\u{b5}L", 1),
    ("\u{b5}l", 1),
    ("\u{3bc}L", 1),
    ("\u{3bc}l", 1),
    ("m3", 1_000_000_000),
    ("m\u{b3}", 1_000_000_000),
    ("dm3", 1_000_000),
    ("dm\u{b3}", 1_000_000),
    ("cm3", 1_000),
    ("cm\u{b3}", 1_000),
];

/// Hours in the denominator of a flow: what one of each makes in an hour.
const PER: &[(&str, u64)] = &[("h", 1), ("min", 60), ("s", 3_600)];

/// ns in one of each unit of time.
const TIMES: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("day", 86_400_000_000_000),
    ("days", 86_400_000_000_000),
];

/// Pa in one of each unit of pressure.
const PRESSURES: &[(&str, u64)] = &[("Pa", 1), ("hPa", 100), ("mbar", 100), ("kPa", 1_000), ("bar", 100_000)];

/// Thousandths of a gal (cm/s²) in one of each unit of acceleration.
const ACCELERATIONS: &[(&str, u64)] =
    &[("gal", 1_000), ("Gal", 1_000), ("cm/s2", 1_000), ("m/s2", 100_000), ("m/s\u{b2}", 100_000)];

/// Units as the messages list them: those that any keyboard can write.
const VOLUME_NAMES: &[&str] = &["L", "mL", "uL", "m3", "dm3", "cm3"];
const PULSE_VOLUME_NAMES: &[&str] = &["L", "mL", "uL", "m3", "dm3", "cm3", "imp/m3", "imp/L"];
const FLOW_NAMES: &[&str] = &["m3/h", "m3/min", "L/h", "L/min", "L/s", "dm3/h", "mL/min", "mL/s"];
const TIME_NAMES: &[&str] = &["ms", "s", "min", "h", "days", "us", "ns"];
const PRESSURE_NAMES: &[&str] = &["kPa", "mbar", "Pa", "hPa", "bar"];
const ACCELERATION_NAMES: &[&str] = &["gal", "m/s2"];
const FACTOR_NAMES: &[&str] = &["times"];
const RATE_NAMES: &[&str] = &["/s", "edges/s"];

/// Pulses, as meters' plates have them (`imp`) and as people write them.
const PULSES: &[&str] = &["imp", "imps", "impulse", "impulses", "pulse", "pulses"];

/// Spellings that are further from their unit than a slip of the hand.
const SPELLINGS: &[(&str, &str)] = &[
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("millis", "ms"),
    ("msec", "ms"),
    ("usec", "us"),
    ("liter", "L"),
    ("liters", "L"),
    ("litre", "L"),
    ("litres", "L"),
    ("cbm", "m3"),
    ("cbm/h", "m3/h"),
    ("m^3", "m3"),
    ("m^3/h", "m3/h"),
    ("m3h", "m3/h"),
    ("lpm", "L/min"),
    ("Hz", "/s"),
];

/// Why a quantity could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing that reads as a number stands in front.
    #[error("does not begin with a plain number")]
    NoNumber,
    /// `0,1 L`.
    #[error("a comma is no decimal point here; write `.`, and do not group thousands")]
    Comma,
    /// Less than zero.
    #[error("must not be negative")]
    Negative,
    /// Zero.
    #[error("must be more than zero")]
    Zero,
    /// A number alone.
    #[error("the unit is missing; {}", hint(None, units))]
    MissingUnit {
        /// The units to choose from.
        units: &'static [&'static str],
    },
    /// A unit that is none of this quantity.
    #[error("unknown unit `{}`; {}", unit.escape_debug(), hint(*near, units))]
    UnknownUnit {
        /// As it was written.
        unit: String,
        /// What was probably meant.
        near: Option<&'static str>,
        /// The units to choose from.
        units: &'static [&'static str],
    },
    /// Digits below the smallest step.
    #[error("is not a whole number of {step}, the smallest step gasd counts in")]
    TooFine {
        /// `uL`, `uL/h`, `ns` or `edges a second`.
        step: &'static str,
    },
    /// More than the type holds.
    #[error("is too large")]
    TooLarge,
    /// So many pulses to a volume that one pulse is no whole number of µL.
    #[error(
        "one pulse would be no whole number of uL; write the volume of one pulse yourself \
         (nearest: \"{}\")",
        show::volume(*nearest_ul)
    )]
    Indivisible {
        /// The nearest volume, µL.
        nearest_ul: u64,
    },
}

/// A volume, µL: `"10 L"`, `"0.01 m3"`, `"100 ml"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of µL.
pub fn volume(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, VOLUME_NAMES)?;
    let factor = lookup(unit, VOLUMES).ok_or_else(|| unknown(unit, VOLUME_NAMES))?;
    positive(number, factor, "uL")
}

/// The volume of one pulse, µL: a volume, or pulses to a volume as in `"100 imp/m3"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of µL a pulse.
pub fn pulse_volume(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, PULSE_VOLUME_NAMES)?;
    if let Some(factor) = lookup(unit, VOLUMES) {
        return positive(number, factor, "uL");
    }
    let per = unit
        .split_once('/')
        .filter(|(pulses, _)| PULSES.contains(&pulses.trim()))
        .and_then(|(_, volume)| lookup(volume.trim(), VOLUMES))
        .ok_or_else(|| unknown(unit, PULSE_VOLUME_NAMES))?;
    let number = Decimal::parse(number).map_err(|e| refused(e, "pulse"))?;
    if number.is_zero() {
        return Err(UnitError::Zero);
    }
    match number.divides(per) {
        Some((ul, true)) => Ok(ul),
        Some((0, false)) => Err(UnitError::TooFine { step: "uL" }),
        Some((nearest_ul, false)) => Err(UnitError::Indivisible { nearest_ul }),
        None => Err(UnitError::TooLarge),
    }
}

/// A flow, µL/h: `"6 m3/h"`, `"100 L/min"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of µL/h.
pub fn flow(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, FLOW_NAMES)?;
    let factor = unit
        .split_once('/')
        .and_then(|(volume, time)| Some(lookup(volume.trim(), VOLUMES)? * lookup(time.trim(), PER)?))
        .ok_or_else(|| unknown(unit, FLOW_NAMES))?;
    positive(number, factor, "uL/h")
}

/// A duration, ns: `"20 ms"`, `"1.5 s"`, `"1 min"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of ns.
pub fn duration(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, TIME_NAMES)?;
    let factor = lookup(unit, TIMES).ok_or_else(|| unknown(unit, TIME_NAMES))?;
    positive(number, factor, "ns")
}

/// A pressure above the air's, Pa: `"0.3 kPa"`, `"20 mbar"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of Pa.
pub fn pressure(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, PRESSURE_NAMES)?;
    let factor = lookup(unit, PRESSURES).ok_or_else(|| unknown(unit, PRESSURE_NAMES))?;
    positive(number, factor, "Pa")
}

/// An acceleration in thousandths of a gal (cm/s²): `"200 gal"`, `"2 m/s2"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of thousandths of a gal.
pub fn acceleration(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, ACCELERATION_NAMES)?;
    let factor = lookup(unit, ACCELERATIONS).ok_or_else(|| unknown(unit, ACCELERATION_NAMES))?;
    positive(number, factor, "mgal")
}

/// A factor in thousandths: `"1.8"`, `"1.8 times"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of thousandths.
pub fn factor(text: &str) -> Result<u64, UnitError> {
    let with_unit = match split(text, FACTOR_NAMES) {
        Err(UnitError::MissingUnit { .. }) => format!("{} times", text.trim()),
        _ => text.to_owned(),
    };
    let (number, unit) = split(&with_unit, FACTOR_NAMES)?;
    if !["times", "x", "\u{d7}"].contains(&unit) {
        return Err(unknown(unit, FACTOR_NAMES));
    }
    positive(number, 1_000, "thousandths")
}

/// Edges a second: `"1000 /s"`.
///
/// # Errors
/// [`UnitError`] for anything that is not a positive whole number of edges a second.
pub fn rate(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text, RATE_NAMES)?;
    if !["/s", "edge/s", "edges/s"].contains(&unit) {
        return Err(unknown(unit, RATE_NAMES));
    }
    positive(number, 1, "edges a second")
}

/// The number and the unit behind it, both trimmed and neither empty.
fn split<'a>(text: &'a str, units: &'static [&'static str]) -> Result<(&'a str, &'a str), UnitError> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let in_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '_' | '\'');
    let end = rest.find(|c| !in_number(c)).unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    if !number.contains(|c: char| c.is_ascii_digit()) {
        return Err(UnitError::NoNumber);
    }
    if number.contains(',') {
        return Err(UnitError::Comma);
    }
    if negative {
        return Err(UnitError::Negative);
    }
    match unit.trim() {
        "" => Err(UnitError::MissingUnit { units }),
        unit => Ok((number, unit)),
    }
}

fn lookup(unit: &str, table: &[(&str, u64)]) -> Option<u64> {
    table.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

fn positive(number: &str, factor: u64, step: &'static str) -> Result<u64, UnitError> {
    let number = Decimal::parse(number).map_err(|e| refused(e, step))?;
    if number.is_zero() {
        return Err(UnitError::Zero);
    }
    number.times(factor).map_err(|e| refused(e, step))
}

const fn refused(error: DecimalError, step: &'static str) -> UnitError {
    match error {
        DecimalError::NotANumber => UnitError::NoNumber,
        DecimalError::TooFine => UnitError::TooFine { step },
        DecimalError::TooLarge => UnitError::TooLarge,
    }
}

fn unknown(unit: &str, units: &'static [&'static str]) -> UnitError {
    let spelt = SPELLINGS
        .iter()
        .find(|(spelling, name)| *spelling == unit && units.contains(name))
        .map(|(_, name)| *name);
    let near = spelt.or_else(|| nearest(unit, units.iter().copied()));
    UnitError::UnknownUnit { unit: unit.to_owned(), near, units }
}
