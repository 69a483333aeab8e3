// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bounded queue between the counting thread and the engine. A full queue never blocks the
//! counting thread and is never silent: it is counted, and the pulses it could not hold are told
//! by number, because their volume is in the kernel's counters whatever happens here.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use gasd_abi::records::Event;

use crate::state::Report;

use super::{feedback::Acknowledged, reload::Reload};

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
    /// What a meter's register showed.
    Reading(Reading),
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

/// The sending end.
#[derive(Clone)]
pub struct Queue {
    sender: SyncSender<Input>,
    full: Arc<AtomicU64>,
}

impl Queue {
    /// Makes a queue.
    #[must_use]
    pub fn new() -> (Self, Receiver<Input>) {
        let (sender, receiver) = sync_channel(QUEUE_LENGTH);
        (Self { sender, full: Arc::default() }, receiver)
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
