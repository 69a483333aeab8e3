// SPDX-License-Identifier: MIT OR Apache-2.0
//! One stream, five rises: the oracle and the detectors, each at one false alarm a year.

use gasd_detect::stat::MIXTURE_RATES;

use super::{
    arl::{FalseAlarms, Plan, Threshold},
    cell::{Cell, Known, YEAR_S},
    delay::{Change, Delay, Runs, delay},
    learn::History,
    posterior::Posterior,
    watch::{Oracle, Ours, Start, Watch},
};
use crate::peers::focus::FocusOnIntervals;

/// η that is aimed at when the old rate is given.
pub const GOAL_GIVEN: f64 = 1.15;
/// η that is aimed at when it is learned.
pub const GOAL_LEARNED: f64 = 1.30;

/// A meter, a flow before the change, and the regularity of the pulses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stream {
    /// L a pulse.
    pub pulse_l: f64,
    /// m³/h.
    pub flow: f64,
    /// Gamma shape.
    pub shape: f64,
}

impl Stream {
    /// The stream and a rise.
    #[must_use]
    pub fn cell(&self, rho: f64) -> Cell {
        Cell { pulse_l: self.pulse_l, flow: self.flow, rho, shape: self.shape }
    }
}

/// From so many histories of different lengths the old rate is learned.
pub const HISTORIES: usize = 2;

/// How much is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Runs for a threshold.
    pub thresholds: usize,
    /// Runs for a delay.
    pub delays: usize,
    /// Seed.
    pub seed: u64,
    /// Days that the old rate is learned from.
    pub days: [f64; HISTORIES],
    /// Deviations that the learned null is put away from what was learned.
    pub deviations: f64,
}

/// What came out for one rise when the old rate is learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// Ours, threshold for one false alarm a year as simulated.
    pub calibrated: Delay,
    /// The same at the threshold of a year.
    pub at_year: Delay,
    /// Where ours misses the goal: one who knows the rise and weighs every old rate, at one false alarm a year.
    pub weighed: Option<Delay>,
}

/// What came out for one rise.
#[derive(Clone, Debug, PartialEq)]
pub struct Rise {
    /// Stream and rise.
    pub cell: Cell,
    /// The CUSUM that knows both rates.
    pub oracle: Delay,
    /// Ours, the old rate given, threshold for one false alarm a year as simulated.
    pub given: Delay,
    /// The same at the threshold of a year, which is proved.
    pub proved: Delay,
    /// The old rate learned, by history.
    pub learned: Vec<Learned>,
    /// FOCuS on the intervals, the old rate and the shape given.
    pub focus: Delay,
}

impl Rise {
    /// η: a mean delay as a multiple of the best that is possible.
    #[must_use]
    pub fn eta(&self, delay: &Delay) -> f64 {
        eta(&self.cell, &self.oracle, delay)
    }
}

fn eta(cell: &Cell, oracle: &Delay, delay: &Delay) -> f64 {
    delay.mean / oracle.mean.max(cell.floor_s())
}

/// Whether η meets a goal as it is printed, so that 1.15 does.
#[must_use]
pub fn meets(eta: f64, goal: f64) -> bool {
    (eta * 100.0).round() <= (goal * 100.0).round()
}

/// What came out for one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The stream.
    pub stream: Stream,
    /// ln s.
    pub given: Threshold,
    /// ln s, by history.
    pub learned: Vec<Threshold>,
    /// nats.
    pub focus: Threshold,
    /// False alarms a year at the threshold of a year, the rate given.
    pub alarms_given: f64,
    /// The same, the rate learned, by history.
    pub alarms_learned: Vec<f64>,
    /// By rise.
    pub rises: Vec<Rise>,
}

/// ln of a year in s.
#[must_use]
pub fn year() -> f64 {
    YEAR_S.ln()
}

/// Multiples that false alarms are drawn with: those of the mixture.
#[must_use]
pub fn rises() -> Vec<f64> {
    MIXTURE_RATES.iter().map(|r| f64::from(*r)).collect()
}

