// SPDX-License-Identifier: MIT OR Apache-2.0
//! What comes over the bus: answers, refusals, signals.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::net::{SocketType, sockopt};

use crate::abi::result::gasd_result;
use crate::abi::text::c_string;
use crate::exports::codes::gasd_state;
use crate::sdbus::{Kind, Message, To, Value};

use super::calls::{ANSWER_NS, Asked};
use super::core::{BUS_SERVICE, Core, MANAGER, ROOT, SERVICE};
use super::house::{House, Words};
use super::live;
use super::out::{Event, Out};
use super::refusal::{result_of, words_of};

/// What gasd did not say is asked for again after so long.
const ASK_AGAIN_NS: u64 = 1_000_000_000;
/// What the program may not know, after so long: the bus writes each try into the journal.
const DENIED_AGAIN_NS: u64 = 60_000_000_000;

/// The socket in an answer: of any other kind packets would run into each other, or there would be none.
fn packet_socket(message: &mut Message) -> io::Result<OwnedFd> {
    let socket = message.fd()?;
    if sockopt::socket_type(&socket)? != SocketType::SEQPACKET {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the descriptor is no packet socket"));
    }
    Ok(socket)
}

impl Core {
    /// One message.
    pub fn message(&mut self, mut message: Message) {
        match message.kind() {
            Kind::Return(cookie) => {
                if let Some(asked) = self.take_call(cookie, &message.sender())
                    && let Err((asked, error)) = self.answered(asked, &mut message)
                {
                    let why = format!("gasd's answer cannot be read: {error}");
                    self.failed(asked, gasd_result::GASD_UNSUPPORTED, &why);
                }
            }
            Kind::Error(cookie, name, words) => {
                if let Some(asked) = self.take_call(cookie, &message.sender()) {
                    let result = result_of(&name);
                    self.failed(asked, result, &words_of(&name, result, words));
                }
            }
            Kind::Signal(path, interface, member) => {
                // Of a signal that has another shape than is known nothing is believed.
                let _ = self.signal(&path, &interface, &member, &mut message);
            }
            Kind::Other => {}
        }
    }

    fn answered(&mut self, asked: Asked, message: &mut Message) -> Result<(), (Asked, io::Error)> {
        match asked {
            Asked::Match => Ok(()),
            Asked::Owner => {
                message.str(b's').map(|owner| self.gasd_is(owner)).map_err(|error| (asked, error))
            }
            Asked::Version => {
                let mut version = String::new();
                let read = message.properties(|name, value| {
                    if let ("Version", Value::Text(text)) = (name, value) {
                        version = text;
                    }
                });
                self.version = version;
                read.map_err(|error| (asked, error))
            }
            Asked::Objects => {
                House::of(message).map(|house| self.joined(house)).map_err(|error| (asked, error))
            }
            Asked::Subscribe(number) => {
                let subscribed = packet_socket(message).and_then(|socket| {
                    self.wait.add(socket.as_fd(), number)?;
                    let wait = &self.wait;
                    match self.subscriptions.iter_mut().find(|one| one.number == number) {
                        Some(one) => one.connect(socket),
                        None => wait.remove(socket.as_fd()),
                    }
                    Ok(())
                });
                subscribed.map_err(|error| (asked, error))
            }
            Asked::Feed(number) => {
                let fed = packet_socket(message).and_then(|socket| self.feed_ready(number, socket));
                fed.map_err(|error| (asked, error))
            }
            Asked::Live => live::of_answer(message)
                .map(|(pages, lines)| self.live.set(pages, lines))
                .map_err(|error| (asked, error)),
            Asked::Request { done, data, cookie } => {
                let value = if cookie { message.u64() } else { Ok(0) };
                match value {
                    Ok(value) => {
                        let result = gasd_result::GASD_OK;
                        self.out.push_back(Out::Done { done, data, result, text: CString::default(), value });
                        Ok(())
                    }
                    Err(error) => Err((Asked::Request { done, data, cookie }, error)),
                }
            }
        }
    }

