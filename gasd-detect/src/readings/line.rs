// SPDX-License-Identifier: MIT OR Apache-2.0
//! Between two readings: the least change of flow that the register allows.
//!
//! A register that shows V while V to V + r has passed rounds every increment: 33 L a minute read as 30, 30,
//! 40 on a dial of 10 L, and taking each for a rate would invent steps that no appliance makes. So the volume
//! is drawn as a line of the longest possible straight pieces (a swing filter): a piece goes on at the flow it
//! has for as long as *one* flow explains every reading since it began, and bends as little as the newest
//! reading asks. A flow that begins is therefore never drawn steeper than the register proves, one that ends
//! never flatter, and a steady flow becomes steadier the longer it lasts.

/// The line of one register. Volumes are µL since the piece began or beyond the register, times ns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    /// How far the line is beyond the register now, below the resolution.
    ahead_ul: f64,
    /// And where the piece began.
    start_ul: f64,
    /// What the register has moved since the piece began.
    moved_ul: f64,
    /// How long the piece is.
    ns: f64,
    /// Flow of the piece, and what it lies between, µL/ns.
    slope: f64,
    low: f64,
    high: f64,
}

/// What the line does between two readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Path {
    /// How far it is beyond the register at the first, µL.
    pub ahead_ul: f64,
    /// How far it rises until the second, µL.
    pub rise_ul: f64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            ahead_ul: 0.0,
            start_ul: 0.0,
            moved_ul: 0.0,
            ns: 0.0,
            slope: 0.0,
            low: 0.0,
            high: f64::INFINITY,
        }
    }
}

impl Line {
    /// The register moved by `more_ul` within `span_ns`, and shows every `resolution_ul`.
    pub fn advance(&mut self, more_ul: u64, span_ns: u64, resolution_ul: u64) -> Path {
        let (more, span, resolution) = (more_ul as f64, (span_ns as f64).max(1.0), resolution_ul as f64);
        let before = self.ahead_ul;
        if !self.explains(more, span, resolution) {
            *self = Self { ahead_ul: before, start_ul: before, slope: self.slope, ..Self::default() };
            self.explains(more, span, resolution);
        }
        self.slope = self.slope.min(self.high).max(self.low);
        let drawn = self.start_ul + self.slope * self.ns - self.moved_ul;
        // Just short of what the register would have shown, and never back.
        self.ahead_ul = drawn.clamp(0.0, resolution * (1.0 - 1e-9)).max(before - more);
        Path { ahead_ul: before, rise_ul: (more + self.ahead_ul - before).max(0.0) }
    }

    /// Lengthens the piece if one flow explains it with the newest reading.
    fn explains(&mut self, more: f64, span: f64, resolution: f64) -> bool {
        let (moved, ns) = (self.moved_ul + more, self.ns + span);
        let low = self.low.max((moved - self.start_ul) / ns);
        let high = self.high.min((moved + resolution - self.start_ul) / ns);
        if low > high {
            return false;
        }
        (self.moved_ul, self.ns, self.low, self.high) = (moved, ns, low, high);
        true
    }
}

crate::state::state!(Line { ahead_ul, start_ul, moved_ul, ns, slope, low, high });

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: u64 = 60_000_000_000;
    const L: u64 = 1_000_000;

    /// Rises, L, of a line through a dial of `resolution` that is read each minute.
    fn rises(passed_l: &[f64], resolution: u64) -> Vec<f64> {
        let (mut line, mut volume, mut shown) = (Line::default(), 0.0, 0);
        let mut one = |more: f64| {
            volume += more * L as f64;
            let register = volume as u64 / resolution * resolution;
            let rise = line.advance(register - shown, MINUTE, resolution).rise_ul;
            shown = register;
            rise / L as f64
        };
        passed_l.iter().map(|l| one(*l)).collect()
    }

    #[test]
    fn a_steady_flow_on_a_coarse_dial_is_steady() {
        let all = rises(&[100.0 / 3.0; 60], 10 * L);
        assert!(all[20..].iter().all(|l| (l - 100.0 / 3.0).abs() < 0.8), "{all:?}");
    }

    #[test]
    fn a_flow_that_begins_is_not_drawn_steeper_than_it_is() {
        let mut passed = vec![0.0; 30];
        passed.extend([33.3; 30]);
        let all = rises(&passed, L);
        assert!(all[..30].iter().all(|l| *l == 0.0));
        assert!(all[30..].iter().all(|l| *l <= 34.3), "{all:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The line never leaves what the register says, and never falls.
        #[test]
        fn the_line_stays_within_the_resolution(
            moves in prop::collection::vec((0u64..50, 1u64..10_000), 1..200), resolution in 1u64..20,
        ) {
            let (mut line, mut shown, mut drawn) = (Line::default(), 0u64, 0.0);
            for (steps, span) in moves {
                let more = steps * resolution;
                shown += more;
                let path = line.advance(more, span, resolution);
                prop_assert!(path.rise_ul >= 0.0);
                drawn += path.rise_ul;
                prop_assert!(drawn > shown as f64 - 1e-6 && drawn < (shown + resolution) as f64, "{drawn} {shown}");
            }
        }
    }
}
