// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client's inside: the connection, what was asked, what waits to be told. One thread at a time is in here,
//! and no callback is made from here.

use std::collections::{HashMap, VecDeque};
use std::ffi::CString;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::abi::result::gasd_result;
use crate::abi::text::c_string;
use crate::exports::codes::gasd_state;
use crate::sdbus::Bus;

use super::calls::{Asked, Call};
use super::feeder::Feeder;
use super::house::House;
use super::live::Table;
use super::out::{Event, Listener, Out};
use super::subscription::Subscription;
use super::wait::{FIRST_NUMBER, Wait, monotonic_ns};

/// The name of the service and of its root object.
pub const SERVICE: &str = "io.gasd1";
pub const ROOT: &str = "/io/gasd1";
pub const MANAGER: &str = "io.gasd1.Manager";
/// The bus itself.
pub const BUS_SERVICE: &str = "org.freedesktop.DBus";

/// The bus is tried again after so long, at first and at the most.
const RETRY_NS: std::ops::RangeInclusive<u64> = 100_000_000..=5_000_000_000;
/// The inside.
#[derive(Debug)]
pub struct Core {
    address: String,
    /// Owner of the holds that this client places.
    pub app: String,
    pub wait: Wait,
    pub bus: Option<Bus>,
    /// The bus has taken us in.
    pub hello: bool,
    retry_at_ns: u64,
    retry_ns: u64,
    /// It was freed.
    closed: bool,
    pub state: gasd_state,
    pub text: Arc<CString>,
    /// gasd's unique name.
    pub owner: Option<String>,
    /// It has not said yet what it has.
    pub anew: bool,
    pub version: String,
    pub calls: HashMap<u64, Call>,
    pub house: House,
    /// The house is being asked for; another time once the answer is there.
    pub asking: bool,
    pub ask_again: bool,
    /// When it is asked for again because no answer came, `CLOCK_MONOTONIC`; `u64::MAX` for never.
    pub ask_at_ns: u64,
    /// The program may not know what gasd has; the text says why.
    pub denied: bool,
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
            closed: false,
            state: gasd_state::GASD_STATE_NO_BUS,
            text: Arc::new(c_string("not connected yet")),
            owner: None,
            anew: false,
            version: String::new(),
            calls: HashMap::new(),
            house: House::default(),
            asking: false,
            ask_again: false,
            ask_at_ns: u64::MAX,
            denied: false,
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
        self.forget_denied();
        (self.bus, self.hello, self.owner, self.asking, self.ask_again) = (None, false, None, false, false);
        self.version.clear();
        // Whether gasd is there nobody says now.
        self.live.set_away(true);
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
        self.ask_owner()
    }

    /// Asks who is gasd.
    pub fn ask_owner(&mut self) -> io::Result<()> {
        self.ask_bus("GetNameOwner", Asked::Owner, SERVICE)
    }

    /// Everything that can be done now, in bounds. Returns whether more may be waiting.
    pub fn step(&mut self) -> bool {
        if self.closed {
            return false;
        }
        let now_ns = monotonic_ns();
        let mut ready = Vec::new();
        if let Err(error) = self.wait.ready(&mut ready) {
            let text = format!("the client's descriptor cannot be waited for: {error}");
            self.say(self.state, &text);
        }
        self.connect(now_ns);
        let mut more = self.drive_bus(now_ns);
        // Behind what came: an answer is not late because the program was.
        if !more {
            self.expire(now_ns);
        }
        if self.ask_at_ns <= now_ns && self.owner.is_some() {
            self.ask_what_it_has();
        }
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
            let followed = bus.borrow_fd().and_then(|fd| self.wait.follow_bus(fd, events));
            if followed.is_err() {
                // Found out by the next step.
                until_ns = 0;
            }
        } else {
            until_ns = until_ns.min(self.retry_at_ns);
        }
        if self.closed {
            // Whoever still waits is to find out.
            until_ns = 0;
        }
        let calls = self.calls.values().map(|call| call.until_ns).min();
        let feeds = self.feeds.iter().filter_map(Feeder::again_at_ns).min();
        if self.feeds.iter().any(Feeder::has_news) {
            until_ns = 0;
        }
        if self.owner.is_some() {
            until_ns = until_ns.min(self.ask_at_ns);
        }
        let until_ns = until_ns.min(calls.unwrap_or(u64::MAX)).min(feeds.unwrap_or(u64::MAX));
        let until_ns = if self.out.is_empty() { until_ns } else { 0 };
        // A timer that cannot be set is a system without memory for it: the next event wakes us.
        let _ = self.wait.wake_at(until_ns);
    }

    /// The client is freed: nothing is connected any more, and nobody is told. What feeds hold is handed over as
    /// far as their sockets have room.
    pub fn close(&mut self) {
        self.closed = true;
        for one in self.feeds.drain(..) {
            one.shared.lock().flush();
            one.stop(&self.wait);
        }
        for socket in self.subscriptions.drain(..).filter_map(|one| one.socket) {
            self.wait.remove(socket.as_fd());
        }
        self.wait.forget_bus();
        (self.bus, self.owner, self.readings) = (None, None, None);
        (self.state, self.text) = (gasd_state::GASD_STATE_NO_BUS, Arc::new(c_string("the client was freed")));
        self.calls.clear();
        self.out.clear();
        self.live.clear();
        self.rearm();
    }

    /// Whether a verdict waits, as far as anybody was told.
    pub fn knows_verdict(&self, id: u64) -> bool {
        self.house.verdicts.contains_key(&id) || self.subscriptions.iter().any(|one| one.verdicts.waits(id))
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
}