    /// What was asked is not to be had.
    pub fn failed(&mut self, asked: Asked, result: gasd_result, why: &str) {
        match asked {
            // Without matches a verdict would come late, by the stream alone; nothing else is lost.
            Asked::Match | Asked::Version => {}
            Asked::Live => self.live.unset(),
            // Whether gasd is there the bus has not said.
            Asked::Owner if result == gasd_result::GASD_TIMED_OUT => drop(self.ask_owner()),
            Asked::Owner => self.gasd_is_away("gasd does not run (`systemctl status gasd`); waiting for it"),
            Asked::Objects => {
                self.asking = false;
                if self.owner.is_some() && result == gasd_result::GASD_DENIED {
                    self.may_not_read(why);
                } else if self.owner.is_some() {
                    self.ask_at_ns = super::wait::monotonic_ns() + ASK_AGAIN_NS;
                    self.say(
                        gasd_state::GASD_STATE_JOINING,
                        &format!("gasd does not say what it has: {why}"),
                    );
                }
            }
            Asked::Subscribe(number) => {
                if let Some(one) = self.subscriptions.iter_mut().find(|one| one.number == number) {
                    // Asked again with the next connection, or when gasd has time.
                    let late = result == gasd_result::GASD_TIMED_OUT;
                    let away = late
                        || result == gasd_result::GASD_CANCELLED
                        || result == gasd_result::GASD_NOT_CONNECTED;
                    one.asked = !away;
                    if late {
                        self.ask_at_ns = super::wait::monotonic_ns() + ASK_AGAIN_NS;
                    }
                    if !away {
                        let event = Event::Refused { result, text: c_string(why) };
                        self.out.push_back(Out::Event(one.listener.clone(), event));
                    }
                }
            }
            Asked::Feed(number) => self.feed_refused(number, result, why),
            Asked::Request { done, data, .. } => {
                self.out.push_back(Out::Done { done, data, result, text: c_string(why), value: 0 });
            }
        }
    }

    /// gasd is there, and the program may not know what it has. A feed is another matter.
    fn may_not_read(&mut self, why: &str) {
        self.denied = true;
        self.ask_at_ns = super::wait::monotonic_ns() + DENIED_AGAIN_NS;
        self.say(gasd_state::GASD_STATE_JOINING, why);
        self.tell_denied();
        self.open_feeds();
    }

    /// Tells each subscription once that the program may not know what gasd has, if so.
    pub fn tell_denied(&mut self) {
        if !self.denied {
            return;
        }
        for one in self.subscriptions.iter_mut().filter(|one| !one.denied) {
            one.denied = true;
            let event = Event::Refused { result: gasd_result::GASD_DENIED, text: self.text.as_ref().clone() };
            self.out.push_back(Out::Event(one.listener.clone(), event));
        }
    }

    /// gasd is there.
    fn gasd_is(&mut self, owner: String) {
        if self.owner.as_ref() == Some(&owner) {
            return;
        }
        (self.owner, self.anew) = (Some(owner), true);
        self.forget_asked();
        self.forget_denied();
        self.say(gasd_state::GASD_STATE_JOINING, "gasd is there; asking it what it has");
        let to = To {
            service: SERVICE,
            path: ROOT,
            interface: "org.freedesktop.DBus.Properties",
            member: "GetAll",
        };
        let asked = self.ask(to, Asked::Version, ANSWER_NS, |_, message| message.put_str(MANAGER));
        // A connection that ended is found out by the next step.
        drop(asked);
        self.ask_what_it_has();
    }

    /// gasd is not there (any more).
    pub fn gasd_is_away(&mut self, text: &str) {
        (self.owner, self.asking, self.ask_again) = (None, false, false);
        self.forget_denied();
        self.version.clear();
        self.live.set_away(true);
        self.say(gasd_state::GASD_STATE_NO_SERVICE, text);
    }

    /// It may be allowed now.
    pub fn forget_denied(&mut self) {
        self.denied = false;
        self.subscriptions.iter_mut().for_each(|one| one.denied = false);
    }

