// SPDX-License-Identifier: MIT OR Apache-2.0
//! Use time by flow band (rule R3): for how long the flow has not been below each of some levels.
//!
//! Needs no steps to be told apart, so it holds for the coarsest meter and for hourly readings, and a
//! flow of which the register has lost track is still found here.

use super::dwell::Dwell;
use crate::units::SECOND_NS;

/// Levels: from 20 L/h on, each 1.6 times the one before.
pub(crate) const LEVELS: usize = 14;
const LOWEST: f32 = 0.02;
const RATIO: f32 = 1.6;

/// One level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Level {
    /// The flow is not below since then, ns; 0 while it is.
    pub since_ns: u64,
    /// How long that usually lasts.
    pub dwell: Dwell,
}

/// All levels of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Levels {
    pub levels: [Level; LEVELS],
    /// Levels whose present run has raised its alarm, as bits.
    pub said: u16,
}

/// A flow that lasts too long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TooLong {
    /// It was never below this, m³/h.
    pub level: f32,
    /// Since when, ns.
    pub since_ns: u64,
    /// How long it may last, s.
    pub allowed_s: f32,
}

const FLOWS: [f32; LEVELS] = {
    let mut flows = [LOWEST; LEVELS];
    let mut i = 1;
    while i < LEVELS {
        flows[i] = flows[i - 1] * RATIO;
        i += 1;
    }
    flows
};

/// Flow of a level, m³/h.
pub(crate) const fn flow_of(level: usize) -> f32 {
    FLOWS[level]
}

impl Levels {
    /// The flow is `flow` m³/h since `since_ns`, and it is now `now_ns`.
    pub fn flow(&mut self, flow: f32, since_ns: u64, now_ns: u64) {
        for (i, level) in self.levels.iter_mut().enumerate() {
            if flow >= flow_of(i) {
                if level.since_ns == 0 {
                    level.since_ns = since_ns.max(1);
                }
            } else if level.since_ns != 0 {
                let seconds = now_ns.saturating_sub(level.since_ns) as f32 / SECOND_NS as f32;
                level.dwell.learn(seconds);
                level.since_ns = 0;
                self.said &= !(1 << i);
            }
        }
    }

    /// Nobody knows when what was on ended: nothing is learned of it.
    pub fn lose_runs(&mut self) {
        self.levels.iter_mut().for_each(|level| level.since_ns = 0);
        self.said = 0;
    }

    /// The highest level from `least` m³/h on at which the flow lasts too long at `now_ns`. `table` says how
    /// long a flow (m³/h) may last in any home, s; what was `learned` may only allow more. It may last
    /// `times` as long. Not said again while the flow stays.
    pub fn too_long(
        &mut self,
        least: f32,
        now_ns: u64,
        learned: bool,
        times: f32,
        table: impl Fn(f32) -> f32,
    ) -> Option<TooLong> {
        for i in (0..LEVELS).rev() {
            let (level, flow) = (&self.levels[i], flow_of(i));
            if level.since_ns == 0 || self.said & (1 << i) != 0 || flow < least {
                continue;
            }
            let least_s = times * table(flow);
            let lasts_ns = now_ns.saturating_sub(level.since_ns) as f32;
            // What was learned may only allow more.
            if lasts_ns <= least_s * SECOND_NS as f32 {
                continue;
            }
            let allowed_s = least_s.max(times * level.dwell.allowed().filter(|_| learned).unwrap_or(0.0));
            if lasts_ns > allowed_s * SECOND_NS as f32 {
                let since_ns = level.since_ns;
                // The levels below would say the same.
                for below in 0..=i {
                    self.said |= 1 << below;
                }
                return Some(TooLong { level: flow, since_ns, allowed_s });
            }
        }
        None
    }
}

crate::state::state!(Level { since_ns, dwell });
crate::state::state!(Levels { levels, said });

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    #[test]
    fn a_flow_that_lasts_longer_than_ever_is_said_once() {
        let mut levels = Levels::default();
        let table = |_: f32| 3600.0 * 4.0;
        for day in 0..40u64 {
            let t = (day + 1) * 24 * HOUR * SECOND_NS;
            levels.flow(0.3, t, t);
            assert_eq!(levels.too_long(0.0, t + 6 * HOUR * SECOND_NS - 1, true, 1.0, |_| 7.0 * 3600.0), None);
            levels.flow(0.0, 0, t + 6 * HOUR * SECOND_NS);
        }
        let t = 50 * 24 * HOUR * SECOND_NS;
        levels.flow(0.3, t, t);
        assert_eq!(levels.too_long(0.0, t + 8 * HOUR * SECOND_NS, true, 1.0, table), None);
        let found = levels.too_long(0.0, t + 12 * HOUR * SECOND_NS, true, 1.0, table).unwrap();
        assert!(found.level > 0.2 && found.level <= 0.3, "{found:?}");
        assert_eq!(levels.too_long(0.0, t + 99 * HOUR * SECOND_NS, true, 1.0, table), None);
    }

    #[test]
    fn what_lasts_too_long_is_told_once_and_later_where_people_said_so() {
        // On since 100 s, for 50 s at the most.
        let told_at = |times: f32| -> Vec<(u64, f32)> {
            let mut levels = Levels::default();
            levels.flow(0.3, 100 * SECOND_NS, 100 * SECOND_NS);
            let told =
                |s: u64| Some((s, levels.too_long(0.0, s * SECOND_NS, true, times, |_| 50.0)?.allowed_s));
            (100..300).filter_map(told).collect()
        };
        assert_eq!(told_at(1.0), [(151, 50.0)]);
        assert_eq!(told_at(1.5), [(176, 75.0)]);
        assert_eq!(told_at(0.5), [(126, 25.0)]);
    }
}
