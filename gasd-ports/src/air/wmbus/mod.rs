// SPDX-License-Identifier: MIT OR Apache-2.0
//! A wireless M-Bus receiver on a line: telegrams of the meters that are configured, opened and read.
//!
//! Each meter has a [`Receiver`] of its own: what others send changes nothing of what is known of it. A meter with a
//! key is read only from telegrams that were encrypted or authenticated with it: anybody can send one that is not.
//!
//! A meter that is configured by a part of its address is the first one of that part that was read. What a code does not
//! cover, or is opened without one, can be changed on its way: another manufacturer, version or medium with its number
//! is another meter or a changed telegram, and is never read as this one.

mod clear;
mod command;
mod framer;
mod lines;
mod memory;
mod whose;

use std::fmt;
use std::iter;
use std::net::SocketAddr;

use gasd_meters::mbus::Address;
use gasd_meters::wmbus::{Access, Content, Key, Received, Security, Telegram};
use gasd_meters::{Error, Reading};

use super::{Air, Counts, Event, NotRestored, Output, Strangers};
use crate::Kept;
pub use framer::{Framed, Framer, Framing, IDLE_NS};

use clear::{OPEN_VOLUME, drop_unprotected, has_volume};
use memory::{Known, Pin};
use whose::{Says, Whose, says, whose};

const SECOND_NS: u64 = 1_000_000_000;

/// A telegram that failed and comes again in this time is told once, ns: repeaters say everything twice.
const AGAIN_NS: u64 = 3 * SECOND_NS;

/// Radios whose messages wait for fragments.
const MOST_WAITING: usize = 16;

/// Keys of one meter that are not that of now and whose counters are kept.
const MOST_OTHERS: usize = 4;

/// A meter as it is configured.
pub struct Device {
    /// Names the meter.
    pub key: u64,
    /// Whose telegrams are its own: digits and parts may stand for any.
    pub address: Address,
    /// Its key, where it has one.
    pub secret: Option<Key>,
}

impl fmt::Debug for Device {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address.to_string();
        let encrypted = self.secret.is_some();
        let mut shown = f.debug_struct("Device");
        shown.field("key", &self.key).field("address", &address).field("encrypted", &encrypted).finish()
    }
}

/// What the receiver is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What is around the telegrams.
    pub framing: Framing,
    /// The receiver deciphers by itself: telegrams that say that they are encrypted and are not, are taken.
    pub deciphers: bool,
    /// What it is sent so that it listens: `brt` and a line's end for a CUL, as an example.
    pub greeting: Vec<u8>,
}

struct Member {
    device: Device,
    check: [u8; 4],
    known: Known,
    /// What is known with other keys than that of now, the latest first.
    others: Vec<([u8; 4], Known)>,
    /// The last telegram that failed.
    failed: Option<(u64, Vec<u8>)>,
}

/// The meters around a receiver.
pub struct Wmbus {
    settings: Settings,
    framer: Framer,
    members: Vec<Member>,
    /// Which meter the message of a radio is of whose fragments come.
    waiting: Vec<(Address, usize)>,
    strangers: Strangers,
    counts: Counts,
}

impl Wmbus {
    /// These meters around a receiver.
    #[must_use]
    pub fn new(settings: Settings, devices: Vec<Device>) -> Self {
        let member = |device: Device| {
            let check = memory::check(device.secret.as_ref());
            Member { device, check, known: Known::default(), others: Vec::new(), failed: None }
        };
        Self {
            framer: Framer::new(settings.framing),
            settings,
            members: devices.into_iter().map(member).collect(),
            waiting: Vec::new(),
            strangers: Strangers::default(),
            counts: Counts::default(),
        }
    }

    /// The next bytes of the line.
    pub fn heard(&mut self, now_ns: u64, bytes: &[u8]) -> Vec<Output> {
        let found = self.framer.push(now_ns, bytes);
        self.take(now_ns, &found)
    }

    /// Time has passed.
    pub fn tick(&mut self, now_ns: u64) -> Vec<Output> {
        let found = self.framer.tick(now_ns);
        self.take(now_ns, &found)
    }

    fn take(&mut self, now_ns: u64, found: &[Framed]) -> Vec<Output> {
        let mut out = Vec::new();
        for framed in found {
            self.counts.heard = self.counts.heard.saturating_add(1);
            match self.place(&framed.telegram) {
                Some(place) => self.telegram(now_ns, place, framed, &mut out),
                None => self.stranger(now_ns, framed, &mut out),
            }
        }
        out
    }

    /// The meter that a telegram is of. One that is named digit by digit goes before one that is any of several.
    fn place(&mut self, telegram: &Telegram) -> Option<usize> {
        let meter = match whose(telegram) {
            Whose::Continues => {
                let waiting = self.waiting.iter().find(|(sender, _)| *sender == telegram.sender);
                return waiting.map(|(_, place)| *place).or_else(|| self.find(&telegram.sender));
            }
            Whose::Meter(meter) => Some(meter),
            Whose::Sender => None,
        };
        let place = meter.and_then(|meter| self.find(&meter)).or_else(|| self.find(&telegram.sender))?;
        if meter.is_some_and(|meter| meter != telegram.sender) {
            self.waiting.retain(|(sender, _)| *sender != telegram.sender);
            if self.waiting.len() >= MOST_WAITING {
                self.waiting.remove(0);
            }
            self.waiting.push((telegram.sender, place));
        }
        Some(place)
    }

