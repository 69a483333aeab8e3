// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bounded queue between the counting thread and the engine. A full queue never blocks the
//! counting thread and is never silent: it is counted, and the pulses it could not hold are told
//! by number, because their volume is in the kernel's counters whatever happens here.

use std::sync::{
    Arc, Condvar, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use gasd_abi::records::Event;

use crate::state::Report;

use super::{feedback::Acknowledged, hurry::Slip, reload::Reload};

/// Events the queue holds. At 1 kHz of pulses the engine may sleep for four seconds.
pub const QUEUE_LENGTH: usize = 4096;

/// What a meter's register showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// [`gasd_abi::records::meter_key`] of the meter's id.
    pub key: u64,
    /// What it showed, µL.
    pub register_ul: u64,
    /// When, `CLOCK_BOOTTIME` ns.
    pub t_ns: u64,
}

/// What the engine thread works off.
pub enum Input {
    /// An event of the filter.
    Event(Event),
    /// What a meter's register showed, its place among those that may wait, and who waits until the disk has it.
    Reading(Reading, Place, Option<Slip>),
    /// The same of a meter that says once more what it may have said before a restart, as nobody answered it then.
    ReadAgain(Reading, Place, Slip),
    /// What is wrong with a meter's line, `None` when it is well again. By the line's index in the
    /// filter, which stays when the configuration changes.
    Health(u32, Option<String>),
    /// Other meters from now on.
    Reload(Box<Reload>),
    /// A new configuration was refused, and why. Nothing else changes.
    Refused(Vec<String>),
    /// A verdict was acknowledged.
    Acknowledged(Acknowledged),
    /// What sensors beside a meter measure.
    Report(Report),
    /// Whether the gas detector on a meter's alarm line gives alarm, or why nobody knows.
    Alarm(String, Result<bool, String>),
    /// A simulation begins or ends.
    Simulation(crate::simulation::Step),
    /// End after what was queued before.
    Stop,
}

/// Readings that may wait in the queue. A pulse stands behind no more of them: one can cost what a thousand pulses
/// cost, and whoever hands readings in has all the time that a disk takes anyway.
pub const MOST_READINGS: usize = 16;

/// A reading's place in the queue; it is free again when this is dropped.
pub struct Place(Arc<Places>);

#[derive(Default)]
struct Places {
    taken: Mutex<usize>,
    freed: Condvar,
}

impl Places {
    /// Waits for a place.
    fn take(places: &Arc<Places>) -> Place {
        let taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let free = places.freed.wait_while(taken, |taken| *taken >= MOST_READINGS);
        *free.unwrap_or_else(PoisonError::into_inner) += 1;
        Place(places.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

/// The sending end.
#[derive(Clone)]
pub struct Queue {
    sender: SyncSender<Input>,
    full: Arc<AtomicU64>,
    readings: Arc<Places>,
}

impl Queue {
    /// Makes a queue.
    #[must_use]
    pub fn new() -> (Self, Receiver<Input>) {
        let (sender, receiver) = sync_channel(QUEUE_LENGTH);
        (Self { sender, full: Arc::default(), readings: Arc::default() }, receiver)
    }

    /// Adds without waiting. Returns whether there was room; if not, it is counted.
    pub fn push(&self, input: Input) -> bool {
        match self.sender.try_send(input) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.full.fetch_add(1, Ordering::Relaxed);
                false
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }

    /// Adds what is no pulse, without waiting. `false` if there is no room; nothing is counted.
    pub fn offer(&self, input: Input) -> bool {
        self.sender.try_send(input).is_ok()
    }

    /// Adds and waits for room: for what must not be dropped and may wait. `false` if the engine is
    /// gone.
    pub fn push_wait(&self, input: Input) -> bool {
        self.sender.send(input).is_ok()
    }

    /// Adds a reading and waits until no more than [`MOST_READINGS`] of them wait. `false` if the engine is gone.
    pub fn push_reading(&self, reading: Reading) -> bool {
        self.hand_in(reading, None)
    }

    /// The same for one whose meter is answered, and forgets it then: its total is written at once.
    pub fn push_reading_at_once(&self, reading: Reading) -> Slip {
        let slip = Slip::default();
        self.hand_in(reading, Some(slip.clone()));
        slip
    }

    /// The same for one that may have been handed in before a restart.
    pub fn push_reading_again(&self, reading: Reading) -> Slip {
        let slip = Slip::default();
        self.push_wait(Input::ReadAgain(reading, Places::take(&self.readings), slip.clone()));
        slip
    }

    fn hand_in(&self, reading: Reading, slip: Option<Slip>) -> bool {
        // What an engine that is gone leaves in the queue is dropped with it, and its places with that.
        self.push_wait(Input::Reading(reading, Places::take(&self.readings), slip))
    }

    /// How often there was no room.
    #[must_use]
    pub fn full(&self) -> u64 {
        self.full.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_readings_leaves_the_queue_to_pulses_and_ends_with_the_engine() {
        let (queue, receiver) = Queue::new();
        let flooding = queue.clone();
        let flood = std::thread::spawn(move || {
            let reading = |t_ns| Reading { key: 7, register_ul: 0, t_ns };
            (0..1_000).take_while(|t_ns| flooding.push_reading(reading(*t_ns))).count()
        });
        // Of those that came before a pulse there are never more than may wait.
        let mut taken = 0;
        for _ in 0..50 {
            assert!(queue.push(Input::Event(Event::default())));
            let before = receiver.iter().take_while(|input| matches!(input, Input::Reading(..))).count();
            assert!(before <= MOST_READINGS + 1, "{before}");
            taken += before;
        }
        drop(receiver);
        let handed = flood.join().unwrap();
        assert!((taken..=taken + MOST_READINGS + 1).contains(&handed), "{handed} of {taken}");
        assert_eq!(queue.full(), 0);
    }

    #[test]
    fn a_full_queue_is_counted_and_does_not_block() {
        let (queue, receiver) = Queue::new();
        for _ in 0..QUEUE_LENGTH {
            assert!(queue.push(Input::Event(Event::default())));
        }
        assert!(!queue.push(Input::Event(Event::default())));
        assert!(!queue.push(Input::Event(Event::default())));
        assert_eq!(queue.full(), 2);
        drop(receiver.recv());
        assert!(queue.push(Input::Event(Event::default())));
    }
}
