// SPDX-License-Identifier: MIT OR Apache-2.0
//! A reading that waits for the next one, because what it says would close a valve, or cannot be believed alone.

use super::Readings;
use super::config::RENEWED_NS;
use super::register::Move;
use crate::units::flow_m3_per_h;
use crate::verdict::Verdict;

/// A reading that waits for the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Held {
    pub register_ul: u64,
    pub t_ns: u64,
    /// The valve had moved since the reading before.
    pub valve_moved: bool,
}

crate::state::state!(Held { register_ul, t_ns, valve_moved });

/// A reading that waited and was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sure {
    /// Since when may have passed what it says.
    pub since_ns: u64,
}

impl Readings {
    /// Whether the newest reading, be it one that waits, showed this, but for rounding. What a meter tells once more, since
    /// it was not told that it was heard, is that reading then: it says nothing of the time since, and confirms nothing.
    #[must_use]
    pub fn has_shown(&self, register_ul: u64) -> bool {
        let waits_ul = self.held.map(|held| held.register_ul);
        let newest_ul = waits_ul.or_else(|| self.last.map(|(last_ul, _)| last_ul));
        // A register that was exchanged may begin where the last one ended.
        let is_same = |newest_ul| self.register().moved(newest_ul, register_ul, None) == Move::Forward(0);
        !self.exchanged && newest_ul.is_some_and(is_same)
    }

    /// What a held reading was worth, by the one after it.
    pub(super) fn release(&mut self, held: Held, register_ul: u64, t_ns: u64, say: &mut dyn FnMut(Verdict)) {
        // Both are of one clock, whatever was before them.
        let span_ns = t_ns.saturating_sub(held.t_ns);
        let most_ul = self.cfg.passes_ul(self.engine.limit_m3_per_h(), span_ns);
        match self.register().moved(held.register_ul, register_ul, Some(most_ul)) {
            Move::Fell(by_ul) => {
                self.counts.misread = self.counts.misread.saturating_add(1);
                self.valve_moved |= held.valve_moved;
                self.fell(by_ul, held.t_ns, t_ns, say);
            }
            // Adrift, the one that waited is believed for what the next one confirms, and not for what it leaps by.
            Move::Leapt(_) if self.adrift => {
                self.counts.misread = self.counts.misread.saturating_add(1);
                self.valve_moved |= held.valve_moved;
            }
            Move::Forward(more_ul) | Move::Rolled(more_ul) | Move::Leapt(more_ul) => {
                let valve_moved = core::mem::replace(&mut self.valve_moved, held.valve_moved);
                // One that stands still again may be renewed so seldom: then it proves no more than the mean since it
                // moved before.
                let stood = more_ul == 0;
                let before_ns = self.last.map_or(held.t_ns, |(_, t_ns)| t_ns);
                let since_ns = if stood { self.since_ns(before_ns, held.t_ns) } else { before_ns };
                let renewed = stood && !self.is_grave_since(held, since_ns);
                self.doubtful |= renewed;
                // It rests on this reading, too, and is known only now.
                self.judge(held.register_ul, held.t_ns, Some(Sure { since_ns }), &mut |verdict| {
                    say(Verdict { decided_ns: verdict.decided_ns.max(t_ns), ..verdict });
                });
                (self.valve_moved, self.trusted) = (valve_moved, !renewed);
            }
        }
    }

    /// Of what passed until `to_ns`, from `before_ns` before `from_ns` on, the engine is told that it has missed what was
    /// before `from_ns`, up to which its time has come. Returns the rest, µL.
    pub(super) fn miss_before(&mut self, more_ul: u64, before_ns: u64, from_ns: u64, to_ns: u64) -> u64 {
        let all_ns = to_ns.saturating_sub(from_ns).saturating_add(before_ns);
        let before_ul = (u128::from(more_ul) * u128::from(before_ns)).checked_div(u128::from(all_ns));
        let quanta = before_ul.unwrap_or(0) as u64 / self.quantum_ul.max(1);
        if quanta > 0 {
            self.miss(quanta, from_ns);
        }
        more_ul.saturating_sub(quanta.saturating_mul(self.quantum_ul))
    }

    /// Since when may have passed what the register has moved between these times, ns: since it moved before, and for no
    /// longer than a day.
    pub(super) fn since_ns(&self, before_ns: u64, t_ns: u64) -> u64 {
        self.moved_ns.max(t_ns.saturating_sub(RENEWED_NS)).min(before_ns)
    }

    /// Whether a reading that waits is grave even if what it says has passed since then.
    fn is_grave_since(&self, held: Held, since_ns: u64) -> bool {
        let Some((before_ul, _)) = self.last else { return false };
        let span_ns = held.t_ns.saturating_sub(since_ns);
        let more_ul = match self.register().moved(before_ul, held.register_ul, self.most_ul(span_ns)) {
            Move::Forward(more_ul) | Move::Rolled(more_ul) => more_ul,
            Move::Leapt(_) | Move::Fell(_) => 0,
        };
        self.is_grave(more_ul, span_ns, false)
    }

    /// Whether so much in so long may close a valve at once. What came late may have passed before it was closed.
    pub(super) fn is_grave(&self, more_ul: u64, span_ns: u64, late: bool) -> bool {
        let behind_closed = self.engine.valve() == Some(false) && more_ul > 0 && !late;
        behind_closed || self.surely(more_ul, span_ns) > self.grave_m3_per_h()
    }

    /// Whether more passed than can between two readings, when nobody knows how long it was: a long time, or a digit
    /// that was misread.
    pub(super) fn is_much(&self, more_ul: u64) -> bool {
        more_ul > self.cfg.passes_ul(self.engine.limit_m3_per_h(), self.cfg.gap_ns())
    }

    /// Flow from which something may be done at once, m³/h.
    fn grave_m3_per_h(&self) -> f64 {
        let [window, ..] = self.engine.slopes(0).map(|slope| slope.threshold_m3_per_h);
        window.min(f64::from(self.engine.envelope_m3_per_h()))
    }

    /// What surely flowed at some time, m³/h.
    pub(super) fn surely(&self, more_ul: u64, span_ns: u64) -> f64 {
        flow_m3_per_h(more_ul.saturating_sub(self.cfg.resolution_ul) as f64, span_ns)
    }
}
