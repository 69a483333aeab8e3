// SPDX-License-Identifier: MIT OR Apache-2.0
//! A meter that speaks DL/T 645, either edition: readings, data of several frames, its address, a switch (`1C`).
//!
//! The protocol is one of electricity, and so are its registers: a kWh here is a m³ of the truth, digit for digit, and
//! the valve is the breaker.

use gasd_meters::dlt645::{Address, Di, Frame, Message, Standard, SwitchCommand, decode, probe};
use gasd_meters::{Valve, bcd, crc};

use crate::calendar::Calendar;
use crate::ear::{Ear, Listens};
use crate::habits::{Commanded, Habits, Manners};
use crate::meter::Reply;
use crate::truth::{Shared, look};

/// After so long without a byte it forgets half a request, ns.
const GAP_NS: u64 = 500_000_000;

/// One step of the last digit, and where the digits end: XXXXXX.XX, of m³, µL.
const STEP_UL: u64 = 10_000_000;
const END_UL: u64 = 1_000_000_000_000_000;

/// Bits of ERR.
const NO_SUCH_DATA: u8 = 0x02;
const NO_AUTHORITY: u8 = 0x04;

/// What a meter does otherwise than its standard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Answers with the address that it was asked with, wildcards and all.
    pub echoes_address: bool,
    /// A sequence number stands behind data that are whole, too.
    pub numbers_all: bool,
    /// The voltage is FF: there is no sensor.
    pub no_voltage: bool,
    /// Answers what goes to everyone, which nobody should.
    pub answers_all: bool,
}

impl Quirks {
    /// All of them.
    pub const ALL: Self =
        Self { echoes_address: true, numbers_all: true, no_voltage: true, answers_all: true };
}

/// What a meter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its address.
    pub address: Address,
    /// Its edition. One of 1997 hears nothing of 2007, and the other way round.
    pub standard: Standard,
    /// The password that its switch wants, as on the wire; `None` takes any.
    pub password: Option<[u8; 3]>,
    /// Tariffs behind the total in a block.
    pub tariffs: u8,
    /// Most data bytes behind the identifier of one frame, 1 to 190; more come in parts.
    pub part: usize,
    /// What it does otherwise.
    pub quirks: Quirks,
}

impl Settings {
    /// A meter of 2007 with four tariffs.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            standard: Standard::V2007,
            password: None,
            tariffs: 4,
            part: 190,
            quirks: Quirks::default(),
        }
    }
}

/// What is left of data that do not fit into one frame.
struct Rest {
    di: Di,
    part: u8,
    bytes: Vec<u8>,
}

/// An answer: the bits of its control byte, and its data. `None`: no answer at all.
type Answer = Option<(u8, Vec<u8>)>;

/// The meter.
pub struct SwitchMeter {
    settings: Settings,
    manners: Manners,
    truth: Shared,
    ear: Ear,
    rest: Option<Rest>,
    last: Option<(u8, Vec<u8>)>,
}

impl SwitchMeter {
    /// A meter of these settings and habits, whose register and breaker are `truth`.
    #[must_use]
    pub fn new(settings: Settings, habits: Habits, truth: Shared) -> Self {
        let manners = Manners::new(habits);
        let settings = Settings { part: settings.part.clamp(1, 190), ..settings };
        Self { settings, manners, truth, ear: Ear::new(GAP_NS, probe), rest: None, last: None }
    }

    fn request(&mut self, now_ns: u64, frame: &Frame<'_>) -> Vec<Reply> {
        let Settings { address, standard, quirks, .. } = self.settings;
        let everyone = frame.address.is_broadcast();
        let mine = everyone || frame.address.matches(address);
        let other_edition = frame.standard().is_some_and(|of| of != standard);
        if frame.from_meter() || !mine || other_edition || !self.manners.attends(now_ns) {
            return Vec::new();
        }
        let Ok(message) = decode(frame, Some(standard), &mut ()) else { return Vec::new() };
        let answer = match message {
            Message::Read(di, _) => self.read(now_ns, di),
            Message::ReadNext(di, seq) => self.next(di, seq),
            Message::ReadAgain => self.last.clone(),
            Message::ReadAddress => Some((0x80, address.0.into())),
            Message::Switch(code, _) => self.switch(now_ns, code, frame),
            // Clocks and the like are taken in silence here.
            Message::WriteClock(_) => None,
            _ => Some((0xC0, vec![NO_AUTHORITY])),
        };
        let Some((control, data)) = answer.filter(|_| !everyone || quirks.answers_all) else {
            return Vec::new();
        };
        let from = if quirks.echoes_address && !matches!(frame.function(), 0x13 | 0x1C) {
            frame.address
        } else {
            address
        };
        let bytes = build(from, control | frame.function(), &data);
        self.manners.answer(Some(0xFE), &bytes)
    }

    fn read(&mut self, now_ns: u64, di: Di) -> Answer {
        let Some(mut data) = self.data(now_ns, di) else { return Some((0xC0, vec![NO_SUCH_DATA])) };
        self.rest = None;
        let more = data.len() > self.settings.part;
        if more {
            let bytes = data.split_off(self.settings.part);
            self.rest = Some(Rest { di, part: 1, bytes });
        } else if self.settings.quirks.numbers_all && matches!(di, Di::Long(_)) {
            data.push(0x00);
        }
        let answer = (if more { 0xA0 } else { 0x80 }, [di.to_wire(), data].concat());
        self.last = Some(answer.clone());
        Some(answer)
    }

