// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one thread that writes, so that the way from a pulse to the valve never waits for an fsync.
//!
//! [`WriterHandle::push`] takes a lock for the time of a queue operation and never waits for the
//! disk. [`WriterHandle::write_now`] waits for the disk and says how it ended; what it could not write
//! is not written later behind the caller's back. When the disk fails, what was pushed stays in memory
//! (see [`crate::store::pending`]) and is tried again with a growing pause, through a file opened anew:
//! after a failed fsync the old one cannot be trusted.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::PathBuf;
use std::sync::atomic::AtomicU8;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::state::VerdictRecord;
use crate::store::commit::Committed;
use crate::store::db::Store;
use crate::store::error::StoreError;
use crate::store::pending::Pending;
use crate::store::records::{AuditEntry, AuditPage, Change, NextIds};
use crate::store::totals::Base;
use crate::store::worker::{Engine, run};
use crate::store::writing::{PATIENCE, Writing, wait};

/// Numbers that are set aside on disk before they are handed out, so that none is used twice even
/// after a crash. A crash therefore skips up to this many; an orderly stop skips none.
const RESERVE: u64 = 32;

pub(super) type Query = Box<dyn FnOnce(Result<&Store, StoreError>) + Send>;
/// Told the number of the last push that is on the disk, on the writing thread: it must be quick and must
/// not wait for a write.
pub type OnWritten = Box<dyn Fn(u64) + Send + Sync>;
/// Opens the store again after an error.
pub type Opener = Box<dyn FnMut() -> Result<Store, StoreError> + Send>;

pub(super) enum Job {
    Write { changes: Vec<Change>, state: Arc<AtomicU8>, reply: SyncSender<Result<Committed, StoreError>> },
    Read(Query),
}

pub(super) struct Queue {
    pub(super) pending: Pending,
    pub(super) jobs: Vec<Job>,
    pub(super) next: NextIds,
    pub(super) reserved: NextIds,
    /// Rows that the thread has taken and not yet written.
    pub(super) in_hand: usize,
    /// Number of the last push.
    pub(super) pushed: u64,
    /// Number of the last push that is on the disk with all before it.
    pub(super) written: u64,
    /// Since when the thread has been at the disk.
    pub(super) busy: Option<Instant>,
    pub(super) failure: Option<StoreError>,
    pub(super) kept: Option<String>,
    pub(super) stop: bool,
    pub(super) ended: bool,
}

