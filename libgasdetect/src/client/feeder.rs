// SPDX-License-Identifier: MIT OR Apache-2.0
//! The feeds of a client: asking gasd for their sockets, and what becomes of those.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gasd_abi::feed::Refusal;

use crate::abi::result::gasd_result;
use crate::abi::text::c_string;
use crate::exports::codes::gasd_feed_state;
use crate::exports::events::gasd_feed_fn;
use crate::sdbus::To;

use super::calls::{ANSWER_NS, Asked};
use super::core::{Core, MANAGER, ROOT, SERVICE};
use super::feed::{Feed, Socket};
use super::out::{Data, Out};
use super::wait::{PAUSE_NS, Wait, monotonic_ns};

/// A refused feed is tried again after so long: the configuration may have changed.
const AGAIN_NS: u64 = 60_000_000_000;

/// What the thread that pushes and the one that dispatches share.
#[derive(Debug)]
pub struct Shared {
    feed: Mutex<Feed>,
    /// Names it in the client.
    pub number: u64,
}

impl Shared {
    /// A feed with its number.
    pub fn new(feed: Feed, number: u64) -> Arc<Shared> {
        Arc::new(Shared { feed: Mutex::new(feed), number })
    }

    /// The feed; one thread at a time.
    pub fn lock(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A feed as the client knows it.
#[derive(Debug)]
pub struct Feeder {
    pub shared: Arc<Shared>,
    pub meter: String,
    pub call: gasd_feed_fn,
    pub data: Data,
    pub ended: Arc<AtomicBool>,
    asked: bool,
    state: gasd_feed_state,
    result: gasd_result,
    refused: u64,
    again_at_ns: Option<u64>,
    /// Its socket is not asked for again before, `CLOCK_MONOTONIC`.
    not_before_ns: u64,
}

impl Feeder {
    /// One that was not asked for yet.
    pub fn new(
        shared: Arc<Shared>,
        meter: String,
        call: gasd_feed_fn,
        data: Data,
        ended: Arc<AtomicBool>,
    ) -> Feeder {
        Feeder {
            shared,
            meter,
            call,
            data,
            ended,
            asked: false,
            state: gasd_feed_state::GASD_FEED_WAITING,
            result: gasd_result::GASD_NOT_CONNECTED,
            refused: 0,
            again_at_ns: None,
            not_before_ns: 0,
        }
    }

    /// When gasd is asked again, if it refused.
    pub fn again_at_ns(&self) -> Option<u64> {
        self.again_at_ns
    }

    /// A refusal was read by a thread that does not dispatch, and is to be told.
    pub fn has_news(&self) -> bool {
        let feed = self.shared.lock();
        feed.refused != self.refused || feed.foreign.is_some() && feed.socket().is_some()
    }

    /// How it stands, and why.
    pub fn standing(&self) -> (gasd_feed_state, gasd_result) {
        (self.state, self.result)
    }

    /// Closes its socket.
    pub fn stop(&self, wait: &Wait) {
        if let Some(socket) = self.shared.lock().disconnect() {
            wait.remove(socket.as_fd());
        }
    }

    fn stands(&mut self, state: gasd_feed_state, result: gasd_result, text: &str) -> Option<Out> {
        let refused = self.shared.lock().refused;
        if (self.state, self.result, self.refused) == (state, result, refused) {
            return None;
        }
        (self.state, self.result, self.refused) = (state, result, refused);
        Some(Out::Feed {
            call: self.call,
            data: self.data,
            ended: self.ended.clone(),
            state: state as u32,
            result,
            text: c_string(text),
            refused,
        })
    }
}

impl Core {
    /// Asks for the sockets that are missing.
    pub fn open_feeds(&mut self) {
        let missing = |one: &&mut Feeder| {
            !one.asked && one.again_at_ns.is_none() && one.shared.lock().socket().is_none()
        };
        let mut wanted = Vec::new();
        for one in self.feeds.iter_mut().filter(missing) {
            one.asked = true;
            wanted.push((one.shared.number, one.meter.clone()));
        }
        for (number, meter) in wanted {
            let to = To { service: SERVICE, path: ROOT, interface: MANAGER, member: "Feed" };
            let asked = self.ask(to, Asked::Feed(number), ANSWER_NS, |_, message| {
                message.put_options(&[("Meters", std::slice::from_ref(&meter))], &[])
            });
            if asked.is_err() {
                self.feeds
                    .iter_mut()
                    .filter(|one| one.shared.number == number)
                    .for_each(|one| one.asked = false);
            }
        }
    }

    /// gasd handed out a socket.
    pub fn feed_ready(&mut self, number: u64, socket: OwnedFd) -> io::Result<()> {
        let Some(one) = self.feeds.iter_mut().find(|one| one.shared.number == number) else { return Ok(()) };
        one.asked = false;
        self.wait.add(socket.as_fd(), number)?;
        one.shared.lock().connect(socket);
        one.not_before_ns = monotonic_ns() + PAUSE_NS;
        let out =
            one.stands(gasd_feed_state::GASD_FEED_READY, gasd_result::GASD_OK, "gasd takes the entries");
        self.out.extend(out);
        self.serve_feed(number);
        Ok(())
    }

    /// gasd handed out none.
    pub fn feed_refused(&mut self, number: u64, result: gasd_result, why: &str) {
        let now_ns = monotonic_ns();
        let Some(one) = self.feeds.iter_mut().find(|one| one.shared.number == number) else { return };
        one.asked = false;
        let away = matches!(result, gasd_result::GASD_CANCELLED | gasd_result::GASD_NOT_CONNECTED);
        let state = if away {
            gasd_feed_state::GASD_FEED_WAITING
        } else {
            one.again_at_ns = Some(now_ns + AGAIN_NS);
            gasd_feed_state::GASD_FEED_REFUSED
        };
        let out = one.stands(state, result, why);
        self.out.extend(out);
    }

    /// Serves the feeds whose sockets are ready, and asks again for those that were refused long ago.
    pub fn serve_feeds(&mut self, ready: &[u64], now_ns: u64) {
        let due = |one: &&Feeder| ready.contains(&one.shared.number) || one.has_news();
        let numbers: Vec<u64> = self.feeds.iter().filter(due).map(|one| one.shared.number).collect();
        numbers.into_iter().for_each(|number| self.serve_feed(number));
        let mut due = false;
        for one in self.feeds.iter_mut().filter(|one| one.again_at_ns.is_some_and(|at| at <= now_ns)) {
            (one.again_at_ns, due) = (None, true);
        }
        if due && self.owner.is_some() {
            self.open_feeds();
        }
    }

    fn serve_feed(&mut self, number: u64) {
        let Some(one) = self.feeds.iter_mut().find(|one| one.shared.number == number) else { return };
        let mut feed = one.shared.lock();
        let mut socket = feed.answers();
        if socket != Socket::Gone {
            socket = feed.flush();
        }
        if socket == Socket::Gone {
            if let Some(old) = feed.disconnect() {
                self.wait.remove(old.as_fd());
            }
        } else if let Some(open) = feed.socket() {
            self.wait.want_room(open.as_fd(), number, socket == Socket::Full);
        }
        let (why, foreign) = (feed.why, feed.foreign);
        drop(feed);
        let (state, result, text) = match (socket, why) {
            (Socket::Gone, _) => (
                gasd_feed_state::GASD_FEED_WAITING,
                gasd_result::GASD_NOT_CONNECTED,
                "gasd closed the feed; asking again",
            ),
            (_, None) => (gasd_feed_state::GASD_FEED_READY, gasd_result::GASD_OK, "gasd takes the entries"),
            // None of them will be taken before the meter is configured otherwise.
            (_, Some(why @ Refusal::NotFed)) => {
                (gasd_feed_state::GASD_FEED_REFUSED, gasd_result::GASD_REFUSED, words(why))
            }
            (_, Some(why)) => (gasd_feed_state::GASD_FEED_READY, gasd_result::GASD_REFUSED, words(why)),
        };
        // Another feed has taken the meter over: asking for it back at once would begin a quarrel.
        let refused = match (socket, foreign, why) {
            (Socket::Gone, Some(_), _) => Some((gasd_result::GASD_UNSUPPORTED, FOREIGN)),
            (Socket::Gone, None, Some(why @ Refusal::TakenOver)) => {
                Some((gasd_result::GASD_REFUSED, words(why)))
            }
            _ => None,
        };
        let now_ns = monotonic_ns();
        let (state, result, text) = if let Some((result, text)) = refused {
            one.again_at_ns = Some(now_ns + AGAIN_NS);
            (gasd_feed_state::GASD_FEED_REFUSED, result, text)
        } else {
            if socket == Socket::Gone && one.not_before_ns > now_ns {
                one.again_at_ns = Some(one.not_before_ns);
            }
            (state, result, text)
        };
        let out = one.stands(state, result, text);
        self.out.extend(out);
        if socket == Socket::Gone && self.owner.is_some() {
            self.open_feeds();
        }
    }

    /// The feeds' calls were given up: they are asked for again.
    pub fn forget_asked(&mut self) {
        self.subscriptions.iter_mut().for_each(|one| (one.asked, one.not_before_ns) = (false, 0));
        self.feeds.iter_mut().for_each(|one| (one.asked, one.again_at_ns) = (false, None));
    }
}

impl std::fmt::Display for super::feed::Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            super::feed::Rejected::Full => {
                write!(
                    f,
                    "{} entries wait for gasd already; dispatch, and if that does not help `gasctl status` says \
                     whether its disk takes anything",
                    super::feed::MOST_KEPT
                )
            }
            super::feed::Rejected::Future { now_ns } => {
                write!(f, "its time has not come yet: it is {now_ns} ns now; times are CLOCK_BOOTTIME")
            }
            super::feed::Rejected::Order { last_ns } => {
                write!(f, "times must rise: the entry before was at {last_ns} ns")
            }
        }
    }
}

/// What the greeting said is of no use to a person: the releases are.
const FOREIGN: &str =
    "gasd's feeds are of a version that this library does not know; install a newer libgasdetect1";

fn words(why: Refusal) -> &'static str {
    match why {
        Refusal::NotFed => {
            "entries were refused: the meter is not configured for this kind of feed (any more)"
        }
        Refusal::Time => {
            "entries were refused: their time is in the future or too long ago; times are CLOCK_BOOTTIME"
        }
        Refusal::Malformed => "entries were refused: gasd did not understand the packet",
        Refusal::Level => "entries were refused: a level is none of gasd_level",
        Refusal::TakenOver => "another program has taken over this meter's feed",
    }
}
