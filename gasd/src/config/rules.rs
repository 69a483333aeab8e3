// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's `profile` and `rules`: what the detection engine goes by.
//!
//! Rules count in the engine's own units; here they are read with theirs, kept within limits, and shown in
//! the words that they may be written in.

use gasd_detect::{BANDS, Band, Profile, Rules, Windows};

use super::error::ErrorKind;
use super::report::Report;
use super::section::{Field, Section};
use super::sense::Sense;
use super::show;
use super::units;

pub(super) const KEYS: &[&str] = &[
    "windows",
    "total_flow",
    "increase",
    "use_time",
    "use_time_closes",
    "never_zero",
    "restore_check",
    "while_closed",
    "low_pressure",
    "seismic",
    "alarm_link",
    "silence",
    "learns",
];
const BAND_KEYS: &[&str] = &["up_to", "lasts"];

const EXPECTED: &str = "a table like { total_flow = \"1.8\", never_zero = \"30 days\" }";
const USE_TIME: &str = "\"off\", or a list like [{ up_to = \"0.5 m3/h\", lasts = \"12 h\" }, { lasts = \"3 h\" }], the flows rising";
const LASTS: &str = "a duration like \"12 h\", or \"off\"";
const UP_TO: &str = "a flow like \"0.5 m3/h\"";
const PROFILE: &str = "the name of a profile, like \"eu-g4\"";
const WINDOWS: &str = "when the three windows close the valve, like \"above-load\"";
const DURATION: &str = "a duration like \"30 days\", or \"off\"";
const FACTOR: &str = "a factor of max_flow like \"1.8\", or \"off\"";
const INCREASE: &str = "a factor of max_flow like \"1.4\", \"learned\", or \"off\"";
const PRESSURE: &str = "a pressure like \"0.3 kPa\", or \"off\"";
const ACCELERATION: &str = "an acceleration like \"200 gal\", or \"off\"";

/// The word for a rule that is not watched.
const OFF: &str = "off";
/// The word for an increase that only what was learned of the home limits.
const LEARNED: &str = "learned";

const S: u64 = 1_000_000_000;
const MIN: u64 = 60 * S;
const DAY: u64 = 86_400 * S;

/// Names of [`Windows`].
const WINDOW_NAMES: [(&str, Windows); 3] =
    [("always", Windows::Always), ("above-load", Windows::AboveLoad), ("never", Windows::Never)];

/// Reads `profile` and `rules` of a meter.
pub(super) fn read(report: &mut Report<'_>, meter: &Section<'_>) -> Option<(Profile, Rules)> {
    let names = Profile::ALL.map(|profile| (profile.name(), profile));
    let profile = match meter.get("profile") {
        Some(field) => field.word(report, PROFILE, &names)?,
        None => Profile::default(),
    };
    let rules = profile.rules();
    let Some(field) = meter.get("rules") else { return Some((profile, rules)) };
    let section = field.section(report, EXPECTED, KEYS)?;
    Some((profile, changed(report, &section, rules)?))
}

/// The rules with what the table says otherwise. Reads all of it, so that all problems are found.
fn changed(report: &mut Report<'_>, table: &Section<'_>, mut rules: Rules) -> Option<Rules> {
    let mut good = true;
    let mut put = |slot: &mut f32, read: Option<Option<f32>>| match read {
        Some(Some(value)) => *slot = value,
        Some(None) => good = false,
        None => {}
    };
    let windows = table.get("windows").map(|field| field.word(report, WINDOWS, &WINDOW_NAMES));
    let seconds = |report: &mut Report<'_>, key, off, limits| {
        table.get(key).map(|field| duration(report, &field, off, limits))
    };
    put(
        &mut rules.total_flow_times,
        table.get("total_flow").map(|field| factor(report, &field, f32::INFINITY, FACTOR, (1_000, 10_000))),
    );
    put(&mut rules.increase_times, table.get("increase").map(|field| increase(report, &field)));
    let days = seconds(report, "never_zero", f32::INFINITY, (DAY, 365 * DAY));
    put(&mut rules.never_zero_days, days.map(|read| read.map(|s| s / 86_400.0)));
    put(&mut rules.restore_check_s, seconds(report, "restore_check", 0.0, (10 * S, 60 * MIN)));
    put(&mut rules.alarm_link_s, seconds(report, "alarm_link", f32::INFINITY, (S, 60 * MIN)));
    let days = seconds(report, "silence", f32::INFINITY, (DAY, 365 * DAY));
    put(&mut rules.silence_days, days.map(|read| read.map(|s| s / 86_400.0)));
    put(&mut rules.low_pressure_kpa, table.get("low_pressure").map(|field| pressure(report, &field)));
    put(&mut rules.seismic_gal, table.get("seismic").map(|field| acceleration(report, &field)));
    let closes = table.get("use_time_closes").map(|field| field.boolean(report));
    let while_closed = table.get("while_closed").map(|field| field.boolean(report));
    let learns = table.get("learns").map(|field| field.boolean(report));
    let use_time = table.get("use_time").map(|field| bands(report, &field));
    let mut whole = good;
    let mut keep = |read: Option<Option<()>>| whole &= read != Some(None);
    keep(windows.map(|read| read.map(|windows| rules.windows = windows)));
    keep(closes.map(|read| read.map(|closes| rules.use_time_closes = closes)));
    keep(while_closed.map(|read| read.map(|watched| rules.while_closed = watched)));
    keep(learns.map(|read| read.map(|learns| rules.learns = learns)));
    keep(use_time.map(|read| read.map(|bands| rules.use_time = bands)));
    whole.then_some(rules)
}

