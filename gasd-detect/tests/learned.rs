// SPDX-License-Identifier: MIT OR Apache-2.0
//! The learned model is what its provenance says, computes what it was trained to, and only ever shortens what a rule
//! waits for.

mod common;
#[path = "common/sha256.rs"]
mod sha256;

use common::{SECOND, cases};
use gasd_detect::learned::{
    Advice, Cell, FEATURES, Features, HALF, Learned, MOST_HIDDEN, Model, ModelError, SHIPPED, State, WEIGHTS,
};
use gasd_detect::{DEFAULT_THRESHOLDS_M3_PER_H, Engine, EngineConfig, Kind, Profile, Verdict};
use proptest::prelude::*;

const PROVENANCE: &str = include_str!("../src/learned/model.txt");
const REFERENCE: &str = include_str!("../src/learned/reference.txt");

#[test]
fn the_weights_are_those_that_the_provenance_names() {
    let hash = sha256::hex(WEIGHTS);
    assert!(PROVENANCE.contains(&format!("sha256 of model.bin: {hash}\n")), "model.bin is {hash}");
}

#[test]
fn the_cell_computes_what_the_script_does() {
    let mut state = State::default();
    let (mut steps, mut rounded, mut spread) = (0, 0.0f32, (f32::INFINITY, f32::NEG_INFINITY));
    for line in REFERENCE.lines().filter(|line| !line.starts_with('#')) {
        let numbers: Vec<f32> = line.split(' ').map(|n| n.parse().unwrap()).collect();
        let (features, logits) = numbers.split_first_chunk::<FEATURES>().unwrap();
        let logit = SHIPPED.step(features, &mut state);
        // The same weights in double precision, and those before they were rounded to 8 bits.
        assert!((logit - logits[0]).abs() < 1e-3, "step {steps}: {logit}, script {}", logits[0]);
        rounded = rounded.max((logit - logits[1]).abs());
        spread = (spread.0.min(logit), spread.1.max(logit));
        steps += 1;
    }
    assert!(steps >= 40 && spread.1 - spread.0 > 0.5, "{steps} steps from {} to {}", spread.0, spread.1);
    assert!(rounded < 0.25, "8 bits cost {rounded}");
}

#[test]
fn what_is_no_model_is_refused_with_the_reason() {
    let changed = |at: usize, to: u8| {
        let mut bytes = WEIGHTS.to_vec();
        bytes[at] = to;
        bytes
    };
    let why = |bytes: &[u8]| Model::parse(bytes).unwrap_err();
    assert_eq!(why(b""), ModelError::NotAModel);
    assert_eq!(why(&changed(0, b'x')), ModelError::NotAModel);
    assert_eq!(why(&changed(4, 9)), ModelError::Version(9));
    assert_eq!(why(&changed(5, 7)), ModelError::Cell(7));
    assert_eq!(why(&changed(6, 3)), ModelError::Features(3));
    assert_eq!(why(&changed(7, 0)), ModelError::Hidden(0));
    assert_eq!(why(&changed(7, MOST_HIDDEN as u8 + 1)), ModelError::Hidden(MOST_HIDDEN as u8 + 1));
    let n = WEIGHTS.len();
    assert_eq!(why(&WEIGHTS[..n - 1]), ModelError::Length(n - 1, n));
    assert!(why(&WEIGHTS[..n - 1]).to_string().contains("cut short"));
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_bytes_and_no_numbers_make_it_panic(
        header in 1u8..=2,
        hidden in 1u8..=MOST_HIDDEN as u8,
        bytes in prop::collection::vec(any::<u8>(), 0..12_000),
        x in prop::array::uniform21(any::<f32>()),
    ) {
        let _ = Model::parse(&bytes);
        // The length that it asks for, whatever is inside.
        let mut all = [b"gasM".as_slice(), &[1, header, FEATURES as u8, hidden], &bytes].concat();
        if let Err(ModelError::Length(_, needs)) = Model::parse(&all) {
            all.resize(needs, 0x3c);
        }
        let model = Model::parse(&all).unwrap();
        prop_assert_eq!(model.cell, if header == 1 { Cell::Gru } else { Cell::Lstm });
        let mut state = State::default();
        for _ in 0..3 {
            let logit = model.step(&x, &mut state);
            let _ = model.log_e(logit);
        }
    }

    #[test]
    fn what_is_shipped_says_a_number_whatever_happens(
        all in prop::collection::vec(prop::array::uniform21(-4.0f32..4.0), 1..60),
    ) {
        let mut state = State::default();
        for x in all {
            let features: Features = x;
            let logit = SHIPPED.step(&features, &mut state);
            prop_assert!(logit.is_finite());
            let log_e = SHIPPED.log_e(logit);
            prop_assert!(log_e.is_finite() && log_e <= SHIPPED.most_log_e());
            prop_assert!(SHIPPED.log_e(logit + 0.1) >= log_e);
        }
        prop_assert!(state.parts().0.iter().all(|h| h.abs() <= 1.0));
    }
}

