// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hot water: showers, baths, dishes and hands; made at once or from a store.

use super::appliance::{Appliance, Kind};
use super::day::Day;
use crate::random::splitmix::Rng;

const PURPOSE: u64 = 0x3a7e;

/// A draw of hot water.
struct Draw {
    hour: f64,
    minutes: f64,
    /// Share of the heater's full power.
    load: f64,
}

/// A day's hot water.
pub fn wash(day: &mut Day<'_>) {
    let heater = day
        .find(|a| a.kind == Kind::Tankless)
        .or_else(|| day.find(|a| a.kind == Kind::Storage))
        .or_else(|| day.find(|a| a.kind == Kind::Boiler));
    let Some((index, heater)) = heater else { return };
    let mut rng = day.rng(PURPOSE);
    let draws = if day.presence.away { Vec::new() } else { draws(day, &mut rng) };
    if heater.kind == Kind::Storage {
        refill(day, &mut rng, index, heater, draws);
        return;
    }
    // Mains water is 8 K colder at the end of the winter: 15 % more of the burner.
    let year = day.home.calendar.year_fraction(day.day);
    let season = 1.0 + 0.15 * (core::f64::consts::TAU * (year - 0.12)).cos();
    for draw in draws {
        let flow = heater.max_m3_per_h * draw.load * season;
        day.put(&mut rng, index, draw.hour, draw.minutes, flow);
    }
}

/// A late shower, a few times a year.
pub fn night_shower(day: &mut Day<'_>, rng: &mut Rng, hour: f64) -> bool {
    let Some((index, heater)) = day.find(|a| matches!(a.kind, Kind::Tankless | Kind::Boiler)) else {
        return false;
    };
    let minutes = rng.log_normal(day.home.habits.shower_min, 0.4).min(25.0);
    day.put(rng, index, hour, minutes, heater.max_m3_per_h * 0.6);
    true
}

fn draws(day: &Day<'_>, rng: &mut Rng) -> Vec<Draw> {
    let habits = day.home.habits;
    let wake = habits.wake_h + if day.presence.off { 1.3 } else { 0.0 };
    let people = (habits.persons * day.presence.busy).round() as u32;
    let mut all = Vec::new();
    let load = rng.range(0.55, 0.8);
    for _ in 0..people {
        if rng.chance(habits.shower) {
            let morning = rng.chance(habits.morning_shower);
            let hour = if morning { wake + 0.4 + 0.3 * rng.normal() } else { 20.8 + 0.9 * rng.normal() };
            let minutes = rng.log_normal(habits.shower_min, 0.4).min(35.0);
            all.push(Draw { hour, minutes, load: load + 0.03 * rng.normal() });
        } else if rng.chance(0.12) {
            let minutes = rng.log_normal(12.0, 0.25).min(30.0);
            all.push(Draw { hour: 20.0 + 1.0 * rng.normal(), minutes, load: 1.0 });
        }
    }
    if rng.chance(0.5 * habits.dinner) {
        let minutes = rng.log_normal(4.0, 0.5).min(15.0);
        all.push(Draw { hour: habits.dinner_h + 1.3 + 0.3 * rng.normal(), minutes, load: 0.4 });
    }
    for _ in 0..rng.poisson(1.5 + 1.5 * f64::from(people)) {
        let by_day = day.presence.off || habits.home_by_day || rng.chance(0.15);
        let hour = match (by_day, rng.chance(0.3)) {
            (true, _) => rng.range(wake, habits.bed_h),
            (false, true) => rng.range(wake, wake + 1.2),
            (false, false) => rng.range(17.0, habits.bed_h),
        };
        let minutes = rng.log_normal(0.6, 0.8).min(6.0);
        all.push(Draw { hour, minutes, load: rng.range(0.25, 0.6) });
    }
    all.sort_by(|a, b| a.hour.total_cmp(&b.hour));
    all
}

/// A store is heated again when enough was drawn, and when it has cooled for six hours.
fn refill(day: &mut Day<'_>, rng: &mut Rng, index: usize, heater: Appliance, draws: Vec<Draw>) {
    let power = heater.max_m3_per_h;
    // A tap takes 2.2 m³/h worth of heat at full load, whatever the store's own burner gives.
    let tap = 2.2;
    let (mut owed, mut free_h) = (0.0, 4.0 + rng.range(0.0, 4.0));
    let hours = draws.into_iter().map(|d| (d.hour, d.minutes / 60.0 * d.load * tap, d.minutes));
    let day_end = (28.0, 0.0, 0.0);
    for (hour, litres, minutes) in hours.chain([day_end]) {
        while hour - free_h > 6.0 {
            let cooled = free_h + rng.range(5.0, 6.0);
            let burn = rng.range(6.0, 11.0);
            day.put(rng, index, cooled, burn, power);
            free_h = cooled + burn / 60.0;
        }
        owed += litres;
        let burn_h = owed / power;
        if burn_h > 0.12 {
            let start = free_h.max(hour + minutes / 120.0);
            day.put(rng, index, start, (burn_h * 60.0).min(100.0), power);
            free_h = start + burn_h;
            owed = 0.0;
        }
    }
}
