// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hostile e1: a leak at a quiet hour of which a pulse is lost now and then.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::home::{CIVIL, L, learned};
use common::{SECOND, config, pulses, run};
use gasd_detect::{Engine, Profile};

#[test]
fn a_leak_is_told_though_a_pulse_of_it_is_lost_now_and_then() {
    let (home, start) = learned();
    let mut found = Vec::new();
    for flow in [0.15, 0.3, 0.457] {
        for every_min in [0u64, 60, 30, 20, 10] {
            let times = pulses(&[(7_260.0, 0.0), (3.0 * 3600.0, flow)], L, 0.0, start);
            let mut engine = home.clone();
            let mut said = Vec::new();
            let mut next = if every_min == 0 { u64::MAX } else { times[0] + 60 * SECOND };
            for t in &times {
                if *t >= next {
                    engine.missed(1, *t);
                    next += every_min * 60 * SECOND;
                    continue;
                }
                said.extend(run(&mut engine, &[*t], 0).iter().map(|v| (v.kind, (v.decided_ns - times[0]) / SECOND / 60)));
            }
            found.push(format!("{flow} m3/h, a pulse lost each {every_min} min: {said:?}"));
        }
    }
    println!("{found:#?}");
    assert!(found.iter().all(|found| found.contains("UnusualHour")), "{found:#?}");
}

/// gasd is killed again and again, each time with a state that is some minutes old.
#[test]
fn a_leak_is_told_though_gasd_is_killed_again_and_again() {
    let (home, start) = learned();
    let mut found = Vec::new();
    for flow in [0.15, 0.3, 0.457] {
        for every_min in [60u64, 20, 10, 5, 2] {
            let times = pulses(&[(7_260.0, 0.0), (3.0 * 3600.0, flow)], L, 0.0, start);
            let mut engine = home.clone();
            let mut said = Vec::new();
            let mut next = times[0] + 60 * SECOND;
            for t in &times {
                if *t >= next {
                    // In order: what it knows is stored.
                    let mut other = Engine::restore(config(L, Profile::EuG4), &engine.save()).unwrap();
                    other.clock_moved(0);
                    other.set_civil_offset(CIVIL);
                    engine = other;
                    next += every_min * 60 * SECOND;
                }
                said.extend(run(&mut engine, &[*t], 0).iter().map(|v| (v.kind, (v.decided_ns - times[0]) / SECOND / 60)));
            }
            found.push(format!("{flow} m3/h, restarted each {every_min} min: {said:?}"));
        }
    }
    println!("{found:#?}");
    assert!(found.iter().all(|found| found.contains("UnusualHour")), "{found:#?}");
}
