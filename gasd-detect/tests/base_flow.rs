// SPDX-License-Identifier: MIT OR Apache-2.0
//! A leak too small for anything but the longest gap: found while nobody is at home, and found again after a rise that was
//! none.

mod common;

use common::home::{L, days, learned};
use common::{SECOND, pulses, run};
use gasd_detect::{Engine, Rule, Verdict};

const DAY: u64 = 86_400 * SECOND;
/// 20 L/h, m³/h.
const LEAK: f64 = 0.02;

/// Plays this flow from the midnight `from_ns` on; the first that was said of a base flow, in days since then.
fn told(engine: &mut Engine, flow: &[(f64, f64)], from_ns: u64) -> Option<u64> {
    let said: Vec<Verdict> = run(engine, &pulses(flow, L, 0.0, from_ns), 0);
    let of_base = said.iter().find(|verdict| verdict.evidence.rule == Rule::LongestGap);
    of_base.map(|verdict| (verdict.decided_ns - from_ns) / DAY)
}

#[test]
fn a_leak_that_begins_while_nobody_is_at_home_is_held_against_days_on_which_somebody_was() {
    let (mut engine, at_ns) = learned();
    // No day of this home was ever without a use.
    let found = told(&mut engine, &[(7.0 * 86_400.0, LEAK)], at_ns);
    assert!(found.is_some_and(|days| days <= 2), "{found:?}");
}

#[test]
fn a_rise_that_rested_hides_no_leak_and_is_not_told_each_night() {
    let (mut engine, at_ns) = learned();
    let found = told(&mut engine, &days(3, LEAK), at_ns);
    assert!(found.is_some_and(|days| days <= 1), "{found:?}");
    // It rests, and comes again for another night or two within the week.
    assert_eq!(told(&mut engine, &days(1, 0.0), at_ns + 3 * DAY), None);
    assert_eq!(told(&mut engine, &days(1, LEAK), at_ns + 4 * DAY), None);
    // A leak, weeks later and long before the 90 days after which the same is said again.
    assert_eq!(told(&mut engine, &days(16, 0.0), at_ns + 5 * DAY), None);
    let found = told(&mut engine, &days(14, LEAK), at_ns + 21 * DAY);
    assert!(found.is_some_and(|days| days <= 7), "{found:?}");
}

#[test]
fn a_rise_that_never_rests_is_told_once() {
    let (mut engine, at_ns) = learned();
    assert!(told(&mut engine, &days(3, LEAK), at_ns).is_some());
    assert_eq!(told(&mut engine, &days(60, LEAK), at_ns + 3 * DAY), None);
}
