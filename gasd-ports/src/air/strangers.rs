// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who was heard and is not configured: whoever commissions a meter looks here first.

use std::collections::VecDeque;

use super::Event;

/// Most that are kept; who was silent for longest makes room.
pub const MOST: usize = 32;

/// At most one is told in this time, ns: anybody can make up addresses.
const TELL_NS: u64 = 1_000_000_000;

/// Somebody who is not configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// As a configuration would write it.
    pub what: String,
    /// What is known of it.
    pub words: String,
    /// How often it was heard while it is kept here.
    pub count: u64,
    /// When it was heard last, ns.
    pub heard_ns: u64,
}

/// The last of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    list: VecDeque<Stranger>,
    total: u64,
    told_ns: Option<u64>,
}

impl Strangers {
    /// The last ones, the latest first.
    pub fn iter(&self) -> impl Iterator<Item = &Stranger> {
        self.list.iter()
    }

    /// How often any of them was heard.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Notes one. It is told when it is new, and again after twice as many times.
    pub(super) fn note(&mut self, now_ns: u64, what: String, words: String) -> Option<Event> {
        self.total = self.total.saturating_add(1);
        let known = self.list.iter().position(|stranger| stranger.what == what);
        let count = known.and_then(|at| self.list.remove(at)).map_or(0, |stranger| stranger.count);
        let stranger = Stranger { what, words, count: count.saturating_add(1), heard_ns: now_ns };
        self.list.truncate(MOST - 1);
        let is_due = self.told_ns.is_none_or(|told_ns| now_ns.saturating_sub(told_ns) >= TELL_NS);
        let event = (is_due && stranger.count.is_power_of_two()).then(|| {
            let times = if stranger.count == 1 { "" } else { ", heard again" };
            let words = format!("{}{times}", stranger.words);
            Event::Stranger { what: stranger.what.clone(), words }
        });
        if event.is_some() {
            self.told_ns = Some(now_ns);
        }
        self.list.push_front(stranger);
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn what(event: Option<Event>) -> Option<String> {
        match event {
            Some(Event::Stranger { what, .. }) => Some(what),
            other => other.map(|_| String::new()),
        }
    }

    #[test]
    fn the_last_ones_are_kept_and_few_are_told() {
        let mut strangers = Strangers::default();
        assert_eq!(what(strangers.note(0, "a".into(), "weak".into())).as_deref(), Some("a"));
        // Two in one second: the other is kept and not told.
        assert_eq!(strangers.note(1, "b".into(), "weak".into()), None);
        let mut told = 0;
        for n in 1..=100 {
            told += usize::from(strangers.note(n * S, "a".into(), "strong".into()).is_some());
        }
        assert_eq!(told, 6, "2, 4, 8, 16, 32, 64");
        let first = strangers.iter().next().unwrap();
        assert_eq!((first.count, first.words.as_str(), strangers.total()), (101, "strong", 102));
        for n in 0..1_000 {
            strangers.note(200 * S, n.to_string(), String::new());
        }
        assert_eq!((strangers.iter().count(), strangers.total()), (MOST, 1_102));
        assert!(strangers.iter().all(|stranger| stranger.what != "a"));
    }
}
