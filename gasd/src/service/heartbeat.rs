// SPDX-License-Identifier: MIT OR Apache-2.0
//! The main thread while the service runs: signals in, watchdog and status line out.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use signal_hook::{consts::SIGHUP, iterator::Signals};

use crate::{
    bus,
    journal::{self, Note, what::What},
    pipeline::{counting::Pulse, engine::Beat},
    state::Shared,
};

use super::{notify, reload::Reloader, run::spawn};

/// How often the service manager hears of us.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// After so long without progress it is worth saying; the watchdog bites later.
const STALLED: Duration = Duration::from_secs(10);

/// What the main thread looks at.
pub struct Heart<'a> {
    /// What is shown.
    pub shared: &'a Shared,
    /// The counting thread: a round is made when the ring is worked off.
    pub counting: &'a Pulse,
    /// The engine thread.
    pub engine: &'a Beat,
    /// The bus, if any.
    pub bus: Option<&'a bus::Bus>,
    /// What SIGHUP asks for.
    pub reloader: &'a Arc<Reloader>,
}

impl Heart<'_> {
    /// Waits for SIGTERM or SIGINT, or until `ended`; reloads at SIGHUP. Meanwhile the service manager
    /// is told that we live, but only while edges really become verdicts: when the ring is worked off
    /// and the engine works off the queue. A daemon that hangs is restarted by its watchdog.
    pub fn beat(&self, mut signals: Signals, ended: &dyn Fn() -> bool) {
        let mut progress = Progress::default();
        let (mut told, mut fed, mut stalled) = (Instant::now(), Instant::now(), false);
        let mut asked = false;
        let mut reloading: Option<thread::JoinHandle<()>> = None;
        loop {
            for signal in signals.pending() {
                if signal != SIGHUP {
                    return;
                }
                asked = true;
            }
            if ended() {
                return;
            }
            // One after another; several signals while one is under way are one more.
            if asked && reloading.as_ref().is_none_or(thread::JoinHandle::is_finished) {
                asked = false;
                let reloader = self.reloader.clone();
                // What it found is in the journal and among the problems.
                match spawn("gasd-reload", move || drop(reloader.reload("SIGHUP"))) {
                    Ok(thread) => reloading = Some(thread),
                    Err(error) => journal::tell(Note::new(What::ConfigurationRefused, error.message)),
                }
            }
            if told.elapsed() >= HEARTBEAT {
                told = Instant::now();
                let rounds = self.counting.rounds.load(Ordering::Relaxed);
                if progress.is_made(rounds, self.engine.beats()) {
                    notify::watchdog();
                    (fed, stalled) = (Instant::now(), false);
                } else if fed.elapsed() >= STALLED && !stalled {
                    stalled = true;
                    let text = format!(
                        "the counting or the engine thread has stood still for {} s; the watchdog is not fed",
                        fed.elapsed().as_secs()
                    );
                    journal::tell(Note::new(What::Stalled, text));
                }
                let snapshot = self.shared.read().unwrap_or_else(std::sync::PoisonError::into_inner);
                let bus = self.bus.map_or_else(|| "no bus".to_owned(), |b| b.status().to_string());
                notify::status(&snapshot, &bus);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether both threads have moved since the watchdog was fed last.
#[derive(Debug, Default)]
struct Progress {
    rounds: u64,
    beats: u64,
}

impl Progress {
    fn is_made(&mut self, rounds: u64, beats: u64) -> bool {
        // One that is slower than the heart needs several beats, and both must have moved by then.
        let made = rounds != self.rounds && beats != self.beats;
        if made {
            (self.rounds, self.beats) = (rounds, beats);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_wants_both_threads_to_move() {
        let mut progress = Progress::default();
        assert!(progress.is_made(1, 1));
        assert!(!progress.is_made(2, 1), "the engine stands still");
        assert!(!progress.is_made(2, 1));
        assert!(progress.is_made(2, 2), "both moved since it was fed last");
        assert!(!progress.is_made(2, 3), "the counting thread stands still");
    }
}
