// SPDX-License-Identifier: MIT OR Apache-2.0
//! Meters that speak by themselves: datagrams and radio telegrams.
//!
//! What is known of such meters is an [`Air`]: pure, with times and bytes as arguments. A thread gives it a socket
//! ([`UdpPort`]) or a line ([`LinePort`]).
//!
//! | module | idea |
//! |---|---|
//! | [`lorawan`] | behind the packet forwarder of a LoRaWAN gateway |
//! | [`lwm2m`] | meters on NB-IoT that register as LwM2M clients |
//! | [`wmbus`] | a wireless M-Bus receiver on a line |
//! | [`keys`] | files that keys are read from |
//! | [`strangers`] | who else was heard |
//! | [`udp`], [`mod@line`] | the threads |
//!
//! **The order of [`Output`]s is theirs to keep.** What must survive a restart ([`Event::Memory`]) comes before the
//! reading that it belongs to, and what acknowledges a reading to its meter ([`Output::Send`]) comes behind it: whoever
//! writes each event down before it looks at the next one never loses what a meter believes to be delivered, and never
//! takes a recorded frame for a new one. What binds both sides - a session that was agreed on, a counter that is used up -
//! goes out as an [`Output::Answer`], which a thread asks for ([`Told::Answering`]) before it sends it.

mod blob;
mod clock;
pub mod keys;
pub mod line;
pub mod lorawan;
pub mod lwm2m;
pub mod strangers;
mod thread;
pub mod udp;
pub mod wmbus;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use gasd_meters::{Error, Reading};

use crate::Kept;

pub use blob::NotRestored;
pub use keys::{KeyError, KeyFile};
pub use line::LinePort;
pub use strangers::{Stranger, Strangers};
pub use thread::Hand;
pub use udp::UdpPort;

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this datagram.
    Send {
        /// To whom.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Send this datagram once the last [`Event::Memory`] of its meter is on the disk; else not at all.
    Answer {
        /// The meter that is answered.
        key: u64,
        /// To whom.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
        /// It is of no use later, ns.
        until_ns: u64,
    },
    /// This has happened.
    Event(Event),
}

/// Something that has happened.
#[derive(Clone, PartialEq)]
pub enum Event {
    /// A meter was read. A reading need not have a register: batteries and alarms come by themselves, too.
    Read {
        /// The meter.
        key: u64,
        /// When it was heard, ns.
        t_ns: u64,
        /// What it says.
        reading: Box<Reading>,
        /// It is what the meter said last before a restart, since it was not answered then: it may have been read.
        again: bool,
    },
    /// Something of a meter was heard and is not read.
    Failed {
        /// The meter.
        key: u64,
        /// When, ns.
        t_ns: u64,
        /// Why.
        error: Error,
        /// What was heard, as it came: encrypted, where it was.
        raw: Vec<u8>,
    },
    /// What is remembered of a meter is another now.
    Memory {
        /// The meter.
        key: u64,
        /// What to keep. It may hold keys of a session: it is to be readable for gasd alone.
        bytes: Kept,
    },
    /// Somebody was heard who is not configured.
    Stranger {
        /// As a configuration would write it.
        what: String,
        /// What is known of it.
        words: String,
    },
}

impl fmt::Debug for Event {
    /// What is kept of a meter is not shown, for it may hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { key, t_ns, reading, again } => f
                .debug_struct("Read")
                .field("key", key)
                .field("t_ns", t_ns)
                .field("reading", reading)
                .field("again", again)
                .finish(),
            Self::Failed { key, t_ns, error, raw } => {
                let raw = gasd_meters::hex::Hex(raw).to_string();
                let mut shown = f.debug_struct("Failed");
                shown.field("key", key).field("t_ns", t_ns).field("error", error).field("raw", &raw).finish()
            }
            Self::Memory { key, bytes } => {
                f.debug_struct("Memory").field("key", key).field("bytes", bytes).finish()
            }
            Self::Stranger { what, words } => {
                f.debug_struct("Stranger").field("what", what).field("words", words).finish()
            }
        }
    }
}

