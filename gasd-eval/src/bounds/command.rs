// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval bounds`.

use super::report;
use super::study::{Plan, look};

/// Looks at the homes; the section in Markdown.
#[must_use]
pub fn run(plan: &Plan) -> String {
    report::markdown(plan, &look(plan))
}
