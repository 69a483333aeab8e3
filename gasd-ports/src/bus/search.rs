// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking for meters that nobody configured, while nothing else is to be done.

use std::collections::VecDeque;

use gasd_meters::drive::Finished;
use gasd_meters::drive::scan::{FoundMeter, Search};
use gasd_meters::poll::{Job, Priority};

use super::{Bus, What};

/// What a search has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Searched {
    /// This is asked now, in words.
    Asking(String),
    /// Somebody answered.
    Found(FoundMeter),
    /// All was asked.
    Done,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Questions so far.
    pub asked: u32,
    /// Meters found so far.
    pub found: u32,
}

/// A search under way.
pub(super) struct Searching {
    search: Search,
    look: Look,
    told: VecDeque<Searched>,
    done: bool,
}

impl Bus {
    /// Looks for meters from now on, in place of a search that is under way.
    pub fn search(&mut self, search: Search) {
        let told = VecDeque::new();
        self.suspended = None;
        self.search = Some(Searching { search, look: Look::default(), told, done: false });
    }

    /// Ends a search.
    pub fn stop_search(&mut self) {
        (self.search, self.suspended) = (None, None);
    }

    /// What a search has said since the last time, oldest first.
    pub fn searched(&mut self) -> impl Iterator<Item = Searched> + use<> {
        let told = self.search.as_mut().map(|search| std::mem::take(&mut search.told));
        if self.search.as_ref().is_some_and(|search| search.done) {
            self.search = None;
        }
        told.unwrap_or_default().into_iter()
    }

    /// Asks the next question; `false` where there is none.
    pub(super) fn begin_search(&mut self, now_ns: u64) -> bool {
        let Some(searching) = self.search.as_mut().filter(|searching| !searching.done) else { return false };
        let Some(probing) = searching.search.next() else {
            searching.done = true;
            searching.told.push_back(Searched::Done);
            return false;
        };
        searching.look.asked = searching.look.asked.saturating_add(1);
        searching.told.push_back(Searched::Asking(probing.what));
        let job = Job { priority: Priority::Scan, meter: 0, what: What::Search };
        self.start(job, probing.dialogue, probing.protocol, now_ns);
        true
    }

    /// A question has ended.
    pub(super) fn search_told(&mut self, finished: &Finished) {
        let Some(searching) = &mut self.search else { return };
        for found in searching.search.heard(finished) {
            searching.look.found = searching.look.found.saturating_add(1);
            searching.told.push_back(Searched::Found(found));
        }
    }

    /// How far a search is; `None` when there is none.
    #[must_use]
    pub fn look(&self) -> Option<Look> {
        self.search.as_ref().map(|searching| searching.look)
    }
}
