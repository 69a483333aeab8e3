// SPDX-License-Identifier: MIT OR Apache-2.0
//! The boiler by outdoor temperature, the gas fire and the dryer.

use super::appliance::{Appliance, Kind};
use super::day::Day;
use super::weather::Climate;
use crate::random::splitmix::Rng;

/// kWh of heat in the rooms from a cubic metre: 10.5 kWh/m³ at 90 %.
const HEAT_KWH_PER_M3: f64 = 9.5;
/// Sun, people and appliances make up for so much, K.
const GAINS_K: f64 = 5.0;
/// Nobody heats on a day that is warmer, °C.
const MILD_C: f64 = 12.5;

/// A day's heating by the boiler.
pub fn heat(day: &mut Day<'_>) {
    let Some((index, boiler)) = day.find(|a| a.kind == Kind::Boiler) else { return };
    let mut rng = day.rng(0x4ea7);
    // From one lighting to the next: short where the water's temperature is held, long where a
    // thermostat in a room does it. Differs by home, not by day.
    let period_min = Rng::new(day.home.seed, 0x4ea8, 0).log_range(15.0, 120.0);
    let mut hour = 4.0 + rng.range(0.0, 0.2);
    let mut lit = true;
    while hour < 28.9 {
        let want = demand(day, hour).min(boiler.max_m3_per_h);
        if want < 0.02 {
            (hour, lit) = (hour + rng.range(0.1, 0.2), false);
        } else if want >= boiler.min_m3_per_h {
            let minutes = rng.range(3.0, 9.0);
            let flow = want * (1.0 + 0.03 * rng.normal());
            if lit {
                hour = day.go_on(index, hour, minutes, flow);
            } else {
                ignite(day, &mut rng, index, boiler, hour);
                day.go_on(index, hour + 8.0 / 3600.0, minutes, flow);
                hour += minutes / 60.0;
            }
            lit = true;
        } else {
            let period = period_min * rng.range(0.85, 1.2);
            let on = (period * want / boiler.min_m3_per_h).max(2.5);
            ignite(day, &mut rng, index, boiler, hour);
            day.go_on(index, hour + 8.0 / 3600.0, on, boiler.min_m3_per_h);
            // When little is wanted the burner still runs its least time, and pauses the longer.
            let pause = (on * boiler.min_m3_per_h / want - on).max(1.5);
            hour += (on + pause.min(240.0)) / 60.0;
            lit = false;
        }
    }
}

/// Lit at half power for some seconds.
fn ignite(day: &mut Day<'_>, rng: &mut Rng, index: usize, boiler: Appliance, hour: f64) {
    let power = boiler.min_m3_per_h.max(boiler.max_m3_per_h * rng.range(0.45, 0.6));
    day.go_on(index, hour, 8.0 / 60.0, power);
}

/// What the house loses at an hour, m³/h of gas, and what it takes to warm up after the night.
fn demand(day: &Day<'_>, hour: f64) -> f64 {
    let habits = day.home.habits;
    let (on_h, off_h) = (habits.wake_h - 0.7, habits.bed_h - 0.6);
    let mut target = habits.room_c;
    let mut warm_up = 1.0;
    if day.presence.away {
        target = 11.0;
    } else {
        let night = hour < on_h || hour > off_h;
        let all_day = day.presence.off || habits.home_by_day || habits.heats_all_day;
        let out = !all_day && (9.0..16.0).contains(&hour);
        if night || out {
            match habits.setback_k {
                Some(setback) => target -= setback,
                // The walls keep a home warm for the night; none is left to freeze.
                None => target = 3.0,
            }
        } else {
            let since = if hour >= 16.0 && !all_day { hour - 16.0 } else { hour - on_h };
            warm_up = 1.0 + 1.6 * (-since / 0.9).exp();
        }
    }
    if day.outdoor_c > MILD_C {
        return 0.0;
    }
    let gap = target - GAINS_K - Climate::at_c(day.outdoor_c, hour);
    habits.loss_kw_per_k * gap.max(0.0) / HEAT_KWH_PER_M3 * warm_up
}

/// The gas fire, on cold evenings.
pub fn fire(day: &mut Day<'_>) {
    let Some((index, fire)) = day.find(|a| a.kind == Kind::Fire) else { return };
    let mut rng = day.rng(0xf13e);
    if day.outdoor_c > 9.0 || !rng.chance(0.4) {
        return;
    }
    let hour = 18.0 + rng.normal();
    let flow = fire.max_m3_per_h * rng.range(0.5, 1.0);
    let minutes = rng.log_normal(130.0, 0.4).min(330.0);
    day.put(&mut rng, index, hour, minutes, flow);
}

/// The dryer, some times a week: on and off by its thermostat.
pub fn dry(day: &mut Day<'_>) {
    let Some((index, dryer)) = day.find(|a| a.kind == Kind::Dryer) else { return };
    let mut rng = day.rng(0xd4e4);
    if !rng.chance(if day.presence.off { 0.6 } else { 0.3 }) {
        return;
    }
    let mut hour = rng.range(10.0, 20.5);
    let end = hour + rng.range(35.0, 75.0) / 60.0;
    while hour < end {
        let (on, off) = (rng.range(3.0, 6.0), rng.range(1.0, 3.0));
        day.put(&mut rng, index, hour, on, dryer.max_m3_per_h);
        hour += (on + off) / 60.0;
    }
}
