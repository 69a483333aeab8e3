// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rests: a meter that never rests leaks (rule R4), one that never moves is stuck (rule R11).

use crate::units::SECOND_NS;

const DAY_S: f32 = 86_400.0;
/// Without a pulse for so long the gas has rested, s.
const REST_S: f32 = 3600.0;
/// Where a pilot flame burns, a gap of this part of the usual longest one is a rest.
const OF_LONGEST: f32 = 0.7;
/// What was learned is stretched by this.
const BEYOND: f32 = 1.5;
/// Days that no learned limit is below: 19 of 22 homes of the IDEAL data never ran for more than 66 hours
/// in a row with gas in every hour, but the first winter is longer than any autumn told.
const LEAST_DAYS: f32 = 14.0;

/// The rests of one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rest {
    /// The end of the last rest, ns; 0 before the first pulse.
    pub rested_ns: u64,
    /// Longest time between two rests, s.
    pub longest_run_s: f32,
    /// Longest rest, s.
    pub longest_rest_s: f32,
    /// Both alarms are said once until they are over.
    pub said_run: bool,
    /// See `said_run`.
    pub said_rest: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Restless {
    /// No rest since then, ns, where one was due within so many days.
    Never(u64, f32),
    /// No pulse since then, ns, where one was due within so many days.
    Still(u64, f32),
}

fn seconds(from: u64, to: u64) -> f32 {
    to.saturating_sub(from) as f32 / SECOND_NS as f32
}

impl Rest {
    /// No pulse came from `last_ns`, the last one, until `now_ns`; `pulse` says whether one comes now. `base_gap_s`
    /// is the longest gap that was learned, if it was; `days` are those of the rules, and whether the limit comes down to
    /// what was learned.
    pub fn gap(
        &mut self,
        last_ns: u64,
        now_ns: u64,
        pulse: bool,
        base_gap_s: Option<f32>,
        (never_days, still_days, comes_down): (f32, f32, bool),
    ) -> Option<Restless> {
        let gap = seconds(last_ns, now_ns);
        if self.rested_ns == 0 {
            self.rested_ns = last_ns;
        }
        let rest = base_gap_s.map_or(REST_S, |gap| (gap * OF_LONGEST).min(REST_S));
        if gap >= rest {
            // A run that ended was no leak, also if it was said.
            self.learn(last_ns);
            self.rested_ns = now_ns;
            self.said_run = false;
        }
        if pulse {
            self.longest_rest_s = self.longest_rest_s.max(gap);
            self.said_rest = false;
        }
        let learned = (BEYOND * self.longest_run_s / DAY_S).clamp(LEAST_DAYS, never_days.max(LEAST_DAYS));
        let never = if comes_down { learned.min(never_days) } else { never_days };
        if !self.said_run && seconds(self.rested_ns, now_ns) > never * DAY_S {
            self.said_run = true;
            return Some(Restless::Never(self.rested_ns, never));
        }
        let still = still_days.max(BEYOND * self.longest_rest_s / DAY_S);
        if !self.said_rest && gap > still * DAY_S {
            self.said_rest = true;
            return Some(Restless::Still(last_ns, still));
        }
        None
    }
}

crate::state::state!(Rest { rested_ns, longest_run_s, longest_rest_s, said_run, said_rest });

impl Rest {
    /// The run up to a pulse at `last_ns` is all right, a person said.
    pub fn learn(&mut self, last_ns: u64) {
        if self.rested_ns != 0 {
            self.longest_run_s = self.longest_run_s.max(seconds(self.rested_ns, last_ns));
        }
    }

    /// For so long nobody watched: the gas may have rested, and a run is no longer than what was seen of it.
    pub fn unseen(&mut self, for_ns: u64) {
        self.shift(for_ns.cast_signed());
    }

    /// All times are later by `by_ns`.
    pub fn shift(&mut self, by_ns: i64) {
        if self.rested_ns != 0 {
            self.rested_ns = self.rested_ns.saturating_add_signed(by_ns).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_NS: u64 = 3600 * SECOND_NS;

    fn run(rest: &mut Rest, from_h: u64, hours: u64, gap_h: u64) -> Option<(u64, Restless)> {
        let mut found = None;
        let mut last = from_h * HOUR_NS;
        for h in 1..=hours * 6 {
            let now = from_h * HOUR_NS + h * HOUR_NS / 6;
            let pulse = gap_h == 0 || h % (gap_h * 6) == 0;
            let new = rest.gap(last, now, pulse, None, (30.0, 30.0, true));
            found = found.or(new.map(|f| (h / 6 / 24, f)));
            if pulse {
                last = now;
            }
        }
        found
    }

    #[test]
    fn a_meter_that_never_rests_is_said_after_days_and_once() {
        let mut rest = Rest::default();
        assert_eq!(run(&mut rest, 1, 24 * 60, 2), None);
        let (days, found) = run(&mut rest, 24 * 60, 24 * 20, 0).unwrap();
        assert!(days == 14 && matches!(found, Restless::Never(..)), "{days} {found:?}");
        assert_eq!(run(&mut rest, 24 * 80, 24 * 30, 0), None);
    }

    #[test]
    fn a_meter_that_stands_still_is_said_after_a_month() {
        let mut rest = Rest::default();
        assert_eq!(run(&mut rest, 1, 24 * 60, 2), None);
        let (days, found) = run(&mut rest, 24 * 60, 24 * 40, 24 * 50).unwrap();
        assert!(days == 30 && matches!(found, Restless::Still(..)), "{days} {found:?}");
    }
}
