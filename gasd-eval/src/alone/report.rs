// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section "The detector alone" of docs/EVALUATION.md.

use std::fmt::Write as _;

use super::{
    delay::Delay,
    plot::{Curve, chart},
    study::{Effort, GOAL_GIVEN, GOAL_LEARNED, Outcome, Rise, meets},
};

/// The tables.
#[must_use]
pub fn markdown(outcomes: &[Outcome], rhos: &[f64], effort: &Effort) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "η is the mean delay divided by max(v/(2 q₁), that of the CUSUM that knows both rates and the \
         regularity), both at one false alarm a year; {} runs for a threshold, {} for a delay, seed {}. \
         CV of the intervals is 1/√k.\n",
        effort.thresholds, effort.delays, effort.seed
    );
    let _ = writeln!(
        out,
        "### Old rate given (goal: η ≤ {GOAL_GIVEN})\n\nη at the calibrated threshold / at the proved one (a \
         year in seconds). **Bold** misses the goal. The last columns: false alarms a year at the proved \
         threshold, standard error of the calibration.\n"
    );
    etas(&mut out, outcomes, rhos, GOAL_GIVEN, |r| (&r.given, Some(&r.proved)));
    let _ = writeln!(
        out,
        "\n### Old rate learned (goal: η ≤ {GOAL_LEARNED})\n\nRate and regularity are learned once, then kept; the \
         null is {} deviation(s) to the safe side of what was learned. The calibrated threshold has one false alarm \
         a year on the mean over what may be learned. The engine learns a home for 28 days before it holds any flow \
         against it. Where the goal is missed, *weighed* is η of one who is told the regularity and the rise, and \
         weighs every old rate by what the history and the stream themselves show; its threshold has one false alarm \
         a year, at as many as in the first weeks after the history.",
        effort.deviations
    );
    for (history, days) in effort.days.iter().enumerate() {
        let _ = writeln!(out, "\n#### From {days} days\n");
        learned(&mut out, outcomes, rhos, history);
    }
    let _ = writeln!(
        out,
        "\n### FOCuS on the same intervals\n\nη of Poisson-FOCuS, the old rate and the regularity given (the \
         latter is ours: the authors have Poisson counts).\n"
    );
    etas(&mut out, outcomes, rhos, GOAL_GIVEN, |r| (&r.focus, None));
    let _ =
        writeln!(out, "\n### Delays, s\n\nOracle, then ours (given, calibrated): mean (95th percentile).\n");
    delays(&mut out, outcomes, rhos);
    out
}

fn head(out: &mut String, rhos: &[f64], more: &[&str]) {
    let _ = write!(out, "| v, L | q₀, m³/h | k |");
    for rho in rhos {
        let _ = write!(out, " ×{rho} |");
    }
    for title in more {
        let _ = write!(out, " {title} |");
    }
    let _ = writeln!(out, "\n|{}", "--:|".repeat(3 + rhos.len() + more.len()));
}

fn stream(out: &mut String, o: &Outcome) {
    let _ = write!(out, "| {} | {} | {} |", o.stream.pulse_l, o.stream.flow, o.stream.shape);
}

fn mark(eta: f64, goal: f64) -> String {
    if meets(eta, goal) { format!("{eta:.2}") } else { format!("**{eta:.2}**") }
}

fn etas<'a>(
    out: &mut String,
    outcomes: &'a [Outcome],
    rhos: &[f64],
    goal: f64,
    which: impl Fn(&'a Rise) -> (&'a Delay, Option<&'a Delay>),
) {
    let two = outcomes.first().and_then(|o| o.rises.first()).is_some_and(|r| which(r).1.is_some());
    head(out, rhos, if two { &["alarms a year", "±"] } else { &[] });
    for o in outcomes {
        stream(out, o);
        for rise in &o.rises {
            let (first, second) = which(rise);
            let _ = write!(out, " {}", mark(rise.eta(first), goal));
            if let Some(second) = second {
                let _ = write!(out, " / {}", mark(rise.eta(second), goal));
            }
            let _ = write!(out, " |");
        }
        if two {
            let _ = write!(out, " {:.2} | {:.0} % |", o.alarms_given, 100.0 * o.given.error);
        }
        let _ = writeln!(out);
    }
}

fn learned(out: &mut String, outcomes: &[Outcome], rhos: &[f64], history: usize) {
    head(out, rhos, &["alarms a year at the threshold of a year", "±"]);
    for o in outcomes {
        stream(out, o);
        for rise in &o.rises {
            let learned = &rise.learned[history];
            let (calibrated, year) = (rise.eta(&learned.calibrated), rise.eta(&learned.at_year));
            let _ = write!(out, " {} / {}", mark(calibrated, GOAL_LEARNED), mark(year, GOAL_LEARNED));
            if let Some(weighed) = &learned.weighed {
                let error = weighed.error * rise.eta(weighed) / weighed.mean;
                let _ = write!(out, " (weighed: {:.2} ± {error:.2})", rise.eta(weighed));
            }
            let _ = write!(out, " |");
        }
        let (alarms, threshold) = (o.alarms_learned[history], &o.learned[history]);
        let _ = writeln!(out, " {alarms:.2} | {:.0} % |", 100.0 * threshold.error);
    }
}

fn delays(out: &mut String, outcomes: &[Outcome], rhos: &[f64]) {
    head(out, rhos, &[]);
    for o in outcomes {
        stream(out, o);
        for rise in &o.rises {
            let (best, ours) = (&rise.oracle, &rise.given);
            let _ = write!(out, " {} ({}),", digits(best.mean), digits(best.p95));
            let _ = write!(out, " {} ({}) |", digits(ours.mean), digits(ours.p95));
        }
        let _ = writeln!(out);
    }
}

/// Three digits that matter.
#[must_use]
pub fn digits(x: f64) -> String {
    if !x.is_finite() || x == 0.0 {
        return format!("{x}");
    }
    let places = (2 - x.abs().log10().floor() as i32).max(0) as usize;
    format!("{x:.places$}")
}

/// Delays against the rise, oracle and ours, for some regularities at one meter and flow.
#[must_use]
pub fn picture(outcomes: &[Outcome], rhos: &[f64]) -> String {
    const COLOURS: [&str; 5] = ["#06c", "#080", "#c60", "#a0a", "#c00"];
    let mut curves = Vec::new();
    let shown = outcomes.iter().filter(|o| o.stream.pulse_l == 1.0 && o.stream.flow == 1.0);
    for (outcome, colour) in shown.zip(COLOURS) {
        let curve = |name: String, dashed, of: fn(&Rise) -> f64| Curve {
            name,
            points: outcome.rises.iter().map(|rise| (rise.cell.rho, of(rise))).collect(),
            dashed,
            colour,
        };
        curves.push(curve(format!("ours, k = {}", outcome.stream.shape), false, |r| r.given.mean));
        curves.push(curve(String::new(), true, |r| r.oracle.mean));
    }
    chart(
        "Delay at one false alarm a year, 1 L a pulse, from 1 m³/h (dashed: oracle)",
        "the new flow, times the old",
        "mean delay, s",
        rhos,
        &curves,
    )
}
