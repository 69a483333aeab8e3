// SPDX-License-Identifier: MIT OR Apache-2.0
//! A volume corrector that speaks Modbus RTU: a total over one to four registers in any order of its bytes, flow, the
//! state of its valve, and a coil that moves it.
//!
//! | register | what |
//! |---|---|
//! | `address` | total, in the type, order and steps of the settings |
//! | behind it | flow, litres an hour, `U32` in the same order |
//! | behind that | valve, `U16`: 0 open, 1 closed, 2 neither |

use gasd_meters::modbus::{
    Frame, Order, Point, RegisterMap, Request, Scale, Space, Type, decode_request, probe_request,
};
use gasd_meters::{Decimal, Kind, Unit, Valve, bcd, crc};

use crate::ear::{Ear, Listens};
use crate::habits::{Commanded, Habits, Manners};
use crate::meter::Reply;
use crate::rng::Rng;
use crate::truth::{Shared, look};

/// After so long without a byte it forgets half a request, ns. The standard has 3.5 bytes, adapters pause longer.
const GAP_NS: u64 = 50_000_000;

/// Exceptions.
const NO_FUNCTION: u8 = 1;
const NO_REGISTERS: u8 = 2;
const FAILED: u8 = 4;
const BUSY: u8 = 6;

/// What a unit does otherwise than most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Says that it is busy, so many times in a million requests.
    pub busy_ppm: u32,
    /// Fills all registers of a total but the lowest so much later than that, ns: a total is caught half changed.
    pub tears_ns: u64,
    /// Most registers that it gives at once; 0 is 125.
    pub most: u16,
}

impl Quirks {
    /// All of them that a reader bears with.
    pub const ALL: Self = Self { busy_ppm: 20_000, tears_ns: 40_000_000, most: 16 };
}

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its address, 1 to 247.
    pub unit: u8,
    /// Where its registers are.
    pub space: Space,
    /// The first, as on the wire.
    pub address: u16,
    /// What its total is: `U16` to `U64`, `I32`, `I64`, `F32`, `F64`, BCD. Floats are m³.
    pub format: Type,
    /// The order of its bytes.
    pub order: Order,
    /// What one step of an integer or BCD is, a power of ten of m³: -3 is a litre. -9 at least.
    pub exponent: i8,
    /// The coil that closes its valve when it is on; `None` where it has none.
    pub coil: Option<u16>,
    /// What it does otherwise.
    pub quirks: Quirks,
}

impl Settings {
    /// A unit with a total of hundredths of m³ in two input registers from 0 on, and a coil 0.
    #[must_use]
    pub fn new(unit: u8) -> Self {
        Self {
            unit,
            space: Space::Input,
            address: 0,
            format: Type::U32,
            order: Order::ABCD,
            exponent: -2,
            coil: Some(0),
            quirks: Quirks::default(),
        }
    }

    /// What its registers mean, for whoever reads it.
    #[must_use]
    pub fn map(&self) -> RegisterMap {
        let Self { space, address, format, order, .. } = *self;
        let exponent = if matches!(format, Type::F32 | Type::F64) { 0 } else { self.exponent };
        let scale = Scale::Fixed(Decimal::new(1, exponent));
        let flow = address.saturating_add(format.words());
        let mut map = RegisterMap::new(vec![
            Point { space, order, scale, ..Point::new(Kind::VolumeBase, address, format, Unit::CubicMetre) },
            Point { space, order, ..Point::new(Kind::Flow, flow, Type::U32, Unit::LitrePerHour) },
            Point { space, ..Point::new(Kind::Status, flow.saturating_add(2), Type::Bits, Unit::One) },
        ]);
        if self.quirks.most > 0 {
            map.most = self.quirks.most;
        }
        map
    }
}

/// The unit.
pub struct Corrector {
    settings: Settings,
    manners: Manners,
    truth: Shared,
    ear: Ear,
    rng: Rng,
}

impl Corrector {
    /// A unit of these settings and habits, whose register and valve are `truth`.
    #[must_use]
    pub fn new(settings: Settings, habits: Habits, truth: Shared) -> Self {
        let rng = Rng::new(habits.seed, 4);
        Self { settings, manners: Manners::new(habits), truth, ear: Ear::new(GAP_NS, probe_request), rng }
    }

    fn request(&mut self, now_ns: u64, frame: &Frame<'_>) -> Vec<Reply> {
        let everyone = frame.unit == 0;
        if !(everyone || frame.unit == self.settings.unit) || !self.manners.attends(now_ns) {
            return Vec::new();
        }
        let Ok(request) = decode_request(frame, &mut ()) else { return Vec::new() };
        let answer = if self.rng.happens(self.settings.quirks.busy_ppm) {
            Some(Err(BUSY))
        } else {
            self.act(now_ns, &request, frame.data)
        };
        let (function, data) = match answer {
            None => return Vec::new(),
            Some(_) if everyone => return Vec::new(),
            Some(Ok(data)) => (frame.function, data),
            Some(Err(code)) => (frame.function | 0x80, vec![code]),
        };
        let mut bytes = vec![self.settings.unit, function];
        bytes.extend(data);
        bytes.extend(crc::modbus(&bytes).to_le_bytes());
        self.manners.answer(None, &bytes)
    }

