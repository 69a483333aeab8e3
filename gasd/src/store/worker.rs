// SPDX-License-Identifier: MIT OR Apache-2.0
//! The writing thread's side: tries, fails, waits, opens the file anew, tries again.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::store::commit::{Committed, Stamp};
use crate::store::db::Store;
use crate::store::error::StoreError;
use crate::store::records::Change;
use crate::store::writer::{Job, Opener, Shared, reserve};
use crate::store::writing::{STARTED, WAITING};

/// Pause after the first failure; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The thread's own state.
pub(super) struct Engine {
    pub(super) reopen: Opener,
    pub(super) store: Option<Store>,
    pub(super) session: u64,
    pub(super) seq: u64,
    /// A transaction that was tried and is tried again as it is, under the same number: its first
    /// try may have reached the disk although it reported an error.
    pub(super) in_hand: Option<(Stamp, Vec<Change>)>,
}

impl Engine {
    fn store(&mut self) -> Result<&Store, StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => (self.reopen)()?,
        };
        Ok(self.store.insert(store))
    }

    fn stamp(&mut self) -> Stamp {
        self.seq += 1;
        Stamp { session: self.session, seq: self.seq }
    }

    fn commit(&mut self, stamp: Stamp, changes: &[Change]) -> Result<Committed, StoreError> {
        let done = self.store()?.commit_stamped(Some(stamp), changes);
        if done.is_err() {
            self.store = None;
        }
        done
    }

    /// Writes what is in hand; on an error it stays in hand.
    fn flush(&mut self) -> Result<Vec<String>, StoreError> {
        let Some((stamp, changes)) = self.in_hand.take() else {
            return Ok(Vec::new());
        };
        match self.commit(stamp, &changes) {
            Ok(done) => Ok(done.kept),
            Err(error) => {
                self.in_hand = Some((stamp, changes));
                Err(error)
            }
        }
    }

    fn answer(&mut self, shared: &Shared, job: Job) -> Result<(), StoreError> {
        match job {
            Job::Write { changes, state, reply } => {
                if state.compare_exchange(WAITING, STARTED, Ordering::AcqRel, Ordering::Acquire).is_err() {
                    return Ok(());
                }
                let stamp = self.stamp();
                let done = self.commit(stamp, &changes);
                let failed = done.as_ref().err().cloned();
                if let Some(error) = &failed {
                    say(shared, error);
                }
                let _ = reply.send(done);
                failed.map_or(Ok(()), Err)
            }
            Job::Read(query) => {
                match self.store() {
                    Ok(store) => query(Ok(store)),
                    Err(error) => query(Err(error)),
                }
                Ok(())
            }
        }
    }
}

/// Before the one who asked hears that it failed, so that whoever then asks what is wrong is told.
fn say(shared: &Shared, error: &StoreError) {
    shared.lock().failure = Some(error.clone());
}

fn refuse(job: Job, error: &StoreError) {
    match job {
        Job::Write { reply, .. } => drop(reply.send(Err(error.clone()))),
        Job::Read(query) => query(Err(error.clone())),
    }
}

pub(super) fn run(shared: &Shared, mut engine: Engine) {
    let mut pause = FIRST_PAUSE;
    let mut not_before: Option<Instant> = None;
    // Of the last push that is in hand or was.
    let mut ticket = 0;
    loop {
        let mut queue = shared.lock();
        loop {
            let now = Instant::now();
            let work = engine.in_hand.is_some() || !queue.pending.is_empty();
            let due = not_before.is_none_or(|at| at <= now);
            if queue.stop || !queue.jobs.is_empty() || (work && due) {
                break;
            }
            queue = match not_before.filter(|_| work) {
                Some(at) => {
                    shared.wake.wait_timeout(queue, at - now).unwrap_or_else(PoisonError::into_inner).0
                }
                None => shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
        let stop = queue.stop;
        let jobs = std::mem::take(&mut queue.jobs);
        if engine.in_hand.is_none() && !queue.pending.is_empty() {
            engine.in_hand = Some((engine.stamp(), queue.pending.take()));
            ticket = queue.pushed;
        }
        queue.in_hand = engine.in_hand.as_ref().map_or(0, |(_, changes)| changes.len());
        queue.busy = Some(Instant::now());
        drop(queue);

        let mut result = engine.flush();
        let in_hand = engine.in_hand.as_ref().map_or(0, |(_, changes)| changes.len());
        if let Err(error) = &result {
            say(shared, error);
        }
        for job in jobs {
            match &result {
                // A write must come after what was pushed before it, so it fails with it; a read need not.
                Err(error) if matches!(job, Job::Write { .. }) => refuse(job, error),
                _ => {
                    if let Err(error) = engine.answer(shared, job) {
                        result = Err(error);
                    }
                }
            }
        }

        let mut queue = shared.lock();
        queue.busy = None;
        queue.in_hand = in_hand;
        if in_hand == 0 && ticket > queue.written {
            queue.written = ticket;
            if let Some(told) = shared.on_written.get() {
                drop(queue);
                told(ticket);
                queue = shared.lock();
            }
        }
        match result {
            Ok(kept) => {
                queue.failure = None;
                not_before = None;
                pause = FIRST_PAUSE;
                if let Some(meter) = kept.first() {
                    queue.kept = Some(format!(
                        "the stored total of meter \"{meter}\" is higher than the one counted; the stored one is kept"
                    ));
                }
                if stop && queue.pending.is_empty() && queue.jobs.is_empty() {
                    let next = queue.next;
                    drop(queue);
                    let settled = engine.store().and_then(|store| store.settle_ids(next));
                    finish(shared, settled.err());
                    return;
                }
            }
            Err(error) => {
                queue.failure = Some(error.clone());
                not_before = Some(Instant::now() + pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
                if queue.pending.is_empty() && in_hand == 0 {
                    // Something to try with, so that a disk that works again is noticed.
                    reserve(&mut queue);
                }
                if stop {
                    drop(queue);
                    finish(shared, Some(error));
                    return;
                }
            }
        }
    }
}

/// Nobody waits for a thread that is gone.
fn finish(shared: &Shared, error: Option<StoreError>) {
    let mut queue = shared.lock();
    queue.ended = true;
    queue.failure = error;
    for job in std::mem::take(&mut queue.jobs) {
        refuse(job, &StoreError::Stopped);
    }
}
