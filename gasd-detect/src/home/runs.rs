// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time without a pause, within a day: a home that always paused within hours, and now has not for most of a day,
//! leaks (rule R4, learned down).
//!
//! A leak of 20 L/h that begins in the middle of the night's rest leaves no half day to the longest gap that is its own
//! before the next night, and on a day unlike those before nothing is known of gaps. It still leaves no pause: from its
//! first pulse on each comes within [`Grain::pulse_ul`]/q of the one before. Who heats, or keeps a pilot flame, has runs
//! that are as long on sound days; there the rule says nothing.

use super::base::Grain;
use crate::sensitivity::Said;
use crate::state::State;
use crate::units::SECOND_NS;

/// A pause is at least so long, ns.
const PAUSE_NS: u64 = 60 * SECOND_NS;
/// And longer than between two pulses of 15 L/h, ns for each µL of a pulse: three quarters of the leak of 20 L/h, as no
/// meter's pulses are quite regular.
const SLOWEST_NS_PER_UL: u64 = 3600 * SECOND_NS / 15_000_000;
/// Less than 5 L/h no meter turns for, see [`super::base`]: nothing leaks between two pulses that are further apart, ns for
/// each µL.
const FLOOR_NS_PER_UL: u64 = 3600 * SECOND_NS / 5_000_000;
/// Nothing is said of a shorter run, ns: 24 hours, less the first pulse of 10 L of 20 L/h, which comes after up to half an
/// hour, and as much for the pulse at which it is said.
const SAY_NS: u64 = 81_900 * SECOND_NS;
/// What was learned is stretched by this. On homes of seeds 52,001 to 52,800 a run of a day and this part longer than
/// any within a year or so came 0.03 times a year, most of them instead of another warning.
const BEYOND: f32 = 1.15;
/// The longest run is remembered for so many times so many days, of which one is under way: longer than from one cold
/// spell to that of the next winter.
const PARTS: usize = 8;
const PART_NS: u64 = 60 * 86_400 * SECOND_NS;
/// So much is watched before a run is judged, ns: four weeks, and the run. The home may be known for longer, by an
/// earlier version that learned no runs.
const LEARN_NS: u64 = 29 * 86_400 * SECOND_NS;
/// What was told keeps others quiet about it for so long while it goes on, ns.
const QUIET_NS: u64 = 90 * 86_400 * SECOND_NS;
/// What a person called right and did not pause for so long is a new flame, ns: no frost, and no guests.
const FLAME_NS: u64 = 7 * 86_400 * SECOND_NS;

/// The runs of one meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Runs {
    /// The pulse that ended the last pause, ns; 0: nobody knows.
    began_ns: u64,
    /// The longest run in each part, s, the part under way first, and how much of that was watched, ns.
    longest_s: [f32; PARTS],
    part_ns: u64,
    /// A part was watched whole.
    whole: bool,
    /// The longest gap in the run under way, ns.
    gap_ns: u64,
    /// What was said of the run under way.
    told: Stage,
    /// The longest of the part under way before the last run of a day was learned, s; negative: there is none.
    before_s: f32,
}

/// What was said of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing.
    #[default]
    Untold,
    /// That it is too long.
    Told,
    /// And a person, that it is all right.
    Right,
    /// And a person, that it is a leak.
    Leak,
}

impl State for Stage {
    fn save(&self, out: &mut Vec<u8>) {
        (*self as u8).save(out);
    }

    fn load(from: &mut &[u8]) -> Option<Self> {
        [Self::Untold, Self::Told, Self::Right, Self::Leak].get(usize::from(u8::load(from)?)).copied()
    }
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            began_ns: 0,
            longest_s: [0.0; PARTS],
            part_ns: 0,
            whole: false,
            gap_ns: 0,
            told: Stage::Untold,
            before_s: -1.0,
        }
    }
}

/// No pause since then, ns, and how long a run may last, s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// Its first pulse, ns.
    pub since_ns: u64,
    /// For how long gas may flow without a pause, s.
    pub allowed_s: f32,
    /// The longest time between two pulses of it, ns: what never rests is no more than one of them in that time.
    pub gap_ns: u64,
}

impl Runs {
    /// A pulse at `t_ns`, the one before at `before_ns`. Whether the run under way is long enough to be judged.
    pub fn pulse(&mut self, before_ns: u64, t_ns: u64, grain: Grain) -> bool {
        let gap_ns = t_ns.saturating_sub(before_ns);
        self.part_ns = self.part_ns.saturating_add(gap_ns);
        if self.part_ns >= PART_NS {
            self.turn();
        }
        if gap_ns >= pause_ns(grain) {
            self.end(before_ns);
        }
        if self.began_ns == 0 {
            (self.began_ns, self.gap_ns) = (t_ns, 0);
        } else {
            self.gap_ns = self.gap_ns.max(gap_ns);
        }
        t_ns.saturating_sub(self.began_ns) >= SAY_NS
    }