    /// What is answered behind the function, or the exception; nothing at all where the answer is lost.
    fn act(&mut self, now_ns: u64, request: &Request, asked: &[u8]) -> Option<Result<Vec<u8>, u8>> {
        Some(match *request {
            Request::ReadHolding(at, n) => self.read(now_ns, Space::Holding, at, n),
            Request::ReadInput(at, n) => self.read(now_ns, Space::Input, at, n),
            Request::ReadCoils(at, 1) if self.settings.coil == Some(at) => {
                Ok(vec![1, u8::from(look(&self.truth).valve(now_ns) == Valve::Closed)])
            }
            Request::WriteCoil(at, on) if self.settings.coil == Some(at) => {
                let to = if on { Valve::Closed } else { Valve::Open };
                match self.manners.command(&self.truth, now_ns, to) {
                    Commanded::Refused => Err(FAILED),
                    Commanded::Silent => return None,
                    Commanded::Taken(_) => Ok(asked.to_vec()),
                }
            }
            Request::Diagnose(0, _) => Ok(asked.to_vec()),
            Request::ReadCoils(..)
            | Request::WriteCoil(..)
            | Request::ReadInputs(..)
            | Request::WriteRegister(..)
            | Request::WriteRegisters(..)
            | Request::WriteCoils(..) => Err(NO_REGISTERS),
            _ => Err(NO_FUNCTION),
        })
    }

    fn read(&self, now_ns: u64, space: Space, at: u16, n: u16) -> Result<Vec<u8>, u8> {
        let Settings { address, quirks, format, .. } = self.settings;
        let most = if quirks.most == 0 { 125 } else { quirks.most };
        let from = at.checked_sub(address).map(usize::from).ok_or(NO_REGISTERS)?;
        let to = from + usize::from(n);
        let whole = usize::from(format.words()) + 3;
        if space != self.settings.space || n > most || to > whole {
            return Err(NO_REGISTERS);
        }
        // What nobody asks for is not answered, and not logged.
        let total = if from < usize::from(format.words()) { self.total(now_ns) } else { vec![0; whole - 3] };
        let (flow, valve) = {
            let truth = look(&self.truth);
            (truth.flow_ul_per_h(now_ns) / 1_000_000, truth.valve(now_ns))
        };
        let flow = u32::try_from(flow).unwrap_or(u32::MAX);
        let mut words = total;
        words.extend(self.arrange(&flow.to_be_bytes()));
        words.push(match valve {
            Valve::Open => 0,
            Valve::Closed => 1,
            Valve::Abnormal => 2,
        });
        let words = words.get(from..to).ok_or(NO_REGISTERS)?;
        let mut data = vec![(2 * words.len()) as u8];
        data.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        Ok(data)
    }

    /// The total's registers; it is logged as what they say.
    fn total(&self, now_ns: u64) -> Vec<u16> {
        let mut truth = look(&self.truth);
        let now_ul = truth.register_ul(now_ns);
        let (mut bytes, said_ul) = self.encode(now_ul);
        let tears_ns = self.settings.quirks.tears_ns;
        if tears_ns > 0 {
            let (before, _) = self.encode(truth.register_ul(now_ns.saturating_sub(tears_ns)));
            let high = bytes.len().saturating_sub(2);
            for (byte, old) in bytes.iter_mut().zip(before).take(high) {
                *byte = old;
            }
        }
        truth.answered_as(now_ns, said_ul);
        self.arrange(&bytes)
    }

    /// The bytes of a volume, the highest first, and the volume that they say, µL.
    fn encode(&self, ul: u64) -> (Vec<u8>, u64) {
        let step = 10u64.saturating_pow(u32::try_from(i32::from(self.settings.exponent) + 9).unwrap_or(0));
        let count = ul / step;
        let said = |count: u64| count.saturating_mul(step);
        let float = |decimal: Result<Decimal, _>| {
            decimal.and_then(|decimal| decimal.at(-9)).ok().and_then(|ul| u64::try_from(ul).ok()).unwrap_or(0)
        };
        match self.settings.format {
            Type::U16 | Type::I16 | Type::Bits | Type::Text(_) => {
                let count = count as u16;
                (count.to_be_bytes().into(), said(count.into()))
            }
            Type::U32 | Type::I32 => {
                let count = count as u32;
                (count.to_be_bytes().into(), said(count.into()))
            }
            Type::U64 | Type::I64 => (count.to_be_bytes().into(), said(count)),
            Type::F32 => {
                let value = (ul as f64 / 1e9) as f32;
                (value.to_be_bytes().into(), float(Decimal::from_f32(value)))
            }
            Type::F64 => {
                // Whole litres: the last digits of a float would be finer than a µL.
                let value = (ul / 1_000_000) as f64 / 1e3;
                (value.to_be_bytes().into(), float(Decimal::from_f64(value)))
            }
            Type::Bcd(words) => {
                let mut low_first = vec![0; 2 * usize::from(words)];
                let count = count % 10u64.saturating_pow(4 * u32::from(words));
                let _fits = bcd::encode(count, &mut low_first);
                low_first.reverse();
                (low_first, said(count))
            }
        }
    }

    /// Bytes, the highest first, as registers in this unit's order.
    fn arrange(&self, bytes: &[u8]) -> Vec<u16> {
        let (pairs, _) = bytes.as_chunks::<2>();
        let word = |pair: &[u8; 2]| match self.settings.order {
            Order::ABCD | Order::CDAB => u16::from_be_bytes(*pair),
            Order::BADC | Order::DCBA => u16::from_le_bytes(*pair),
        };
        let mut words: Vec<u16> = pairs.iter().map(word).collect();
        if matches!(self.settings.order, Order::CDAB | Order::DCBA) {
            words.reverse();
        }
        words
    }
}

impl Listens for Corrector {
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
