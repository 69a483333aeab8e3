// SPDX-License-Identifier: MIT OR Apache-2.0
//! A home that an engine has learned.

use super::{SECOND, config, pulses, run};
use gasd_detect::{Engine, EngineConfig, Profile, Rules};

pub const L: u64 = 1_000_000;
pub const DAY_S: f64 = 86_400.0;
/// Midnight of some day.
pub const CIVIL: i64 = 20_000 * 86_400 * SECOND as i64;

/// An engine with pulses of a litre that knows the hour.
pub fn engine(profile: Profile) -> Engine {
    by(profile.rules())
}

fn by(rules: Rules) -> Engine {
    let mut engine = Engine::new(EngineConfig { rules, ..config(L, Profile::EuG4) });
    engine.set_civil_offset(CIVIL);
    engine
}

/// A home that was learned for forty days: a shower at seven and a supper at six.
pub fn learned() -> (Engine, u64) {
    learned_by(Profile::EuG4.rules())
}

/// The same by other rules.
pub fn learned_by(rules: Rules) -> (Engine, u64) {
    let mut engine = by(rules);
    let said = run(&mut engine, &pulses(&days(40, 0.0), L, 0.0, 0), 0);
    assert_eq!(said, [], "an ordinary home");
    (engine, 40 * DAY_S as u64 * SECOND)
}

/// So many days, with a leak of so much, m³/h.
pub fn days(n: u32, leak: f64) -> Vec<(f64, f64)> {
    let day =
        |i: u32| [(25_200.0, 0.0), (600.0 + f64::from(i % 5) * 60.0, 1.5), (39_000.0, 0.0), (2400.0, 0.3)];
    let mut flow = Vec::new();
    for i in 0..n {
        let uses = day(i);
        let rest = DAY_S - uses.iter().map(|u| u.0).sum::<f64>();
        flow.extend(uses);
        flow.push((rest, 0.0));
    }
    flow.iter_mut().for_each(|part| part.1 += leak);
    flow
}
