// SPDX-License-Identifier: MIT OR Apache-2.0
//! Homes that are generated: every day is a pure function of the home's seed and the day, so that any
//! stretch of a home's life can be made again and a leak can begin at any moment of it.
//!
//! A home's flow is a sum of stretches of constant flow ([`segment`]); a meter turns it into pulses
//! ([`meter`]). What the generator knows and a detector must find out is told by [`truth`].
//!
//! Numbers without a source are choices; `tests/homes.rs` holds what comes out of them (yearly
//! volumes, hours with gas) against recordings of real homes.

pub mod appliance;
pub mod calendar;
mod cooking;
mod day;
pub mod flow;
mod habits;
mod heating;
pub mod meter;
pub mod presence;
pub mod segment;
pub mod sum;
pub mod truth;
mod water;
mod weather;
pub mod zone;

use std::sync::Arc;

use crate::random::splitmix::Rng;
use appliance::{Appliance, HomeType, Kind};
use calendar::Calendar;
use day::Day;
use flow::HomeFlow;
use habits::Habits;
use meter::{Meter, Pulses};
use segment::{Segment, carve, settle};
use weather::Climate;

/// A home.
#[derive(Clone, Debug)]
pub struct Household {
    seed: u64,
    home: HomeType,
    calendar: Calendar,
    climate: Climate,
    habits: Habits,
    appliances: Vec<Appliance>,
    meter: Meter,
    exchange_day: u32,
}

impl Household {
    /// The home of a seed, whose meter has 10, 1 or 0.1 L a pulse as often as `weights` say.
    #[must_use]
    pub fn with_meters(seed: u64, weights: [f64; 3]) -> Self {
        let mut rng = Rng::new(seed, 0x40e, 0);
        let (home, appliances) = appliance::draw(&mut rng);
        let load = connected(&appliances, 0);
        let mut household = Self {
            seed,
            home,
            calendar: Calendar::new(rng.below(366) as u32),
            climate: Climate::new(seed),
            habits: Habits::draw(&mut rng),
            appliances,
            meter: Meter::draw(&mut rng, load, weights),
            // A meter lasts twenty years.
            exchange_day: rng.exponential(20.0 * 365.0) as u32 + 1,
        };
        household.meter.seed = rng.bits();
        household
    }

    /// The home of a seed: half of the meters have 10 L a pulse, one in twenty has 0.1.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_meters(seed, [0.5, 0.45, 0.05])
    }

    /// What burns on `day`. Pilot flames burn always and are not among it. Stretches lie within the
    /// day; those of one appliance follow each other and do not overlap.
    #[must_use]
    pub fn day(&self, day: u32) -> Vec<Segment> {
        let mut writing = Day::new(self, day);
        let away = writing.presence.away;
        // A boiler makes hot water or heats, never both: hot water comes first.
        water::wash(&mut writing);
        if !away {
            let mut rng = writing.rng(0x1a7e);
            if rng.chance(self.habits.nights / 365.0) {
                let hour = 24.0 + rng.range(0.3, 3.7);
                if rng.chance(0.7) || !water::night_shower(&mut writing, &mut rng, hour) {
                    cooking::night_kitchen(&mut writing, &mut rng, hour);
                }
            }
        }
        let washed = core::mem::take(&mut writing.segments);
        heating::heat(&mut writing);
        if !writing.segments.is_empty() {
            for draw in &washed {
                carve(&mut writing.segments, Some(draw.appliance), draw.start_ns, draw.end_ns);
            }
        }
        writing.segments.extend(washed);
        if !away {
            cooking::cook(&mut writing);
            heating::fire(&mut writing);
            heating::dry(&mut writing);
        }
        let mut segments = writing.segments;
        settle(&mut segments);
        if day == self.exchange_day {
            let (from, to) = self.exchange_ns();
            carve(&mut segments, None, from, to);
            settle(&mut segments);
        }
        segments
    }

    /// The home's flow from day 0 on.
    #[must_use]
    pub fn flow(self: &Arc<Self>) -> HomeFlow {
        HomeFlow::new(Arc::clone(self))
    }

    /// The meter's pulses from day 0 on.
    #[must_use]
    pub fn pulses(self: &Arc<Self>) -> Pulses<HomeFlow> {
        Pulses::new(self.flow(), self.meter)
    }

    /// The meter's pulses of `[from, to)`: the same as the ones that a run from day 0 has there.
    pub fn pulses_between(self: &Arc<Self>, from_ns: u64, to_ns: u64) -> impl Iterator<Item = u64> + use<> {
        let mut pulses = self.pulses();
        pulses.skip_to(from_ns);
        std::iter::from_fn(move || pulses.next_before(to_ns))
    }

    /// When the old meter is off the pipe and the new one not yet on it, ns.
    fn exchange_ns(&self) -> (u64, u64) {
        (self.calendar.at_ns(self.exchange_day, 10.0), self.calendar.at_ns(self.exchange_day, 10.7))
    }
}

/// What `appliances` can take together on `day`, m³/h.
fn connected(appliances: &[Appliance], day: u32) -> f64 {
    appliances.iter().filter(|a| a.present(day)).map(|a| a.max_m3_per_h).sum()
}

/// Flow of the pilot flames, µL/h.
fn pilots_ul_per_h(appliances: &[Appliance]) -> i64 {
    appliances.iter().filter(|a| a.kind == Kind::Pilot).map(|a| a.ul_per_h(a.max_m3_per_h)).sum()
}
