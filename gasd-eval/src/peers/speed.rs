// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a step costs, all in the same run: ns, the median of pieces.

use std::{hint::black_box, time::Instant};

use gasd_detect::stat::Mixture;

use super::{
    binned::OnBins,
    bocpd::Bocpd,
    focus::Focus,
    half_space::HalfSpaceOnFlow,
    windows::{Gaussian, GlrOr, PublishedAnd, Static},
};
use crate::alone::{
    cell::Known,
    watch::{Oracle, Told, Watch},
};
use crate::random::xoshiro::Random;

/// What one step is, and its price.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The detector.
    pub name: &'static str,
    /// A pulse or a bin.
    pub step: &'static str,
    /// ns.
    pub ns: f64,
}

const PIECES: usize = 500;

/// Times everybody on pulses of 1 L at 1 m³/h, Poisson, and bins of a second.
#[must_use]
pub fn measure() -> Vec<Cost> {
    let known = Known { rate: 1.0 / 3.6, shape: 1.0, pulses: f64::INFINITY };
    let mut random = Random::new(11, 0);
    let intervals: Vec<f64> = (0..200_000).map(|_| random.gamma(1.0) / known.rate).collect();
    let mut counts = vec![0u32; 200_000];
    let mut now = 0.0;
    for x in &intervals {
        now += x;
        if let Some(count) = counts.get_mut(now as usize) {
            *count += 1;
        }
    }
    let mut costs = Vec::new();
    let mut mixture = Mixture::new();
    let rate = known.rate as f32;
    costs.push(pulse("mixture e-detector", &intervals, |x| f64::from(mixture.step(x as f32, rate, 1.0))));
    let (mut oracle, mut told) = (Oracle::new(&known, 2.0), Vec::<Told>::new());
    let cusum = |x: f64| {
        told.clear();
        oracle.pulse(x, &mut told);
        told[0].value
    };
    costs.push(pulse("CUSUM", &intervals, cusum));
    let mut focus = Focus::new();
    costs.push(pulse("FOCuS", &intervals, |x| focus.step(1.0, x * known.rate)));
    let mut bins = |name, detector: &mut dyn OnBins, steps: usize| {
        let ns = time(&counts[..steps], |n| detector.bin(*n));
        costs.push(Cost { name, step: "bin", ns });
    };
    bins("BOCPD, 64 runs", &mut Bocpd::new(&known, 1.0), 20_000);
    bins("windows 1/5/30 s, GLR, OR", &mut GlrOr::new(&known), 200_000);
    bins("`published` windows, AND", &mut PublishedAnd::new(&known), 200_000);
    bins("static threshold, 60 s", &mut Static::new(60), 200_000);
    bins("windowed Gaussian", &mut Gaussian::new(&known, 1.0), 200_000);
    bins("half-space trees 25×8, Rust", &mut HalfSpaceOnFlow::new(&known, 1.0, 1), 20_000);
    #[cfg(feature = "peers")]
    {
        let forest = &mut super::cut_forest::CutForestOnFlow::new(&known, 1.0, 1);
        bins("random cut forest 50×256, `krcf`", forest, 3_000);
    }
    costs
}

fn pulse(name: &'static str, intervals: &[f64], mut step: impl FnMut(f64) -> f64) -> Cost {
    Cost { name, step: "pulse", ns: time(intervals, |x| step(*x)) }
}

/// The median of many short pieces: one in which another process had the core does not matter.
fn time<T>(steps: &[T], mut step: impl FnMut(&T) -> f64) -> f64 {
    let mut costs: Vec<f64> = steps
        .chunks((steps.len() / PIECES).max(1))
        .map(|piece| {
            let start = Instant::now();
            for x in piece {
                black_box(step(black_box(x)));
            }
            start.elapsed().as_nanos() as f64 / piece.len() as f64
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}
