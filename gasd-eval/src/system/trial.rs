// SPDX-License-Identifier: MIT OR Apache-2.0
//! One thing that goes wrong, in copies of a home and of detectors that know it.
//!
//! Beside the copy in which it goes wrong runs one in which it does not: an alarm that is raised there
//! too is no detection.

use super::drive::{Seat, Source, drive};
use crate::detector::{Alarm, Level};
use crate::household::calendar::{HOUR_NS, SECOND_NS};
use crate::household::flow::Flow;
use crate::household::meter::Pulses;
use crate::leak::Leak;
use crate::leak::fault::{Fault, Faulty};

/// Alarms of one kind this close are the same one, ns.
const SAME_NS: u64 = 60 * SECOND_NS;

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Wrong {
    /// Gas flows that should not.
    Leak(Leak),
    /// An appliance stays on and is used no more.
    Forgotten {
        /// What flows after the use should have ended.
        leak: Leak,
        /// Which appliance.
        appliance: u8,
    },
    /// The pulses are wrong.
    Fault {
        /// How.
        fault: Fault,
        /// From, ns.
        from_ns: u64,
        /// To, ns.
        to_ns: u64,
    },
}

/// By when it must be detected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// So many litres.
    Litres(f64),
    /// So long after it began, ns.
    Delay(u64),
    /// 1.5 times a use time after the use began.
    Use {
        /// The longest use while the home was learned, ns.
        longest_ns: u64,
        /// Only one use in a thousand of three years is longer, ns.
        rare_ns: u64,
    },
}

/// One trial.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What goes wrong.
    pub wrong: Wrong,
    /// When it began as an observer counts: a forgotten burner when it was lit.
    pub began_ns: u64,
    /// For how long it is watched, ns.
    pub horizon_ns: u64,
    /// What must be said.
    pub needed: Level,
    /// By when.
    pub limit: Limit,
}

/// What one detector made of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The first alarm of at least the level that is needed.
    pub alarm: Option<Alarm>,
    /// From the beginning to it, s; infinite for never.
    pub delay_s: f64,
    /// Released until then, L; infinite for never.
    pub litres: f64,
    /// In time.
    pub in_time: bool,
    /// In time by the use that only one in a thousand exceeds; as `in_time` where that means nothing.
    pub in_rare_time: bool,
    /// A critical alarm was raised.
    pub critical: bool,
    /// The sound home cried too, in the same time: who often cries is sometimes right.
    pub anyway: bool,
}

impl Trial {
    /// One trial.
    #[must_use]
    pub const fn new(wrong: Wrong, began_ns: u64, horizon_ns: u64, needed: Level, limit: Limit) -> Self {
        Self { wrong, began_ns, horizon_ns, needed, limit }
    }

    /// Until when nothing is wrong yet.
    #[must_use]
    pub const fn from_ns(&self) -> u64 {
        match &self.wrong {
            Wrong::Leak(leak) | Wrong::Forgotten { leak, .. } => leak.start_ns(),
            Wrong::Fault { from_ns, .. } => *from_ns,
        }
    }

    /// The leak's flow at first, m³/h; 0 if nothing leaks.
    #[must_use]
    pub fn m3_per_h(&self) -> f64 {
        match &self.wrong {
            Wrong::Leak(leak) | Wrong::Forgotten { leak, .. } => leak.peek().ul_per_h as f64 * 1e-9,
            Wrong::Fault { .. } => 0.0,
        }
    }

    /// Runs it: `pulses` and `seats` have come to [`Trial::from_ns`].
    #[must_use]
    pub fn run<F: Flow>(&self, pulses: &Pulses<F>, seats: &[Seat]) -> Vec<Outcome> {
        match (&self.wrong, self.leaking(pulses)) {
            (Wrong::Fault { fault, from_ns, to_ns }, copy) => {
                self.watch(Faulty::new(copy, *fault, *from_ns, *to_ns), pulses.clone(), seats)
            }
            (_, copy) => self.watch(copy, pulses.clone(), seats),
        }
    }

    /// A copy in which it leaks.
    #[must_use]
    pub fn leaking<F: Flow>(&self, pulses: &Pulses<F>) -> Pulses<F> {
        let mut copy = pulses.clone();
        match &self.wrong {
            Wrong::Leak(leak) => copy.inject(leak.clone()),
            Wrong::Forgotten { leak, appliance } => {
                copy.flow_mut().mute(*appliance, leak.start_ns());
                copy.inject(leak.clone());
            }
            Wrong::Fault { .. } => {}
        }
        copy
    }

