// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readings that are on the disk: only those are gasd's, whatever becomes of it or of the power.
//!
//! The engine takes a reading in at once; its total is written with the others, every `store.persist`. What was
//! written is told here, to whoever answers those who handed readings in.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Wakes whoever waits for readings to be on the disk; it must be quick.
type Wake = Box<dyn Fn() + Send + Sync>;

/// Time of the last reading of each meter that is on the disk, by the meter's key.
#[derive(Clone, Default)]
pub struct Written(Arc<Inner>);

#[derive(Default)]
struct Inner {
    times: Mutex<HashMap<u64, u64>>,
    wake: Mutex<Option<Wake>>,
}

impl Written {
    /// Who is to be woken when there is more.
    pub fn wakes(&self, wake: impl Fn() + Send + Sync + 'static) {
        *self.0.wake.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(wake));
    }

    /// Time of a meter's last reading on the disk, `CLOCK_BOOTTIME` ns; 0 for none.
    #[must_use]
    pub fn until_ns(&self, key: u64) -> u64 {
        let times = self.0.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.get(&key).copied().unwrap_or(0)
    }

    /// These are on the disk.
    pub fn tell(&self, read: &[(u64, u64)]) {
        if read.is_empty() {
            return;
        }
        self.0.times.lock().unwrap_or_else(PoisonError::into_inner).extend(read.iter().copied());
        if let Some(wake) = &*self.0.wake.lock().unwrap_or_else(PoisonError::into_inner) {
            wake();
        }
    }
}

/// What the engine has given to the writer and what is not on the disk yet.
#[derive(Default)]
pub struct Underway {
    written: Written,
    /// Pushes, and for each meter that is read the time of its last reading in it.
    pushes: VecDeque<(u64, Vec<(u64, u64)>)>,
}

impl Underway {
    /// Told to these.
    #[must_use]
    pub fn new(written: Written) -> Underway {
        Underway { written, pushes: VecDeque::new() }
    }

    /// The totals of now were given to the writer as this push.
    pub fn pushed(&mut self, ticket: u64, read: Vec<(u64, u64)>) {
        if read.is_empty() {
            return;
        }
        // While the disk fails only the first and the last matter: what a later one has, it has all of.
        self.pushes.truncate(1);
        self.pushes.push_back((ticket, read));
    }

    /// All pushes up to this one are on the disk.
    pub fn proved(&mut self, ticket: u64) {
        while self.pushes.front().is_some_and(|(pushed, _)| *pushed <= ticket) {
            if let Some((_, read)) = self.pushes.pop_front() {
                self.written.tell(&read);
            }
        }
    }

    /// Whether something is not on the disk yet.
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.pushes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_reading_is_told_once_its_push_is_on_the_disk_and_not_before() {
        let written = Written::default();
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        written.wakes(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let mut underway = Underway::new(written.clone());
        underway.pushed(3, vec![(7, 100)]);
        underway.pushed(5, vec![(7, 200), (8, 150)]);
        underway.proved(2);
        assert_eq!((written.until_ns(7), woken.load(Ordering::Relaxed)), (0, 0));
        underway.proved(4);
        assert_eq!((written.until_ns(7), written.until_ns(8)), (100, 0));
        underway.proved(5);
        assert_eq!((written.until_ns(7), written.until_ns(8), underway.is_any()), (200, 150, false));
        assert_eq!(woken.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_disk_that_fails_for_years_keeps_two_pushes() {
        let mut underway = Underway::new(Written::default());
        (1..10_000).for_each(|n| underway.pushed(n, vec![(7, n)]));
        assert_eq!(underway.pushes.len(), 2);
        underway.proved(9_999);
        assert_eq!(underway.written.until_ns(7), 9_999);
    }
}
