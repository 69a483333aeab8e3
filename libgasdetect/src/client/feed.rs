// SPDX-License-Identifier: MIT OR Apache-2.0
//! One feed: entries that gasd has not taken yet, in order, and their way over the socket. What was not
//! answered when a socket ends goes over the next one; gasd knows what it has already by the time.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

use gasd_abi::feed::{
    ANSWER_BYTES, Answer, ENTRY_BYTES, Entry, GREETING, HEADER_BYTES, Header, MOST_ENTRIES, PACKET_BYTES,
    REFUSED, Refusal, TAKEN, VERSION,
};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// Entries that are kept until gasd takes them: five minutes of a meter at 50 pulses a second.
pub const MOST_KEPT: usize = 16_384;

/// Answers that are read in one go: what is left makes the socket readable again.
const MOST_ANSWERS: usize = 256;

/// What became of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// It is there, and took all.
    Open,
    /// It is there and full.
    Full,
    /// There is none (any more).
    Gone,
}

/// A feed's entries and socket.
#[derive(Debug)]
pub struct Feed {
    kind: u32,
    key: u64,
    /// Entries that gasd did not answer yet.
    kept: VecDeque<Entry>,
    /// Number of the first of them, as this socket counts.
    front: u64,
    /// How many of them went over this socket.
    sent: usize,
    /// Time of the newest entry.
    last_ns: u64,
    socket: Option<OwnedFd>,
    /// Entries that gasd took, and those that it refused, ever.
    pub taken: u64,
    pub refused: u64,
    /// Why it refused, if it took nothing since then.
    pub why: Option<Refusal>,
    /// The version of a gasd whose feeds this library does not know, as it said on this socket.
    pub foreign: Option<u32>,
}

impl Feed {
    /// A feed of `gasd_abi::feed::EDGES` or `READINGS`.
    pub fn new(kind: u32, key: u64) -> Feed {
        Feed {
            kind,
            key,
            kept: VecDeque::new(),
            front: 1,
            sent: 0,
            last_ns: 0,
            socket: None,
            taken: 0,
            refused: 0,
            why: None,
            foreign: None,
        }
    }

    /// Entries that gasd has not answered yet.
    pub fn waiting(&self) -> usize {
        self.kept.len()
    }

    /// Takes an entry in; false when there is no room, or its time does not rise.
    ///
    /// # Errors
    /// Which of both.
    pub fn push(&mut self, entry: Entry) -> Result<(), Rejected> {
        if entry.t_ns <= self.last_ns {
            return Err(Rejected::Order { last_ns: self.last_ns });
        }
        if self.kept.len() >= MOST_KEPT {
            return Err(Rejected::Full);
        }
        self.last_ns = entry.t_ns;
        self.kept.push_back(entry);
        Ok(())
    }

    /// A new socket: all that was not answered goes over it, numbered anew.
    pub fn connect(&mut self, socket: OwnedFd) {
        self.socket = Some(socket);
        // What was refused on the last one need not be on this.
        (self.front, self.sent, self.why, self.foreign) = (1, 0, None, None);
    }

    /// The socket, if there is one.
    pub fn socket(&self) -> Option<&OwnedFd> {
        self.socket.as_ref()
    }

    /// No socket any more.
    pub fn disconnect(&mut self) -> Option<OwnedFd> {
        self.sent = 0;
        self.socket.take()
    }

    /// Hands over what the socket takes.
    pub fn flush(&mut self) -> Socket {
        let Some(socket) = &self.socket else { return Socket::Gone };
        while self.sent < self.kept.len() {
            let count = (self.kept.len() - self.sent).min(MOST_ENTRIES);
            let mut packet = [0u8; PACKET_BYTES];
            let first = self.front + self.sent as u64;
            let header = Header { kind: self.kind, count: count as u32, key: self.key, first };
            packet[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
            let places = packet[HEADER_BYTES..].chunks_exact_mut(ENTRY_BYTES);
            for (place, entry) in places.zip(self.kept.range(self.sent..self.sent + count)) {
                place.copy_from_slice(&entry.to_bytes());
            }
            let bytes = &packet[..HEADER_BYTES + count * ENTRY_BYTES];
            match send(socket.as_fd(), bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(_) => self.sent += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM) => return Socket::Full,
                Err(_) => return Socket::Gone,
            }
        }
        Socket::Open
    }

