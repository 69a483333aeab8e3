// SPDX-License-Identifier: MIT OR Apache-2.0
//! One feed: its socket, the meters that it feeds, and the answers that it has no room for yet.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use gasd_abi::feed::{Answer, PACKET_BYTES, REFUSED, Refusal, TAKEN};
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
    /// Readings that are not on the disk yet, in their order.
    waiting: VecDeque<Waiting>,
    /// The other end was closed while nothing was read.
    gone: bool,
}

/// A reading that is answered once all before it are, and it is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The meter.
    pub key: u64,
    /// Its number in this feed.
    pub number: u64,
    /// When it was read, ns.
    pub t_ns: u64,
    /// It will not be taken, whatever the disk has.
    pub refused: Option<Refusal>,
}

/// Readings of one feed that may wait for the disk. Whoever sends more waits with it.
const MOST_WAITING: usize = 16_384;

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
        Ok((
            Session { socket, uid, keys, owed: VecDeque::new(), waiting: VecDeque::new(), gone: false },
            theirs,
        ))
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

    /// Whether so many readings wait for the disk that no more is read.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// The other end was closed: what was read is gasd's or is sent again, what was not is sent again.
    pub fn hang_up(&mut self) {
        self.gone = true;
    }

    /// Whether the other end was closed while nothing was read.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// A reading is to be answered once it is on the disk.
    pub fn wait(&mut self, reading: Waiting) {
        self.waiting.push_back(reading);
    }

    /// Answers for the readings whose turn it is: those of a meter in their order, for as far as `fate` decides them.
    /// A refusal is of all entries up to its number, so none may come before what waits for the disk.
    pub fn settle(&mut self, fate: impl Fn(&Waiting) -> Option<Result<(), Refusal>>) {
        let mut undecided: Vec<u64> = Vec::new();
        let mut answers: Vec<(Result<(), Refusal>, Waiting)> = Vec::new();
        self.waiting.retain(|reading| {
            if undecided.contains(&reading.key) {
                return true;
            }
            let Some(fate) = reading.refused.map(Err).or_else(|| fate(reading)) else {
                undecided.push(reading.key);
                return true;
            };
            // One answer for as many of a kind as come one after another.
            match answers.iter_mut().rev().find(|(_, last)| last.key == reading.key) {
                Some((same, last)) if *same == fate => *last = *reading,
                _ => answers.push((fate, *reading)),
            }
            false
        });
        for (fate, Waiting { key, number, t_ns, .. }) in answers {
            let (kind, code) = fate.map_or_else(|why| (REFUSED, why as u32), |()| (TAKEN, 0));
            self.answer(Answer { kind, code, key, number, t_ns });
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(key: u64, number: u64, t_ns: u64) -> Waiting {
        Waiting { key, number, t_ns, refused: None }
    }

    #[test]
    fn readings_are_answered_in_their_order_and_a_refusal_takes_none_with_it_that_waits() {
        let (mut session, _theirs) = Session::new(0, vec![7, 8]).unwrap();
        session.wait(waiting(7, 1, 100));
        session.wait(waiting(8, 1, 500));
        session.wait(waiting(7, 2, 200));
        session.wait(Waiting { refused: Some(Refusal::Time), ..waiting(7, 3, 9) });
        session.wait(waiting(7, 4, 300));
        let until = |until_ns: u64| move |w: &Waiting| (w.t_ns <= until_ns).then_some(Ok(()));
        session.settle(until(150));
        let told = |session: &mut Session| -> Vec<(u32, u64, u64)> {
            session.owed.drain(..).map(|answer| (answer.kind, answer.key, answer.number)).collect()
        };
        assert_eq!(told(&mut session), [(TAKEN, 7, 1)]);
        session.settle(until(199));
        assert_eq!(told(&mut session), []);
        session.settle(until(400));
        assert_eq!(told(&mut session), [(TAKEN, 7, 2), (REFUSED, 7, 3), (TAKEN, 7, 4)]);
        session.settle(|_| Some(Err(Refusal::NotFed)));
        assert_eq!(told(&mut session), [(REFUSED, 8, 1)]);
        assert!(session.waiting.is_empty());
    }
}
