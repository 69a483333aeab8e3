// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gas meter that speaks wired M-Bus: primary and secondary addresses, readings of several telegrams, a valve behind
//! the digital output `FD 1A`, and what it says encrypted if it is asked to.

use gasd_meters::mbus::{
    ACK, ANY, Address, BROADCAST, Frame, Function, Link, Message, SELECTED, ValveOutput, decode, probe,
};
use gasd_meters::wmbus::{Key, Lock, Seal};
use gasd_meters::{Valve, bcd};

use crate::calendar::Calendar;
use crate::ear::{Ear, Listens};
use crate::habits::{Commanded, Habits, Manners};
use crate::meter::Reply;
use crate::truth::{Shared, look};

/// After so long without a byte it forgets half a request, ns.
const GAP_NS: u64 = 100_000_000;

/// One step of the last digit, and where the digits end: eight digits of litres, µL.
const STEP_UL: u64 = 1_000_000;
const END_UL: u64 = 100_000_000_000_000;

/// What a meter does otherwise than most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Its configuration field is a signature of old, and not nought.
    pub signature: u16,
    /// Fillers 2F before its records, so many, up to 50.
    pub fillers: u8,
    /// Bytes of the manufacturer's own at the end, so many, up to 100.
    pub own: u8,
    /// Data sent to it count only with another frame count bit than those before. Most meters do not look.
    pub counts_sends: bool,
}

impl Quirks {
    /// All of them that a reader bears with.
    pub const ALL: Self = Self { signature: 0x1234, fillers: 2, own: 6, counts_sends: false };
}

/// What a meter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its primary address, 0 to 250.
    pub primary: u8,
    /// Its secondary address.
    pub secondary: Address,
    /// Telegrams of one reading: 1 at least.
    pub telegrams: u8,
    /// What its output's bits mean; `None` where it has no valve.
    pub valve: Option<ValveOutput>,
    /// The status byte of its header.
    pub status: u8,
    /// What it does otherwise.
    pub quirks: Quirks,
}

impl Settings {
    /// A gas meter of one telegram, with a valve that bit 0 closes.
    #[must_use]
    pub const fn new(primary: u8, number: [u8; 4]) -> Self {
        // "GSD", generation 1, gas.
        let secondary = Address { id: number, manufacturer: 0x1E64, version: 1, medium: 3 };
        Self {
            primary,
            secondary,
            telegrams: 1,
            valve: Some(ValveOutput { mask: 1, open: 0, closed: 1 }),
            status: 0,
            quirks: Quirks { signature: 0, fillers: 0, own: 0, counts_sends: false },
        }
    }
}

/// How a meter encrypts what it says, as a radio meter does: EN 13757-7 has the modes for both.
pub enum Cipher {
    /// Mode 5.
    Mode5(Key),
    /// Mode 7, and the message counter of its next telegram.
    Mode7(Key, u32),
}

/// What a meter remembers of one of its addresses: the frame count bits that came last.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    data: Option<bool>,
    sends: Option<bool>,
}

/// The meter.
pub struct GasMeter {
    settings: Settings,
    cipher: Option<Cipher>,
    manners: Manners,
    truth: Shared,
    ear: Ear,
    selected: bool,
    /// Of its own address, and of 253 while it is selected.
    own: Counts,
    selection: Counts,
    /// The telegram that comes next, from 0, and the one that was sent last.
    next: u8,
    last: Option<Vec<u8>>,
    access: u8,
}

impl GasMeter {
    /// A meter of these settings and habits, whose register and valve are `truth`.
    #[must_use]
    pub fn new(settings: Settings, habits: Habits, truth: Shared) -> Self {
        Self {
            settings,
            cipher: None,
            manners: Manners::new(habits),
            truth,
            ear: Ear::new(GAP_NS, probe),
            selected: false,
            own: Counts::default(),
            selection: Counts::default(),
            next: 0,
            last: None,
            access: 0,
        }
    }

    /// The same, and what it says is encrypted.
    #[must_use]
    pub fn encrypting(mut self, cipher: Cipher) -> Self {
        self.cipher = Some(cipher);
        self
    }

    fn counts(&mut self, address: u8) -> &mut Counts {
        if address == SELECTED { &mut self.selection } else { &mut self.own }
    }

