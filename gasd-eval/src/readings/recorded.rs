// SPDX-License-Identifier: MIT OR Apache-2.0
//! IDEAL's hours as what they are: readings of a register each hour. Nothing is made up within an hour, so
//! this is the least that can be said of the recorded homes.

use std::path::Path;

use gasd_detect::Readings;

use super::polled::{MODULUS_UL, alarm, config};
use crate::detector::Alarm;
use crate::household::calendar::HOUR_NS;
use crate::household::zone::Zone;
use crate::leak::recordings::ideal_hours;
use crate::system::homes::LEARNING_DAYS;
use crate::system::judge::Spec;

/// A pulse of IDEAL's meters, L.
const STEP_L: f64 = 10.0;

/// What was said of one recorded home.
pub struct Heard {
    /// Days after learning.
    pub days: f64,
    /// Alarms after learning.
    pub alarms: Vec<Alarm>,
}

/// Every recorded home, or why there is none.
pub fn hear(folder: &Path) -> Result<Vec<Heard>, String> {
    let homes = ideal_hours(folder)?;
    homes.iter().map(|(name, rows)| one(rows).map_err(|why| format!("{name}: {why}"))).collect()
}

fn one(rows: &[(i64, f64)]) -> Result<Heard, String> {
    let Some(first) = rows.first().map(|row| row.0) else { return Err("it is empty".into()) };
    let civil_ns = first * HOUR_NS as i64;
    let spec = Spec { pulse_l: STEP_L, max_m3_per_h: 6.0, zone: Zone::Fixed(civil_ns) };
    let mut readings = Readings::new(config(&spec, HOUR_NS)).map_err(|why| why.to_string())?;
    readings.set_civil_offset(civil_ns);
    let learned_ns = u64::from(LEARNING_DAYS) * 24 * HOUR_NS;
    let (mut passed_l, mut alarms, mut end_ns) = (0.0, Vec::new(), 0);
    for (hour, m3) in rows {
        // A row is what passed in the hour that it names, read at its end.
        end_ns = (hour - first + 1) as u64 * HOUR_NS;
        passed_l += m3 * 1000.0;
        let register_ul = (passed_l / STEP_L + 0.5) as u64 * spec.pulse_ul() % MODULUS_UL;
        readings.reading(register_ul, end_ns, &mut |v| alarms.extend(alarm(&v, end_ns)));
    }
    alarms.retain(|alarm| alarm.t_ns >= learned_ns);
    let days = end_ns.saturating_sub(learned_ns) as f64 / (24 * HOUR_NS) as f64;
    Ok(Heard { days, alarms })
}