    fn find(&self, meter: &Address) -> Option<usize> {
        let fits =
            |member: &Member| meter.matches(&member.device.address) && !member.is_of_another_number(meter);
        let exact = |member: &Member| fits(member) && !member.device.address.is_wildcard();
        self.members.iter().position(exact).or_else(|| self.members.iter().position(fits))
    }

    fn telegram(&mut self, now_ns: u64, place: usize, framed: &Framed, out: &mut Vec<Output>) {
        let deciphers = self.settings.deciphers;
        let Some(member) = self.members.get_mut(place) else { return };
        let key = member.device.key;
        // Nothing is wrong with a telegram that has no data; a state that nobody vouches for is none.
        match says(&framed.telegram) {
            Says::Nothing => return,
            Says::State if member.device.secret.is_some() && !deciphers => return,
            Says::State | Says::Data => {}
        }
        match member.receive(now_ns, &framed.telegram, deciphers) {
            Ok(Heard::Reading { mut reading, memory }) => {
                self.counts.read = self.counts.read.saturating_add(1);
                // The counter first: without it a recorded telegram would be new after a restart.
                out.extend(memory.map(|bytes| Output::Event(Event::Memory { key, bytes: bytes.into() })));
                let has_open_volume = drop_unprotected(&mut reading);
                out.push(Output::Event(Event::Read { key, t_ns: now_ns, reading, again: false }));
                if has_open_volume {
                    self.counts.failed = self.counts.failed.saturating_add(1);
                    let (error, raw) = (OPEN_VOLUME, framed.raw.clone());
                    out.push(Output::Event(Event::Failed { key, t_ns: now_ns, error, raw }));
                }
            }
            Ok(Heard::Part) => {}
            Ok(Heard::Again) => self.counts.repeated = self.counts.repeated.saturating_add(1),
            Err(error) => {
                self.counts.failed = self.counts.failed.saturating_add(1);
                let raw = framed.raw.clone();
                out.push(Output::Event(Event::Failed { key, t_ns: now_ns, error, raw }));
            }
        }
    }

    fn stranger(&mut self, now_ns: u64, framed: &Framed, out: &mut Vec<Output>) {
        self.counts.strange = self.counts.strange.saturating_add(1);
        let telegram = &framed.telegram;
        let meter = match whose(telegram) {
            Whose::Meter(meter) => meter,
            Whose::Sender | Whose::Continues => telegram.sender,
        };
        let mut words = format!("{}", meter.identity().medium);
        if telegram.installs() {
            words.push_str(", asks to be installed");
        }
        if meter != telegram.sender {
            words.push_str(&format!(", by the radio {}", telegram.sender));
        }
        if let Some(rssi_dbm) = framed.rssi_dbm {
            words.push_str(&format!(", {rssi_dbm} dBm"));
        }
        let event = self.strangers.note(now_ns, format!("address = \"{meter}\""), words);
        out.extend(event.map(Output::Event));
    }
}

/// What a telegram of a meter brings.
enum Heard {
    /// A reading, and what is to be kept with it.
    Reading {
        reading: Box<Reading>,
        memory: Option<Vec<u8>>,
    },
    Part,
    Again,
}

impl Member {
    fn receive(&mut self, now_ns: u64, telegram: &Telegram, deciphers: bool) -> Result<Heard, Error> {
        let access = Access { key: self.device.secret.as_ref(), plain: deciphers };
        // What is refused after it was opened must leave no trace.
        let before = self.known.receiver.clone();
        let result = self.known.receiver.receive(now_ns / SECOND_NS, telegram, &access, &mut ());
        let result = match result {
            Ok(Received::New(content)) => match self.refusal(&content, telegram, deciphers) {
                Some(refused) => {
                    self.known.receiver = before;
                    Err(refused)
                }
                None => {
                    let pins = self.pin(content.meter, has_volume(&content.reading));
                    let is_kept = pins || content.counter.is_some() || content.learnt;
                    let memory = is_kept.then(|| self.memory());
                    return Ok(Heard::Reading { reading: Box::new(content.reading), memory });
                }
            },
            Ok(Received::Part) => return Ok(Heard::Part),
            Ok(Received::Duplicate) => return Ok(Heard::Again),
            // That it is of another meter says more than that this one's key does not open it.
            Err(error) => Err(self.other_address(self.shown(telegram)).unwrap_or(error)),
        };
        let is_again = self.failed.as_ref().is_some_and(|(at_ns, bytes)| {
            now_ns.saturating_sub(*at_ns) < AGAIN_NS && *bytes == telegram.bytes
        });
        if is_again {
            return Ok(Heard::Again);
        }
        self.failed = Some((now_ns, telegram.bytes.clone()));
        result
    }

