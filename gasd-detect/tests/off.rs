// SPDX-License-Identifier: MIT OR Apache-2.0
//! A rule that is off says nothing, whatever was learned.

mod common;

use common::home::{L, learned_by};
use common::{SECOND, pulses, run};
use gasd_detect::{Profile, Rule, Rules};

/// Rules by which a home of 1.5 m³/h judges one step to 4 m³/h.
fn rules_of(increase_times: f32) -> Vec<Rule> {
    let (mut engine, at_ns) = learned_by(Rules { increase_times, ..Profile::EuG4.rules() });
    let times = pulses(&[(25_200.0, 0.0), (60.0, 4.0)], L, 0.0, at_ns);
    run(&mut engine, &times, 60).iter().map(|v| v.evidence.rule).collect()
}

#[test]
fn a_step_larger_than_any_before_is_told_unless_the_rule_is_off() {
    let european = Profile::EuG4.rules().increase_times;
    for on in [european, 1.4] {
        assert!(rules_of(on).contains(&Rule::SuddenIncrease), "{on} times the largest flow");
    }
    let off = rules_of(0.0);
    assert!(!off.contains(&Rule::SuddenIncrease), "{off:?}");
    assert!(off.contains(&Rule::ConnectedLoad), "the flow is above the home's all the same: {off:?}");
}

#[test]
fn what_no_profile_learns_needs_a_factor() {
    for profile in Profile::ALL {
        let rules = profile.rules();
        assert!(rules.learns || rules.increase_times.is_finite(), "{profile:?}");
    }
    let hose = |increase_times| {
        let mut engine = common::home::engine(Profile::JpMicom);
        engine.set_rules(Rules { increase_times, ..Profile::JpMicom.rules() });
        let said = run(&mut engine, &pulses(&[(600.0, 0.5), (60.0, 9.5)], L, 0.0, SECOND), 60);
        said.iter().any(|v| v.evidence.rule == Rule::SuddenIncrease)
    };
    assert!(hose(1.4) && !hose(0.0) && !hose(f32::INFINITY));
}
