// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the generated homes come to, for a look at whether they could be real.

use std::fmt::Write;
use std::sync::Arc;

use super::Household;
use super::appliance::HomeType;
use super::calendar::{DAY_NS, HOUR_NS};

/// One home's first year.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// Volume, m³.
    pub m3: f64,
    /// Uses a day, every lighting of a flame counted.
    pub uses_a_day: f64,
    /// Hours of the clock with a use, a day.
    pub hours_a_day: f64,
    /// Hours of the day in which gas flows on at most one day in fifty, in mid-winter and mid-summer.
    pub quiet_hours: [f64; 2],
    /// Share of days with an hour of no flow at all.
    pub zero_hour: f64,
    /// The longest run of clock hours with a pulse each.
    pub longest_run_h: f64,
    /// What all appliances can take, m³/h.
    pub connected_m3_per_h: f64,
}

impl Sum {
    /// Lives through a year.
    #[must_use]
    pub fn of(home: &Arc<Household>) -> Self {
        let mean = |total: f64| total / 365.0;
        let hours = |day| home.hours_with_use(day).iter().filter(|h| **h).count() as f64;
        let uses = |a| home.uses(a as u8, 0, 365).len() as f64;
        // The stream begins anywhere in the year.
        let at = |part: f64| {
            let offset = (part - home.calendar().year_fraction(0)).rem_euclid(1.0) * 365.0;
            home.season(offset as u32)
        };
        let (winter, summer) = (at(0.04), at(0.54));
        let quiet = [&winter, &summer].map(|s| s.busy.iter().filter(|b| **b <= 0.02).count() as f64);
        Self {
            m3: (0..365).map(|d| home.day_l(d)).sum::<f64>() / 1000.0,
            uses_a_day: mean((0..home.appliances().len()).map(uses).sum()),
            hours_a_day: mean((0..365).map(hours).sum()),
            quiet_hours: quiet,
            zero_hour: f64::midpoint(winter.zero_hour, summer.zero_hour),
            longest_run_h: longest_run(home.pulses_between(0, 365 * DAY_NS)),
            connected_m3_per_h: home.connected_m3_per_h(0),
        }
    }
}

/// The longest run of hours of the clock with a pulse each.
pub fn longest_run(pulses: impl Iterator<Item = u64>) -> f64 {
    let (mut last, mut run, mut longest) = (u64::MAX, 0, 0);
    for hour in pulses.map(|t| t / HOUR_NS) {
        run = match hour.wrapping_sub(last) {
            0 => run,
            1 => run + 1,
            _ => 1,
        };
        (last, longest) = (hour, longest.max(run));
    }
    f64::from(longest)
}

/// Quantiles by kind of home, in Markdown.
#[must_use]
pub fn table(homes: u64) -> String {
    let all: Vec<(HomeType, Sum)> = (0..homes)
        .map(|seed| Arc::new(Household::new(seed)))
        .map(|home| (home.home_type(), Sum::of(&home)))
        .collect();
    let mut out = String::from(
        "10 / 50 / 90 % of homes\n\n| home | homes | m³ a year | uses a day | hours with use a day | quiet hours winter | quiet hours summer | days with a zero hour | longest run of hours with pulses | connected load m³/h |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for kind in HomeType::ALL {
        let mine: Vec<Sum> = all.iter().filter(|a| a.0 == kind).map(|a| a.1).collect();
        if mine.is_empty() {
            continue;
        }
        let q = |value: &dyn Fn(&Sum) -> f64, digits: usize| {
            let mut sorted: Vec<f64> = mine.iter().map(value).collect();
            sorted.sort_by(f64::total_cmp);
            let at =
                |q: f64| format!("{:.digits$}", sorted[((sorted.len() - 1) as f64 * q).round() as usize]);
            [0.1, 0.5, 0.9].map(at).join(" / ")
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            kind.name(),
            mine.len(),
            q(&|s| s.m3, 0),
            q(&|s| s.uses_a_day, 1),
            q(&|s| s.hours_a_day, 1),
            q(&|s| s.quiet_hours[0], 0),
            q(&|s| s.quiet_hours[1], 0),
            q(&|s| s.zero_hour, 2),
            q(&|s| s.longest_run_h, 0),
            q(&|s| s.connected_m3_per_h, 1),
        );
    }
    out
}
