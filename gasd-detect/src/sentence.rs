// SPDX-License-Identifier: MIT OR Apache-2.0
//! A verdict in one sentence for a person: what, with which numbers, and what to do.

use crate::units::{Flow, Litres, Seconds, Span};
use crate::verdict::{Kind, Rule, Slope, Verdict};

/// `v` about the meter named `meter` in one sentence with its flows (m³/h), thresholds and advice.
/// Allocates; for logs, the bus and messages, never on the pulse path.
#[must_use]
pub fn sentence(meter: &str, v: &Verdict) -> String {
    let [short, middle, long] = v.evidence.slopes.map(said);
    let after = Seconds(v.decided_ns.saturating_sub(v.t_ns));
    let pulse = Litres(v.evidence.pulse_volume_ul);
    let advice = match v.kind {
        Kind::Surge | Kind::SustainedFlow => {
            "keep the valve closed, air the rooms, touch no switch and no flame, leave and call the gas \
             emergency service, and open again only after the pipes and appliances were checked"
        }
        Kind::TransientFlow if v.evidence.rule == Rule::Unconfirmed5s => {
            "nothing needs to be done now, but have the appliances looked at if it comes again"
        }
        Kind::TransientFlow => {
            "the verdict on the rise stands, so find out what let the gas flow before the valve is opened"
        }
        Kind::ImplausibleRate if v.evidence.rule == Rule::RegisterLeapt => {
            "check the configured unit and resolution of the register and how it is read, and read the meter's dial"
        }
        Kind::ReverseFlow => {
            "say so if the meter was exchanged, otherwise check which way it is mounted and how it is read, and read \
             its dial"
        }
        Kind::ImplausibleRate => {
            "check the configured pulse volume, the wiring and shielding of the pulse line, and read \
             the meter's dial, because the counted total may be too high"
        }
        Kind::Overload
        | Kind::FlowAfterOpening
        | Kind::FlowWhileClosed
        | Kind::LowPressure
        | Kind::Earthquake
        | Kind::GasAlarm => {
            "keep the valve closed, air the rooms, touch no switch and no flame, leave and call the gas \
             emergency service, and open again only after the pipes and appliances were checked"
        }
        Kind::LongUse | Kind::UnusualHour => {
            "see whether something was left on, and if nobody is using gas or it smells of gas, close the valve \
             and call the gas emergency service"
        }
        Kind::BaseFlow | Kind::NeverZero => {
            "shut all appliances and see whether the meter stands still, and have the pipes checked if it does not"
        }
        Kind::SilentMeter => "use some gas and see whether the meter counts it, and check the contact if not",
        Kind::EdgeStorm => {
            "check the contact, the wiring and the shielding of the pulse line, and compare the total \
             with the meter's dial"
        }
    };
    match v.kind {
        Kind::Surge => format!(
            "Meter {meter}: gas flow rose suddenly: {short}, confirmed by {middle} ({long}), decided {after} \
             after it began with pulses of {pulse}; {advice}."
        ),
        Kind::SustainedFlow => format!(
            "Meter {meter}: gas still flows {after} after a sudden rise: {long} (now {short}, {middle}); \
             {advice}."
        ),
        Kind::TransientFlow if v.evidence.rule == Rule::Unconfirmed5s => format!(
            "Meter {meter}: a short rise of the gas flow that began {after} ago did not go on: {long} \
             ({short}, {middle}); {advice}."
        ),
        Kind::TransientFlow => format!(
            "Meter {meter}: the gas flow that rose suddenly {after} ago has ended: {long} ({short}, \
             {middle}); {advice}."
        ),
        Kind::ImplausibleRate if v.evidence.rule == Rule::RegisterLeapt => format!(
            "Meter {meter}: the register went on by {} in {after}, {} m3/h, and no more than {} m3/h can flow, so this \
             is a fault of the sensor and no gas; {advice}.",
            Litres(v.evidence.released_ul),
            Flow(f64::from(v.evidence.process.value)),
            Flow(f64::from(v.evidence.process.threshold))
        ),
        Kind::ReverseFlow => format!(
            "Meter {meter}: the register went back by {} within {after}, which is no rollover, so this is a fault of the \
             sensor and no gas, and it counts from there; {advice}.",
            Litres(whole_litres(v.evidence.process.value))
        ),
        Kind::ImplausibleRate => format!(
            "Meter {meter}: pulses of {pulse} come faster than the meter can turn, since {after}; credited \
             with what it could pass they make {short}, {middle}, {long}; {advice}."
        ),
        Kind::Overload
        | Kind::LongUse
        | Kind::UnusualHour
        | Kind::BaseFlow
        | Kind::NeverZero
        | Kind::SilentMeter
        | Kind::FlowAfterOpening
        | Kind::FlowWhileClosed
        | Kind::LowPressure
        | Kind::Earthquake
        | Kind::GasAlarm => format!("Meter {meter}: {}; {advice}.", found(v)),
        Kind::EdgeStorm => format!(
            "Meter {meter}: more edges than the line's storm limit, since {after}, flow {short}, {middle}, \
             {long}; {advice}."
        ),
    }
}