    /// Judges the run that goes on at `t_ns`. `known`: the home is; before that any run is one of a sound home.
    pub fn judge(&mut self, t_ns: u64, grain: Grain, known: bool) -> Option<Run> {
        let known = known && (self.whole || self.part_ns >= LEARN_NS);
        let allowed_s = BEYOND * self.longest_s.iter().fold(0.0, |most, s| s.max(most));
        // A pilot flame's run never ends, and is usual as long as it goes on.
        if !known || allowed_s > seconds(SAY_NS) {
            self.learn(t_ns);
            return None;
        }
        if self.told != Stage::Untold || self.gap_ns > grain.pulse_ul.saturating_mul(FLOOR_NS_PER_UL) {
            return None;
        }
        self.told = Stage::Told;
        Some(Run { since_ns: self.began_ns, allowed_s, gap_ns: self.gap_ns })
    }

    /// A pause after a pulse at `end_ns`: a run that ended was no leak, also if it was told, unless a person said so.
    fn end(&mut self, end_ns: u64) {
        if end_ns.saturating_sub(self.began_ns) >= SAY_NS && self.began_ns != 0 {
            self.before_s = self.longest_s[0];
        }
        if self.told != Stage::Leak {
            self.learn(end_ns);
        }
        self.lose();
    }

    /// What a person said of what was told last, at a time when the last pulse was at `last_ns`. Of a leak nothing is learned,
    /// be it repaired already or not.
    pub fn answer(&mut self, said: Said, last_ns: u64) {
        match (said, self.told) {
            (Said::FalseAlarm, Stage::Told | Stage::Leak) => {
                self.told = Stage::Right;
                self.learn(last_ns);
            }
            (Said::RealLeak, Stage::Untold) if self.before_s >= 0.0 => {
                self.longest_s[0] = core::mem::replace(&mut self.before_s, -1.0);
            }
            // Of none under way nothing is to be told apart, and nobody is quiet.
            (Said::RealLeak, _) if self.began_ns != 0 => self.told = Stage::Leak,
            _ => {}
        }
    }

    /// Whether the run under way was told, and others are quiet about it.
    pub fn told(&self, now_ns: u64) -> bool {
        self.told != Stage::Untold && now_ns.saturating_sub(self.began_ns) < QUIET_NS
    }

    /// Whether the run is a new flame that a person called right; once.
    pub fn is_new_flame(&mut self, now_ns: u64) -> bool {
        let is = self.told == Stage::Right && now_ns.saturating_sub(self.began_ns) >= FLAME_NS;
        if is {
            self.told = Stage::Untold;
            self.learn(now_ns);
        }
        is
    }

    /// The run under way, up to a pulse at `end_ns`, is one of a sound home.
    pub fn learn(&mut self, end_ns: u64) {
        if self.began_ns != 0 {
            self.longest_s[0] = self.longest_s[0].max(seconds(end_ns.saturating_sub(self.began_ns)));
        }
    }

    fn turn(&mut self) {
        (self.whole, self.before_s) = (true, -1.0);
        // A silence as long as all parts leaves nothing to remember.
        for _ in 0..(self.part_ns / PART_NS).min(PARTS as u64) {
            self.longest_s.rotate_right(1);
            self.longest_s[0] = 0.0;
        }
        self.part_ns %= PART_NS;
    }

    /// For `unseen_ns` nobody watched: the gas may have paused.
    pub fn unseen(&mut self, unseen_ns: u64, grain: Grain) {
        if unseen_ns >= pause_ns(grain) {
            self.lose();
        }
    }

    /// The clock is another one, and nobody knows what was meanwhile.
    pub fn lose(&mut self) {
        (self.began_ns, self.told) = (0, Stage::Untold);
    }
}

crate::state::state!(Runs { began_ns, longest_s, part_ns, whole, gap_ns, told, before_s });

const fn seconds(ns: u64) -> f32 {
    ns as f32 / SECOND_NS as f32
}

