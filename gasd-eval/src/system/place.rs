// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must be known of a home to inject a leak into it: of a generated one the generator says it, of a
//! recorded one the recording.

use super::trial::{Limit, Trial, Wrong};
use crate::detector::Level;
use crate::household::Household;
use crate::household::calendar::{DAY_NS, HOUR_NS};
use crate::household::meter::Meter;
use crate::household::truth::Season;
use crate::leak::recordings::Recording;
use crate::leak::{Leak, Shape};
use crate::random::splitmix::Rng;

/// A home.
pub trait Place {
    /// When a day begins, ns.
    fn start_ns(&self, day: u32) -> u64;
    /// What its appliances can take together, m³/h.
    fn connected_m3_per_h(&self, day: u32) -> f64;
    /// How gas is used around a day; the hours count from the day's start.
    fn season(&self, day: u32) -> Season;
    /// Its meter.
    fn meter(&self) -> Meter;
    /// A burner that stays on after one of its uses on days `[from, to)`.
    fn forgotten(&self, _rng: &mut Rng, _from_day: u32, _to_day: u32) -> Option<Trial> {
        None
    }
}

impl Place for Household {
    fn start_ns(&self, day: u32) -> u64 {
        self.calendar().start_ns(day)
    }

    fn connected_m3_per_h(&self, day: u32) -> f64 {
        Self::connected_m3_per_h(self, day)
    }

    fn season(&self, day: u32) -> Season {
        Self::season(self, day)
    }

    fn meter(&self) -> Meter {
        Self::meter(self)
    }

    fn forgotten(&self, rng: &mut Rng, from_day: u32, to_day: u32) -> Option<Trial> {
        let burner = self.some_burner(rng);
        let learned = self.uses(burner, 0, from_day);
        let longest_ns = learned.iter().map(|u| u.end_ns - u.start_ns).max()?;
        let later = self.uses(burner, from_day, to_day);
        if learned.len() < 5 || later.is_empty() {
            return None;
        }
        let stays = later[rng.below(later.len())];
        let leak = Leak::new(stays.end_ns, stays.ul_per_h as f64 * 1e-9, Shape::Constant);
        let all = self.uses(burner, 0, 3 * 365);
        let mut lengths: Vec<u64> = all.iter().map(|u| u.end_ns - u.start_ns).collect();
        lengths.sort_unstable();
        let rare_ns = *lengths.get(lengths.len() * 999 / 1000)?;
        let limit = Limit::Use { longest_ns, rare_ns };
        let wrong = Wrong::Forgotten { leak, appliance: burner };
        Some(Trial::new(wrong, stays.start_ns, 24 * HOUR_NS, Level::Warning, limit))
    }
}

impl Place for Recording {
    fn start_ns(&self, day: u32) -> u64 {
        u64::from(day) * DAY_NS
    }

    fn connected_m3_per_h(&self, _day: u32) -> f64 {
        self.largest_m3_per_h()
    }

    fn season(&self, _day: u32) -> Season {
        Self::season(self)
    }

    fn meter(&self) -> Meter {
        self.meter
    }
}
