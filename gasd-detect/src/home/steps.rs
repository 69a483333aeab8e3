// SPDX-License-Identifier: MIT OR Apache-2.0
//! The flow as a staircase: plateaus, and the steps between them.
//!
//! Appliances take gas at a steady rate (the 60 s variation of a real home's flow has a median of
//! 0.2 %), so the flow is a staircase, and a step is an appliance that was lit, turned or shut. A
//! single odd cell is no step: it may hold the step itself, an ignition, or a stray pulse. Two in a
//! row that agree are one.

use super::cell::Cell;

/// Two flows are the same within this part of one another: the error of a diaphragm meter within a
/// revolution is a few per cent.
const SAME: f32 = 0.10;
/// A drift of the mean over [`RECENT`] cells by more than this part is a step, too: a small burner
/// beside a boiler.
const DRIFT: f32 = 0.045;
/// Cells that the mean of a plateau remembers.
const RECENT: f32 = 8.0;

/// A step of the flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// When, ns.
    pub at_ns: u64,
    /// Flow before, m³/h.
    pub from: f32,
    /// Flow after, m³/h; 0 if it stopped.
    pub to: f32,
}

/// The staircase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Steps {
    /// Flow of the plateau when it began, m³/h; 0 while nothing flows.
    pub level: f32,
    /// Mean of its last cells, m³/h.
    pub mean: f32,
    /// Cells in it, up to [`RECENT`].
    pub cells: u8,
    /// A cell that did not fit.
    pub odd: Option<Cell>,
}

fn same(a: f32, b: f32) -> bool {
    (a - b).abs() <= SAME * a.max(b)
}

impl Steps {
    /// The flow now, m³/h.
    pub fn flow(&self) -> f32 {
        self.mean
    }

    /// Takes a cell; returns the step that it confirms.
    pub fn cell(&mut self, cell: Cell) -> Option<Step> {
        let flow = cell.flow();
        if self.cells > 0 && same(flow, self.mean) {
            self.odd = None;
            let weight = (f32::from(self.cells) + 1.0).min(RECENT);
            self.cells = self.cells.saturating_add(1).min(RECENT as u8);
            self.mean += (flow - self.mean) / weight;
            if f32::from(self.cells) < RECENT {
                self.level = self.mean;
                return None;
            }
            return self.drifted(cell.start_ns);
        }
        let Some(odd) = self.odd else {
            self.odd = Some(cell);
            return None;
        };
        if !same(flow, odd.flow()) {
            self.odd = Some(cell);
            return None;
        }
        let whole = Cell {
            start_ns: odd.start_ns,
            end_ns: cell.end_ns,
            volume_ul: odd.volume_ul.saturating_add(cell.volume_ul),
        };
        let step = Step { at_ns: odd.start_ns, from: self.mean, to: whole.flow() };
        *self = Self { level: step.to, mean: step.to, cells: 2, odd: None };
        Some(step)
    }

    fn drifted(&mut self, at_ns: u64) -> Option<Step> {
        if (self.mean - self.level).abs() <= DRIFT * self.level {
            return None;
        }
        let step = Step { at_ns, from: self.level, to: self.mean };
        self.level = self.mean;
        Some(step)
    }

    /// The flow stopped at `at_ns`.
    pub fn stop(&mut self, at_ns: u64) -> Option<Step> {
        let from = self.mean;
        *self = Self::default();
        (from > 0.0).then_some(Step { at_ns, from, to: 0.0 })
    }
}

crate::state::state!(Steps { level, mean, cells, odd });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SECOND_NS;

    fn feed(steps: &mut Steps, from_s: u64, flows: &[f32]) -> Vec<Step> {
        let cell = |(i, flow): (usize, &f32)| Cell {
            start_ns: (from_s + 2 * i as u64) * SECOND_NS,
            end_ns: (from_s + 2 * i as u64 + 2) * SECOND_NS,
            volume_ul: (f64::from(*flow) * 2.0 / 3600.0 * 1e9) as u64,
        };
        flows.iter().enumerate().filter_map(|x| steps.cell(cell(x))).collect()
    }

    #[test]
    fn a_step_needs_two_cells_and_begins_with_the_first() {
        let mut steps = Steps::default();
        let found = feed(&mut steps, 0, &[2.0, 2.0, 2.02, 1.98, 3.0, 3.0, 3.0]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].at_ns, 8 * SECOND_NS);
        assert!((found[1].from - 2.0).abs() < 0.01 && (found[1].to - 3.0).abs() < 0.01);
        assert_eq!(steps.stop(20 * SECOND_NS).map(|s| s.to), Some(0.0));
        assert_eq!(steps.stop(20 * SECOND_NS), None);
    }

    #[test]
    fn one_odd_cell_is_no_step() {
        let mut steps = Steps::default();
        assert_eq!(feed(&mut steps, 0, &[2.0, 2.0, 4.0, 2.0, 2.0, 0.5, 2.0]).len(), 1);
    }

    #[test]
    fn a_small_burner_beside_a_boiler_is_a_step() {
        let mut steps = Steps::default();
        let mut flows = vec![2.0; 10];
        flows.extend([2.15; 30]);
        let found = feed(&mut steps, 0, &flows);
        let risen: f32 = found[1..].iter().map(|s| s.to - s.from).sum();
        assert!((0.09..0.16).contains(&risen), "{found:?}");
    }
}
