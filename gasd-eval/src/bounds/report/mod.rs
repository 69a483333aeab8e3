// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section in Markdown.

mod burners;
mod quiet;
mod rests;

use super::study::{LEARN_DAYS, Plan, Seen};

/// False warnings a meter-year that a rule may have: a quarter of what all rules together may have, half, and all.
const BUDGETS: [f64; 3] = [0.25, 0.5, 1.0];

/// A section, and what follows from it as items of a list.
struct Section {
    tables: String,
    so: String,
}

/// All of it.
pub fn markdown(plan: &Plan, seen: &[Seen]) -> String {
    let sections = [burners::section(plan, seen), quiet::section(plan, seen), rests::section(seen)];
    let so: Vec<&str> = sections.iter().map(|s| s.so.as_str()).collect();
    let tables: Vec<&str> = sections.iter().map(|s| s.tables.as_str()).collect();
    format!(
        "# What sound homes allow\n\n\
         Goals for whole homes are not met ([system.md](system.md)). This asks what one who knew more than a \
         meter can tell would have to cry in sound homes to meet them: no detector runs, all is counted from what the \
         generator burns in {} homes (first seed {}), {} days of each after {LEARN_DAYS} of learning. What is said \
         here holds for generated homes. Rates a meter-year have exact 95 % intervals (Garwood), shares Wilson's (as if \
         a home's leaks had nothing to do with each other). Of one false warning a meter-year all rules together may \
         have, a rule that takes more than half leaves little to the others.\n\n\
         ## In short\n\n{}\n{}",
        plan.homes,
        plan.seed,
        plan.days,
        so.concat(),
        tables.join("\n"),
    )
}

/// What it means for a goal that it costs so many false warnings a meter-year; `None` for more than there are rules for.
fn judged(costs: Option<f64>) -> &'static str {
    match costs {
        Some(costs) if costs <= BUDGETS[1] => {
            "this leaves room for other rules, so sound homes do not forbid the goal and it excuses nothing"
        }
        Some(costs) if costs <= BUDGETS[2] => {
            "this is most of what all rules together may cry, so the goal is met only at the cost of the others"
        }
        _ => "this is more than all rules together may cry, so sound homes forbid the goal to such rules",
    }
}

/// Meter-years after learning.
fn years(plan: &Plan, homes: usize) -> f64 {
    homes as f64 * f64::from(plan.days) / 365.25
}

/// "1 % with 0.25, 2 % with 0.5" of the shares that go with [`BUDGETS`].
fn with_budgets(shares: &[f64; BUDGETS.len()]) -> String {
    let each = BUDGETS.iter().zip(shares).map(|(budget, share)| format!("{} with {budget}", percent(*share)));
    each.collect::<Vec<_>>().join(", ")
}

/// A share without an interval, %.
fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