/// A gap of so long is a pause, ns.
fn pause_ns(grain: Grain) -> u64 {
    PAUSE_NS.max(grain.pulse_ul.saturating_mul(SLOWEST_NS_PER_UL)).saturating_add(grain.poll_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_S: u64 = 3600;
    const DAY_S: u64 = 24 * HOUR_S;
    const TEN_L: Grain = Grain { pulse_ul: 10_000_000, poll_ns: 0, blur_ns: 0 };

    /// A home and what it was told.
    struct Home {
        runs: Runs,
        last_s: u64,
        told: Vec<(u64, Run)>,
    }

    impl Home {
        fn new() -> Self {
            Self { runs: Runs::default(), last_s: 1, told: Vec::new() }
        }

        fn pulse(&mut self, s: u64, known: bool) {
            if self.runs.pulse(self.last_s * SECOND_NS, s * SECOND_NS, TEN_L) {
                self.told.extend(self.runs.judge(s * SECOND_NS, TEN_L, known).map(|run| (s, run)));
            }
            self.last_s = s;
        }

        /// A pulse every 20 minutes in the `hours` after six o'clock.
        fn days(&mut self, days: core::ops::Range<u64>, hours: u64, known: bool) {
            for day in days {
                (0..=3 * hours).for_each(|n| self.pulse(day * DAY_S + 6 * HOUR_S + n * HOUR_S / 3, known));
            }
        }

        /// 20 L/h.
        fn leak(&mut self, from_s: u64, to_s: u64) {
            ((from_s + 1800)..to_s).step_by(1800).for_each(|s| self.pulse(s, true));
        }
    }

    #[test]
    fn a_leak_that_begins_at_any_time_of_the_day_is_told_within_24_hours() {
        for begins_h in 0..24 {
            let mut home = Home::new();
            home.days(1..40, 16, false);
            home.days(40..100, 16, true);
            let begins_s = 100 * DAY_S + begins_h * HOUR_S;
            // Until it begins the home lives on.
            let ends = begins_h.clamp(6, 22);
            (0..3 * (ends - 6)).for_each(|n| home.pulse(100 * DAY_S + (18 + n) * HOUR_S / 3, true));
            home.leak(begins_s, begins_s + 3 * DAY_S);
            let [(told_s, run)] = home.told[..] else { panic!("{begins_h} h: {:?}", home.told) };
            assert!(told_s <= begins_s + DAY_S, "{begins_h} h: after {} s", told_s - begins_s);
            assert_eq!(run.gap_ns, 1800 * SECOND_NS);
            assert!(run.allowed_s < 19.0 * 3600.0 && run.since_ns >= 100 * DAY_S * SECOND_NS, "{run:?}");
        }
    }

    #[test]
    fn a_pilot_flame_is_no_news_in_any_year() {
        let mut home = Home::new();
        (1..28 * DAY_S / 1800).for_each(|n| home.pulse(n * 1800, false));
        (28 * DAY_S / 1800..1000 * DAY_S / 1800).for_each(|n| home.pulse(n * 1800, true));
        assert_eq!(home.told, []);
    }

    #[test]
    fn who_heated_through_a_night_may_for_a_year() {
        let mut home = Home::new();
        home.days(1..40, 16, false);
        home.days(40..41, 23, true);
        home.pulse(41 * DAY_S + 5 * HOUR_S, true);
        assert_eq!(home.told.len(), 1, "23 h after 39 days of 16: {:?}", home.told);
        home.days(42..43, 23, true);
        home.days(43..330, 16, true);
        home.days(330..331, 23, true);
        assert_eq!(home.told.len(), 1, "it did within the year: {:?}", home.told);
        home.days(331..820, 16, true);
        home.days(820..821, 23, true);
        assert_eq!(home.told.len(), 2, "it has not for 16 months: {:?}", home.told);
    }

    #[test]
    fn an_engine_that_learned_no_runs_knows_none_for_four_weeks() {
        let mut home = Home::new();
        home.days(1..27, 16, true);
        home.days(27..28, 23, true);
        assert_eq!(home.told, [], "longer than in four weeks is not longer than usual");
        home.days(28..90, 16, true);
        home.days(90..91, 23, true);
        assert_eq!(home.told, [], "it did, within the year");
    }

    #[test]
    fn what_nobody_watched_may_have_been_a_pause() {
        let mut seen = Home::new();
        seen.days(1..100, 16, false);
        let from_s = 100 * DAY_S;
        let told = |unseen_s: u64| {
            let mut home = Home { runs: seen.runs, last_s: seen.last_s, told: Vec::new() };
            home.leak(from_s, from_s + 12 * HOUR_S);
            home.runs.unseen(unseen_s * SECOND_NS, TEN_L);
            home.leak(from_s + 23 * 1800, from_s + 30 * HOUR_S);
            home.told.len()
        };
        assert_eq!((told(2399), told(2400)), (1, 0), "40 minutes are a pause behind 10 L");
    }

    #[test]
    fn an_answer_without_a_run_keeps_nobody_quiet() {
        let mut runs = Runs::default();
        runs.answer(Said::RealLeak, 0);
        assert!(!runs.told(HOUR_S * SECOND_NS), "{runs:?}");
    }

    #[test]
    fn a_clock_that_began_anew_keeps_what_was_learned() {
        let mut home = Home::new();
        home.days(1..40, 22, true);
        let learned = home.runs;
        home.runs.lose();
        // The same second, on a clock that has just begun.
        home.last_s = 1;
        home.pulse(HOUR_S, true);
        assert_eq!(home.runs.longest_s, learned.longest_s);
        assert!(home.runs.part_ns >= learned.part_ns && home.runs.began_ns == HOUR_S * SECOND_NS);
    }
}
