// SPDX-License-Identifier: MIT OR Apache-2.0
//! Examples: uses in which one of the advised rules came half-way, minute by minute, in homes that are
//! sound and in copies of them that leak.
//!
//! Sets are split by home: a home is in one of them, and every home of the system's figures (seeds below a
//! million) in none. Recordings are split, too: every other one is for training, the rest for tests.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use gasd_detect::learned::{FEATURES, HALF, NAMES, Observation};

use super::observe::Watcher;
use crate::household::Household;
use crate::household::calendar::{DAY_NS, HOUR_NS};
use crate::household::flow::Flow;
use crate::household::meter::Pulses;
use crate::jobs::parallel;
use crate::leak::recordings::Recording;
use crate::random::splitmix::Rng;
use crate::system::class::Class;
use crate::system::judge::Spec;
use crate::system::place::Place;
use crate::system::trial::{Trial, Wrong};

/// What a home is for, and its first seed.
pub const SETS: [(&str, u64); 4] =
    [("train", 1_000_000), ("choose", 2_000_000), ("calibrate", 3_000_000), ("test", 4_000_000)];

/// Leaks that the advised rules can be first to find.
pub const CLASSES: [Class; 8] = [
    Class::QuietHour,
    Class::Forgotten,
    Class::Constant(0.1),
    Class::Constant(0.2),
    Class::Constant(0.5),
    Class::Constant(1.0),
    Class::Constant(2.0),
    Class::Constant(6.0),
];

/// A leak is followed for so long at the most, ns.
const FOLLOW_NS: u64 = 16 * HOUR_NS;
/// Of the use that goes on when a leak begins so many minutes at the most are kept.
const BEFORE: usize = 600;
/// Days that a home is learned before, and in which it is watched.
const LEARN_DAYS: u32 = 60;

/// Columns before the features: home, use, leak (0: none) and its class (-1: none), seconds since it began, its flow in
/// m³/h, part of what the furthest rule needs, whether one spoke since the minute before.
pub const COLUMNS: [&str; 8] =
    ["home", "use", "leak", "class", "since_s", "leak_m3_per_h", "part", "decided"];
const ROW: usize = COLUMNS.len() + FEATURES;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Homes in the set.
    pub homes: usize,
    /// Days that each is watched.
    pub days: u32,
    /// Leaks of each class in each.
    pub leaks: u32,
    /// Threads.
    pub jobs: usize,
}

/// The rows of one home.
#[derive(Default)]
struct Rows {
    home: f32,
    uses: f32,
    leaks: f32,
    rows: Vec<f32>,
}

impl Rows {
    /// A use, if a rule came half-way in it. `leak`: class, when it began, m³/h. A leak may be long found when
    /// the use goes on: what comes after that teaches nothing.
    fn add(&mut self, minutes: &[(Observation, bool)], leak: Option<(usize, u64, f64)>) {
        if !minutes.iter().any(|m| m.0.part >= HALF) {
            return;
        }
        self.uses += 1.0;
        for (m, decided) in minutes {
            let class = leak.map_or(-1.0, |l| l.0 as f32);
            let since_s = leak.map_or(-1.0, |l| (m.t_ns as f64 - l.1 as f64) as f32 * 1e-9);
            let flow = leak.map_or(0.0, |l| l.2 as f32);
            let number = if leak.is_some() { self.leaks } else { 0.0 };
            self.rows.extend([
                self.home,
                self.uses,
                number,
                class,
                since_s,
                flow,
                m.part,
                f32::from(u8::from(*decided)),
            ]);
            self.rows.extend(m.features);
        }
    }
}

