// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables in Markdown.

use std::fmt::Write;

use super::class::Class;
use super::homes::{LEARNING_DAYS, Watched};
use super::judge::ALL;
use super::stats::{garwood, quantile, wilson};
use super::trials::Tried;
use crate::detector::Level;

/// A rate with its 95 % interval, a year.
fn rate(count: u64, years: f64) -> String {
    let (low, high) = garwood(count);
    format!("{:.3} ({:.3}–{:.3})", count as f64 / years, low / years, high / years)
}

/// False alarms of every detector.
#[must_use]
pub fn false_alarms(watched: &[Watched]) -> String {
    let years: f64 = watched.iter().map(|w| f64::from(w.days)).sum::<f64>() / 365.25;
    let learning = watched.len() as f64 * f64::from(LEARNING_DAYS) / 365.25;
    let mut out = format!(
        "{years:.0} meter-years of {} homes after {LEARNING_DAYS} days of learning each; alarms a meter-year with their 95 % interval\n\n\
         | detector | warnings | criticals | warnings while learning | criticals while learning |\n\
         |---|---|---|---|---|\n",
        watched.len()
    );
    for (d, (name, _)) in ALL.iter().enumerate() {
        let sum = |level, learning| watched.iter().map(|w| w.count(d, level, learning)).sum();
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {} |",
            rate(sum(Level::Warning, false), years),
            rate(sum(Level::Critical, false), years),
            rate(sum(Level::Warning, true), learning),
            rate(sum(Level::Critical, true), learning),
        );
    }
    out
}

/// One class, detector by detector.
#[must_use]
pub fn class(index: usize, tried: &[Tried]) -> String {
    let class = Class::ALL[index];
    let mine: Vec<&Tried> = tried.iter().filter(|t| t.class == index).collect();
    let mut out = format!("### {}\n\nAsked: {}. {} trials.\n\n", class.name(), class.asked(), mine.len());
    out.push_str("| detector | in time | litres released 10 / 50 / 90 / 99 % | delay 10 / 50 / 90 / 99 % | critical |\n|---|---|---|---|---|\n");
    for (d, (name, _)) in ALL.iter().enumerate() {
        let outcomes = || mine.iter().map(|t| &t.outcomes[d]);
        let hits = outcomes().filter(|o| o.in_time).count();
        let critical = outcomes().filter(|o| o.critical).count();
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {} |",
            share(hits, mine.len()),
            quantiles(outcomes().map(|o| o.litres), |l| format!("{l:.3}")),
            quantiles(outcomes().map(|o| o.delay_s), span),
            share(critical, mine.len()),
        );
    }
    out
}

/// A share with its 95 % interval, %.
fn share(hits: usize, n: usize) -> String {
    let (low, high) = wilson(hits, n);
    format!("{:.1} % ({:.1}–{:.1})", 100.0 * hits as f64 / n.max(1) as f64, 100.0 * low, 100.0 * high)
}

fn quantiles(values: impl Iterator<Item = f64>, show: impl Fn(f64) -> String) -> String {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let show = |q| match quantile(&sorted, q) {
        Some(x) if x.is_finite() => show(x),
        Some(_) => "never".into(),
        None => "–".into(),
    };
    [0.1, 0.5, 0.9, 0.99].map(show).join(" / ")
}

/// A time as a person says it.
fn span(s: f64) -> String {
    match s {
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}
