// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many trials: homes are learned, and everything goes wrong in copies of each.

use std::sync::Arc;

use super::class::Class;
use super::drive::{drive, install};
use super::jobs::parallel;
use super::judge::Spec;
use super::trial::{Outcome, Trial};
use crate::household::Household;
use crate::household::appliance::HomeType;
use crate::household::calendar::DAY_NS;
use crate::household::rng::Rng;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// First home's seed.
    pub seed: u64,
    /// How many homes; every class is tried about once in each.
    pub homes: usize,
    /// Days that a home is learned.
    pub learn_days: u32,
    /// Leaks begin within so many days after that.
    pub window_days: u32,
    /// Threads.
    pub jobs: usize,
}

/// One trial and what every detector made of it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Which class, by its place in [`Class::ALL`].
    pub class: usize,
    /// What kind of home.
    pub home: HomeType,
    /// The home's seed.
    pub seed: u64,
    /// Volume of a pulse, L.
    pub pulse_l: f64,
    /// The leak at first, m³/h.
    pub m3_per_h: f64,
    /// When it began, ns.
    pub began_ns: u64,
    /// By place in [`super::judge::ALL`].
    pub outcomes: Vec<Outcome>,
}

/// More coarse meters than fine ones, but enough of each for a row of its own.
const METERS: [f64; 3] = [0.45, 0.40, 0.15];

/// Runs them.
#[must_use]
pub fn run(plan: &Plan) -> Vec<Tried> {
    parallel("leaks", plan.homes, plan.jobs, |i| one(plan, plan.seed + i as u64))
        .into_iter()
        .flatten()
        .collect()
}

fn one(plan: &Plan, seed: u64) -> Vec<Tried> {
    let home = Arc::new(Household::with_meters(seed, METERS));
    let (from, to) = (plan.learn_days, plan.learn_days + plan.window_days);
    let mut planned: Vec<(usize, Trial)> = Vec::new();
    for (i, class) in Class::ALL.iter().enumerate() {
        let mut rng = Rng::new(seed, 0x1ea4, i as u64);
        let mut left = class.effort();
        while rng.chance(left) {
            left -= 1.0;
            planned.extend(class.draw(&home, &mut rng, from, to).map(|t| (i, t)));
        }
    }
    planned.sort_by_key(|(i, t)| (t.from_ns(), *i));
    let mut pulses = home.pulses();
    let mut seats = install(&Spec::of(&home));
    drive(&mut pulses, &mut seats, u64::from(from) * DAY_NS);
    let mut tried = Vec::new();
    for (class, trial) in planned {
        drive(&mut pulses, &mut seats, trial.from_ns());
        tried.push(Tried {
            class,
            home: home.home_type(),
            seed,
            pulse_l: home.meter().pulse_l,
            m3_per_h: trial.m3_per_h(),
            began_ns: trial.began_ns,
            outcomes: trial.run(&pulses, &seats),
        });
    }
    tried
}
