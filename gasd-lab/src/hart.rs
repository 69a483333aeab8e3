// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flow computer that speaks HART: who it is (commands 0, 11), its variables (1, 2, 3), tag and long tag (13, 20).
//!
//! PV is the flow (m³/h), SV the pressure (bar), TV the total (m³), QV the temperature (°C). The total is a float of
//! 24 bits: what it says is in the log of the truth.

use gasd_meters::Decimal;
use gasd_meters::crc;
use gasd_meters::hart::{Address, Frame, Master, Type, pack, probe};

use crate::ear::{Ear, Listens};
use crate::habits::{Habits, Manners};
use crate::meter::Reply;
use crate::truth::{Shared, look};

/// After so long without a byte it forgets half a request, ns: more than two bytes at 1200 baud.
const GAP_NS: u64 = 30_000_000;

/// The response code of a command that it does not have.
const NO_COMMAND: u8 = 64;

/// Unit codes.
const CUBIC_METRES_PER_HOUR: u8 = 19;
const BAR: u8 = 7;
const CUBIC_METRES: u8 = 43;
const CELSIUS: u8 = 32;

/// What a device does otherwise than most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// SV and QV are not used: their unit is 250, their value no number.
    pub no_sensors: bool,
    /// Answers every command to its short address, not only command 0.
    pub short_for_all: bool,
    /// Its status byte: 40 configuration changed, 20 cold start.
    pub status: u8,
}

impl Quirks {
    /// All of them that a reader bears with.
    pub const ALL: Self = Self { no_sensors: true, short_for_all: true, status: 0x60 };
}

/// What a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address that it is polled with, 0 to 63.
    pub poll: u8,
    /// Its expanded type, 14 bits.
    pub kind: u16,
    /// Its number.
    pub id: [u8; 3],
    /// Up to eight characters.
    pub tag: String,
    /// Bytes FF before an answer.
    pub preambles: u8,
    /// What it does otherwise.
    pub quirks: Quirks,
}

impl Settings {
    /// A device of HART 7.
    #[must_use]
    pub fn new(poll: u8, number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self {
            poll,
            kind: 0x26A5,
            id: [0x4C, high, low],
            tag: format!("FT-{number:05}"),
            preambles: 5,
            quirks: Quirks::default(),
        }
    }
}

/// The device.
pub struct FlowComputer {
    settings: Settings,
    manners: Manners,
    truth: Shared,
    ear: Ear,
}

impl FlowComputer {
    /// A device of these settings and habits, whose total is of `truth`.
    #[must_use]
    pub fn new(settings: Settings, habits: Habits, truth: Shared) -> Self {
        Self { settings, manners: Manners::new(habits), truth, ear: Ear::new(GAP_NS, probe) }
    }

    fn request(&mut self, now_ns: u64, frame: &Frame<'_>) -> Vec<Reply> {
        let Settings { poll, kind, id, quirks, .. } = self.settings;
        let tag = pack(&self.settings.tag, 6).unwrap_or_default();
        let mine = match frame.address {
            Address::Polling(asked) => asked == poll && (frame.command == 0 || quirks.short_for_all),
            // Everyone is asked who has this tag.
            Address::BROADCAST => frame.command == 11 && frame.data == tag,
            address => address == Address::Unique { kind, id },
        };
        if frame.kind != Type::Request || !mine || !self.manners.attends(now_ns) {
            return Vec::new();
        }
        let (code, data) = match self.data(now_ns, frame.command) {
            Some(data) => (0, data),
            None => (NO_COMMAND, Vec::new()),
        };
        let mut bytes = vec![0xFF; usize::from(self.settings.preambles)];
        let from = bytes.len();
        let flag = if frame.master == Master::Primary { 0x80 } else { 0x00 };
        match frame.address {
            Address::Polling(_) => bytes.extend([0x06, flag | poll]),
            // By tag it answers with its own.
            _ => {
                let [high, low] = kind.to_be_bytes();
                let [a, b, c] = id;
                bytes.extend([0x86, flag | (high & 0x3F), low, a, b, c]);
            }
        }
        bytes.extend([frame.command, (data.len() + 2) as u8, code, quirks.status]);
        bytes.extend(data);
        bytes.push(crc::xor(bytes.get(from..).unwrap_or_default()));
        self.manners.answer(None, &bytes)
    }

    fn data(&self, now_ns: u64, command: u8) -> Option<Vec<u8>> {
        let flow = look(&self.truth).flow_ul_per_h(now_ns) as f64 / 1e9;
        // 0 to 10 m³/h are 4 to 20 mA.
        let percent = (flow * 10.0).min(100.0) as f32;
        let current = percent.mul_add(0.16, 4.0);
        let variable = |unit: u8, value: f32| [&[unit][..], &value.to_be_bytes()].concat();
        let sensor = |unit, value| match self.settings.quirks.no_sensors {
            true => variable(250, f32::NAN),
            false => variable(unit, value),
        };
        Some(match command {
            0 | 11 => self.identity(),
            1 => variable(CUBIC_METRES_PER_HOUR, flow as f32),
            2 => [current.to_be_bytes(), percent.to_be_bytes()].concat(),
            3 => {
                let total = self.total(now_ns);
                [
                    current.to_be_bytes().into(),
                    variable(CUBIC_METRES_PER_HOUR, flow as f32),
                    sensor(BAR, 0.021),
                    variable(CUBIC_METRES, total),
                    sensor(CELSIUS, 11.5),
                ]
                .concat()
            }
            13 => [
                pack(&self.settings.tag, 6).unwrap_or_default(),
                pack("GAS", 12).unwrap_or_default(),
                vec![1, 1, 126],
            ]
            .concat(),
            20 => {
                let mut text = self.settings.tag.clone().into_bytes();
                text.resize(32, 0);
                text
            }
            _ => return None,
        })
    }

    /// m³; it is logged as what the float says.
    fn total(&self, now_ns: u64) -> f32 {
        let mut truth = look(&self.truth);
        let value = (truth.register_ul(now_ns) as f64 / 1e9) as f32;
        let said_ul = Decimal::from_f32(value).and_then(|decimal| decimal.at(-9));
        truth.answered_as(now_ns, said_ul.ok().and_then(|ul| u64::try_from(ul).ok()).unwrap_or(0));
        value
    }

    /// FE, type, preambles to it, HART 7, revisions, signalling, flags, number; preambles from it, variables, changes,
    /// extended status, maker, label, profile.
    fn identity(&self) -> Vec<u8> {
        let Settings { kind, id: [a, b, c], preambles, .. } = self.settings;
        let [high, low] = kind.to_be_bytes();
        let mut data = vec![0xFE, high, low, 5, 7, 1, 1, 1 << 3, 0, a, b, c];
        data.extend([preambles, 4, 0, 0, 0, 0x00, 0x26, 0x00, 0x26, 1]);
        data
    }
}

impl Listens for FlowComputer {
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