fn is_off(field: &Field<'_>) -> bool {
    is(field, OFF)
}

fn is(field: &Field<'_>, word: &str) -> bool {
    field.as_str().is_some_and(|text| text.trim() == word)
}

/// A duration, s.
fn duration(
    report: &mut Report<'_>,
    field: &Field<'_>,
    off: f32,
    (least_ns, most_ns): (u64, u64),
) -> Option<f32> {
    if is_off(field) {
        return Some(off);
    }
    let ns = field.quantity(report, units::duration, DURATION)?;
    if !(least_ns..=most_ns).contains(&ns) {
        let (shown, least, most) = (show::long(ns), show::long(least_ns), show::long(most_ns));
        field.senseless(report, Sense::RuleRange { shown, least, most });
        return None;
    }
    Some((ns as f64 / S as f64) as f32)
}

/// A factor; the limits are in thousandths.
fn factor(
    report: &mut Report<'_>,
    field: &Field<'_>,
    off: f32,
    expected: &'static str,
    limits: (u64, u64),
) -> Option<f32> {
    if is_off(field) {
        return Some(off);
    }
    let thousandths = field.quantity(report, units::factor, expected)?;
    within(report, field, thousandths, limits, |value| format!("{}", value as f64 / 1_000.0))
        .map(|value| value as f32 / 1_000.0)
}

/// A factor for one step, or what was learned alone.
fn increase(report: &mut Report<'_>, field: &Field<'_>) -> Option<f32> {
    if is(field, LEARNED) { Some(f32::INFINITY) } else { factor(report, field, 0.0, INCREASE, (100, 10_000)) }
}

/// A pressure, kPa.
fn pressure(report: &mut Report<'_>, field: &Field<'_>) -> Option<f32> {
    if is_off(field) {
        return Some(0.0);
    }
    let pa = field.quantity(report, units::pressure, PRESSURE)?;
    within(report, field, pa, (50, 50_000), |pa| format!("{} kPa", pa as f64 / 1_000.0))
        .map(|pa| pa as f32 / 1_000.0)
}

/// An acceleration, gal.
fn acceleration(report: &mut Report<'_>, field: &Field<'_>) -> Option<f32> {
    if is_off(field) {
        return Some(0.0);
    }
    let milli = field.quantity(report, units::acceleration, ACCELERATION)?;
    within(report, field, milli, (10_000, 1_000_000), |milli| format!("{} gal", milli as f64 / 1_000.0))
        .map(|milli| milli as f32 / 1_000.0)
}

fn within(
    report: &mut Report<'_>,
    field: &Field<'_>,
    value: u64,
    (least, most): (u64, u64),
    shown: fn(u64) -> String,
) -> Option<u64> {
    if (least..=most).contains(&value) {
        return Some(value);
    }
    field.senseless(report, Sense::RuleRange { shown: shown(value), least: shown(least), most: shown(most) });
    None
}

