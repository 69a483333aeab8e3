// SPDX-License-Identifier: MIT OR Apache-2.0
//! A simulation in the engine thread: a meter that is judged like the real one and counts nothing.

use std::sync::Arc;

use gasd_abi::{
    FilterState,
    records::{EVENT_PULSE, Event},
};
use gasd_detect::Verdict;
use serde_json::{Value, json};

use crate::config::MeterConfig;
use crate::pipeline::latency::Latencies;
use crate::pipeline::meter::MeterRun;
use crate::state::{SimulationState, VerdictRecord};
use crate::store::Base;

/// A meter that is judged like the real one and counts nothing.
pub struct Shadow {
    run: MeterRun,
    /// Whether its verdicts close the real valve.
    pub valve: bool,
    pulse_volume_ul: u64,
    /// The line's count when the simulation began.
    counted_before: u64,
    /// The line's time at the trace's first row, ns.
    pub base_ns: u64,
    /// When the trace means to be noticed, ns from its first row.
    onset_ns: u64,
    latencies: Arc<Latencies>,
}

impl Shadow {
    /// A shadow of `meter` on line `line` of the filter, which is at `before` now.
    #[must_use]
    pub fn new(
        meter: &MeterConfig,
        line: u32,
        before: &FilterState,
        (base_ns, onset_ns): (u64, u64),
        valve: bool,
        latencies: Arc<Latencies>,
    ) -> Shadow {
        let mut run = MeterRun::new(meter, line, Base::default());
        // Its time is what the player says.
        run.simulated = true;
        Shadow {
            run,
            valve,
            pulse_volume_ul: meter.pulse_volume_ul,
            counted_before: before.accepted,
            base_ns,
            onset_ns,
            latencies,
        }
    }

    /// Knows the home that the real meter knows, so that what is told is what would be.
    pub fn learn_from(&mut self, real: &MeterRun) {
        self.run.learn_from(real, self.base_ns);
    }

    /// The meter whose shadow it is.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.run.id
    }

    /// The meter that is judged.
    #[must_use]
    pub fn run(&self) -> &MeterRun {
        &self.run
    }

    /// The line of the filter.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.run.line
    }

    /// An event of the line.
    pub fn event(&mut self, event: &Event, now_ns: u64) -> Option<Verdict> {
        if event.kind == EVENT_PULSE {
            self.latencies.arrived(event, true, now_ns);
        }
        self.run.event(event)
    }

    /// How long after the moment that the trace means to be noticed a verdict was decided, ns; 0 for
    /// one that came before it.
    #[must_use]
    pub fn after_ns(&self, decided_ns: u64) -> u64 {
        decided_ns.saturating_sub(self.base_ns + self.onset_ns)
    }

    /// Writes what may be seen.
    pub fn show(&self, line: &FilterState, shown: &mut SimulationState) {
        let state = self.run.state([0, 0], &gasd_abi::Totals::default(), "");
        shown.pulses = line.accepted.saturating_sub(self.counted_before);
        shown.volume_ul = shown.pulses.saturating_mul(self.pulse_volume_ul);
        shown.flow_m3_per_h = state.flow_m3_per_h;
        let measured = self.latencies.pulse.quantiles();
        shown.latency_ns = [measured.p50_ns, measured.p99_ns, measured.max_ns];
    }
}

/// Marks a record as made by a simulation: in its evidence, and in words, wherever they are read.
pub fn mark(record: &mut VerdictRecord) {
    let mut evidence: Value = serde_json::from_str(&record.evidence_json).unwrap_or_default();
    match &mut evidence {
        Value::Object(map) => drop(map.insert("simulated".to_owned(), json!(true))),
        other => *other = json!({ "simulated": true }),
    }
    record.evidence_json = evidence.to_string();
    // The advice is a sentence's last clause, and nobody shall leave the house for a test.
    let what = record.text.rsplit_once("; ").map_or(record.text.as_str(), |(what, _advice)| what);
    record.text = format!("SIMULATION, no gas flowed: {}.", what.trim_end_matches('.'));
}

#[cfg(test)]
mod tests {
    use gasd_abi::records::EVENT_TICK;
    use gasd_detect::{Said, Topic};

    use super::*;

    #[test]
    fn a_shadow_knows_what_its_meter_has_learned_and_leaves_it_alone() {
        const S: u64 = 1_000_000_000;
        let text = "[[meter]]\nid = \"k\"\nline = 1\npulse_volume = \"10 L\"\n";
        let config = crate::config::parse("t.toml", text).unwrap().meters.remove(0);
        let mut real = MeterRun::new(&config, 0, Base::default());
        real.set_civil(1_790_000_000 * S.cast_signed());
        // Six weeks with an hour of 1.8 m³/h a day.
        let mut seq = 0;
        for day in 1..=42_u64 {
            for pulse in 0..180 {
                seq += 1;
                let t_ns = (day * 86_400 + 36_000 + pulse * 20) * S;
                real.event(&Event { kind: EVENT_PULSE, seq, t_ns, decided_ns: t_ns, ..Event::default() });
            }
        }
        real.hear(Topic::Overload, Said::FalseAlarm, 0);
        let known = |run: &MeterRun| run.state([0, 0], &gasd_abi::Totals::default(), "");
        let before = known(&real);
        assert_eq!(before.phase, "watching");

        let times = (5 * S, 0);
        let mut shadow =
            Shadow::new(&config, 9, &FilterState::default(), times, false, Arc::new(Latencies::default()));
        assert_eq!(known(shadow.run()).phase, "learning");
        shadow.learn_from(&real);
        let tick = Event { kind: EVENT_TICK, t_ns: 6 * S, decided_ns: 6 * S, ..Event::default() };
        assert_eq!(shadow.event(&tick, 0), None, "what is under way there is not under way here");
        let now = known(shadow.run());
        assert_eq!((&now.phase, &now.heard), (&before.phase, &before.heard));
        assert_eq!(now.days_learned.to_bits(), before.days_learned.to_bits());
        assert_eq!(now.envelope_m3_per_h.to_bits(), before.envelope_m3_per_h.to_bits());
        // 4 m³/h: no meter of its size minds, this home does.
        let found = (1..40_u64).find_map(|n| {
            let t_ns = 10 * S + n * 9 * S;
            shadow.event(&Event { kind: EVENT_PULSE, seq: n, t_ns, decided_ns: t_ns, ..Event::default() }, 0)
        });
        assert_eq!(found.map(|verdict| verdict.kind), Some(gasd_detect::Kind::Overload));
        assert_eq!(known(&real), before, "and the real one knows nothing of it");
    }

    #[test]
    fn the_mark_is_in_the_evidence_and_in_the_words_and_stays_in_a_record() {
        let mut record = VerdictRecord {
            id: 0,
            meter: "k".into(),
            kind: "surge".into(),
            severity: "critical".into(),
            t_ns: 1,
            decided_ns: 2,
            unix_us: 3,
            evidence_json: "{\"rule\":\"x\"}".into(),
            text: "gas flow rose".into(),
            acknowledged_by: None,
        };
        assert!(!record.simulated());
        mark(&mut record);
        assert!(record.simulated());
        assert_eq!(record.evidence_json, "{\"rule\":\"x\",\"simulated\":true}");
        assert!(record.text.starts_with("SIMULATION"));
        record.evidence_json = "broken".into();
        mark(&mut record);
        assert!(record.simulated());
    }
}
