// SPDX-License-Identifier: MIT OR Apache-2.0
//! A verdict's evidence as JSON: the same object in a replay, in the store and on the bus.

use gasd_detect::{Estimate, Evidence, Slope};
use serde_json::{Value, json};

/// The rule that fired, the slopes it rests on, what the pulse volume can resolve, the flow before and after
/// it began, what decided, what has passed and what was believed to be on.
#[must_use]
pub fn evidence_json(evidence: &Evidence) -> Value {
    let mut object = json!({
        "rule": evidence.rule.name(),
        "slopes": evidence.slopes.iter().map(slope_json).collect::<Vec<_>>(),
        "pulse_volume_ul": evidence.pulse_volume_ul,
        "finest_resolved_s": seconds(evidence.finest_resolved_ns),
        "before_m3_per_h": estimate_json(evidence.before),
        "after_m3_per_h": estimate_json(evidence.after),
        "released_ul": evidence.released_ul,
        "on": evidence
            .on
            .iter()
            .filter(|on| on.m3_per_h > 0.0)
            .map(|on| json!({ "m3_per_h": fine(on.m3_per_h), "since_ns": on.since_ns }))
            .collect::<Vec<_>>(),
    });
    let process = evidence.process;
    // A rule that compares nothing has no number.
    if !process.unit.is_empty() {
        object["process"] = json!({
            "value": fine(process.value),
            "threshold": fine(process.threshold),
            "unit": process.unit,
        });
    }
    object
}

/// A flow and what it lies between, m³/h.
fn estimate_json(estimate: Estimate) -> Value {
    json!({ "low": fine(estimate.low), "mid": fine(estimate.mid), "high": fine(estimate.high) })
}

/// Points of a flow, `[t_ns, m3_per_h]` each, oldest first: the mean from the point before.
#[must_use]
pub fn flow_json(points: impl Iterator<Item = (u64, f32)>) -> Value {
    points.map(|(t_ns, flow)| json!([t_ns, fine(flow)])).collect()
}

/// A tenth of a litre an hour; base flows are of a few.
fn fine(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
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

#[cfg(test)]
mod tests {
    use gasd_detect::{Believed, DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Process, Profile};

    use super::*;

    #[test]
    fn every_number_has_its_unit_beside_it() {
        let mut engine = Engine::new(EngineConfig {
            pulse_volume_ul: 1_000_000,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: Profile::default().rules(),
        });
        let surge = (0..20).find_map(|i| engine.pulse(i * 400_000_000, i * 400_000_000)).unwrap();
        let mut evidence = surge.evidence;
        assert_eq!(evidence_json(&evidence)["process"]["unit"], "m3/h");
        evidence.process = Process::default();
        assert!(evidence_json(&evidence).get("process").is_none(), "a number without a unit is none");
        evidence.process = Process { value: 1.5, threshold: 2.0, unit: "m3/h" };
        evidence.before = Estimate { low: 0.0, mid: 0.005, high: 0.01 };
        evidence.on[0] = Believed { m3_per_h: 1.25, since_ns: 7 };
        evidence.released_ul = 5_000_000;
        let json = evidence_json(&evidence);
        assert_eq!(json["process"], json!({ "value": 1.5, "threshold": 2.0, "unit": "m3/h" }));
        assert_eq!(json["before_m3_per_h"], json!({ "low": 0.0, "mid": 0.005, "high": 0.01 }));
        assert_eq!(json["on"], json!([{ "m3_per_h": 1.25, "since_ns": 7 }]));
        assert_eq!(json["released_ul"], 5_000_000);
        evidence.process.value = f32::INFINITY;
        assert_eq!(evidence_json(&evidence)["process"]["value"], Value::Null);
    }

    #[test]
    fn a_flow_is_a_list_of_points() {
        assert_eq!(flow_json([(5, 0.25), (9, 1.0)].into_iter()), json!([[5, 0.25], [9, 1.0]]));
    }
}
