// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same homes and the same leaks with the advice and without it, and with rules that ask for less of everything
//! whatever a model says.

use std::sync::Arc;

use gasd_detect::Profile;
use gasd_detect::learned::{Advice, Learned};

use super::examples::CLASSES;
use crate::detector::Level;
use crate::household::Household;
use crate::household::calendar::DAY_NS;
use crate::jobs::parallel;
use crate::random::splitmix::Rng;
use crate::system::drive::{Seat, drive};
use crate::system::homes::LEARNING_DAYS;
use crate::system::judge::Spec;
use crate::system::trial::Trial;
use crate::system::whole::Whole;

/// Days that a home is learned before leaks are injected, and days in which they are: as in the system's figures.
const LEARN_DAYS: u32 = 60;
const WINDOW_DAYS: u32 = 30;

/// One way to take the model's word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    /// E-value that takes half off; infinite: no model is heard.
    pub full: f32,
    /// What every advised rule asks for is multiplied by.
    pub scale: f32,
}

impl Variant {
    /// The rules as they are.
    pub const OFF: Self = Self { full: f32::INFINITY, scale: 1.0 };

    /// No model, but another scale.
    #[must_use]
    pub const fn blind(scale: f32) -> Self {
        Self { full: f32::INFINITY, scale }
    }

    /// Whether a model is heard.
    #[must_use]
    pub const fn hears(self) -> bool {
        self.full.is_finite()
    }

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> String {
        match (self.hears(), self.scale) {
            (false, 1.0) => "off".into(),
            (false, scale) => format!("no model, rules × {scale}"),
            (true, 1.0) => format!("advice, full at e = {}", self.full),
            (true, scale) => format!("advice, full at e = {}, rules × {scale}", self.full),
        }
    }

    fn seat(self, spec: &Spec) -> Seat {
        let mut rules = Profile::EuG4.rules();
        if self != Self::OFF {
            rules.learned_model = Learned::Advise(Advice { full: self.full, scale: self.scale });
        }
        Seat::new(Whole::with_rules(spec, rules, Profile::EuG4))
    }
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// First home's seed.
    pub seed: u64,
    /// Homes, a year of each, and leaks into each.
    pub homes: usize,
    /// Leaks of each class in a home.
    pub leaks: u32,
    /// Threads.
    pub jobs: usize,
    /// What is compared; the first is [`Variant::OFF`].
    pub variants: Vec<Variant>,
}

/// One leak, and the litres until a warning with each variant.
#[derive(Clone, Debug)]
pub struct Leaked {
    /// Which class, by its place in [`CLASSES`].
    pub class: usize,
    /// Litres by variant; what is not noticed at all released what passed in the time watched.
    pub litres: Vec<f64>,
    /// In time, as the system's figures ask, by variant.
    pub in_time: Vec<bool>,
}

/// One home.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Warnings and criticals in the year after learning, by variant: all are false.
    pub cries: Vec<u64>,
    /// Its leaks.
    pub leaks: Vec<Leaked>,
}

/// Runs it.
#[must_use]
pub fn compare(plan: &Plan) -> Vec<Compared> {
    parallel("with and without advice", plan.homes, plan.jobs, |i| one(plan, plan.seed + i as u64))
}

fn one(plan: &Plan, seed: u64) -> Compared {
    let home = Arc::new(Household::new(seed));
    let spec = Spec::of(&home);
    let mut planned: Vec<(usize, Trial)> = Vec::new();
    for (i, class) in CLASSES.iter().enumerate() {
        let mut rng = Rng::new(seed, 0xc0a9, i as u64);
        let draw = |_| Some((i, class.draw(&*home, &mut rng, LEARN_DAYS, LEARN_DAYS + WINDOW_DAYS)?));
        planned.extend((0..plan.leaks).filter_map(draw));
    }
    planned.sort_by_key(|(i, t)| (t.from_ns(), *i));
    let mut pulses = home.pulses();
    let mut seats: Vec<Seat> = plan.variants.iter().map(|v| v.seat(&spec)).collect();
    let mut leaks = Vec::new();
    for (class, trial) in planned {
        drive(&mut pulses, &mut seats, trial.from_ns());
        let outcomes = trial.run(&pulses, &seats);
        let most = trial.m3_per_h() * trial.horizon_ns as f64 / 3.6e9;
        leaks.push(Leaked {
            class,
            litres: outcomes.iter().map(|o| o.litres.min(most)).collect(),
            in_time: outcomes.iter().map(|o| o.in_time).collect(),
        });
    }
    let learned = u64::from(LEARNING_DAYS) * DAY_NS;
    drive(&mut pulses, &mut seats, learned + 365 * DAY_NS);
    let count = |seat: &Seat| {
        seat.alarms.iter().filter(|a| a.level >= Level::Warning && a.t_ns >= learned).count() as u64
    };
    Compared { cries: seats.iter().map(count).collect(), leaks }
}
