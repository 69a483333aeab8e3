// SPDX-License-Identifier: MIT OR Apache-2.0
//! The thread that reads the alarm lines: a chip behind a slow bus keeps nobody waiting but it.

use std::sync::{
    Arc, Mutex, PoisonError,
    mpsc::{Receiver, RecvTimeoutError, Sender, channel},
};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::exit::Fatal;
use crate::pipeline::queue::{Input, Queue};
use crate::ports::alarm::{Alarms, PORT, Wanted};
use crate::ports::meters::Readers;

use super::run::spawn;

/// How often the lines are read.
const LOOK: Duration = Duration::from_secs(1);

/// The thread. It ends when this is dropped, and the lines go with it.
pub struct Reading {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Reading {
    /// Reads what is wanted, and tells the engine; and the ports how their supply is.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(wanted: Arc<Mutex<Wanted>>, queue: Queue, readers: Arc<Readers>) -> Result<Self, Fatal> {
        let (stop, stopped) = channel();
        let thread = spawn("gasd-alarms", move || read(&wanted, &queue, &readers, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(wanted: &Mutex<Wanted>, queue: &Queue, readers: &Readers, stopped: &Receiver<()>) {
    let mut alarms = Alarms::new();
    loop {
        let follow = wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        alarms.follow(&follow);
        for (meter, now) in alarms.look() {
            if let Some(port) = meter.strip_prefix(PORT) {
                readers.set_supply(port, now);
                continue;
            }
            if !queue.push_wait(Input::Alarm(meter, now)) {
                return;
            }
        }
        if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}
