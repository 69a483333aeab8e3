// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of false alarms.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::rate;
use crate::detector::Level;
use crate::system::homes::{LEARNING_DAYS, Watched};
use crate::system::judge::ALL;

/// So many causes are told.
const TOP: usize = 8;

/// False alarms of every detector: in all, by kind of home, by pulse volume, and the commonest
/// causes.
#[must_use]
pub fn false_alarms(title: &str, watched: &[Watched]) -> String {
    let mut out = format!("## {title}\n\n");
    if watched.is_empty() {
        out.push_str("There are none.\n\n");
        return out;
    }
    let counting: Vec<&Watched> = watched.iter().filter(|w| w.counts).collect();
    let _ = writeln!(
        out,
        "{} homes, {:.1} meter-years after {LEARNING_DAYS} days of learning each, {:.1} million pulses. \
         Alarms a meter-year with their exact 95 % interval (Garwood).\n",
        counting.len(),
        years(&counting),
        counting.iter().map(|w| w.pulses).sum::<u64>() as f64 * 1e-6,
    );
    out.push_str("| detector | home | meter-years | warnings | criticals | warnings while learning | criticals while learning |\n");
    out.push_str("|---|---|---|---|---|---|---|\n");
    for (d, (name, _)) in ALL.iter().enumerate() {
        row(&mut out, name, "all", d, &counting);
        for (home, group) in grouped(watched, |w| w.home.clone()) {
            row(&mut out, "", &home, d, &group);
        }
        for (pulse, group) in grouped(&counting, |w| format!("{} L a pulse", w.pulse_l)) {
            row(&mut out, "", &pulse, d, &group);
        }
    }
    out.push('\n');
    causes(&mut out, watched);
    out
}

fn years(group: &[&Watched]) -> f64 {
    group.iter().map(|w| f64::from(w.days)).sum::<f64>() / 365.25
}

fn grouped<W: std::borrow::Borrow<Watched>>(
    watched: &[W],
    key: impl Fn(&Watched) -> String,
) -> BTreeMap<String, Vec<&Watched>> {
    let mut groups: BTreeMap<String, Vec<&Watched>> = BTreeMap::new();
    for w in watched.iter().map(std::borrow::Borrow::borrow) {
        groups.entry(key(w)).or_default().push(w);
    }
    groups
}

fn row(out: &mut String, detector: &str, home: &str, d: usize, group: &[&Watched]) {
    let learning = group.len() as f64 * f64::from(LEARNING_DAYS) / 365.25;
    let years = years(group);
    let sum = |level, learning| group.iter().map(|w| w.count(d, level, learning)).sum();
    let _ = writeln!(
        out,
        "| {detector} | {home} | {years:.1} | {} | {} | {} | {} |",
        rate(sum(Level::Warning, false), years),
        rate(sum(Level::Critical, false), years),
        rate(sum(Level::Warning, true), learning),
        rate(sum(Level::Critical, true), learning),
    );
}

/// What the alarms after learning said, and what was going on.
fn causes(out: &mut String, watched: &[Watched]) {
    out.push_str(
        "| detector | level | says | what was going on | alarms | in homes |\n|---|---|---|---|---|---|\n",
    );
    for (d, (name, _)) in ALL.iter().enumerate() {
        let mut counts: BTreeMap<_, (u64, std::collections::BTreeSet<usize>)> = BTreeMap::new();
        for (i, w) in watched.iter().enumerate() {
            for cry in w.cries.iter().filter(|c| c.detector == d && !c.learning) {
                let entry = counts.entry((cry.alarm.level, cry.alarm.kind, cry.context)).or_default();
                entry.0 += 1;
                entry.1.insert(i);
            }
        }
        let mut sorted: Vec<_> = counts.into_iter().collect();
        sorted.sort_by_key(|c| std::cmp::Reverse(c.1.0));
        for ((level, kind, context), (n, homes)) in sorted.into_iter().take(TOP) {
            let _ = writeln!(out, "| {name} | {level:?} | {kind} | {context} | {n} | {} |", homes.len());
        }
    }
    out.push('\n');
}
