// SPDX-License-Identifier: MIT OR Apache-2.0
//! IDEAL (Pullinger et al. 2021, CC BY 4.0): hourly gas of homes in Scotland, Wh.
//!
//! The hours are real, what happens within one is not known: the boiler is taken to run in one piece at a
//! third more than the home's busiest hours need, somewhere in the hour; little gas is taken as cooking. An empty hour
//! is one without a pulse, or one that was lost: what is more than the boiler can take in an hour came late, and
//! is of the hours before (most of such hours follow empty ones). Hours above 66 kWh (6 m³) are sums of
//! days and are taken as empty. 112 Wh are a pulse of 10 L.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Recording, days_since_1970, text};
use crate::household::calendar::{DAY_NS, HOUR_NS};
use crate::household::flow::Step;
use crate::random::splitmix::{mix, unit};

const WH_PER_M3: f64 = 11_200.0;
const IMPOSSIBLE_WH: f64 = 66_000.0;
/// Less than this in an hour is cooking, m³.
const COOKING_M3: f64 = 0.08;
const COOKING_M3_PER_H: f64 = 0.2;

/// What came late is of no more hours than these.
const LATE_HOURS: i64 = 24;

/// Hour since 1970 and m³.
type Row = (i64, f64);

/// Every home that is there, as a meter of 10 L.
pub fn read(folder: &Path) -> Result<Vec<Recording>, String> {
    let homes = hours(folder)?;
    Ok(homes.into_iter().filter_map(|(name, rows)| recording(&name, &rows)).collect())
}

/// The hours of every home, by name.
pub fn hours(folder: &Path) -> Result<Vec<(String, Vec<Row>)>, String> {
    let folder = folder.join("ideal_hourly_gas");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "csv"));
    paths.sort();
    let mut homes = Vec::new();
    for path in paths {
        let name = path.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        homes.push((name, text(&path)?.lines().filter_map(row).collect()));
    }
    Ok(homes)
}

/// 2017-07-04T13,336.0,12.222
fn row(line: &str) -> Option<Row> {
    let mut fields = line.split(',');
    let time = fields.next()?;
    let wh: f64 = fields.next()?.parse().unwrap_or(0.0);
    let mut numbers = time.split(['-', 'T']).map_while(|n| n.parse::<i64>().ok());
    let day = days_since_1970(numbers.next()?, numbers.next()?, numbers.next()?);
    let m3 = if wh > IMPOSSIBLE_WH { 0.0 } else { wh / WH_PER_M3 };
    Some((day * 24 + numbers.next()?, m3))
}

/// The hours with what is more than `most` (m³) given back to the hours before.
fn in_time(rows: &[Row], most: f64) -> Vec<Row> {
    let mut hours: BTreeMap<i64, f64> = rows.iter().copied().collect();
    for &(hour, m3) in rows.iter().rev().filter(|r| r.1 > most) {
        let mut late = m3 - most;
        hours.insert(hour, most);
        for before in (hour - LATE_HOURS..hour).rev() {
            let has = hours.entry(before).or_default();
            let takes = late.min(most - has.min(most));
            *has += takes;
            late -= takes;
        }
    }
    hours.into_iter().collect()
}

fn recording(name: &str, rows: &[Row]) -> Option<Recording> {
    let midnight = (rows.first()?.0 / 24 + 1) * 24;
    let mut used: Vec<f64> = rows.iter().map(|r| r.1).filter(|m3| *m3 > 0.0).collect();
    used.sort_by(f64::total_cmp);
    let boiler = (used.get(used.len() * 99 / 100)? * 1.33).clamp(1.0, 4.5);
    let mut steps = Vec::new();
    for (hour, m3) in in_time(rows, boiler).iter().filter(|r| r.0 >= midnight) {
        let start = (hour - midnight) as u64 * HOUR_NS;
        let power = if *m3 < COOKING_M3 { COOKING_M3_PER_H } else { boiler };
        let share = m3 / power;
        let (from, length, flow) = if share > 0.9 {
            (0.0, 1.0, *m3)
        } else {
            (unit(mix(*hour as u64)) * (1.0 - share), share, power)
        };
        if *m3 > 0.0 {
            let at = |x: f64| start + (x * HOUR_NS as f64) as u64;
            let step = |t_ns, flow: f64| Step { t_ns, ul_per_h: (flow * 1e9) as i64 };
            steps.extend([step(at(from), flow), step(at(from + length), 0.0)]);
        }
    }
    steps.dedup_by(|b, a| {
        a.t_ns == b.t_ns && {
            a.ul_per_h = b.ul_per_h;
            true
        }
    });
    let recording = Recording::new(format!("IDEAL {name}"), steps, midnight * 3600, 10.0);
    (u64::from(recording.days) * DAY_NS > 60 * DAY_NS).then_some(recording)
}
