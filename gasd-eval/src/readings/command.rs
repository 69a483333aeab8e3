// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval readings`.

use std::path::PathBuf;

use super::study::{Plan, RESOLUTIONS, SOURCES, leak, watch};
use super::{polled, recorded, report};
use crate::household::calendar::SECOND_NS;
use crate::household::zone::Zone;
use crate::system::homes::LEARNING_DAYS;
use crate::system::judge::Spec;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Homes, leaks and losses.
    pub plan: Plan,
    /// The recordings are in this folder.
    pub recordings: PathBuf,
}

/// Runs it; the section in Markdown.
///
/// # Errors
/// A register that cannot be read.
pub fn run(options: &Options) -> Result<String, String> {
    let plan = &options.plan;
    let mut out = format!(
        "# Readings instead of pulses\n\nThe same homes and leaks for the pulses of a meter and for readings of its \
         register (8 digits of a litre, {} % of the readings lost, first home {}): false alarms of a year after \
         {LEARNING_DAYS} days of learning, and what is found. A verdict counts from the reading that brought it.\n\n\
         ## What each shows\n\n",
        plan.lost * 100.0,
        plan.seed,
    );
    for (resolution_l, _) in RESOLUTIONS {
        let spec = Spec { pulse_l: resolution_l, max_m3_per_h: 6.0, zone: Zone::Fixed(0) };
        for (_, every_s) in SOURCES {
            let sight = if every_s == 0 {
                gasd_detect::Sight::of_pulses(spec.pulse_ul())
            } else {
                gasd_detect::Sight::of_readings(&polled::config(&spec, every_s * SECOND_NS))
            };
            out.push_str(&format!("- {sight}.\n"));
        }
    }
    out.push_str("\n## False alarms\n\nExact 95 % intervals (Garwood). IDEAL: its hours as readings, nothing made up within.\n\n");
    out.push_str(report::ALARMS);
    let mut leaks = String::new();
    for (resolution_l, meters) in RESOLUTIONS {
        report::alarms(&mut out, resolution_l, &watch(plan, meters).map_err(|why| why.to_string())?);
        let tried = leak(plan, meters).map_err(|why| why.to_string())?;
        leaks.push_str(&report::leaks(resolution_l, &tried));
    }
    match recorded::hear(&options.recordings) {
        Ok(heard) => report::recorded(&mut out, &heard),
        Err(why) => {
            eprintln!("SKIPPED: {why}");
            out.push_str(&format!("\nNot read: {why}\n"));
        }
    }
    out.push('\n');
    out.push_str(&leaks);
    Ok(out)
}