pub(super) struct Shared {
    pub(super) queue: Mutex<Queue>,
    pub(super) wake: Condvar,
    pub(super) path: PathBuf,
    pub(super) on_written: OnceLock<OnWritten>,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Owns the thread; stops it when dropped.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How everybody else reaches the store.
#[derive(Clone)]
pub struct WriterHandle(Arc<Shared>);

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`StoreError`] when the next numbers cannot be read or the thread cannot be made.
    pub fn start(store: Store) -> Result<Writer, StoreError> {
        let path = store.path().to_path_buf();
        Writer::start_with(store, Box::new(move || Store::reopen(&path)))
    }

    /// As [`Writer::start`], with another way to open the store again after an error.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn start_with(store: Store, reopen: Opener) -> Result<Writer, StoreError> {
        let next = store.next_ids()?;
        let path = store.path().to_path_buf();
        Writer::spawn(Some(store), path, next, reopen)
    }

    /// Starts the thread without a store, which is looked for again and again: it is opened once it can
    /// be, and made if there is none. Until then everything waits in memory and
    /// [`WriterHandle::write_now`] fails. `next` are the numbers to go on from.
    ///
    /// # Errors
    /// [`StoreError`] when the thread cannot be made.
    pub fn without(path: PathBuf, next: NextIds) -> Result<Writer, StoreError> {
        let again = path.clone();
        let open = move || if again.exists() { Store::reopen(&again) } else { Store::open(&again) };
        Writer::spawn(None, path, next, Box::new(open))
    }

    fn spawn(
        store: Option<Store>,
        path: PathBuf,
        next: NextIds,
        reopen: Opener,
    ) -> Result<Writer, StoreError> {
        let mut queue = Queue {
            pending: Pending::default(),
            jobs: Vec::new(),
            next,
            reserved: next,
            in_hand: 0,
            pushed: 0,
            written: 0,
            busy: None,
            failure: None,
            kept: None,
            stop: false,
            ended: false,
        };
        reserve(&mut queue);
        let shared = Arc::new(Shared {
            queue: Mutex::new(queue),
            wake: Condvar::new(),
            path,
            on_written: OnceLock::new(),
        });
        let engine = Engine {
            reopen,
            store,
            session: RandomState::new().build_hasher().finish(),
            seq: 0,
            in_hand: None,
        };
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("gasd-store".into())
            .spawn(move || run(&for_thread, engine))
            .map_err(|error| StoreError::from_io(&shared.path, &error))?;
        Ok(Writer { shared, thread: Some(thread) })
    }

    /// A handle.
    #[must_use]
    pub fn handle(&self) -> WriterHandle {
        WriterHandle(Arc::clone(&self.shared))
    }

    /// Writes what waits, once more, and ends the thread.
    ///
    /// # Errors
    /// Why the last try failed, when records were lost with it.
    pub fn stop(mut self) -> Result<(), StoreError> {
        self.end();
        match self.shared.lock().failure.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn end(&mut self) {
        self.shared.lock().stop = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

impl WriterHandle {
    /// Leaves changes to be written soon, in one transaction; never waits for the disk.
    pub fn push(&self, changes: Vec<Change>) {
        self.push_ticket(changes);
    }

    /// As [`WriterHandle::push`]; returns the number that [`WriterHandle::written`] reaches once they
    /// are on the disk.
    pub fn push_ticket(&self, changes: Vec<Change>) -> u64 {
        let mut queue = self.0.lock();
        queue.pending.push(changes);
        queue.pushed += 1;
        self.0.wake.notify_all();
        queue.pushed
    }

    /// Leaves bases to be written soon, all in one commit. See [`Store::persist_bases`]. Returns the
    /// number that [`WriterHandle::written`] reaches once they are on the disk.
    pub fn persist_bases(&self, bases: impl IntoIterator<Item = (String, Base)>) -> u64 {
        self.push_ticket(bases.into_iter().map(|(meter, base)| Change::Base { meter, base }).collect())
    }

    /// Number of the last push that is on the disk with all that came before it.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.0.lock().written
    }

    /// Number of the last push.
    #[must_use]
    pub fn pushed(&self) -> u64 {
        self.0.lock().pushed
    }

    /// Has `told` called after every push that reached the disk. The first one who asks is told.
    pub fn on_written(&self, told: OnWritten) {
        let _ = self.0.on_written.set(told);
    }

    /// Writes changes in one transaction, after all that was pushed before, and waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`]: then the changes are not written, now or later. The one exception is
    /// [`StoreError::Slow`] and an fsync that failed: they may be in the file all the same, so a
    /// caller for whom that matters pushes the opposite.
    pub fn write_now(&self, changes: Vec<Change>) -> Result<Committed, StoreError> {
        self.begin_write(changes)?.wait()
    }

    /// Begins [`WriterHandle::write_now`], and does not wait: what is begun or asked for later comes after it.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub fn begin_write(&self, changes: Vec<Change>) -> Result<Writing, StoreError> {
        let (writing, state, reply) = Writing::begin(&self.0.path);
        self.job(Job::Write { changes, state, reply })?;
        Ok(writing)
    }

    /// The last `n` audit entries with their numbers, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn audit_tail(&self, n: usize) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let (reply, answer) = sync_channel(1);
        self.job(Job::Read(Box::new(move |store| {
            let _ = reply.send(store.and_then(|store| store.audit_tail(n)));
        })))?;
        wait(&answer, &self.0.path)
    }

    /// Has a page of the audit record read, and returns at once; `done` gets it on the store's
    /// thread and is dropped when that has ended. What was pushed before is in it, if the disk works.
    pub fn audit_page(
        &self,
        page: AuditPage,
        done: impl FnOnce(Result<Vec<(u64, AuditEntry)>, StoreError>) + Send + 'static,
    ) {
        // A thread that has ended drops it, and whoever waits sees that.
        let _ =
            self.job(Job::Read(Box::new(move |store| done(store.and_then(|store| store.audit_page(page))))));
    }

    /// Has a verdict read, acknowledged or not, as [`WriterHandle::audit_page`] does with a page.
    pub fn verdict(
        &self,
        id: u64,
        done: impl FnOnce(Result<Option<VerdictRecord>, StoreError>) + Send + 'static,
    ) {
        // A thread that has ended drops it, and whoever waits sees that.
        let _ = self.job(Job::Read(Box::new(move |store| done(store.and_then(|store| store.verdict(id))))));
    }

    /// A number for a verdict, never handed out before.
    #[must_use]
    pub fn next_verdict_id(&self) -> u64 {
        self.next_id(|ids| &mut ids.verdict)
    }

    /// A cookie for a hold, never handed out before.
    #[must_use]
    pub fn next_cookie(&self) -> u64 {
        self.next_id(|ids| &mut ids.cookie)
    }

    /// Why nothing can be written now, in one sentence; `None` when it can.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        let queue = self.0.lock();
        let waiting = queue.pending.len() + queue.in_hand;
        let dropped = queue.pending.dropped();
        if let Some(failure) = &queue.failure {
            return Some(format!("{failure} ({waiting} records wait in memory, {dropped} were dropped)"));
        }
        if let Some(since) = queue.busy.filter(|since| since.elapsed() > PATIENCE) {
            return Some(format!(
                "the disk of the store {} has not answered for {} s ({waiting} records wait in memory, {dropped} were dropped)",
                self.0.path.display(),
                since.elapsed().as_secs()
            ));
        }
        None
    }

    /// What the disk said that was not believed, in one sentence, if anything.
    #[must_use]
    pub fn kept(&self) -> Option<String> {
        self.0.lock().kept.clone()
    }

    /// What is wrong with the disk or what it said, in one sentence; `None` when nothing is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.failing().or_else(|| self.kept())
    }

    /// Why the last try to write failed; `None` when it did not.
    #[must_use]
    pub fn fault(&self) -> Option<StoreError> {
        self.0.lock().failure.clone()
    }

    /// Records that wait for the disk.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let queue = self.0.lock();
        queue.pending.len() + queue.in_hand
    }

    /// Records that were dropped because too many waited.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.lock().pending.dropped()
    }

    fn next_id(&self, which: impl Fn(&mut NextIds) -> &mut u64) -> u64 {
        let mut queue = self.0.lock();
        let id = *which(&mut queue.next);
        *which(&mut queue.next) = id.saturating_add(1);
        if id.saturating_add(RESERVE / 2) >= *which(&mut queue.reserved) {
            reserve(&mut queue);
            self.0.wake.notify_all();
        }
        id
    }

    fn job(&self, job: Job) -> Result<(), StoreError> {
        let mut queue = self.0.lock();
        if queue.stop || queue.ended {
            return Err(StoreError::Stopped);
        }
        queue.jobs.push(job);
        self.0.wake.notify_all();
        Ok(())
    }
}

/// Sets the next numbers aside.
pub(super) fn reserve(queue: &mut Queue) {
    queue.reserved = NextIds {
        verdict: queue.next.verdict.saturating_add(RESERVE),
        cookie: queue.next.cookie.saturating_add(RESERVE),
    };
    queue.pending.push([Change::Ids(queue.reserved)]);
}
