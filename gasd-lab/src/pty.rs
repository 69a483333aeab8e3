// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line as a serial port: a pseudo-terminal that a program opens as it opens `/dev/ttyUSB0`, served in real time.
//!
//! The subordinate side is kept open here, so that the host may close and reopen it. What arrives while nobody reads
//! stays for whoever opens it next, up to what the kernel holds (4 KiB); beyond that it is lost, as it is in a port. The lock
//! of a host that is no more goes with the last who had it open, as that of a real device does.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};

use crate::clock::{now_ns, timespec};
use crate::hosts::Hosts;
use crate::line::Bus;

/// Bytes that arrive within so long are handed over together, ns: wakes less often at high speeds.
const BATCH_NS: u64 = 2_000_000;

/// A line that is served. It ends when this is dropped.
pub struct Pty {
    path: PathBuf,
    bus: Arc<Mutex<Bus>>,
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
    /// Kept open: without any, the line would hang up.
    subordinate: Arc<OwnedFd>,
}

impl Pty {
    /// Serves `bus` on a new pseudo-terminal in raw mode. Its times are those of [`now_ns`].
    ///
    /// # Errors
    /// Of the kernel: no pseudo-terminal, no thread.
    pub fn open(bus: Bus) -> io::Result<Self> {
        let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&main)?;
        unlockpt(&main)?;
        let name = ptsname(&main, Vec::new())?;
        let path = PathBuf::from(name.to_string_lossy().into_owned());
        let subordinate = rustix::fs::open(
            &path,
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )?;
        let mut settings = tcgetattr(&subordinate)?;
        settings.make_raw();
        tcsetattr(&subordinate, OptionalActions::Now, &settings)?;
        // A host that does not read must not hold up the line.
        rustix::io::ioctl_fionbio(&main, true)?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let bus = Arc::new(Mutex::new(bus));
        let subordinate = Arc::new(subordinate);
        let port = Port { main, stop: Arc::clone(&stop), subordinate: Arc::clone(&subordinate) };
        let (line, hosts) = (Arc::clone(&bus), Hosts::of(&path)?);
        let thread =
            std::thread::Builder::new().name("lab-line".into()).spawn(move || serve(&port, hosts, &line))?;
        Ok(Self { path, bus, stop, thread: Some(thread), subordinate })
    }

    /// The device to open.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock of a program that is no more at once: within a moment it goes by itself.
    ///
    /// # Errors
    /// Of the kernel.
    pub fn unlock(&self) -> io::Result<()> {
        Ok(ioctl_tiocnxcl(&*self.subordinate)?)
    }

    /// The line, to be looked at while it is served.
    pub fn bus(&self) -> MutexGuard<'_, Bus> {
        lock(&self.bus)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It cannot fail but by being set already.
        let _set = rustix::io::write(&*self.stop, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn lock(bus: &Mutex<Bus>) -> MutexGuard<'_, Bus> {
    bus.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What its thread works with.
struct Port {
    main: OwnedFd,
    stop: Arc<OwnedFd>,
    subordinate: Arc<OwnedFd>,
}

fn serve(port: &Port, mut hosts: Hosts, bus: &Mutex<Bus>) {
    let Port { main, stop, subordinate } = port;
    let mut buffer = [0; 4096];
    let mut batch_ns = 0;
    loop {
        let due_ns = lock(bus).due_ns().map(|due| due.max(batch_ns));
        let wait = due_ns.map(|due| timespec(due.saturating_sub(now_ns())));
        let mut fds = [
            PollFd::from_borrowed_fd(main.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(hosts.as_fd(), PollFlags::IN),
        ];
        match poll(&mut fds, wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let [line, end, came] = fds.map(|fd| fd.revents());
        if !end.is_empty() {
            return;
        }
        if came.contains(PollFlags::IN) && hosts.left() {
            // On a real device it goes with the last who has it open, and this one is kept open here. It cannot fail on one.
            let _unlocked = ioctl_tiocnxcl(&**subordinate);
        }
        if line.contains(PollFlags::IN) {
            match rustix::io::read(main, &mut buffer) {
                Ok(n) => lock(bus).sent(now_ns(), buffer.get(..n).unwrap_or_default()),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(_) => return,
            }
        }
        let arrived = lock(bus).take(now_ns());
        if !arrived.is_empty() {
            // What does not fit is lost, as in a port that nobody reads.
            let _written = rustix::io::write(main, &arrived);
            batch_ns = now_ns().saturating_add(BATCH_NS);
        }
    }
}
