// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval alone`: prints the section "The detector alone".

use super::{
    report::{markdown, picture},
    study::{Effort, Outcome, Stream, study},
};

use crate::jobs::{cores, parallel};
use crate::machine::made_by;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How much is simulated.
    pub effort: Effort,
}

impl Default for Options {
    fn default() -> Self {
        let effort = Effort { thresholds: 2000, delays: 4000, seed: 1, days: [28.0, 7.0], deviations: 1.0 };
        Self { effort }
    }
}

/// Multiples of the old flow that are tried.
pub const RHOS: [f64; 5] = [1.2, 1.5, 2.0, 3.0, 4.0];

/// Every meter, flow and regularity.
#[must_use]
pub fn streams() -> Vec<Stream> {
    let mut all = Vec::new();
    for pulse_l in [0.1, 1.0, 10.0] {
        for flow in [1.0, 0.05] {
            for shape in [1.0, 4.0, 25.0, 100.0, 400.0] {
                all.push(Stream { pulse_l, flow, shape });
            }
        }
    }
    all
}

/// Simulates all of them.
#[must_use]
pub fn simulate(options: &Options) -> Vec<Outcome> {
    let streams = streams();
    let one = |i: usize| study(streams[i], &RHOS, &options.effort);
    parallel("the detector alone", streams.len(), cores(), one)
}

/// The section as Markdown, and its picture as SVG.
#[must_use]
pub fn run(options: &Options) -> (String, String) {
    let outcomes = simulate(options);
    let made = made_by("gasd-eval alone");
    (format!("{made}\n{}", markdown(&outcomes, &RHOS, &options.effort)), picture(&outcomes, &RHOS))
}
