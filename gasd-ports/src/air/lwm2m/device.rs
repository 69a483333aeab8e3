// SPDX-License-Identifier: MIT OR Apache-2.0
//! One meter behind LwM2M, and what it says.

use gasd_meters::cjt188::{self, Order};
use gasd_meters::nbiot::{Content, Path, Said, TlvKind, items, say};
use gasd_meters::scan::first;
use gasd_meters::{Decimal, Error, Field, Kind, Number, Reading, Register, Unit, Value};

/// Most frames of one telling that are read.
const MOST_FRAMES: usize = 64;

/// A meter as it is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Names the meter.
    pub key: u64,
    /// The name that it registers with, mostly its IMEI.
    pub endpoint: String,
    /// Where its register is.
    pub carries: Carries,
}

/// Where a meter's register is.
#[derive(Clone, Debug, PartialEq)]
pub enum Carries {
    /// In frames of CJ/T 188 in object 19.
    Cjt188 {
        /// Whose they must be; digits `AA` stand for any.
        address: cjt188::Address,
        /// What differs from maker to maker.
        profile: cjt188::Profile,
    },
    /// In object 19, in a format that is not read: its bytes are handed on.
    Raw,
    /// In a resource of its own.
    Resource {
        /// Object, instance, resource.
        path: Path,
        /// The power of ten that it is in: −3 where 1234 is 1.234.
        exponent: i8,
        /// Its unit.
        unit: Unit,
        /// Whether bytes are a number with a point (IEEE 754), not an integer.
        float: bool,
    },
}

impl Carries {
    /// What the meter is to be asked to tell besides what every one is.
    pub(super) const fn wanted(&self) -> Option<Path> {
        match self {
            Self::Resource { path, .. } => Some(*path),
            Self::Cjt188 { .. } | Self::Raw => None,
        }
    }
}

/// What was said, taken apart: each part is read, or wrong, by itself.
pub(super) struct Part {
    pub result: Result<Reading, Error>,
    pub raw: Vec<u8>,
}

/// What `content` of `path` says. `order` is how the meter writes identifiers of CJ/T 188, as far as it has shown it.
pub(super) fn read(carries: &Carries, path: Path, content: &Content, order: &mut Option<Order>) -> Vec<Part> {
    if let Carries::Resource { path: register, exponent, unit, float } = carries
        && (register.holds(&path) || path.holds(register))
    {
        let reading = resource(*register, path, content, *float).and_then(|number| {
            let scaled = number.scaled(*exponent).map_err(|_| NO_NUMBER)?;
            Ok(volume(Number { decimal: scaled, unit: *unit }))
        });
        return vec![Part { result: reading, raw: bytes(content).to_vec() }];
    }
    match (say(path, content), carries) {
        (Err(error), _) => vec![Part { result: Err(error), raw: bytes(content).to_vec() }],
        (Ok(Said::Reading(reading)), _) => vec![Part { result: Ok(reading), raw: bytes(content).to_vec() }],
        (Ok(Said::Frames(frames)), Carries::Cjt188 { address, profile }) => {
            let frames = frames.into_iter().take(MOST_FRAMES);
            frames.flat_map(|bytes| cjt188_frames(*address, profile, &bytes, order)).collect()
        }
        (Ok(Said::Frames(frames)), Carries::Raw) => {
            let raw = |bytes: Vec<u8>| {
                let field = Field::new(Kind::Unknown, Register::PLAIN, Value::Raw(bytes.clone()));
                let reading = Reading { fields: vec![field], ..Reading::default() };
                Part { result: Ok(reading), raw: bytes }
            };
            frames.into_iter().take(MOST_FRAMES).map(raw).collect()
        }
        // Its register is elsewhere, and what this says nobody has asked for.
        (Ok(Said::Frames(_)), Carries::Resource { .. }) | (Ok(Said::Unknown), _) => Vec::new(),
    }
}

/// The frames in one value: modules put several of them, and headers of their own, into one.
fn cjt188_frames(
    address: cjt188::Address,
    profile: &cjt188::Profile,
    bytes: &[u8],
    order: &mut Option<Order>,
) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while parts.len() < MOST_FRAMES {
        let found = first(rest, cjt188::probe).and_then(|(at, len)| {
            let frame = rest.get(at..at + len).ok_or(Error::NoFrame { garbage: rest.len() })?;
            rest = rest.get(at + len..).unwrap_or_default();
            Ok(frame)
        });
        match found {
            Ok(frame) => {
                let result = cjt188_frame(address, profile, frame, order);
                parts.push(Part { result, raw: frame.to_vec() });
            }
            // What follows the last frame is nothing by itself.
            Err(_) if !parts.is_empty() => break,
            Err(error) => {
                parts.push(Part { result: Err(error), raw: bytes.to_vec() });
                break;
            }
        }
    }
    parts
}

fn cjt188_frame(
    address: cjt188::Address,
    profile: &cjt188::Profile,
    bytes: &[u8],
    order: &mut Option<Order>,
) -> Result<Reading, Error> {
    let frame = cjt188::Frame::parse(bytes)?;
    if !address.covers(frame.address) {
        return Err(Error::AddressMismatch);
    }
    if !frame.from_meter() {
        return Err(Error::AnswerMismatch { what: "it is a request" });
    }
    let decoded = cjt188::decode(&frame, profile, *order, &mut ())?;
    *order = decoded.order.or(*order);
    decoded.message.into_reading()
}

