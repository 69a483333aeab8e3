// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the registers of a kind of unit mean, as data.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use super::answer::check_answer;
use super::frame::Frame;
use super::message::{Answer, decode_answer, explain_crc, explain_head};
use super::plan::Span;
use super::value::{Order, Type, text};
use crate::bytes::uint_le;
use crate::error::Error;
use crate::fault::Fault;
use crate::kind::{Kind, Period, Register};
use crate::number::{Decimal, Number};
use crate::reading::{Field, Identity, Reading, Value};
use crate::trace::Trace;
use crate::unit::Unit;

/// Where registers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Holding registers, read with function 03; 4xxxx in older books.
    #[default]
    Holding,
    /// Input registers, read with function 04; 3xxxx in older books.
    Input,
}

/// What a number in registers is multiplied with. Exact: never through a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// This.
    Fixed(Decimal),
    /// This, and the power of ten that the register at this address holds (with a sign).
    Power(Decimal, u16),
    /// This, and the number that the register at this address holds (without a sign).
    Factor(Decimal, u16),
}

/// One quantity in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// What it is.
    pub kind: Kind,
    /// Which of those.
    pub register: Register,
    /// Where.
    pub space: Space,
    /// Its first register, counted as [`RegisterMap::first`] says.
    pub address: u16,
    /// What the registers hold.
    pub format: Type,
    /// In which order.
    pub order: Order,
    /// What it is multiplied with.
    pub scale: Scale,
    /// Its unit after that.
    pub unit: Unit,
    /// What the registers hold where there is no value, if that is agreed: as a number without a sign.
    pub absent: Option<u64>,
}

impl Point {
    /// A holding register that is not scaled.
    #[must_use]
    pub const fn new(kind: Kind, address: u16, format: Type, unit: Unit) -> Self {
        Self {
            kind,
            register: Register::PLAIN,
            space: Space::Holding,
            address,
            format,
            order: Order::ABCD,
            scale: Scale::Fixed(Decimal::new(1, 0)),
            unit,
            absent: None,
        }
    }

    /// The register with its scale, where it has one.
    pub(super) const fn scaled_by(&self) -> Option<u16> {
        match self.scale {
            Scale::Fixed(_) => None,
            Scale::Power(_, at) | Scale::Factor(_, at) => Some(at),
        }
    }

    /// Its registers, from the first to behind the last, with the one of its scale: they are read together.
    pub(super) fn extent(&self) -> (u32, u32) {
        let (first, scale) = (u32::from(self.address), self.scaled_by().map(u32::from));
        let end = first + u32::from(self.format.words());
        (scale.map_or(first, |at| at.min(first)), scale.map_or(end, |at| end.max(at + 1)))
    }

    /// Whether it counts on in several registers, and may be caught half changed.
    pub(super) fn tears(&self) -> bool {
        let counts = matches!(
            self.kind,
            Kind::Volume
                | Kind::VolumeMeter
                | Kind::VolumeBase
                | Kind::VolumeDisturbed
                | Kind::Mass
                | Kind::Energy
                | Kind::CoolingEnergy
                | Kind::ActiveEnergy
                | Kind::ReactiveEnergy
                | Kind::ApparentEnergy
                | Kind::Count
        );
        counts && self.register.period == Period::Current && self.format.words() > 1
    }

    pub(super) fn field(&self, words: &[u16], scale: Option<u16>) -> Field {
        let bytes = self.order.arrange(words);
        let raw: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let low_first: Vec<u8> = bytes.iter().rev().copied().collect();
        let value = match self.format {
            _ if self.absent == Some(uint_le(&low_first)) => Value::Absent(Fault::NotFilled, raw),
            Type::Text(_) => Value::Text(text(&bytes)),
            Type::Bits => Value::Bits(uint_le(&low_first)),
            format => {
                let number = format.decimal(&bytes).and_then(|decimal| self.scaled(decimal, scale));
                Value::or_absent(number, &raw, |decimal| Value::Number(Number { decimal, unit: self.unit }))
            }
        };
        Field::new(self.kind, self.register, value)
    }

    fn scaled(&self, decimal: Decimal, register: Option<u16>) -> Result<Decimal, Fault> {
        let times = |a: Decimal, b: Decimal| {
            let mantissa = a.mantissa.checked_mul(b.mantissa).ok_or(Fault::TooLarge)?;
            Decimal::new(mantissa, a.exponent).scaled(b.exponent)
        };
        match (self.scale, register) {
            (Scale::Fixed(by), _) => times(decimal, by),
            (_, None) => Err(Fault::Length),
            (Scale::Power(by, _), Some(power)) => {
                let power = i8::try_from(power as i16).map_err(|_| Fault::OutOfRange)?;
                times(decimal, by)?.scaled(power)
            }
            (Scale::Factor(by, _), Some(factor)) => {
                times(times(decimal, by)?, Decimal::new(i64::from(factor), 0))
            }
        }
    }
}