    /// The next part. One that was asked for again is sent again, as its answer may be lost.
    fn next(&mut self, di: Di, seq: Option<u8>) -> Answer {
        let numbered = matches!(di, Di::Long(_));
        let rest = self.rest.as_mut().filter(|rest| rest.di == di);
        let Some(rest) = rest else { return Some((0xC0, vec![NO_SUCH_DATA])) };
        if numbered && seq == rest.part.checked_sub(1).filter(|part| *part > 0) {
            return self.last.clone();
        }
        if numbered && seq != Some(rest.part) {
            return Some((0xC0, vec![NO_SUCH_DATA]));
        }
        let after = rest.bytes.split_off(rest.bytes.len().min(self.settings.part));
        let mut data = [di.to_wire(), core::mem::replace(&mut rest.bytes, after)].concat();
        if numbered {
            data.push(rest.part);
        }
        rest.part = rest.part.wrapping_add(1);
        let more = !rest.bytes.is_empty();
        let answer = (if more { 0xA0 } else { 0x80 }, data);
        self.last = Some(answer.clone());
        Some(answer)
    }

    fn switch(&mut self, now_ns: u64, code: u8, frame: &Frame<'_>) -> Answer {
        const TRIP: u8 = SwitchCommand::Trip as u8;
        const CLOSE: u8 = SwitchCommand::Close as u8;
        const REFUSED: (u8, u8) = (0xC0, NO_AUTHORITY);
        let refused = Some((REFUSED.0, vec![REFUSED.1]));
        let password = self.settings.password;
        if password.is_some_and(|password| frame.data.get(1..4) != Some(&password)) {
            return refused;
        }
        let to = match code {
            TRIP => Valve::Closed,
            CLOSE => Valve::Open,
            // What moves nothing is taken.
            _ => return Some((0x80, Vec::new())),
        };
        match self.manners.command(&self.truth, now_ns, to) {
            Commanded::Refused => refused,
            Commanded::Silent => None,
            Commanded::Taken(_) => Some((0x80, Vec::new())),
        }
    }

    fn data(&self, now_ns: u64, di: Di) -> Option<Vec<u8>> {
        let voltage = |digits: u64| {
            if self.settings.quirks.no_voltage { vec![0xFF; 2] } else { digits_of(digits, 2) }
        };
        Some(match di {
            Di::Long(0x0000_0000 | 0x0001_0000) | Di::Short(0x9010) => digits_of(self.total(now_ns), 4),
            Di::Long(0x0001_FF00) => self.block(now_ns),
            // A block of 1997 ends with AA.
            Di::Short(0x901F) => [self.block(now_ns), vec![0xAA]].concat(),
            Di::Long(0x0002_0000) | Di::Short(0x9020) => digits_of(0, 4),
            Di::Long(0x0201_0100) => voltage(2_300),
            Di::Short(0xB611) => voltage(230),
            Di::Long(0x0280_0002) => digits_of(5_000, 2),
            Di::Long(0x0400_0101) | Di::Short(0xC010) => self.date(now_ns),
            Di::Long(0x0400_0102) | Di::Short(0xC011) => self.time(now_ns),
            Di::Long(0x0400_0401 | 0x0400_0402) | Di::Short(0xC032) => self.settings.address.0.into(),
            // Status word 3 of 2007: bit 4 is the breaker's, set where it is open and nothing is supplied.
            Di::Long(0x0400_0503) => {
                let tripped = look(&self.truth).valve(now_ns) != Valve::Open;
                vec![u8::from(tripped) << 4, 0]
            }
            _ => return None,
        })
    }

    /// Hundredths.
    fn total(&self, now_ns: u64) -> u64 {
        look(&self.truth).answer(now_ns, STEP_UL, END_UL) / STEP_UL
    }

    /// The total, and the tariffs: all in the first one.
    fn block(&self, now_ns: u64) -> Vec<u8> {
        let total = self.total(now_ns);
        let tariffs = (0..self.settings.tariffs).flat_map(|n| digits_of(if n == 0 { total } else { 0 }, 4));
        digits_of(total, 4).into_iter().chain(tariffs).collect()
    }

    fn now(&self, now_ns: u64) -> Calendar {
        Calendar::now(look(&self.truth).wall_s, now_ns)
    }

    /// WW DD MM YY. The weekday is Sunday always: meters differ in how they count, and nobody reads it.
    fn date(&self, now_ns: u64) -> Vec<u8> {
        let at = self.now(now_ns);
        [0, at.day, at.month, (at.year % 100) as u8].into_iter().filter_map(bcd::byte).collect()
    }

    /// ss mm hh.
    fn time(&self, now_ns: u64) -> Vec<u8> {
        let at = self.now(now_ns);
        [at.second, at.minute, at.hour].into_iter().filter_map(bcd::byte).collect()
    }
}

fn digits_of(number: u64, bytes: usize) -> Vec<u8> {
    let mut place = vec![0; bytes];
    // It was cut to the digits that there are.
    let _fits = bcd::encode(number, &mut place);
    place
}

fn build(address: Address, control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x68];
    bytes.extend(address.0);
    bytes.extend([0x68, control, data.len() as u8]);
    bytes.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    bytes.push(crc::sum(&bytes));
    bytes.push(0x16);
    bytes
}

impl Listens for SwitchMeter {
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
