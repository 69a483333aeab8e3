// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a meter behaves on its line, whatever it speaks: how long it thinks, what it puts around its frames, when it does
//! not answer, and what its valve does. Each setting stands for itself; all of them together are a bad day.

use std::ops::Range;

use gasd_meters::Valve;

use crate::meter::Reply;
use crate::rng::Rng;
use crate::truth::{Fate, Motor, Shared, look};

const MS: u64 = 1_000_000;

/// Answers that come after the master has given up, and land in its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// How many of a million answers.
    pub ppm: u32,
    /// How long they take, ns, instead of the time that the meter thinks.
    pub after_ns: u64,
}

/// Answers with a pause in their middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// How many of a million answers.
    pub ppm: u32,
    /// How long the pause is, ns.
    pub ns: u64,
}

/// What a valve does when it is commanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValveHabits {
    /// Motor, and whether it moves anything.
    pub motor: Motor,
    /// How many of a million answers to commands are lost; the command is carried out all the same.
    pub answer_lost_ppm: u32,
    /// Whether the answer to a command shows where the valve is at that moment, that is on its way. Most meters show
    /// where it was sent.
    pub honest: bool,
}

/// How a meter behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habits {
    /// What is drawn is drawn from this.
    pub seed: u64,
    /// How long it thinks before it answers, from and to, ns.
    pub think_ns: (u64, u64),
    /// Wake-up bytes before an answer, from and to, in protocols that have them.
    pub wake: (u8, u8),
    /// Bytes before an answer that belong to nothing, from and to.
    pub garbage: (u8, u8),
    /// Bytes behind it, from and to.
    pub trailing: (u8, u8),
    /// Answers with a pause in their middle.
    pub pause: Option<Pause>,
    /// Answers that come too late.
    pub late: Option<Late>,
    /// When it is dead, ns: it hears nothing and moves nothing.
    pub dead: Vec<Range<u64>>,
    /// It sleeps through the first of every so many requests; 0 and none sleeps never.
    pub sleeps_through: u32,
    /// Its valve.
    pub valve: ValveHabits,
}

impl Default for Habits {
    /// A meter as its standard has it: thinks 20 to 60 ms, wakes the line with two bytes, moves its valve in 4 s.
    fn default() -> Self {
        Self {
            seed: 1,
            think_ns: (20 * MS, 60 * MS),
            wake: (2, 2),
            garbage: (0, 0),
            trailing: (0, 0),
            pause: None,
            late: None,
            dead: Vec::new(),
            sleeps_through: 0,
            valve: ValveHabits {
                motor: Motor { time_ns: 4_000 * MS, stuck: false, refuses: false },
                answer_lost_ppm: 0,
                honest: false,
            },
        }
    }
}

impl Habits {
    /// A meter as meters are in the field: everything that a reader has to bear with, and nothing that makes it
    /// unreadable. Slow up to `slowest_ns`, which is what its standard allows.
    #[must_use]
    pub fn quirky(seed: u64, slowest_ns: u64) -> Self {
        Self {
            seed,
            think_ns: (5 * MS, slowest_ns.max(5 * MS)),
            wake: (0, 13),
            garbage: (0, 6),
            trailing: (0, 4),
            pause: Some(Pause { ppm: 300_000, ns: 60 * MS }),
            ..Self::default()
        }
    }
}

/// What a meter does about a command.
pub(crate) enum Commanded {
    /// It refuses.
    Refused,
    /// It has taken it, and its answer is lost.
    Silent,
    /// It has taken it, and says that the valve is there.
    Taken(Valve),
}

/// Habits at work.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    habits: Habits,
    rng: Rng,
    requests: u64,
}

/// What stands before frames in the field: silence that was read as bytes, echoes of text, headers of radio modems. No
/// byte of it is a start byte of a protocol that has one.
const GARBAGE: [u8; 10] = [0x00, 0xFF, 0x0D, 0x0A, b'C', b'T', b'R', b':', 0x55, 0xA9];

impl Manners {
    pub(crate) fn new(habits: Habits) -> Self {
        Self { rng: Rng::new(habits.seed, 3), habits, requests: 0 }
    }

    /// Whether it takes a request that is for it and comes at `now_ns`.
    pub(crate) fn attends(&mut self, now_ns: u64) -> bool {
        if self.habits.dead.iter().any(|dead| dead.contains(&now_ns)) {
            return false;
        }
        let every = u64::from(self.habits.sleeps_through);
        let asleep = every > 0 && self.requests.is_multiple_of(every);
        self.requests += 1;
        !asleep
    }

