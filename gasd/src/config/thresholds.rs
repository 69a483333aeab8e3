// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's `thresholds`: three flows, over 1 s, 5 s and 30 s.

use super::limits::{DEFAULT_THRESHOLDS_UL_PER_H, HOUSEHOLD_MAX_FLOW_UL_PER_H};
use super::report::Report;
use super::section::{Field, Section};
use super::sense::Sense;
use super::show::flow;
use super::types::Thresholds;

/// In the order of their windows, the shortest first.
pub(super) const KEYS: &[&str] = &["suspect", "confirm", "sustain"];
const NAMES: [&str; 3] = ["suspect", "confirm", "sustain"];
const EXPECTED: &str =
    "a table like { suspect = \"5.0 m3/h\", confirm = \"3.2 m3/h\", sustain = \"1.8 m3/h\" }";

/// Reads `thresholds` of a meter, whose `max_flow` is known or was bad.
pub(super) fn read(
    report: &mut Report<'_>,
    meter: &Section<'_>,
    max_flow_ul_per_h: Option<u64>,
) -> Option<Thresholds> {
    let field = meter.get("thresholds");
    if field.is_none()
        && let Some(max) = max_flow_ul_per_h.filter(|max| *max > HOUSEHOLD_MAX_FLOW_UL_PER_H)
    {
        report.warn(&meter.span, &household(&meter.label, max));
    }
    let section = match field {
        Some(field) => Some(field.section(report, EXPECTED, KEYS)?),
        None => None,
    };
    let fields = NAMES.map(|name| section.as_ref().and_then(|section| section.get(name)));
    let mut flows = [Some(0); 3];
    for (i, field) in fields.iter().enumerate() {
        flows[i] = match field {
            Some(field) => field.flow(report),
            None => Some(DEFAULT_THRESHOLDS_UL_PER_H[i]),
        };
    }
    let [Some(suspect), Some(confirm), Some(sustain)] = flows else {
        return None;
    };
    let flows = [suspect, confirm, sustain];
    check_order(report, &fields, &flows);
    // Where nobody set a threshold, it is the meter's flow that does not fit it.
    if let Some(max) = max_flow_ul_per_h {
        let blame = meter.get("max_flow");
        for ((name, at), field) in NAMES.into_iter().zip(flows).zip(&fields) {
            if at > max.saturating_mul(2)
                && let Some(blamed) = field.as_ref().or(blame.as_ref())
            {
                let why = Sense::ThresholdUnreachable {
                    name,
                    threshold_ul_per_h: at,
                    max_flow_ul_per_h: max,
                    is_default: field.is_none(),
                };
                blamed.senseless(report, why);
            }
        }
    }
    let m3 = |ul: u64| ul as f64 / 1e9;
    Some(Thresholds {
        suspect_m3_per_h: m3(suspect),
        confirm_m3_per_h: m3(confirm),
        sustain_m3_per_h: m3(sustain),
    })
}

/// A longer window must not have the higher threshold. Defaults are in order among themselves.
fn check_order(report: &mut Report<'_>, fields: &[Option<Field<'_>>; 3], flows: &[u64; 3]) {
    for (upper, lower) in [(0, 1), (1, 2)] {
        if flows[lower] > flows[upper]
            && let Some(blamed) = fields[lower].as_ref().or(fields[upper].as_ref())
        {
            let why = Sense::ThresholdOrder {
                lower: NAMES[lower],
                lower_ul_per_h: flows[lower],
                upper: NAMES[upper],
                upper_ul_per_h: flows[upper],
            };
            blamed.senseless(report, why);
        }
    }
}

fn household(meter: &str, max_flow_ul_per_h: u64) -> String {
    let [suspect, confirm, sustain] = DEFAULT_THRESHOLDS_UL_PER_H.map(flow);
    format!(
        "{meter}: max_flow {} is more than a household's, but the thresholds are a household's \
         ({suspect}, {confirm}, {sustain}): daily use will raise verdicts; set `thresholds`",
        flow(max_flow_ul_per_h),
    )
}
