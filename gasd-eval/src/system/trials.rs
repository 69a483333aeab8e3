// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many trials: homes are learned, and everything goes wrong in copies of each.

use std::sync::Arc;

use super::class::Class;
use super::drive::{Seat, drive, install};
use super::judge::Spec;
use super::place::Place;
use super::trial::{Outcome, Trial};
use crate::household::Household;
use crate::household::calendar::DAY_NS;
use crate::household::flow::Flow;
use crate::household::meter::Pulses;
use crate::jobs::parallel;
use crate::leak::recordings::Recording;
use crate::random::splitmix::Rng;

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
    /// The kind of home, or the recording.
    pub home: String,
    /// A home that was recorded.
    pub recorded: bool,
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
    /// The best that is possible with this meter.
    pub bound: Option<Outcome>,
}

/// More coarse meters than fine ones, but enough of each for a row of its own.
const METERS: [f64; 3] = [0.45, 0.40, 0.15];
/// Each class is tried so often in a recording.
const IN_RECORDING: f64 = 8.0;

/// In generated homes.
#[must_use]
pub fn in_homes(plan: &Plan) -> Vec<Tried> {
    let one = |i| in_home(plan, plan.seed + i as u64);
    parallel("leaks in homes", plan.homes, plan.jobs, one).into_iter().flatten().collect()
}

/// In recordings.
#[must_use]
pub fn in_recordings(plan: &Plan, recordings: &[Recording]) -> Vec<Tried> {
    let one = |i: usize| in_recording(plan, &recordings[i], plan.seed + i as u64);
    parallel("leaks in recordings", recordings.len(), plan.jobs, one).into_iter().flatten().collect()
}

fn in_home(plan: &Plan, seed: u64) -> Vec<Tried> {
    let home = Arc::new(Household::with_meters(seed, METERS));
    let (from, to) = (plan.learn_days, plan.learn_days + plan.window_days);
    let planned = draw(&*home, seed, 1.0, from, to);
    let seats = install(&Spec::of(&home));
    let mut tried = play(home.pulses(), seats, planned);
    for one in &mut tried {
        home.home_type().name().clone_into(&mut one.home);
        (one.seed, one.pulse_l) = (seed, home.meter().pulse_l);
    }
    tried
}

fn in_recording(plan: &Plan, recording: &Recording, seed: u64) -> Vec<Tried> {
    // The last two weeks are left for what takes so long; what takes longer is not tried.
    let (from, to) = (plan.learn_days.min(recording.days / 2), recording.days.saturating_sub(15));
    if from >= to {
        return Vec::new();
    }
    let end = u64::from(recording.days) * DAY_NS;
    let mut planned = draw(recording, seed, IN_RECORDING, from, to);
    planned.retain(|(_, t)| t.from_ns() + t.horizon_ns < end);
    let seats = install(&Spec::of_recording(recording));
    let mut tried = play(recording.pulses(), seats, planned);
    for one in &mut tried {
        one.home.clone_from(&recording.name);
        (one.seed, one.pulse_l, one.recorded) = (seed, recording.meter.pulse_l, true);
    }
    tried
}

/// What goes wrong in a home, in order of time. A class whose effort is below 1 is tried with that
/// chance.
pub(crate) fn draw(place: &impl Place, seed: u64, times: f64, from: u32, to: u32) -> Vec<(usize, Trial)> {
    let mut planned = Vec::new();
    for (i, class) in Class::ALL.iter().enumerate() {
        let mut rng = Rng::new(seed, 0x1ea4, i as u64);
        let mut left = class.effort() * times;
        while rng.chance(left) {
            left -= 1.0;
            planned.extend(class.draw(place, &mut rng, from, to).map(|t| (i, t)));
        }
    }
    planned.sort_by_key(|(i, t): &(usize, Trial)| (t.from_ns(), *i));
    planned
}

/// Plays a home until each thing goes wrong, and that in copies of it.
pub(crate) fn play<F: Flow>(
    mut pulses: Pulses<F>,
    mut seats: Vec<Seat>,
    planned: Vec<(usize, Trial)>,
) -> Vec<Tried> {
    let mut tried = Vec::new();
    for (class, trial) in planned {
        drive(&mut pulses, &mut seats, trial.from_ns());
        tried.push(Tried {
            class,
            home: String::new(),
            recorded: false,
            seed: 0,
            pulse_l: 0.0,
            m3_per_h: trial.m3_per_h(),
            began_ns: trial.began_ns,
            outcomes: trial.run(&pulses, &seats),
            bound: trial.bound(&pulses),
        });
    }
    tried
}
