// SPDX-License-Identifier: MIT OR Apache-2.0
//! The thread that reads the feeds, one packet of each in turn, and lets levels decide what is due.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use gasd_abi::feed::{Answer, GREETING, PACKET_BYTES, REFUSED, Refusal, VERSION};
use gasd_abi::records::meter_key;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::kernel::sys::boottime_ns;
use crate::pipeline::{
    filter::LineFilter,
    queue::{Input, Queue},
    written::Written,
};

use super::line::Line;
use super::session::{Read, Session};
use super::{Fed, Meters, Shared};

/// How often the configuration is looked at, and meters that nobody feeds are told.
const LOOK_NS: u64 = 1_000_000_000;
/// Packets of one feed before the next one's turn.
const TURN: usize = 8;
/// Turns at the end: more packets than a socket holds.
const LAST_TURNS: usize = 64;

/// What is wrong with a meter that nobody feeds.
const NOBODY: &str = "nobody feeds it: the program that has its interrupt is not connected (gasd_feed_new)";
/// The same of one whose register is read.
const NOBODY_READS: &str = "nobody feeds it: the program that reads it is not connected (gasd_feed_new)";

pub(super) struct Work {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    meters: Meters,
    pub(super) bank: Arc<dyn LineFilter>,
    pub(super) queue: Queue,
    pub(super) written: Written,
    sessions: Vec<Session>,
    pub(super) fed: HashMap<u64, Fed>,
    pub(super) lines: HashMap<u64, Line>,
    /// What the engine was told of each fed line: whether anybody feeds it.
    told: HashMap<u64, bool>,
    looked_ns: u64,
}

impl Work {
    pub(super) fn new(
        shared: Arc<Shared>,
        stop: Arc<AtomicBool>,
        meters: Meters,
        bank: Arc<dyn LineFilter>,
        queue: Queue,
        written: Written,
    ) -> Work {
        Work {
            shared,
            stop,
            meters,
            bank,
            queue,
            written,
            sessions: Vec::new(),
            fed: HashMap::new(),
            lines: HashMap::new(),
            told: HashMap::new(),
            looked_ns: 0,
        }
    }

