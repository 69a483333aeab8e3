// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::recorded::Heard;
use super::study::{SOURCES, Year, shown};
use crate::detector::{Alarm, Level};
use crate::system::class::Class;
use crate::system::report::{quantiles, rate, share, short, span};
use crate::system::trials::Tried;

/// The head of the table of false alarms.
pub const ALARMS: &str = "| register | read | meter-years | warnings a meter-year | criticals a meter-year | which |\n\
                          |---|---|---|---|---|---|\n";

/// One row a source.
pub fn alarms(out: &mut String, resolution_l: f64, years: &[Year]) {
    for (i, (source, _)) in SOURCES.iter().enumerate() {
        let all: Vec<&Alarm> = years.iter().flat_map(|year| &year[i]).collect();
        row(out, &format!("{resolution_l} L"), source, years.len() as f64, &all);
    }
}

/// The recorded homes' row.
pub fn recorded(out: &mut String, heard: &[Heard]) {
    let all: Vec<&Alarm> = heard.iter().flat_map(|home| &home.alarms).collect();
    let years = heard.iter().map(|home| home.days).sum::<f64>() / 365.25;
    row(out, "10 L, IDEAL", "1 h", years, &all);
}

fn row(out: &mut String, register: &str, source: &str, years: f64, all: &[&Alarm]) {
    let count = |level| all.iter().filter(|alarm| alarm.level == level).count() as u64;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for alarm in all {
        *kinds.entry(alarm.kind).or_default() += 1;
    }
    let which: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    let _ = writeln!(
        out,
        "| {register} | {source} | {years:.1} | {} | {} | {} |",
        rate(count(Level::Warning), years),
        rate(count(Level::Critical), years),
        which.join(", ")
    );
}

/// What each source makes of each class: in time, and after how long (half and nine of ten).
pub fn leaks(resolution_l: f64, tried: &[Tried]) -> String {
    let mut out = format!(
        "## Leaks, register of {resolution_l} L\n\nShare detected in time with its 95 % interval (Wilson); litres \
         released by then, or the time where nothing flows, of half and of nine in ten.\n\n| class | asked | trials |"
    );
    for (source, _) in SOURCES {
        let _ = write!(out, " {source} | 50 / 90 % |");
    }
    let _ = writeln!(out, "\n|---|---|---|{}", "---|".repeat(2 * SOURCES.len()));
    for (i, class) in Class::ALL.iter().enumerate().filter(|(_, class)| shown(**class)) {
        let mine: Vec<&Tried> = tried.iter().filter(|t| t.class == i).collect();
        if mine.is_empty() {
            continue;
        }
        let _ = write!(out, "| {} | {} | {} |", class.name(), class.asked(), mine.len());
        for d in 0..SOURCES.len() {
            let hits = mine.iter().filter(|t| t.outcomes[d].in_time).count();
            let after = if class.leaks() {
                quantiles(&[0.5, 0.9], mine.iter().map(|t| t.outcomes[d].litres), |l| {
                    format!("{} L", short(l))
                })
            } else {
                quantiles(&[0.5, 0.9], mine.iter().map(|t| t.outcomes[d].delay_s), span)
            };
            let _ = write!(out, " {} | {after} |", share(hits, mine.len()));
        }
        out.push('\n');
    }
    out.push('\n');
    out
}