    /// Asks for meters, valves and verdicts.
    pub fn ask_what_it_has(&mut self) {
        if self.asking {
            self.ask_again = true;
            return;
        }
        self.ask_at_ns = u64::MAX;
        let to = To {
            service: SERVICE,
            path: ROOT,
            interface: "org.freedesktop.DBus.ObjectManager",
            member: "GetManagedObjects",
        };
        self.asking = self.ask(to, Asked::Objects, ANSWER_NS, |_, _| Ok(())).is_ok();
    }

    fn joined(&mut self, house: House) {
        self.asking = false;
        self.forget_denied();
        self.house = house;
        let (house, anew) = (std::mem::take(&mut self.house), std::mem::take(&mut self.anew));
        self.each_subscription(|one, events| one.joined(&house, anew, events));
        self.live.set_away(false);
        self.live.keep(|key| house.meters.iter().any(|meter| meter.key == key));
        self.house = house;
        if std::mem::take(&mut self.ask_again) {
            // What waits for a name waits for the next answer, which is newer.
            self.ask_what_it_has();
        } else {
            self.resume_streams();
        }
        self.say(gasd_state::GASD_STATE_READY, "ready");
        self.open_streams();
        self.open_feeds();
        if self.lives > 0 {
            self.ask_live();
        }
    }

    /// Asks for the live page.
    pub fn ask_live(&mut self) {
        let to = To { service: SERVICE, path: ROOT, interface: MANAGER, member: "Live" };
        drop(self.ask(to, Asked::Live, ANSWER_NS, |_, message| message.put_options(&[], &[])));
    }

    fn signal(&mut self, path: &str, interface: &str, member: &str, message: &mut Message) -> io::Result<()> {
        if (interface, member) == ("org.freedesktop.DBus", "NameOwnerChanged") {
            // Anybody may send a signal that is called so.
            if message.sender() != BUS_SERVICE {
                return Ok(());
            }
            let (name, _, new) = (message.str(b's')?, message.str(b's')?, message.str(b's')?);
            if name == SERVICE {
                if self.owner.as_ref().is_some_and(|owner| *owner != new) {
                    self.give_up(
                        |asked| !matches!(asked, Asked::Match | Asked::Owner),
                        gasd_result::GASD_CANCELLED,
                        "gasd ended before it answered; what was asked for may be done",
                    );
                    self.gasd_is_away("gasd has ended; waiting for it");
                }
                if !new.is_empty() {
                    self.gasd_is(new);
                }
            }
            return Ok(());
        }
        // The bus hands on what is gasd's alone, but to be sure.
        if self.owner.as_deref() != Some(&message.sender()) {
            return Ok(());
        }
        match (interface, member) {
            (MANAGER, "VerdictAdded") => {
                let words = Arc::new(Words::of_signal(message)?);
                self.house.verdicts.insert(words.id, words.clone());
                self.each_subscription(|one, events| one.made(&words, 0, events));
            }
            (MANAGER, "VerdictRemoved") => {
                message.skip(c"o")?;
                let mut id = 0;
                message.properties(|name, value| {
                    if let ("Id", Value::Number(number)) = (name, value) {
                        id = number;
                    }
                })?;
                self.house.verdicts.remove(&id);
                self.each_subscription(|one, events| events.extend(one.verdicts.acknowledged(id, u64::MAX)));
            }
            ("org.freedesktop.DBus.Properties", "PropertiesChanged") => {
                self.house.valve_changed(path, message)?
            }
            ("org.freedesktop.DBus.ObjectManager", _) => {
                let object = message.str(b'o')?;
                if object.contains("/meters/") || object.contains("/valves/") {
                    self.ask_what_it_has();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Lets each subscription make events of something.
    pub fn each_subscription(
        &mut self,
        mut each: impl FnMut(&mut super::subscription::Subscription, &mut Vec<Event>),
    ) {
        let mut events = std::mem::take(&mut self.scratch);
        for one in &mut self.subscriptions {
            each(one, &mut events);
            let listener = &one.listener;
            self.out.extend(events.drain(..).map(|event| Out::Event(listener.clone(), event)));
        }
        self.scratch = events;
    }
}
