// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same homes and the same leaks for pulses and for readings at every interval.

use std::sync::Arc;

use gasd_detect::{Profile, ReadingsError};

use super::polled::{Polled, Reader};
use crate::detector::Alarm;
use crate::household::Household;
use crate::household::calendar::{DAY_NS, SECOND_NS};
use crate::household::flow::HomeFlow;
use crate::household::meter::{Meter, Pulses};
use crate::jobs::parallel;
use crate::system::class::Class;
use crate::system::drive::{Seat, drive};
use crate::system::homes::LEARNING_DAYS;
use crate::system::judge::Spec;
use crate::system::trials::{Tried, draw, play};
use crate::system::whole::Whole;

/// What is compared: pulses, and readings so many seconds apart.
pub const SOURCES: [(&str, u64); 4] = [("pulses", 0), ("1 min", 60), ("15 min", 900), ("1 h", 3600)];
/// Resolutions, L, and the weights of meters that have them alone.
pub const RESOLUTIONS: [(f64, [f64; 3]); 2] = [(1.0, [0.0, 1.0, 0.0]), (10.0, [1.0, 0.0, 0.0])];
/// Days that a home is learned before leaks are injected, and days in which they are.
const LEARN_DAYS: u32 = 60;
const WINDOW_DAYS: u32 = 30;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// First home's seed.
    pub seed: u64,
    /// Meter-years without leaks, of each resolution; one a home.
    pub years: usize,
    /// Homes into which leaks are injected, of each resolution.
    pub leaks: usize,
    /// Share of readings that get lost.
    pub lost: f64,
    /// Threads.
    pub jobs: usize,
}

/// A year of one home after it was learned: the alarms of each source.
pub type Year = Vec<Vec<Alarm>>;

/// A home whose meter is watched in every way.
struct Installed {
    home: Arc<Household>,
    pulses: Pulses<HomeFlow>,
    seats: Vec<Seat>,
}

/// A home's pulses without the contact's flaws, which a register does not have, and the detectors at them.
fn install(plan: &Plan, seed: u64, meters: [f64; 3]) -> Result<Installed, ReadingsError> {
    let home = Arc::new(Household::with_meters(seed, meters));
    let spec = Spec::of(&home);
    let meter = Meter { lost: 0.0, bounced: 0.0, strays: 0.0, ..home.meter() };
    let pulses = Pulses::new(home.flow(), meter);
    let mut seats = Vec::new();
    for (_, every_s) in SOURCES {
        seats.push(if every_s == 0 {
            Seat::new(Whole::new(&spec, Profile::EuG4))
        } else {
            Seat::new(Polled::new(&spec, Reader { every_ns: every_s * SECOND_NS, lost: plan.lost, seed })?)
        });
    }
    Ok(Installed { home, pulses, seats })
}

/// Years in which nothing leaks.
pub fn watch(plan: &Plan, meters: [f64; 3]) -> Result<Vec<Year>, ReadingsError> {
    let one = |i: usize| {
        let Installed { mut pulses, mut seats, .. } = install(plan, plan.seed + i as u64, meters)?;
        drive(&mut pulses, &mut seats, u64::from(LEARNING_DAYS) * DAY_NS);
        let mut seats: Vec<Seat> = seats.iter().map(Seat::copy).collect();
        drive(&mut pulses, &mut seats, u64::from(LEARNING_DAYS + 365) * DAY_NS);
        Ok(seats.into_iter().map(|seat| seat.alarms).collect())
    };
    parallel("years of readings", plan.years, plan.jobs, one).into_iter().collect()
}

/// Leaks of every class that a register can show.
pub fn leak(plan: &Plan, meters: [f64; 3]) -> Result<Vec<Tried>, ReadingsError> {
    let one = |i: usize| {
        let seed = plan.seed + i as u64;
        let Installed { home, pulses, seats } = install(plan, seed, meters)?;
        let mut planned = draw(&*home, seed, 1.0, LEARN_DAYS, LEARN_DAYS + WINDOW_DAYS);
        planned.retain(|(class, _)| shown(Class::ALL[*class]));
        Ok(play(pulses, seats, planned))
    };
    let all: Result<Vec<_>, _> =
        parallel("leaks and readings", plan.leaks, plan.jobs, one).into_iter().collect();
    Ok(all?.into_iter().flatten().collect())
}

/// A contact that bounces moves no register.
pub fn shown(class: Class) -> bool {
    class.leaks() || class == Class::Silent
}
