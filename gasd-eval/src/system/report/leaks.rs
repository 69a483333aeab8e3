// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of leaks.

use std::fmt::Write;

use super::{quantiles, share, short, span};
use crate::system::class::Class;
use crate::system::judge::ALL;
use crate::system::trials::Tried;

/// What was asked and what came, one row a class.
#[must_use]
pub fn summary(title: &str, tried: &[Tried]) -> String {
    let mut out = format!(
        "## {title}\n\nShare detected in time with its 95 % interval (Wilson).\n\n| class | asked | trials |"
    );
    ALL.iter().for_each(|(name, _)| {
        let _ = write!(out, " {name} |");
    });
    let _ = writeln!(out, "\n|---|---|---|{}", "---|".repeat(ALL.len()));
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
        out.push('\n');
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
    let mut out = format!("### {}\n\nAsked: {}.\n\n", class.name(), class.asked());
    out.push_str("| detector | meter | trials | in time | litres released 10 / 50 / 90 / 99 % | delay 10 / 50 / 90 / 99 % | critical |\n");
    out.push_str("|---|---|---|---|---|---|---|\n");
    let volumes = [10.0, 1.0, 0.1];
    for (d, (name, _)) in ALL.iter().enumerate() {
        row(&mut out, name, "all", d, &mine);
        for v in volumes {
            let some: Vec<&Tried> = mine.iter().filter(|t| t.pulse_l == v).copied().collect();
            row(&mut out, "", &format!("{v} L"), d, &some);
        }
    }
    out.push_str(&bounds(class, &mine));
    if class == Class::Forgotten {
        rare(&mut out, &mine);
    }
    out.push('\n');
    out
}

fn row(out: &mut String, detector: &str, meter: &str, d: usize, group: &[&Tried]) {
    if group.is_empty() {
        return;
    }
    let outcomes = || group.iter().map(|t| &t.outcomes[d]);
    let hits = outcomes().filter(|o| o.in_time).count();
    let critical = outcomes().filter(|o| o.critical).count();
    let _ = writeln!(
        out,
        "| {detector} | {meter} | {} | {} | {} | {} | {} |",
        group.len(),
        share(hits, group.len()),
        quantiles(outcomes().map(|o| o.litres), short),
        quantiles(outcomes().map(|o| o.delay_s), span),
        share(critical, group.len()),
    );
}

/// What the pulse volume forbids: between two pulses nobody knows anything.
fn bounds(class: Class, group: &[&Tried]) -> String {
    let Some(litres) = class.litres() else { return String::new() };
    let mut out = String::from("\nWhat a meter allows, whatever judges it:");
    for v in [10.0, 1.0, 0.1] {
        let mut flows: Vec<f64> = group.iter().filter(|t| t.pulse_l == v).map(|t| t.m3_per_h).collect();
        flows.sort_by(f64::total_cmp);
        let Some(slowest) = flows.first() else { continue };
        let _ = write!(
            out,
            " {v} L a pulse: the first pulse of the leak comes after {} L in the mean and {v} at most ({} for {} m³/h), \
             the first interval that is all leak after {} at most, {} pulses are {litres} L;",
            short(v / 2.0),
            span(v * 3.6 / slowest),
            short(*slowest),
            2.0 * v,
            (litres / v).floor(),
        );
    }
    out.pop();
    out.push_str(".\n");
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
