// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which rules cry in homes where nothing leaks, by home and by what was going on.
use gasd_eval::system::homes::{Plan, watch};
use std::collections::BTreeMap;
fn main() {
    let homes = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(40);
    let seed = std::env::args().nth(2).and_then(|a| a.parse().ok()).unwrap_or(1);
    let watched = watch(&Plan { seed, homes, days: 365, jobs: 2 });
    let mut by: BTreeMap<(bool, &str, String), (u32, std::collections::BTreeSet<u64>)> = BTreeMap::new();
    for w in &watched {
        for c in w.cries.iter().filter(|c| c.detector == 0) {
            let e = by.entry((c.learning, c.alarm.kind, format!("{:?}", c.alarm.level))).or_default();
            e.0 += 1;
            e.1.insert(w.seed);
            if std::env::var("KIND").is_ok_and(|k| k == c.alarm.kind) {
                println!(
                    "home {} {:?} v {} day {:.3} {} {}",
                    w.seed,
                    w.home,
                    w.pulse_l,
                    c.alarm.t_ns as f64 / 8.64e13,
                    c.alarm.kind,
                    c.context
                );
            }
        }
    }
    for ((learning, kind, level), (n, seeds)) in by {
        println!("learning {learning} {level} {kind}: {n} in {} homes", seeds.len());
    }
}
