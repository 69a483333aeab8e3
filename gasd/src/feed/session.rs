// SPDX-License-Identifier: MIT OR Apache-2.0
//! One feed: its socket, the meters that it feeds, and the answers that it has no room for yet.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use gasd_abi::feed::{Answer, PACKET_BYTES};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

/// A feed.
#[derive(Debug)]
pub struct Session {
    socket: OwnedFd,
    /// Whose it is.
    pub uid: u32,
    /// Keys of the meters that it feeds.
    pub keys: Vec<u64>,
    owed: VecDeque<Answer>,
}

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// A packet of so many bytes.
    Packet(usize),
    /// Nothing now.
    Empty,
    /// The other end was closed.
    Gone,
}

impl Session {
    /// A feed of a user, and the end that it writes into.
    ///
    /// # Errors
    /// When the system gives no socket.
    pub fn new(uid: u32, keys: Vec<u64>) -> io::Result<(Session, OwnedFd)> {
        let (socket, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Session { socket, uid, keys, owed: VecDeque::new() }, theirs))
    }

    /// The socket, to be waited for.
    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// Whether answers wait for room. Nothing more is read before they are gone: whoever does not read what
    /// it is told keeps nobody waiting but itself.
    pub fn is_owed(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Answers, now or once there is room.
    pub fn answer(&mut self, answer: Answer) {
        self.owed.push_back(answer);
    }

    /// Sends what is owed. False when the other end was closed.
    pub fn flush(&mut self) -> bool {
        while let Some(answer) = self.owed.front() {
            match send(self.socket.as_fd(), &answer.to_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(_) => drop(self.owed.pop_front()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM) => return true,
                Err(_) => return false,
            }
        }
        true
    }

    /// Reads a packet; one that is longer than any is cut, and so none.
    pub fn read(&self, into: &mut [u8; PACKET_BYTES + 1]) -> Read {
        loop {
            match recv(self.socket.as_fd(), &mut into[..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Read::Gone,
                Ok((n, _)) => return Read::Packet(n),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Read::Empty,
                Err(_) => return Read::Gone,
            }
        }
    }
}
