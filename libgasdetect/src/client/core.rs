// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client's inside: the connection, what was asked, what waits to be told. One thread at a time is in here,
//! and no callback is made from here.

use std::collections::{HashMap, VecDeque};
use std::ffi::CString;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::abi::result::{Failure, gasd_result};
use crate::abi::text::c_string;
use crate::exports::codes::gasd_state;
use crate::exports::events::gasd_done_fn;
use crate::sdbus::{Bus, Message, To};

use super::feeder::Feeder;
use super::house::House;
use super::live::Table;
use super::out::{Data, Event, Listener, Out};
use super::subscription::Subscription;
use super::wait::{FIRST_NUMBER, Wait, boottime_ns, monotonic_ns};

/// The name of the service and of its root object.
pub const SERVICE: &str = "io.gasd1";
pub const ROOT: &str = "/io/gasd1";
pub const MANAGER: &str = "io.gasd1.Manager";
/// The bus itself.
const BUS_SERVICE: &str = "org.freedesktop.DBus";

/// How long a request may take: a person may have to type a password, and gasd gives up after 60 s.
pub const REQUEST_NS: u64 = 90_000_000_000;
/// How long an answer may take that needs nobody.
pub const ANSWER_NS: u64 = 25_000_000_000;
/// The bus is tried again after so long, at first and at the most.
const RETRY_NS: std::ops::RangeInclusive<u64> = 100_000_000..=5_000_000_000;
/// Requests of one client under way.
pub const MOST_CALLS: usize = 256;

/// What an answer is to.
#[derive(Debug)]
pub enum Asked {
    Match,
    Owner,
    Version,
    Objects,
    Subscribe(u64),
    Feed(u64),
    Live,
    Request { done: gasd_done_fn, data: Data, cookie: bool },
}

#[derive(Debug)]
pub struct Call {
    pub asked: Asked,
    until_ns: u64,
}

/// The inside.
#[derive(Debug)]
pub struct Core {
    address: String,
    /// Owner of the holds that this client places.
    pub app: String,
    pub wait: Wait,
    bus: Option<Bus>,
    /// The bus has taken us in.
    pub hello: bool,
    retry_at_ns: u64,
    retry_ns: u64,
    pub state: gasd_state,
    pub text: Arc<CString>,
    /// gasd's unique name.
    pub owner: Option<String>,
    pub version: String,
    pub calls: HashMap<u64, Call>,
    pub house: House,
    /// The house is being asked for; another time once the answer is there.
    pub asking: bool,
    pub ask_again: bool,
    /// When it is asked for again because no answer came, `CLOCK_MONOTONIC`; `u64::MAX` for never.
    pub ask_at_ns: u64,
    pub subscriptions: Vec<Subscription>,
    pub feeds: Vec<Feeder>,
    /// Live handles look here; how many there are.
    pub live: Arc<Table>,
    pub lives: usize,
    /// The subscription that follows readings for them.
    pub readings: Option<Arc<Listener>>,
    pub out: VecDeque<Out>,
    next_number: u64,
    pub scratch: Vec<Event>,
}

impl Core {
    /// Not connected yet; the first dispatch begins.
    ///
    /// # Errors
    /// What the system said.
    pub fn new(address: String, app: String) -> io::Result<Core> {
        let mut core = Core {
            address,
            app,
            wait: Wait::new()?,
            bus: None,
            hello: false,
            retry_at_ns: 0,
            retry_ns: *RETRY_NS.start(),
            state: gasd_state::GASD_STATE_NO_BUS,
            text: Arc::new(c_string("not connected yet")),
            owner: None,
            version: String::new(),
            calls: HashMap::new(),
            house: House::default(),
            asking: false,
            ask_again: false,
            ask_at_ns: u64::MAX,
            subscriptions: Vec::new(),
            feeds: Vec::new(),
            live: Arc::default(),
            lives: 0,
            readings: None,
            out: VecDeque::new(),
            next_number: FIRST_NUMBER,
            scratch: Vec::new(),
        };
        core.wait.wake_at(0)?;
        Ok(core)
    }

    /// A number for a subscription or feed.
    pub fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// It stands otherwise.
    pub fn say(&mut self, state: gasd_state, text: &str) {
        if self.state == state && self.text.as_bytes() == text.as_bytes() {
            return;
        }
        (self.state, self.text) = (state, Arc::new(c_string(text)));
        let listeners: Vec<Arc<Listener>> =
            self.subscriptions.iter().map(|one| one.listener.clone()).collect();
        listeners.into_iter().for_each(|listener| self.tell_state(listener));
    }

