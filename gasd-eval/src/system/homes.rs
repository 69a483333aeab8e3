// SPDX-License-Identifier: MIT OR Apache-2.0
//! False alarms: years of homes in which nothing leaks.

use std::sync::Arc;

use super::drive::{Seat, drive, install};
use super::judge::Spec;
use crate::detector::{Alarm, Level};
use crate::household::Household;
use crate::household::calendar::DAY_NS;
use crate::household::presence::presence;
use crate::jobs::parallel;
use crate::leak::recordings::Recording;

/// Days of learning, reported apart.
pub const LEARNING_DAYS: u32 = 30;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// First home's seed.
    pub seed: u64,
    /// How many homes.
    pub homes: usize,
    /// Days that each is watched after it was learned.
    pub days: u32,
    /// Threads.
    pub jobs: usize,
}

/// One alarm, and what was going on.
#[derive(Clone, Copy, Debug)]
pub struct Cry {
    /// Which detector, by its place in [`super::judge::ALL`].
    pub detector: usize,
    /// The alarm.
    pub alarm: Alarm,
    /// In the learning period.
    pub learning: bool,
    /// What the generator knows of that time.
    pub context: &'static str,
}

/// One home's years.
#[derive(Clone, Debug)]
pub struct Watched {
    /// What kind of home, or the recording.
    pub home: String,
    /// It counts: not the same days again and again.
    pub counts: bool,
    /// Its seed.
    pub seed: u64,
    /// Volume of a pulse, L.
    pub pulse_l: f64,
    /// Days after learning.
    pub days: u32,
    /// Pulses in all.
    pub pulses: u64,
    /// Every alarm: all of them are false.
    pub cries: Vec<Cry>,
}

/// Watches homes.
#[must_use]
pub fn watch(plan: &Plan) -> Vec<Watched> {
    parallel("false alarms", plan.homes, plan.jobs, |i| one(plan.seed + i as u64, plan.days))
}

fn one(seed: u64, days: u32) -> Watched {
    let home = Arc::new(Household::new(seed));
    let mut pulses = home.pulses();
    let mut seats = install(&Spec::of(&home));
    let until = u64::from(LEARNING_DAYS + days) * DAY_NS;
    let n = drive(&mut pulses, &mut seats, until);
    let cries = cries(seats, |t_ns| context(&home, t_ns));
    let kind = home.home_type().name().to_owned();
    Watched { home: kind, counts: true, seed, pulse_l: home.meter().pulse_l, days, pulses: n, cries }
}

/// Watches recordings, each as long as it is.
#[must_use]
pub fn watch_recordings(recordings: &[Recording], jobs: usize) -> Vec<Watched> {
    parallel("recordings", recordings.len(), jobs, |i| {
        let recording = &recordings[i];
        let mut seats = install(&Spec::of_recording(recording));
        let end = u64::from(recording.days) * DAY_NS;
        let n = drive(&mut recording.pulses(), &mut seats, end);
        Watched {
            home: recording.name.clone(),
            counts: !recording.repeated,
            seed: 0,
            pulse_l: recording.meter.pulse_l,
            days: recording.days.saturating_sub(LEARNING_DAYS),
            pulses: n,
            cries: cries(seats, |_| "recorded"),
        }
    })
}

fn cries(seats: Vec<Seat>, context: impl Fn(u64) -> &'static str) -> Vec<Cry> {
    let mut cries = Vec::new();
    for (detector, seat) in seats.into_iter().enumerate() {
        cries.extend(seat.alarms.into_iter().map(|alarm| Cry {
            detector,
            alarm,
            learning: alarm.t_ns < u64::from(LEARNING_DAYS) * DAY_NS,
            context: context(alarm.t_ns),
        }));
    }
    cries
}

/// What a person who knows the home would say was out of the ordinary.
fn context(home: &Household, t_ns: u64) -> &'static str {
    let calendar = home.calendar();
    let day = calendar.day_of(t_ns);
    let recent = |d: u32| day >= d && day < d + 30;
    if let Some((_, what)) = home.changes(day + 1).into_iter().find(|c| recent(c.0)) {
        return if what == "meter exchange" { what } else { "new appliance" };
    }
    let present = |d: u32| presence(home.seed(), d, calendar.weekend(d));
    if present(day).away {
        "nobody at home"
    } else if day > 0 && present(day - 1).away {
        "first day back"
    } else if present(day).busy > 1.0 {
        "guests"
    } else if calendar.wall_hour(t_ns) > 24.5 {
        "night"
    } else if calendar.summer_time(day) != calendar.summer_time(day.saturating_sub(14)) {
        "summer time began or ended"
    } else {
        "ordinary day"
    }
}

impl Watched {
    /// Alarms of one detector and level, after or while learning.
    #[must_use]
    pub fn count(&self, detector: usize, level: Level, learning: bool) -> u64 {
        let hit = |c: &&Cry| c.detector == detector && c.alarm.level == level && c.learning == learning;
        self.cries.iter().filter(hit).count() as u64
    }
}