/// µL to the litre, from a hundred litres on.
fn whole_litres(ul: f32) -> u64 {
    let ul = ul as u64;
    if ul < 100_000_000 { ul } else { ul.saturating_add(500_000) / 1_000_000 * 1_000_000 }
}

/// What the home does not explain, with the numbers that decided.
fn found(v: &Verdict) -> String {
    let e = &v.evidence;
    let flow = |m3: f32| Flow(f64::from(m3));
    let litres = Litres(e.released_ul / 100_000 * 100_000);
    let lasts = Span(e.process.value);
    let allowed = Span(e.process.threshold);
    match (v.kind, e.rule) {
        (Kind::Overload, Rule::TotalFlow) => format!(
            "{} m3/h flow, more than the {} m3/h up to which this meter may be used, {litres} since it rose",
            flow(e.after.mid),
            flow(e.before.high)
        ),
        (Kind::Overload, Rule::SuddenIncrease) => format!(
            "the flow rose at once from {} to {} m3/h, more than an appliance takes (limit {} m3/h)",
            flow(e.before.mid),
            flow(e.after.mid),
            flow(e.process.threshold)
        ),
        (Kind::Overload, _) => format!(
            "{} m3/h flow, more than all appliances of this home take together ({} m3/h with a margin), {litres} \
             since it rose",
            flow(e.after.mid),
            flow(e.before.high)
        ),
        (Kind::LongUse, Rule::ApplianceTime) => format!(
            "something that takes {} m3/h is on for {lasts}, and such an appliance may be on for {allowed} here, \
             {litres} so far",
            flow(e.after.mid)
        ),
        (Kind::LongUse, _) => format!(
            "the flow has not been below {} m3/h for {lasts}, and such a flow may last for {allowed}, {litres} at \
             least",
            flow(e.after.low)
        ),
        (Kind::UnusualHour, _) => format!(
            "{litres} of gas have passed at an hour at which this home hardly ever uses any, at {} m3/h",
            flow(e.after.mid)
        ),
        (Kind::BaseFlow, _) => format!(
            "about {} m3/h flow even when nobody uses gas, before it were {} or less, as if something leaks",
            flow(e.after.mid),
            flow(e.before.mid)
        ),
        // Known from the gaps between pulses, where the rest was missed within a day.
        (Kind::NeverZero, _) if e.after.low == 0.0 && e.after.high > 0.0 => format!(
            "the gas has not rested for {lasts}, in this home it rests within {allowed}, as if up to {} m3/h leaked",
            flow(e.after.high)
        ),
        (Kind::NeverZero, _) => {
            format!("the gas has not rested for {lasts}, in this home it rests within {allowed}")
        }
        (Kind::SilentMeter, _) => {
            format!("no gas was counted for {lasts}, the longest pause should be {allowed}")
        }
        (Kind::FlowAfterOpening, _) => "gas flows right after the valve was opened".into(),
        (Kind::FlowWhileClosed, _) => "gas flows though the valve is closed".into(),
        (Kind::LowPressure, _) => "the gas pressure is too low while gas flows".into(),
        (Kind::Earthquake, _) => "gas flows after an earthquake".into(),
        _ => "a gas detector gives alarm".into(),
    }
}

