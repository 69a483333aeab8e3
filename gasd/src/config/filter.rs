// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's `filter`: checked against the pulses that the meter itself can make.

use gasd_abi::FilterConfig;

use super::error::ErrorKind;
use super::limits;
use super::pace::Pace;
use super::report::{Report, Span};
use super::section::Field;
use super::sense::Sense;
use super::show::{about, duration};
use super::types::FilterSettings;
use super::units;

pub(super) const KEYS: &[&str] = &["min_interval", "min_width", "min_idle", "storm_limit", "poll"];
const EXPECTED: &str = "a table like { min_interval = \"20 ms\", min_width = \"10 ms\" }";
const STORM: &str = "edges a second, like 1000 or \"1000 /s\"";

/// Reads `filter`. Without a `pace` (its own values were bad) only the units are checked.
/// `meter` is where the meter begins and how messages call it.
pub(super) fn read(
    report: &mut Report<'_>,
    field: Option<Field<'_>>,
    pace: Option<Pace>,
    meter: (&Span, &str),
) -> Option<FilterSettings> {
    let section = match field {
        Some(field) => Some(field.section(report, EXPECTED, KEYS)?),
        None => None,
    };
    let get = |key| section.as_ref().and_then(|section| section.get(key));
    let (interval, width, idle) = (get("min_interval"), get("min_width"), get("min_idle"));
    let mut time = |field: &Option<Field<'_>>| field.as_ref().map(|f| f.duration(report));
    let (interval_ns, width_ns, idle_ns) = (time(&interval), time(&width), time(&idle));
    let storm = get("storm_limit");
    let limit = storm.as_ref().map(|f| storm_limit(report, f));
    let poll_ns = match get("poll") {
        Some(field) => ranged(report, &field, limits::POLL_NS, "how often a settled line is read"),
        None => Some(limits::DEFAULT_POLL_NS),
    };

    let pace = pace?;
    let usual = FilterConfig::default();
    let abi = FilterConfig {
        min_interval_ns: interval_ns.unwrap_or(Some(pace.min_interval_ns(usual.min_interval_ns)))?,
        min_width_ns: width_ns.unwrap_or(Some(pace.width_ns(usual.min_width_ns)))?,
        min_idle_ns: idle_ns.unwrap_or(Some(pace.width_ns(usual.min_idle_ns)))?,
        storm_limit: limit.unwrap_or(Some(pace.storm_limit(usual.storm_limit)))?,
        reserved: 0,
    };
    if let Some(field) = &interval {
        check_interval(report, field, &abi, pace);
    }
    if let Some(field) = width.as_ref().or(idle.as_ref()) {
        check_width(report, field, &abi, pace);
    }
    if let Some(field) = &storm {
        check_storm(report, field, &abi, pace);
    }
    if width.is_none() && abi.min_width_ns < usual.min_width_ns {
        report.warn(meter.0, &narrowed(meter.1, &abi, pace));
    }
    Some(FilterSettings { abi, poll_ns: poll_ns? })
}

/// A duration within its limits.
pub(super) fn ranged(
    report: &mut Report<'_>,
    field: &Field<'_>,
    limits: std::ops::RangeInclusive<u64>,
    why: &'static str,
) -> Option<u64> {
    let ns = field.duration(report)?;
    if limits.contains(&ns) {
        return Some(ns);
    }
    let (least_ns, most_ns) = (*limits.start(), *limits.end());
    field.senseless(report, Sense::DurationRange { ns, least_ns, most_ns, why });
    None
}

fn storm_limit(report: &mut Report<'_>, field: &Field<'_>) -> Option<u32> {
    if field.is_integer() {
        return field.integer(report, u32::MAX, STORM);
    }
    let rate = field.quantity(report, units::rate, STORM)?;
    let limit = u32::try_from(rate).ok();
    if limit.is_none() {
        let kind = ErrorKind::IntegerRange { max: u64::from(u32::MAX), expected: STORM };
        field.refuse(report, kind);
    }
    limit
}

fn check_interval(report: &mut Report<'_>, field: &Field<'_>, abi: &FilterConfig, pace: Pace) {
    let Pace { pulse_volume_ul, max_flow_ul_per_h } = pace;
    let interval_ns = pace.interval_ns();
    if abi.min_interval_ns > interval_ns {
        let why = Sense::IntervalTooLong { pulse_volume_ul, max_flow_ul_per_h, interval_ns };
        field.senseless(report, why);
    } else if abi.min_interval_ns > pace.fastest_ns() {
        report.warn(&field.span, &blind("min_interval", abi.min_interval_ns, pace));
    }
}

fn check_width(report: &mut Report<'_>, field: &Field<'_>, abi: &FilterConfig, pace: Pace) {
    let Pace { pulse_volume_ul, max_flow_ul_per_h } = pace;
    let interval_ns = pace.interval_ns();
    let (min_width_ns, min_idle_ns) = (abi.min_width_ns, abi.min_idle_ns);
    if min_width_ns.saturating_add(min_idle_ns) > interval_ns {
        field.senseless(
            report,
            Sense::WidthTooLong {
                min_width_ns,
                min_idle_ns,
                pulse_volume_ul,
                max_flow_ul_per_h,
                interval_ns,
            },
        );
    } else if min_width_ns.saturating_add(min_idle_ns) > pace.fastest_ns() {
        report.warn(&field.span, &blind("min_width and min_idle", min_width_ns + min_idle_ns, pace));
    }
}

/// What a broken pipe would look like through this filter.
fn blind(what: &str, ns: u64, pace: Pace) -> String {
    format!(
        "{what} of {} rejects pulses of a flow above max_flow, which a broken pipe has: at twice \
         max_flow they come every {}. Such a flow would be counted short and not be noticed",
        duration(ns),
        about(pace.fastest_ns()),
    )
}

fn check_storm(report: &mut Report<'_>, field: &Field<'_>, abi: &FilterConfig, pace: Pace) {
    let Pace { pulse_volume_ul, max_flow_ul_per_h } = pace;
    let edges = pace.edges_per_s();
    if abi.storm_limit == 0 {
        report.warn(
            &field.span,
            "storm_limit 0 turns the storm alarm off: a line that chatters is not reported",
        );
    } else if u64::from(abi.storm_limit) < edges {
        field.senseless(report, Sense::StormLimit { edges, pulse_volume_ul, max_flow_ul_per_h });
    }
}

fn narrowed(meter: &str, abi: &FilterConfig, pace: Pace) -> String {
    format!(
        "{meter}: at twice max_flow its pulses come every {}, so min_width is {} instead of {}; \
         a contact that bounces longer is counted more than once",
        about(pace.fastest_ns()),
        duration(abi.min_width_ns),
        duration(FilterConfig::default().min_width_ns),
    )
}
