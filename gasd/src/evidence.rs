// SPDX-License-Identifier: MIT OR Apache-2.0
//! A verdict's evidence as JSON: the same object in a replay, in the store and on the bus.

use gasd_detect::{Evidence, Slope};
use serde_json::{Value, json};

/// The rule that fired, the slopes it rests on, and what the pulse volume can resolve.
#[must_use]
pub fn evidence_json(evidence: &Evidence) -> Value {
    json!({
        "rule": evidence.rule.name(),
        "slopes": evidence.slopes.iter().map(slope_json).collect::<Vec<_>>(),
        "pulse_volume_ul": evidence.pulse_volume_ul,
        "finest_resolved_s": seconds(evidence.finest_resolved_ns),
    })
}

fn slope_json(slope: &Slope) -> Value {
    json!({
        "window_s": seconds(slope.window_ns),
        "span_s": seconds(slope.span_ns),
        "m3_per_h": rounded(slope.m3_per_h),
        "threshold_m3_per_h": slope.threshold_m3_per_h,
        "intervals": slope.intervals,
        "resolved": slope.resolved,
    })
}

/// Milliseconds are more than the pulses tell.
fn seconds(ns: u64) -> f64 {
    (ns / 1_000_000) as f64 / 1_000.0
}

/// A thousandth of a m³/h, a litre an hour, is more than the slopes tell.
fn rounded(m3_per_h: f64) -> f64 {
    (m3_per_h * 1_000.0).round() / 1_000.0
}
