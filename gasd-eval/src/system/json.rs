// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that was measured, for machines. What never happened is null.

use serde_json::{Value, json};

use super::class::Class;
use super::homes::Watched;
use super::judge::ALL;
use super::stats::garwood;
use super::trials::Tried;
use crate::detector::Level;

/// One group of homes: false alarms of every detector.
#[must_use]
pub fn false_alarms(watched: &[Watched]) -> Value {
    let years: f64 = watched.iter().filter(|w| w.counts).map(|w| f64::from(w.days)).sum::<f64>() / 365.25;
    let count = |d, level, learning| -> Value {
        let n = watched.iter().filter(|w| w.counts).map(|w| w.count(d, level, learning)).sum();
        let (low, high) = garwood(n);
        json!({ "alarms": n, "low": low, "high": high })
    };
    let detectors = ALL.iter().enumerate().map(|(d, (name, _))| {
        json!({
            "detector": name,
            "warnings": count(d, Level::Warning, false),
            "criticals": count(d, Level::Critical, false),
            "warnings_while_learning": count(d, Level::Warning, true),
            "criticals_while_learning": count(d, Level::Critical, true),
        })
    });
    let cries = watched.iter().flat_map(|w| {
        w.cries.iter().filter(|c| !c.learning).map(move |c| {
            json!({
                "detector": ALL[c.detector].0, "home": w.home, "seed": w.seed, "pulse_l": w.pulse_l,
                "t_s": c.alarm.t_ns / 1_000_000_000, "level": format!("{:?}", c.alarm.level).to_lowercase(),
                "kind": c.alarm.kind, "context": c.context,
            })
        })
    });
    json!({
        "meter_years": years,
        "homes": watched.len(),
        "detectors": detectors.collect::<Vec<_>>(),
        "alarms": cries.collect::<Vec<_>>(),
    })
}

/// Every trial.
#[must_use]
pub fn trials(tried: &[Tried]) -> Value {
    let number = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
    let one = |t: &Tried| {
        let outcomes = t.outcomes.iter().zip(ALL).map(|(o, (name, _))| {
            json!({
                "detector": name, "delay_s": number(o.delay_s), "litres": number(o.litres),
                "in_time": o.in_time, "critical": o.critical, "anyway": o.anyway,
                "kind": o.alarm.map(|a| a.kind),
            })
        });
        json!({
            "class": Class::ALL[t.class].name(), "home": t.home, "recorded": t.recorded, "seed": t.seed,
            "pulse_l": t.pulse_l, "m3_per_h": t.m3_per_h, "began_s": t.began_ns / 1_000_000_000,
            "outcomes": outcomes.collect::<Vec<_>>(),
            "possible_litres": t.bound.map(|o| number(o.litres)),
            "possible_delay_s": t.bound.map(|o| number(o.delay_s)),
        })
    };
    tried.iter().map(one).collect()
}
