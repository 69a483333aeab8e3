// SPDX-License-Identifier: MIT OR Apache-2.0
//! CIWS (Utah State University, BSD-3-Clause): pulses of a real home's water meter every 4 s over 4.9 days.
//!
//! 17 pulses in 4 s, the home's usual peak, are taken as 4.5 m³/h of gas. Its four whole days are
//! played thirty times over: a detector needs a month to learn.

use std::path::Path;

use super::{Recording, days_since_1970, text};
use crate::household::calendar::{DAY_NS, SECOND_NS};
use crate::household::flow::Step;

const UL_PER_H_PER_PULSE: f64 = 4.5e9 / 17.0;
const ROW_NS: u64 = 4 * SECOND_NS;
const DAYS: u64 = 4;
const TIMES: u64 = 30;

/// As a meter of 10 and of 1 L.
pub fn read(folder: &Path) -> Result<Vec<Recording>, String> {
    let text = text(&folder.join("ciws/019_0003_pulses_4s.csv"))?;
    // "19-10-4 13:09:30",1,0
    let rows = text.lines().filter_map(|line| {
        let (time, rest) = line.strip_prefix('"')?.split_once('"')?;
        let pulses: f64 = rest.rsplit(',').next()?.trim().parse().ok()?;
        let mut numbers = time.split(['-', ' ', ':']).map_while(|n| n.parse::<i64>().ok());
        let mut next = || numbers.next();
        let day = days_since_1970(2000 + next()?, next()?, next()?);
        Some((day * 86_400 + next()? * 3600 + next()? * 60 + next()?, pulses))
    });
    let rows: Vec<(i64, f64)> = rows.collect();
    let Some(first) = rows.first() else { return Err("ciws: no rows".into()) };
    let midnight = (first.0 / 86_400 + 1) * 86_400;
    let mut day: Vec<Step> = Vec::new();
    for (s, pulses) in rows.iter().filter(|r| r.0 >= midnight) {
        let t_ns = (s - midnight) as u64 * SECOND_NS;
        if t_ns + ROW_NS > DAYS * DAY_NS || day.last().is_some_and(|l| l.t_ns > t_ns) {
            continue;
        }
        let flow = (pulses * UL_PER_H_PER_PULSE) as i64;
        match day.last_mut() {
            Some(last) if last.t_ns == t_ns => last.ul_per_h = flow,
            _ => day.push(Step { t_ns, ul_per_h: flow }),
        }
        day.push(Step { t_ns: t_ns + ROW_NS, ul_per_h: 0 });
    }
    let shifted = |i: u64| day.iter().map(move |s| Step { t_ns: s.t_ns + i * DAYS * DAY_NS, ..*s });
    let mut steps: Vec<Step> = (0..TIMES).flat_map(shifted).collect();
    steps.push(Step { t_ns: TIMES * DAYS * DAY_NS, ul_per_h: 0 });
    let name = |v: f64| format!("CIWS water as gas, {v} L a pulse");
    let one = |v| Recording { repeated: true, ..Recording::new(name(v), steps.clone(), midnight, v) };
    Ok(vec![one(10.0), one(1.0)])
}
