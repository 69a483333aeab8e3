// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a home's people live: hours, frequencies, tastes. Drawn once a home.

use crate::random::splitmix::Rng;

/// Habits of a home. Hours are of the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// How many live there.
    pub persons: f64,
    /// When they get up on a working day.
    pub wake_h: f64,
    /// When they go to bed.
    pub bed_h: f64,
    /// Somebody is at home on working days.
    pub home_by_day: bool,
    /// Chance of a hot breakfast.
    pub breakfast: f64,
    /// Chance that lunch is cooked on a working day.
    pub lunch: f64,
    /// Chance that dinner is cooked.
    pub dinner: f64,
    /// When dinner is cooked.
    pub dinner_h: f64,
    /// Kettles a day.
    pub tea: f64,
    /// Chance that a meal needs the oven.
    pub oven: f64,
    /// How long this home's dishes take, as a factor on the usual.
    pub slow_food: f64,
    /// Chance of a shower per person in a day.
    pub shower: f64,
    /// Share of showers in the morning.
    pub morning_shower: f64,
    /// How long they shower: median, minutes.
    pub shower_min: f64,
    /// Heat loss of the house, kW/K.
    pub loss_kw_per_k: f64,
    /// Temperature by day, °C.
    pub room_c: f64,
    /// How much cooler at night, K. With `None` the heating is off at night, as in 19 of the 22 homes
    /// of IDEAL, which never burnt gas in every hour of three days.
    pub setback_k: Option<f64>,
    /// The heating is on all day while somebody is at home; else mornings and evenings.
    pub heats_all_day: bool,
    /// Uses at night, a year: tea, a late meal, a late shower.
    pub nights: f64,
}

impl Habits {
    /// Draws them.
    pub fn draw(rng: &mut Rng) -> Self {
        let home_by_day = rng.chance(0.3);
        Self {
            persons: 1.0 + f64::from(rng.poisson(1.4).min(5)),
            wake_h: rng.range(5.5, 7.8),
            bed_h: rng.range(21.8, 24.2),
            home_by_day,
            breakfast: rng.range(0.05, 0.7),
            lunch: if home_by_day { rng.range(0.3, 0.8) } else { rng.range(0.0, 0.1) },
            dinner: rng.range(0.4, 0.95),
            dinner_h: rng.range(17.0, 20.0),
            tea: rng.range(0.0, 3.5),
            oven: rng.range(0.05, 0.3),
            slow_food: rng.log_range(0.7, 1.4),
            shower: rng.range(0.5, 0.95),
            morning_shower: rng.unit(),
            shower_min: rng.log_range(4.5, 9.0),
            loss_kw_per_k: rng.log_range(0.12, 0.36),
            room_c: rng.range(18.5, 21.5),
            setback_k: rng.chance(0.10).then(|| rng.range(2.0, 4.0)),
            heats_all_day: rng.chance(0.15),
            nights: rng.range(0.5, 6.0),
        }
    }
}
