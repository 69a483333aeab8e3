// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables in Markdown, for docs/EVALUATION.md.

mod cries;
mod leaks;

pub use cries::false_alarms;
pub use leaks::{by_class, summary};

use super::stats::{garwood, quantile, wilson};

/// A rate a year with its 95 % interval.
pub(crate) fn rate(count: u64, years: f64) -> String {
    if years <= 0.0 {
        return "–".into();
    }
    let (low, high) = garwood(count);
    format!("{} ({}–{})", short(count as f64 / years), short(low / years), short(high / years))
}

/// A share with its 95 % interval, %.
pub(crate) fn share(hits: usize, n: usize) -> String {
    if n == 0 {
        return "–".into();
    }
    let (low, high) = wilson(hits, n);
    format!("{:.1} % ({:.1}–{:.1})", 100.0 * hits as f64 / n as f64, 100.0 * low, 100.0 * high)
}

/// Quantiles, side by side.
pub(crate) fn quantiles(
    of: &[f64],
    values: impl Iterator<Item = f64>,
    show: impl Fn(f64) -> String,
) -> String {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let show = |q| match quantile(&sorted, q) {
        Some(x) if x.is_finite() => show(x),
        Some(_) => "never".into(),
        None => "–".into(),
    };
    of.iter().map(|q| show(*q)).collect::<Vec<_>>().join(" / ")
}

/// Three digits or so.
pub(crate) fn short(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        a if a < 0.1 => format!("{x:.4}"),
        a if a < 10.0 => format!("{x:.2}"),
        a if a < 100.0 => format!("{x:.1}"),
        _ => format!("{x:.0}"),
    }
}

/// A time as a person says it.
pub(crate) fn span(s: f64) -> String {
    match s {
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}
