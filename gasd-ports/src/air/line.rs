// SPDX-License-Identifier: MIT OR Apache-2.0
//! The thread of one line with a receiver on it, that speaks by itself.

use std::io;

use rustix::event::PollFlags;

use super::thread::{Hand, Running, Work};
use super::{Air, Output, Teller, Told};
use crate::pause::boottime_ns;
use crate::wire::{Wire, WireSpec};

/// A line at work; its thread ends when this is dropped.
pub struct LinePort(Running);

impl LinePort {
    /// Starts the thread `port-<id>`, which opens `wire` for `core` and tells what happens. Where it cannot be opened it
    /// says why ([`Told::Health`]) and tries again.
    ///
    /// # Errors
    ///
    /// No thread or no descriptor can be had.
    pub fn start(id: &str, wire: WireSpec, core: Box<dyn Air>, told: Teller) -> io::Result<Self> {
        Running::start(id, core, told, move |work| run(work, &wire)).map(Self)
    }

    /// A hand on it.
    #[must_use]
    pub fn hand(&self) -> Hand {
        self.0.hand()
    }

    /// Other meters from now on; see [`Hand::set_core`].
    pub fn set_core(&self, core: Box<dyn Air>) {
        self.hand().set_core(core);
    }
}

fn run(mut work: Work, spec: &WireSpec) {
    while !work.is_stopped() {
        match spec.open() {
            Ok(wire) => {
                work.health(None);
                if let Err(error) = serve(&mut work, wire) {
                    work.health(Some(format!("{spec}: {error}; it is opened again as soon as it can be")));
                }
                work.core.lost();
            }
            Err(error) => work.health(Some(error.to_string())),
        }
        if work.is_stopped() {
            return;
        }
        work.rest();
    }
}

/// Works on a wire until it is lost, or this is to stop.
fn serve(work: &mut Work, mut wire: Box<dyn Wire>) -> io::Result<()> {
    let mut bytes = [0u8; 512];
    let mut unsent = work.core.greeting().to_vec();
    while !work.is_stopped() {
        let mut now_ns = boottime_ns();
        work.look(now_ns);
        if work.core.due_ns().is_some_and(|due_ns| due_ns <= now_ns) {
            let outputs = work.core.tick(now_ns);
            hand_out(work, outputs);
        }
        if !unsent.is_empty() {
            let sent = wire.write(&unsent)?;
            unsent.drain(..sent.min(unsent.len()));
        }
        let flags = if unsent.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        work.wait(Some(wire.fd()), flags, now_ns);
        let count = wire.read(&mut bytes)?;
        if count > 0 {
            work.works();
            now_ns = boottime_ns();
            let outputs = work.core.heard(now_ns, None, bytes.get(..count).unwrap_or_default());
            hand_out(work, outputs);
        }
    }
    Ok(())
}

/// A line has nobody to send to.
fn hand_out(work: &mut Work, outputs: Vec<Output>) {
    for output in outputs {
        if let Output::Event(event) = output {
            let _ = (work.told)(Told::Event(event));
        }
    }
}
