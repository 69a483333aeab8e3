// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames that were not taken, for a moment: two gateways hear the same one, and it is told once.

use std::collections::VecDeque;

/// How long two gateways may be apart, ns: one may be behind a slow uplink.
const TOGETHER_NS: u64 = 3_000_000_000;

/// Most frames that are remembered.
const MOST: usize = 64;

#[derive(Default)]
pub(super) struct Recent(VecDeque<(u64, Vec<u8>)>);

impl Recent {
    /// Whether this frame was noted a moment ago.
    pub fn is_repeated(&mut self, now_ns: u64, frame: &[u8]) -> bool {
        while self.0.front().is_some_and(|(at_ns, _)| now_ns.saturating_sub(*at_ns) >= TOGETHER_NS) {
            self.0.pop_front();
        }
        self.0.iter().any(|(_, other)| other == frame)
    }

    /// Notes a frame that was not taken.
    pub fn note(&mut self, now_ns: u64, frame: &[u8]) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((now_ns, frame.to_vec()));
    }
}