    /// How it stands, to one who asked to be told.
    pub fn tell_state(&mut self, listener: Arc<Listener>) {
        if listener.handlers.state.is_some() {
            let event = Event::State { state: self.state as u32, text: self.text.clone() };
            self.out.push_back(Out::Event(listener, event));
        }
    }

    /// Begins to connect when it is time.
    pub fn connect(&mut self, now_ns: u64) {
        if self.bus.is_some() || now_ns < self.retry_at_ns {
            return;
        }
        match Bus::open(&self.address) {
            Ok(bus) => (self.bus, self.hello) = (Some(bus), false),
            Err(error) => self.bus_lost(&error, now_ns),
        }
    }

    /// The connection has ended, or never began.
    pub fn bus_lost(&mut self, error: &io::Error, now_ns: u64) {
        self.wait.forget_bus();
        (self.bus, self.hello, self.owner, self.asking, self.ask_again) = (None, false, None, false, false);
        self.retry_at_ns = now_ns + self.retry_ns;
        self.retry_ns = (2 * self.retry_ns).min(*RETRY_NS.end());
        self.give_up(
            |_| true,
            gasd_result::GASD_CANCELLED,
            "the connection to the bus ended before the answer came",
        );
        let text = format!("the bus \"{}\" cannot be reached: {error}; trying again", self.address);
        self.say(gasd_state::GASD_STATE_NO_BUS, &text);
    }

    /// The bus has taken us in: who is gasd, and what does it have?
    pub fn begin(&mut self) -> io::Result<()> {
        self.hello = true;
        self.retry_ns = *RETRY_NS.start();
        let rules = [
            "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='io.gasd1'",
            "type='signal',sender='io.gasd1',interface='io.gasd1.Manager'",
            "type='signal',sender='io.gasd1',interface='org.freedesktop.DBus.ObjectManager'",
            "type='signal',sender='io.gasd1',interface='org.freedesktop.DBus.Properties',arg0='io.gasd1.Valve'",
        ];
        for rule in rules {
            self.ask_bus("AddMatch", Asked::Match, rule)?;
        }
        self.ask_bus("GetNameOwner", Asked::Owner, SERVICE)
    }

    fn ask_bus(&mut self, member: &str, asked: Asked, argument: &str) -> io::Result<()> {
        let to = To { service: BUS_SERVICE, path: "/org/freedesktop/DBus", interface: BUS_SERVICE, member };
        self.ask(to, asked, ANSWER_NS, |_, message| message.put_str(argument))
    }

    /// Sends a call.
    ///
    /// # Errors
    /// What the system said, or that there is no bus.
    pub fn ask(
        &mut self,
        to: To<'_>,
        asked: Asked,
        within_ns: u64,
        fill: impl FnOnce(&Core, &mut Message) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(mut bus) = self.bus.take() else { return Err(io::Error::from(io::ErrorKind::NotConnected)) };
        let cookie = bus.call(to, |message| fill(self, message));
        self.bus = Some(bus);
        let cookie = cookie?;
        self.calls.insert(cookie, Call { asked, until_ns: monotonic_ns() + within_ns });
        Ok(())
    }

