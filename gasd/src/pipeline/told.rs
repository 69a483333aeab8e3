// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter's health in the journal: each change at once, but not faster than anybody reads for long.
//!
//! What is wrong with a radio telegram or a datagram anybody can choose who has a transmitter: thousands of changes a minute
//! would take the journal's room from what people must read.

use crate::journal::{Note, changes};

/// Changes that are told at once.
const MOST: u64 = 16;
/// One more is, each time this has passed, ns.
const EVERY_NS: u64 = 60_000_000_000;

/// What was told of one meter.
#[derive(Debug)]
pub struct Told {
    words: Option<String>,
    spare: u64,
    since_ns: u64,
}

impl Default for Told {
    fn default() -> Self {
        Self { words: None, spare: MOST, since_ns: 0 }
    }
}

impl Told {
    /// The line is another, of which nothing was told.
    pub fn forget(&mut self) {
        self.words = None;
    }

    /// What is to be told of `meter`, whose health is this. What is too much now is so later, as it is then.
    pub fn news(&mut self, meter: &str, health: Option<&str>, now_ns: u64) -> Option<Note> {
        if self.words.as_deref() == health {
            return None;
        }
        let more = now_ns.saturating_sub(self.since_ns) / EVERY_NS;
        self.since_ns = self.since_ns.saturating_add(more.saturating_mul(EVERY_NS));
        self.spare = self.spare.saturating_add(more).min(MOST).checked_sub(1)?;
        let before = std::mem::replace(&mut self.words, health.map(str::to_owned));
        changes::line(meter, before.as_deref(), health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn a_flood_is_told_now_and_then_and_how_it_ends() {
        let (mut told, mut notes) = (Told::default(), 0);
        for n in 0..100_000 {
            let health = if n % 2 == 0 { "not encrypted" } else { "a wrong key" };
            notes += u64::from(told.news("gas", Some(health), 1_000 * S + n * S / 100).is_some());
        }
        // In a thousand seconds.
        assert!((MOST..=MOST + 1_000 / 60 + 1).contains(&notes), "{notes}");
        let end = (2_000..2_100).find_map(|s| told.news("gas", None, s * S));
        assert!(end.is_some_and(|note| note.text.contains("works")));
        assert!((2_100..2_200).all(|s| told.news("gas", None, s * S).is_none()));
    }

    #[test]
    fn what_changes_as_slowly_as_people_read_is_told_at_once() {
        let mut told = Told::default();
        for n in 0..1_000u64 {
            let health = (n % 2 == 0).then_some("a wrong key");
            assert!(told.news("gas", health, n * 60 * S).is_some(), "{n}");
        }
        told.forget();
        assert!(told.news("gas", Some("a wrong key"), 70_000 * S).is_some());
    }
}