    /// Why a telegram that could be opened is not read.
    fn refusal(&self, content: &Content, telegram: &Telegram, deciphers: bool) -> Option<Error> {
        let selection = &self.device.address;
        let is_secure = content.security != Security::None || content.counter.is_some();
        if !content.meter.matches(selection) && !telegram.sender.matches(selection) {
            return Some(Error::AddressMismatch);
        }
        let is_open = self.device.secret.is_some() && !is_secure && !deciphers;
        self.other_address(content.meter).or(is_open.then_some(Error::NotEncrypted))
    }

    /// The address that was read first: what is configured may stand for several, or be a radio's that speaks for several.
    fn pinned(&self) -> Option<Address> {
        self.known.pinned.filter(|pin| pin.selection == self.device.address).map(|pin| pin.meter)
    }

    /// The meter is this one from now on, where it was not known which. Whether that is news.
    fn pin(&mut self, meter: Address, has_volume: bool) -> bool {
        let selection = self.device.address;
        // Who is configured in full and measures is who is meant, whoever it spoke for before. What a radio says of itself
        // besides, as of its battery, keeps it from no meter.
        let is_news = if meter == selection {
            has_volume && self.pinned() != Some(meter)
        } else {
            self.pinned().is_none()
        };
        if is_news {
            self.known.pinned = Some(Pin { selection, meter });
        }
        is_news
    }

    /// What is wrong with `got` where another address was read before.
    fn other_address(&self, got: Address) -> Option<Error> {
        let known = self.pinned().filter(|known| *known != got && got != self.device.address)?;
        Some(Error::OtherAddress { got, known })
    }

    /// Where some digits of the number are open: they are not any more.
    fn is_of_another_number(&self, meter: &Address) -> bool {
        let all_digits = Address { id: self.device.address.id, manufacturer: 0, version: 0, medium: 0 };
        let is_open = all_digits.is_wildcard();
        is_open && self.pinned().is_some_and(|known| known.id != meter.id)
    }

    /// Whose a telegram is, as far as can be seen from outside; the meter that is known, where nothing is.
    fn shown(&self, telegram: &Telegram) -> Address {
        match (whose(telegram), self.pinned()) {
            (Whose::Meter(meter), _) => meter,
            (Whose::Sender, Some(known)) if known.id == telegram.sender.id => telegram.sender,
            (_, known) => known.unwrap_or(telegram.sender),
        }
    }

    /// What is to be kept.
    fn memory(&self) -> Vec<u8> {
        let others = self.others.iter().map(|(check, known)| (*check, known));
        memory::write(iter::once((self.check, &self.known)).chain(others))
    }

    /// Takes in what was kept. What is known already does not go back.
    fn restore(&mut self, bytes: &[u8], now_s: u64) -> Result<(), NotRestored> {
        let sections = memory::read(bytes)?;
        let selection = self.device.address;
        let is_known = sections.is_empty() || sections.iter().any(|section| section.check == self.check);
        for section in sections {
            let check = section.check;
            if check == self.check {
                section.give(&mut self.known, &selection, now_s);
            } else if let Some((_, other)) = self.others.iter_mut().find(|(other, _)| *other == check) {
                section.give(other, &selection, now_s);
            } else if self.others.len() < MOST_OTHERS {
                let mut other = Known::default();
                section.give(&mut other, &selection, now_s);
                self.others.push((check, other));
            }
        }
        if is_known { Ok(()) } else { Err(NotRestored::OtherKey) }
    }
}

impl Air for Wmbus {
    fn heard(&mut self, now_ns: u64, _: Option<SocketAddr>, bytes: &[u8]) -> Vec<Output> {
        self.heard(now_ns, bytes)
    }

    fn due_ns(&self) -> Option<u64> {
        self.framer.due_ns()
    }

    fn tick(&mut self, now_ns: u64) -> Vec<Output> {
        self.tick(now_ns)
    }

    fn lost(&mut self) {
        self.framer.lost();
    }

    fn greeting(&self) -> &[u8] {
        &self.settings.greeting
    }

    fn keys(&self) -> Vec<u64> {
        self.members.iter().map(|member| member.device.key).collect()
    }

    fn memory(&self, key: u64) -> Kept {
        let member = self.members.iter().find(|member| member.device.key == key);
        member.map(Member::memory).unwrap_or_default().into()
    }

    fn restore(&mut self, key: u64, bytes: &[u8], now_ns: u64) -> Result<(), NotRestored> {
        let member = self.members.iter_mut().find(|member| member.device.key == key);
        member.ok_or(NotRestored::NoMeter)?.restore(bytes, now_ns / SECOND_NS)
    }

    fn strangers(&self) -> &Strangers {
        &self.strangers
    }

    fn counts(&self) -> Counts {
        Counts { garbage: self.framer.garbage(), ..self.counts }
    }
}