    /// What one who knew the home's future could make of it: the first pulse that comes, or does not come,
    /// because of the leak. `None` if nothing leaks.
    #[must_use]
    pub fn bound<F: Flow>(&self, pulses: &Pulses<F>) -> Option<Outcome> {
        if matches!(self.wrong, Wrong::Fault { .. }) {
            return None;
        }
        let (mut leaking, mut sound) = (self.leaking(pulses), pulses.clone());
        let end = self.from_ns() + self.horizon_ns;
        let t_ns = loop {
            match (leaking.next_before(end), sound.next_before(end)) {
                (Some(a), Some(b)) if a == b => {}
                (a, b) => break a.into_iter().chain(b).min(),
            }
        };
        Some(self.judged(t_ns.map(|t_ns| Alarm { t_ns, level: self.needed, kind: "bound" }), false))
    }

    fn watch(&self, mut wrong: impl Source, mut right: impl Source, seats: &[Seat]) -> Vec<Outcome> {
        let mut leaking: Vec<Seat> = seats.iter().map(Seat::copy).collect();
        let mut sound: Vec<Seat> = seats.iter().map(Seat::copy).collect();
        let end = self.from_ns() + self.horizon_ns;
        let mut now = self.from_ns();
        // Longer and longer at a time: a hose is noticed in seconds, a small leak in days. The limit of
        // sameness must be past in the sound home before an alarm is believed.
        let mut piece = 4 * SAME_NS;
        while now < end {
            now = (now + piece).min(end);
            piece = (piece * 2).min(6 * HOUR_NS);
            drive(&mut wrong, &mut leaking, now);
            drive(&mut right, &mut sound, now + SAME_NS);
            let all = leaking.iter().zip(&sound).all(|(l, s)| self.first(self.needed, l, s).is_some());
            if all && !matches!(self.wrong, Wrong::Fault { .. }) {
                break;
            }
        }
        leaking.iter().zip(&sound).map(|(l, s)| self.outcome(l, s)).collect()
    }

    /// The first alarm of at least `level` that is not in the sound home too.
    fn first(&self, level: Level, leaking: &Seat, sound: &Seat) -> Option<Alarm> {
        let same = |a: &Alarm, b: &Alarm| a.kind == b.kind && a.t_ns.abs_diff(b.t_ns) < SAME_NS;
        let own = |a: &&Alarm| a.level >= level && !sound.alarms.iter().any(|b| same(a, b));
        leaking.alarms.iter().find(own).copied()
    }

    fn outcome(&self, leaking: &Seat, sound: &Seat) -> Outcome {
        let alarm = self.first(self.needed, leaking, sound);
        let critical = self.first(Level::Critical, leaking, sound).is_some();
        let anyway = sound.alarms.iter().any(|a| a.level >= self.needed);
        Outcome { anyway, ..self.judged(alarm, critical) }
    }

    fn judged(&self, alarm: Option<Alarm>, critical: bool) -> Outcome {
        let never = f64::INFINITY;
        let delay_ns = alarm.map(|a| a.t_ns.saturating_sub(self.began_ns));
        let litres = alarm.map_or(never, |a| match &self.wrong {
            Wrong::Leak(leak) | Wrong::Forgotten { leak, .. } => leak.released_l(a.t_ns),
            Wrong::Fault { .. } => 0.0,
        });
        let within = |limit: u64| delay_ns.is_some_and(|d| d <= limit);
        let (in_time, in_rare_time) = match self.limit {
            Limit::Litres(most) => (litres <= most, litres <= most),
            Limit::Delay(most) => (within(most), within(most)),
            Limit::Use { longest_ns, rare_ns } => (within(longest_ns / 2 * 3), within(rare_ns / 2 * 3)),
        };
        // Pulses that cannot be are a broken sensor, and no reason to leave a home without gas.
        let broken = matches!(
            self.wrong,
            Wrong::Fault { fault: Fault::Bouncing { .. } | Fault::Impossible { .. }, .. }
        );
        let (in_time, in_rare_time) =
            (in_time && !(broken && critical), in_rare_time && !(broken && critical));
        let delay_s = delay_ns.map_or(never, |d| d as f64 * 1e-9);
        Outcome { alarm, delay_s, litres, in_time, in_rare_time, critical, anyway: false }
    }
}
