// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval peers` and `gasd-eval peers --speed`: print the section "Peers".

use std::fmt::Write as _;

use super::{
    list::{Peer, Setting, everybody},
    speed,
    study::{Done, FOREST_MOST_S, MOST_S, study},
};
use crate::alone::{
    arl::FalseAlarms,
    command::RHOS,
    delay::{Delay, Runs, delay},
    learn::History,
    report::digits,
    study::{Stream, oracle_plan, settled},
    watch::{Oracle, Watch},
};
use crate::jobs::{cores, parallel};
use crate::machine::made_by;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Runs for a threshold.
    pub thresholds: usize,
    /// Runs for a delay.
    pub delays: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { thresholds: 1000, delays: 1000, seed: 1 }
    }
}

/// Where everybody is compared, and what is known of the flow before.
pub const CASES: [(Stream, History); 5] = [
    (Stream { pulse_l: 1.0, flow: 1.0, shape: 1.0 }, History::Given),
    (Stream { pulse_l: 0.1, flow: 1.0, shape: 1.0 }, History::Given),
    (Stream { pulse_l: 1.0, flow: 1.0, shape: 25.0 }, History::Given),
    (Stream { pulse_l: 10.0, flow: 1.0, shape: 1.0 }, History::Given),
    // 2400 pulses: the rate that was learned is 2 % off.
    (Stream { pulse_l: 10.0, flow: 1.0, shape: 1.0 }, History::Days(1.0)),
];

/// What stands above the tables.
#[must_use]
pub fn introduction(options: &Options) -> String {
    let made = made_by("gasd-eval peers");
    format!(
        "{made}\nMean delay in s (95th percentile) at one false alarm a year. {} runs for a threshold, {} for a delay; \
         \">\": runs were given up after {MOST_S} s (forests: {FOREST_MOST_S} s). Forests learn all the time and are \
         too slow for a year: their threshold is extrapolated from 10 days (half-space trees) and 2 days (random cut \
         forest) by an exponential tail of the hours' maxima, their delays are from 100 and 10 runs.\n",
        options.thresholds, options.delays
    )
}

/// Everybody's delays in one case as Markdown.
#[must_use]
pub fn run(options: &Options, (stream, history): (Stream, History)) -> String {
    let mut peers = everybody();
    if (stream, history) != CASES[0] {
        // Once is enough to see, and takes longer than all others together.
        peers.retain(|peer| !matches!(peer.setting, Setting::Extrapolated { .. }));
    }
    let one = |i: usize| study(&peers[i], (stream, history), &RHOS, options);
    let done = parallel("peers", peers.len(), cores(), one);
    let mut out = String::new();
    table(&mut out, (stream, history), &peers, &done, options);
    out
}

fn table(
    out: &mut String,
    (stream, history): (Stream, History),
    peers: &[Peer],
    done: &[Done],
    options: &Options,
) {
    let Stream { pulse_l, flow, shape } = stream;
    let learned = match history {
        History::Given => String::new(),
        History::Days(days) => format!(", learned from {days} day (but by the oracle)"),
    };
    let _ = write!(
        out,
        "\n{pulse_l} L a pulse, {flow} m³/h before{learned}, Gamma intervals of shape {shape}:\n\n| |"
    );
    for rho in RHOS {
        let _ = write!(out, " ×{rho} |");
    }
    let _ = writeln!(out, " calibration ± |\n|---{}", "|--:".repeat(RHOS.len() + 1) + "|");
    let _ = write!(out, "| oracle CUSUM |");
    for rho in RHOS {
        let _ = write!(out, " {} |", cell(&oracle(stream, rho, options)));
    }
    let _ = writeln!(out, " |");
    for (peer, done) in peers.iter().zip(done) {
        let _ = write!(out, "| {} |", peer.name);
        match &done.delays {
            Some(delays) => delays.iter().for_each(|delay| {
                let _ = write!(out, " {} |", cell(delay));
            }),
            None => RHOS.iter().for_each(|_| out.push_str(" no threshold |")),
        }
        let _ = match (&peer.setting, done.error) {
            (_, Some(error)) => writeln!(out, " {:.0} % |", 100.0 * error),
            (Setting::Extrapolated { .. }, _) => writeln!(out, " extrapolated |"),
            _ => writeln!(out, " |"),
        };
    }
}

fn cell(delay: &Delay) -> String {
    let more = if delay.given_up > 0 { ">" } else { "" };
    format!("{more}{} ({})", digits(delay.mean), digits(delay.p95))
}

fn oracle(stream: Stream, rho: f64, options: &Options) -> Delay {
    let best = |known: &_| Box::new(Oracle::new(known, rho)) as Box<dyn Watch>;
    let plan = oracle_plan(rho, options.thresholds);
    let cell = stream.cell(rho);
    let alarms = FalseAlarms::simulate(&cell, History::Given, &best, &plan, options.seed);
    let runs = Runs { number: options.delays, change: settled(stream.shape), most_s: f64::INFINITY };
    delay(&cell, History::Given, &best, alarms.threshold(1.0).value, runs, options.seed + 1)
}

/// Everybody's cost a step as Markdown.
#[must_use]
pub fn speed() -> String {
    let costs = speed::measure();
    let ours = costs.first().map_or(f64::NAN, |cost| cost.ns);
    let mut out = made_by("gasd-eval peers --speed");
    out.push_str("\n| detector | a step is a | ns | × ours |\n|---|---|--:|--:|\n");
    for cost in costs {
        let _ =
            writeln!(out, "| {} | {} | {} | {:.1} |", cost.name, cost.step, digits(cost.ns), cost.ns / ours);
    }
    out
}
