// SPDX-License-Identifier: MIT OR Apache-2.0
//! Classes of leaks: where and when each is injected, and what is asked of a detector.

use super::place::Place;
use super::trial::{Limit, Trial, Wrong};
use crate::detector::Level;
use crate::household::calendar::{DAY_NS, HOUR_NS, SECOND_NS};
use crate::leak::fault::Fault;
use crate::leak::{Leak, Shape};
use crate::random::splitmix::Rng;

/// An hour in which gas flows on at most this share of days is one in which it hardly ever does.
pub(crate) const HARDLY_EVER: f64 = 0.02;
/// A home has a zero hour if this share of its days has one.
pub(crate) const HAS_ZERO_HOUR: f64 = 0.95;

/// 10 % of the lower explosion limit in a sealed kitchen of 20 m³, L.
const HOSE_L: f64 = 88.0;
/// Asked at quiet hours, L.
const QUIET_L: f64 = 150.0;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Class {
    /// More than all appliances can take: a hose has come off.
    HoseOff,
    /// 0.2–2.5 m³/h at an hour when the home hardly ever uses gas.
    QuietHour,
    /// A burner that stays on after one of its uses.
    Forgotten,
    /// 20 L/h in a home that has an hour without gas on most days.
    MicroZeroHour,
    /// 20 L/h in a home that has none.
    MicroElsewhere,
    /// 5 L/h that grow by 1 % a day.
    Growing,
    /// A constant leak at any time, m³/h.
    Constant(f64),
    /// No pulses any more.
    Silent,
    /// The contact bounces.
    Bouncing,
    /// More pulses than the meter can make.
    Impossible,
}

impl Class {
    /// All that the issue asks about, and the sweep of constant leaks for the curve.
    pub const ALL: [Self; 17] = [
        Self::HoseOff,
        Self::QuietHour,
        Self::Forgotten,
        Self::MicroZeroHour,
        Self::MicroElsewhere,
        Self::Growing,
        Self::Constant(0.02),
        Self::Constant(0.05),
        Self::Constant(0.1),
        Self::Constant(0.2),
        Self::Constant(0.5),
        Self::Constant(1.0),
        Self::Constant(2.0),
        Self::Constant(6.0),
        Self::Silent,
        Self::Bouncing,
        Self::Impossible,
    ];

