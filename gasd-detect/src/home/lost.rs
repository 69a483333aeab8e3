// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of a use under way when pulses were lost or the clock is another one: nobody knows when it ended, so
//! it is neither held against the home nor learned.

use super::Home;
use super::steps::Steps;

impl Home {
    /// Pulses came, the last of them by `at_ns`, whose times are not known.
    pub fn forget(&mut self, at_ns: u64) {
        self.gather.forget();
        self.base.forget();
        self.last_ns = None;
        self.lost_ns = at_ns.max(1);
    }

    /// Whatever was on may have ended long ago, nobody knows when: nothing is learned of it.
    pub(super) fn lose_uses(&mut self) {
        self.lost_ns = 0;
        self.rose = 0.0;
        self.steps = Steps::default();
        self.register.on = Default::default();
        self.levels.lose_runs();
        self.steady.lose_runs();
    }

    /// The clock started anew, and all times are later by `by_ns` than it says: what was under way is not known,
    /// what was learned is.
    pub fn shift(&mut self, by_ns: i64) {
        self.forget(0);
        self.lose_uses();
        self.hours.shift(by_ns);
        self.oddity.shift(by_ns);
        self.rest.shift(by_ns);
        self.sensitivity.shift(by_ns);
        // Nobody watched until it is looked at again.
        self.looked_ns = u64::MAX;
        for t in [&mut self.since_ns, &mut self.base_said_ns] {
            *t = t.saturating_add_signed(by_ns);
        }
    }
}
