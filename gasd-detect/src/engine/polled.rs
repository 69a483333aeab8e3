// SPDX-License-Identifier: MIT OR Apache-2.0
//! An engine whose pulses were drawn between readings.

use super::{Engine, limit};
use crate::verdict::Verdict;

impl Engine {
    /// The pulses are drawn between readings so far apart, ns; 0 is a meter's own pulses.
    pub(crate) fn set_poll(&mut self, every_ns: u64) {
        self.poll_ns = every_ns;
    }

    /// Flow that no gas can reach, m³/h.
    pub(crate) fn limit_m3_per_h(&self) -> f64 {
        limit(self.max_flow_ul_per_h, self.thresholds)
    }

    /// Where the valve is, as far as it is known.
    pub(crate) fn valve(&self) -> Option<bool> {
        self.inputs.open
    }

    /// Time passes for the inputs alone: what flows since the last reading is not known yet.
    pub(crate) fn judge_inputs(&mut self, now_ns: u64) -> Option<Verdict> {
        let broken = self.inputs.judge(now_ns, &self.rules);
        self.collect(None, broken, now_ns);
        self.next(now_ns, now_ns)
    }
}
