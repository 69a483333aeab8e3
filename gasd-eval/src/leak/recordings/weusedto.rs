// SPDX-License-Identifier: MIT OR Apache-2.0
//! WEUSEDTO (Di Mauro et al., CC BY 4.0): water of a flat in Naples at its fixtures, mL in a second when it flows.
//!
//! What shower, wash basin, kitchen and bidet draw is taken as hot water of a tankless heater: 25 K warmer at
//! 90 % of 10 kWh/m³. The whole-house file is full of values that cannot be (−2.6·10⁸): as a flow
//! it is of no use.

use std::path::Path;

use super::{Recording, text};
use crate::household::calendar::SECOND_NS;
use crate::household::flow::Step;

/// 1 mL/s of water by 25 K are 105 W; 9 kWh/m³ get through.
const UL_PER_H_PER_ML_S: f64 = 0.0116e9;
/// Less than 30 mL/s (1.8 L/min) does not light a tankless heater.
const LIGHTS_UL_PER_H: i64 = 348_000_000;
/// A value holds for so long if no other follows, s.
const HOLDS_S: i64 = 2;
/// More than a tap can give, mL/s.
const MOST_ML_S: f64 = 400.0;
/// A tankless heater of 24 kW takes no more, however much water is drawn: it becomes less warm.
const MOST_UL_PER_H: i64 = 2_700_000_000;

const FIXTURES: [&str; 4] = ["Shower", "Washbasin", "Kitchenfaucet", "Bidet"];

/// As a meter of 10 and of 1 L.
pub fn read(folder: &Path) -> Result<Vec<Recording>, String> {
    let mut changes: Vec<(i64, i64)> = Vec::new();
    for fixture in FIXTURES {
        let text = text(&folder.join(format!("weusedto/Dataset/feed_{fixture}.MYD.csv")))?;
        let mut rows: Vec<(i64, f64)> = text.lines().filter_map(row).collect();
        rows.sort_by_key(|r| r.0);
        for (i, (t, ml)) in rows.iter().enumerate() {
            let next = rows.get(i + 1).map_or(i64::MAX, |r| r.0);
            let flow = (ml.clamp(0.0, MOST_ML_S) * UL_PER_H_PER_ML_S) as i64;
            changes.extend([(*t, flow), (next.min(t + HOLDS_S), -flow)]);
        }
    }
    changes.sort_unstable();
    let Some(first) = changes.first() else { return Err("weusedto: no rows".into()) };
    let midnight = (first.0 / 86_400 + 1) * 86_400;
    let mut steps: Vec<Step> = Vec::new();
    let mut flow = 0;
    for (t, change) in changes {
        flow += change;
        if t < midnight || change == 0 {
            continue;
        }
        let step = Step {
            t_ns: (t - midnight) as u64 * SECOND_NS,
            ul_per_h: if flow < LIGHTS_UL_PER_H { 0 } else { flow.min(MOST_UL_PER_H) },
        };
        match steps.last_mut() {
            Some(last) if last.t_ns == step.t_ns => *last = step,
            _ => steps.push(step),
        }
    }
    let name = |v: f64| format!("WEUSEDTO hot water as gas, {v} L a pulse");
    Ok([10.0, 1.0].map(|v| Recording::new(name(v), steps.clone(), midnight, v)).into())
}

/// Seconds since 1970 and mL; the files differ in what parts the two.
fn row(line: &str) -> Option<(i64, f64)> {
    let mut fields = line.split([',', ' ']);
    let t: i64 = fields.next()?.parse().ok()?;
    // 2019 to 2020; some clocks were at zero.
    (1_500_000_000..1_650_000_000).contains(&t).then_some(())?;
    Some((t, fields.next()?.trim().parse().ok()?))
}
