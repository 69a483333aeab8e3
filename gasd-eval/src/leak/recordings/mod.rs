// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real homes' flows, as a gas meter would see them, to inject leaks into.
//!
//! No recording of a gas meter's pulses is at hand. There are pulses and flows of water, which people
//! draw as they draw hot water, and hourly sums of gas. How each becomes gas is said where it is read;
//! sources and licences are in the folder of the recordings.

mod ciws;
mod ideal;
mod weusedto;

pub use ideal::hours as ideal_hours;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::household::calendar::{DAY_NS, HOUR_NS};
use crate::household::flow::{Recorded, Step};
use crate::household::meter::{Meter, Pulses};
use crate::household::truth::Season;
use crate::random::splitmix::{Rng, mix};

/// A flow that was recorded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its name in tables.
    pub name: String,
    /// The same days come again and again: no more meter-years than there are.
    pub repeated: bool,
    /// The flow. Time 0 is a midnight (UTC).
    pub steps: Arc<[Step]>,
    /// Whole days that it lasts.
    pub days: u32,
    /// Time 0, ns since 1970.
    pub civil_offset_ns: i64,
    /// The meter it is seen by.
    pub meter: Meter,
}

/// Where the recordings are: `$GASD_SHARED/data`, or beside the workspace.
#[must_use]
pub fn folder() -> PathBuf {
    std::env::var_os("GASD_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        |shared| PathBuf::from(shared).join("data"),
    )
}

/// Every recording that is in `folder`. What cannot be read is told, and left out.
#[must_use]
pub fn read(folder: &Path) -> (Vec<Recording>, Vec<String>) {
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for found in [ciws::read(folder), weusedto::read(folder), ideal::read(folder)] {
        match found {
            Ok(found) => all.extend(found),
            Err(why) => missing.push(why),
        }
    }
    (all, missing)
}

impl Recording {
    /// A recording as a meter of `pulse_l` sees it. `steps` are cut to whole days, and gaps to less
    /// than a week.
    fn new(name: String, mut steps: Vec<Step>, offset_s: i64, pulse_l: f64) -> Self {
        close_gaps(&mut steps);
        let days = steps.last().map_or(0, |s| s.t_ns / DAY_NS) as u32;
        steps.retain(|s| s.t_ns < u64::from(days) * DAY_NS);
        let seed = name.bytes().fold(pulse_l.to_bits(), |seed, b| mix(seed ^ u64::from(b)));
        let mut meter = Meter::draw(&mut Rng::new(seed, 0x4ec, 0), 0.0, [1.0, 0.0, 0.0]);
        (meter.pulse_l, meter.max_m3_per_h) = (pulse_l, 6.0);
        let civil_offset_ns = offset_s * 1_000_000_000;
        Self { name, repeated: false, steps: steps.into(), days, civil_offset_ns, meter }
    }

    /// Its pulses from the beginning.
    #[must_use]
    pub fn pulses(&self) -> Pulses<Recorded> {
        Pulses::new(Recorded::new(Arc::clone(&self.steps)), self.meter)
    }

    /// The largest flow in it that lasts, m³/h: 99.9 % of the time with flow has less.
    #[must_use]
    pub fn largest_m3_per_h(&self) -> f64 {
        let pairs = self.steps.iter().zip(self.steps.iter().skip(1));
        let mut spans: Vec<(i64, u64)> = pairs.map(|(a, b)| (a.ul_per_h, b.t_ns - a.t_ns)).collect();
        spans.retain(|s| s.0 > 0);
        spans.sort_unstable();
        let mut left: u64 = spans.iter().map(|s| s.1).sum::<u64>() / 1000;
        let over = |s: &&(i64, u64)| {
            left = left.saturating_sub(s.1);
            left == 0
        };
        spans.iter().rev().find(over).map_or(0.0, |s| s.0 as f64 * 1e-9)
    }

    /// How gas is used, over all of it.
    #[must_use]
    pub fn season(&self) -> Season {
        let mut hours = vec![false; self.days as usize * 24];
        for (a, b) in self.steps.iter().zip(self.steps.iter().skip(1)).filter(|p| p.0.ul_per_h > 0) {
            let (first, last) = (a.t_ns / HOUR_NS, (b.t_ns - 1) / HOUR_NS);
            for hour in hours.iter_mut().take(last as usize + 1).skip(first as usize) {
                *hour = true;
            }
        }
        let days = f64::from(self.days.max(1));
        let busy = core::array::from_fn(|h| {
            hours.iter().skip(h).step_by(24).filter(|busy| **busy).count() as f64 / days
        });
        let zero = hours.chunks(24).filter(|day| day.iter().any(|busy| !busy)).count() as f64 / days;
        Season { busy, zero_hour: zero }
    }
}

/// Takes whole weeks out of what was not recorded, so that the hour and the weekday stay.
fn close_gaps(steps: &mut [Step]) {
    let week = 7 * DAY_NS;
    let (mut cut, mut last) = (0, 0);
    for step in steps {
        let gap = step.t_ns - last;
        last = step.t_ns;
        cut += if gap > 3 * DAY_NS { gap / week * week } else { 0 };
        step.t_ns -= cut;
    }
}

/// A file's text, or why there is none.
fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// Days from 1970 to a date (Hinnant's `days_from_civil`).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