fn engine(learned_model: Learned) -> Engine {
    let mut engine = Engine::new(EngineConfig {
        pulse_volume_ul: 1_000_000,
        max_flow_ul_per_h: 6_000_000_000,
        thresholds_m3_per_h: DEFAULT_THRESHOLDS_M3_PER_H,
        rules: gasd_detect::Rules { learned_model, ..Profile::EuG4.rules() },
    });
    // A Monday at midnight.
    engine.set_civil_offset(1_704_067_200 * SECOND as i64);
    engine
}

/// Pulses of 1 L: `uses` a day from 17:00 on of so many minutes at 0.3 m³/h, for `days`; then one that does not end, from an
/// hour of the day on.
fn home(days: u64, uses: u64, minutes: u64, hour: u64, flow: f64) -> Vec<u64> {
    let mut times = Vec::new();
    for day in 0..days {
        for use_ in 0..uses {
            let begin = (day * 24 + 17 + use_) * 3600;
            // Not all of the same length.
            let longer = (day * 7 + use_ * 3) % 5;
            times.extend((0..(minutes + longer) * 5).map(|i| (begin + 12 * i) * SECOND));
        }
    }
    let begin = (days * 24 + hour) * 3600 * SECOND;
    let every = (0.001 / flow * 3600.0 * SECOND as f64) as u64;
    times.extend((0..10 * 3600 * SECOND / every).map(|i| begin + i * every));
    times
}

/// The first verdict about a use, and all others.
fn first(learned: Learned, times: &[u64]) -> (Option<u64>, Vec<Verdict>) {
    let mut engine = engine(learned);
    let (mut found, mut others) = (None, Vec::new());
    for &t in times {
        let verdict = engine.pulse(t, t);
        match verdict {
            Some(v) if matches!(v.kind, Kind::LongUse | Kind::UnusualHour) => found = found.or(Some(t)),
            other => others.extend(other),
        }
    }
    (found, others)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_verdict_comes_with_the_rule_or_between_its_half_and_itself(
        minutes in 8u64..40,
        uses in 1u64..4,
        hour in 0u64..24,
        flow in 0.1f64..2.0,
        full in 1.5f32..50.0,
    ) {
        let times = home(45, uses, minutes, hour, flow);
        let (rule, others) = first(Learned::Off, &times);
        let (unheard, same) = first(Learned::Advise(Advice { full: f32::INFINITY, scale: 1.0 }), &times);
        prop_assert_eq!(unheard, rule);
        prop_assert_eq!(same, others);
        let (half, _) = first(Learned::Advise(Advice { full: f32::INFINITY, scale: HALF }), &times);
        let (advised, _) = first(Learned::Advise(Advice { full, scale: 1.0 }), &times);
        let at = |t: Option<u64>| t.unwrap_or(u64::MAX);
        prop_assert!(rule.is_some(), "a use of ten hours is told");
        prop_assert!(at(half) <= at(advised) && at(advised) <= at(rule), "{half:?} {advised:?} {rule:?}");
    }
}
