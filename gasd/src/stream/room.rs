// SPDX-License-Identifier: MIT OR Apache-2.0
//! All subscribers and their limits, and the thread that serves them.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{MutexGuard, PoisonError, RwLockReadGuard};
use std::time::Duration;

use gasd_abi::stream::Record;

use super::house::House;
use super::reader::{Gone, Reader};
use super::wish::{Choice, Wish};
use super::{Inner, MOST, MOST_OF_USER, RENUMBER, SubscribeError};
use crate::response::clock::boottime_ns;
use crate::state::look;

/// How often readers that are behind are looked at.
const CATCH_UP: Duration = Duration::from_millis(20);
/// How often readers that may have hung up are looked for.
const LOOK: Duration = Duration::from_secs(5);
/// Records taken before readers that are behind are looked at again.
const BATCH: usize = 256;

/// The subscribers.
#[derive(Debug)]
pub(super) struct Room {
    readers: Vec<Reader>,
    /// The numbering that they were told.
    house: House,
}

impl Room {
    pub(super) fn new(house: House) -> Room {
        Room { readers: Vec::new(), house }
    }

    fn each(&mut self, mut act: impl FnMut(&mut Reader) -> Result<(), Gone>) {
        self.readers.retain_mut(|reader| act(reader).is_ok());
    }

    fn forget_those_that_hung_up(&mut self) {
        self.each(|reader| if reader.has_hung_up() { Err(Gone) } else { Ok(()) });
    }

    fn is_behind(&self) -> bool {
        self.readers.iter().any(Reader::is_behind)
    }
}

impl Inner {
    pub(super) fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn house(&self) -> RwLockReadGuard<'_, House> {
        self.house.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self, house: &House, now_ns: u64) -> Vec<Record> {
        house.state(&look(&self.shared), now_ns)
    }

    pub(super) fn subscribe(&self, uid: u32, wish: &Wish) -> Result<OwnedFd, SubscribeError> {
        let now_ns = boottime_ns();
        let mut room = self.room();
        let choice = Choice::new(wish, &room.house)?;
        room.forget_those_that_hung_up();
        if room.readers.len() >= MOST {
            return Err(SubscribeError::TooMany);
        }
        // Root's services share one user; they are bounded by the limit for all.
        if uid != 0 && room.readers.iter().filter(|reader| reader.uid() == uid).count() >= MOST_OF_USER {
            return Err(SubscribeError::TooManyOfUser { uid });
        }
        let (mut reader, theirs) =
            Reader::new(uid, choice).map_err(|error| SubscribeError::Socket(error.to_string()))?;
        // Nobody can have hung up: the other end is here.
        let _ = reader.greet(&room.house, &self.state(&room.house, now_ns), now_ns);
        room.readers.push(reader);
        self.readers.store(room.readers.len(), Ordering::Relaxed);
        Ok(theirs)
    }

    /// Readers that are behind are told what they missed.
    fn catch_up(&self, room: &mut Room) {
        if !room.is_behind() {
            return;
        }
        let now_ns = boottime_ns();
        let state = self.state(&room.house, now_ns);
        let house = room.house.clone();
        room.each(|reader| reader.catch_up(&house, &state, now_ns));
    }

    /// The next numbering is the readers' from here on.
    fn renumber(&self, room: &mut Room) {
        let next = self.pending.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(house) = next {
            room.house = house;
            room.readers.iter_mut().for_each(Reader::renumber);
            self.catch_up(room);
        }
    }

    /// Records found the queue full: everybody may miss one.
    fn overflow(&self, room: &mut Room) {
        let n = self.overflow.swap(0, Ordering::Relaxed);
        if n > 0 {
            let now_ns = boottime_ns();
            room.readers.iter_mut().for_each(|reader| reader.lose(n, now_ns));
        }
    }
}

/// The thread: ends when nobody can hand records in any more.
pub(super) fn run(inner: &Inner, records: &Receiver<Record>) {
    loop {
        let wait = if inner.room().is_behind() { CATCH_UP } else { LOOK };
        let first = match records.recv_timeout(wait) {
            Ok(record) => Some(record),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let idle = first.is_none();
        let mut room = inner.room();
        inner.catch_up(&mut room);
        let now_ns = boottime_ns();
        for record in first.into_iter().chain(records.try_iter().take(BATCH)) {
            if record.kind == RENUMBER {
                inner.renumber(&mut room);
            } else {
                room.each(|reader| reader.offer(&record, now_ns));
            }
        }
        for _ in 0..inner.late.swap(0, Ordering::Relaxed) {
            inner.renumber(&mut room);
        }
        inner.overflow(&mut room);
        if idle {
            room.forget_those_that_hung_up();
        }
        inner.readers.store(room.readers.len(), Ordering::Relaxed);
        let dropped = room.readers.iter_mut().map(Reader::take_dropped).sum::<u64>();
        inner.dropped.fetch_add(dropped, Ordering::Relaxed);
    }
}
