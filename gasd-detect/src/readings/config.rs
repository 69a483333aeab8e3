// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must be known of a register and its reader, the quantum that follows from it, and the rules that
//! readings so far apart cannot serve.

use core::fmt;

use crate::engine::limit;
use crate::profile::{BANDS, Band, Rules};
use crate::units::{Litres, SECOND_NS, Span, m3_per_h, volume_ul};

/// So many quanta pass between two readings at the meter's largest flow, at most: what a reading costs is
/// bounded, and more would say nothing new, since they are drawn at an even distance.
const QUANTA: u64 = 1000;
/// A reading gives the engine so many quanta at most: a long gap at a flow that is too high has more, and
/// needs no more to prove it.
pub(crate) const MOST_QUANTA: u64 = 8192;
/// An interval up to so many times the usual one is drawn like any other: one lost reading and a late one.
const LATE: f64 = 2.5;
/// Or up to this, ns: neither rests nor hours are spoilt by ten minutes without a reading.
const SHORT_NS: u64 = 600 * SECOND_NS;
/// A register may show so much later what has passed, and never more than one interval, ns.
const STALE_NS: u64 = 60 * SECOND_NS;

/// A register is renewed once in so long at least, ns: a day.
pub(crate) const RENEWED_NS: u64 = 86_400 * SECOND_NS;

/// Readings up to this far apart show what appliances take, ns: few burn for less.
pub(crate) const SHARP_NS: u64 = 120 * SECOND_NS;
/// Up to this part of the meter's largest flow a mean that lasts is no use that lasts: a boiler that comes and
/// goes all winter makes it.
const COMES_AND_GOES: f64 = 0.25;

/// Readings up to this far apart show hours and rests, ns: hourly ones that come late.
pub(crate) const HOURLY_NS: u64 = 5400 * SECOND_NS;

/// How a register is read, and by which rules its meter is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadingsConfig {
    /// Smallest step of the register, µL.
    pub resolution_ul: u64,
    /// The register shows volumes below this, µL, and begins anew then: 10¹⁴ for 8 digits of a litre. 0: it
    /// never does.
    pub modulus_ul: u64,
    /// How often it is read, ns.
    pub every_ns: u64,
    /// Whether readings come when the meter tells them, and what it could not tell comes later, all at once. Of a register
    /// that is asked each reading is of now.
    pub tells_late: bool,
    /// Largest flow that the meter is made for, µL/h; see [`crate::EngineConfig::max_flow_ul_per_h`].
    pub max_flow_ul_per_h: u64,
    /// Thresholds over 1 s, 5 s and 30 s, m³/h; see [`crate::EngineConfig::thresholds_m3_per_h`].
    pub thresholds_m3_per_h: [f64; 3],
    /// The rules, by [`crate::Profile::rules`] or changed from there. What readings so far apart cannot see is
    /// left out, and [`crate::Sight`] names it.
    pub rules: Rules,
}

/// Why a register cannot be read like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadingsError {
    /// A register without a smallest step.
    Resolution,
    /// Readings without an interval.
    Interval,
    /// The register may turn over in an interval (so long, ns) without anybody noticing.
    Modulus {
        /// What it shows at most, µL.
        modulus_ul: u64,
        /// What can pass, µL.
        passes_ul: u64,
    },
}

impl fmt::Display for ReadingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Resolution => {
                write!(f, "a register that moves in steps of 0 L is never seen to move: set its resolution")
            }
            Self::Interval => {
                write!(f, "readings every 0 s say nothing about flow: set how often it is read")
            }
            Self::Modulus { modulus_ul, passes_ul } => write!(
                f,
                "a register that begins anew at {} may turn over unseen, because {} can pass between two readings: \
                 correct its number of digits, or read it more often",
                Litres(modulus_ul),
                Litres(passes_ul)
            ),
        }
    }
}

impl core::error::Error for ReadingsError {}

/// A register that can be read like that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckedReadings(ReadingsConfig);

impl core::ops::Deref for CheckedReadings {
    type Target = ReadingsConfig;

    fn deref(&self) -> &ReadingsConfig {
        &self.0
    }
}

impl ReadingsConfig {
    /// Volume of one virtual pulse, µL: the register's resolution, or a multiple of it (1, 2 or 5 times a power
    /// of ten) where a reading would bring more than a thousand. Finer quanta would only be slower: between two
    /// readings they are drawn at an even distance. Coarser ones would hide a leak of less than a quantum a day
    /// that the register shows.
    #[must_use]
    pub fn quantum_ul(&self) -> u64 {
        let passes = u128::from(self.max_flow_ul_per_h) * u128::from(self.every_ns) / 3_600_000_000_000;
        let enough =
            |times: &u64| u128::from(self.resolution_ul) * u128::from(*times) * u128::from(QUANTA) >= passes;
        let times = (0..18).flat_map(|e| [1, 2, 5].map(|m| m * 10u64.pow(e))).find(enough);
        self.resolution_ul.saturating_mul(times.unwrap_or(u64::MAX))
    }