/// The use-time table. The last band holds for every flow above, too.
fn bands(report: &mut Report<'_>, field: &Field<'_>) -> Option<[Band; BANDS]> {
    if is_off(field) {
        return Some([Band { up_to_m3_per_h: f32::INFINITY, seconds: f32::INFINITY }; BANDS]);
    }
    let tables = field.tables(report, USE_TIME);
    if tables.is_empty() || tables.len() > BANDS {
        // What is no table was reported.
        if field.is_tables() {
            let why = Sense::UseTimeBands { found: tables.len(), most: BANDS };
            field.refuse_whole(report, ErrorKind::Sense(why));
        }
        return None;
    }
    let last = tables.len() - 1;
    let mut found: Vec<Option<Band>> = Vec::with_capacity(tables.len());
    let mut before: Option<(u64, f32)> = None;
    for (at, (span, table)) in tables.into_iter().enumerate() {
        let (label, prefix) = ("rules.use_time".to_owned(), "rules.use_time.".to_owned());
        let section = Section::new(report, table, span, label, prefix, BAND_KEYS);
        let up_to = match section.get("up_to") {
            Some(field) => field.flow(report).map(|flow| (flow, Some(field))),
            None if at == last => Some((u64::MAX, None)),
            None => section.required(report, "up_to", UP_TO).and(None),
        };
        let lasts = section.required(report, "lasts", LASTS);
        let seconds =
            lasts.as_ref().and_then(|field| duration(report, field, f32::INFINITY, (MIN, 365 * DAY)));
        if let (Some((flow, at_flow)), Some(seconds), Some((flow_before, seconds_before))) =
            (&up_to, seconds, before)
        {
            if *flow <= flow_before
                && let Some(field) = at_flow
            {
                field.senseless(report, Sense::UseTimeOrder { what: "flow", must: "more" });
                found.push(None);
            }
            if seconds > seconds_before
                && let Some(field) = &lasts
            {
                field.senseless(report, Sense::UseTimeOrder { what: "time", must: "no longer" });
                found.push(None);
            }
        }
        before = up_to.as_ref().map(|(flow, _)| *flow).zip(seconds).or(before);
        found.push(up_to.zip(seconds).map(|((flow, _), seconds)| {
            let up_to_m3_per_h = if at == last { f32::INFINITY } else { (flow as f64 / 1e9) as f32 };
            Band { up_to_m3_per_h, seconds }
        }));
    }
    let found: Option<Vec<Band>> = found.into_iter().collect();
    let found = found.filter(|bands| !bands.is_empty())?;
    Some(std::array::from_fn(|at| found[at.min(found.len() - 1)]))
}

/// Each rule and what it says, in the words of the configuration, in the order of its keys.
#[must_use]
pub fn shown(rules: &Rules) -> Vec<(&'static str, String)> {
    let off = |is: bool, text: String| if is { OFF.to_owned() } else { text };
    let number = |value: f32| format!("{}", (f64::from(value) * 1e4).round() / 1e4);
    let seconds = |s: f32| off(s <= 0.0 || s.is_infinite(), show::long((f64::from(s) * 1e9) as u64));
    let days = |d: f32| seconds(d * 86_400.0);
    let windows = WINDOW_NAMES.iter().find(|(_, windows)| *windows == rules.windows);
    let word = |is: bool| if is { "true" } else { "false" }.to_owned();
    let factor = |f: f32| off(f <= 0.0 || f.is_infinite(), number(f));
    let increase = |f: f32| if f.is_infinite() { LEARNED.to_owned() } else { factor(f) };
    vec![
        ("windows", windows.map_or("", |(name, _)| name).to_owned()),
        ("total_flow", factor(rules.total_flow_times)),
        ("increase", increase(rules.increase_times)),
        ("use_time", use_time(&rules.use_time)),
        ("use_time_closes", word(rules.use_time_closes)),
        ("never_zero", days(rules.never_zero_days)),
        ("restore_check", seconds(rules.restore_check_s)),
        ("while_closed", word(rules.while_closed)),
        (
            "low_pressure",
            off(rules.low_pressure_kpa <= 0.0, format!("{} kPa", number(rules.low_pressure_kpa))),
        ),
        ("seismic", off(rules.seismic_gal <= 0.0, format!("{} gal", number(rules.seismic_gal)))),
        ("alarm_link", seconds(rules.alarm_link_s)),
        ("silence", days(rules.silence_days)),
        ("learns", word(rules.learns)),
    ]
}

fn use_time(bands: &[Band; BANDS]) -> String {
    if bands.iter().all(|band| band.seconds.is_infinite()) {
        return OFF.to_owned();
    }
    let mut parts = Vec::new();
    for band in bands {
        let lasts = if band.seconds.is_infinite() {
            "without limit".to_owned()
        } else {
            show::long((f64::from(band.seconds) * 1e9) as u64)
        };
        if band.up_to_m3_per_h.is_infinite() {
            parts.push(format!("above {lasts}"));
            break;
        }
        parts.push(format!("up to {} m3/h {lasts}", (f64::from(band.up_to_m3_per_h) * 1e6).round() / 1e6));
    }
    parts.join(", ")
}

/// What differs between two sets of rules: the key, before and after.
#[must_use]
pub fn differences(old: &Rules, new: &Rules) -> Vec<(&'static str, String, String)> {
    let pairs = shown(old).into_iter().zip(shown(new));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((key, before), (_, after))| (key, before, after))
        .collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
