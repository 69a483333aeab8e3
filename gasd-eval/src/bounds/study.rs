// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that is looked at in each home.

use super::acquainted::Acquainted;
use super::bouts::bouts;
use super::budget::Watched;
use super::experience::Experience;
use super::forgotten::{Forgotten, draw};
use super::knobs::{self, Habit};
use super::life::Life;
use super::quiet::{MONTH_DAYS, Months, Quiet, quiet, restless};
use super::rates;
use super::rests::{Rests, alike, rests};
use super::timing::{Known, Record};
use crate::household::Household;
use crate::household::appliance::{HomeType, Kind};
use crate::household::calendar::{DAY_NS, HOUR_NS};
use crate::household::segment::Segment;
use crate::household::truth::Season;
use crate::jobs::parallel;
use crate::random::splitmix::Rng;

/// Days of learning after which a rule against forgotten burners may speak.
pub const LEARNED_DAYS: [u32; 3] = [30, 60, 365];
/// Days that a home is learned before leaks are injected, as in whole homes.
pub const LEARN_DAYS: u32 = 60;
/// Other years, from which one who knows the home's habits has them.
const HABIT_YEARS: u32 = 6;
const WEEK_DAYS: u32 = 7;
/// A leak may begin at any time: a day is looked at from each of these hours on.
const FROM_HOURS: [u64; 4] = [0, 6, 12, 18];

/// What one takes for a quiet hour: one of the season, as three years of the generator have it, or one with gas on so
/// many of the last 60 days at most.
pub const NOTIONS: [(&str, Option<usize>); 3] = [
    ("those of the season, as the generator knows it", None),
    ("no gas in 60 days", Some(0)),
    ("gas on at most one of 60 days", Some(1)),
];

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// A week of a home without a zero hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Week {
    /// A pilot burns.
    pub pilot: bool,
    /// Its rests.
    pub rests: Rests,
}

/// One home.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What kind of home.
    pub home: HomeType,
    /// By one who sees the taps.
    pub knobs: Watched,
    /// By one who sees flows.
    pub rates: Watched,
    /// At quiet hours, by place in [`NOTIONS`].
    pub quiet: [Quiet; 3],
    /// Weeks of months without a zero hour.
    pub weeks: Vec<Week>,
    /// Days of all other months, from each of four hours on.
    pub days: Vec<Rests>,
    /// Days of months without a zero hour.
    pub restless_days: u32,
    /// In such months: litres of flows that look like 20 L/h.
    pub alike: Vec<f64>,
}

/// Looks at all homes.
#[must_use]
pub fn look(plan: &Plan) -> Vec<Seen> {
    parallel("bounds", plan.homes, plan.jobs, |i| one(plan.seed + i as u64, plan.days))
}

fn one(seed: u64, days: u32) -> Seen {
    let home = Household::new(seed);
    let last_day = LEARNED_DAYS[2].max(LEARN_DAYS) + days;
    let life = Life::of(&home, 0, last_day);
    let habits = Life::of(&home, last_day, last_day + HABIT_YEARS * 365);
    let (knobs, rates) = flames(&home, &life, &habits, days);
    let (from, to) = (LEARN_DAYS, LEARN_DAYS + days);
    let months = Months::of(&home, from, to);
    let steps = life.steps();
    let (bouts, acquainted) = (bouts(&steps, home.meter().pulse_l), Acquainted::of(&life.segments));
    let experience = Experience::of(&life, home.calendar(), to);
    let quiet = NOTIONS.map(|(_, most)| {
        quiet(&months, &bouts, &acquainted, |day, hour| match most {
            Some(most) => experience.used(day, hour) <= most,
            None => months.quiet(day, hour),
        })
    });
    let at = |day: u32| home.calendar().start_ns(day);
    let pilot = home.pilots_m3_per_h() > 0.0;
    let (mut weeks, mut restless_days, mut same) = (Vec::new(), 0, Vec::new());
    let without = |(_, season): &(u32, &Season)| restless(season);
    for (first, _) in months.iter().filter(without) {
        let end = (first + MONTH_DAYS).min(to);
        for day in (first..=end.saturating_sub(WEEK_DAYS)).step_by(WEEK_DAYS as usize) {
            weeks.push(Week { pilot, rests: rests(&steps, at(day), at(day + WEEK_DAYS)) });
        }
        restless_days += end - first;
        same.extend(alike(&steps, at(first), at(end)));
    }
    let mut days = Vec::new();
    for (first, _) in months.iter().filter(|month| !without(month)) {
        for day in first..(first + MONTH_DAYS).min(to) {
            let from = FROM_HOURS.map(|hour| at(day) + hour * HOUR_NS);
            days.extend(from.map(|from| rests(&steps, from, from + DAY_NS)));
        }
    }
    Seen { home: home.home_type(), knobs, rates, quiet, weeks, days, restless_days, alike: same }
}

/// Records of every kind of flame after the shortest learning, and burners that stay on, by one who sees taps and by
/// one who sees flows.
fn flames(home: &Household, life: &Life, habits: &Life, days: u32) -> (Watched, Watched) {
    let (mut knobs, mut rates) = (Watched::default(), Watched::default());
    let mut runs: Vec<Segment> = Vec::new();
    for appliance in 0..home.appliances().len() as u8 {
        runs.extend(rates::runs(life.of_appliance(appliance)));
    }
    let known_rates = rates::known(&mut runs);
    let burners = || home.appliances().iter().enumerate().filter(|(_, a)| a.kind == Kind::Burner);
    let most = burners().map(|(_, a)| (a.max_m3_per_h * 1e9) as i64).max().unwrap_or(0);
    // No burner has a larger flow, and one who times burners need not look at it.
    let small = runs.iter().zip(&known_rates).filter(|(run, _)| run.ul_per_h <= most);
    records(&mut rates.records, small);
    let at = |day: u32| home.calendar().start_ns(day);
    for (burner, _) in burners() {
        let burner = burner as u8;
        let uses = life.uses(burner);
        let known = knobs::known(&uses, &Habit::of(&habits.uses(burner), f64::from(HABIT_YEARS)));
        records(&mut knobs.records, uses.iter().zip(&known));
        let mut rng = Rng::new(home.seed(), 0xb0d, u64::from(burner));
        for (early, span) in [(true, days.min(MONTH_DAYS)), (false, days)] {
            let learned_ns = at(LEARN_DAYS);
            let place = draw(&uses, &mut rng, learned_ns, learned_ns, at(LEARN_DAYS + span));
            let Some(place) = place else { continue };
            let (used, known) = (uses[place], known[place]);
            let deadline_ns = Forgotten::deadline_ns(&used, known);
            let told = Forgotten { early, known, since_ns: used.start_ns, ends_ns: used.end_ns, deadline_ns };
            knobs.forgotten.push(told);
            // What stays on is the last of its flames.
            let last = |r: &Segment| r.appliance == burner && r.end_ns == used.end_ns;
            if let Some(run) = runs.iter().position(last) {
                let (since_ns, known) = (runs[run].start_ns, known_rates[run]);
                rates.forgotten.push(Forgotten { known, since_ns, ..told });
            }
        }
    }
    (knobs, rates)
}

fn records<'a>(out: &mut Vec<Record>, flames: impl Iterator<Item = (&'a Segment, &'a Known)>) {
    let first_ns = u64::from(LEARNED_DAYS[0]) * DAY_NS;
    let all =
        flames.map(|(s, known)| Record { t_ns: s.start_ns, known: *known, lasted_ns: s.end_ns - s.start_ns });
    out.extend(all.filter(|r| r.t_ns >= first_ns && r.notable()));
}