    /// An interval that is longer than this has lost readings in it, ns: 2.5 times the usual one, and ten minutes at
    /// least.
    #[must_use]
    pub fn gap_ns(&self) -> u64 {
        ((self.every_ns as f64 * LATE) as u64).max(SHORT_NS)
    }

    /// What can pass within `span_ns` at a flow of `limit` m³/h, µL, with what the register shows late.
    pub(crate) fn passes_ul(&self, limit: f64, span_ns: u64) -> u64 {
        let ns = span_ns.saturating_add(STALE_NS.min(self.every_ns));
        (volume_ul(limit, ns) as u64).saturating_add(self.resolution_ul)
    }

    /// Itself, if it can be read like that.
    ///
    /// # Errors
    /// [`ReadingsError`] says what cannot be.
    pub fn checked(self) -> Result<CheckedReadings, ReadingsError> {
        self.check(limit(self.max_flow_ul_per_h, self.thresholds_m3_per_h))?;
        Ok(CheckedReadings(self))
    }

    /// Whether it can be read like that, with at most `limit` m³/h.
    fn check(&self, limit: f64) -> Result<(), ReadingsError> {
        if self.resolution_ul == 0 {
            return Err(ReadingsError::Resolution);
        }
        if self.every_ns == 0 {
            return Err(ReadingsError::Interval);
        }
        let passes_ul = self.passes_ul(limit, self.gap_ns());
        if self.modulus_ul > 0 && self.modulus_ul / 2 < passes_ul {
            return Err(ReadingsError::Modulus { modulus_ul: self.modulus_ul, passes_ul });
        }
        Ok(())
    }

    /// `rules` without those that would judge what was only drawn.
    pub(crate) fn served(&self, rules: Rules) -> Rules {
        let mut served = rules;
        if self.every_ns > SHARP_NS {
            // Both ask whether gas flows within two minutes.
            (served.low_pressure_kpa, served.seismic_gal) = (0.0, 0.0);
            let most = COMES_AND_GOES * m3_per_h(self.max_flow_ul_per_h);
            let below = |band: &&mut Band| f64::from(band.up_to_m3_per_h) <= most;
            served.use_time.iter_mut().filter(below).for_each(|band| band.seconds = f32::INFINITY);
        }
        if self.every_ns > HOURLY_NS {
            served.learns = false;
            served.never_zero_days = f32::INFINITY;
            served.use_time = [Band { up_to_m3_per_h: f32::INFINITY, seconds: f32::INFINITY }; BANDS];
        }
        served
    }
}

/// Shows ns as a person says them.
pub(crate) fn span(ns: u64) -> Span {
    Span(ns as f32 / SECOND_NS as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(resolution_ul: u64, every_s: u64) -> ReadingsConfig {
        ReadingsConfig {
            resolution_ul,
            modulus_ul: 100_000_000_000_000,
            every_ns: every_s * SECOND_NS,
            tells_late: false,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: crate::DEFAULT_THRESHOLDS_M3_PER_H,
            rules: crate::Profile::EuG4.rules(),
        }
    }

    #[test]
    fn a_quantum_is_the_resolution_until_a_reading_brings_too_many() {
        const L: u64 = 1_000_000;
        for (resolution, every_s, quantum) in [
            (L, 60, L),
            (10 * L, 3600, 10 * L),
            (L, 3600, 10 * L),
            (L, 900, 2 * L),
            (L / 1000, 60, L / 10),
            (L, 86_400, 200 * L),
        ] {
            let config = config(resolution, every_s);
            assert_eq!(config.quantum_ul(), quantum, "{resolution} µL each {every_s} s");
            let brings = 6000 * L * every_s / 3600 / quantum;
            assert!(brings <= QUANTA, "{brings}");
        }
        let odd = ReadingsConfig { max_flow_ul_per_h: u64::MAX, every_ns: u64::MAX, ..config(u64::MAX, 1) };
        assert_eq!(odd.quantum_ul(), u64::MAX);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(config(1_000_000, 60).check(20.0), Ok(()));
        assert_eq!(config(0, 60).check(20.0), Err(ReadingsError::Resolution));
        assert_eq!(config(1, 0).check(20.0), Err(ReadingsError::Interval));
        let small = ReadingsConfig { modulus_ul: 1_000_000_000, ..config(1_000_000, 3600) };
        let why = small.check(20.0).unwrap_err().to_string();
        assert!(why.starts_with("a register that begins anew at 1000 L may turn over unseen"), "{why}");
    }
}
