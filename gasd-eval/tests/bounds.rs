// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bounds are the same whatever counts them.

use gasd_eval::bounds::command::run;
use gasd_eval::bounds::study::Plan;

#[test]
fn bounds_do_not_depend_on_the_number_of_threads() {
    let plan = |jobs| Plan { seed: 3, homes: 3, days: 40, jobs };
    let once = run(&plan(1));
    assert_eq!(once, run(&plan(2)));
    assert_eq!(once.matches("\n## ").count(), 5, "what follows, and a section for each goal");
}
