// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sockets of subscriptions: asking for them, reading them.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gasd_abi::stream::{Message, POSITIONS, READING, RECORD_BYTES, Record};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use crate::abi::result::gasd_result;
use crate::exports::codes::gasd_state;
use crate::sdbus::To;

use super::calls::{ANSWER_NS, Asked};
use super::core::{Core, MANAGER, ROOT, SERVICE};
use super::live::Last;
use super::out::{Listener, Out};
use super::subscription::{Subscription, foreign, known};
use super::wait::{boottime_ns, monotonic_ns};

/// Records of one subscription that are read in one step.
const BATCH: usize = 256;

/// Why reading stopped.
enum Stop {
    Empty,
    Enough,
    Ended,
    /// It is of a version that is not known; in words.
    Foreign(String),
}

impl Core {
    /// Asks for the streams that are missing.
    pub fn open_streams(&mut self) {
        if self.state != gasd_state::GASD_STATE_READY {
            return;
        }
        let missing = |one: &&mut Subscription| {
            one.wants_stream() && one.socket.is_none() && !one.asked && !one.has_ended()
        };
        let (mut wanted, now_ns) = (Vec::new(), monotonic_ns());
        for one in self.subscriptions.iter_mut().filter(missing) {
            if one.not_before_ns > now_ns {
                self.ask_at_ns = self.ask_at_ns.min(one.not_before_ns);
                continue;
            }
            one.asked = true;
            wanted.push((one.number, one.meters.clone(), one.kinds.clone()));
        }
        for (number, meters, kinds) in wanted {
            let to = To { service: SERVICE, path: ROOT, interface: MANAGER, member: "Subscribe" };
            let asked = self.ask(to, Asked::Subscribe(number), ANSWER_NS, |_, message| {
                message.put_options(&[("Meters", &meters), ("Kinds", &kinds)], &[])
            });
            if asked.is_err()
                && let Some(one) = self.subscriptions.iter_mut().find(|one| one.number == number)
            {
                one.asked = false;
            }
        }
    }

    /// A live handle was made: gasd is asked for its page, and readings are followed for where it has none.
    pub fn add_live(&mut self) {
        self.lives += 1;
        if self.lives > 1 {
            return;
        }
        let listener = Arc::new(Listener::nobody());
        let number = self.number();
        self.readings = Some(listener.clone());
        self.subscriptions.push(Subscription::of_readings(number, listener));
        if self.state == gasd_state::GASD_STATE_READY {
            self.ask_live();
        }
        self.open_streams();
        self.rearm();
    }

    /// A live handle was freed.
    pub fn drop_live(&mut self) {
        self.lives = self.lives.saturating_sub(1);
        if self.lives == 0
            && let Some(listener) = self.readings.take()
        {
            listener.ended.store(true, Ordering::Release);
            self.live.clear();
            self.forget_ended();
        }
    }

    /// The names are known: what waited for them is read.
    pub fn resume_streams(&mut self) {
        for one in self.subscriptions.iter_mut().filter(|one| one.renamed) {
            one.renamed = false;
            let Some(socket) = &one.socket else { continue };
            if self.wait.add(socket.as_fd(), one.number).is_err() {
                // As if gasd had closed it: it is asked for again.
                (one.socket, one.asked) = (None, false);
                one.away_since_ns.get_or_insert_with(boottime_ns);
            }
        }
    }

    /// Reads the streams that have something. Returns whether one has more.
    pub fn read_streams(&mut self, ready: &[u64]) -> bool {
        let (mut more, mut ended, mut renamed) = (false, false, false);
        for at in 0..self.subscriptions.len() {
            if !ready.contains(&self.subscriptions[at].number) {
                continue;
            }
            match self.read_stream(at) {
                Stop::Empty => {}
                Stop::Enough => more = true,
                // Asked for again with the next connection.
                Stop::Foreign(why) => {
                    self.failed(
                        Asked::Subscribe(self.subscriptions[at].number),
                        gasd_result::GASD_UNSUPPORTED,
                        &why,
                    );
                }
                Stop::Ended => ended = true,
            }
            renamed |= self.subscriptions[at].renamed;
        }
        if ended {
            // gasd closes streams when it ends, which the bus says, too; or it gave this one up.
            self.open_streams();
        }
        // An answer that is under way may be older than the new names: then it is asked for once more.
        if renamed && self.owner.is_some() {
            self.ask_what_it_has();
        }
        more
    }

    fn read_stream(&mut self, at: usize) -> Stop {
        let mut events = std::mem::take(&mut self.scratch);
        let mut stop = Stop::Enough;
        for _ in 0..BATCH {
            let one = &mut self.subscriptions[at];
            // Behind a new numbering names must be read first.
            if one.renamed {
                stop = Stop::Empty;
                break;
            }
            if let Some(record) = one.take_held() {
                // What has no name even now is gone again.
                one.record(&record, &self.house, &mut events);
            }
            let Some(socket) = &one.socket else {
                stop = Stop::Empty;
                break;
            };
            let mut bytes = [0u8; RECORD_BYTES];
            match recv(socket.as_fd(), &mut bytes, RecvFlags::DONTWAIT | RecvFlags::TRUNC) {
                Ok((_, RECORD_BYTES)) => {
                    let record = Record::from_bytes(&bytes);
                    if let Some(why) = foreign(&record) {
                        stop = Stop::Foreign(why);
                        break;
                    }
                    if let Some(Message::Valve { position, fault, .. }) = record.message() {
                        self.house.valve_moved(record.key, known(&POSITIONS, position), fault != 0);
                    }
                    if record.kind == READING {
                        self.live.reading(record.key, Last { t_ns: record.t_ns, words: record.body });
                    }
                    if !one.record(&record, &self.house, &mut events) {
                        one.hold(record);
                    }
                }
                Ok((_, 0)) => stop = Stop::Ended,
                // A packet that is none of ours, shorter or longer.
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => stop = Stop::Empty,
                Err(_) => stop = Stop::Ended,
            }
            if !matches!(stop, Stop::Enough) {
                break;
            }
        }
        let one = &mut self.subscriptions[at];
        if matches!(stop, Stop::Ended | Stop::Foreign(_))
            && let Some(socket) = one.socket.take()
        {
            self.wait.remove(socket.as_fd());
            one.away_since_ns.get_or_insert_with(boottime_ns);
        }
        // What nobody reads now must not wake the program again and again.
        if one.renamed
            && let Some(socket) = &one.socket
        {
            self.wait.remove(socket.as_fd());
        }
        let listener = &one.listener;
        self.out.extend(events.drain(..).map(|event| Out::Event(listener.clone(), event)));
        self.scratch = events;
        stop
    }
}
