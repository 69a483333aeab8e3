// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gasd-eval nab`: prints the section "NAB".

use std::{fmt::Write as _, io};

use super::{corpus, gaussian, score::score, values};

use crate::machine::made_by;

/// Published scores: detector, then by profile (NAB's README and `final_results.json`).
const PUBLISHED: [(&str, [f64; 3]); 6] = [
    ("ARTime, published", [74.9, 65.1, 80.4]),
    ("Numenta HTM, published", [70.1, 63.1, 74.3]),
    ("Relative entropy, published", [54.64, 47.6, 58.84]),
    ("Random cut forest (AWS), published", [51.72, 38.36, 59.75]),
    ("Windowed Gaussian, published", [39.65, 20.87, 47.41]),
    ("Nothing said", [0.0, 0.0, 0.0]),
];

/// Returns the section as Markdown, or nothing if the data are not there.
///
/// # Errors
///
/// Data that are there and cannot be read.
pub fn run() -> io::Result<Option<String>> {
    let Some(folder) = corpus::folder() else {
        return Ok(None);
    };
    let corpus = corpus::read(&folder)?;
    let mut lines: Vec<(String, [f64; 3])> =
        PUBLISHED.iter().map(|(name, scores)| ((*name).to_string(), *scores)).collect();
    let mut add = |name: &str, scores: fn(&[f64]) -> Vec<f64>| {
        let scores: Vec<Vec<f64>> = corpus.iter().map(|series| scores(&series.values)).collect();
        lines.push((name.to_string(), score(&corpus, &scores)));
    };
    add("**General-purpose e-detector, untuned, here**", values::scores);
    add("Windowed Gaussian, run here", gaussian::scores);
    lines.sort_by(|a, b| b.1[0].total_cmp(&a.1[0]));
    let rows: usize = corpus.iter().map(|series| series.values.len()).sum();
    let windows: usize = corpus.iter().map(|series| series.windows.len()).sum();
    let made = made_by("gasd-eval nab");
    let mut out = format!(
        "{made}\n{} series, {rows} rows, {windows} windows. As NAB has it, each detector's one threshold is the best for \
         the profile on these same data.\n\n| detector | standard | low FP | low FN |\n|---|--:|--:|--:|\n",
        corpus.len()
    );
    for (name, scores) in lines {
        let [standard, low_fp, low_fn] = scores;
        let _ = writeln!(out, "| {name} | {standard:.1} | {low_fp:.1} | {low_fn:.1} |");
    }
    Ok(Some(out))
}
