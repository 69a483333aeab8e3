// SPDX-License-Identifier: MIT OR Apache-2.0
//! Examples are the same whatever makes them, and hold what they say.
#![allow(clippy::unwrap_used, reason = "test code")]

use gasd_detect::learned::{FEATURES, HALF, NAMES};
use gasd_eval::learned::compare::{self, Variant, compare};
use gasd_eval::learned::examples::{COLUMNS, Plan, SETS, write};

fn rows(jobs: usize) -> (Vec<u8>, String) {
    let file = std::env::temp_dir().join(format!("gasd-examples-{}-{jobs}.f32", std::process::id()));
    let plan = Plan { homes: 3, days: 60, leaks: 1, jobs };
    let about = write(1, &plan, &[], &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    (bytes, about)
}

#[test]
fn examples_do_not_depend_on_the_number_of_threads() {
    let (once, about) = rows(1);
    assert_eq!((&once, &about), (&rows(2).0, &rows(2).1));
    let columns = COLUMNS.len() + FEATURES;
    assert_eq!(about.lines().nth(1).map(|names| names.split(' ').count()), Some(columns));
    assert!(about.ends_with(&format!("{}\n", NAMES[FEATURES - 1])));
    let values: Vec<f32> =
        once.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    assert!(values.len() > 10 * columns && values.len().is_multiple_of(columns));
    assert!(values.iter().all(|v| v.is_finite()));
    let column = |name: &str| COLUMNS.iter().position(|c| *c == name).unwrap();
    let (part, leak, since) = (column("part"), column("leak"), column("since_s"));
    let all = || values.chunks_exact(columns);
    assert!(all().any(|r| r[leak] > 0.0 && r[since] > 0.0 && r[part] >= HALF));
    assert!(all().filter(|r| r[leak] == 0.0).all(|r| r[since] == -1.0));
}

#[test]
fn sets_share_no_home() {
    for (i, (_, first)) in SETS.iter().enumerate() {
        assert!(*first >= 1_000_000, "the system's figures have the seeds below");
        for (_, other) in &SETS[..i] {
            assert!(first.abs_diff(*other) >= 1_000_000);
        }
    }
}

#[test]
fn a_model_that_is_not_heard_changes_nothing_and_half_of_everything_is_never_later() {
    let variants = vec![Variant::OFF, Variant { full: f32::INFINITY, scale: 1.0 }, Variant::blind(0.5)];
    let plan = compare::Plan { seed: SETS[1].1, homes: 2, leaks: 1, jobs: 2, variants };
    for home in compare(&plan) {
        assert_eq!(home.cries[0], home.cries[1]);
        assert!(home.cries[2] >= home.cries[0]);
        assert!(!home.leaks.is_empty());
        for leak in home.leaks {
            assert_eq!(leak.litres[0], leak.litres[1]);
        }
    }
}
