// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long the meters think that a search finds. One that takes longer than its port waits is found all the same, and would
//! never be read.

use std::collections::BTreeMap;

use gasd_meters::detect::Protocol;
use gasd_meters::drive::scan::FoundMeter;
use gasd_meters::poll::Outcome;
use gasd_meters::scan::CAPACITY;
use gasd_meters::whose::whose;

use super::search::Searched;
use super::talk::Talk;
use super::{Bus, What};

/// Bytes behind a question whose times are kept.
const MOST: usize = 8 * CAPACITY;

/// Who takes more than so many of a hundred parts of what a port waits is slow: nobody thinks equally long each time.
const SLOW: u64 = 80;

/// When what was heard of a search came.
#[derive(Default)]
pub(super) struct Times {
    /// When the request is over, ns.
    end_ns: Option<u64>,
    heard: Vec<u8>,
    /// Where in `heard` what came together begins, and when it came, ns.
    came: Vec<(usize, u64)>,
    /// The longest that each has thought, ns.
    longest: BTreeMap<(Protocol, String), u64>,
    /// The longest of all answers since somebody was found, ns.
    since: u64,
    /// The longest that was told of each, ns.
    told: BTreeMap<(Protocol, String), u64>,
}

impl Times {
    fn asks(&mut self, end_ns: u64) {
        self.end_ns = Some(end_ns);
        self.heard.clear();
        self.came.clear();
    }

    fn heard(&mut self, bytes: &[u8], t_ns: u64) {
        if !bytes.is_empty() && self.end_ns.is_some() && self.heard.len() + bytes.len() <= MOST {
            self.came.push((self.heard.len(), t_ns));
            self.heard.extend(bytes);
        }
    }

    /// These frames answered the question.
    fn answered<'a>(&mut self, protocol: Protocol, frames: impl Iterator<Item = &'a [u8]>) {
        for frame in frames {
            let Some(ns) = self.thought_ns(frame) else { continue };
            self.since = self.since.max(ns);
            if let Some(by) = whose(protocol, frame) {
                let longest = self.longest.entry((protocol, by.address)).or_default();
                *longest = ns.max(*longest);
            }
        }
    }

    fn thought_ns(&self, frame: &[u8]) -> Option<u64> {
        let at = self.heard.windows(frame.len().max(1)).position(|part| part == frame)?;
        let (_, came_ns) = self.came.iter().rev().find(|(from, _)| *from <= at)?;
        Some(came_ns.saturating_sub(self.end_ns?))
    }

    /// How long after the question something was heard the last time, ns.
    pub(super) fn last_ns(&self) -> u64 {
        let last = self.came.last().zip(self.end_ns);
        last.map_or(0, |((_, came_ns), end_ns)| came_ns.saturating_sub(end_ns))
    }

    /// Somebody is found, on a port that waits `usual_ns`: marks one that is slow.
    pub(super) fn found(&mut self, meter: &mut FoundMeter, usual_ns: u64) -> Option<Searched> {
        let since = std::mem::take(&mut self.since);
        let address = meter.address.clone()?;
        let key = (meter.protocol, address.clone());
        let ns = *self.longest.entry(key.clone()).or_insert(since);
        if !is_slow(ns, usual_ns) {
            return None;
        }
        meter.words +=
            &format!("; it is slow, and answers after {}.{} s", ns / 1_000_000_000, ns / 100_000_000 % 10);
        self.told.insert(key, ns);
        Some(Searched::Slow { protocol: meter.protocol, address: Some(address), ns })
    }

    /// Who has taken longer than was told of him.
    pub(super) fn slower(&mut self, protocol: Protocol, usual_ns: u64) -> Vec<Searched> {
        let Self { longest, told, .. } = self;
        let slower = longest.iter().filter(|((of, _), ns)| *of == protocol && is_slow(**ns, usual_ns));
        let mut all = Vec::new();
        for (key, ns) in slower {
            let before = told.entry(key.clone()).or_default();
            if *ns > *before {
                *before = *ns;
                all.push(Searched::Slow { protocol, address: Some(key.1.clone()), ns: *ns });
            }
        }
        all
    }
}

const fn is_slow(ns: u64, usual_ns: u64) -> bool {
    ns / SLOW > usual_ns / 100
}

impl Bus {
    /// A request goes out.
    pub(super) fn search_asks(&mut self, bytes: usize, now_ns: u64) {
        let searches = self.talk.as_ref().is_some_and(|talk| talk.job.what == What::Search);
        if let Some(searching) = self.search.as_mut() {
            searching.times.end_ns = None;
            if searches {
                searching.times.asks(now_ns + self.pace.byte_ns * bytes as u64);
            }
        }
    }

    /// These bytes came.
    pub(super) fn search_heard(&mut self, bytes: &[u8], t_ns: u64) {
        if let Some(searching) = self.search.as_mut() {
            searching.times.heard(bytes, t_ns);
        }
    }

    /// A question of a search has ended so.
    pub(super) fn search_answered(&mut self, talk: &Talk<What>, outcome: &Outcome) {
        if talk.job.what == What::Search
            && let Some(searching) = self.search.as_mut()
        {
            let first = outcome.result.as_deref().ok();
            let all = first.into_iter().chain(outcome.more.iter().map(Vec::as_slice));
            searching.times.answered(talk.protocol, all);
        }
    }
}
