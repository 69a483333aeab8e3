// SPDX-License-Identifier: MIT OR Apache-2.0
//! What gasd says in one home where nothing leaks: `say SEED [DAYS]`.
use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Profile, Severity, sentence};
use gasd_eval::{household::Household, system::judge::Spec};
use std::sync::Arc;
fn main() {
    let arg = |n: usize| std::env::args().nth(n).and_then(|a| a.parse::<u64>().ok());
    let home = Arc::new(Household::new(arg(1).unwrap_or(1)));
    let spec = Spec::of(&home);
    let mut engine = Engine::new(EngineConfig {
        pulse_volume_ul: spec.pulse_ul(),
        max_flow_ul_per_h: spec.max_ul_per_h(),
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: Profile::EuG4.rules(),
    });
    engine.set_civil_offset(spec.civil_offset_ns);
    println!("home {:?} v {} L max {}", home.home_type(), spec.pulse_l, spec.max_m3_per_h);
    let until = arg(2).unwrap_or(395) * 86_400_000_000_000;
    let mut now = 0;
    let say = |v: Option<gasd_detect::Verdict>| {
        if let Some(v) = v.filter(|v| v.severity >= Severity::Warning) {
            println!(
                "day {:.3}: {:?} {}",
                v.decided_ns as f64 / 8.64e13,
                v.evidence.on.map(|o| o.m3_per_h),
                sentence("m", &v)
            );
        }
    };
    for t in home.pulses_between(0, until) {
        if t > until {
            break;
        }
        loop {
            let due = engine.due_ns(now);
            if due >= t {
                break;
            }
            now = due;
            say(engine.tick(now));
        }
        now = t;
        say(engine.pulse(t, t));
    }
    println!("{:?}", engine.envelope_m3_per_h());
}
