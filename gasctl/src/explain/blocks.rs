// SPDX-License-Identifier: MIT OR Apache-2.0
//! A curve in a terminal: columns of blocks in eighths of a line.

use super::curve::{Curve, number, span};

/// Lines of the picture, without its axis.
const ROWS: usize = 8;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A line, parted where the verdict's cause began.
pub(super) struct Row {
    /// The scale at the left.
    pub(super) scale: String,
    /// What was before.
    pub(super) before: String,
    /// What came then.
    pub(super) after: String,
}

/// Draws a curve over so many columns.
pub(super) fn draw(curve: &Curve, columns: usize) -> Vec<Row> {
    let top = curve.top();
    let width = curve.to_ns - curve.from_ns;
    let edge = |column: usize| curve.from_ns + (u128::from(width) * column as u128 / columns as u128) as u64;
    let parted = (0..columns).find(|column| edge(column + 1) > curve.began_ns).unwrap_or(columns);
    let heights: Vec<usize> = (0..columns)
        .map(|column| {
            let flow = curve.mean(edge(column), edge(column + 1)).unwrap_or(0.0);
            let eighths = (flow / top * (ROWS * 8) as f64).round() as usize;
            // Some gas is not none.
            if flow > 0.0 { eighths.clamp(1, ROWS * 8) } else { 0 }
        })
        .collect();
    let labels = [number(top), number(top / 2.0), "0".to_owned()];
    let room = labels.iter().map(String::len).max().unwrap_or(1).max(4);
    let mut rows = Vec::with_capacity(ROWS + 2);
    for row in 0..ROWS {
        let label = match row {
            0 => labels[0].as_str(),
            _ if row == ROWS / 2 => labels[1].as_str(),
            _ => "",
        };
        let below = (ROWS - 1 - row) * 8;
        let line: Vec<char> =
            heights.iter().map(|height| EIGHTHS[height.saturating_sub(below).min(8)]).collect();
        let (before, after) = line.split_at(parted);
        rows.push(Row {
            scale: format!("{label:>room$} ┤"),
            before: before.iter().collect(),
            after: after.iter().collect(),
        });
    }
    let axis = |from: usize, to: usize| "─".repeat(to - from);
    rows.push(Row {
        scale: format!("{:>room$} ┼", "m³/h"),
        before: axis(0, parted),
        after: format!("┬{}", axis(parted.min(columns - 1) + 1, columns)),
    });
    let took = format!("began {} before", span(curve.to_ns - curve.began_ns));
    let first = format!("{} before", span(width));
    // The word stands at its mark, or ends with the line.
    let line = columns + 1;
    let at = parted.min(line.saturating_sub(took.chars().count()));
    let left = if first.chars().count() + 2 <= at { first } else { String::new() };
    let pad = " ".repeat(at - left.chars().count());
    rows.push(Row { scale: " ".repeat(room + 2), before: format!("{left}{pad}"), after: took });
    rows
}

#[cfg(test)]
mod tests {
    use super::super::tests::verdict;
    use super::*;

    #[test]
    fn a_hose_is_seen_at_a_glance() {
        let curve = Curve::of(&verdict()).unwrap();
        let drawn: Vec<String> = draw(&curve, 31)
            .into_iter()
            .map(|row| format!("{}{}|{}", row.scale, row.before, row.after).trim_end().to_owned())
            .collect();
        assert_eq!(
            drawn,
            [
                "  10 ┤                             |",
                "     ┤                             |",
                "     ┤                             |▆▆",
                "     ┤                             |██",
                "   5 ┤                             |██",
                "     ┤                             |██",
                "     ┤▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄|██",
                "     ┤█████████████████████████████|██",
                "m³/h ┼─────────────────────────────|┬─",
                "      62 s before   |began 4.0 s before",
            ]
        );
    }

    #[test]
    fn any_width_holds_any_curve() {
        let mut verdict = verdict();
        for (at, t_ns) in [(1, 0), (2, 1_000_000_000_000), (40, 1_030_000_000_000), (200, u64::MAX)] {
            verdict.t_ns = t_ns;
            let curve = Curve::of(&verdict).unwrap();
            for row in draw(&curve, at).iter().take(ROWS) {
                assert_eq!(row.before.chars().count() + row.after.chars().count(), at);
            }
        }
    }
}
