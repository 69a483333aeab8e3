// SPDX-License-Identifier: MIT OR Apache-2.0
//! A verdict in words. What this gasctl does not know it leaves out or calls by its name: a newer service
//! must still be understood.

use gasd_proxy::Verdict;
use serde_json::Value;

use super::curve::{number, span};
use crate::units::{clock, date, volume};

/// A verdict in words.
pub(super) struct Words {
    /// What was found.
    pub(super) what: String,
    /// When it began, Unix time in µs.
    pub(super) began_unix_us: u64,
    /// A name and a sentence each.
    pub(super) facts: Vec<(String, String)>,
    /// What to do; empty if the service gave no advice.
    pub(super) advice: String,
}

/// Kinds as a person says them.
const KINDS: &[(&str, &str)] = &[
    ("surge", "the gas flow rose suddenly"),
    ("sustained-flow", "a high gas flow goes on"),
    ("transient-flow", "a high gas flow was over by itself"),
    ("implausible-rate", "more than the meter can pass"),
    ("edge-storm", "the pulse line chatters"),
    ("overload", "more gas than this home uses"),
    ("long-use", "gas has been flowing for too long"),
    ("unusual-hour", "gas at an unusual hour"),
    ("base-flow", "gas flows when nobody uses any"),
    ("never-zero", "the gas has not rested for longer than is usual"),
    ("silent-meter", "the meter is silent"),
    ("flow-after-opening", "gas flows right after the valve was opened"),
    ("flow-while-closed", "gas flows though the valve is closed"),
    ("low-pressure", "low pressure while gas flows"),
    ("earthquake", "gas flows after an earthquake"),
    ("gas-alarm", "a gas detector gives alarm"),
    ("reverse-flow", "the meter's register went back"),
];

/// Rules as a person says them, and whether their number is of an e-detector: seconds that one would have to
/// wait, on average, to see as much by chance.
const RULES: &[(&str, &str, bool)] = &[
    ("suspected-1s-confirmed-5s", "the flow over 1 s and then over 5 s was above its threshold", false),
    ("sustained-30s", "the flow over 30 s is above its threshold", false),
    ("transient-30s", "the flow over 30 s fell below its threshold", false),
    ("suspected-1s-unconfirmed-5s", "the flow over 5 s did not confirm that over 1 s", false),
    ("above-physical-limit", "pulses came faster than the meter can make them", false),
    ("storm-limit", "more edges a second than the line's storm limit", false),
    ("total-flow", "more than the meter may pass (rules.total_flow)", true),
    ("connected-load", "more than the home's appliances take together", true),
    ("sudden-increase", "one step up by more than an appliance takes (rules.increase)", false),
    ("use-time", "longer than such a flow may last (rules.use_time)", false),
    ("appliance-time", "longer than a flow at this rate may stay here", false),
    ("quiet-hour", "more than a person at the stove burns, at a quiet hour", false),
    ("longest-gap", "the longest pauses between pulses became shorter", true),
    ("no-rest", "no pause for longer than this home goes without one (rules.never_zero)", false),
    ("restore-check", "pulses soon after the valve was opened (rules.restore_check)", false),
    ("valve-closed", "pulses while the valve is closed (rules.while_closed)", false),
    ("pressure", "pressure below rules.low_pressure while gas flows", false),
    ("seismic", "an earthquake above rules.seismic while gas flows", false),
    ("alarm-link", "the alarm lasted for rules.alarm_link", false),
    ("silence", "no pulse for longer than rules.silence", false),
    ("register-leapt", "the register went further than gas can pass", false),
    ("register-fell", "the register went back, and it was no rollover", false),
];

impl Words {
    /// The words for a verdict.
    pub(super) fn of(verdict: &Verdict) -> Words {
        let known = KINDS.iter().find(|(name, _)| *name == verdict.kind);
        let what = known.map_or_else(|| verdict.kind.clone(), |(_, what)| (*what).to_owned());
        let unix_us = |t_ns: u64| {
            let before_us = verdict.decided_ns.saturating_sub(t_ns) / 1_000;
            verdict.unix_us.saturating_sub(before_us)
        };
        let e = &verdict.evidence;
        let mut facts = Vec::new();
        let mut fact = |name: &str, text: String| facts.push((name.to_owned(), text));
        let began_unix_us = unix_us(verdict.t_ns);
        let took = span(verdict.decided_ns.saturating_sub(verdict.t_ns));
        fact("began", format!("{}, decided {took} later at {}", date(began_unix_us), clock(verdict.unix_us)));
        if let Some(text) = flow(e) {
            fact("flow", text);
        }
        if let Some(ul) = e["released_ul"].as_u64().filter(|ul| *ul > 0) {
            fact("released", format!("{} beyond what flowed before", volume(ul).trim_end()));
        }
        if let Some(rule) = e["rule"].as_str() {
            fact("decided by", decided(rule, e));
        }
        if let Some(text) = windows(e) {
            fact("windows", text);
        }
        if let Some(text) = on(e, unix_us) {
            fact("on", text);
        }
        if let Some(text) = resolution(e) {
            fact("meter", text);
        }
        let advice = verdict.text.rsplit_once("; ").map_or("", |(_, advice)| advice);
        let advice = if verdict.simulated { "" } else { advice };
        let mut letters = advice.chars();
        let advice = letters
            .next()
            .map_or_else(String::new, |first| format!("What to do: {first}{}", letters.as_str()));
        Words { what, began_unix_us, facts, advice }
    }
}

