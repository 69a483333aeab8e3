// SPDX-License-Identifier: MIT OR Apache-2.0
//! The event stream: what happens, record by record, over a socket for each subscriber.
//!
//! The engine and the response hand records in with [`Stream::tell`], which puts them into a bounded
//! queue and never waits. A thread of its own, `gasd-stream`, sends them with calls that do not block. What
//! a reader has no room for is dropped and counted, and told with a GAP once there is room again, so
//! neither a slow reader nor a hundred of them reach the way from a pulse to the valve.
//!
//! | file | idea |
//! |---|---|
//! | [`wish`] | what a subscriber chose, pure |
//! | [`reader`] | one subscriber: its socket, what it has missed |
//! | [`house`] | meters and valves as the stream numbers them, and their present state |
//! | `room` | all subscribers, their limits, and the thread |

pub mod house;
pub mod reader;
mod room;
pub mod wish;

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;

use gasd_abi::stream::{ACKNOWLEDGED, Message, Record, SEVERITIES, VERDICT_KINDS, code};

use crate::response::Update;
use crate::response::clock::boottime_ns;
use crate::state::{Shared, VerdictRecord, look};

pub use house::{House, Named};
pub use wish::{BadWish, Wish};

use house::valve_record;
use room::Room;

/// Subscribers in all.
pub const MOST: usize = 64;
/// Subscribers of one user other than root.
pub const MOST_OF_USER: usize = 16;
/// Records that wait for the thread: at 3 kHz two thirds of a second.
const QUEUE: usize = 2048;

/// Kind of the queue's own records; none that is sent.
const RENUMBER: u32 = u32::MAX;

/// Why there is no subscription.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// What was chosen does not exist.
    #[error(transparent)]
    Wish(#[from] BadWish),
    /// No room for more.
    #[error(
        "{MOST} subscriptions are open, and that is the limit; close one, by closing its file descriptor"
    )]
    TooMany,
    /// This user has enough.
    #[error(
        "user {uid} has {MOST_OF_USER} subscriptions open, and that is the limit for one user; close one, by closing its file descriptor"
    )]
    TooManyOfUser {
        /// The user.
        uid: u32,
    },
    /// The system gave no socket.
    #[error("no socket could be made: {0}")]
    Socket(String),
}

/// The stream. Cheap to clone; all methods may be called from any thread. The thread ends when the
/// last one is dropped, and with it every subscription.
#[derive(Clone)]
pub struct Stream {
    queue: SyncSender<Record>,
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    shared: Shared,
    /// The numbering of those who hand records in; the room has that of the readers, which follows it
    /// when the thread has come so far.
    house: RwLock<House>,
    room: Mutex<Room>,
    /// Numberings that the thread has not come to yet.
    pending: Mutex<VecDeque<House>>,
    /// Markers of numberings that found the queue full.
    late: AtomicUsize,
    /// Subscribers, so that nothing is done for nobody.
    readers: AtomicUsize,
    /// Records that found the queue full and were not told of yet.
    overflow: AtomicU64,
    /// Records that were dropped for readers that were too slow, in all.
    dropped: AtomicU64,
}

impl Stream {
    /// Starts the thread. `shared` is where the present state is read.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub fn start(shared: Shared, house: House) -> std::io::Result<Stream> {
        let (queue, records) = sync_channel(QUEUE);
        let inner = Arc::new(Inner {
            shared,
            room: Mutex::new(Room::new(house.clone())),
            house: RwLock::new(house),
            pending: Mutex::default(),
            late: AtomicUsize::new(0),
            readers: AtomicUsize::new(0),
            overflow: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        });
        let for_thread = Arc::clone(&inner);
        thread::Builder::new()
            .name("gasd-stream".into())
            .stack_size(256 * 1024)
            .spawn(move || room::run(&for_thread, &records))?;
        Ok(Stream { queue, inner })
    }

    /// Whether anybody reads. Worth asking before a record is made.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.inner.readers.load(Ordering::Relaxed) > 0
    }

    /// Hands a record in. Never waits; with nobody there it does nothing.
    pub fn tell(&self, record: Record) {
        if !self.is_wanted() {
            return;
        }
        if let Err(TrySendError::Full(_)) = self.queue.try_send(record) {
            self.inner.overflow.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands in what the response tells. To be called before the snapshot takes the update over: what is
    /// there already is not told again.
    pub fn tell_update(&self, update: &Update<'_>) {
        if !self.is_wanted() {
            return;
        }
        let now_ns = boottime_ns();
        match update {
            Update::Valve(at, state) => {
                let known = look(&self.inner.shared).valves.get(*at) == Some(*state);
                if !known {
                    let key = self.inner.house().valves.get(*at).map_or(0, |valve| valve.key);
                    self.tell(valve_record(*at, key, state, now_ns));
                }
            }
            Update::VerdictAdded(verdict) => self.tell(self.verdict(verdict, verdict.decided_ns, 0)),
            Update::VerdictRemoved(id) => {
                let snapshot = look(&self.inner.shared);
                let verdict = snapshot.verdicts.iter().find(|verdict| verdict.id == *id).cloned();
                drop(snapshot);
                if let Some(verdict) = verdict {
                    self.tell(self.verdict(&verdict, now_ns, ACKNOWLEDGED));
                }
            }
            Update::Driven { .. } | Update::Line(..) => {}
        }
    }

    /// Makes a subscription for a user and returns the reader's end. Its first records are HELLO, a METER for
    /// each meter that was chosen, and the present state.
    ///
    /// # Errors
    /// [`SubscribeError`].
    pub fn subscribe(&self, uid: u32, wish: &Wish) -> Result<OwnedFd, SubscribeError> {
        self.inner.subscribe(uid, wish)
    }

    /// Other meters or valves from now on: every subscriber gets a new HELLO and what follows it, after
    /// the records that were handed in before and before those that are handed in later.
    pub fn renumber(&self, house: House) {
        self.inner.pending.lock().unwrap_or_else(PoisonError::into_inner).push_back(house.clone());
        *self.inner.house.write().unwrap_or_else(PoisonError::into_inner) = house;
        let marker = Record { kind: RENUMBER, ..Record::default() };
        if self.queue.try_send(marker).is_err() {
            self.inner.late.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Subscriptions that are open, as far as is known: one whose reader hung up is noticed within 5 s.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.inner.readers.load(Ordering::Relaxed)
    }

    /// Records that were dropped because their reader was too slow, in all.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inner.dropped.load(Ordering::Relaxed)
    }

    fn verdict(&self, verdict: &VerdictRecord, t_ns: u64, flags: u64) -> Record {
        let house = self.inner.house();
        let at = house.meters.iter().position(|meter| meter.id == verdict.meter);
        // A meter that is not configured any more is still told by its key.
        let key = gasd_abi::records::meter_key(&verdict.meter);
        let index = at.map_or(u32::MAX, |at| at as u32);
        let message = Message::Verdict {
            id: verdict.id,
            kind: code(&VERDICT_KINDS, &verdict.kind),
            severity: code(&SEVERITIES, &verdict.severity),
            start_ns: verdict.t_ns,
            flags,
        };
        Record::new(index, key, t_ns, message)
    }
}