/// Why a map cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// It has no point.
    Empty,
    /// The point of this address has no register, or more than its type has.
    Size(u16),
    /// The point of this address lies before the first register or behind the last.
    Address(u16),
    /// The point of this address and its scale do not fit into one request.
    Apart(u16),
    /// More registers at once than a request has: 1–125.
    Most(u16),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the register map has no registers"),
            Self::Size(at) => write!(f, "what is at register {at} has a number of registers that cannot be"),
            Self::Address(at) => {
                write!(f, "register {at} does not exist: is the map counted from 0 or from 1?")
            }
            Self::Apart(at) => write!(f, "register {at} and its scale are too far apart for one request"),
            Self::Most(n) => write!(f, "{n} registers cannot be read at once: 1 to 125"),
        }
    }
}

impl core::error::Error for MapError {}

/// What the registers of a kind of unit mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterMap {
    /// What the first register is called: 0 as on the wire, 1 in books that count from one. In books that
    /// write 40001 and 30001 that is 1, too: the 4 and the 3 are the space.
    pub first: u16,
    /// Most registers that the unit gives at once, 1–125.
    pub most: u16,
    /// Registers that nobody wants and that are read all the same if that saves a request. 0 for a unit that
    /// refuses a request as soon as it does not have one of the registers.
    pub gap: u16,
    /// The quantities.
    pub points: Vec<Point>,
}

impl RegisterMap {
    /// Counted from 0, 125 registers at once, no gaps.
    #[must_use]
    pub const fn new(points: Vec<Point>) -> Self {
        Self { first: 0, most: 125, gap: 0, points }
    }

    /// What `answer` to `request` says, in the order of the map. What of the map the request does not ask
    /// for whole is not in the reading.
    ///
    /// # Errors
    ///
    /// As [`check_answer`]; [`Error::DeviceError`] where the unit refuses.
    pub fn read(
        &self,
        request: &Frame<'_>,
        answer: &Frame<'_>,
        trace: &mut impl Trace,
    ) -> Result<Reading, Error> {
        check_answer(request, answer)?;
        let Answer::Registers(words) = decode_answer(answer, &mut ())?.or_refusal()? else {
            return Err(Error::AnswerMismatch { what: "no registers were asked for" });
        };
        let span = Span::of(request).ok_or(Error::AnswerMismatch { what: "no registers were asked for" })?;
        self.explain(answer, span, &words, trace);
        let fields = self.points.iter().filter_map(|point| self.field(point, span, &words)).collect();
        let meter = Identity { id: answer.unit.to_string(), ..Identity::default() };
        Ok(Reading { meter, fields, ..Reading::default() })
    }

    /// The words of `point` in an answer about `span`; `None` where it is not in there.
    pub(super) fn words<'w>(&self, point: &Point, span: Span, words: &'w [u16]) -> Option<&'w [u16]> {
        let at = self.place(point.address, span)?;
        if point.space != span.space {
            return None;
        }
        words.get(at..at + usize::from(point.format.words()))
    }

    fn field(&self, point: &Point, span: Span, words: &[u16]) -> Option<Field> {
        let scale = point.scaled_by().map(|at| self.place(at, span).and_then(|at| words.get(at)).copied());
        match scale {
            Some(None) => None,
            scale => Some(point.field(self.words(point, span, words)?, scale.flatten())),
        }
    }

    /// Where a register of the map lies in an answer about `span`.
    fn place(&self, address: u16, span: Span) -> Option<usize> {
        let wire = address.checked_sub(self.first)?;
        Some(usize::from(wire.checked_sub(span.address)?))
    }

    fn explain(&self, answer: &Frame<'_>, span: Span, words: &[u16], trace: &mut impl Trace) {
        explain_head(answer, trace);
        let Some((len, raw)) = answer.data.split_first() else { return };
        trace.field(2, &[*len], format_args!("length"), format_args!("{len} bytes"));
        let mut points: Vec<&Point> = self.points.iter().collect();
        points.sort_by_key(|point| point.address);
        let mut done = 0;
        for point in points {
            let Some(field) = self.field(point, span, words) else { continue };
            let Some(start) = self.place(point.address, span) else { continue };
            let end = start + usize::from(point.format.words());
            // Two points may share registers; each byte is explained once.
            if start < done {
                continue;
            }
            self.explain_rest(raw, span, done, start, trace);
            let bytes = raw.get(2 * start..2 * end).unwrap_or_default();
            trace.field(
                3 + 2 * start,
                bytes,
                format_args!("{}", field.name()),
                format_args!("{}", field.value),
            );
            done = end;
        }
        self.explain_rest(raw, span, done, words.len(), trace);
        explain_crc(answer, trace);
    }

    fn explain_rest(&self, raw: &[u8], span: Span, from: usize, to: usize, trace: &mut impl Trace) {
        let bytes = raw.get(2 * from..2 * to).unwrap_or_default();
        if !bytes.is_empty() {
            let first = usize::from(span.address) + from + usize::from(self.first);
            let last = first + to - from - 1;
            trace.field(
                3 + 2 * from,
                bytes,
                format_args!("registers {first} to {last}"),
                format_args!("not in the map, or a scale"),
            );
        }
    }
}