    pub(super) fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            let now_ns = boottime_ns();
            if now_ns.saturating_sub(self.looked_ns) >= LOOK_NS || self.looked_ns == 0 {
                self.look();
                self.looked_ns = now_ns;
            }
            self.arrive();
            let more = self.serve();
            self.settle();
            self.tell();
            if !more {
                self.wait();
            }
        }
        // What was handed over by now is ours; whoever goes on sending keeps nobody from stopping, and sends
        // the rest again.
        for _ in 0..LAST_TURNS {
            if !self.serve() {
                break;
            }
        }
    }

    /// Which meters are fed now.
    fn look(&mut self) {
        let meters = (self.meters)();
        self.fed = meters
            .into_iter()
            .filter(|(meter, _)| meter.source.is_fed())
            .map(|(meter, line)| {
                let filter = meter.readings.is_none().then_some(meter.filter.abi);
                (meter_key(&meter.id), Fed { id: meter.id, line, filter })
            })
            .collect();
        let fed = &self.fed;
        self.lines.retain(|key, _| fed.get(key).is_some_and(|fed| fed.filter.is_some()));
        self.told.retain(|key, _| fed.contains_key(key));
    }

    /// Takes new feeds in. A meter has one; the newest takes it over.
    fn arrive(&mut self) {
        let arrivals =
            std::mem::take(&mut *self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner));
        if arrivals.is_empty() {
            return;
        }
        self.look();
        for mut session in arrivals {
            for key in session.keys.clone() {
                self.take_over(key);
                let Some(fed) = self.fed.get(&key) else { continue };
                let t_ns = match fed.filter {
                    Some(_) => self.lines.entry(key).or_default().last_ns(self.bank.as_ref(), fed.line),
                    None => self.written.until_ns(key),
                };
                session.answer(Answer { kind: GREETING, code: VERSION, key, number: 0, t_ns });
            }
            self.sessions.push(session);
        }
    }

    fn take_over(&mut self, key: u64) {
        for other in self.sessions.iter_mut().filter(|other| other.keys.contains(&key)) {
            // What it has handed over is counted; what it has not is the other's to send.
            other.keys.retain(|fed| *fed != key);
            let code = Refusal::TakenOver as u32;
            other.answer(Answer { kind: REFUSED, code, key, number: 0, t_ns: 0 });
            other.flush();
        }
    }

    /// One turn of each feed. Returns whether one has more.
    fn serve(&mut self) -> bool {
        let mut more = false;
        let mut sessions = std::mem::take(&mut self.sessions);
        sessions.retain_mut(|session| {
            let (alive, left) = self.turn(session);
            more |= left;
            alive && !session.keys.is_empty()
        });
        self.sessions = sessions;
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        *open = self.sessions.iter().chain(waiting.iter()).map(|session| session.uid).collect();
        more
    }

    /// Whether the feed lives on, and whether it has more.
    fn turn(&mut self, session: &mut Session) -> (bool, bool) {
        let mut packet = [0u8; PACKET_BYTES + 1];
        for _ in 0..TURN {
            if session.is_gone() || !session.flush() {
                return (false, false);
            }
            if session.is_owed() || session.is_full() {
                return (true, false);
            }
            match session.read(&mut packet) {
                Read::Packet(n) => self.packet(session, &packet[..n]),
                Read::Empty => return (true, false),
                Read::Gone => return (false, false),
            }
        }
        (session.flush(), true)
    }

    fn settle(&mut self) {
        let now_ns = boottime_ns();
        for (key, fed) in &self.fed {
            if let (Some(line), Some(filter)) = (self.lines.get(key), &fed.filter) {
                // A step that fails now is tried again in a moment.
                let _ = line.settle(self.bank.as_ref(), fed.line, filter, now_ns);
            }
        }
        let (fed, written) = (&self.fed, &self.written);
        for session in &mut self.sessions {
            session.settle(|reading| {
                let is_read = fed.get(&reading.key).is_some_and(|fed| fed.filter.is_none());
                if !is_read {
                    return Some(Err(Refusal::NotFed));
                }
                (reading.t_ns <= written.until_ns(reading.key)).then_some(Ok(()))
            });
            // One that has gone is noticed when it is read.
            session.flush();
        }
    }

    /// Tells the engine which meters nobody feeds.
    fn tell(&mut self) {
        for (key, fed) in &self.fed {
            let now = self.sessions.iter().any(|session| session.keys.contains(key));
            if self.told.get(key) != Some(&now) {
                let nobody = if fed.filter.is_some() { NOBODY } else { NOBODY_READS };
                let health = (!now).then(|| nobody.to_owned());
                // What found the queue full is told the next time.
                if self.queue.push(Input::Health(fed.line, health)) {
                    self.told.insert(*key, now);
                }
            }
        }
    }

    fn wait(&mut self) {
        let now_ns = boottime_ns();
        let due = self.fed.iter().filter_map(|(key, fed)| {
            self.lines.get(key)?.due_ns(self.bank.as_ref(), fed.line, fed.filter.as_ref()?)
        });
        let until_ns = due.min().unwrap_or(u64::MAX).min(self.looked_ns + LOOK_NS);
        let left_ns = until_ns.saturating_sub(now_ns).max(1_000_000);
        let timeout =
            Timespec { tv_sec: (left_ns / 1_000_000_000) as _, tv_nsec: (left_ns % 1_000_000_000) as _ };
        let wake = self.shared.as_fd();
        let mut fds = vec![PollFd::new(&wake, PollFlags::IN)];
        for session in &self.sessions {
            let events = if session.is_owed() {
                PollFlags::OUT
            } else if session.is_full() {
                // The disk wakes this thread; that it has ended is told whether asked for or not.
                PollFlags::empty()
            } else {
                PollFlags::IN
            };
            fds.push(PollFd::new(session.socket(), events));
        }
        let polled = poll(&mut fds, Some(&timeout)).is_ok();
        let woken = polled && fds[0].revents().contains(PollFlags::IN);
        let hung = |fd: &PollFd<'_>| polled && fd.revents().intersects(PollFlags::HUP | PollFlags::ERR);
        let hung: Vec<bool> = fds[1..].iter().map(hung).collect();
        drop(fds);
        for (session, hung) in self.sessions.iter_mut().zip(hung) {
            // Of one that is read its end comes behind all that it has sent.
            if hung && session.is_full() {
                session.hang_up();
            }
        }
        if woken {
            let mut count = [0u8; 8];
            let _ = rustix::io::read(self.shared.wake.as_fd(), &mut count);
        }
    }
}
