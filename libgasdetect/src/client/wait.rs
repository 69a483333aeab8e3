// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one descriptor of a client: an epoll of all that it waits for, with a timer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

/// The timer.
pub const TIMER: u64 = 1;
/// The bus.
pub const BUS: u64 = 2;
/// Subscriptions and feeds have numbers from here on.
pub const FIRST_NUMBER: u64 = 16;

/// A socket that ended within this time is asked for again after it, and not at once: what always ends at once
/// would keep the program busy.
pub const PAUSE_NS: u64 = 1_000_000_000;

/// The descriptors.
#[derive(Debug)]
pub struct Wait {
    epoll: OwnedFd,
    timer: OwnedFd,
    /// What the timer is set to.
    until_ns: u64,
    bus: Option<Followed>,
}

/// The bus's socket as it is waited for.
#[derive(Debug)]
struct Followed {
    /// A descriptor of our own: sd-bus closes its one by itself, and where a child of a fork(2) has it still, the
    /// epoll would tell of it for ever, with nothing left to take it out by.
    fd: OwnedFd,
    /// The kernel's name for the socket: the number of the descriptor may be another one's by now.
    cookie: u64,
    events: u32,
}

/// `CLOCK_MONOTONIC`, ns.
pub fn monotonic_ns() -> u64 {
    now_ns(libc::CLOCK_MONOTONIC)
}

/// `CLOCK_BOOTTIME`, ns.
pub fn boottime_ns() -> u64 {
    now_ns(libc::CLOCK_BOOTTIME)
}

/// By the C library: rustix asks the kernel's vDSO by itself, which is not where it was below valgrind.
fn now_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a live place; both clocks are there, so it cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    // Neither clock is ever negative.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

impl Wait {
    /// Nothing to wait for yet.
    ///
    /// # Errors
    /// What the system said.
    pub fn new() -> io::Result<Wait> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &timer, epoll::EventData::new_u64(TIMER), epoll::EventFlags::IN)?;
        Ok(Wait { epoll, timer, until_ns: u64::MAX, bus: None })
    }

    /// The one descriptor.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Waits for what can be read from a socket.
    ///
    /// # Errors
    /// What the system said.
    pub fn add(&self, fd: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, epoll::EventData::new_u64(number), epoll::EventFlags::IN)?)
    }

    /// Waits for room, too, or not any more.
    pub fn want_room(&self, fd: BorrowedFd<'_>, number: u64, room: bool) {
        let flags = if room { epoll::EventFlags::IN | epoll::EventFlags::OUT } else { epoll::EventFlags::IN };
        // One that is gone is gone.
        let _ = epoll::modify(&self.epoll, fd, epoll::EventData::new_u64(number), flags);
    }

    /// Waits no more for it.
    pub fn remove(&self, fd: BorrowedFd<'_>) {
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Waits for the bus as it wants it now.
    ///
    /// # Errors
    /// What the system said.
    pub fn follow_bus(&mut self, bus: BorrowedFd<'_>, events: u32) -> io::Result<()> {
        let cookie = rustix::net::sockopt::socket_cookie(bus)?;
        let (data, flags) = (epoll::EventData::new_u64(BUS), epoll::EventFlags::from_bits_truncate(events));
        match &mut self.bus {
            Some(now) if now.cookie == cookie => {
                if now.events != events {
                    epoll::modify(&self.epoll, &now.fd, data, flags)?;
                    now.events = events;
                }
            }
            _ => {
                self.forget_bus();
                let fd = bus.try_clone_to_owned()?;
                epoll::add(&self.epoll, &fd, data, flags)?;
                self.bus = Some(Followed { fd, cookie, events });
            }
        }
        Ok(())
    }

    /// Waits no more for the bus.
    pub fn forget_bus(&mut self) {
        if let Some(old) = self.bus.take() {
            self.remove(old.fd.as_fd());
        }
    }

    /// Wakes at `until_ns` of `CLOCK_MONOTONIC`; 0 is at once, `u64::MAX` never.
    ///
    /// # Errors
    /// What the system said.
    pub fn wake_at(&mut self, until_ns: u64) -> io::Result<()> {
        if until_ns == self.until_ns {
            return Ok(());
        }
        let value = match until_ns {
            u64::MAX => Timespec { tv_sec: 0, tv_nsec: 0 },
            // Zero would turn it off.
            at => Timespec { tv_sec: (at / 1_000_000_000) as _, tv_nsec: (at % 1_000_000_000).max(1) as _ },
        };
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(
            &self.timer,
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec { it_interval: zero, it_value: value },
        )?;
        self.until_ns = until_ns;
        Ok(())
    }

    /// The numbers of what is ready now.
    ///
    /// # Errors
    /// What the system said.
    pub fn ready(&mut self, found: &mut Vec<u64>) -> io::Result<()> {
        let mut events = Vec::with_capacity(64);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
        {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        found.extend(events.iter().map(|event: &epoll::Event| event.data.u64()));
        if found.contains(&TIMER) {
            // Read, so that it is not ready for ever; set anew before the next wait.
            let mut ticks = [0u8; 8];
            let _ = rustix::io::read(&self.timer, &mut ticks);
            self.until_ns = u64::MAX;
        }
        Ok(())
    }
}