    fn request(&mut self, now_ns: u64, frame: &Frame<'_>) -> Vec<Reply> {
        let Some(link) = frame.link().filter(|link| !link.from_meter()) else { return Vec::new() };
        let message = decode(frame, &mut ());
        if let (SELECTED, Ok(Message::Select(wanted))) = (link.address, &message) {
            self.selected = self.settings.secondary.matches(wanted);
            self.selection = Counts::default();
            let taken = self.selected && self.manners.attends(now_ns);
            return if taken { self.acknowledge() } else { Vec::new() };
        }
        let mine = match link.address {
            SELECTED => self.selected,
            ANY | BROADCAST => true,
            address => address == self.settings.primary,
        };
        if !mine || !self.manners.attends(now_ns) {
            return Vec::new();
        }
        let answer = match (link.function(), message) {
            (Function::Reset, _) => {
                if link.address == SELECTED {
                    self.selected = false;
                }
                *self.counts(link.address) = Counts::default();
                (self.next, self.last) = (0, None);
                self.acknowledge()
            }
            (Function::RequestData, _) => {
                let telegram = self.telegram(now_ns, link);
                self.manners.answer(None, &telegram)
            }
            // No alarm is acknowledged and nothing else.
            (Function::RequestAlarm, _) => self.acknowledge(),
            (Function::Send, Ok(message)) => self.take(now_ns, link, &message),
            _ => Vec::new(),
        };
        if link.address == BROADCAST { Vec::new() } else { answer }
    }

    fn acknowledge(&mut self) -> Vec<Reply> {
        self.manners.answer(None, &[ACK])
    }

    /// The telegram that is due: the one before once more where the bit did not change, since then its answer was lost.
    fn telegram(&mut self, now_ns: u64, link: Link) -> Vec<u8> {
        let before = &mut self.counts(link.address).data;
        let again = link.fcv() && *before == Some(link.fcb());
        *before = link.fcv().then_some(link.fcb());
        match &self.last {
            Some(last) if again => last.clone(),
            _ => {
                let telegram = self.build(now_ns);
                self.next = (self.next + 1) % self.settings.telegrams.max(1);
                self.access = self.access.wrapping_add(1);
                self.last = Some(telegram.clone());
                telegram
            }
        }
    }

    fn build(&mut self, now_ns: u64) -> Vec<u8> {
        let Settings { quirks, primary, telegrams, .. } = self.settings;
        let mut data = vec![0x2F; usize::from(quirks.fillers.min(50))];
        if self.next == 0 {
            data.extend(self.now(now_ns));
        } else {
            data.extend(self.before(self.next));
        }
        let more = self.next + 1 < telegrams;
        if quirks.own > 0 || more {
            data.push(if more { 0x1F } else { 0x0F });
            data.resize(data.len() + usize::from(quirks.own.min(100)), 0xA5);
        }
        let message = self.message(&data);
        let Some((ci, data)) = message.split_first() else { return Vec::new() };
        // What stands here is never as long as a frame can be.
        Frame::Long(Link { control: 0x08, address: primary }, *ci, data).encode().unwrap_or_default()
    }

    /// The CI field, the long header, and the records behind it as they are sent.
    fn message(&mut self, records: &[u8]) -> Vec<u8> {
        let Settings { secondary, quirks, status, .. } = self.settings;
        let lock = match &mut self.cipher {
            None => {
                let mut message = vec![0x72];
                message.extend(secondary.to_wire());
                message.extend([self.access, status]);
                message.extend(quirks.signature.to_le_bytes());
                message.extend(records);
                return message;
            }
            Some(Cipher::Mode5(key)) => Lock::Mode5(key),
            Some(Cipher::Mode7(key, counter)) => {
                *counter = counter.saturating_add(1);
                Lock::Mode7(key, counter.saturating_sub(1))
            }
        };
        let sender = Some(secondary);
        let seal = Seal { meter: secondary, sender, access: self.access, status, lock, records, clear: 0 };
        // As on the radio, behind the link layer.
        seal.telegram().map(|telegram| telegram.bytes[10..].to_vec()).unwrap_or_default()
    }