const NO_NUMBER: Error = Error::Malformed { what: "the resource of the register is no number" };

/// The number of a resource.
fn resource(register: Path, path: Path, content: &Content, float: bool) -> Result<Decimal, Error> {
    match content {
        Content::Text(text) => decimal(text).ok_or(NO_NUMBER),
        Content::Tlv(bytes) => {
            let number = register.numbers().get(2).copied();
            // An answer about a resource has it alone, one about its instance or object has others, too.
            let items = items(bytes)?;
            let item = items.iter().find(|item| {
                let whole: Vec<u16> = match item.path.len() {
                    2 => path.numbers().iter().take(1).chain(&item.path).copied().collect(),
                    _ => path.numbers().iter().take(2).chain(&item.path).copied().collect(),
                };
                item.kind == TlvKind::Resource && Path::new(&whole) == register && number.is_some()
            });
            binary(item.ok_or(NO_NUMBER)?.value, float)
        }
        Content::Opaque(bytes) | Content::Other(None, bytes) => binary(bytes, float),
        Content::Other(Some(_), _) => {
            Err(Error::Malformed { what: "the register comes in a format that is not read" })
        }
    }
}

/// A number as people write it: digits, with a point or without.
fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !part.bytes().all(|byte| byte.is_ascii_digit()) || whole.len() + part.len() > 18 {
        return None;
    }
    let mantissa: i64 = format!("{whole}{part}").parse().ok()?;
    Some(Decimal::new(mantissa, -i8::try_from(part.len()).ok()?))
}

fn binary(bytes: &[u8], float: bool) -> Result<Decimal, Error> {
    match (bytes, float) {
        (&[a, b, c, d], true) => Decimal::from_f32(f32::from_be_bytes([a, b, c, d])).map_err(|_| NO_NUMBER),
        (&[a, b, c, d, e, f, g, h], true) => {
            Decimal::from_f64(f64::from_be_bytes([a, b, c, d, e, f, g, h])).map_err(|_| NO_NUMBER)
        }
        (bytes @ ([_] | [_, _] | [_, _, _, _] | [_, _, _, _, _, _, _, _]), false) => {
            let low_first: Vec<u8> = bytes.iter().rev().copied().collect();
            Ok(Decimal::new(gasd_meters::bytes::int_le(&low_first), 0))
        }
        _ => Err(NO_NUMBER),
    }
}

fn volume(number: Number) -> Reading {
    let field = Field::new(Kind::Volume, Register::PLAIN, Value::Number(number));
    Reading { fields: vec![field], ..Reading::default() }
}

/// What came, without how it is written.
pub(super) fn bytes(content: &Content) -> &[u8] {
    match content {
        Content::Text(text) => text.as_bytes(),
        Content::Opaque(bytes) | Content::Tlv(bytes) | Content::Other(_, bytes) => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(numbers: &[u16]) -> Path {
        Path::new(numbers)
    }

    fn register(float: bool) -> Carries {
        Carries::Resource { path: path(&[3424, 0, 1]), exponent: -3, unit: Unit::CubicMetre, float }
    }

    fn volume_ul(carries: &Carries, at: &[u16], content: Content) -> Result<i64, Error> {
        let mut parts = read(carries, path(at), &content, &mut None);
        assert_eq!(parts.len(), 1);
        let reading = parts.remove(0).result?;
        Ok(reading.get(Kind::Volume).unwrap().volume_ul().unwrap())
    }

    #[test]
    fn a_register_in_a_resource() {
        let at = &[3424, 0, 1][..];
        assert_eq!(volume_ul(&register(false), at, Content::Text(" 1234 ".into())), Ok(1_234_000_000));
        assert_eq!(volume_ul(&register(false), at, Content::Text("1234.5".into())), Ok(1_234_500_000));
        assert_eq!(volume_ul(&register(false), at, Content::Tlv(vec![0xC2, 1, 4, 0xD2])), Ok(1_234_000_000));
        // The whole instance is told, with another resource before it; and the object, with its instance.
        let instance = vec![0xC1, 0, 9, 0xC2, 1, 4, 0xD2];
        assert_eq!(volume_ul(&register(false), &[3424, 0], Content::Tlv(instance)), Ok(1_234_000_000));
        let object = vec![0x04, 0, 0xC2, 1, 4, 0xD2];
        assert_eq!(volume_ul(&register(false), &[3424], Content::Tlv(object)), Ok(1_234_000_000));
        let float = [&[0xC4, 1][..], &1234.5f32.to_be_bytes()].concat();
        assert_eq!(volume_ul(&register(true), at, Content::Tlv(float)), Ok(1_234_500_000));
        assert_eq!(
            volume_ul(&register(true), at, Content::Opaque(1234.5f64.to_be_bytes().into())),
            Ok(1_234_500_000)
        );
        for wrong in [
            Content::Text("12a".into()),
            Content::Text("1.-2".into()),
            Content::Text("1234567890123456789".into()),
            Content::Opaque(vec![1, 2, 3]),
            Content::Tlv(vec![0xC1, 7, 9]),
            Content::Other(Some(11_543), vec![1]),
        ] {
            assert_eq!(volume_ul(&register(false), at, wrong).unwrap_err().kind(), "malformed");
        }
        assert_eq!(
            volume_ul(&register(true), at, Content::Opaque(f32::NAN.to_be_bytes().into())),
            Err(NO_NUMBER)
        );
    }
}
