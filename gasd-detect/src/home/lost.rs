// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of a use under way when pulses were lost or the clock is another one: nobody knows when it ended, so
//! it is neither held against the home nor learned.

use super::base::Grain;
use super::steps::Steps;
use super::{Home, UNKNOWN_STOP_NS};
use crate::units::SECOND_NS;

/// A use is not believed to have gone on for so long unseen, ns.
const UNSEEN_USE_NS: u64 = 1800 * SECOND_NS;
/// In so long unseen the gas may have rested, ns.
const UNSEEN_REST_NS: u64 = 3600 * SECOND_NS;
/// A restart takes no longer, ns.
const RESTART_NS: u64 = 60 * SECOND_NS;
/// A pulse that comes after so many times the time that it was due in is not the next one. A diaphragm meter's intervals
/// differ by less.
const LATE: f32 = 1.5;

impl Home {
    /// Pulses came, the last of them by `at_ns`, whose times are not known.
    pub fn forget(&mut self, at_ns: u64, grain: Grain) {
        self.runs.unseen(at_ns.saturating_sub(self.seen_ns(at_ns)), grain);
        self.lose(at_ns);
    }

    fn lose(&mut self, at_ns: u64) {
        let unseen_ns = if at_ns == 0 { 0 } else { at_ns.saturating_sub(self.seen_ns(at_ns)) };
        self.gather.forget();
        self.base.forget(at_ns);
        self.oddity.lose(self.hours.run_ul, self.hours.run_seen_ns);
        if at_ns != 0 {
            self.hours.seen(at_ns);
        }
        self.last_ns = None;
        self.lost_ns = at_ns.max(1);
        if unseen_ns >= UNSEEN_REST_NS {
            self.rest.unseen(unseen_ns);
            self.hours.unseen(unseen_ns, &mut self.oddity);
        }
        if unseen_ns >= UNSEEN_USE_NS {
            self.lose_uses();
        }
    }

    /// The process is another one, on the same clock, and the first that it sees is at `now_ns`: whether pulses came
    /// meanwhile it is not told. None did if the next one is not late for the flow before, and then the use goes on.
    pub fn resume(&mut self, now_ns: u64, grain: Grain) {
        let unseen_ns = now_ns.saturating_sub(self.seen_ns(now_ns));
        let silent_ns = self.last_ns.map_or(u64::MAX, |last| now_ns.saturating_sub(last));
        let missed = match self.due_after(grain.pulse_ul) {
            Some(due_s) => silent_ns as f32 > LATE * due_s * SECOND_NS as f32,
            None => silent_ns >= UNKNOWN_STOP_NS && unseen_ns >= RESTART_NS,
        };
        if missed || unseen_ns >= UNSEEN_USE_NS {
            self.forget(now_ns, grain);
        } else {
            // A gap that nobody saw whole is no gap of the base flow's.
            self.base.forget(now_ns);
        }
    }

    /// Until when it was watched, ns.
    fn seen_ns(&self, now_ns: u64) -> u64 {
        let pulse_ns = self.last_ns.or(self.base.last_ns);
        let looked_ns = Some(self.looked_ns).filter(|looked| *looked <= now_ns);
        // Of one that has seen nothing yet nothing is missed.
        pulse_ns.max(looked_ns).unwrap_or(now_ns)
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
        self.lose(0);
        self.lose_uses();
        self.hours.shift(by_ns);
        self.rest.shift(by_ns);
        self.runs.lose();
        self.sensitivity.shift(by_ns);
        // Nobody watched until it is looked at again.
        self.looked_ns = u64::MAX;
        for t in [&mut self.since_ns, &mut self.base_said_ns] {
            *t = t.saturating_add_signed(by_ns);
        }
    }
}
