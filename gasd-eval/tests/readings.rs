// SPDX-License-Identifier: MIT OR Apache-2.0
//! The study of readings is the same whatever does it, and its readers see the whole of what a meter counts.

use std::path::PathBuf;

use gasd_eval::readings::command::{Options, run};
use gasd_eval::readings::study::{Plan, SOURCES};

#[test]
fn figures_do_not_depend_on_the_number_of_threads() {
    let options = |jobs| Options {
        plan: Plan { seed: 5, years: 2, leaks: 1, lost: 0.01, jobs },
        recordings: PathBuf::from("/nonexistent"),
    };
    let once = run(&options(1)).unwrap();
    assert_eq!(once, run(&options(2)).unwrap());
    assert!(once.contains("Not read:"), "what is missing is said");
    for (source, _) in SOURCES {
        assert!(once.contains(&format!("| {source} |")), "{source}");
    }
}
