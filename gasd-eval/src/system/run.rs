// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything about whole detectors, in one run.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::class::Class;
use super::judge::ALL;
use super::stats::quantile;
use super::trials::Tried;
use super::{homes, json as machine, plot, report, trials};
use crate::leak::recordings::{self, Recording};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything is drawn from.
    pub seed: u64,
    /// Meter-years without leaks.
    pub years: u32,
    /// Of which so many in each home.
    pub each: u32,
    /// Homes into which leaks are injected.
    pub leaks: usize,
    /// Threads.
    pub jobs: usize,
    /// The recordings are in this folder.
    pub recordings: PathBuf,
    /// Plots and tables go into this folder.
    pub out: Option<PathBuf>,
    /// The figures for machines go into this file.
    pub json: Option<PathBuf>,
}

/// Days that a home is learned before leaks are injected, and days in which they are.
const LEARN_DAYS: u32 = 60;
const WINDOW_DAYS: u32 = 30;

/// Runs it; the tables in Markdown.
///
/// # Errors
/// A file that cannot be written.
pub fn run(options: &Options) -> Result<String, String> {
    let (recorded, missing) = recordings::read(&options.recordings);
    for why in &missing {
        eprintln!("not read: {why}");
    }
    let (seed, jobs) = (options.seed, options.jobs);
    let count = options.years.div_ceil(options.each.max(1)) as usize;
    let watched = homes::watch(&homes::Plan { seed, homes: count, days: options.each.max(1) * 365, jobs });
    let real = homes::watch_recordings(&recorded, jobs);
    let plan = |homes| trials::Plan { seed, homes, learn_days: LEARN_DAYS, window_days: WINDOW_DAYS, jobs };
    let tried = trials::in_homes(&plan(options.leaks));
    let tried_real = trials::in_recordings(&plan(0), &recorded);

    let mut out = report::false_alarms("False alarms in generated homes", &watched);
    out.push_str(&report::false_alarms("False alarms in recordings", &real));
    out.push_str(&left_out(&recorded, &missing));
    out.push_str(&report::summary("Leaks in generated homes", &tried));
    out.push_str(&report::summary("Leaks in recordings", &tried_real));
    for i in 0..Class::ALL.len() {
        out.push_str(&report::by_class(i, &tried));
    }
    if let Some(folder) = &options.out {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        plots(folder, &tried)?;
        write(&folder.join("system.md"), &out)?;
    }
    if let Some(path) = &options.json {
        let all = json!({
            "seed": seed,
            "homes": machine::false_alarms(&watched),
            "recordings": machine::false_alarms(&real),
            "leaks_in_homes": machine::trials(&tried),
            "leaks_in_recordings": machine::trials(&tried_real),
        });
        write(path, &format!("{all:#}\n"))?;
    }
    Ok(out)
}

fn left_out(recorded: &[Recording], missing: &[String]) -> String {
    let mut out = String::new();
    if recorded.iter().any(|r| r.repeated) {
        out.push_str(
            "CIWS is four days that come again thirty times: its rows do not count in the sums.\n\n",
        );
    }
    for why in missing {
        out.push_str(&format!("Not read: {why}\n\n"));
    }
    out
}

/// One plot a class, and one of the constant leaks over their flow; what is possible is the last line.
fn plots(folder: &Path, tried: &[Tried]) -> Result<(), String> {
    let names: Vec<&str> = ALL.iter().map(|d| d.0).chain(["possible"]).collect();
    let litres = |class: usize, line: usize| -> Vec<f64> {
        let mine = tried.iter().filter(|t| t.class == class);
        mine.filter_map(|t| t.outcomes.get(line).copied().or(t.bound)).map(|o| o.litres).collect()
    };
    for (i, class) in Class::ALL.iter().enumerate().filter(|c| c.1.leaks()) {
        let lines: Vec<_> = names.iter().enumerate().map(|(d, name)| (*name, litres(i, d))).collect();
        let svg = plot::released(&class.name(), &lines, class.litres());
        write(&folder.join(format!("{}.svg", class.file())), &svg)?;
    }
    let median = |class: usize, line: usize| {
        let mut sorted = litres(class, line);
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, 0.5).unwrap_or(f64::INFINITY)
    };
    let flow = |(i, class): (usize, &Class)| match class {
        Class::Constant(q) => Some((i, *q)),
        _ => None,
    };
    let constant: Vec<(usize, f64)> = Class::ALL.iter().enumerate().filter_map(flow).collect();
    let line = |d| constant.iter().map(|(i, q)| (*q, median(*i, d))).collect();
    let lines: Vec<_> = names.iter().enumerate().map(|(d, name)| (*name, line(d))).collect();
    let title = "Litres released before half of the leaks are noticed; the limit is 10 % of the LEL in 20 m³";
    write(&folder.join("litres-over-flow.svg"), &plot::over_flow(title, &lines, 88.0))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