    /// A request of the program's: its answer is told by a callback.
    ///
    /// # Errors
    /// When it cannot even be asked.
    pub fn request(
        &mut self,
        to: To<'_>,
        asked: Asked,
        fill: impl FnOnce(&Core, &mut Message) -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.check_ready()?;
        if self.calls.len() >= MOST_CALLS {
            let message = format!("{MOST_CALLS} requests are under way already; dispatch first");
            return Err(Failure::new(gasd_result::GASD_LIMIT, message));
        }
        self.ask(to, asked, REQUEST_NS, fill).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => {
                Failure::new(gasd_result::GASD_INVALID, "an argument cannot be sent")
            }
            _ => Failure::system("the request was not sent", error),
        })?;
        self.rearm();
        Ok(())
    }

    /// Whether gasd can be asked.
    ///
    /// # Errors
    /// `GASD_NOT_CONNECTED`, with the reason.
    pub fn check_ready(&self) -> Result<(), Failure> {
        if self.state == gasd_state::GASD_STATE_READY {
            return Ok(());
        }
        Err(Failure::new(gasd_result::GASD_NOT_CONNECTED, self.text.to_string_lossy().into_owned()))
    }

    /// Gives up what was asked and tells those who wait for it.
    pub fn give_up(&mut self, which: impl Fn(&Asked) -> bool, result: gasd_result, why: &str) {
        let gone: Vec<u64> =
            self.calls.iter().filter(|(_, call)| which(&call.asked)).map(|(cookie, _)| *cookie).collect();
        for cookie in gone {
            if let Some(call) = self.calls.remove(&cookie) {
                self.failed(call.asked, result, why);
            }
        }
    }

    fn expire(&mut self, now_ns: u64) {
        let late: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| call.until_ns <= now_ns)
            .map(|(cookie, _)| *cookie)
            .collect();
        for cookie in late {
            if let Some(call) = self.calls.remove(&cookie) {
                self.failed(
                    call.asked,
                    gasd_result::GASD_TIMED_OUT,
                    "no answer in time; what was asked for may still be done",
                );
            }
        }
    }

    /// Everything that can be done now, in bounds. Returns whether more may be waiting.
    pub fn step(&mut self) -> bool {
        let now_ns = monotonic_ns();
        let mut ready = Vec::new();
        if let Err(error) = self.wait.ready(&mut ready) {
            let text = format!("the client's descriptor cannot be waited for: {error}");
            self.say(self.state, &text);
        }
        self.connect(now_ns);
        self.expire(now_ns);
        if self.ask_at_ns <= now_ns && self.owner.is_some() {
            self.ask_what_it_has();
        }
        let mut more = self.drive_bus(now_ns);
        more |= self.read_streams(&ready);
        self.serve_feeds(&ready, now_ns);
        self.forget_ended();
        self.rearm();
        more
    }

    /// Messages of the bus that are worked off in one step.
    const BATCH: usize = 256;

    fn drive_bus(&mut self, now_ns: u64) -> bool {
        for _ in 0..Self::BATCH {
            let Some(bus) = &mut self.bus else { return false };
            let step = bus.process();
            match step {
                Ok(Some(message)) => {
                    if let Some(message) = message {
                        self.message(message);
                    }
                }
                Ok(None) => {
                    if !self.hello && self.bus.as_mut().is_some_and(|bus| bus.is_ready().unwrap_or(false)) {
                        if let Err(error) = self.begin() {
                            self.bus_lost(&error, now_ns);
                        }
                        continue;
                    }
                    return false;
                }
                Err(error) => {
                    self.bus_lost(&error, now_ns);
                    return false;
                }
            }
        }
        true
    }

    /// Waits for what is to come.
    pub fn rearm(&mut self) {
        let mut until_ns = u64::MAX;
        if let Some(bus) = &mut self.bus {
            let events = bus.events().unwrap_or(0) as u32;
            until_ns = bus.timeout_us().unwrap_or(0).saturating_mul(1_000);
            let followed = bus.borrow_fd().and_then(|fd| self.wait.follow_bus(Some((fd, events))));
            if followed.is_err() {
                // Found out by the next step.
                until_ns = 0;
            }
        } else {
            until_ns = until_ns.min(self.retry_at_ns);
        }
        let calls = self.calls.values().map(|call| call.until_ns).min();
        let feeds = self.feeds.iter().filter_map(Feeder::again_at_ns).min();
        if self.owner.is_some() {
            until_ns = until_ns.min(self.ask_at_ns);
        }
        let until_ns = until_ns.min(calls.unwrap_or(u64::MAX)).min(feeds.unwrap_or(u64::MAX));
        let until_ns = if self.out.is_empty() { until_ns } else { 0 };
        // A timer that cannot be set is a system without memory for it: the next event wakes us.
        let _ = self.wait.wake_at(until_ns);
    }

    /// Closes what was freed.
    pub fn forget_ended(&mut self) {
        let wait = &self.wait;
        self.subscriptions.retain(|one| {
            if one.has_ended() {
                one.socket.iter().for_each(|socket| wait.remove(socket.as_fd()));
            }
            !one.has_ended()
        });
        self.feeds.retain(|one| {
            if one.ended.load(Ordering::Acquire) {
                one.stop(wait);
            }
            !one.ended.load(Ordering::Acquire)
        });
    }

    /// Since when gasd has been away, for those who are to be told of a gap.
    pub fn note_away(&mut self) {
        let now_ns = boottime_ns();
        for one in self.subscriptions.iter_mut().filter(|one| one.wants_stream()) {
            one.away_since_ns.get_or_insert(now_ns);
        }
    }
}
