// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client behind its handle: who may be inside, and when callbacks are made.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::handle::object;
use crate::abi::result::{Failure, gasd_result};

use super::core::Core;

/// A connection to gasd.
#[derive(Debug)]
pub struct gasd_client {
    core: Mutex<Core>,
    fd: RawFd,
    dispatching: AtomicBool,
    /// It was freed: no callback is made any more.
    ended: AtomicBool,
    /// Held while callbacks are made, so that whoever frees a subscription can wait for them.
    calling: Mutex<()>,
    /// Which thread makes them, 0 for none.
    caller: AtomicU64,
}

object!(gasd_client, 1, "client");

/// Rounds of one dispatch: what comes faster than it is worked off waits for the next one.
const ROUNDS: usize = 16;

impl gasd_client {
    /// A client that begins to connect with its first dispatch.
    ///
    /// # Errors
    /// What the system said.
    pub fn new(address: String, app: String) -> Result<gasd_client, Failure> {
        let core = Core::new(address, app)
            .map_err(|error| Failure::system("no descriptor for the client", error))?;
        let fd = core.wait.fd().as_raw_fd();
        Ok(gasd_client {
            core: Mutex::new(core),
            fd,
            dispatching: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            calling: Mutex::new(()),
            caller: AtomicU64::new(0),
        })
    }

    /// The descriptor, which lives as long as the client.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// The inside; one thread at a time.
    pub fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No callback is made any more, and nothing is connected.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.wait_for_callback();
        self.lock().close();
    }

    /// That it was not freed, for what was made of it.
    ///
    /// # Errors
    /// `GASD_HANDLE`.
    pub fn check_alive(&self) -> Result<(), Failure> {
        if self.ended.load(Ordering::Acquire) {
            return Err(Failure::new(gasd_result::GASD_HANDLE, "the client that it is of was freed"));
        }
        Ok(())
    }

    /// That nobody dispatches now.
    ///
    /// # Errors
    /// `GASD_BUSY`.
    pub fn check_idle(&self) -> Result<(), Failure> {
        if self.dispatching.load(Ordering::Acquire) { Err(busy()) } else { Ok(()) }
    }

    /// Waits until a callback that another thread is in has returned; at once in that thread itself.
    pub fn wait_for_callback(&self) {
        if self.caller.load(Ordering::Acquire) != this_thread() {
            drop(self.calling.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Does what can be done now, and makes the callbacks.
    ///
    /// # Errors
    /// `GASD_BUSY` when another thread is in here, or this one already.
    pub fn dispatch(&self) -> Result<(), Failure> {
        if self.dispatching.swap(true, Ordering::Acquire) {
            return Err(busy());
        }
        let _end = Ending(&self.dispatching);
        self.check_alive()?;
        for _ in 0..ROUNDS {
            let mut core = self.lock();
            let more = core.step();
            let out = std::mem::take(&mut core.out);
            drop(core);
            if out.is_empty() && !more {
                return Ok(());
            }
            for one in out {
                let calling = self.calling.lock().unwrap_or_else(PoisonError::into_inner);
                self.caller.store(this_thread(), Ordering::Release);
                if !self.ended.load(Ordering::Acquire) {
                    one.call();
                }
                self.caller.store(0, Ordering::Release);
                drop(calling);
            }
            if self.ended.load(Ordering::Acquire) {
                return Ok(());
            }
        }
        self.lock().rearm();
        Ok(())
    }
}

fn busy() -> Failure {
    let message = "gasd_client_dispatch() is under way already, in another thread or below a callback";
    Failure::new(gasd_result::GASD_BUSY, message)
}

/// Ends a dispatch however it ends.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Names this thread; never 0.
fn this_thread() -> u64 {
    // A thread's number is positive.
    rustix::thread::gettid().as_raw_nonzero().get() as u64
}
