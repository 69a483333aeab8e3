// SPDX-License-Identifier: MIT OR Apache-2.0
//! A gas meter that speaks CJ/T 188: current data (`901F`), clock (`907F`), address (`810A`), valve (`A017`).

use gasd_meters::cjt188::{Address, ClockOrder, Frame, Order, Profile, ValveCommand, probe, resolve};
use gasd_meters::{Valve, bcd, crc};

use crate::calendar::Calendar;
use crate::ear::{Ear, Listens};
use crate::habits::{Commanded, Habits, Manners};
use crate::meter::Reply;
use crate::truth::{Shared, look};

/// After so long without a byte it forgets half a request, ns.
const GAP_NS: u64 = 100_000_000;

/// One step of the last digit, and where the digits end: XXXXXX.XX m³, µL.
const STEP_UL: u64 = 10_000_000;
const END_UL: u64 = 1_000_000_000_000_000;

/// What a meter puts elsewhere than the standard has it. Each was seen in the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Always this sequence number, whatever it was asked with.
    pub ser: Option<u8>,
    /// Answers as a meter of this type.
    pub kind: Option<u8>,
    /// Answers with the address that it was asked with, wildcards and all.
    pub echoes_address: bool,
    /// Answers with the identifier in its own order, whatever it was asked in.
    pub own_order: bool,
    /// The settlement is FF.
    pub no_settlement: bool,
    /// The clock is FF.
    pub no_clock: bool,
    /// The unit byte, in place of 2C (m³).
    pub unit: Option<u8>,
}

impl Quirks {
    /// All of them that a reader bears with unless its profile is a wrong one: readings have their volume only with a
    /// profile that says the unit, as [`Profile::CLOCK_HIGH_FIRST`] does.
    pub const ALL: Self = Self {
        ser: Some(3),
        kind: Some(0x35),
        echoes_address: true,
        own_order: true,
        no_settlement: true,
        no_clock: false,
        unit: Some(0x00),
    };
}

/// What a meter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its address.
    pub address: Address,
    /// Its type, `T`: 30 to 39 for gas.
    pub kind: u8,
    /// The order of its identifiers.
    pub order: Order,
    /// Where its status has which bit, how its clock runs, with which function its valve moves.
    pub profile: Profile,
    /// Whether its battery is low.
    pub battery_low: bool,
    /// What it does otherwise than its standard.
    pub quirks: Quirks,
}

impl Settings {
    /// A gas meter as the standard of 2018 has it.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            kind: 0x30,
            order: Order::LowFirst,
            profile: Profile::STANDARD,
            battery_low: false,
            quirks: Quirks::default(),
        }
    }
}

/// The meter.
pub struct GasMeter {
    settings: Settings,
    manners: Manners,
    truth: Shared,
    ear: Ear,
}

impl GasMeter {
    /// A meter of these settings and habits, whose register and valve are `truth`.
    #[must_use]
    pub fn new(settings: Settings, habits: Habits, truth: Shared) -> Self {
        Self { settings, manners: Manners::new(habits), truth, ear: Ear::new(GAP_NS, probe) }
    }

    /// The frame that it sends by itself at `now_ns`, with its current data: as meters do that speak over NB-IoT.
    #[must_use]
    pub fn report(&self, now_ns: u64) -> Vec<u8> {
        let Settings { address, kind, order, .. } = self.settings;
        let data = [&order.to_wire(0x901F)[..], &[0], &self.current(now_ns)].concat();
        build(kind, address, 0x81, &data)
    }

    fn request(&mut self, now_ns: u64, frame: &Frame<'_>) -> Vec<Reply> {
        let Settings { address, kind, profile, .. } = self.settings;
        let mine = frame.address.covers(address) && (frame.kind == kind || frame.kind == 0xAA);
        if frame.from_meter() || !mine || !self.manners.attends(now_ns) {
            return Vec::new();
        }
        let [first, second, ser, rest @ ..] = frame.data else { return Vec::new() };
        let (di, shown) = resolve([*first, *second], Some(self.settings.order));
        let order = match shown {
            Some(order) if !self.settings.quirks.own_order => order,
            _ => self.settings.order,
        };
        let body = match (frame.function(), di, rest) {
            (0x01, 0x901F, _) => Some(self.current(now_ns)),
            (0x01, 0x907F, _) => Some(self.clock(now_ns)),
            (0x03, 0x810A, _) => Some(Vec::new()),
            (function, 0xA017, [code, ..]) if function == profile.valve_function => {
                let Some(answer) = self.command(now_ns, *code) else { return Vec::new() };
                answer
            }
            _ => None,
        };
        let ser = self.settings.quirks.ser.filter(|_| !self.moves(frame)).unwrap_or(*ser);
        let (control, data) = match body {
            Some(body) => (0x80, [&order.to_wire(di)[..], &[ser], &body].concat()),
            None => (0xC0, [&[ser][..], &self.status(self.valve(now_ns))].concat()),
        };
        let frame = self.frame(frame, control | frame.function(), &data);
        self.manners.answer(Some(0xFE), &frame)
    }

