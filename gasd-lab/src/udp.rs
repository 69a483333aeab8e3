// SPDX-License-Identifier: MIT OR Apache-2.0
//! An endpoint over a socket of its own, in real time.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;

use crate::clock::{now_ns, timespec};
use crate::loss::{Endpoint, Lossy};

/// Largest datagram that is read.
const MAX_DATAGRAM: usize = 65_536;

/// An endpoint that is served. It ends when this is dropped.
pub struct Peer<E: Endpoint> {
    local: SocketAddr,
    endpoint: Arc<Mutex<Lossy<E>>>,
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl<E: Endpoint + 'static> Peer<E> {
    /// Serves `endpoint` on a socket of its own that speaks to `to`. Its times are those of [`now_ns`].
    ///
    /// # Errors
    /// Of the kernel: no socket, no thread.
    pub fn open(to: SocketAddr, endpoint: Lossy<E>) -> io::Result<Self> {
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        socket.connect(to)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let endpoint = Arc::new(Mutex::new(endpoint));
        let (served, end) = (Arc::clone(&endpoint), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("lab-peer".into())
            .spawn(move || serve(&socket, &end, &served))?;
        Ok(Self { local, endpoint, stop, thread: Some(thread) })
    }

    /// Where it speaks from.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// The endpoint, to be looked at while it is served.
    pub fn endpoint(&self) -> MutexGuard<'_, Lossy<E>> {
        lock(&self.endpoint)
    }
}

impl<E: Endpoint> Drop for Peer<E> {
    fn drop(&mut self) {
        // It cannot fail but by being set already.
        let _set = rustix::io::write(&*self.stop, &1u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn lock<E>(endpoint: &Mutex<E>) -> MutexGuard<'_, E> {
    endpoint.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve<E: Endpoint>(socket: &UdpSocket, stop: &OwnedFd, endpoint: &Mutex<Lossy<E>>) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        for bytes in lock(endpoint).take(now_ns()) {
            // Where nobody listens the kernel says so on the next call; the network may lose it anyway.
            let _sent = socket.send(&bytes);
        }
        let due_ns = lock(endpoint).due_ns();
        let wait = due_ns.map(|due| timespec(due.saturating_sub(now_ns())));
        let mut fds = [
            PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
        ];
        match poll(&mut fds, wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let [_, end] = &fds;
        if !end.revents().is_empty() {
            return;
        }
        // Until there is none, or an error of one that was sent before: that is taken by the call, too.
        while let Ok(n) = socket.recv(&mut buffer) {
            lock(endpoint).sent(now_ns(), buffer.get(..n).unwrap_or_default().into());
        }
    }
}