/// `8 m3/h over 1 s (threshold 5)`, with the true span where the pulses are too coarse.
fn said(s: Slope) -> String {
    let window = Seconds(s.window_ns);
    let threshold = Flow(s.threshold_m3_per_h);
    if s.span_ns == 0 {
        return format!("unknown flow over {window} (threshold {threshold} m3/h)");
    }
    let flow = Flow(s.m3_per_h);
    if s.span_ns == s.window_ns {
        format!("{flow} m3/h over {window} (threshold {threshold})")
    } else {
        let span = Seconds(s.span_ns);
        format!("{flow} m3/h over {window} judged from {span} of pulses (threshold {threshold})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Estimate, Evidence, Process, Rule, Severity,
    };

    fn verdict(kind: Kind) -> Verdict {
        let mut engine = Engine::new(EngineConfig {
            pulse_volume_ul: 10_000_000,
            max_flow_ul_per_h: 6_000_000_000,
            thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
            rules: crate::Profile::default().rules(),
        });
        for t in [0, 1000, 1004, 1008, 1012] {
            engine.pulse(t * 1_000_000_000, t * 1_000_000_000);
        }
        Verdict {
            kind,
            severity: Severity::Critical,
            t_ns: 1_000_000_000_000,
            decided_ns: 1_012_000_000_000,
            evidence: engine.evidence(Rule::Confirmed5s, 1_012_000_000_000),
        }
    }

    #[test]
    fn a_surge_names_numbers_thresholds_and_what_to_do() {
        let said = sentence("kitchen", &verdict(Kind::Surge));
        assert!(
            said.starts_with(
                "Meter kitchen: gas flow rose suddenly: 9 m3/h over 1 s judged from 4 s of pulses \
                 (threshold 5), confirmed by 9 m3/h over 5 s (threshold 3.2)"
            ),
            "{said}"
        );
        assert!(said.contains("decided 12 s after it began with pulses of 10 L"), "{said}");
        assert!(said.contains("keep the valve closed"), "{said}");
    }

    #[test]
    fn a_long_use_says_how_long_it_may_be() {
        let mut long = verdict(Kind::LongUse);
        long.evidence.after = Estimate { low: 0.25, mid: 0.3, high: 0.45 };
        long.evidence.process = Process { value: 10_800.0, threshold: 9000.0, unit: "s" };
        long.evidence.released_ul = 600_000_000;
        let said = |rule| {
            let evidence = Evidence { rule, ..long.evidence };
            sentence("hall", &Verdict { evidence, ..long })
        };
        let begins = |rule, with: &str| assert!(said(rule).starts_with(with), "{}", said(rule));
        begins(
            Rule::ApplianceTime,
            "Meter hall: something that takes 0.3 m3/h is on for 3 h, and such an appliance may be on for 2.5 h here, \
             600 L so far; see whether",
        );
        begins(
            Rule::UseTime,
            "Meter hall: the flow has not been below 0.25 m3/h for 3 h, and such a flow may last for 2.5 h, 600 L at \
             least; see whether",
        );
    }

    #[test]
    fn every_kind_is_one_sentence() {
        for kind in crate::KINDS {
            let said = sentence("m", &verdict(kind));
            assert!(said.ends_with('.') && !said.contains(". "), "{said}");
        }
    }
}
