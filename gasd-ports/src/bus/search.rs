// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking for meters that nobody configured, while nothing else is to be done.

use std::collections::VecDeque;

use gasd_meters::detect::Protocol;
use gasd_meters::drive::Finished;
use gasd_meters::drive::scan::{FoundMeter, Search};
use gasd_meters::poll::{Job, Priority};

use super::slow::Times;
use super::talk::Talk;
use super::{Bus, What};

/// What a search has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Searched {
    /// This is asked now, in words.
    Asking(String),
    /// Somebody answered.
    Found(FoundMeter),
    /// It takes longer than the port waits for a meter of its protocol, or nearly. Told with who is found, and again where it
    /// is longer still: the port's `answer` has to be.
    Slow {
        /// What it speaks.
        protocol: Protocol,
        /// Its address as a configuration has it, where that is known.
        address: Option<String>,
        /// How long it thought, ns.
        ns: u64,
    },
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
    /// What is asked now: in which protocol, and how long a meter may think, ns.
    asked: Option<(Protocol, u64)>,
    pub(super) times: Times,
}

impl Bus {
    /// Looks for meters from now on, in place of a search that is under way.
    pub fn search(&mut self, search: Search) {
        let told = VecDeque::new();
        self.suspended = None;
        let (look, times) = (Look::default(), Times::default());
        self.search = Some(Searching { search, look, told, done: false, asked: None, times });
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
        searching.asked = Some((probing.protocol, probing.answer_ns));
        let job = Job { priority: Priority::Scan, meter: 0, what: What::Search };
        self.start(job, probing.dialogue, probing.protocol, now_ns);
        true
    }

    /// A question has ended.
    pub(super) fn search_told(&mut self, finished: &Finished) {
        let (pace, Some(searching)) = (self.pace, &mut self.search) else { return };
        searching.search.heard_until(searching.times.last_ns());
        for mut found in searching.search.heard(finished) {
            searching.look.found = searching.look.found.saturating_add(1);
            let usual_ns = pace.line(found.protocol).answer_ns;
            let slow = searching.times.found(&mut found, usual_ns);
            searching.told.push_back(Searched::Found(found));
            searching.told.extend(slow);
        }
        if let Some((protocol, _)) = searching.asked {
            searching.told.extend(searching.times.slower(protocol, pace.line(protocol).answer_ns));
        }
    }

    /// Whole answers that come late are meters, too: it is listened for them in place of the silence that would be waited for
    /// before the next question.
    pub(super) fn search_listens(&self, talk: &mut Talk<What>) {
        let asked = self.search.as_ref().and_then(|searching| searching.asked);
        if let (What::Search, Some((_, answer_ns))) = (talk.job.what, asked) {
            talk.listen(answer_ns);
        }
    }

    /// A valve waits: a search listens no longer than any other talk would.
    pub(super) fn hurry_search(&mut self, now_ns: u64) {
        if self.talk.as_ref().is_none_or(|talk| talk.job.what != What::Search) {
            return;
        }
        self.plan_orders(now_ns);
        if self.agenda.is_pressing(Priority::Poll)
            && let Some(talk) = &mut self.talk
        {
            talk.hurry();
        }
    }

    /// How far a search is; `None` when there is none.
    #[must_use]
    pub fn look(&self) -> Option<Look> {
        self.search.as_ref().map(|searching| searching.look)
    }
}
