// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was asked over the bus: sending it, giving it up, and who may answer.

use std::io;

use crate::abi::result::{Failure, gasd_result};
use crate::exports::codes::gasd_state;
use crate::exports::events::gasd_done_fn;
use crate::sdbus::{Message, To};

use super::core::{BUS_SERVICE, Core};
use super::out::Data;
use super::wait::monotonic_ns;

/// How long a request may take: a person may have to type a password, and gasd gives up after 60 s.
pub const REQUEST_NS: u64 = 90_000_000_000;
/// How long an answer may take that needs nobody.
pub const ANSWER_NS: u64 = 25_000_000_000;
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
    pub until_ns: u64,
}

impl Core {
    /// Takes out the call that `sender` answers. The bus lets nobody answer what he was not asked; one that did
    /// would be believed about gas.
    pub fn take_call(&mut self, cookie: u64, sender: &str) -> Option<Asked> {
        let of_bus = sender == BUS_SERVICE;
        let of_gasd = self.owner.as_deref() == Some(sender);
        let call = self.calls.get(&cookie)?;
        let may = of_bus || of_gasd && !matches!(call.asked, Asked::Match | Asked::Owner);
        if may { self.calls.remove(&cookie).map(|call| call.asked) } else { None }
    }

    pub fn ask_bus(&mut self, member: &str, asked: Asked, argument: &str) -> io::Result<()> {
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
        self.check_there()?;
        if self.calls.len() >= MOST_CALLS {
            let message = format!("{MOST_CALLS} requests are under way already; dispatch first");
            return Err(Failure::new(gasd_result::GASD_LIMIT, message));
        }
        self.ask(to, asked, REQUEST_NS, fill).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => {
                Failure::new(gasd_result::GASD_INVALID, "an argument cannot be sent")
            }
            // The next step finds it out, too.
            io::ErrorKind::NotConnected | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Failure::new(gasd_result::GASD_NOT_CONNECTED, format!("the bus has gone: {error}"))
            }
            _ => Failure::system("the request was not sent", error),
        })?;
        self.rearm();
        Ok(())
    }

    /// Whether gasd can be asked for anything: what it has need not be known for that.
    ///
    /// # Errors
    /// `GASD_NOT_CONNECTED`.
    pub fn check_there(&self) -> Result<(), Failure> {
        if self.owner.is_some() {
            return Ok(());
        }
        Err(Failure::new(gasd_result::GASD_NOT_CONNECTED, self.text.to_string_lossy().into_owned()))
    }

    /// Whether it is known what gasd has.
    ///
    /// # Errors
    /// `GASD_NOT_CONNECTED`, or `GASD_DENIED` where it is there for others only, with the reason.
    pub fn check_ready(&self) -> Result<(), Failure> {
        if self.state == gasd_state::GASD_STATE_READY {
            return Ok(());
        }
        let result = if self.denied { gasd_result::GASD_DENIED } else { gasd_result::GASD_NOT_CONNECTED };
        Err(Failure::new(result, self.text.to_string_lossy().into_owned()))
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

    pub fn expire(&mut self, now_ns: u64) {
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
}
