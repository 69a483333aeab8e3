// SPDX-License-Identifier: MIT OR Apache-2.0
//! The share of leaks that one can tell who may cry so often at what looks the same.

/// A kind of leak that one can tell from the others, and what sound homes do that looks like it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// Things in sound homes that look like it.
    pub imitations: u64,
    /// How much of all leaks is of this kind, in any unit.
    pub leaks: f64,
}

/// The share of leaks told with `most` false warnings: kinds that are seldom imitated first, and of the kind that
/// breaks the budget a part, as by drawing lots. A kind of which there is no leak is not told.
#[must_use]
pub fn share(cells: &[Cell], most: f64) -> f64 {
    let mut sorted: Vec<Cell> = cells.iter().copied().filter(|c| c.leaks > 0.0).collect();
    sorted.sort_by(|a, b| (a.imitations as f64 * b.leaks).total_cmp(&(b.imitations as f64 * a.leaks)));
    let all: f64 = sorted.iter().map(|c| c.leaks).sum();
    let (mut left, mut told) = (most, 0.0);
    for cell in sorted {
        let costs = cell.imitations as f64;
        let part = if costs <= left { 1.0 } else { left / costs };
        told += cell.leaks * part;
        left -= costs * part;
    }
    if all > 0.0 { told / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seldom_imitated_comes_first() {
        let cell = |imitations, leaks| Cell { imitations, leaks };
        let one = [cell(10, 5.0)];
        assert!((share(&one, 4.0) - 0.4).abs() < 1e-12, "without knowledge warnings and leaks go together");
        assert!((share(&one, 40.0) - 1.0).abs() < 1e-12);
        let cells = [cell(8, 2.0), cell(0, 1.0), cell(2, 1.0), cell(50, 0.0)];
        // 1 free, 1 for two, and half of 2 for four of eight.
        assert!((share(&cells, 6.0) - 0.75).abs() < 1e-12);
        assert!((share(&cells, 0.0) - 0.25).abs() < 1e-12);
        assert!(share(&[], 1.0).abs() < 1e-12);
    }
}