    /// Takes in what gasd answered. `Gone` when the socket has ended.
    pub fn answers(&mut self) -> Socket {
        for _ in 0..MOST_ANSWERS {
            let Some(socket) = self.socket.as_ref().filter(|_| self.foreign.is_none()) else {
                return Socket::Gone;
            };
            let mut bytes = [0u8; ANSWER_BYTES];
            match recv(socket.as_fd(), &mut bytes, RecvFlags::DONTWAIT | RecvFlags::TRUNC) {
                Ok((_, ANSWER_BYTES)) => self.answer(&Answer::from_bytes(&bytes)),
                Ok((_, 0)) => return Socket::Gone,
                // A packet that is none of ours, shorter or longer.
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => return Socket::Gone,
            }
        }
        if self.foreign.is_some() { Socket::Gone } else { Socket::Open }
    }

    fn answer(&mut self, answer: &Answer) {
        if answer.key != self.key {
            return;
        }
        let done = |to: u64, front: u64, sent: usize| {
            to.saturating_add(1).saturating_sub(front).min(sent as u64) as usize
        };
        match answer.kind {
            TAKEN => {
                let n = done(answer.number, self.front, self.sent);
                self.taken += n as u64;
                self.why = None;
                self.drop_front(n);
            }
            REFUSED => {
                let n = done(answer.number, self.front, self.sent);
                self.refused += n as u64;
                self.why = Refusal::of(answer.code).or(Some(Refusal::Malformed));
                self.drop_front(n);
            }
            // What else gasd says with it gasd would find out by itself: repetitions are counted once.
            GREETING => self.foreign = (answer.code != VERSION).then_some(answer.code),
            _ => {}
        }
    }

    fn drop_front(&mut self, n: usize) {
        self.kept.drain(..n);
        self.front += n as u64;
        self.sent -= n;
    }
}

/// Why an entry was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// No room until gasd has taken some.
    Full,
    /// Its time is not above that of the entry before.
    Order {
        /// The time of the entry before.
        last_ns: u64,
    },
    /// Its time has not come yet: it is of another clock.
    Future {
        /// The time that it is.
        now_ns: u64,
    },
}

