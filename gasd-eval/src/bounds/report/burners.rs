// SPDX-License-Identifier: MIT OR Apache-2.0
//! Forgotten burners.

use std::fmt::Write;

use super::{BUDGETS, Section, judged, percent, with_budgets, years};
use crate::bounds::budget::{Came, Watched, any, best, cheapest, choosing, knowing, raised};
use crate::bounds::study::{LEARN_DAYS, LEARNED_DAYS, Plan, Seen};
use crate::bounds::timing::{Below, Policy};
use crate::household::calendar::{DAY_NS, HOUR_NS};
use crate::system::class::Class;
use crate::system::report::{rate, share, short};

/// The family whose rules are in order.
const RAISED: &str = "the factor alone";

/// Who watches, and what a rule may choose from.
struct Watcher {
    sees: &'static str,
    /// By taps, or by rates.
    taps: bool,
    families: Vec<(&'static str, Vec<Policy>)>,
}

fn watchers() -> [Watcher; 3] {
    [
        Watcher {
            sees: "taps",
            taps: true,
            families: vec![(RAISED, raised()), ("1.5 ×, and of whom to speak", choosing())],
        },
        Watcher {
            sees: "taps and habits",
            taps: true,
            families: vec![("1.5 ×, and how rare it must be", knowing())],
        },
        Watcher {
            sees: "rates",
            taps: false,
            families: vec![(RAISED, raised()), ("factor, least time, and of what to speak", any())],
        },
    ]
}

fn together<'a>(all: impl Iterator<Item = &'a Watched>) -> Watched {
    let mut sum = Watched::default();
    for one in all {
        sum.records.extend(&one.records);
        sum.forgotten.extend(&one.forgotten);
    }
    sum
}

