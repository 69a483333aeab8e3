// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meals, kettles and the oven.

use super::appliance::Kind;
use super::day::Day;
use crate::random::splitmix::Rng;

const PURPOSE: u64 = 0xc00c;

/// A day's cooking. The cooker's burners are the home's first four appliances.
pub fn cook(day: &mut Day<'_>) {
    let mut rng = day.rng(PURPOSE);
    let habits = day.home.habits;
    let (off, busy) = (day.presence.off, day.presence.busy);
    let wake = habits.wake_h + if off { 1.3 } else { 0.0 };
    if rng.chance(habits.breakfast * if off { 1.3 } else { 1.0 }) {
        let hour = wake + 0.5 + 0.3 * rng.normal();
        burner(day, &mut rng, hour, 5.0, 0.4, 12.0);
    }
    if rng.chance(if off { 0.35 + 0.5 * habits.lunch } else { habits.lunch }) {
        let hour = 12.3 + 0.5 * rng.normal();
        meal(day, &mut rng, hour, 0.8 * busy);
    }
    if rng.chance(habits.dinner * if off { 1.05 } else { 1.0 }) {
        let hour = habits.dinner_h + 0.55 * rng.normal();
        meal(day, &mut rng, hour, busy);
    }
    for _ in 0..rng.poisson(habits.tea * busy) {
        let by_day = off || habits.home_by_day;
        let hour = if by_day || rng.chance(0.3) {
            rng.range(wake + 0.2, habits.bed_h - 0.3)
        } else {
            rng.range(17.0, habits.bed_h - 0.3)
        };
        burner(day, &mut rng, hour, 5.5, 0.25, 10.0);
    }
}

/// A use in the night, a few times a year.
pub fn night_kitchen(day: &mut Day<'_>, rng: &mut Rng, hour: f64) {
    burner(day, rng, hour, 6.0, 0.4, 30.0);
}

/// A meal: one to three burners, sometimes one that simmers for hours, sometimes the oven.
fn meal(day: &mut Day<'_>, rng: &mut Rng, hour: f64, size: f64) {
    let slow = day.home.habits.slow_food;
    let burners = 1 + rng.poisson(0.9 * size).min(3);
    for _ in 0..burners {
        let start = hour + rng.range(0.0, 0.4);
        burner(day, rng, start, 15.0 * slow, 0.6, 120.0);
    }
    if rng.chance(0.05 * if day.presence.off { 2.0 } else { 1.0 }) {
        // A stew on the smallest flame of one of the smaller burners.
        let index = rng.below(2);
        let least = day.home.appliances[index].min_m3_per_h;
        let minutes = rng.log_normal(80.0 * slow, 0.35).min(210.0);
        let flow = least * rng.range(1.1, 1.6);
        day.put(rng, index, hour - 0.5, minutes, flow);
    }
    if rng.chance(day.home.habits.oven)
        && let Some((index, oven)) = day.find(|a| a.kind == Kind::Oven)
    {
        bake(day, rng, index, oven.max_m3_per_h, hour - 0.2);
    }
}

/// One burner: full at first, then turned down by hand.
fn burner(day: &mut Day<'_>, rng: &mut Rng, hour: f64, median_min: f64, sigma: f64, most_min: f64) {
    let index = rng.below(4);
    let max = day.home.appliances[index].max_m3_per_h;
    let minutes = rng.log_normal(median_min, sigma).clamp(0.7, most_min);
    if minutes < 8.0 {
        let flow = max * rng.range(0.75, 1.0);
        day.put(rng, index, hour, minutes, flow);
        return;
    }
    let high = rng.range(4.0, 8.0).min(minutes);
    let flow = max * rng.range(0.8, 1.0);
    day.put(rng, index, hour, high, flow);
    let low = max * rng.range(0.35, 0.8);
    day.go_on(index, hour + high / 60.0, minutes - high, low);
}

/// The oven: full until it is hot, then on and off by its thermostat.
fn bake(day: &mut Day<'_>, rng: &mut Rng, index: usize, max: f64, hour: f64) {
    let minutes = rng.log_normal(45.0, 0.4).min(180.0);
    let heat_up = rng.range(8.0, 13.0);
    day.put(rng, index, hour, heat_up, max);
    let (mut t, mut now) = (heat_up, hour + heat_up / 60.0);
    while t < minutes + heat_up {
        // The thermostat leaves a small flame between.
        let (off, on) = (rng.range(1.5, 3.0), rng.range(0.8, 1.6));
        now = day.go_on(index, now, off, max * 0.22);
        now = day.go_on(index, now, on, max);
        t += off + on;
    }
}
