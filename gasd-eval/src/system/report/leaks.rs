// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of leaks.

use std::fmt::Write;

use super::{quantiles, share, short, span};
use crate::system::class::Class;
use crate::system::judge::ALL;
use crate::system::trial::Outcome;
use crate::system::trials::Tried;

/// Quantiles that are told.
const TOLD: [f64; 4] = [0.1, 0.5, 0.9, 0.99];
/// The name of the bound.
const POSSIBLE: &str = "*possible*";

/// What was asked and what came, one row a class.
#[must_use]
pub fn summary(title: &str, tried: &[Tried]) -> String {
    let mut out = format!(
        "## {title}\n\nShare detected in time with its 95 % interval (Wilson).\n\n| class | asked | trials |"
    );
    ALL.iter().for_each(|(name, _)| {
        let _ = write!(out, " {name} |");
    });
    let _ = writeln!(out, " possible |\n|---|---|---|{}", "---|".repeat(ALL.len() + 1));
    for (i, class) in Class::ALL.iter().enumerate() {
        let mine: Vec<&Tried> = tried.iter().filter(|t| t.class == i).collect();
        if mine.is_empty() {
            continue;
        }
        let _ = write!(out, "| {} | {} | {} |", class.name(), class.asked(), mine.len());
        for d in 0..ALL.len() {
            let hits = mine.iter().filter(|t| t.outcomes[d].in_time).count();
            let _ = write!(out, " {} |", share(hits, mine.len()));
        }
        let possible = mine.iter().filter(|t| t.bound.is_some_and(|o| o.in_time)).count();
        let _ = match mine[0].bound {
            Some(_) => writeln!(out, " {:.1} % |", 100.0 * possible as f64 / mine.len() as f64),
            None => writeln!(out, " – |"),
        };
    }
    out.push('\n');
    out
}

/// One class, detector by detector, in all and by pulse volume.
#[must_use]
pub fn by_class(index: usize, tried: &[Tried]) -> String {
    let class = Class::ALL[index];
    let mine: Vec<&Tried> = tried.iter().filter(|t| t.class == index).collect();
    if mine.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "### {}\n\nAsked: {}. An alarm that the same home raises without the leak within a minute of it does not \
         count; the last column is how often it cried without the leak in the time watched.\n\n",
        class.name(),
        class.asked()
    );
    out.push_str("| detector | meter | trials | in time | litres released 10 / 50 / 90 / 99 % | delay 10 / 50 / 90 / 99 % | critical by then | without the leak |\n");
    out.push_str("|---|---|---|---|---|---|---|---|\n");
    let volumes = [10.0, 1.0, 0.1];
    for (d, (name, _)) in ALL.iter().enumerate() {
        row(&mut out, name, "all", &mine, |t| Some(t.outcomes[d]));
        for v in volumes {
            row(&mut out, "", &format!("{v} L"), &of_pulse(&mine, v), |t| Some(t.outcomes[d]));
        }
    }
    for v in volumes {
        row(&mut out, POSSIBLE, &format!("{v} L"), &of_pulse(&mine, v), |t| t.bound);
    }
    out.push_str(&bounds(class, &mine));
    if class == Class::Forgotten {
        rare(&mut out, &mine);
    }
    out.push('\n');
    out
}

fn of_pulse<'a>(group: &[&'a Tried], pulse_l: f64) -> Vec<&'a Tried> {
    group.iter().filter(|t| t.pulse_l == pulse_l).copied().collect()
}

fn row(
    out: &mut String,
    detector: &str,
    meter: &str,
    group: &[&Tried],
    outcome: impl Fn(&Tried) -> Option<Outcome>,
) {
    if group.iter().all(|t| outcome(t).is_none()) {
        return;
    }
    let outcomes = || group.iter().filter_map(|t| outcome(t));
    let hits = outcomes().filter(|o| o.in_time).count();
    // What is possible is no detector: it has no levels and never errs.
    let of = |n: usize| if detector == POSSIBLE { "–".into() } else { share(n, group.len()) };
    let critical = of(outcomes().filter(|o| o.critical).count());
    let anyway = of(outcomes().filter(|o| o.anyway).count());
    let leaks = group.iter().any(|t| t.m3_per_h > 0.0);
    let _ = writeln!(
        out,
        "| {detector} | {meter} | {} | {} | {} | {} | {critical} | {anyway} |",
        group.len(),
        share(hits, group.len()),
        if leaks { quantiles(&TOLD, outcomes().map(|o| o.litres), short) } else { "–".into() },
        quantiles(&TOLD, outcomes().map(|o| o.delay_s), span),
    );
}

/// What the pulse volume forbids.
fn bounds(class: Class, group: &[&Tried]) -> String {
    if !class.leaks() {
        return String::new();
    }
    let mut out = String::from(
        "\n*Possible* is one who knows the home's future and says so at the first pulse that the leak moves. ",
    );
    if let Some(litres) = class.litres() {
        for v in [10.0, 1.0, 0.1] {
            let flows = of_pulse(group, v).into_iter().map(|t| t.m3_per_h);
            let slowest = flows.fold(f64::INFINITY, f64::min);
            if slowest.is_finite() {
                let pulse = span(v * 3.6 / slowest);
                let n = (litres / v).floor();
                let _ = write!(
                    out,
                    "{v} L a pulse: {litres} L are {n} pulses, at {} m³/h {pulse} apart. ",
                    short(slowest)
                );
            }
        }
    }
    out.pop();
    out.push('\n');
    out
}

/// The forgotten burner by a limit that does not depend on how long the home was watched.
fn rare(out: &mut String, group: &[&Tried]) {
    out.push_str("\nBy 1.5 × the use time that one use in a thousand of three years exceeds: ");
    let each = ALL.iter().enumerate().map(|(d, (name, _))| {
        let hits = group.iter().filter(|t| t.outcomes[d].in_rare_time).count();
        format!("{name} {}", share(hits, group.len()))
    });
    out.push_str(&each.collect::<Vec<_>>().join(", "));
    out.push_str(".\n");
}
