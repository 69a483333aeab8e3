// SPDX-License-Identifier: MIT OR Apache-2.0
//! One subscriber: its socket and what it has missed. No call here blocks.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use gasd_abi::stream::{MAGIC, Message, RECORD_BYTES, Record, VERSION};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, Shutdown, SocketFlags, SocketType, send, shutdown, socketpair};

use super::house::House;
use super::wish::Choice;

/// A subscriber.
#[derive(Debug)]
pub struct Reader {
    socket: OwnedFd,
    uid: u32,
    choice: Choice,
    /// Records missed since the last GAP that was told.
    lost: u64,
    lost_in_all: u64,
    since_ns: u64,
    /// Records missed that nobody has added up yet.
    uncounted: u64,
    /// A new numbering is owed.
    renumbered: bool,
}

/// How a packet fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Done,
    Full,
    Gone,
}

/// The reader hung up: forget it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Reader {
    /// A subscriber of a user, and the end that it reads from.
    ///
    /// # Errors
    /// When the system gives no socket.
    pub fn new(uid: u32, choice: Choice) -> io::Result<(Reader, OwnedFd)> {
        let (socket, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        // Nothing is read from it, so nothing may pile up in it.
        shutdown(&socket, Shutdown::Read)?;
        let (lost, lost_in_all, since_ns, uncounted) = (0, 0, 0, 0);
        Ok((
            Reader { socket, uid, choice, lost, lost_in_all, since_ns, uncounted, renumbered: false },
            theirs,
        ))
    }

    /// Whose it is.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// A new numbering is owed, with the next [`Reader::catch_up`].
    pub fn renumber(&mut self) {
        self.renumbered = true;
    }

    /// Whether [`Reader::catch_up`] has something to tell.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.lost > 0 || self.renumbered
    }

    /// Whether the other end was closed.
    #[must_use]
    pub fn has_hung_up(&self) -> bool {
        self.is(PollFlags::empty(), PollFlags::HUP | PollFlags::ERR)
    }

    /// Tells HELLO and the present state; for a new subscriber.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn greet(&mut self, house: &House, state: &[Record], now_ns: u64) -> Result<(), Gone> {
        let hello = Message::Hello {
            version: VERSION,
            record_bytes: RECORD_BYTES as u64,
            meters: house.meters.len() as u64,
            valves: house.valves.len() as u64,
            kinds: self.choice.kinds(),
        };
        match self.send(&Record::new(0, MAGIC, now_ns, hello)) {
            Sent::Done => self.renumbered = false,
            Sent::Full => {
                self.renumbered = true;
                return Ok(());
            }
            Sent::Gone => return Err(Gone),
        }
        state.iter().try_for_each(|record| self.offer(record, now_ns))
    }

    /// Offers a record. While the reader is behind, and when it has no room, the record is counted as lost.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn offer(&mut self, record: &Record, now_ns: u64) -> Result<(), Gone> {
        if !self.choice.wants(record) {
            return Ok(());
        }
        let sent = if self.is_behind() { Sent::Full } else { self.send(record) };
        match sent {
            Sent::Done => Ok(()),
            Sent::Full => {
                self.lose(1, now_ns);
                Ok(())
            }
            Sent::Gone => Err(Gone),
        }
    }

    /// Records were lost before they came here; which ones is not known.
    pub fn lose(&mut self, n: u64, now_ns: u64) {
        if self.lost == 0 {
            self.since_ns = now_ns;
        }
        self.lost += n;
        self.lost_in_all += n;
        self.uncounted += n;
    }

    /// Records missed since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.uncounted)
    }

    /// If the reader is behind and has room again: tells the GAP, and the state that makes up for it.
    /// The system says that there is room when three quarters of the buffer are free, so a reader that
    /// takes single records now and then is not told of a gap for each of them.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn catch_up(&mut self, house: &House, state: &[Record], now_ns: u64) -> Result<(), Gone> {
        if !self.is_behind() || !self.is(PollFlags::OUT, PollFlags::OUT) {
            return Ok(());
        }
        if self.lost > 0 {
            let Reader { lost, lost_in_all, since_ns, .. } = *self;
            let gap = Message::Gap { lost, lost_in_all, since_ns };
            match self.send(&Record::new(0, 0, now_ns, gap)) {
                Sent::Done => self.lost = 0,
                Sent::Full => return Ok(()),
                Sent::Gone => return Err(Gone),
            }
        }
        if self.renumbered {
            return self.greet(house, state, now_ns);
        }
        state.iter().try_for_each(|record| self.offer(record, now_ns))
    }

    fn is(&self, ask: PollFlags, wanted: PollFlags) -> bool {
        let mut fds = [PollFd::new(&self.socket, ask)];
        poll(&mut fds, Some(&rustix::event::Timespec::default())).is_ok()
            && fds[0].revents().intersects(wanted)
    }

    fn send(&self, record: &Record) -> Sent {
        loop {
            match send(self.socket.as_fd(), &record.to_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(_) => return Sent::Done,
                Err(Errno::INTR) => {}
                // Memory that the kernel does not have now is the reader's loss and not ours.
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM) => return Sent::Full,
                Err(_) => return Sent::Gone,
            }
        }
    }
}
