// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's contact and its cable: what the line really does.

use super::{MS, Rng, S, US};
use gasd_abi::filter::{CLOSED, OPEN};

/// What kind of change a transition belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The contact really closed or opened, bounce included.
    Contact,
    /// Something else pulled at the line.
    Glitch,
}

/// One change of the line.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub t: u64,
    pub level: u8,
    pub cause: Cause,
}

/// How a meter and its surroundings behave. Times in ns.
#[derive(Clone, Copy, Debug)]
pub struct Contact {
    pub name: &'static str,
    /// Shortest time from one pulse to the next.
    pub period: u64,
    /// Closed part of the period, percent.
    pub duty: u64,
    /// Longest bounce; 0 for an electronic output.
    pub bounce: u64,
    /// Longest lone spike.
    pub spike: u64,
    /// What the filter needs to see undisturbed, reading latency included.
    pub quiet: u64,
    /// Distance from the contact's own movements in which nothing else happens.
    pub clear: u64,
    /// Once in so many pulses the gas stops with the contact closed, for minutes.
    pub parked: u64,
    /// Disturbances per stretch that is long enough for one.
    pub noise: u64,
    /// Whether there are bursts and chatter too, not only lone spikes.
    pub bursts: bool,
}

/// One closure of the contact: a pulse that must be counted.
#[derive(Clone, Copy, Debug)]
pub struct Closure {
    pub lead: u64,
    pub trail: u64,
}

impl Contact {
    /// Appends one cycle (closing, closed, opening, open) from `t` on; returns the closure and
    /// the end of the cycle.
    pub fn cycle(&self, rng: &mut Rng, t: u64, out: &mut Vec<Change>) -> (Closure, u64) {
        // Mostly at full rate, sometimes down to a twentieth of it.
        let slow = if rng.one_in(3) { rng.between(100, 2_000) } else { rng.between(100, 115) };
        let period = self.period / 100 * slow;
        let mut closed = period / 100 * self.duty;
        let idle = period - closed;
        if rng.one_in(self.parked) {
            closed = rng.between(60 * S, 240 * S);
        }
        let trail = t + closed;
        let up = self.bounce(rng, t, CLOSED, out);
        self.disturb(rng, up, trail, CLOSED, out);
        let down = self.bounce(rng, trail, OPEN, out);
        let end = trail + idle;
        self.disturb(rng, down, end, OPEN, out);
        (Closure { lead: t, trail }, end)
    }

    /// The contact moves to `level` at `t` and bounces; returns when it rests.
    fn bounce(&self, rng: &mut Rng, t: u64, level: u8, out: &mut Vec<Change>) -> u64 {
        out.push(Change { t, level, cause: Cause::Contact });
        if self.bounce == 0 {
            return t;
        }
        let length = rng.log_between(self.bounce / 80, self.bounce);
        let pairs = rng.between(0, 6);
        let mut at = t;
        for i in 0..2 * pairs {
            // Uneven steps that together stay within the bounce.
            at += rng.between(1, length / pairs - 1);
            if at > t + length {
                at = t + length + i;
            }
            let level = if i % 2 == 0 { level ^ 1 } else { level };
            out.push(Change { t: at, level, cause: Cause::Contact });
        }
        at
    }

    /// Glitches on a line that rests at `rest` from `from` to `to`, leaving one stretch of
    /// `self.quiet` alone.
    fn disturb(&self, rng: &mut Rng, from: u64, to: u64, rest: u8, out: &mut Vec<Change>) {
        let (from, to) = (from + self.clear, to.saturating_sub(self.clear));
        if from + self.quiet >= to {
            return;
        }
        let spare = (to - from).saturating_sub(self.quiet);
        let mut left = if spare < MS { 0 } else { rng.between(0, self.noise) };
        let quiet = from + rng.between(0, spare);
        let mut t = from;
        while left > 0 {
            left -= 1;
            // Two spikes closer than they are wide would be one closure with a bounce in it.
            t += rng.log_between(2 * self.spike, spare.max(3 * self.spike));
            // Before the quiet stretch a glitch must end with it, after it with the stretch.
            if t < quiet + self.quiet && t + self.spike > quiet {
                t = t.max(quiet + self.quiet);
            }
            let room = if t < quiet { quiet - t } else { to.saturating_sub(t) };
            if room < 50 * US {
                continue;
            }
            t = match if self.bursts { rng.between(0, 3) } else { 3 } {
                0 => self.burst(rng, t, room, rest, out),
                1 => self.chatter(rng, t, room, rest, out),
                _ => self.spike(rng, t, room, rest, out),
            };
        }
    }

    fn spike(&self, rng: &mut Rng, t: u64, room: u64, rest: u8, out: &mut Vec<Change>) -> u64 {
        let width = rng.log_between(500, self.spike.min(room - 1));
        glitch(t, width, rest, out)
    }

    /// Switching transients as IEC 61000-4-4 bursts: needles some 10 µs to 200 µs apart.
    fn burst(&self, rng: &mut Rng, t: u64, room: u64, rest: u8, out: &mut Vec<Change>) -> u64 {
        let end = t + rng.between(50 * US, 15 * MS).min(room);
        let step = rng.log_between(10 * US, 200 * US);
        let mut at = t;
        let mut n = 0;
        while at + step < end && n < 40 {
            at = glitch(at, rng.log_between(500, step / 4), rest, out) + rng.between(step / 2, step);
            n += 1;
        }
        at
    }

    /// A relay or a motor nearby: the line is torn about half the time.
    fn chatter(&self, rng: &mut Rng, t: u64, room: u64, rest: u8, out: &mut Vec<Change>) -> u64 {
        let step = rng.log_between(self.spike / 100, self.spike / 5);
        let end = t + (rng.between(2, 60) * step).min(room);
        let mut at = t;
        while at + 3 * step < end {
            at = glitch(at, rng.between(1 + step / 10, step), rest, out) + rng.between(1 + step / 10, step);
        }
        at
    }
}

fn glitch(t: u64, width: u64, rest: u8, out: &mut Vec<Change>) -> u64 {
    out.push(Change { t, level: rest ^ 1, cause: Cause::Glitch });
    out.push(Change { t: t + width, level: rest, cause: Cause::Glitch });
    t + width
}