/// What was heard, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames, telegrams or tellings of meters, each as often as it came.
    pub heard: u64,
    /// Of these: readings.
    pub read: u64,
    /// Of these: of a configured meter, and not read.
    pub failed: u64,
    /// Of these: heard before, by another gateway or from a repeater.
    pub repeated: u64,
    /// Of these: of nobody who is configured.
    pub strange: u64,
    /// Datagrams that are none, or bytes of a line that belong to nothing.
    pub garbage: u64,
}

/// What a port tells, on its thread, which waits for whoever is told.
#[derive(Debug)]
pub enum Told {
    /// Something of a meter.
    Event(Event),
    /// What is wrong with the port itself; `None` when it is well.
    Health(Option<String>),
    /// What was heard so far, once a second where it is more.
    Seen(Counts),
    /// A meter is about to be answered: may it be?
    Answering {
        /// The meter.
        key: u64,
        /// To be said by then, ns.
        until_ns: u64,
    },
}

/// Who is told. What is returned counts for [`Told::Answering`] alone: whether all that is to be kept of the meter is on
/// the disk.
pub type Teller = Box<dyn FnMut(Told) -> bool + Send>;

/// Meters that speak by themselves. Times are ns of one clock that does not jump; a clock that begins anew with the
/// machine is good.
pub trait Air: Send {
    /// These bytes came: a datagram `from` somebody, or the next ones of a line, which is nobody.
    fn heard(&mut self, now_ns: u64, from: Option<SocketAddr>, bytes: &[u8]) -> Vec<Output>;

    /// When [`Air::tick`] will have something to do, ns.
    fn due_ns(&self) -> Option<u64>;

    /// Time has passed.
    fn tick(&mut self, now_ns: u64) -> Vec<Output>;

    /// The line is another: what was left of the last one belongs to nothing.
    fn lost(&mut self) {}

    /// What a line is sent when it is opened, as receivers want that are to be told to listen.
    fn greeting(&self) -> &[u8] {
        &[]
    }

    /// The meters that are configured.
    fn keys(&self) -> Vec<u64>;

    /// What is to be kept of a meter; nothing where there is nothing. It may hold keys of a session.
    fn memory(&self, key: u64) -> Kept;

    /// Takes back what was kept, before anything is heard; nothing, where nothing was kept. It may be called more than
    /// once, the latest last.
    ///
    /// # Errors
    ///
    /// [`NotRestored`]: nothing of it counts for the meter as it is now. What it knows besides stays.
    fn restore(&mut self, key: u64, bytes: &[u8], now_ns: u64) -> Result<(), NotRestored>;

    /// Who else was heard.
    fn strangers(&self) -> &Strangers;

    /// What was heard so far.
    fn counts(&self) -> Counts;
}

/// Hands what `before` knows of meters that stay to `core`, which takes its place. What is known of those that go rests in
/// `resting` until they come back: a meter may be gone only because its key file cannot be read for a while.
pub(crate) fn inherit(core: &mut dyn Air, before: &dyn Air, resting: &mut BTreeMap<u64, Kept>, now_ns: u64) {
    let (had, has) = (before.keys(), core.keys());
    // What is not taken is of another key or another meter: `core` goes on with what it has.
    for key in has.iter().copied() {
        if had.contains(&key) {
            let _ = core.restore(key, &before.memory(key), now_ns);
        } else if let Some(rested) = resting.remove(&key) {
            // What it came with was written down, and is the later where both tell.
            let known = core.memory(key);
            let _ = core.restore(key, &rested, now_ns);
            let _ = core.restore(key, &known, now_ns);
        }
    }
    resting.extend(had.into_iter().filter(|key| !has.contains(key)).map(|key| (key, before.memory(key))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_not_shown() {
        let event = Event::Memory { key: 7, bytes: vec![0xAB; 3].into() };
        assert_eq!(format!("{event:?}"), "Memory { key: 7, bytes: 3 bytes }");
        let told = Told::Event(event);
        assert_eq!(format!("{told:?}"), "Event(Memory { key: 7, bytes: 3 bytes })");
    }
}
