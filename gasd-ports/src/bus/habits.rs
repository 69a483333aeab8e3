// SPDX-License-Identifier: MIT OR Apache-2.0
//! Habits of units of Modbus: to think for longer than is waited, and to say answers twice. Who has one of them may have both,
//! and then what comes behind a request may be the answer to the one before, once more, and its own come later.

use std::collections::VecDeque;

use super::owed::MOST_NS;

/// A unit that thinks for so long, ns, is slow. And as it takes one request after the other, its answers are so far apart:
/// two that are the same to the bit and closer are one said twice.
const SLOW_NS: u64 = 1_000_000_000;
/// A habit is kept in mind for so long, ns.
const KEPT_NS: u64 = 3_600_000_000_000;
/// Answers that are remembered.
const MOST: usize = 64;

struct Came {
    request: Option<Vec<u8>>,
    answer: Vec<u8>,
    t_ns: u64,
}

/// What is known of a line's units, each by its number.
#[derive(Default)]
pub(super) struct Habits {
    came: VecDeque<Came>,
    /// Until when, ns, each is known to be slow, and to say answers twice.
    slow: Vec<(u8, u64)>,
    twice: Vec<(u8, u64)>,
    /// And that it has none of them, as far as is known.
    plain: Vec<(u8, u64)>,
}

impl Habits {
    /// This answer came, behind that request where it was awaited. Returns whether it may be one that was heard before.
    pub(super) fn came(&mut self, request: Option<&[u8]>, answer: &[u8], owed: bool, t_ns: u64) -> bool {
        let Some(&unit) = answer.first() else { return false };
        self.came.retain(|came| t_ns < came.t_ns.saturating_add(MOST_NS));
        // The answers to requests that differ may well be the same.
        let may_be = |came: &&Came| {
            came.answer == answer
                && (request.is_none() || came.request.as_deref().is_none_or(|to| Some(to) == request))
        };
        let again = self.came.iter().any(|came| may_be(&came));
        if again && !owed {
            keep(&mut self.twice, unit, t_ns);
        }
        if self.came.len() == MOST {
            self.came.pop_front();
        }
        self.came.push_back(Came { request: request.map(<[u8]>::to_vec), answer: answer.to_vec(), t_ns });
        again && is_kept(&self.twice, unit, t_ns) && is_kept(&self.slow, unit, t_ns)
    }

    /// So long it took to answer this request, ns.
    pub(super) fn took(&mut self, request: &[u8], took_ns: u64, t_ns: u64) {
        if let Some(&unit) = request.first().filter(|_| took_ns >= SLOW_NS) {
            keep(&mut self.slow, unit, t_ns);
        }
    }

    /// What was the answer to another request came once more behind this one, and its own too.
    pub(super) fn says_twice(&mut self, request: &[u8], t_ns: u64) {
        let _ = request.first().map(|unit| keep(&mut self.twice, *unit, t_ns));
    }

    /// What might be the answer to another request, once more, was the one to this: no other came.
    pub(super) fn says_once(&mut self, request: &[u8], t_ns: u64) {
        let _ = request.first().map(|unit| keep(&mut self.plain, *unit, t_ns));
    }

    /// Whether whom this request asks is known to have one of them.
    pub(super) fn is_odd(&self, request: &[u8], t_ns: u64) -> bool {
        let is = |unit| is_kept(&self.slow, unit, t_ns) || is_kept(&self.twice, unit, t_ns);
        request.first().is_some_and(|unit| is(*unit))
    }

    /// Whether whom this request asks is known to have none of them.
    pub(super) fn is_plain(&self, request: &[u8], t_ns: u64) -> bool {
        let plain = request.first().is_some_and(|unit| is_kept(&self.plain, *unit, t_ns));
        plain && !self.is_odd(request, t_ns)
    }
}

fn keep(habit: &mut Vec<(u8, u64)>, unit: u8, t_ns: u64) {
    habit.retain(|(has, until_ns)| *has != unit && *until_ns > t_ns);
    habit.push((unit, t_ns.saturating_add(KEPT_NS)));
}

fn is_kept(habit: &[(u8, u64)], unit: u8, t_ns: u64) -> bool {
    habit.iter().any(|(has, until_ns)| *has == unit && *until_ns > t_ns)
}
