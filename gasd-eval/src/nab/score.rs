// SPDX-License-Identifier: MIT OR Apache-2.0
//! How NAB 1.1 scores (Lavin and Ahmad 2015), written from the published rules.
//!
//! In each window the best detection counts, the earlier the better; what is outside costs the more
//! the farther behind a window it is. One threshold for the whole corpus, the best there is for the
//! profile — on the data that are scored, which is NAB's rule. 100 finds all at once, 0 says nothing.

use super::corpus::Series;

/// What a miss and a false alarm cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Its name in tables.
    pub name: &'static str,
    miss: f64,
    false_alarm: f64,
}

/// NAB's three.
pub const PROFILES: [Profile; 3] = [
    Profile { name: "standard", miss: 1.0, false_alarm: 0.11 },
    Profile { name: "low FP", miss: 1.0, false_alarm: 0.22 },
    Profile { name: "low FN", miss: 2.0, false_alarm: 0.11 },
];

/// NAB's sigmoid: 1 well inside a window, 0 at its end, −1 three windows behind it.
fn sigmoid(y: f64) -> f64 {
    if y > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * y).exp()) - 1.0 }
}

/// A row: the detector's score, what it is worth by its place, and in which window it is.
struct Row {
    score: f64,
    worth: f64,
    window: Option<usize>,
}

/// The normalised score by profile; `scores` has one number a row of each series, high for a strange
/// one.
#[must_use]
pub fn score(corpus: &[Series], scores: &[Vec<f64>]) -> [f64; 3] {
    let mut rows = Vec::new();
    let mut first_window = 0;
    for (series, scores) in corpus.iter().zip(scores) {
        place(series, scores, first_window, &mut rows);
        first_window += series.windows.len();
    }
    rows.sort_by(|a, b| b.score.total_cmp(&a.score));
    PROFILES.map(|profile| best(&rows, first_window, profile))
}

fn place(series: &Series, scores: &[f64], first_window: usize, rows: &mut Vec<Row>) {
    let (mut next, mut last) = (0, None::<(usize, usize)>);
    for (i, &score) in scores.iter().enumerate() {
        let inside = series.windows.get(next).copied().filter(|(from, to)| (*from..=*to).contains(&i));
        let worth = match (inside, last) {
            (Some((from, to)), _) => {
                let length = (to - from + 1) as f64;
                sigmoid(-((to - i + 1) as f64) / length) / sigmoid(-1.0)
            }
            (None, Some((from, to))) => sigmoid((i - to) as f64 / (to - from) as f64),
            (None, None) => -1.0,
        };
        if i >= series.probation() {
            rows.push(Row { score, worth, window: inside.map(|_| first_window + next) });
        }
        if inside.is_some_and(|(_, to)| i == to) {
            last = inside;
            next += 1;
        }
    }
}

fn best(rows: &[Row], windows: usize, profile: Profile) -> f64 {
    // Windows that are wholly in the probation are missed by everybody and count for nobody.
    let mut found = vec![None; windows];
    for row in rows {
        if let Some(window) = row.window {
            found[window] = Some(-profile.miss);
        }
    }
    let nothing: f64 = found.iter().flatten().sum();
    let (mut total, mut most) = (nothing, nothing);
    for (i, row) in rows.iter().enumerate() {
        match row.window.map(|window| &mut found[window]) {
            None => total += profile.false_alarm * row.worth,
            Some(Some(best)) if row.worth > *best => {
                total += row.worth - *best;
                *best = row.worth;
            }
            Some(_) => {}
        }
        // A threshold takes all that are equal.
        if rows.get(i + 1).is_none_or(|next| next.score < row.score) {
            most = most.max(total);
        }
    }
    100.0 * (most - nothing) / (windows as f64 - nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Vec<Series> {
        vec![Series { name: "a".into(), values: vec![0.0; 1000], windows: vec![(500, 549), (700, 749)] }]
    }

    #[test]
    fn the_perfect_detector_has_100_and_the_silent_one_0() {
        let mut scores = vec![0.0; 1000];
        assert_eq!(score(&corpus(), &[scores.clone()]), [0.0; 3]);
        scores[500] = 1.0;
        scores[700] = 1.0;
        assert!(score(&corpus(), &[scores]).iter().all(|s| (s - 100.0).abs() < 1e-9));
    }

    #[test]
    fn half_of_the_windows_is_half_the_score_and_a_false_alarm_costs() {
        let mut scores = vec![0.0; 1000];
        scores[500] = 1.0;
        let [standard, ..] = score(&corpus(), &[scores.clone()]);
        assert!((standard - 50.0).abs() < 1e-9, "{standard}");
        scores[200] = 1.0;
        let [standard, low_fp, _] = score(&corpus(), &[scores]);
        assert!((standard - 100.0 * (2.0 - 0.11) / 4.0).abs() < 1e-9, "{standard}");
        assert!(low_fp < standard);
    }
}