    /// The valve is commanded: the status to answer, or none to refuse; nothing at all where the answer is lost.
    fn command(&mut self, now_ns: u64, code: u8) -> Option<Option<Vec<u8>>> {
        const OPEN: u8 = ValveCommand::Open as u8;
        const CLOSE: u8 = ValveCommand::Close as u8;
        let to = match code {
            OPEN => Valve::Open,
            CLOSE => Valve::Closed,
            _ => return Some(None),
        };
        match self.manners.command(&self.truth, now_ns, to) {
            Commanded::Refused => Some(None),
            Commanded::Silent => None,
            Commanded::Taken(valve) => Some(Some(self.status(valve).into())),
        }
    }

    /// What moves a valve is answered by the book, or nobody could trust it.
    const fn moves(&self, request: &Frame<'_>) -> bool {
        request.function() == self.settings.profile.valve_function
    }

    fn frame(&self, request: &Frame<'_>, control: u8, data: &[u8]) -> Vec<u8> {
        let quirks = self.settings.quirks;
        let (kind, address) = match self.moves(request) {
            true => (self.settings.kind, self.settings.address),
            false if quirks.echoes_address => (quirks.kind.unwrap_or(self.settings.kind), request.address),
            false => (quirks.kind.unwrap_or(self.settings.kind), self.settings.address),
        };
        build(kind, address, control, data)
    }

    fn current(&self, now_ns: u64) -> Vec<u8> {
        let quirks = self.settings.quirks;
        let (now, base) = {
            let mut truth = look(&self.truth);
            (truth.answer(now_ns, STEP_UL, END_UL), truth.register().base_ul % END_UL)
        };
        let unit = quirks.unit.unwrap_or(0x2C);
        let mut body = amount(now, unit);
        body.extend(if quirks.no_settlement { vec![0xFF; 5] } else { amount(base, unit) });
        body.extend(self.clock(now_ns));
        body.extend(self.status(self.valve(now_ns)));
        body
    }

    fn clock(&self, now_ns: u64) -> Vec<u8> {
        if self.settings.quirks.no_clock {
            return vec![0xFF; 7];
        }
        let at = Calendar::now(look(&self.truth).wall_s, now_ns);
        let (century, year) = ((at.year / 100) as u8, (at.year % 100) as u8);
        let parts = match self.settings.profile.clock {
            ClockOrder::LowFirst => [at.second, at.minute, at.hour, at.day, at.month, year, century],
            ClockOrder::CenturyBeforeYear => [at.second, at.minute, at.hour, at.day, at.month, century, year],
            ClockOrder::HighFirst => [century, year, at.month, at.day, at.hour, at.minute, at.second],
        };
        parts.into_iter().filter_map(bcd::byte).collect()
    }

    fn valve(&self, now_ns: u64) -> Valve {
        look(&self.truth).valve(now_ns)
    }

    /// ST0 ST1.
    fn status(&self, valve: Valve) -> [u8; 2] {
        let bits = &self.settings.profile.status;
        let position = match valve {
            Valve::Open => bits.open,
            Valve::Closed => bits.closed,
            Valve::Abnormal => bits.abnormal,
        };
        let battery = bits.flags.first().map_or(0, |(bits, _)| *bits);
        let word = (position & bits.valve) | if self.settings.battery_low { battery } else { 0 };
        word.to_le_bytes()
    }
}

fn build(kind: u8, address: Address, control: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x68, kind];
    bytes.extend(address.0);
    bytes.extend([control, data.len() as u8]);
    bytes.extend(data);
    bytes.push(crc::sum(&bytes));
    bytes.push(0x16);
    bytes
}

/// Four bytes of digits, hundredths of m³, and a unit.
fn amount(ul: u64, unit: u8) -> Vec<u8> {
    let mut bytes = vec![0; 5];
    if let [digits @ .., code] = bytes.as_mut_slice() {
        // It was cut to the digits that there are.
        let _fits = bcd::encode(ul / STEP_UL, digits);
        *code = unit;
    }
    bytes
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
