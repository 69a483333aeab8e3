// SPDX-License-Identifier: MIT OR Apache-2.0
//! However often people said that nothing was wrong, a real leak is found.

use std::sync::Arc;

use gasd_detect::{
    DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Profile, Said, Severity, Topic, Verdict,
};
use gasd_eval::household::Household;
use gasd_eval::household::calendar::{DAY_NS, HOUR_NS};
use gasd_eval::household::flow::Flow;
use gasd_eval::household::meter::Pulses;
use gasd_eval::leak::{Leak, Shape};
use gasd_eval::system::judge::Spec;

const LEARNED: u32 = 70;

fn engine(spec: &Spec) -> Engine {
    let mut engine = Engine::new(EngineConfig {
        pulse_volume_ul: spec.pulse_ul(),
        max_flow_ul_per_h: spec.max_ul_per_h(),
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: Profile::EuG4.rules(),
    });
    engine.set_civil_offset(spec.zone.at(0).0);
    engine
}

/// Plays everything up to `until_ns`, or to the first verdict that is `wanted`.
fn play<F: Flow>(
    engine: &mut Engine,
    pulses: &mut Pulses<F>,
    from_ns: u64,
    until_ns: u64,
    wanted: impl Fn(&Verdict) -> bool,
) -> Option<Verdict> {
    let mut now = from_ns;
    loop {
        let pulse = pulses.next_before(until_ns);
        let next = pulse.unwrap_or(until_ns);
        while engine.due_ns(now) < next {
            now = engine.due_ns(now);
            if let Some(verdict) = engine.tick(now).filter(&wanted) {
                return Some(verdict);
            }
        }
        let t_ns = pulse?;
        now = t_ns;
        if let Some(verdict) = engine.pulse(t_ns, t_ns).filter(&wanted) {
            return Some(verdict);
        }
    }
}

/// When a leak of `q` m³/h that begins at `at_ns` is found, by an engine that people never contradicted and by
/// one that they did as often as they liked: ns after it began.
fn found(seed: u64, q: f64, hour: u64, severity: Severity, within_ns: u64) -> [Option<u64>; 2] {
    let home = Arc::new(Household::with_meters(seed, [0.0, 1.0, 0.0]));
    let q = if q > 0.0 { q } else { (home.connected_m3_per_h(LEARNED) * 1.3).max(4.0) };
    let at_ns = home.calendar().start_ns(LEARNED) + hour * HOUR_NS;
    let (mut pulses, mut one) = (home.pulses(), engine(&Spec::of(&home)));
    play(&mut one, &mut pulses, 0, at_ns, |_| false);
    let mut other = one.clone();
    for topic in Topic::ALL {
        (0..20).for_each(|_| other.hear(topic, Said::FalseAlarm, at_ns));
    }
    assert!(other.heard().all(|heard| (heard.times - heard.topic.most()).abs() < 1e-3), "at the bounds");
    pulses.inject(Leak::new(at_ns, q, Shape::Constant));
    [one, other].map(|mut engine| {
        let grave = |v: &Verdict| v.severity >= severity && v.decided_ns > at_ns;
        let verdict = play(&mut engine, &mut pulses.clone(), at_ns, at_ns + within_ns, grave)?;
        Some(verdict.decided_ns - at_ns)
    })
}

#[test]
fn a_hose_is_found_as_soon_as_ever() {
    for seed in 1..=6 {
        let [proved, raised] = found(seed, 0.0, 20, Severity::Critical, HOUR_NS);
        println!("home {seed}: {proved:?} ns, raised {raised:?} ns");
        assert!(proved.is_some(), "home {seed}");
        // 88 L at 4 m³/h or more.
        assert!(raised.is_some_and(|ns| ns <= 79_200_000_000), "home {seed}: {raised:?}");
    }
}

#[test]
fn a_small_leak_is_found_within_days() {
    let mut both = 0;
    for seed in 1..=6 {
        let [proved, raised] = found(seed, 0.02, 12, Severity::Warning, 10 * DAY_NS);
        println!("home {seed}: {proved:?} ns, raised {raised:?} ns");
        if let Some(proved) = proved {
            assert!(raised.is_some_and(|ns| ns <= proved + 3 * DAY_NS), "home {seed}: {raised:?}");
            both += 1;
        }
    }
    assert!(both >= 3, "{both} of 6 homes can find it at all");
}
