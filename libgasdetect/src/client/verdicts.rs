// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a subscription was told of verdicts. A verdict may come by the stream, by the bus and with the answer
//! to what gasd has, in any order and each more than once; it is told once.

use std::collections::{BTreeMap, VecDeque};

use crate::exports::codes::GASD_RECOVERED;

use super::house::House;
use super::out::{About, Event, Said};

/// Verdicts that are remembered though they wait no more: one of the ways may be so much behind the others.
const REMEMBERED: usize = 1024;

/// The verdicts of a subscription.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// Number and time of those that were told, in the order of telling. A number alone would not do: a gasd
    /// whose store was taken away begins anew with 1.
    told: VecDeque<(u64, u64)>,
    /// Those of them that wait for a person; without words while these are still to come.
    open: BTreeMap<u64, Said>,
}

impl Verdicts {
    /// A verdict was made, as one of the ways says.
    pub fn made(&mut self, said: Said, events: &mut Vec<Event>) {
        let key = (said.id, said.decided_ns);
        if let Some(open) = self.open.get_mut(&said.id).filter(|open| open.decided_ns == said.decided_ns) {
            if said.words.is_some() {
                // Those of the newest answer, so that none are kept twice.
                let first = std::mem::replace(&mut open.words, said.words).is_none();
                events.extend(first.then(|| Event::Verdict(About::Explained, open.clone())));
            }
            return;
        }
        if self.told.contains(&key) {
            return;
        }
        if self.told.len() >= REMEMBERED {
            self.told.pop_front();
        }
        self.told.push_back(key);
        let kept = Said { flags: said.flags & !GASD_RECOVERED, ..said.clone() };
        events.push(Event::Verdict(About::Made, said));
        // Of two with one number the older one was of a store that is gone.
        let gone = match self.open.get(&kept.id) {
            Some(newer) if newer.decided_ns > kept.decided_ns => Some(kept),
            _ => self.open.insert(kept.id, kept),
        };
        events.extend(gone.map(|gone| Event::Verdict(About::Acknowledged, gone)));
    }

    /// A verdict waits no more, as was said at `t_ns`: one of this number that was made later is another.
    pub fn acknowledged(&mut self, id: u64, t_ns: u64) -> Option<Event> {
        self.open.get(&id).filter(|open| open.decided_ns <= t_ns)?;
        self.open.remove(&id).map(|said| Event::Verdict(About::Acknowledged, said))
    }

    /// gasd said what waits, and that was told: what is not among it waits no more. One without words may be
    /// newer than gasd's answer, unless it is of a gasd that has ended (`anew`).
    pub fn settle(&mut self, house: &House, anew: bool, events: &mut Vec<Event>) {
        let gone = |id: &u64, said: &mut Said| {
            let waits = house.verdicts.get(id).is_some_and(|words| words.decided_ns == said.decided_ns);
            !waits && (anew || said.words.is_some())
        };
        let gone = self.open.extract_if(.., gone);
        events.extend(gone.map(|(_, said)| Event::Verdict(About::Acknowledged, said)));
    }

    /// Whether it was told and waits.
    pub fn waits(&self, id: u64) -> bool {
        self.open.contains_key(&id)
    }

    /// How many are remembered, and how many wait.
    #[cfg(test)]
    pub fn sizes(&self) -> (usize, usize) {
        (self.told.len(), self.open.len())
    }
}