    /// The name in tables.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::HoseOff => "hose off".into(),
            Self::QuietHour => "≥0.2 m³/h at a quiet hour".into(),
            Self::Forgotten => "forgotten burner".into(),
            Self::MicroZeroHour => "20 L/h, home with a zero hour".into(),
            Self::MicroElsewhere => "20 L/h, home without".into(),
            Self::Growing => "5 L/h growing 1 % a day".into(),
            Self::Constant(q) => format!("{q} m³/h at any time"),
            Self::Silent => "no pulses although gas is used".into(),
            Self::Bouncing => "bouncing contact".into(),
            Self::Impossible => "impossible rate".into(),
        }
    }

    /// What must be, in words.
    #[must_use]
    pub const fn asked(self) -> &'static str {
        match self {
            Self::HoseOff => "≥99 % critical within 88 L",
            Self::QuietHour => "≥90 % warned within 150 L",
            Self::Forgotten => "≥95 % warned by 1.5 × the longest use so far",
            Self::MicroZeroHour => "warned within 24 h",
            Self::MicroElsewhere => "warned within 7 days",
            Self::Growing => "warned within 7 days of 20 L/h",
            Self::Constant(_) => "for the curve: 88 L",
            Self::Silent => "warned within 31 days",
            Self::Bouncing => "warned within a day, never critical",
            Self::Impossible => "warned within an hour, never critical",
        }
    }

    /// Gas flows that should not.
    #[must_use]
    pub const fn leaks(self) -> bool {
        !matches!(self, Self::Silent | Self::Bouncing | Self::Impossible)
    }

    /// The limit in litres, if it is one.
    #[must_use]
    pub const fn litres(self) -> Option<f64> {
        match self {
            Self::HoseOff | Self::Constant(_) => Some(HOSE_L),
            Self::QuietHour => Some(QUIET_L),
            _ => None,
        }
    }

    /// The name of its plot.
    #[must_use]
    pub fn file(self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name = self.name().replace('≥', "").replace('³', "3");
        let dashed: String = name.chars().map(plain).collect();
        dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }

    /// The share that must be detected, if one is asked.
    #[must_use]
    pub const fn share(self) -> Option<f64> {
        match self {
            Self::HoseOff => Some(0.99),
            Self::QuietHour => Some(0.90),
            Self::Forgotten => Some(0.95),
            Self::MicroZeroHour | Self::MicroElsewhere | Self::Growing => Some(1.0),
            _ => None,
        }
    }

    /// How the trials of this class are weighed against the others: what runs for months is done
    /// less often.
    #[must_use]
    pub const fn effort(self) -> f64 {
        match self {
            Self::Growing => 0.1,
            Self::HoseOff => 2.0,
            _ => 1.0,
        }
    }

    /// A trial in `home` at a random time of `[from, to)` days; `None` if the home has no such time.
    #[must_use]
    pub fn draw(self, home: &impl Place, rng: &mut Rng, from_day: u32, to_day: u32) -> Option<Trial> {
        let (from, to) = (home.start_ns(from_day), home.start_ns(to_day));
        let at = from + (rng.unit() * (to - from) as f64) as u64;
        let leak = |at, q| Wrong::Leak(Leak::new(at, q, Shape::Constant));
        let zero_hour = |day| home.season(day).zero_hour >= HAS_ZERO_HOUR;
        let fault = |fault, hours: u64, limit_h: u64| {
            let wrong = Wrong::Fault { fault, from_ns: at, to_ns: at + hours * HOUR_NS };
            Trial::new(wrong, at, limit_h * HOUR_NS, Level::Warning, Limit::Delay(limit_h * HOUR_NS))
        };
        Some(match self {
            Self::HoseOff => {
                let load = home.connected_m3_per_h(to_day);
                let q = rng.log_range((load * 1.05).max(2.5), (load * 1.5).max(10.0));
                Trial::new(leak(at, q), at, HOUR_NS, Level::Critical, Limit::Litres(HOSE_L))
            }
            Self::QuietHour => {
                let at = quiet(home, rng, from_day, to_day)?;
                let q = rng.log_range(0.2, 2.5);
                let horizon = 24 * HOUR_NS;
                Trial::new(leak(at, q), at, horizon, Level::Warning, Limit::Litres(QUIET_L))
            }
            Self::Forgotten => home.forgotten(rng, from_day, to_day)?,
            Self::MicroZeroHour if zero_hour(from_day) => {
                let limit = Limit::Delay(DAY_NS);
                Trial::new(leak(at, 0.02), at, 8 * DAY_NS, Level::Warning, limit)
            }
            Self::MicroElsewhere if !zero_hour(from_day) => {
                let limit = Limit::Delay(7 * DAY_NS);
                Trial::new(leak(at, 0.02), at, 14 * DAY_NS, Level::Warning, limit)
            }
            Self::MicroZeroHour | Self::MicroElsewhere => return None,
            Self::Growing => {
                let wrong = Wrong::Leak(Leak::new(at, 0.005, Shape::Growing { per_day: 0.01 }));
                // 1.01^139.3 = 4: 20 L/h.
                let limit = 146 * DAY_NS;
                Trial::new(wrong, at, 180 * DAY_NS, Level::Warning, Limit::Delay(limit))
            }
            Self::Constant(q) => {
                let horizon = if q < 0.15 { 8 * DAY_NS } else { DAY_NS };
                Trial::new(leak(at, q), at, horizon, Level::Warning, Limit::Litres(HOSE_L))
            }
            // The rule waits for 30 days: people travel.
            Self::Silent => fault(Fault::Silent, 31 * 24, 31 * 24),
            Self::Bouncing => {
                let extra = 1 + rng.below(4) as u32;
                fault(Fault::Bouncing { extra }, 24, 24)
            }
            Self::Impossible => {
                // What a house main can push through a torn pipe is 3.3 times the meter's largest flow (22 mbar
                // where 2 are lost at that flow): more is no gas.
                let fast = home.meter().max_m3_per_h * rng.log_range(5.0, 50.0) / 3.6;
                let every_ns = (home.meter().pulse_l / fast * SECOND_NS as f64) as u64;
                fault(Fault::Impossible { every_ns }, 1, 1)
            }
        })
    }
}

/// A moment in the first half of an hour in which the home hardly ever uses gas.
fn quiet(home: &impl Place, rng: &mut Rng, from_day: u32, to_day: u32) -> Option<u64> {
    let season = home.season(from_day);
    let hours: Vec<usize> = (0..24).filter(|h| season.busy[*h] <= HARDLY_EVER).collect();
    if hours.is_empty() {
        return None;
    }
    let day = from_day + rng.below((to_day - from_day) as usize) as u32;
    let hour = hours[rng.below(hours.len())] as f64 + rng.range(0.0, 0.5);
    Some(home.start_ns(day) + (hour * HOUR_NS as f64) as u64)
}
