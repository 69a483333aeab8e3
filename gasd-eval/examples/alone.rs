// SPDX-License-Identifier: MIT OR Apache-2.0
//! The section "The detector alone": `alone [runs for a threshold] [runs for a delay] [days] [deviations] [file.svg]`.

use gasd_eval::alone::command::{Options, run};

fn main() {
    let mut options = Options::default();
    let numbers: Vec<f64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let effort = &mut options.effort;
    effort.thresholds = numbers.first().map_or(effort.thresholds, |n| *n as usize);
    effort.delays = numbers.get(1).map_or(effort.delays, |n| *n as usize);
    effort.days = numbers.get(2).copied().unwrap_or(effort.days);
    effort.deviations = numbers.get(3).copied().unwrap_or(effort.deviations);
    let (section, picture) = run(&options);
    println!("{section}");
    if let Some(file) = std::env::args().find(|a| a.ends_with(".svg"))
        && let Err(error) = std::fs::write(&file, picture)
    {
        eprintln!("{file}: {error}");
    }
}
