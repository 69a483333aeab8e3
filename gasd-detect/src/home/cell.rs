// SPDX-License-Identifier: MIT OR Apache-2.0
//! From pulses, or from readings of a counter, to stretches of time with a known mean flow.
//!
//! Everything that learns the home works on these cells, so it does not matter what they were made of:
//! one interval of a coarse meter, many pulses of a fine one, or two readings an hour apart.

use crate::units::{SECOND_NS, flow_m3_per_h};

/// A cell of pulses lasts at least so long, ns: of a fine meter it averages over many pulses, and no
/// appliance changes its flow faster for long.
const LEAST_NS: u64 = 2 * SECOND_NS;

/// A stretch of time and what passed in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    /// Where it begins, ns.
    pub start_ns: u64,
    /// Where it ends, ns; after `start_ns`.
    pub end_ns: u64,
    /// What passed, µL.
    pub volume_ul: u64,
}

impl Cell {
    /// How long it is, ns.
    pub fn span_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// Its mean flow, m³/h.
    pub fn flow(&self) -> f32 {
        flow_m3_per_h(self.volume_ul as f64, self.span_ns()) as f32
    }
}

/// Gathers pulses into cells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Gather {
    /// Where the open cell begins; none before the first pulse.
    pub since_ns: Option<u64>,
    /// The last pulse, ns.
    pub last_ns: u64,
    /// Pulses in the open cell.
    pub pulses: u32,
}

impl Gather {
    /// A pulse at `t_ns` of `pulse_ul` (µL); returns the cell that it closes.
    pub fn pulse(&mut self, t_ns: u64, pulse_ul: u64) -> Option<Cell> {
        let Some(start_ns) = self.since_ns else {
            *self = Self { since_ns: Some(t_ns), last_ns: t_ns, pulses: 0 };
            return None;
        };
        self.pulses = self.pulses.saturating_add(1);
        self.last_ns = t_ns;
        if t_ns.saturating_sub(start_ns) < LEAST_NS {
            return None;
        }
        let volume_ul = pulse_ul.saturating_mul(u64::from(self.pulses));
        *self = Self { since_ns: Some(t_ns), last_ns: t_ns, pulses: 0 };
        Some(Cell { start_ns, end_ns: t_ns, volume_ul })
    }

    /// The flow has stopped: what was gathered since the last cell, if anything was.
    pub fn stop(&mut self, pulse_ul: u64) -> Option<Cell> {
        let start_ns = self.since_ns.filter(|start| self.pulses > 0 && self.last_ns > *start)?;
        let volume_ul = pulse_ul.saturating_mul(u64::from(self.pulses));
        let end_ns = self.last_ns;
        *self = Self { since_ns: Some(end_ns), last_ns: end_ns, pulses: 0 };
        Some(Cell { start_ns, end_ns, volume_ul })
    }

    /// Pulses came whose times are not known.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

crate::state::state!(Cell { start_ns, end_ns, volume_ul });
crate::state::state!(Gather { since_ns, last_ns, pulses });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fine_pulses_are_gathered_and_coarse_ones_are_cells() {
        let mut fine = Gather::default();
        let cells: Vec<Cell> = (0..100).filter_map(|i| fine.pulse(i * SECOND_NS / 4, 100_000)).collect();
        assert_eq!(cells.len(), 12);
        assert!(cells.iter().all(|c| c.span_ns() == 2 * SECOND_NS && c.volume_ul == 800_000));
        let mut coarse = Gather::default();
        coarse.pulse(0, 10_000_000);
        let cell = coarse.pulse(18 * SECOND_NS, 10_000_000).unwrap();
        assert!((cell.flow() - 2.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_left_when_the_flow_stops_is_not_lost() {
        let mut gather = Gather::default();
        for i in 0..4 {
            gather.pulse(i * SECOND_NS / 4, 100_000);
        }
        let rest = gather.stop(100_000).unwrap();
        assert_eq!((rest.volume_ul, rest.span_ns()), (300_000, 750_000_000));
        assert_eq!(gather.stop(100_000), None);
    }
}
