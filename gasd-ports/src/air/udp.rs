// SPDX-License-Identifier: MIT OR Apache-2.0
//! The thread of one UDP port.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::PollFlags;

use super::thread::{Hand, Running, Work};
use super::{Air, Output, Teller, Told};
use crate::pause::boottime_ns;

/// Bytes of the longest datagram that there is.
const LONGEST: usize = 65_535;

/// Datagrams that are taken before anything else is looked at.
const AT_ONCE: usize = 64;

/// A UDP port at work; its thread ends when this is dropped.
pub struct UdpPort {
    running: Running,
    address: Arc<Mutex<Option<SocketAddr>>>,
}

impl UdpPort {
    /// Starts the thread `port-<id>`, which listens at `listen` for `core` and tells what happens. Where it cannot
    /// listen there it says why ([`Told::Health`]) and tries again.
    ///
    /// # Errors
    ///
    /// No thread or no descriptor can be had.
    pub fn start(id: &str, listen: SocketAddr, core: Box<dyn Air>, told: Teller) -> io::Result<Self> {
        let address = Arc::new(Mutex::new(None));
        let theirs = address.clone();
        let running = Running::start(id, core, told, move |work| run(work, listen, &theirs))?;
        Ok(Self { running, address })
    }

    /// A hand on it.
    #[must_use]
    pub fn hand(&self) -> Hand {
        self.running.hand()
    }

    /// Other meters from now on; see [`Hand::set_core`].
    pub fn set_core(&self, core: Box<dyn Air>) {
        self.hand().set_core(core);
    }

    /// Where it listens; `None` while it does not.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(mut work: Work, listen: SocketAddr, address: &Mutex<Option<SocketAddr>>) {
    let set = |at| *address.lock().unwrap_or_else(PoisonError::into_inner) = at;
    while !work.is_stopped() {
        let socket = UdpSocket::bind(listen).and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        match socket {
            Ok(socket) => {
                work.health(None);
                set(socket.local_addr().ok());
                if let Err(error) = serve(&mut work, &socket) {
                    work.health(Some(format!(
                        "udp {listen}: {error}; it is opened again as soon as it can be"
                    )));
                }
                set(None);
            }
            Err(error) => work.health(Some(refused(listen, &error))),
        }
        if work.is_stopped() {
            return;
        }
        work.rest();
    }
}

/// Why nothing can be heard there, and what to do.
fn refused(listen: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program has udp {listen}: `ss -ulpn sport = :{}` says which; it is tried again",
            listen.port()
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has not the address of udp {listen} (yet); it is tried again")
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "udp {listen} may not be listened at by this user: ports below 1024 are root's; it is tried again"
            )
        }
        _ => format!("udp {listen}: {error}; it is tried again"),
    }
}

/// Works on a socket until it is lost, or this is to stop.
fn serve(work: &mut Work, socket: &UdpSocket) -> io::Result<()> {
    let mut datagram = vec![0u8; LONGEST];
    while !work.is_stopped() {
        let mut now_ns = boottime_ns();
        work.look(now_ns);
        if work.core.due_ns().is_some_and(|due_ns| due_ns <= now_ns) {
            let outputs = work.core.tick(now_ns);
            hand_out(work, socket, outputs);
        }
        work.wait(Some(socket.as_fd()), PollFlags::IN, now_ns);
        for _ in 0..AT_ONCE {
            let (count, from) = match socket.recv_from(&mut datagram) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What the other end of something that was sent says, or a signal: the next one may be good.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionRefused
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            work.works();
            now_ns = boottime_ns();
            let outputs = work.core.heard(now_ns, Some(from), datagram.get(..count).unwrap_or_default());
            hand_out(work, socket, outputs);
        }
    }
    Ok(())
}

/// In this order: what is told is written down before what acknowledges it is sent.
fn hand_out(work: &mut Work, socket: &UdpSocket, outputs: Vec<Output>) {
    for output in outputs {
        match output {
            Output::Event(event) => {
                let _ = (work.told)(Told::Event(event));
            }
            Output::Send { to, bytes } => send(work, socket, to, &bytes),
            // A meter that is not answered asks again; one that was answered counts on what was agreed.
            Output::Answer { key, to, bytes, until_ns } => {
                if (work.told)(Told::Answering { key, until_ns }) {
                    send(work, socket, to, &bytes);
                }
            }
        }
    }
}

fn send(work: &mut Work, socket: &UdpSocket, to: SocketAddr, bytes: &[u8]) {
    match socket.send_to(bytes, to) {
        Ok(_) => work.health(None),
        // No room: it is lost as any datagram may be, and its sender asks again.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => work.health(Some(format!("nothing can be sent to {to}: {error}"))),
    }
}