/// Both tables.
pub fn section(plan: &Plan, seen: &[Seen]) -> Section {
    let years = years(plan, seen.len());
    let watched = [together(seen.iter().map(|s| &s.knobs)), together(seen.iter().map(|s| &s.rates))];
    let mut out = String::from("## A forgotten burner, by 1.5 times its longest use so far\n\n");
    as_asked(&mut out, plan, years, &watched);
    out.push_str(
        "\nThe best rule of each family that keeps within so many false warnings over the year after 60 days of \
         learning. It is chosen by these very homes, which flatters it, and a family that is not here may do better. \
         *Told*: forgotten burners told by 1.5 times their longest use, at any time of that year, and, by the rule \
         that is best for those, in the month after learning, when whole homes are tried. *Habits*: how often \
         a year this burner really outlasts 1.5 times its longest, from six other years of it. *What the goal needs* \
         is the rule with the fewest false warnings that meets it at any time.\n\n\
         | sees | may choose | allowed a meter-year | the best rule | false warnings | told, any time | best for the first month |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let goal = Class::Forgotten.share().unwrap_or(1.0);
    let mut verdicts = String::new();
    for watcher in &watchers() {
        let watched = &watched[usize::from(!watcher.taps)];
        let mut fewest: Option<u64> = None;
        let mut most = [0.0_f64; BUDGETS.len()];
        let mut most_early = most;
        let plain = Policy::plain(1.0);
        let (n, n_early) = (watched.told(&plain, false).1, watched.told(&plain, true).1);
        for (family, policies) in &watcher.families {
            let tried = watched.tried(policies, ns(LEARN_DAYS), ns(LEARN_DAYS + plan.days));
            let mut line = |allowed: &str, came: Option<Came>, early: Option<Came>| {
                let _ = write!(out, "| {} | {family} | {allowed} |", watcher.sees);
                let Some(came) = came else {
                    out.push_str(" none | – | – | – |\n");
                    return;
                };
                let _ = writeln!(
                    out,
                    " {} | {} | {} | {} |",
                    said(&came.policy),
                    rate(came.warnings, years),
                    share(came.told, n),
                    early.map_or("–".into(), |c| share(c.told_early, n_early)),
                );
            };
            for (i, budget) in BUDGETS.iter().enumerate() {
                // A factor that is raised further tells no more.
                let first = || tried.iter().find(|c| c.warnings as f64 <= budget * years).copied();
                let choose = |told: fn(&Came) -> usize| {
                    if *family == RAISED { first() } else { best(&tried, budget * years, told) }
                };
                let (any_time, early) = (choose(|c| c.told), choose(|c| c.told_early));
                line(&short(*budget), any_time, early);
                most[i] = most[i].max(any_time.map_or(0.0, |c| c.told as f64 / n.max(1) as f64));
                let told_early = early.map_or(0.0, |c| c.told_early as f64 / n_early.max(1) as f64);
                most_early[i] = most_early[i].max(told_early);
            }
            let met = cheapest(&tried, goal * n as f64);
            line("what the goal needs", met, met);
            fewest = fewest.into_iter().chain(met.map(|c| c.warnings)).min();
        }
        let told = [with_budgets(&most), with_budgets(&most_early)];
        verdicts.push_str(&verdict(watcher.sees, goal, &told, fewest, years));
    }
    Section { tables: out, so: verdicts }
}

const fn ns(days: u32) -> u64 {
    days as u64 * DAY_NS
}

/// The rule as it is asked for.
fn as_asked(out: &mut String, plan: &Plan, years: f64, watched: &[Watched; 2]) {
    out.push_str(
        "The rule as the goal has it, warn when a use is longer than 1.5 times the longest so far (which goes on \
         growing), for one who sees each burner's tap and for one who sees each flow by itself with its rate (±5 %, up \
         to the largest burner's) but not whose it is; what it cries in sound homes over the same number of days \
         after so many of learning, and which forgotten burners it tells in time. (Whole homes count only the longest of the days of \
         learning, which is earlier.) It cannot show what more cunning \
         rules do, and no meter sees either: flows of several appliances and pulses of some litres hide more.\n\n\
         | sees | speaks from | false warnings after 30 days | after 60 | after 365 | told, any time | told, first month |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (sees, watched) in ["taps", "rates"].iter().zip(watched) {
        for (what, seen) in [("the second", 1), ("the sixth", 5), ("the 51st", 50)] {
            let policy = Policy { seen, ..Policy::plain(1.5) };
            let _ = write!(out, "| {sees} | {what} |");
            for learned in LEARNED_DAYS {
                let n = watched.warnings(&policy, ns(learned), ns(learned + plan.days));
                let _ = write!(out, " {} |", rate(n, years));
            }
            told(out, watched, &policy);
        }
    }
}

fn told(out: &mut String, watched: &Watched, policy: &Policy) {
    for early in [false, true] {
        let (told, n) = watched.told(policy, early);
        let _ = write!(out, " {} |", share(told, n));
    }
    out.push('\n');
}

/// A rule in words.
fn said(policy: &Policy) -> String {
    let mut words = format!("{:.4}", policy.factor).trim_end_matches('0').trim_end_matches('.').to_owned();
    words.push_str(" × longest");
    if policy.least_ns > 0 {
        let how = if policy.below == Below::Silent { "silent below" } else { "at least" };
        let _ = write!(words, ", {how} {} h", policy.least_ns as f64 / HOUR_NS as f64);
    }
    if policy.seen > 1 {
        let _ = write!(words, ", after {} seen", policy.seen);
    }
    if policy.most_risk.is_finite() {
        let _ = write!(words, ", longer at most {:.2} times a year", policy.most_risk);
    }
    words
}

/// What follows from the fewest false warnings with which a rule meets the goal.
fn verdict(sees: &str, goal: f64, told: &[String; 2], fewest: Option<u64>, years: f64) -> String {
    let costs = fewest.map_or("no rule here meets the goal at all".into(), |n| {
        format!("the goal costs {} a meter-year", rate(n, years))
    });
    format!(
        "- **A forgotten burner, for one who sees {sees}**: told at most {} false warnings a meter-year, of {} asked \
         (in the month after learning {}). With the best rule tried {costs}: {}.\n",
        told[0],
        percent(goal),
        told[1],
        judged(fewest.map(|n| n as f64 / years)),
    )
}