#[cfg(test)]
mod tests {
    use gasd_abi::feed::{EDGES, parse};
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
    }

    fn packets(theirs: &OwnedFd) -> Vec<(Header, Vec<Entry>)> {
        let mut found = Vec::new();
        let mut bytes = [0; PACKET_BYTES + 1];
        while let Ok((n, _)) = recv(theirs, &mut bytes, RecvFlags::DONTWAIT) {
            let (header, entries) = parse(&bytes[..n]).unwrap();
            found.push((header, entries.collect()));
        }
        found
    }

    fn taken(theirs: &OwnedFd, number: u64) {
        let answer = Answer { kind: TAKEN, key: 7, number, ..Answer::default() };
        send(theirs, &answer.to_bytes(), SendFlags::empty()).unwrap();
    }

    fn fill(feed: &mut Feed, times: std::ops::RangeInclusive<u64>) {
        times.for_each(|t_ns| feed.push(Entry { t_ns, word: 3 }).unwrap());
    }

    #[test]
    fn what_was_not_answered_goes_over_the_next_socket() {
        let mut feed = Feed::new(EDGES, 7);
        fill(&mut feed, 1..=600);
        assert_eq!(feed.flush(), Socket::Gone);
        let (ours, theirs) = pair();
        feed.connect(ours);
        assert_eq!(feed.flush(), Socket::Open);
        let seen = packets(&theirs);
        assert_eq!(
            seen.iter().map(|(header, _)| (header.first, header.count)).collect::<Vec<_>>(),
            [(1, 255), (256, 255), (511, 90)]
        );
        taken(&theirs, 510);
        assert_eq!(feed.answers(), Socket::Open);
        assert_eq!((feed.waiting(), feed.taken), (90, 510));
        drop(theirs);
        assert_eq!(feed.answers(), Socket::Gone);
        drop(feed.disconnect());
        let (ours, theirs) = pair();
        feed.connect(ours);
        fill(&mut feed, 601..=601);
        assert_eq!(feed.flush(), Socket::Open);
        let seen = packets(&theirs);
        assert_eq!(seen[0].0, Header { kind: EDGES, count: 91, key: 7, first: 1 });
        assert_eq!((seen[0].1[0].t_ns, seen[0].1[90].t_ns), (511, 601));
    }

    #[test]
    fn an_answer_about_what_was_never_sent_takes_nothing_away() {
        let mut feed = Feed::new(EDGES, 7);
        let (ours, theirs) = pair();
        feed.connect(ours);
        fill(&mut feed, 1..=3);
        for number in [u64::MAX, u64::MAX - 1] {
            taken(&theirs, number);
            feed.answers();
            assert_eq!(feed.waiting(), 3);
        }
        feed.flush();
        taken(&theirs, 99);
        feed.answers();
        assert_eq!((feed.waiting(), feed.taken), (0, 3));
    }

    #[test]
    fn a_refusal_is_counted_and_the_rest_goes_on() {
        let mut feed = Feed::new(EDGES, 7);
        let (ours, theirs) = pair();
        feed.connect(ours);
        fill(&mut feed, 1..=3);
        feed.flush();
        let answer = Answer { kind: REFUSED, code: Refusal::Time as u32, key: 7, number: 2, t_ns: 0 };
        send(&theirs, &answer.to_bytes(), SendFlags::empty()).unwrap();
        feed.answers();
        assert_eq!((feed.waiting(), feed.refused, feed.why), (1, 2, Some(Refusal::Time)));
        // Once it takes them again, or on another socket, nothing is wrong any more.
        taken(&theirs, 3);
        feed.answers();
        assert_eq!((feed.waiting(), feed.refused, feed.why), (0, 2, None));
        send(&theirs, &Answer { code: Refusal::TakenOver as u32, ..answer }.to_bytes(), SendFlags::empty())
            .unwrap();
        feed.answers();
        assert_eq!(feed.why, Some(Refusal::TakenOver));
        let (ours, _theirs) = pair();
        feed.connect(ours);
        assert_eq!(feed.why, None);
    }

    #[test]
    fn packets_that_are_no_answers_say_nothing_and_a_flood_of_answers_ends() {
        let mut feed = Feed::new(EDGES, 7);
        let (ours, theirs) = pair();
        feed.connect(ours);
        fill(&mut feed, 1..=3);
        feed.flush();
        let taken = Answer { kind: TAKEN, key: 7, number: 3, ..Answer::default() }.to_bytes();
        let mut long = [0; ANSWER_BYTES + 1];
        long[..ANSWER_BYTES].copy_from_slice(&taken);
        for packet in [&taken[..1], &taken[..ANSWER_BYTES - 1], &long] {
            send(&theirs, packet, SendFlags::empty()).unwrap();
        }
        assert_eq!((feed.answers(), feed.waiting(), feed.taken), (Socket::Open, 3, 0));
        let other = Answer { kind: TAKEN, key: 8, number: 3, ..Answer::default() }.to_bytes();
        let mut sent = 0;
        while sent <= MOST_ANSWERS && send(&theirs, &other, SendFlags::DONTWAIT).is_ok() {
            sent += 1;
        }
        assert_eq!(feed.answers(), Socket::Open);
        let mut bytes = [0; ANSWER_BYTES];
        let left = std::iter::from_fn(|| recv(feed.socket()?, &mut bytes, RecvFlags::DONTWAIT).ok()).count();
        assert_eq!(left, sent.saturating_sub(MOST_ANSWERS));
    }

    #[test]
    fn a_feed_of_a_version_that_is_not_known_is_closed() {
        let mut feed = Feed::new(EDGES, 7);
        let (ours, theirs) = pair();
        feed.connect(ours);
        fill(&mut feed, 1..=3);
        for code in [VERSION, VERSION + 1] {
            let greeting = Answer { kind: GREETING, code, key: 7, ..Answer::default() };
            send(&theirs, &greeting.to_bytes(), SendFlags::empty()).unwrap();
        }
        assert_eq!((feed.answers(), feed.foreign, feed.waiting()), (Socket::Gone, Some(VERSION + 1), 3));
    }

    #[test]
    fn times_rise_and_room_ends() {
        let mut feed = Feed::new(EDGES, 7);
        fill(&mut feed, 5..=5);
        assert_eq!(feed.push(Entry { t_ns: 5, word: 0 }), Err(Rejected::Order { last_ns: 5 }));
        fill(&mut feed, 6..=4 + MOST_KEPT as u64);
        assert_eq!(feed.push(Entry { t_ns: u64::MAX, word: 0 }), Err(Rejected::Full));
    }
}
