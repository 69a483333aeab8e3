// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is usual on days alike.

/// The reference may follow more flow by so much a day, as a part, once it has learned.
const CREEP: f32 = 0.001;

/// Days alike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reference {
    /// Days seen.
    pub days: u32,
    /// Mean logarithm of the longest gap in seconds.
    pub log_gap: f32,
    /// Mean squared deviation from it.
    pub spread: f32,
}

impl Reference {
    /// One of the first days, which was counted.
    pub fn learn(&mut self, log: f32) {
        let n = self.days.min(1000) as f32;
        let away = log - self.log_gap;
        self.log_gap += away / n;
        self.spread += (away * (log - self.log_gap) - self.spread) / n;
    }

    /// Longer gaps are less flow: believed. Shorter ones are more: hardly.
    pub fn follow(&mut self, log: f32) {
        let away = log - self.log_gap;
        self.log_gap += if away > 0.0 { away * 0.05 } else { (away * 0.05).max(-CREEP) };
        self.spread += (away * away - self.spread) * 0.03;
    }
}

crate::state::state!(Reference { days, log_gap, spread });