fn home(
    place: &impl Place,
    seed: u64,
    spec: &Spec,
    pulses: Pulses<impl Flow>,
    to: u32,
    plan: &Plan,
) -> Vec<f32> {
    let mut rows = Rows { home: (seed % 1_000_000) as f32, ..Rows::default() };
    let mut planned: Vec<(usize, Trial)> = Vec::new();
    for (i, class) in CLASSES.iter().enumerate() {
        let mut rng = Rng::new(seed, 0x1ea2, i as u64);
        planned
            .extend((0..plan.leaks).filter_map(|_| Some((i, class.draw(place, &mut rng, LEARN_DAYS, to)?))));
    }
    planned.sort_by_key(|(i, t)| (t.from_ns(), *i));
    let (mut pulses, mut watcher) = (pulses, Watcher::new(spec));
    for (class, trial) in planned {
        watcher.play(&mut pulses, trial.from_ns(), |_| false, |m| rows.add(m, None));
        leak(class, &trial, &pulses, &watcher, &mut rows);
    }
    watcher.play(&mut pulses, u64::from(to) * DAY_NS, |_| false, |m| rows.add(m, None));
    rows.rows
}

/// Follows a leak until the rules find it by themselves. A verdict that comes with a new minute does not end it: what
/// comes after the minute that says so is left out by who reads the rows.
fn leak<F: Flow>(class: usize, trial: &Trial, pulses: &Pulses<F>, watcher: &Watcher, rows: &mut Rows) {
    if matches!(trial.wrong, Wrong::Fault { .. }) {
        return;
    }
    let from_ns = trial.from_ns();
    let (mut leaking, mut copy) = (trial.leaking(pulses), watcher.clone());
    // Of a use that has lasted for days the last hours tell as much.
    copy.open.drain(..copy.open.len().saturating_sub(BEFORE));
    copy.spoke = false;
    rows.leaks += 1.0;
    let about = Some((class, from_ns, trial.m3_per_h()));
    let end = from_ns + FOLLOW_NS.min(trial.horizon_ns);
    copy.play(
        &mut leaking,
        end,
        |w| w.spoke,
        |m| {
            // The use before the leak is the sound home's.
            if m.last().is_some_and(|m| m.0.t_ns > from_ns) {
                rows.add(m, about);
            }
        },
    );
    if let Some(last) = copy.open.last_mut() {
        last.1 |= copy.spoke;
    }
    rows.add(&copy.open, about);
}

/// Writes the examples of set `set` into `file`: rows of little-endian f32, as many columns as [`COLUMNS`] and the
/// features; their names are returned as the text that goes beside it.
///
/// # Errors
/// A file that cannot be written.
pub fn write(set: usize, plan: &Plan, recordings: &[Recording], file: &Path) -> Result<String, String> {
    let (name, first) = SETS[set];
    let mut all = parallel(name, plan.homes, plan.jobs, |i| {
        let seed = first + i as u64;
        let household = Arc::new(Household::new(seed));
        home(&*household, seed, &Spec::of(&household), household.pulses(), LEARN_DAYS + plan.days, plan)
    });
    // Every other recording is for training; the others are only ever tested on.
    let mine: Vec<&Recording> = match name {
        "train" => recordings.iter().step_by(2).collect(),
        "test" => recordings.iter().skip(1).step_by(2).collect(),
        _ => Vec::new(),
    };
    all.extend(parallel(name, mine.len(), plan.jobs, |i| {
        let (recording, seed) = (mine[i], first + 500_000 + i as u64);
        let days = recording.days.saturating_sub(2);
        if days <= LEARN_DAYS {
            return Vec::new();
        }
        home(recording, seed, &Spec::of_recording(recording), recording.pulses(), days, plan)
    }));
    let why = |e: std::io::Error| format!("{}: {e}", file.display());
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).map_err(why)?);
    let mut rows = 0;
    for one in &all {
        rows += one.len() / ROW;
        for value in one {
            out.write_all(&value.to_le_bytes()).map_err(why)?;
        }
    }
    out.flush().map_err(why)?;
    let columns: Vec<&str> = COLUMNS.iter().chain(&NAMES).copied().collect();
    Ok(format!(
        "{name}: {rows} rows of {} homes and {} recordings\n{}\n",
        plan.homes,
        mine.len(),
        columns.join(" ")
    ))
}