fn flow(e: &Value) -> Option<String> {
    let of = |key: &str, part: &str| e[key][part].as_f64();
    let after = of("after_m3_per_h", "mid").filter(|mid| *mid > 0.0)?;
    let (low, high) = (of("after_m3_per_h", "low")?, of("after_m3_per_h", "high")?);
    let mut text = format!("{} m³/h ({} to {})", number(after), number(low), number(high));
    if let Some(before) = of("before_m3_per_h", "high").filter(|high| *high > 0.0) {
        let mid = of("before_m3_per_h", "mid").unwrap_or(0.0);
        text += &if mid > 0.0 {
            format!(", before it {} m³/h", number(mid))
        } else {
            format!(", before it at most {} m³/h", number(before))
        };
    }
    Some(text)
}

/// Why, and which number against which threshold.
fn decided(rule: &str, e: &Value) -> String {
    let known = RULES.iter().find(|(name, ..)| *name == rule);
    let why = known.map_or("a rule that this gasctl does not know", |(_, why, _)| *why);
    let detector = known.is_some_and(|(.., detector)| *detector);
    let process = &e["process"];
    let (value, threshold) = (process["value"].as_f64(), process["threshold"].as_f64());
    let time =
        |s: Option<f64>| s.map_or_else(|| "more than 1000 years".to_owned(), |s| span((s * 1e9) as u64));
    let numbers = match process["unit"].as_str() {
        Some("s") if detector => format!(
            ": by chance such a run of pulses comes once in {}, and once in {} is enough",
            time(value),
            time(threshold)
        ),
        Some("s") => format!(": {} against {}", time(value), time(threshold)),
        Some("uL") => format!(
            ": {} against {}",
            volume(value.unwrap_or(0.0) as u64).trim_end(),
            volume(threshold.unwrap_or(0.0) as u64).trim_end()
        ),
        Some("m3/h") => format!(
            ": {} m³/h against {} m³/h",
            number(value.unwrap_or(0.0)),
            number(threshold.unwrap_or(0.0))
        ),
        Some(unit) => format!(
            ": {} {unit} against {} {unit}",
            number(value.unwrap_or(0.0)),
            number(threshold.unwrap_or(0.0))
        ),
        None => String::new(),
    };
    format!("{rule}, {why}{numbers}")
}

fn windows(e: &Value) -> Option<String> {
    let known = |slope: &Value| {
        let (window, flow) = (slope["window_s"].as_f64()?, slope["m3_per_h"].as_f64()?);
        let threshold = slope["threshold_m3_per_h"].as_f64()?;
        let seen = slope["span_s"].as_f64()? > 0.0;
        seen.then(|| {
            format!("{} m³/h over {} s (threshold {})", number(flow), number(window), number(threshold))
        })
    };
    let parts: Vec<String> = e["slopes"].as_array()?.iter().filter_map(known).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn on(e: &Value, unix_us: impl Fn(u64) -> u64) -> Option<String> {
    let known = |on: &Value| {
        let (flow, since_ns) = (on["m3_per_h"].as_f64()?, on["since_ns"].as_u64()?);
        Some(format!("something of {} m³/h since {}", number(flow), clock(unix_us(since_ns))))
    };
    let parts: Vec<String> = e["on"].as_array()?.iter().filter_map(known).collect();
    Some(if parts.is_empty() { "nothing was believed to be on".to_owned() } else { parts.join(", ") })
}

fn resolution(e: &Value) -> Option<String> {
    let pulse = volume(e["pulse_volume_ul"].as_u64()?);
    let finest = e["finest_resolved_s"].as_f64().filter(|s| *s > 0.0);
    let text = format!("pulses of {}", pulse.trim_end());
    Some(match finest {
        Some(s) => format!("{text}, which resolve a threshold within {} s at the earliest", number(s)),
        None => format!("{text}, too coarse for any of the three windows"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::verdict;
    use super::*;

    fn fact<'a>(words: &'a Words, name: &str) -> &'a str {
        words.facts.iter().find(|(found, _)| found == name).map_or("", |(_, text)| text)
    }

    #[test]
    fn the_numbers_are_told_with_what_they_mean() {
        let words = Words::of(&verdict());
        assert_eq!(words.what, "more gas than this home uses");
        assert_eq!(words.began_unix_us, 1_699_999_996_000_000);
        assert!(fact(&words, "began").contains("decided 4.0 s later"));
        assert_eq!(fact(&words, "flow"), "7.2 m³/h (6.84 to 7.56), before it at most 2.9 m³/h");
        assert_eq!(fact(&words, "released"), "8.000 L beyond what flowed before");
        assert_eq!(
            fact(&words, "decided by"),
            "connected-load, more than the home's appliances take together: by chance such a run of pulses comes \
             once in 130 years, and once in 10 years is enough"
        );
        assert!(fact(&words, "on").starts_with("something of 1.8 m³/h since "));
        assert_eq!(words.advice, "What to do: keep the valve closed, air the rooms.");
    }

    #[test]
    fn what_is_not_known_is_called_by_its_name() {
        let mut verdict = verdict();
        verdict.kind = "frost".into();
        verdict.evidence =
            serde_json::json!({ "rule": "ice", "process": { "value": 3.5, "threshold": 2, "unit": "K" } });
        let words = Words::of(&verdict);
        assert_eq!(words.what, "frost");
        assert_eq!(
            fact(&words, "decided by"),
            "ice, a rule that this gasctl does not know: 3.5 K against 2 K"
        );
        verdict.evidence = Value::Null;
        assert_eq!(Words::of(&verdict).facts.len(), 1);
    }

    #[test]
    fn every_kind_and_rule_of_this_gasd_has_words() {
        let kinds: Vec<&str> = gasd_detect::KINDS.iter().map(|kind| kind.name()).collect();
        assert_eq!(KINDS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), kinds);
    }
}