    /// A command to the valve at `now_ns`, carried out or not.
    pub(crate) fn command(&mut self, truth: &Shared, now_ns: u64, to: Valve) -> Commanded {
        if look(truth).command(now_ns, to, self.habits.valve.motor) == Fate::Refused {
            return Commanded::Refused;
        }
        if self.rng.happens(self.habits.valve.answer_lost_ppm) {
            return Commanded::Silent;
        }
        Commanded::Taken(if self.habits.valve.honest { look(truth).valve(now_ns) } else { to })
    }

    /// A frame as it goes over the line, behind wake-up bytes `wake` where the protocol has them.
    pub(crate) fn answer(&mut self, wake: Option<u8>, frame: &[u8]) -> Vec<Reply> {
        let mut bytes = Vec::new();
        for _ in 0..self.count(self.habits.garbage) {
            bytes.push(self.garbage());
        }
        if let Some(wake) = wake {
            bytes.resize(bytes.len() + usize::from(self.count(self.habits.wake)), wake);
        }
        bytes.extend(frame);
        for _ in 0..self.count(self.habits.trailing) {
            bytes.push(self.garbage());
        }
        let (low, high) = self.habits.think_ns;
        let thinks = self.rng.between(low, high);
        let after_ns = match self.habits.late {
            Some(late) if self.rng.happens(late.ppm) => late.after_ns,
            _ => thinks,
        };
        match self.habits.pause {
            Some(pause) if bytes.len() > 1 && self.rng.happens(pause.ppm) => {
                let second = bytes.split_off(self.rng.between(1, bytes.len() as u64 - 1) as usize);
                vec![Reply { after_ns, bytes }, Reply { after_ns: pause.ns, bytes: second }]
            }
            _ => vec![Reply { after_ns, bytes }],
        }
    }

    fn count(&mut self, (low, high): (u8, u8)) -> u8 {
        self.rng.between(low.into(), high.into()) as u8
    }

    fn garbage(&mut self) -> u8 {
        GARBAGE.get(self.rng.below(GARBAGE.len() as u64) as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(replies: &[Reply]) -> Vec<u8> {
        replies.iter().flat_map(|reply| reply.bytes.clone()).collect()
    }

    #[test]
    fn it_is_dead_when_it_is_and_sleeps_through_the_first_of_three() {
        let mut dead = Manners::new(Habits { dead: vec![5..9, 20..u64::MAX], ..Habits::default() });
        let times = [4, 5, 8, 9, 20, u64::MAX - 1];
        assert_eq!(times.map(|t| dead.attends(t)), [true, false, false, true, false, false]);
        let mut sleepy = Manners::new(Habits { sleeps_through: 3, ..Habits::default() });
        assert_eq!([0; 7].map(|t| sleepy.attends(t)), [false, true, true, false, true, true, false]);
    }

    #[test]
    fn the_frame_is_whole_whatever_stands_around_it() {
        let frame = [0x68, 1, 2, 3, 0x16];
        let (mut chunks, mut longest, mut slowest) = (0, 0, 0);
        let mut quirky = Manners::new(Habits::quirky(4, 500 * MS));
        for _ in 0..500 {
            let replies = quirky.answer(Some(0xFE), &frame);
            let bytes = sent(&replies);
            assert!(bytes.windows(frame.len()).any(|part| part == frame), "{bytes:02X?}");
            assert!(bytes.len() <= 6 + 13 + 5 + 4);
            longest = longest.max(bytes.len());
            slowest = slowest.max(replies[0].after_ns);
            chunks += usize::from(replies.len() == 2);
        }
        assert!((100..200).contains(&chunks), "{chunks}");
        assert!(longest > 20 && slowest > 450 * MS && slowest <= 500 * MS);
        let plain = Manners::new(Habits::default()).answer(None, &frame);
        assert_eq!(sent(&plain), frame);
    }

    #[test]
    fn some_answers_come_too_late() {
        let late = Some(Late { ppm: 250_000, after_ns: 3_000 * MS });
        let mut manners = Manners::new(Habits { late, ..Habits::default() });
        let late = (0..1000).filter(|_| manners.answer(None, &[1])[0].after_ns == 3_000 * MS).count();
        assert!((200..300).contains(&late), "{late}");
    }
}
