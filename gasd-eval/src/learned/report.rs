// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is chosen on some homes, and what comes of it in others.

use std::fmt::Write;

use gasd_detect::learned::{Cell, SHIPPED};

use super::compare::{Compared, Plan, Variant, compare};
use super::examples::{CLASSES, SETS};
use crate::system::stats::{garwood, quantile, wilson};

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.96;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Homes to choose by; for the test there are twice as many.
    pub homes: usize,
    /// Leaks of each class in a home.
    pub leaks: u32,
    /// Threads.
    pub jobs: usize,
}

/// What may be chosen. The scales above 1 are for equal rates: what the model adds in false alarms the rules give up.
fn variants() -> Vec<Variant> {
    let mut all = vec![Variant::OFF, Variant::blind(0.95)];
    for (full, scale) in [(20.0, 1.0), (20.0, 1.05), (60.0, 1.0), (60.0, 1.05), (200.0, 1.0)] {
        all.push(Variant { full, scale });
    }
    all
}

/// All cries of a variant.
fn cries(homes: &[Compared], variant: usize) -> u64 {
    homes.iter().map(|h| h.cries[variant]).sum()
}

/// Mean over leaks of the logarithm of litres, less than without advice; with its 95 % bound by home.
fn saved(homes: &[Compared], variant: usize, class: Option<usize>) -> Option<(f64, f64)> {
    let of_home = |h: &Compared| {
        let mine = h.leaks.iter().filter(|l| class.is_none_or(|c| l.class == c));
        let logs: Vec<f64> = mine.map(|l| (l.litres[variant].max(1.0) / l.litres[0].max(1.0)).ln()).collect();
        (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
    };
    let means: Vec<f64> = homes.iter().filter_map(of_home).collect();
    if means.len() < 2 {
        return None;
    }
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    let var = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some((mean, Z * (var / n).sqrt()))
}

fn percent((mean, half): (f64, f64)) -> String {
    let part = |x: f64| 100.0 * (x.exp() - 1.0);
    format!("{:+.1} % ({:+.1} to {:+.1})", part(mean), part(mean - half), part(mean + half))
}

/// All litres of a variant against those without advice, as a part.
fn sum(homes: &[Compared], variant: usize) -> f64 {
    let all = |v: usize| homes.iter().flat_map(|h| &h.leaks).map(|l| l.litres[v]).sum::<f64>();
    all(variant) / all(0)
}

fn curve(homes: &[Compared], variants: &[Variant]) -> String {
    let mut out = String::from(
        "| | false alarms a meter-year | beside those without | litres a leak, geometric mean | litres in all |\n|---|---|---|---|---|\n",
    );
    for (i, variant) in variants.iter().enumerate() {
        let n = cries(homes, i);
        let (low, high) = garwood(n);
        let years = homes.len() as f64;
        let _ = writeln!(
            out,
            "| {} | {:.2} ({:.2}–{:.2}) | {:+} | {} | {:+.1} % |",
            variant.name(),
            n as f64 / years,
            low / years,
            high / years,
            n as i64 - cries(homes, 0) as i64,
            saved(homes, i, None).map_or_else(|| "–".into(), percent),
            100.0 * (sum(homes, i) - 1.0),
        );
    }
    out
}

/// The variant that hears the model and saves most litres, of those that cry no oftener than the rules alone.
fn best(homes: &[Compared], variants: &[Variant]) -> Option<usize> {
    let fits = |i: &usize| variants[*i].hears() && cries(homes, *i) <= cries(homes, 0);
    let value = |i: usize| saved(homes, i, None).map_or(0.0, |s| s.0);
    (0..variants.len()).filter(fits).min_by(|a, b| value(*a).total_cmp(&value(*b)))
}

fn by_class(homes: &[Compared], at: usize) -> String {
    let mut out = String::from(
        "| leak | trials | litres 50 / 90 %, off | with | a leak, geometric mean | in time, off | with |\n|---|---|---|---|---|---|---|\n",
    );
    for (c, class) in CLASSES.iter().enumerate() {
        let mine: Vec<_> = homes.iter().flat_map(|h| &h.leaks).filter(|l| l.class == c).collect();
        let litres = |v: usize| {
            let mut all: Vec<f64> = mine.iter().map(|l| l.litres[v]).collect();
            all.sort_by(f64::total_cmp);
            let q = |q| quantile(&all, q).unwrap_or(f64::NAN);
            format!("{:.0} / {:.0}", q(0.5), q(0.9))
        };
        let in_time = |v: usize| {
            let hits = mine.iter().filter(|l| l.in_time[v]).count();
            let (low, high) = wilson(hits, mine.len());
            format!(
                "{:.0} % ({:.0}–{:.0})",
                100.0 * hits as f64 / mine.len().max(1) as f64,
                100.0 * low,
                100.0 * high
            )
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            class.name(),
            mine.len(),
            litres(0),
            litres(at),
            saved(homes, at, Some(c)).map_or_else(|| "–".into(), percent),
            in_time(0),
            in_time(at),
        );
    }
    out
}

/// The section for docs/evaluation/learned.md, without its words.
#[must_use]
pub fn run(options: &Options) -> String {
    let plan = |set: usize, homes, variants: &[Variant]| Plan {
        seed: SETS[set].1 + 100_000,
        homes,
        leaks: options.leaks,
        jobs: options.jobs,
        variants: variants.to_vec(),
    };
    let all = variants();
    let choose = compare(&plan(1, options.homes, &all));
    let cell = if SHIPPED.cell == Cell::Gru { "GRU" } else { "LSTM" };
    let mut out = format!(
        "Made by `gasd-eval learned --homes {} --leaks {}`; the model is a {cell} with a state of {}.\n\n",
        options.homes, options.leaks, SHIPPED.hidden
    );
    let _ = write!(out, "## Homes to choose by: {} meter-years\n\n{}\n", choose.len(), curve(&choose, &all));
    let Some(chosen) = best(&choose, &all).map(|i| all[i]) else {
        out.push_str("With advice none cries as seldom as the rules alone: nothing is left to test.\n");
        return out;
    };
    let tested = [Variant::OFF, chosen, Variant { scale: 1.0, ..chosen }, Variant::blind(0.95)];
    let test = compare(&plan(3, 2 * options.homes, &tested));
    let _ = write!(
        out,
        "Chosen is *{}*: of those that hear the model and cry no oftener than the rules alone, the one that saves most.\n\n\
         ## Homes for the test: {} meter-years\n\n{}\n",
        chosen.name(),
        test.len(),
        curve(&test, &tested)
    );
    let both = |h: &Compared| h.cries[1] as i64 - h.cries[0] as i64;
    let (more, less) =
        (test.iter().filter(|h| both(h) > 0).count(), test.iter().filter(|h| both(h) < 0).count());
    let _ = write!(
        out,
        "With the advice {more} homes had more false alarms than without, {less} had fewer.\n\n{}",
        by_class(&test, 1)
    );
    out
}
