// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the thread of a port waits: for bytes, for an order, for the time.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::time::{ClockId, clock_gettime};

/// How long until something that was lost is tried again: longer and longer.
pub(crate) const AGAIN: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// How often what a port has seen is told, where it has seen more, ns.
pub(crate) const TELL_NS: u64 = 1_000_000_000;

/// Ends the wait of a thread, from others.
pub(crate) struct Wake(OwnedFd);

impl Wake {
    /// # Errors
    /// No descriptor can be had.
    pub fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Ends the wait that is under way, or the next.
    pub fn wake(&self) {
        // A counter that is full has woken the thread already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Waits for `fd`, a wake, or until the time is over.
    pub fn wait(&self, fd: Option<(BorrowedFd<'_>, PollFlags)>, left_ns: u64) {
        let timeout = Timespec {
            tv_sec: (left_ns / 1_000_000_000).cast_signed(),
            tv_nsec: (left_ns % 1_000_000_000).cast_signed(),
        };
        let woken = PollFd::new(&self.0, PollFlags::IN);
        // Whatever it says, who waits looks at everything.
        let _ = match fd {
            Some((fd, flags)) => poll(&mut [woken, PollFd::from_borrowed_fd(fd, flags)], Some(&timeout)),
            None => poll(&mut [woken], Some(&timeout)),
        };
        let mut count = [0u8; 8];
        let _ = rustix::io::read(&self.0, &mut count);
    }
}

/// `CLOCK_BOOTTIME`, ns: it goes on while the machine sleeps.
#[must_use]
pub(crate) fn boottime_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.unsigned_abs().saturating_mul(1_000_000_000).saturating_add(now.tv_nsec.unsigned_abs())
}
