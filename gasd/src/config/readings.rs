// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's `readings`: how its register is read.

use gasd_detect::{CheckedReadings, ReadingsConfig, ReadingsError, Rules};

use super::filter::ranged;
use super::limits;
use super::report::Report;
use super::section::{Field, Section};
use super::sense::Sense;
use super::types::Thresholds;
use super::units;

pub(super) const KEYS: &[&str] = &["every", "resolution", "rollover"];
pub(super) const EXPECTED: &str =
    "a table like { every = \"1 min\", resolution = \"1 L\", rollover = \"100000 m3\" }";
const EVERY: &str = "how often the register is read, like \"1 min\"";
const RESOLUTION: &str = "the smallest step of the register, like \"1 L\"";
const ROLLOVER: &str = "the volume at which the register begins anew, like \"100000 m3\"";

/// How a register is read, before it is known what its meter is judged by.
pub(super) struct Draft<'a> {
    every_ns: Option<u64>,
    resolution_ul: Option<u64>,
    modulus_ul: Option<u64>,
    /// What is to blame when the register may turn over unseen.
    rollover: Option<Field<'a>>,
}

/// Reads `readings`; `None` where the report says why.
pub(super) fn read<'a>(report: &mut Report<'_>, field: &Field<'a>) -> Option<Draft<'a>> {
    let section: Section<'a> = field.section(report, EXPECTED, KEYS)?;
    let every_ns = section
        .required(report, "every", EVERY)
        .and_then(|f| ranged(report, &f, limits::READ_EVERY_NS, "how often a register is read"));
    let resolution_ul =
        section.required(report, "resolution", RESOLUTION).and_then(|f| volume(report, &f, RESOLUTION));
    let rollover = section.get("rollover");
    let modulus_ul = match &rollover {
        Some(f) => f.quantity(report, units::volume, ROLLOVER),
        None => Some(0),
    };
    Some(Draft { every_ns, resolution_ul, modulus_ul, rollover })
}

fn volume(report: &mut Report<'_>, field: &Field<'_>, expected: &'static str) -> Option<u64> {
    let ul = field.quantity(report, units::volume, expected)?;
    let most_ul = limits::MOST_RESOLUTION_UL;
    if ul > most_ul {
        field.senseless(report, Sense::Resolution { ul, most_ul });
        return None;
    }
    Some(ul)
}

impl Draft<'_> {
    /// The register of a meter that is judged by these; `tells_late`: of one that keeps what it could not tell.
    pub(super) fn finish(
        self,
        report: &mut Report<'_>,
        max_flow_ul_per_h: u64,
        thresholds: Thresholds,
        rules: Rules,
        tells_late: bool,
    ) -> Option<CheckedReadings> {
        let Thresholds { suspect_m3_per_h, confirm_m3_per_h, sustain_m3_per_h } = thresholds;
        let config = ReadingsConfig {
            resolution_ul: self.resolution_ul?,
            modulus_ul: self.modulus_ul?,
            every_ns: self.every_ns?,
            tells_late,
            max_flow_ul_per_h,
            thresholds_m3_per_h: [suspect_m3_per_h, confirm_m3_per_h, sustain_m3_per_h],
            rules,
        };
        match (config.checked(), self.rollover) {
            (Ok(checked), _) => Some(checked),
            (Err(ReadingsError::Modulus { modulus_ul, passes_ul }), Some(rollover)) => {
                rollover.senseless(report, Sense::Rollover { modulus_ul, passes_ul });
                None
            }
            // A register that never begins anew does not turn over, and the other two are more than zero.
            (Err(_), _) => None,
        }
    }
}