    /// Volume, flow, clock and valve.
    fn now(&self, now_ns: u64) -> Vec<u8> {
        let (ul, flow, wall_s, valve) = {
            let mut truth = look(&self.truth);
            let ul = truth.answer(now_ns, STEP_UL, END_UL);
            (ul, truth.flow_ul_per_h(now_ns), truth.wall_s, truth.valve(now_ns))
        };
        let mut data = vec![0x0C, 0x13];
        data.extend(digits(ul / STEP_UL, 4));
        data.extend([0x0B, 0x3B]);
        data.extend(digits((flow / STEP_UL).min(999_999), 3));
        data.extend([0x04, 0x6D]);
        data.extend(type_f(Calendar::now(wall_s, now_ns)));
        if let Some(output) = self.settings.valve {
            let bits = match valve {
                Valve::Open => output.open,
                Valve::Closed => output.closed,
                // Neither, where there are bits enough to say so.
                Valve::Abnormal => output.mask & !(output.open ^ output.closed),
            };
            data.extend([0x01, 0xFD, 0x1A, bits & output.mask]);
        }
        data
    }

    /// The volume at the end of the month before the last `n`.
    fn before(&self, n: u8) -> Vec<u8> {
        let base_ul = look(&self.truth).register().base_ul % END_UL;
        // Storage n: its low bit in the DIF, the others in a DIFE.
        let mut data = vec![0x8C | (n & 1) << 6, n >> 1 & 0x0F, 0x13];
        data.extend(digits(base_ul / STEP_UL, 4));
        data
    }

    /// Data to the meter.
    fn take(&mut self, now_ns: u64, link: Link, message: &Message) -> Vec<Reply> {
        let sends = &mut self.counts(link.address).sends;
        let again = link.fcv() && *sends == Some(link.fcb());
        *sends = link.fcv().then_some(link.fcb());
        if again && self.settings.quirks.counts_sends {
            return self.acknowledge();
        }
        match message {
            Message::Send(records) => return self.records(now_ns, records),
            Message::ResetApplication(_) => (self.next, self.last) = (0, None),
            // It goes on at the speed that its line has.
            _ => {}
        }
        self.acknowledge()
    }

    fn records(&mut self, now_ns: u64, records: &[u8]) -> Vec<Reply> {
        match (records, self.settings.valve) {
            ([0x01, 0x7A, address @ 1..=250], _) => self.settings.primary = *address,
            ([0x01, 0xFD, 0x1A, bits], Some(output)) => {
                let to = match bits & output.mask {
                    bits if bits == output.open & output.mask => Valve::Open,
                    bits if bits == output.closed & output.mask => Valve::Closed,
                    _ => return self.refuse(),
                };
                match self.manners.command(&self.truth, now_ns, to) {
                    Commanded::Refused => return self.refuse(),
                    Commanded::Silent => return Vec::new(),
                    Commanded::Taken(_) => {}
                }
            }
            _ => {}
        }
        self.acknowledge()
    }

    /// An error of the application: it does not name which.
    fn refuse(&mut self) -> Vec<Reply> {
        let link = Link { control: 0x08, address: self.settings.primary };
        let refusal = Frame::Long(link, 0x70, &[0x00]).encode().unwrap_or_default();
        self.manners.answer(None, &refusal)
    }
}

pub(crate) fn digits(number: u64, bytes: usize) -> Vec<u8> {
    let mut place = vec![0; bytes];
    // It was cut to the digits that there are.
    let _fits = bcd::encode(number, &mut place);
    place
}

/// Date and time, type F: minute, hour, day and the low bits of the year, month and its high bits.
pub(crate) const fn type_f(at: Calendar) -> [u8; 4] {
    let year = (at.year % 100) as u8;
    [at.minute, at.hour, at.day | (year & 0x07) << 5, at.month | (year & 0x78) << 1]
}

impl Listens for GasMeter {
    fn parts(&self) -> (&Ear, &Shared) {
        (&self.ear, &self.truth)
    }

    fn ear(&mut self) -> &mut Ear {
        &mut self.ear
    }

    fn asked(&mut self, now_ns: u64, request: &[u8]) -> Vec<Reply> {
        Frame::parse(request).map_or_else(|_| Vec::new(), |frame| self.request(now_ns, &frame))
    }
}
