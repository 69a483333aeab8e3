// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the threads of a socket and of a line have in common: how they are woken and stopped, how they tell.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::event::PollFlags;

use crate::Kept;
use crate::pause::{AGAIN, TELL_NS, Wake, boottime_ns};

use super::{Air, Counts, Stranger, Teller, Told, inherit};

struct Shared {
    core: Mutex<Option<Box<dyn Air>>>,
    strangers: Mutex<Vec<Stranger>>,
    stop: AtomicBool,
    wake: Wake,
}

/// A hand on the thread of a port that listens.
#[derive(Clone)]
pub struct Hand(Arc<Shared>);

impl Hand {
    /// Other meters, or another way to listen to them, from now on. What is known of meters that stay is kept.
    pub fn set_core(&self, core: Box<dyn Air>) {
        *self.0.core.lock().unwrap_or_else(PoisonError::into_inner) = Some(core);
        self.0.wake.wake();
    }

    /// Who else was heard, the latest first, as of a second ago.
    #[must_use]
    pub fn strangers(&self) -> Vec<Stranger> {
        self.0.strangers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A thread that ends when this is dropped.
pub(super) struct Running {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts the thread `port-<id>`.
    pub fn start(
        id: &str,
        core: Box<dyn Air>,
        told: Teller,
        run: impl FnOnce(Work) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            core: Mutex::default(),
            strangers: Mutex::default(),
            stop: AtomicBool::new(false),
            wake: Wake::new()?,
        });
        // The kernel shows 15 bytes.
        let name = format!("port-{id}").chars().take(15).collect();
        let theirs = shared.clone();
        let thread = std::thread::Builder::new().name(name).stack_size(512 * 1024).spawn(move || {
            run(Work {
                shared: theirs,
                core,
                told,
                resting: BTreeMap::new(),
                seen: Counts::default(),
                told_ns: 0,
                tries: 0,
                well: None,
            });
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn hand(&self) -> Hand {
        Hand(self.shared.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.wake.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread works with.
pub(super) struct Work {
    shared: Arc<Shared>,
    pub core: Box<dyn Air>,
    pub told: Teller,
    /// What is known of meters that were here and may come back.
    resting: BTreeMap<u64, Kept>,
    seen: Counts,
    told_ns: u64,
    /// How often something was tried in vain.
    tries: usize,
    /// What was told of the port's health last; `None` before the first time.
    well: Option<Option<String>>,
}

impl Work {
    pub fn is_stopped(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }

    /// Tells how the port is, where that is news.
    pub fn health(&mut self, trouble: Option<String>) {
        if self.well.as_ref() != Some(&trouble) {
            self.well = Some(trouble.clone());
            let _ = (self.told)(Told::Health(trouble));
        }
    }

    /// It works: the next time that it is lost it is tried again soon.
    pub const fn works(&mut self) {
        self.tries = 0;
    }

    /// Takes another core, where there is one, and tells what was seen, now and then.
    pub fn look(&mut self, now_ns: u64) {
        let core = self.shared.core.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut core) = core {
            inherit(core.as_mut(), self.core.as_ref(), &mut self.resting, now_ns);
            self.core = core;
        }
        if now_ns.saturating_sub(self.told_ns) < TELL_NS {
            return;
        }
        self.told_ns = now_ns;
        let seen = self.core.counts();
        if seen != self.seen {
            self.seen = seen;
            let strangers = self.core.strangers().iter().cloned().collect();
            *self.shared.strangers.lock().unwrap_or_else(PoisonError::into_inner) = strangers;
            let _ = (self.told)(Told::Seen(seen));
        }
    }

    /// Waits for `fd`, another core, the end, or until the core has something to do.
    pub fn wait(&self, fd: Option<BorrowedFd<'_>>, flags: PollFlags, now_ns: u64) {
        let due_ns = self.core.due_ns().map_or(u64::MAX, |due_ns| due_ns.saturating_sub(now_ns));
        // What was seen is told every second, so a longer wait is none.
        self.shared.wake.wait(fd.map(|fd| (fd, flags)), due_ns.min(TELL_NS));
    }

    /// Waits before something is tried again.
    pub fn rest(&mut self) {
        let pause = AGAIN.get(self.tries).or(AGAIN.last()).copied().unwrap_or_default();
        self.tries = self.tries.saturating_add(1);
        let until_ns = boottime_ns().saturating_add(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX));
        loop {
            let now_ns = boottime_ns();
            self.look(now_ns);
            if self.is_stopped() || now_ns >= until_ns {
                return;
            }
            self.shared.wake.wait(None, (until_ns - now_ns).min(TELL_NS));
        }
    }
}
