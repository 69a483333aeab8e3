// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter that is exchanged for another, as an engine fed with pulses sees it: nobody tells it. One of the same pulse
//! volume is an hour without gas, a contact that is moved and a mechanism that stands elsewhere; one of another volume
//! gets another engine.

mod common;

use common::home::{L, days, learned};
use common::{SECOND, config, pulses, run};
use gasd_detect::{Engine, Input, Phase, Profile, Severity, StateError};

const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

#[test]
fn a_meter_of_the_same_pulses_goes_on_where_the_old_one_was() {
    for (valve, phase) in [(false, 0.1), (true, 0.5), (true, 0.95)] {
        let (mut engine, at_ns) = learned();
        let known = (engine.days_learned(), engine.envelope_m3_per_h());
        // Somebody is in the shower at seven when the gas is shut.
        let mut said = run(&mut engine, &pulses(&[(25_200.0, 0.0), (300.0, 1.5)], L, 0.0, at_ns), 0);
        let shut_ns = at_ns + 7 * HOUR + 300 * SECOND;
        let moved = |open| Input::Valve(open);
        said.extend(valve.then(|| engine.input(moved(false), shut_ns)).flatten());
        // The contact is taken off the old meter and put to the new one.
        let strays = [shut_ns + 600 * SECOND, shut_ns + 600 * SECOND + SECOND / 5];
        said.extend(run(&mut engine, &strays, 1800));
        let open_ns = shut_ns + 2500 * SECOND;
        said.extend(valve.then(|| engine.input(moved(true), open_ns)).flatten());
        // Air is let out, the heater lit and tried; then the days are as they were.
        let tried = [(60.0, 1.0), (300.0, 0.0), (600.0, 1.5), (600.0, 0.0)];
        said.extend(run(&mut engine, &pulses(&tried, L, phase, open_ns + 60 * SECOND), 0));
        said.extend(run(&mut engine, &pulses(&days(3, 0.0), L, phase, at_ns + DAY), 0));
        assert_eq!(said, [], "valve {valve}, the new meter at {phase} of a pulse");
        assert_eq!(engine.phase(at_ns + 4 * DAY), Phase::Watching);
        assert!(engine.days_learned() > known.0 && engine.envelope_m3_per_h() >= known.1);
        // And it watches: a hose beside a burner.
        let hose = pulses(&[(60.0, 0.3), (60.0, 8.0)], L, phase, at_ns + 4 * DAY);
        let said = run(&mut engine, &hose, 60);
        assert!(said.iter().any(|v| v.severity == Severity::Critical), "{said:?}");
    }
}

#[test]
fn a_meter_of_other_pulses_learns_the_home_anew() {
    let (engine, at_ns) = learned();
    let other = config(10 * L, Profile::EuG4);
    let why =
        Engine::restore(other, &engine.save()).expect_err("flows that were reckoned with a litre a pulse");
    assert_eq!(why, StateError::PulseVolume(L));
    assert_eq!(why.to_string(), "it was learned with pulses of 1 L");
    let mut new = Engine::new(other);
    assert_eq!(run(&mut new, &pulses(&days(1, 0.0), 10 * L, 0.3, at_ns), 0), []);
    assert_eq!(new.phase(at_ns + DAY), Phase::Learning);
    let hose = pulses(&[(60.0, 0.3), (90.0, 8.0)], 10 * L, 0.3, at_ns + DAY);
    assert!(run(&mut new, &hose, 60).iter().any(|v| v.severity == Severity::Critical));
}