/// How the threshold of the oracle for a rise is looked for. Where a single interval decides, false
/// alarms are at intervals that are longer than those after the rise, so lower ones are drawn too.
#[must_use]
pub fn oracle_plan(rho: f64, runs: usize) -> Plan {
    let between = (1..=8).map(|part| rho.powf(f64::from(part) / 8.0)).collect();
    Plan { runs, slowest: rho, rises: between, memory_s: 0.0, most: f64::INFINITY }
}

/// Pulses until a detector has forgotten how it began.
#[must_use]
pub fn settled(shape: f64) -> Change {
    Change::AfterPulses((500.0 / shape) as usize + 20)
}

/// Simulates one stream.
#[must_use]
pub fn study(stream: Stream, rhos: &[f64], effort: &Effort) -> Outcome {
    let cell = stream.cell(1.0);
    let histories = effort.days.map(History::Days);
    let ours = |known: &Known| Box::new(Ours::new(known, 0.0)) as Box<dyn Watch>;
    let away = |known: &Known| Box::new(Ours::new(known, effort.deviations)) as Box<dyn Watch>;
    let hull = |known: &Known| Box::new(FocusOnIntervals::new(known)) as Box<dyn Watch>;
    let plan =
        Plan { runs: effort.thresholds, slowest: 1.15, rises: rises(), memory_s: 0.0, most: year() + 3.0 };
    let alarms =
        |history, start: &Start, plan: &Plan| FalseAlarms::simulate(&cell, history, start, plan, effort.seed);
    let in_given = alarms(History::Given, &ours, &plan);
    let in_learned = histories.map(|history| alarms(history, &away, &plan));
    // A single interval that is very short is a window too: FOCuS alarms at these.
    let steep = [rises(), vec![100.0, 1e3, 1e5, 1e7]].concat();
    let in_focus = alarms(History::Given, &hull, &Plan { rises: steep, most: 25.0, ..plan.clone() });
    let (given, focus) = (in_given.threshold(1.0), in_focus.threshold(1.0));
    let learned = in_learned.each_ref().map(|alarms| alarms.threshold(1.0));
    let runs = Runs { number: effort.delays, change: settled(stream.shape), most_s: f64::INFINITY };
    let by_rise = rhos.iter().map(|&rho| {
        let cell = stream.cell(rho);
        let best = |known: &Known| Box::new(Oracle::new(known, rho)) as Box<dyn Watch>;
        let oracle_plan = oracle_plan(rho, effort.thresholds);
        let best_at = FalseAlarms::simulate(&cell, History::Given, &best, &oracle_plan, effort.seed);
        let measure =
            |history, start: &Start, value| delay(&cell, history, start, value, runs, effort.seed + 1);
        let oracle = measure(History::Given, &best, best_at.threshold(1.0).value);
        let weighed = |history| {
            let weigher =
                |known: &Known| Box::new(Posterior::new(known, stream.shape, rho)) as Box<dyn Watch>;
            // A history that told too low a rate looks like a smaller rise, for longer.
            let plan = Plan { slowest: 1.0 + 0.75 * (rho - 1.0), ..oracle_plan.clone() };
            measure(history, &weigher, alarms(history, &weigher, &plan).threshold(1.0).value)
        };
        let of_history = |(history, threshold): (&History, &Threshold)| {
            let calibrated = measure(*history, &away, threshold.value);
            let misses = !meets(eta(&cell, &oracle, &calibrated), GOAL_LEARNED);
            let weighed = misses.then(|| weighed(*history));
            Learned { calibrated, at_year: measure(*history, &away, year()), weighed }
        };
        Rise {
            cell,
            given: measure(History::Given, &ours, given.value),
            proved: measure(History::Given, &ours, year()),
            learned: histories.iter().zip(&learned).map(of_history).collect(),
            focus: measure(History::Given, &hull, focus.value),
            oracle,
        }
    });
    Outcome {
        stream,
        given,
        focus,
        alarms_given: in_given.a_year(year()).0,
        alarms_learned: in_learned.iter().map(|alarms| alarms.a_year(year()).0).collect(),
        rises: by_rise.collect(),
        learned: learned.to_vec(),
    }
}
